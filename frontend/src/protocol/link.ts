/** Invite links and addresses (PROTOCOL §4). */
import { b64uDecode, b64uEncode, random, type Bytes } from './bytes'
import { ProtocolError } from './errors'
import { HASH_BYTES } from './identity'

export const SECRET_BYTES = 16

export interface Address {
  /** User hash, 32 bytes. */
  readonly hash: Bytes
  /** Invite secret, 16 bytes; null in an address that only asks. */
  readonly secret: Bytes | null
}

/** A fresh invite secret, 16 bytes. */
export function makeSecret(): Bytes {
  return random(SECRET_BYTES)
}

/** `origin/#hash.secret`, or `origin/#hash` without a secret. `origin` is as URL.origin gives it. */
export function formatLink(origin: string, hash: Bytes, secret: Bytes | null): string {
  const suffix = secret === null ? '' : `.${b64uEncode(secret)}`
  return `${origin}/#${b64uEncode(hash)}${suffix}`
}

/**
 * Reads a whole link, a fragment with its `#`, or a hash (with its secret or without); tabs, line ends, spaces and
 * no-break spaces may stand anywhere.
 * A secret that is there but not right is never dropped: all that is no address throws 'address'.
 */
export function parseAddress(text: string): Address {
  const match = /^(?:(?:https?:\/\/[^#]+)?#)?([\w-]{43})(?:\.([\w-]{22}))?$/i.exec(
    text.replaceAll(/[\t\n\r \u00a0]/g, ''),
  )
  const [, hash, secret] = match ?? []
  if (hash === undefined) throw new ProtocolError('address')
  return { hash: field(hash, HASH_BYTES), secret: secret ? field(secret, SECRET_BYTES) : null }
}

function field(text: string, length: number): Bytes {
  try {
    return b64uDecode(text, length)
  } catch {
    throw new ProtocolError('address')
  }
}
