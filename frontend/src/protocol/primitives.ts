/**
 * The primitives of PROTOCOL §2, all from WebCrypto; only X-Wing is elsewhere (kem.ts).
 * What does not open throws ProtocolError 'rsa' or 'aead', and says nothing more.
 */
import { concat, b64uEncode, type Bytes } from './bytes'
import { guard } from './errors'

const RSA = { name: 'RSA-OAEP', hash: 'SHA-256' } as const
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const

/** SHA-256 over the joined parts: 32 bytes. */
export async function hash(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)))
}

/** HMAC-SHA-256 over the joined parts: 32 bytes. */
export async function hmac(key: Bytes, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign(HMAC, imported, concat(...parts)))
}

/** HMAC-SHA-256 of two messages under one key, side by side: 32 bytes each. */
export async function hmacOfBoth(key: Bytes, one: Bytes, other: Bytes): Promise<[Bytes, Bytes]> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['sign'])
  const sign = (data: Bytes) => crypto.subtle.sign(HMAC, imported, data)
  const [first, second] = await Promise.all([sign(one), sign(other)])
  return [new Uint8Array(first), new Uint8Array(second)]
}

/** Whether a MAC is the right one, compared by WebCrypto. */
export async function hmacVerifies(
  key: Bytes,
  mac: Bytes,
  ...parts: readonly Uint8Array[]
): Promise<boolean> {
  const imported = await crypto.subtle.importKey('raw', key, HMAC, false, ['verify'])
  return crypto.subtle.verify(HMAC, imported, mac, concat(...parts))
}

/** HKDF-SHA-256, extract and expand (RFC 5869); an empty salt is the RFC's. */
export async function hkdf(ikm: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits'])
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info }
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, imported, length * 8))
}

/** AES-256-GCM with a 12-byte nonce: ciphertext and its 16-byte tag. */
export async function sealAead(
  key: Bytes,
  nonce: Bytes,
  plaintext: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  const parameters = { name: 'AES-GCM', iv: nonce, additionalData: associated }
  return new Uint8Array(await crypto.subtle.encrypt(parameters, imported, plaintext))
}

/** Opens what sealAead made. Throws 'aead'. */
export async function openAead(
  key: Bytes,
  nonce: Bytes,
  sealed: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  return guard('aead', async () => {
    const imported = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt'])
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: associated }
    return new Uint8Array(await crypto.subtle.decrypt(parameters, imported, sealed))
  })
}

/** RSA-OAEP (SHA-256, MGF1-SHA-256, e = 65537) to a modulus that was checked: 384 bytes. Throws 'rsa'. */
export async function sealRsa(modulus: Bytes, message: Bytes, label: Bytes): Promise<Bytes> {
  return guard('rsa', async () => {
    const jwk = { kty: 'RSA', e: 'AQAB', n: b64uEncode(modulus) }
    const key = await crypto.subtle.importKey('jwk', jwk, RSA, false, ['encrypt'])
    const parameters = { name: 'RSA-OAEP', label }
    return new Uint8Array(await crypto.subtle.encrypt(parameters, key, message))
  })
}

/** Opens 384 bytes of RSA-OAEP. Throws 'rsa'. */
export async function openRsa(key: CryptoKey, sealed: Bytes, label: Bytes): Promise<Bytes> {
  return guard('rsa', async () => {
    const parameters = { name: 'RSA-OAEP', label }
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, sealed))
  })
}
