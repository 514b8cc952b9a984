/**
 * A message's bytes (PROTOCOL §6):
 *
 *   version 0x01, kind 0x03, session id (32), sender (1), epoch (4), n (4), salt (16),
 *   step (0x00, or 0x01 ‖ ct (1120) ‖ ek (1216) ‖ c (384)), body = AEAD(key, nonce, frame, all fields above)
 */
import { concat, Reader, uint32, type Bytes } from './bytes'
import { demand } from './errors'
import { HASH_BYTES, RSA_BYTES } from './identity'
import { CT_BYTES, EK_BYTES } from './kem'
import { FRAME_MAX_BYTES, FRAME_MIN_BYTES } from './padding'
import { openAead, sealAead } from './primitives'
import type { Role } from './state'

export const SALT_BYTES = 16
/** AEAD key ‖ nonce: what opens one message, and is all that a record keeps of its keys. */
export const KEY_BYTES = 44
const AEAD_KEY_BYTES = 32
const TAG_BYTES = 16

/** The fresh key material that the first message of an epoch carries. */
export interface Step {
  readonly ct: Bytes
  readonly ek: Bytes
  readonly c: Bytes
}

export interface Header {
  readonly sessionId: Bytes
  readonly sender: Role
  readonly epoch: number
  readonly n: number
  readonly salt: Bytes
  readonly step: Step | null
}

export interface Envelope extends Header {
  /** All fields before the body: the associated data. */
  readonly head: Bytes
  readonly body: Bytes
}

/** Throws 'spent' when epoch or n have run out. */
export function encodeHeader(header: Header): Bytes {
  const { sessionId, sender, epoch, n, salt, step } = header
  const fixed = [
    Uint8Array.of(1, 3),
    sessionId,
    Uint8Array.of(sender),
    uint32(epoch),
    uint32(n),
    salt,
  ]
  const fields = step === null ? [Uint8Array.of(0)] : [Uint8Array.of(1), step.ct, step.ek, step.c]
  return concat(...fixed, ...fields)
}

/**
 * Takes a message apart. Throws 'length' (also for a body that no frame of 256 bytes to 32 KiB gives), 'version' or
 * 'kind' (also for a sender or a step byte other than 0x00 and 0x01).
 */
export function parseMessage(bytes: Bytes): Envelope {
  const reader = new Reader(bytes)
  demand(reader.byte() === 1, 'version')
  demand(reader.byte() === 3, 'kind')
  const sessionId = reader.take(HASH_BYTES)
  const sender = reader.byte()
  demand(sender === 0 || sender === 1, 'kind')
  const epoch = reader.uint32()
  const n = reader.uint32()
  const salt = reader.take(SALT_BYTES)
  const step = parseStep(reader)
  const head = bytes.slice(0, bytes.length - reader.left)
  const body = parseBody(reader)
  return { sessionId, sender, epoch, n, salt, step, head, body }
}

function parseStep(reader: Reader): Step | null {
  const flag = reader.byte()
  demand(flag === 0 || flag === 1, 'kind')
  if (flag === 0) return null
  return { ct: reader.take(CT_BYTES), ek: reader.take(EK_BYTES), c: reader.take(RSA_BYTES) }
}

/** The rest of a message, if it is as long as a frame and its tag may be. Throws 'length'. */
export function parseBody(reader: Reader): Bytes {
  const frame = reader.left - TAG_BYTES
  demand(frame >= FRAME_MIN_BYTES && frame <= FRAME_MAX_BYTES, 'length')
  return reader.rest()
}

/** `key`: 44 bytes, AEAD key ‖ nonce. */
export async function sealBody(key: Bytes, frame: Bytes, head: Bytes): Promise<Bytes> {
  return sealAead(key.subarray(0, AEAD_KEY_BYTES), key.subarray(AEAD_KEY_BYTES), frame, head)
}

/** The frame of a message. Throws 'aead'. */
export async function openBody(key: Bytes, { body, head }: Envelope): Promise<Bytes> {
  return openAead(key.subarray(0, AEAD_KEY_BYTES), key.subarray(AEAD_KEY_BYTES), body, head)
}
