/**
 * What published vectors are run through: the page's own functions, the parts of its fallback KEM and
 * the same parts in the browser, and node-forge. Each takes named bytes and gives named bytes.
 */
import { x25519 } from '@noble/curves/ed25519.js' // The copy that hybrid.js imports: no dependency of ours.
import { ml_kem768 as libraryMlKem } from '@noble/post-quantum/ml-kem.js'
import { ml_kem768 as browserMlKem } from '@noble/post-quantum/webcrypto.js'

import { concat, type Bytes } from '../../src/protocol'
import { readUint32 } from '../../src/protocol/bytes'
import { importIdentity } from '../../src/protocol/identity'
import { chooseKem, portableKem, type Kem } from '../../src/protocol/kem'
import * as primitives from '../../src/protocol/primitives'
import { openWithForge, rewriteWithForge, sealWithForge } from '../protocol/nodeForge'
import { withCoins } from './coins'

/** Gives the bytes of a name; throws where there are none. */
export type Given = (name: string) => Bytes
export type Operation = (given: Given) => Promise<Record<string, Uint8Array>>

const page: Record<string, Operation> = {
  importIdentity: async (given) => {
    const { modulus, hash } = await importIdentity(given('pkcs8'))
    return { modulus, hash }
  },
  openRsa: async (given) => {
    const { privateKey } = await importIdentity(given('pkcs8'))
    return { message: await primitives.openRsa(privateKey, given('sealed'), given('label')) }
  },
  /** Of any length, which no identity has. */
  openRsaOfAnyLength: async (given) => {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('pkcs8', given('pkcs8'), algorithm, false, [
      'decrypt',
    ])
    return { message: await primitives.openRsa(key, given('sealed'), given('label')) }
  },
  sealRsa: async (given) => ({
    sealed: await primitives.sealRsa(given('modulus'), given('message'), given('label')),
  }),
  sealAead: async (given) => ({
    sealed: await primitives.sealAead(
      given('key'),
      given('nonce'),
      given('message'),
      given('associated'),
    ),
  }),
  openAead: async (given) => ({
    message: await primitives.openAead(
      given('key'),
      given('nonce'),
      given('sealed'),
      given('associated'),
    ),
  }),
  hkdf: async (given) => ({
    okm: await primitives.hkdf(
      given('ikm'),
      given('salt'),
      given('info'),
      readUint32(given('length'), 0),
    ),
  }),
  hmac: async (given) => ({ mac: await primitives.hmac(given('key'), given('message')) }),
  hash: async (given) => ({ digest: await primitives.hash(given('message')) }),
}

/** `coins`: what the generator gives meanwhile. The browser's own KEM takes its coins from elsewhere. */
const kemOperations = (kem: Kem | Promise<Kem>): Record<string, Operation> => ({
  name: async () => ({ name: new TextEncoder().encode((await kem).name) }),
  generate: async (given) => {
    const { generate } = await kem
    return { ...(await withCoins(given('coins'), generate)) }
  },
  encapsulate: async (given) => ({ ...(await (await kem).encapsulate(given('ek'))) }),
  encapsulateWithCoins: async (given) => {
    const { encapsulate } = await kem
    return { ...(await withCoins(given('coins'), () => encapsulate(given('ek')))) }
  },
  decapsulate: async (given) => ({ ss: await (await kem).decapsulate(given('dk'), given('ct')) }),
})

/** What stands before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410). */
const X25519_PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32)

const libraryParts: Record<string, Operation> = {
  x25519: async (given) => ({ ss: x25519.getSharedSecret(given('private'), given('public')) }),
  mlKemKeygen: async (given) => {
    const { publicKey, secretKey } = libraryMlKem.keygen(given('seed'))
    return { ek: publicKey, dk: secretKey }
  },
  mlKemEncapsulate: async (given) => {
    const { cipherText, sharedSecret } = libraryMlKem.encapsulate(given('ek'), given('coins'))
    return { ct: cipherText, ss: sharedSecret }
  },
  mlKemDecapsulate: async (given) => {
    const { secretKey } = libraryMlKem.keygen(given('seed'))
    return { ss: libraryMlKem.decapsulate(given('ct'), secretKey) }
  },
  mlKemDecapsulateExpanded: async (given) => ({
    ss: libraryMlKem.decapsulate(given('ct'), given('dk')),
  }),
}

const browserParts: Record<string, Operation> = {
  x25519: async (given) => {
    const pkcs8 = concat(X25519_PKCS8, given('private'))
    const ours = await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
    const theirs = await crypto.subtle.importKey('raw', given('public'), 'X25519', false, [])
    const parameters = { name: 'X25519', public: theirs }
    return { ss: new Uint8Array(await crypto.subtle.deriveBits(parameters, ours, 256)) }
  },
  mlKemKeygen: async (given) => ({ ek: (await browserMlKem.keygen(given('seed'))).publicKey }),
  mlKemEncapsulate: async (given) => {
    const { cipherText, sharedSecret } = await browserMlKem.encapsulate(given('ek'))
    return { ct: cipherText, ss: sharedSecret }
  },
  mlKemDecapsulate: async (given) => ({
    ss: await browserMlKem.decapsulate(given('ct'), given('seed')),
  }),
}

const forge: Record<string, Operation> = {
  sealRsa: async (given) => ({
    sealed: sealWithForge(given('modulus'), given('message'), given('label')),
  }),
  openRsa: async (given) => ({
    message: openWithForge(given('pkcs8'), given('sealed'), given('label')),
  }),
  rewrite: async (given) => ({ pkcs8: rewriteWithForge(given('pkcs8')) }),
}

export const operations: Record<string, Record<string, Operation>> = {
  page,
  chosenKem: kemOperations(chooseKem()),
  portableKem: kemOperations(portableKem()),
  libraryParts,
  browserParts,
  forge,
}
