/**
 * Sealing at rest (PROTOCOL §9): AES-256-GCM under keys derived from the local half and, for what
 * belongs to one conversation, from the server's half too.
 */
import { concat, wipe, type Bytes } from '../protocol'

const NONCE_BYTES = 12
const ascii = new TextEncoder()
const INFO = ascii.encode('quarter/1 seal')

/** A record can't be opened with this key: it is another's, it was changed, or a half is gone. */
export class SealError extends Error {
  override readonly name = 'SealError'
}

/** Makes the local half (32 bytes) an HKDF key that can't be read out again. */
export function importLocalHalf(half: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', half, 'HKDF', false, ['deriveKey'])
}

/** The key of what belongs to the identity alone. */
export const identityKey = (local: CryptoKey): Promise<CryptoKey> => derive(local, new Uint8Array())

/** The key of one conversation: gone with the server's half (32 bytes). */
export async function conversationKey(
  local: CryptoKey,
  serverHalf: Bytes,
  sessionId: Bytes,
): Promise<CryptoKey> {
  const salt = concat(serverHalf, sessionId)
  const key = await derive(local, salt)
  wipe(salt)
  return key
}

function derive(local: CryptoKey, salt: Bytes): Promise<CryptoKey> {
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: INFO },
    local,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

/** Answers nonce (12) ‖ ciphertext ‖ tag (16). */
export async function seal(key: CryptoKey, place: string, plain: Bytes): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const additionalData = ascii.encode(place)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)
  return concat(iv, new Uint8Array(sealed))
}

/** The reverse of `seal`; throws SealError. */
export async function unseal(key: CryptoKey, place: string, sealed: Bytes): Promise<Bytes> {
  const iv = sealed.slice(0, NONCE_BYTES)
  const additionalData = ascii.encode(place)
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv, additionalData },
        key,
        sealed.slice(NONCE_BYTES),
      ),
    )
  } catch {
    throw new SealError('a record does not open')
  }
}

/** Where a record lies, as it is authenticated: store ‖ 0x00 ‖ record key. */
export const placeOf = (store: string, key: string | readonly (string | number)[]): string =>
  `${store}\0${typeof key === 'string' ? key : key.join('/')}`
