import { expect, test } from 'vitest'

import * as protocol from '../../src/protocol'
import { b64uDecode, b64uEncode, toHex } from '../../src/protocol'
import { decodeContent, decodeTyping, encodeContent } from '../../src/protocol/content'
import { canonicalJwk } from '../../src/protocol/identity'
import { padme } from '../../src/protocol/padding'
import { bytesOf, codeOf, kem } from '../protocol/people'
import { draftOf, meantBy } from './drafts'
import { ekOf } from './derive'
import { readEncodings } from './files'

const encodings = readEncodings()
const hexOrNull = (bytes: protocol.Bytes | null): string | null => bytes && toHex(bytes)

/** What `work` answers, or the code of its refusal. */
async function found<T>(work: () => T | Promise<T>): Promise<{ value: T } | { code: string }> {
  try {
    return { value: await work() }
  } catch (error) {
    return { code: await codeOf(Promise.reject(error)) }
  }
}

test.each(encodings.thumbprints)('the user hash $hash_text is its key’s', async (each) => {
  const modulus = bytesOf(each.modulus)
  expect(canonicalJwk(modulus)).toBe(each.jwk)
  const hash = await protocol.thumbprint(modulus)
  expect([toHex(hash), b64uEncode(hash)]).toEqual([each.hash, each.hash_text])
})

test.each(encodings.keys)('a public key, $name: $code', async ({ jwk, code }) => {
  const read = await found(() => protocol.modulusFromJwk(jwk))
  expect('code' in read ? read.code : null).toBe(code)
})

test.each(encodings.b64u)('the text "$text" in base64url: $code', async ({ text, bytes, code }) => {
  const read = await found(() => toHex(b64uDecode(text)))
  expect(read).toEqual(code === null ? { value: bytes } : { code })
})

test.each(encodings.addresses)(
  'the address "$text": $code',
  async ({ text, hash, secret, code }) => {
    const read = await found(() => {
      const address = protocol.parseAddress(text)
      return { hash: toHex(address.hash), secret: hexOrNull(address.secret) }
    })
    expect(read).toEqual(code === null ? { value: { hash, secret } } : { code })
  },
)

test('Padmé pads every length as it must', () => {
  expect(encodings.padme.map(({ length }) => padme(length))).toEqual(
    encodings.padme.map(({ padded }) => padded),
  )
})

test.each(encodings.contents)('a content, $name, is read as it is meant', ({ frame, content }) => {
  expect(decodeContent(bytesOf(frame))).toEqual(meantBy(content))
})

test.each(encodings.texts)('to send, $name: $code', async ({ content, frame, code }) => {
  const written = await found(() =>
    toHex(encodeContent(draftOf(content), Number(content.seen ?? 0))),
  )
  expect(written).toEqual(code === null ? { value: frame } : { code })
})

test.each(encodings.typing)('a typing sign, $name', ({ frame, on }) => {
  expect(decodeTyping(bytesOf(frame))).toBe(on)
})

test.each(encodings.kem)('X-Wing, $name: $code', async ({ seed, ek, ct, ss, code }) => {
  const opened = await found(async () => {
    if (seed === null || ct === null) return kem.encapsulate(bytesOf(ek)).then(() => null)
    expect(ekOf(seed)).toBe(ek)
    return toHex(await kem.decapsulate(bytesOf(seed), bytesOf(ct)))
  })
  expect(opened).toEqual(code === null ? { value: ss } : { code })
})

test.each(encodings.safety)('the safety number $code', async ({ a, b, groups, code }) => {
  expect(await protocol.safetyNumber(bytesOf(a), bytesOf(b))).toEqual(groups)
  expect(await protocol.safetyNumber(bytesOf(b), bytesOf(a))).toEqual(groups)
  expect(protocol.safetyCode(groups)).toBe(code)
})
