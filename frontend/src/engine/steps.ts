/**
 * What one message makes of a conversation's stored state: computed on a copy, written by the caller
 * in one transaction, or thrown away.
 */
import {
  encodeRatchet,
  sealMessage,
  takeMessage,
  wipe,
  wipeRatchet,
  withRatchet,
  type Bytes,
  type Content,
  type ContentToSend,
  type Ratchet,
  type Unreadable,
  type Verdict,
} from '../protocol'
import type { StoredConversation, StoredRecord } from '../vault/shapes'
import type { Change } from '../vault/vault'
import { within, type Bounds } from './deadline'
import { isActivity } from './lines'
import type { Room } from './room'

/** What to write (null: nothing), and what to tell afterwards. */
export interface Step<T> {
  readonly change: Change | null
  readonly value: T
}

export type Sent = StoredRecord & { readonly bytes: Bytes }

export type Opened =
  | Exclude<Verdict, { verdict: 'taken' }>
  | {
      readonly verdict: 'taken'
      readonly content: Content | Unreadable
      readonly record: StoredRecord
      readonly after: () => void
    }
  /** A hello under a link that is spent or gone. */
  | { readonly verdict: 'late' }

/**
 * The owner's page took a hello: what else is written with it, and what follows after. Null where
 * its link is spent or gone: somebody else came first.
 */
export type HelloTaken = () => { change: Partial<Change>; after: () => void } | null

/** Overwrites the secrets of a stored state, but for those that `held` has too. */
export function wipeState(spent: StoredConversation, held?: StoredConversation): void {
  if (spent.ratchet && spent.ratchet !== held?.ratchet) wipe(spent.ratchet)
  if (spent.pending && spent.pending !== held?.pending) wipe(spent.pending)
}

/**
 * Seals a message; `draft` is the number of the draft that it was. `ratchet` stays as it was, for another try.
 * Throws ProtocolError.
 */
export async function seal(
  { kem, clock }: Room,
  state: StoredConversation,
  ratchet: Ratchet,
  content: ContentToSend,
  draft: number | null,
): Promise<Step<Sent>> {
  const { n, digest, key, bytes, ratchet: next } = await sealMessage(kem, ratchet, content)
  const record = { order: state.nextOrder, sender: state.role, n, digest, key }
  const after = encodeRatchet(next)
  wipeRatchet(next, ratchet)
  const change: Change = {
    state: {
      ...state,
      pending: null,
      ratchet: after,
      nextOrder: state.nextOrder + 1,
      ackOwed: false,
      activeAt: isActivity(content) ? clock.wall() : state.activeAt,
    },
    records: [record],
    outgoing: { n, bytes },
    sentDrafts: draft === null ? [] : [draft],
  }
  return { change, value: { ...record, bytes } }
}

/** Opens a peer's message, and says what to write if it is to be taken. */
export async function open(
  { kem, identity, clock, bounds }: Room,
  state: StoredConversation,
  bytes: Bytes,
  takenDigest: (sender: 0 | 1, n: number) => Bytes | undefined,
  helloTaken: HelloTaken,
): Promise<Step<Opened>> {
  if (!state.ratchet) return BEFORE_ANSWER
  const sender = state.role === 0 ? 1 : 0
  const digestOf = (n: number) => takenDigest(sender, n)
  const verdict = await withRatchet(state.ratchet, async (ratchet) =>
    packed(await takeMessage(kem, identity, ratchet, bytes, digestOf)),
  )
  if (verdict.verdict !== 'taken') return { change: null, value: verdict }
  const { n, digest, key } = verdict
  const content = obeyed(verdict.content, bounds())
  const hello = content.t === 'hello' ? helloTaken() : NOTHING_ELSE
  if (!hello) {
    wipe(key, verdict.ratchet)
    return LATE
  }
  const record = { order: state.nextOrder, sender, n, digest, key } as const
  const next: StoredConversation = {
    ...state,
    ratchet: verdict.ratchet,
    nextOrder: state.nextOrder + 1,
    confirmed: true,
    ackOwed: state.ackOwed || content.t !== 'ack',
    ttlSeconds: content.t === 'timer' ? content.seconds : state.ttlSeconds,
    activeAt: isActivity(content) ? clock.wall() : state.activeAt,
    peerSeen: 'seen' in content ? content.seen : state.peerSeen,
  }
  return {
    change: { ...hello.change, state: next, records: [record] },
    value: { verdict: 'taken', content, record, after: hello.after },
  }
}

/**
 * Opens messages that wait one behind the other, up to the first that is not to be taken; one change writes all that
 * are. Answers what became of them, and of the first in any case.
 */
export async function openAll(
  state: StoredConversation,
  bodies: readonly Bytes[],
  openNext: (state: StoredConversation, bytes: Bytes) => Promise<Step<Opened>>,
): Promise<Step<Opened[]>> {
  const steps: Step<Opened>[] = []
  let before = state
  for (const bytes of bodies) {
    const step = await openNext(before, bytes)
    if (step.change === null && steps.length > 0) break
    steps.push(step)
    if (step.change === null) break
    if (before !== state) wipeState(before, step.change.state)
    before = step.change.state
  }
  return { change: joined(steps), value: steps.map(({ value }) => value) }
}

/** The last state with all records; beyond these a hello alone changes more, and it comes first. */
function joined(steps: readonly Step<Opened>[]): Change | null {
  const changes = steps.flatMap(({ change }) => (change ? [change] : []))
  const last = changes.at(-1)
  const records = changes.flatMap((change) => change.records ?? [])
  return last ? { ...changes[0], ...last, records } : null
}

/** A content as this side goes by it: a timer is cut to the server's bounds (PROTOCOL §7). */
export const obeyed = (content: Content | Unreadable, bounds: Bounds): Content | Unreadable =>
  content.t === 'timer' ? { ...content, seconds: within(content.seconds, bounds) } : content

/** A verdict with the next state as the bytes that are kept of it; what it was made of is wiped. */
function packed(verdict: Verdict) {
  if (verdict.verdict !== 'taken') return verdict
  const ratchet = encodeRatchet(verdict.ratchet)
  wipeRatchet(verdict.ratchet)
  return { ...verdict, ratchet }
}

const NOTHING_ELSE = { change: {}, after: () => {} }
const BEFORE_ANSWER: Step<Opened> = { change: null, value: { verdict: 'gap', expected: 0 } }
const LATE: Step<Opened> = { change: null, value: { verdict: 'late' } }
