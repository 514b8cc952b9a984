import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { b64uEncode, formatLink, makeSecret, parseAddress } from '../../src/protocol'
import { codeOf } from './people'

const hash = new Uint8Array(32).fill(0xfb)
const secret = new Uint8Array(16).fill(0xef)
const origin = 'https://quarter.example'
const H = b64uEncode(hash)
const S = b64uEncode(secret)

describe('an invite link', () => {
  test('gives back its hash and secret', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(32), bytes(16), (anyHash, anySecret) => {
        const link = formatLink(origin, Uint8Array.from(anyHash), Uint8Array.from(anySecret))
        expect(parseAddress(link)).toEqual({ hash: anyHash, secret: anySecret })
      }),
    )
  })

  test('has a fresh secret of 16 bytes each time', () => {
    expect(makeSecret().length).toBe(16)
    expect(makeSecret()).not.toEqual(makeSecret())
  })
})

describe('an address', () => {
  test.each([
    `${origin}/#${H}.${S}`,
    `http://localhost:8000/#${H}.${S}`,
    `#${H}.${S}`,
    `${H}.${S}`,
    ` ${origin}/#${H.slice(0, 9)}\n${H.slice(9)}.${S}\n`,
  ])('is read with its secret from %j', (text) => {
    expect(parseAddress(text)).toEqual({ hash, secret })
  })

  test.each([`${origin}/#${H}`, `#${H}`, H, (H.match(/.{1,5}/g) ?? []).join(' ')])(
    'is read without a secret from %j',
    (text) => expect(parseAddress(text)).toEqual({ hash, secret: null }),
  )

  test.each([
    '',
    '#',
    origin,
    H.slice(1),
    `${H}A`,
    `${H}.`,
    `#${H}.${S.slice(1)}`,
    `#${H}.${S}A`,
    `#${H}.${S}.${S}`,
    `##${H}`,
    `javascript:alert(1)#${H}`,
    `${H}#${H}`,
    `#${H.slice(0, 42)}-`,
    `#${H}.${S.slice(0, 21)}-`,
    `#${H}.${S}=`,
  ])('is not found in %j', async (text) => {
    expect(await codeOf(() => parseAddress(text))).toBe('address')
  })
})
