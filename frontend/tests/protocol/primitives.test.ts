import { describe, expect, test } from 'vitest'

import { toHex } from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { importIdentity } from '../../src/protocol/identity'
import {
  hash,
  hkdf,
  hmac,
  hmacVerifies,
  openAead,
  openRsa,
  sealAead,
  sealRsa,
} from '../../src/protocol/primitives'
import { bytesOf, codeOf, flip, upTo } from './people'
import oaep from './vectors/oaep.json'

const EMPTY = new Uint8Array(0)

describe('published vectors', () => {
  test('SHA-256 of FIPS 180-4 holds, over joined parts', async () => {
    expect(toHex(await hash(ascii('a'), ascii('bc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })

  test('HMAC of RFC 4231, case 2, holds', async () => {
    const mac = await hmac(ascii('Jefe'), ascii('what do ya want '), ascii('for nothing?'))
    expect(toHex(mac)).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
    expect(await hmacVerifies(ascii('Jefe'), mac, ascii('what do ya want for nothing?'))).toBe(true)
    expect(
      await hmacVerifies(ascii('Jefe'), flip(mac, 31), ascii('what do ya want for nothing?')),
    ).toBe(false)
  })

  test('HKDF of RFC 5869, case 1, holds', async () => {
    const okm = await hkdf(
      bytesOf('0b'.repeat(22)),
      bytesOf('000102030405060708090a0b0c'),
      bytesOf('f0f1f2f3f4f5f6f7f8f9'),
      42,
    )
    expect(toHex(okm)).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    )
  })

  test('HKDF of RFC 5869, case 3, with an empty salt, holds', async () => {
    expect(toHex(await hkdf(bytesOf('0b'.repeat(22)), EMPTY, EMPTY, 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    )
  })

  test('AES-256-GCM of the GCM specification, case 16, holds', async () => {
    const key = bytesOf('feffe9928665731c6d6a8f9467308308'.repeat(2))
    const nonce = bytesOf('cafebabefacedbaddecaf888')
    const plaintext = bytesOf(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
        '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    )
    const associated = bytesOf('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    const sealed = await sealAead(key, nonce, plaintext, associated)
    expect(toHex(sealed)).toBe(
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
        '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
        '76fc6ece0f4e1768cddf8853bb2d551b',
    )
    expect(await openAead(key, nonce, sealed, associated)).toEqual(plaintext)
    for (const index of upTo(sealed.length)) {
      expect(await codeOf(openAead(key, nonce, flip(sealed, index), associated))).toBe('aead')
    }
    expect(await codeOf(openAead(key, nonce, sealed, EMPTY))).toBe('aead')
  })

  test('RSA-OAEP of Wycheproof, with a label, opens with that label alone', async () => {
    const identity = await importIdentity(bytesOf(oaep.pkcs8))
    const sealed = bytesOf(oaep.ciphertext)
    const label = bytesOf(oaep.label)
    expect(toHex(identity.modulus)).toBe(oaep.modulus)
    expect(toHex(await openRsa(identity.privateKey, sealed, label))).toBe(oaep.message)
    expect(await codeOf(openRsa(identity.privateKey, sealed, flip(label, 0)))).toBe('rsa')
    expect(await codeOf(openRsa(identity.privateKey, sealed, EMPTY))).toBe('rsa')
    expect(await codeOf(openRsa(identity.privateKey, flip(sealed, 383), label))).toBe('rsa')
    expect(await codeOf(openRsa(identity.privateKey, sealed.slice(1), label))).toBe('rsa')
  })

  test('RSA-OAEP seals for the holder of the modulus', async () => {
    const identity = await importIdentity(bytesOf(oaep.pkcs8))
    const sealed = await sealRsa(identity.modulus, ascii('hidden'), ascii('label'))
    expect(sealed.length).toBe(384)
    expect(await openRsa(identity.privateKey, sealed, ascii('label'))).toEqual(ascii('hidden'))
  })
})
