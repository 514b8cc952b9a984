/** PROTOCOL §6 as a sender, once more and by node's crypto alone, with a free hand over every field. */
import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hkdfSync,
  publicEncrypt,
} from 'node:crypto'

import { encode } from '@msgpack/msgpack'

import type { Bytes, Ratchet } from '../../src/protocol'
import { b64uEncode, concat, random, uint32 } from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { pad } from '../../src/protocol/padding'
import { kem } from './people'

export interface Whims {
  readonly epoch?: number
  readonly n?: number
  /** Leaves the step out, though it is due. */
  readonly bare?: boolean
  readonly ek?: Bytes
  /** The secret that c holds. */
  readonly s?: Bytes
}

const sha = (...parts: Bytes[]): Bytes =>
  Uint8Array.from(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  )

const mac = (key: Bytes, byte: number): Bytes =>
  Uint8Array.from(createHmac('sha256', key).update(Uint8Array.of(byte)).digest())

const derive = (ikm: Bytes, salt: Bytes, info: Bytes, length: number): Bytes =>
  new Uint8Array(hkdfSync('sha256', ikm, salt, info, length))

/** A frame around any content, well-formed or not. */
export const frameOf = (content: Record<string, unknown>): Bytes =>
  pad(Uint8Array.from(encode(content)))

/** The message that the side with this state would send with this frame, or one that its owner would never send. */
export async function forge(ratchet: Ratchet, frame: Bytes, whims: Whims = {}): Promise<Bytes> {
  const { sessionId, role, turn } = ratchet
  const stepping = turn.whose === 'mine' && !whims.bare
  const epoch = whims.epoch ?? (stepping ? turn.epoch + 1 : (ratchet.sending?.epoch ?? 1))
  const { chain, step } = stepping
    ? await makeStep(ratchet, turn.ek, epoch, whims)
    : { chain: ratchet.sending?.key ?? new Uint8Array(32), step: Uint8Array.of(0) }
  const salt = random(16)
  const n = uint32(whims.n ?? ratchet.sent)
  const head = concat(
    Uint8Array.of(1, 3),
    sessionId,
    Uint8Array.of(role),
    uint32(epoch),
    n,
    salt,
    step,
  )
  const key = derive(mac(chain, 1), salt, ascii('quarter/1 message'), 44)
  return concat(head, seal(key, frame, head))
}

/** The volatile frame that the side with this state would send with this frame inside. */
export function forgeSign(
  { sessionId, role, sending, sent }: Ratchet,
  counter: number,
  frame: Bytes,
): Bytes {
  if (!sending) throw new Error('a side without a sending chain sends no sign')
  const nonce = random(12)
  const place = concat(
    Uint8Array.of(1, 4),
    sessionId,
    Uint8Array.of(role),
    uint32(sending.epoch),
    uint32(sent),
  )
  const head = concat(place, uint32(counter), nonce)
  const key = derive(sending.key, new Uint8Array(0), ascii('quarter/1 volatile'), 32)
  return concat(head, seal(concat(key, nonce), frame, head))
}

async function makeStep(ratchet: Ratchet, peerEk: Bytes, epoch: number, whims: Whims) {
  const { ct, ss } = await kem.encapsulate(peerEk)
  const ek = whims.ek ?? (await kem.generate()).ek
  const s = whims.s ?? random(32)
  const label = concat(ascii('quarter/1 step'), ratchet.sessionId, uint32(epoch), sha(ct, ek))
  const c = sealRsa(ratchet.peerModulus, s, label)
  const info = concat(ascii('quarter/1 ratchet'), ratchet.sessionId, uint32(epoch), sha(ct, ek, c))
  const chain = derive(concat(ss, s), ratchet.root, info, 64).slice(32)
  return { chain, step: concat(Uint8Array.of(1), ct, ek, c) }
}

function sealRsa(modulus: Bytes, message: Bytes, label: Bytes): Bytes {
  const jwk = { kty: 'RSA', e: 'AQAB', n: b64uEncode(modulus) }
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const options = { key, padding, oaepHash: 'sha256', oaepLabel: label }
  return Uint8Array.from(publicEncrypt(options, message))
}

function seal(key: Bytes, frame: Bytes, head: Bytes): Bytes {
  const cipher = createCipheriv('aes-256-gcm', key.slice(0, 32), key.slice(32))
  cipher.setAAD(head)
  return concat(cipher.update(frame), cipher.final(), cipher.getAuthTag())
}
