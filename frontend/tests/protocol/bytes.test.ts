import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { b64uDecode, b64uEncode, concat, equalPublic, toHex, uint32 } from '../../src/protocol'
import { comparePublic, Reader } from '../../src/protocol/bytes'
import { codeOf } from './people'

describe('base64url', () => {
  test('gives back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(b64uDecode(b64uEncode(bytes))).toEqual(bytes)
      }),
    )
  })

  test('writes the alphabet of RFC 4648 §5 without padding', () => {
    expect(b64uEncode(Uint8Array.of(0xfb, 0xff, 0xbf, 0xff))).toBe('-_-__w')
  })

  test.each(['A', 'AB==', 'A+', 'A/', 'AAAA=', ' AAAA', 'AAAA\n', 'AÄAA', 'AAAAA'])(
    'refuses %j, which it never writes',
    async (spelling) => expect(await codeOf(() => b64uDecode(spelling))).toBe('base64url'),
  )

  test('reads each value from one spelling alone', async () => {
    expect(b64uDecode('_w')).toEqual(Uint8Array.of(255))
    for (const spelling of ['_x', '_y', '_z', '_-']) {
      expect(await codeOf(() => b64uDecode(spelling))).toBe('base64url')
    }
    expect(await codeOf(() => b64uDecode('__9'))).toBe('base64url')
  })

  test('refuses another length than the one asked for', async () => {
    expect(await codeOf(() => b64uDecode('_w', 2))).toBe('base64url')
  })
})

describe('fields', () => {
  test('join in order', () => {
    expect(toHex(concat(uint32(0x01020304), Uint8Array.of(255)))).toBe('01020304ff')
  })

  test.each([-1, 2 ** 32, 1.5, Number.NaN])('never write %d as four bytes', async (value) => {
    expect(await codeOf(() => uint32(value))).toBe('spent')
  })

  test('are never read past the end', async () => {
    const reader = new Reader(Uint8Array.of(0, 0, 1))
    expect(await codeOf(() => reader.uint32())).toBe('length')
    expect(reader.left).toBe(3)
  })

  test('compare as bytes, whatever their length', () => {
    expect(equalPublic(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false)
    expect(comparePublic(Uint8Array.of(1, 200), Uint8Array.of(1, 3))).toBeGreaterThan(0)
    expect(comparePublic(Uint8Array.of(7), Uint8Array.of(7))).toBe(0)
  })
})
