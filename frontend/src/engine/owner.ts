/**
 * The owner's handshake (PROTOCOL §5).
 *
 * An offer that fails a check is left unread: no state, and no sign to its sender; only the server is
 * told that it need keep no place for it, and the person that somebody may be waiting for them. One that verifies under a live link is answered at once; one
 * without an invite waits for the person, unless they want links alone; one under a spent link is
 * declined, and the owner is told.
 */
import {
  answerOffer,
  b64uEncode,
  encodeRatchet,
  ProtocolError,
  readOffer,
  wipeRatchet,
  type ReadOffer,
} from '../protocol'
import type { Item, SessionInfo } from '../transport/wire'
import type { StoredLink } from '../vault/shapes'
import { StaleVersion } from '../vault/vault'
import { inBackground, untilDone } from './background'
import type { Conversation } from './conversation'
import { deadlineAfter } from './deadline'
import type { House } from './house'
import type { HelloTaken } from './steps'
import { EngineError } from './types'

/** An offer came for us in a session of which we know nothing yet. */
export async function offered(house: House, item: Item, info: SessionInfo): Promise<void> {
  if (item.sender !== 0 || info.role !== 1 || house.wasProcessed(item.session)) return
  const offer = await read(house, item)
  if (!offer) return leaveSpoilt(house, info.id)
  if (!offer.invited) return house.linkOnly ? leaveUnread(house, info.id) : ask(house, info, offer)
  const link = await house.links.verifying(offer)
  if (!link) return leaveSpoilt(house, info.id)
  if (link.spent) return triedAgain(house, item.session, link)
  const answering = house.links.answering(link, b64uEncode(offer.initiator))
  if (!answering) return leaveUnread(house, info.id)
  await sendAnswer(house, info, offer, answering)
}

/** Whether only those with a link may ask; whoever asks without one is then left unread. */
export async function wantLinks(house: House, linkOnly: boolean): Promise<void> {
  await house.room.vault.writeChoices({ linkOnly })
  house.linkOnly = linkOnly
  if (linkOnly) for (const id of house.asking.keys()) leaveUnread(house, id)
}

/** The person accepts a request. */
export async function accept(house: House, id: string): Promise<void> {
  const asking = house.asking.get(id)
  if (!asking) return
  await sendAnswer(house, asking.info, asking.offer, null)
  house.asking.delete(id)
  house.conversations.get(id)?.retell()
}

/** The person declines a request: the one refusal that its sender is told of. */
export async function decline(house: House, id: string): Promise<void> {
  if (!house.asking.has(id)) return
  await house.request({ t: 'decline', session: id, why: 'declined' })
  await house.markProcessed(id)
  house.dismissAsking(id)
}

/** The stored answer's same bytes, once more. Where they are refused for good, nobody will ever say hello to them. */
export async function answerAgain(house: House, conversation: Conversation): Promise<void> {
  const { answer } = conversation.state
  if (!answer || conversation.over) return
  try {
    await house.request({ t: 'answer', session: conversation.id, body: answer })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const retried = house.later(error, () => answerAgain(house, conversation))
    if (!retried && error.code === 'refused') conversation.refused('conflict', null)
  }
}

/**
 * A hello was taken: its link is spent, and the others that wait under it are turned away. Null under
 * a link that is spent or gone, as when the page was killed before it had done so: it is done now.
 */
export function helloTaken(
  house: House,
  id: string,
  linkId: string | null,
): ReturnType<HelloTaken> {
  if (linkId === null) return { change: {}, after: () => {} }
  const link = house.links.spending(linkId)
  if (!link) {
    untilDone(() => turnAway(house, { id }))
    return null
  }
  const after = () => {
    house.links.remember(link)
    for (const other of waitingUnder(house, link.id)) {
      if (other.id !== id) untilDone(() => turnAway(house, other))
    }
  }
  return { change: { link }, after }
}

/** Withdraws a link, and with it those who were answered under it and have not proved themselves. */
export async function withdraw(house: House, linkId: string): Promise<void> {
  await house.links.withdraw(linkId)
  for (const other of waitingUnder(house, linkId)) await turnAway(house, other)
}

const waitingUnder = (house: House, linkId: string): Conversation[] =>
  [...house.conversations.values()].filter((each) => each.hidden && each.state.linkId === linkId)

async function turnAway(house: House, { id }: Pick<Conversation, 'id'>): Promise<void> {
  await house.drop(id)
  await house.hint({ t: 'decline', session: id, why: 'used' })
}

async function read(house: House, item: Item): Promise<ReadOffer | null> {
  try {
    const offer = await readOffer(item.body, house.room.identity)
    return b64uEncode(offer.sessionId) === item.session ? offer : null
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

/** The same for one that fails a check: an old link, or bytes that were changed on their way. We are told. */
function leaveSpoilt(house: House, id: string): void {
  leaveUnread(house, id)
  house.tellBadOffer()
}

/** Its sender sees what a page that is away would show: nothing. */
function leaveUnread(house: House, id: string): void {
  house.dismissAsking(id)
  inBackground(house.hint({ t: 'decline', session: id, why: 'unread' }))
}

function ask(house: House, info: SessionInfo, offer: ReadOffer): void {
  if (house.asking.has(info.id)) return
  const { clock } = house.room
  const deadline = deadlineAfter(clock, clock.wall(), Math.min(info.ttl, info.left))
  const asking = { info, offer, peer: b64uEncode(offer.initiator), deadline }
  house.asking.set(info.id, asking)
  house.tellAsking(asking)
}

async function triedAgain(house: House, id: string, { name }: StoredLink): Promise<void> {
  await house.markProcessed(id)
  house.room.tell({ type: 'notice', notice: { kind: 'link-tried-again', name } })
  await house.hint({ t: 'decline', session: id, why: 'used' })
}

/** Commits answer, root and dk, then sends. `link`: with this initiator among its answered ones. */
async function sendAnswer(
  house: House,
  info: SessionInfo,
  offer: ReadOffer,
  link: StoredLink | null,
): Promise<void> {
  const { room } = house
  let answered
  try {
    answered = await answerOffer(room.kem, room.identity, offer, link?.secret ?? null)
  } catch (error) {
    if (error instanceof ProtocolError) return leaveSpoilt(house, info.id)
    throw error
  }
  const state = house.newState({
    role: 1,
    peer: b64uEncode(offer.initiator),
    verified: link ? 'link' : 'none',
    ttlSeconds: info.ttl,
    name: link?.name ?? null,
    linkId: link?.id ?? null,
    answer: answered.answer,
    ratchet: encodeRatchet(answered.state),
  })
  wipeRatchet(answered.state)
  // One who asked may have gone meanwhile.
  if (!link && !house.asking.has(info.id)) return
  const change = { state, processed: house.processing(info.id) }
  try {
    const conversation = await house.begin(info, link ? { ...change, link } : change)
    if (link) house.links.remember(link)
    await answerAgain(house, conversation)
  } catch (error) {
    // The link was withdrawn meanwhile.
    if (!(error instanceof StaleVersion)) throw error
  }
}
