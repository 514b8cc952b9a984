/** PROTOCOL §10.3; e2e/test_outside_rsa.py has it in Chromium. */
import { beforeAll, describe, expect, test } from 'vitest'

import { generateIdentity, importIdentity, toHex, type Bytes } from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { openRsa, sealRsa } from '../../src/protocol/primitives'
import { openWithForge, rewriteWithForge, sealWithForge } from './nodeForge'
import { bytesOf, codeOf, flip, upTo } from './people'
import forgeKey from './vectors/forge-key.json'

/** None, a text, and every byte there is: the protocol's labels end in hashes. */
const labels = [
  new Uint8Array(0),
  ascii('quarter/1 login'),
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
]

/** 318 bytes are the most that 3072 bits can hold. */
const messages = [0, 1, 32, 318].map((length) => Uint8Array.from(upTo(length)))

const cases = labels.flatMap((label) => messages.map((message) => ({ label, message })))

const another = (label: Bytes): Bytes => (label.length > 0 ? flip(label, 0) : ascii('x'))

describe.each([
  { maker: 'WebCrypto', make: generateIdentity },
  { maker: 'node-forge', make: () => Promise.resolve(bytesOf(forgeKey.pkcs8)) },
])('with a key that $maker made', ({ make }) => {
  let pkcs8: Bytes

  beforeAll(async () => {
    pkcs8 = await make()
  })

  test('node-forge opens what the page sealed, with its label alone', async () => {
    const { modulus } = await importIdentity(pkcs8)
    for (const { label, message } of cases) {
      const sealed = await sealRsa(modulus, message, label)
      expect(openWithForge(pkcs8, sealed, label)).toEqual(message)
      expect(() => openWithForge(pkcs8, sealed, another(label))).toThrow(
        'Invalid RSAES-OAEP padding.',
      )
    }
  })

  test('the page opens what node-forge sealed, with its label alone', async () => {
    const { modulus, privateKey } = await importIdentity(pkcs8)
    for (const { label, message } of cases) {
      const sealed = sealWithForge(modulus, message, label)
      expect(await openRsa(privateKey, sealed, label)).toEqual(message)
      expect(await codeOf(openRsa(privateKey, sealed, another(label)))).toBe('rsa')
    }
  })

  test('node-forge writes the key in the same bytes', () => {
    expect(toHex(rewriteWithForge(pkcs8))).toBe(toHex(pkcs8))
  })
})
