/** What a conversation must remember, as plain immutable data, and its bytes for the vault (PROTOCOL §5, §6). */
import { wipe, type Bytes } from './bytes'
import { demand, guardSync } from './errors'
import { checkModulus, HASH_BYTES, MODULUS_BYTES } from './identity'
import { DK_BYTES, EK_BYTES } from './kem'
import { SECRET_BYTES } from './link'
import { givesBack, isBytes, isMap, pack, unpack, type Packed, type PackedMap } from './packing'

export const OFFER_BYTES = 2082

/** 0 the initiator (guest), 1 the responder (owner). */
export type Role = 0 | 1

/** A sending or receiving chain: the key for its next message. */
export interface Chain {
  readonly epoch: number
  readonly key: Bytes
}

/** Whose step is next, and with which key. There is always exactly one such key on each side. */
export type Turn =
  /** The peer's newest encapsulation key, not used yet: our next message takes the turn. */
  | { readonly whose: 'mine'; readonly epoch: number; readonly ek: Bytes }
  /** Our own seed for the encapsulation key that we sent last. */
  | { readonly whose: 'theirs'; readonly epoch: number; readonly dk: Bytes }

export interface Ratchet {
  readonly role: Role
  readonly sessionId: Bytes
  readonly peerModulus: Bytes
  readonly root: Bytes
  readonly turn: Turn
  readonly sending: Chain | null
  readonly receiving: Chain | null
  /** How many messages this side has sent: the n of its next one. */
  readonly sent: number
  /** How many of the peer's were taken: the n that is expected. */
  readonly taken: number
  /** How many of ours the peer has said to have taken. */
  readonly seen: number
  /** One more with every state; for comparing in the store's transaction. */
  readonly version: number
}

/** The initiator's memory between its offer and the answer. */
export interface Pending {
  readonly sessionId: Bytes
  readonly offer: Bytes
  /** Seed of ek_I. */
  readonly dk: Bytes
  readonly secretI: Bytes
  /** The invite secret, 16 bytes, if there was a link. */
  readonly secret: Bytes | null
  readonly responderModulus: Bytes
}

export function encodeRatchet(ratchet: Ratchet): Bytes {
  return pack({
    format: 1,
    role: ratchet.role,
    session_id: ratchet.sessionId,
    peer_modulus: ratchet.peerModulus,
    root: ratchet.root,
    turn: { ...ratchet.turn },
    sending: packChain(ratchet.sending),
    receiving: packChain(ratchet.receiving),
    sent: ratchet.sent,
    taken: ratchet.taken,
    seen: ratchet.seen,
    version: ratchet.version,
  })
}

function packChain(chain: Chain | null): PackedMap | null {
  return chain && { epoch: chain.epoch, key: chain.key }
}

/** Reads what encodeRatchet wrote, and nothing else. Throws 'state'. */
export function decodeRatchet(bytes: Bytes): Ratchet {
  const map = unpack(bytes, 'state')
  demand(map.format === 1 && (map.role === 0 || map.role === 1), 'state')
  const ratchet: Ratchet = {
    role: map.role,
    sessionId: bytesOf(map.session_id, HASH_BYTES),
    peerModulus: modulusOf(map.peer_modulus),
    root: bytesOf(map.root, 32),
    turn: turnOf(map.turn),
    sending: chainOf(map.sending),
    receiving: chainOf(map.receiving),
    sent: numberOf(map.sent),
    taken: numberOf(map.taken),
    seen: numberOf(map.seen),
    version: numberOf(map.version),
  }
  demand(givesBack(encodeRatchet(ratchet), bytes), 'state')
  return ratchet
}

/** Lends what encodeRatchet wrote to one use, and wipes the copy that was lent. Throws 'state'. */
export async function withRatchet<T>(
  bytes: Bytes,
  use: (ratchet: Ratchet) => Promise<T>,
): Promise<T> {
  const ratchet = decodeRatchet(bytes)
  try {
    return await use(ratchet)
  } finally {
    wipeRatchet(ratchet)
  }
}

/** Overwrites a state's secrets, but for those that `held` has too: a step shares what it did not move. */
export function wipeRatchet(spent: Ratchet, held?: Ratchet): void {
  const kept = new Set(held ? secretsOf(held) : [])
  wipe(...secretsOf(spent).filter((secret) => !kept.has(secret)))
}

function secretsOf({ root, turn, sending, receiving }: Ratchet): Bytes[] {
  const chains = [sending, receiving].flatMap((chain) => (chain ? [chain.key] : []))
  return turn.whose === 'theirs' ? [root, turn.dk, ...chains] : [root, ...chains]
}

export function encodePending(pending: Pending): Bytes {
  return pack({
    format: 1,
    session_id: pending.sessionId,
    offer: pending.offer,
    dk: pending.dk,
    secret_i: pending.secretI,
    secret: pending.secret,
    responder_modulus: pending.responderModulus,
  })
}

/** Reads what encodePending wrote, and nothing else. Throws 'state'. */
export function decodePending(bytes: Bytes): Pending {
  const map = unpack(bytes, 'state')
  demand(map.format === 1, 'state')
  const pending: Pending = {
    sessionId: bytesOf(map.session_id, HASH_BYTES),
    offer: bytesOf(map.offer, OFFER_BYTES),
    dk: bytesOf(map.dk, DK_BYTES),
    secretI: bytesOf(map.secret_i, 32),
    secret: map.secret === null ? null : bytesOf(map.secret, SECRET_BYTES),
    responderModulus: modulusOf(map.responder_modulus),
  }
  demand(givesBack(encodePending(pending), bytes), 'state')
  return pending
}

/** The offer in what encodePending wrote, and nothing of its secrets. Throws 'state'. */
export function offerOf(bytes: Bytes): Bytes {
  const pending = decodePending(bytes)
  wipePending(pending)
  return pending.offer
}

/** Overwrites the handshake's secrets: the answer was taken, or will not be. */
export function wipePending({ dk, secretI, secret }: Pending): void {
  wipe(dk, secretI, ...(secret ? [secret] : []))
}

function turnOf(value: Packed | undefined): Turn {
  demand(isMap(value), 'state')
  const epoch = numberOf(value.epoch)
  if (value.whose === 'mine') return { whose: 'mine', epoch, ek: bytesOf(value.ek, EK_BYTES) }
  demand(value.whose === 'theirs', 'state')
  return { whose: 'theirs', epoch, dk: bytesOf(value.dk, DK_BYTES) }
}

function chainOf(value: Packed | undefined): Chain | null {
  if (value === null) return null
  demand(isMap(value), 'state')
  return { epoch: numberOf(value.epoch), key: bytesOf(value.key, 32) }
}

function modulusOf(value: Packed | undefined): Bytes {
  return guardSync('state', () => checkModulus(bytesOf(value, MODULUS_BYTES)))
}

function bytesOf(value: Packed | undefined, length: number): Bytes {
  demand(isBytes(value) && value.length === length, 'state')
  return value
}

function numberOf(value: Packed | undefined): number {
  demand(typeof value === 'number' && value >= 0, 'state')
  return value
}
