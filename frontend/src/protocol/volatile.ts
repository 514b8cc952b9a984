/**
 * Typing: frames that are never stored and change no state (PROTOCOL §6, Volatile frame):
 *
 *   version 0x01, kind 0x04, session id (32), sender (1), epoch (4), n (4, the sender's next), counter (4),
 *   nonce (12), body = AEAD(HKDF of the sending chain, nonce, frame, all fields above)
 */
import { ascii, concat, equalPublic, random, Reader, uint32, wipe, type Bytes } from './bytes'
import { decodeTyping, encodeTyping } from './content'
import { demand } from './errors'
import { HASH_BYTES } from './identity'
import { parseBody } from './message'
import { hkdf, openAead, sealAead } from './primitives'
import type { Chain, Ratchet, Role } from './state'

const NONCE_BYTES = 12

export interface Typing {
  readonly counter: number
  readonly on: boolean
}

/**
 * A typing frame; null while this side has no sending chain. `counter` starts at 0 for each n (`ratchet.sent`) and
 * is never used twice, so none may be sent after a restart until the next message. Throws 'spent'.
 */
export async function sealVolatile(
  ratchet: Ratchet,
  counter: number,
  on: boolean,
): Promise<Bytes | null> {
  const { sending, role, sent } = ratchet
  if (sending === null) return null
  const nonce = random(NONCE_BYTES)
  const head = concat(place(ratchet, role, sending, sent), uint32(counter), nonce)
  const key = await volatileKey(sending)
  const frame = encodeTyping(on)
  const body = await sealAead(key, nonce, frame, head)
  wipe(key, frame)
  return concat(head, body)
}

/**
 * Opens a typing frame if its epoch and n are the receiving chain's next, and its counter is above `lastCounter`
 * (null: none has opened at this n). Null for all else; never a reason to do anything.
 */
export async function openVolatile(
  ratchet: Ratchet,
  bytes: Bytes,
  lastCounter: number | null,
): Promise<Typing | null> {
  try {
    return await open(ratchet, bytes, lastCounter ?? -1)
  } catch {
    return null
  }
}

async function open(ratchet: Ratchet, bytes: Bytes, lastCounter: number): Promise<Typing | null> {
  const { receiving, role, taken } = ratchet
  if (receiving === null) return null
  const reader = new Reader(bytes)
  const expected = place(ratchet, role === 0 ? 1 : 0, receiving, taken)
  demand(equalPublic(reader.take(expected.length), expected), 'epoch')
  const counter = reader.uint32()
  const nonce = reader.take(NONCE_BYTES)
  const head = bytes.slice(0, bytes.length - reader.left)
  const body = parseBody(reader)
  if (counter <= lastCounter) return null
  const frame = await openBody(receiving, nonce, body, head)
  const on = decodeTyping(frame)
  wipe(frame)
  return on === null ? null : { counter, on }
}

async function openBody(chain: Chain, nonce: Bytes, body: Bytes, head: Bytes): Promise<Bytes> {
  const key = await volatileKey(chain)
  try {
    return await openAead(key, nonce, body, head)
  } finally {
    wipe(key)
  }
}

/** The fields before the counter: 43 bytes. */
function place({ sessionId }: Ratchet, sender: Role, { epoch }: Chain, n: number): Bytes {
  return concat(Uint8Array.of(1, 4), sessionId, Uint8Array.of(sender), uint32(epoch), uint32(n))
}

async function volatileKey(chain: Chain): Promise<Bytes> {
  return hkdf(chain.key, new Uint8Array(0), ascii('quarter/1 volatile'), HASH_BYTES)
}
