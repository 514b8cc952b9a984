/**
 * The ratchet (PROTOCOL §6): a state and an input give the next state and an output; what came in stays as it was.
 *
 * - Steps form one line: I takes odd epochs, R even ones. Who holds the peer's unused ek steps with its next message.
 * - A chain gives one key for each message and moves on; there are no skipped keys.
 * - A message that opened is taken. One that did not leaves the state alone, whatever it threw.
 * - What was made on the way and is not handed out is wiped; what came in is the caller's to wipe, once it is spent.
 *
 * Commit before you tell: the caller writes { ratchet, record, bytes } in one transaction, then lets bytes leave.
 */
import { ascii, concat, equalPublic, random, uint32, wipe, type Bytes } from './bytes'
import {
  decodeContent,
  encodeContent,
  type Content,
  type ContentToSend,
  type Unreadable,
} from './content'
import { demand, ProtocolError } from './errors'
import type { Identity } from './identity'
import type { Kem } from './kem'
import {
  encodeHeader,
  KEY_BYTES,
  openBody,
  parseMessage,
  SALT_BYTES,
  sealBody,
  type Envelope,
  type Step,
} from './message'
import { hash, hkdf, hmacOfBoth, openRsa, sealRsa } from './primitives'
import { wipeRatchet, type Chain, type Ratchet, type Role, type Turn } from './state'

/** What a message's record keeps (§6, Reading again): it names the message, pins its bytes and opens them. */
export interface MessageRecord {
  readonly n: number
  /** H(message bytes), 32 bytes. */
  readonly digest: Bytes
  /** AEAD key ‖ nonce, 44 bytes. */
  readonly key: Bytes
}

export interface SealedMessage extends MessageRecord {
  readonly ratchet: Ratchet
  readonly bytes: Bytes
  readonly content: Content
}

/** The most that a counter can say: so many messages, and no more, may be sent. */
const LAST_COUNT = 0xffff_ffff

/** Why a message did not open; it may be that the server gave other bytes than the peer sent. */
export type FailureCode = 'epoch' | 'rsa' | 'kem' | 'aead'

/** other-bytes: not what was taken under that n; hello: §6 (6); seen: §7. */
export type BreachCode = 'other-bytes' | 'hello' | 'seen'

export type Verdict =
  | ({
      readonly verdict: 'taken'
      readonly ratchet: Ratchet
      readonly content: Content | Unreadable
    } & MessageRecord)
  /** Not a message of the peer in this session. */
  | { readonly verdict: 'drop' }
  /** Taken before, the same bytes. */
  | { readonly verdict: 'resend'; readonly n: number }
  /** Fetch what is missing, from `expected` on. */
  | { readonly verdict: 'gap'; readonly expected: number }
  /** Fetch this item anew for 30 s, then call the conversation broken. */
  | { readonly verdict: 'failed'; readonly code: FailureCode }
  | { readonly verdict: 'broken'; readonly code: BreachCode }

/**
 * Seals this side's next message; `seen` is filled in. Sealing twice from one state gives two messages of one n with
 * unlike keys: commit one of them only.
 * Throws 'turn' (hello rule; the responder before the hello), 'too-long', 'content', 'spent', 'kem', 'rsa'.
 */
export async function sealMessage(
  kem: Kem,
  ratchet: Ratchet,
  draft: ContentToSend,
): Promise<SealedMessage> {
  demand(isHelloDue(ratchet.role, ratchet.sent) === (draft.t === 'hello'), 'turn')
  demand(ratchet.sent < LAST_COUNT, 'spent')
  const seen = ratchet.taken
  const frame = encodeContent(draft, seen)
  const { base, chain, step } = await sendingChain(kem, ratchet)
  const salt = random(SALT_BYTES)
  const n = ratchet.sent
  const { sessionId, role: sender } = ratchet
  const head = encodeHeader({ sessionId, sender, epoch: chain.epoch, n, salt, step })
  const { key, next } = await advance(chain, salt)
  const bytes = concat(head, await sealBody(key, frame, head))
  wipe(frame)
  if (step) wipe(chain.key)
  const after = { ...base, sending: next, sent: n + 1, version: ratchet.version + 1 }
  return { ratchet: after, n, bytes, key, digest: await hash(bytes), content: { ...draft, seen } }
}

/**
 * Takes a received message (§6, steps 1 to 6). `takenDigest` gives the record's digest for an n that was taken.
 * Only the verdict 'taken' has a new state, and the caller commits it with the record, before the screen.
 */
export async function takeMessage(
  kem: Kem,
  identity: Identity,
  ratchet: Ratchet,
  bytes: Bytes,
  takenDigest: (n: number) => Bytes | undefined,
): Promise<Verdict> {
  const envelope = parsePeers(ratchet, bytes)
  if (envelope === null) return { verdict: 'drop' }
  const digest = await hash(bytes)
  if (envelope.n < ratchet.taken) return judgeOld(envelope.n, digest, takenDigest(envelope.n))
  if (envelope.n > ratchet.taken) return { verdict: 'gap', expected: ratchet.taken }
  try {
    const opened = await openMessage(kem, identity, ratchet, envelope)
    const verdict = judgeContent(ratchet, opened, { n: envelope.n, digest, key: opened.key })
    if (verdict.verdict !== 'taken') discard(opened, ratchet)
    return verdict
  } catch (error) {
    return { verdict: 'failed', code: failureCode(error) }
  }
}

/**
 * Opens stored bytes again with the key of their record. The caller has compared their digest.
 * Throws 'length', 'version', 'kind', 'aead'.
 */
export async function openAgain(
  bytes: Bytes,
  key: Bytes,
): Promise<{ content: Content | Unreadable; n: number; sender: Role }> {
  const envelope = parseMessage(bytes)
  demand(key.length === KEY_BYTES, 'aead')
  return { content: await contentOf(key, envelope), n: envelope.n, sender: envelope.sender }
}

async function contentOf(key: Bytes, envelope: Envelope): Promise<Content | Unreadable> {
  const frame = await openBody(key, envelope)
  const content = decodeContent(frame)
  wipe(frame)
  return content
}

/** The initiator's first message must be a hello, and nothing else may be. */
function isHelloDue(sender: Role, n: number): boolean {
  return sender === 0 && n === 0
}

/** The envelope of a message of the peer in this session, or null. */
function parsePeers(ratchet: Ratchet, bytes: Bytes): Envelope | null {
  try {
    const envelope = parseMessage(bytes)
    const ours = equalPublic(envelope.sessionId, ratchet.sessionId)
    return ours && envelope.sender !== ratchet.role ? envelope : null
  } catch {
    return null
  }
}

function judgeOld(n: number, digest: Bytes, known: Bytes | undefined): Verdict {
  const same = known !== undefined && equalPublic(known, digest)
  return same ? { verdict: 'resend', n } : { verdict: 'broken', code: 'other-bytes' }
}

interface Opened {
  readonly ratchet: Ratchet
  readonly content: Content | Unreadable
  readonly key: Bytes
}

function judgeContent(before: Ratchet, opened: Opened, record: MessageRecord): Verdict {
  const { content } = opened
  const helloDue = isHelloDue(before.role === 0 ? 1 : 0, record.n)
  if (helloDue !== (content.t === 'hello')) return { verdict: 'broken', code: 'hello' }
  const seen = content.t === 'unreadable' ? before.seen : content.seen
  if (seen < before.seen || seen > before.sent) return { verdict: 'broken', code: 'seen' }
  return { verdict: 'taken', ratchet: { ...opened.ratchet, seen }, content, ...record }
}

function failureCode(error: unknown): FailureCode {
  const code = error instanceof ProtocolError ? error.code : null
  if (code === 'epoch' || code === 'rsa' || code === 'kem' || code === 'aead') return code
  throw error
}

/** Opens the expected message on a copy of the state. Throws one of FailureCode. */
async function openMessage(
  kem: Kem,
  identity: Identity,
  ratchet: Ratchet,
  envelope: Envelope,
): Promise<Opened> {
  const { base, chain, step } = await receivingChain(kem, identity, ratchet, envelope)
  const { key, next } = await advance(chain, envelope.salt)
  if (step) wipe(chain.key)
  const counts = { taken: ratchet.taken + 1, version: ratchet.version + 1 }
  const after = { ...base, receiving: next, ...counts }
  try {
    return { ratchet: after, content: await contentOf(key, envelope), key }
  } catch (error) {
    discard({ ratchet: after, key }, ratchet)
    throw error
  }
}

/** Wipes what a message that is not taken would have made of a state, and leaves that as it was. */
function discard(opened: Pick<Opened, 'ratchet' | 'key'>, before: Ratchet): void {
  wipe(opened.key)
  wipeRatchet(opened.ratchet, before)
}

interface Stepped {
  readonly base: Ratchet
  readonly chain: Chain
  readonly step: Step | null
}

/** The chain to send with; while the peer's ek is unused, the first of a new epoch. */
async function sendingChain(kem: Kem, ratchet: Ratchet): Promise<Stepped> {
  const { turn, sending } = ratchet
  if (turn.whose === 'mine') return stepToSend(kem, ratchet, turn)
  if (sending === null) throw new ProtocolError('turn')
  return { base: ratchet, chain: sending, step: null }
}

async function stepToSend(
  kem: Kem,
  ratchet: Ratchet,
  turn: Turn & { readonly whose: 'mine' },
): Promise<Stepped> {
  const epoch = turn.epoch + 1
  const { ct, ss } = await kem.encapsulate(turn.ek)
  const { ek, dk } = await kem.generate()
  const s = random(32)
  const c = await sealRsa(ratchet.peerModulus, s, await stepLabel(ratchet, epoch, ct, ek))
  const step = { ct, ek, c }
  const { root, chain } = await deriveStep(ratchet, epoch, step, ss, s)
  return { base: { ...ratchet, root, turn: { whose: 'theirs', epoch, dk } }, chain, step }
}

/** The chain that the peer sent with. Throws 'epoch', and what a step throws. */
async function receivingChain(
  kem: Kem,
  identity: Identity,
  ratchet: Ratchet,
  { epoch, step }: Envelope,
): Promise<Stepped> {
  if (step !== null) return stepToReceive(kem, identity, ratchet, epoch, step)
  const { receiving } = ratchet
  if (receiving === null || receiving.epoch !== epoch) throw new ProtocolError('epoch')
  return { base: ratchet, chain: receiving, step: null }
}

/** Throws 'epoch' (out of turn), 'rsa', 'kem' (also for an ek that nothing could be sealed to). */
async function stepToReceive(
  kem: Kem,
  identity: Identity,
  ratchet: Ratchet,
  epoch: number,
  step: Step,
): Promise<Stepped> {
  const { turn } = ratchet
  if (turn.whose !== 'theirs' || epoch !== turn.epoch + 1) throw new ProtocolError('epoch')
  const label = await stepLabel(ratchet, epoch, step.ct, step.ek)
  const s = await openRsa(identity.privateKey, step.c, label)
  demand(s.length === 32, 'rsa')
  const ss = await kem.decapsulate(turn.dk, step.ct)
  wipe((await kem.encapsulate(step.ek)).ss)
  const { root, chain } = await deriveStep(ratchet, epoch, step, ss, s)
  return { base: { ...ratchet, root, turn: { whose: 'mine', epoch, ek: step.ek } }, chain, step }
}

async function stepLabel(ratchet: Ratchet, epoch: number, ct: Bytes, ek: Bytes): Promise<Bytes> {
  return concat(ascii('quarter/1 step'), ratchet.sessionId, uint32(epoch), await hash(ct, ek))
}

/** root ‖ chain key of a step's epoch. ss and s are wiped. */
async function deriveStep(
  ratchet: Ratchet,
  epoch: number,
  { ct, ek, c }: Step,
  ss: Bytes,
  s: Bytes,
): Promise<{ root: Bytes; chain: Chain }> {
  const place = concat(ascii('quarter/1 ratchet'), ratchet.sessionId, uint32(epoch))
  const ikm = concat(ss, s)
  const okm = await hkdf(ikm, ratchet.root, concat(place, await hash(ct, ek, c)), 64)
  const stepped = { root: okm.slice(0, 32), chain: { epoch, key: okm.slice(32) } }
  wipe(ikm, okm, ss, s)
  return stepped
}

/** One message's key ‖ nonce, and the chain for the next. */
async function advance(chain: Chain, salt: Bytes): Promise<{ key: Bytes; next: Chain }> {
  const [seed, nextKey] = await hmacOfBoth(chain.key, Uint8Array.of(1), Uint8Array.of(2))
  const key = await hkdf(seed, salt, ascii('quarter/1 message'), KEY_BYTES)
  wipe(seed)
  return { key, next: { epoch: chain.epoch, key: nextKey } }
}
