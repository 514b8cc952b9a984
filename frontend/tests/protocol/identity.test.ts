import { beforeAll, describe, expect, test } from 'vitest'

import {
  b64uDecode,
  b64uEncode,
  checkModulus,
  generateIdentity,
  importIdentity,
  jwkOf,
  modulusFromJwk,
  proveLogin,
  thumbprint,
  toHex,
  type Bytes,
  type Identity,
} from '../../src/protocol'
import { ascii, concat } from '../../src/protocol/bytes'
import { canonicalJwk } from '../../src/protocol/identity'
import { hash, hmac, sealRsa } from '../../src/protocol/primitives'
import { codeOf, flip, makePeople } from './people'

let alice: Identity
let bob: Identity
let pkcs8: Bytes

beforeAll(async () => {
  ;[{ alice, bob }, pkcs8] = await Promise.all([makePeople(), generateIdentity()])
})

describe('a user hash', () => {
  test('is made as RFC 7638 makes its example', async () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj' +
      'hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ' +
      'vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK' +
      'nqDKgw'
    const canonical = canonicalJwk(b64uDecode(n))
    expect(canonical).toBe(`{"e":"AQAB","kty":"RSA","n":"${n}"}`)
    expect(b64uEncode(await hash(ascii(canonical)))).toBe(
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    )
  })

  test('is the same from the modulus and from the JWK', async () => {
    const jwk: unknown = JSON.parse(JSON.stringify(jwkOf(alice.modulus)))
    expect(await thumbprint(modulusFromJwk(jwk))).toEqual(alice.hash)
    expect(alice.hash.length).toBe(32)
  })
})

describe('a public key is refused', () => {
  test('that is not odd', async () => {
    expect(await codeOf(() => checkModulus(flip(alice.modulus, 383)))).toBe('modulus')
  })

  test('whose top bit is not set', async () => {
    const low = alice.modulus.slice()
    low[0] = (low[0] ?? 0) & 0x7f
    expect(await codeOf(() => checkModulus(low))).toBe('modulus')
  })

  test.each([256, 383, 385, 512, 0])('of %d bytes', async (length) => {
    const modulus = new Uint8Array(length).fill(0xff)
    expect(await codeOf(() => checkModulus(modulus))).toBe('modulus')
    expect(await codeOf(() => modulusFromJwk(jwkOf(modulus)))).toBe('modulus')
  })

  test.each([
    ['with another exponent', { e: 'Aw' }],
    ['with a padded exponent', { e: 'AQAB==' }],
    ['of another type', { kty: 'EC' }],
    ['with a further member', { alg: 'RSA-OAEP-256' }],
    ['with a private member', { d: 'AQAB' }],
    ['whose n is no text', { n: 5 }],
  ])('%s', async (_, change) => {
    expect(await codeOf(() => modulusFromJwk({ ...jwkOf(alice.modulus), ...change }))).toBe('jwk')
  })

  test.each([null, 'RSA', [], {}, { e: 'AQAB', kty: 'RSA' }])('that is %j', async (jwk) => {
    expect(await codeOf(() => modulusFromJwk(jwk))).toBe('jwk')
  })

  test.each(['=', '\n', '+'])('whose n is spelled with %j', async (more) => {
    const jwk = jwkOf(alice.modulus)
    expect(await codeOf(() => modulusFromJwk({ ...jwk, n: jwk.n + more }))).toBe('base64url')
  })
})

describe('an identity', () => {
  test('comes back from its PKCS #8 with a key that no script can take out', async () => {
    const before = pkcs8.slice()
    const identity = await importIdentity(pkcs8)
    expect(pkcs8).toEqual(before)
    expect(identity.privateKey.extractable).toBe(false)
    expect(identity.privateKey.usages).toEqual(['decrypt'])
    expect(await thumbprint(identity.modulus)).toEqual(identity.hash)
  })

  test('has the modulus that the browser itself reads out of the key', async () => {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['decrypt'])
    const { n } = await crypto.subtle.exportKey('jwk', key)
    expect(b64uEncode((await importIdentity(pkcs8)).modulus)).toBe(n)
  })

  test('is refused when its bytes are damaged, short, or of a smaller key', async () => {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const small = await crypto.subtle.generateKey(
      { ...algorithm, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
      true,
      ['encrypt', 'decrypt'],
    )
    const other = new Uint8Array(await crypto.subtle.exportKey('pkcs8', small.privateKey))
    for (const bad of [
      flip(pkcs8, 100),
      flip(pkcs8, 5),
      pkcs8.slice(0, 500),
      other,
      new Uint8Array(0),
    ]) {
      expect(await codeOf(importIdentity(bad))).toBe('identity')
    }
  })
})

describe('login', () => {
  const origin = 'https://quarter.example'

  async function challenge(r: Bytes, label: string): Promise<Bytes> {
    return sealRsa(alice.modulus, r, ascii(label))
  }

  test('proves possession with the challenge, bound to the hash', async () => {
    const r = new Uint8Array(32).fill(7)
    const c = await challenge(r, `quarter/1 login${origin}`)
    const expected = await hmac(r, concat(ascii('quarter/1 login proof'), alice.hash))
    expect(await proveLogin(alice, origin, c)).toEqual(expected)
  })

  test.each([
    ['another origin', 32, 'quarter/1 loginhttps://evil.example'],
    ['an offer in disguise', 32, 'quarter/1 offer'],
    ['a short secret', 31, `quarter/1 login${origin}`],
  ])('answers %s with a proof of nothing', async (_, length, label) => {
    const r = new Uint8Array(length).fill(7)
    const c = await challenge(r, label)
    const real = await hmac(r, concat(ascii('quarter/1 login proof'), alice.hash))
    const [first, second] = [await proveLogin(alice, origin, c), await proveLogin(alice, origin, c)]
    expect([first.length, second.length]).toEqual([32, 32])
    expect(new Set([toHex(real), toHex(first), toHex(second)]).size).toBe(3)
  })

  test('of another key is a proof of nothing', async () => {
    const c = await challenge(new Uint8Array(32), `quarter/1 login${origin}`)
    expect(await proveLogin(bob, origin, c)).not.toEqual(await proveLogin(bob, origin, c))
  })
})
