/**
 * What the server says on the receive socket, worked off one frame after the other.
 *
 * A frame that fails is dropped and stops no other; what it would have brought is in the database
 * and comes again with the next drain.
 */
import { wipe } from '../protocol'
import { SealError } from '../vault/seal'
import type { FromReceive, Item, ServerEndedWhy, SessionInfo } from '../transport/wire'
import { AGAIN_MS } from './background'
import type { Conversation } from './conversation'
import * as guest from './guest'
import type { House } from './house'
import * as owner from './owner'
import { Queue } from './queue'
import { EngineError, type EndedWhy } from './types'

export class Inbound {
  readonly #house: House
  readonly #queue = new Queue()
  /** Items of one session that wait behind one another: what can be is taken together. */
  #waiting: Item[] = []
  /** Sessions of which we have nothing, as the server told of them: their offers are to come. */
  readonly #infos = new Map<string, SessionInfo>()
  /** Sessions of ours that `ready` did not name; settled when the server has told all. */
  #unnamed = new Set<string>()

  constructor(house: House) {
    this.#house = house
  }

  /** Settles when everything that came so far is worked off. */
  idle(): Promise<unknown> {
    return this.#queue.idle()
  }

  take(frame: FromReceive): void {
    if (frame.t === 'item') return this.#wait(frame)
    this.#waiting = []
    void this.#queue.run(() => this.#alone(() => this.#take(frame)))
  }

  #wait(item: Item): void {
    if (this.#waiting[0]?.session === item.session) {
      this.#waiting.push(item)
      return
    }
    const items = (this.#waiting = [item])
    void this.#queue.run(() => {
      if (this.#waiting === items) this.#waiting = []
      return this.#items(items)
    })
  }

  #take(frame: Exclude<FromReceive, { t: 'item' }>): Promise<void> | undefined {
    switch (frame.t) {
      case 'ready':
        return this.#ready(frame.sessions)
      case 'session':
        return this.#informed(frame.session)
      case 'caught_up':
        return this.#caughtUp()
      case 'volatile':
        return this.#house.conversations.get(frame.session)?.volatileFrame(frame.body)
      case 'ended':
        return this.#ended(frame.session, frame.why)
    }
  }

  async #ready(sessions: readonly SessionInfo[]): Promise<void> {
    const { room, conversations, asking } = this.#house
    const kept = await room.vault.conversationIds()
    this.#unnamed = new Set([...kept, ...conversations.keys(), ...asking.keys()])
    for (const { id } of sessions) this.#unnamed.delete(id)
    for (const info of sessions) await this.#alone(() => this.#informed(info))
  }

  /** Works on one session; that it fails is no trouble of the others'. */
  async #alone(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof EngineError)) reportError(error)
    }
  }

  async #informed(info: SessionInfo): Promise<void> {
    const conversation = await this.#conversation(info)
    if (conversation && !conversation.ended) {
      await conversation.informed(info)
      if (info.state === 'offered') await owner.answerAgain(this.#house, conversation)
    } else if (conversation || info.role === 0 || info.state === 'open') {
      // Ours, but nothing of it is here any more: this side has left it, and the server didn't hear.
      await this.#house.hint({ t: 'leave', session: info.id })
    } else {
      this.#infos.set(info.id, info)
    }
  }

  async #conversation(info: SessionInfo): Promise<Conversation | null> {
    const known = this.#house.conversations.get(info.id)
    if (known) {
      wipe(info.half)
      return known
    }
    try {
      return await this.#house.load(info)
    } catch (error) {
      if (!(error instanceof SealError)) throw error
      await this.#house.bury(info.id, 'server-says')
      return null
    }
  }

  async #items(items: readonly Item[]): Promise<void> {
    let at = 0
    while (at < items.length) {
      let done = 1
      await this.#alone(async () => {
        done = await this.#some(items.slice(at))
      })
      at += done
    }
  }

  /** Works on the first of these, and what goes with it; what could not be written down is asked for again, until it can. */
  async #some(items: readonly Item[]): Promise<number> {
    try {
      return await this.#taken(items)
    } catch (error) {
      const [item] = items
      if (item && !(error instanceof EngineError)) setTimeout(() => this.#askAgain(item), AGAIN_MS)
      throw error
    }
  }

  #askAgain({ session }: Item): void {
    const { conversations, room } = this.#house
    room.server.resync({ [session]: conversations.get(session)?.cursor ?? 0 })
  }

  async #taken(items: readonly Item[]): Promise<number> {
    const [item] = items
    if (!item) return 0
    const conversation = this.#house.conversations.get(item.session)
    if (conversation) return conversation.items(items)
    const info = this.#infos.get(item.session)
    if (info && item.kind === 'offer') {
      await owner.offered(this.#house, item, info)
      this.#infos.delete(item.session)
    }
    this.#house.room.server.taken(item.session, item.seq)
    return 1
  }

  async #caughtUp(): Promise<void> {
    const unnamed = [...this.#unnamed]
    this.#unnamed.clear()
    for (const id of unnamed) await this.#alone(() => this.#settle(id))
    for (const conversation of this.#house.conversations.values()) {
      await this.#alone(() => conversation.caughtUp())
    }
  }

  /** The server doesn't name a session of ours: its offer never arrived, or it is over. */
  async #settle(id: string): Promise<void> {
    const conversation = this.#house.conversations.get(id) ?? (await this.#reopen(id))
    if (!conversation) return this.#ended(id, 'removed')
    const { pending, offered } = conversation.state
    if (pending && !offered && !conversation.checkDeadline())
      return guest.offerAgain(this.#house, conversation)
    return this.#ended(id, 'removed')
  }

  /** After a reload: the half that the server keeps for an offer that it doesn't have opens it. */
  async #reopen(id: string): Promise<Conversation | null> {
    try {
      const half = await guest.prepare(this.#house, id)
      const conversation = await this.#house.load({ id, half, ttl: Number.MAX_SAFE_INTEGER })
      conversation?.retell()
      return conversation
    } catch (error) {
      if (error instanceof SealError) return null
      if (error instanceof EngineError && error.code === 'not-open') return null
      throw error
    }
  }

  async #ended(id: string, why: ServerEndedWhy): Promise<void> {
    this.#unnamed.delete(id)
    this.#infos.delete(id)
    const conversation = this.#house.conversations.get(id)
    if (conversation) return conversation.end(meaningOf(conversation, why))
    if (this.#house.dismissAsking(id)) return
    await this.#house.bury(id, why === 'expired' ? 'expired' : 'server-says')
  }
}

/** The server's word, as far as it may be believed: it can end a conversation, not say why it ended. */
function meaningOf(conversation: Conversation, why: ServerEndedWhy): EndedWhy {
  if (!conversation.state.confirmed) {
    if (why === 'declined') return 'declined'
    if (why === 'used') return 'link-used'
    if (why === 'expired') return 'unanswered'
  }
  // Two pages and a server never end it in the same instant: near the end nobody's word is needed.
  return conversation.due ? 'expired' : 'server-says'
}
