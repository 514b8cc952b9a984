/** Who: an RSA-3072 key pair and the hash that names it (PROTOCOL §3). */
import {
  ascii,
  concat,
  b64uDecode,
  b64uEncode,
  equalSecret,
  random,
  wipe,
  type Bytes,
} from './bytes'
import { demand, guard, ProtocolError } from './errors'
import { hash, hmac, openRsa, sealRsa } from './primitives'

export const HASH_BYTES = 32
export const MODULUS_BYTES = 384
export const RSA_BYTES = 384

export interface Identity {
  /** User hash, 32 bytes. */
  readonly hash: Bytes
  /** RSA modulus, 384 bytes. */
  readonly modulus: Bytes
  /** Non-extractable, for `decrypt` only. */
  readonly privateKey: CryptoKey
}

/** The three members of a public key, and no others. */
export interface PublicJwk {
  readonly e: 'AQAB'
  readonly kty: 'RSA'
  readonly n: string
}

const RSA = { name: 'RSA-OAEP', hash: 'SHA-256' } as const

/** Makes a new private key and answers its PKCS #8 bytes, for the vault to seal and the caller to wipe. */
export async function generateIdentity(): Promise<Bytes> {
  const parameters = { ...RSA, modulusLength: 3072, publicExponent: Uint8Array.of(1, 0, 1) }
  const pair = await crypto.subtle.generateKey(parameters, true, ['encrypt', 'decrypt'])
  return new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
}

/**
 * The identity of PKCS #8 bytes, its key non-extractable. The bytes stay as they are; the caller wipes them.
 * Throws 'identity' when they hold no RSA-3072 key with e = 65537.
 */
export async function importIdentity(pkcs8: Bytes): Promise<Identity> {
  return guard('identity', async () => {
    const modulus = modulusFromPkcs8(pkcs8)
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, RSA, false, ['decrypt'])
    await demandPair(modulus, privateKey)
    return { hash: await thumbprint(modulus), modulus, privateKey }
  })
}

/**
 * The modulus out of PKCS #8 (RFC 5208, RFC 8017 A.1.2), where DER puts it for every 3072-bit key.
 * Read here and not from an exported JWK, which would leave the private members behind in strings.
 */
function modulusFromPkcs8(pkcs8: Bytes): Bytes {
  const shape = /^3082....020100300d06092a864886f70d01010105000482....3082....0201000282018100$/
  const head = Array.from(pkcs8.subarray(0, 38), (byte) => byte.toString(16).padStart(2, '0'))
  demand(shape.test(head.join('')), 'identity')
  return checkModulus(pkcs8.slice(38, 38 + MODULUS_BYTES))
}

/** That the modulus and the private key are one pair: what is sealed to the one opens with the other. */
async function demandPair(modulus: Bytes, privateKey: CryptoKey): Promise<void> {
  const label = ascii('quarter/1 pair')
  const probe = random(32)
  const opened = await openRsa(privateKey, await sealRsa(modulus, probe, label), label)
  const isPair = equalSecret(opened, probe)
  wipe(opened, probe)
  demand(isPair, 'identity')
}

/** Answers the modulus if it has 384 bytes, the top bit set, and is odd. Throws 'modulus'. */
export function checkModulus(modulus: Bytes): Bytes {
  const first = modulus[0] ?? 0
  const last = modulus[MODULUS_BYTES - 1] ?? 0
  demand(modulus.length === MODULUS_BYTES && first >= 0x80 && last % 2 === 1, 'modulus')
  return modulus
}

/** The modulus of a received JWK with exactly the members e, kty and n. Throws 'jwk', 'base64url', 'modulus'. */
export function modulusFromJwk(jwk: unknown): Bytes {
  if (typeof jwk !== 'object' || jwk === null) throw new ProtocolError('jwk')
  const members = new Map<string, unknown>(Object.entries(jwk))
  const n = members.get('n')
  demand(members.size === 3 && members.get('kty') === 'RSA', 'jwk')
  demand(members.get('e') === 'AQAB' && typeof n === 'string', 'jwk')
  return checkModulus(b64uDecode(n))
}

export function jwkOf(modulus: Bytes): PublicJwk {
  return { e: 'AQAB', kty: 'RSA', n: b64uEncode(modulus) }
}

/** The canonical form of RFC 7638 §3.3 for an RSA key, built from the modulus's bytes. */
export function canonicalJwk(modulus: Bytes): string {
  return `{"e":"AQAB","kty":"RSA","n":"${b64uEncode(modulus)}"}`
}

/** The user hash of a modulus, 32 bytes. Throws 'modulus'. */
export async function thumbprint(modulus: Bytes): Promise<Bytes> {
  return hash(ascii(canonicalJwk(checkModulus(modulus))))
}

/**
 * Proves possession to the server: 32 bytes for a challenge c of 384 (PROTOCOL §3, Login).
 * What does not open is answered with a random proof: all refusals look alike.
 */
export async function proveLogin(identity: Identity, origin: string, c: Bytes): Promise<Bytes> {
  const r = await openChallenge(identity, origin, c)
  const proof = await hmac(r, ascii('quarter/1 login proof'), identity.hash)
  wipe(r)
  return proof
}

async function openChallenge(identity: Identity, origin: string, c: Bytes): Promise<Bytes> {
  try {
    const label = concat(ascii('quarter/1 login'), ascii(origin))
    const r = await openRsa(identity.privateKey, c, label)
    return r.length === 32 ? r : random(32)
  } catch {
    return random(32)
  }
}
