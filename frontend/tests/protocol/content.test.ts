import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Bytes, Content, ContentToSend, Unreadable } from '../../src/protocol'
import { ascii, concat } from '../../src/protocol/bytes'
import {
  decodeContent,
  decodeTyping,
  encodeContent,
  encodeTyping,
} from '../../src/protocol/content'
import { pad } from '../../src/protocol/padding'
import { bytesOf, codeOf } from './people'

const UNREADABLE = { t: 'unreadable' }

/** What the peer makes of bytes in a right frame. */
const read = (packed: Uint8Array): Content | Unreadable =>
  decodeContent(pad(Uint8Array.from(packed)))

/** A map of msgpack from its members' hex: fixstr keys, ready-made values. */
function mapOf(...members: readonly (readonly [key: string, value: string])[]): Bytes {
  const parts = members.map(([key, value]) =>
    concat(Uint8Array.of(0xa0 + key.length), ascii(key), bytesOf(value)),
  )
  return concat(Uint8Array.of(0x80 + members.length), ...parts)
}

const ACK = ['t', 'a361636b'] as const
const AT = ['at', '05'] as const
const SEEN = ['seen', '00'] as const

describe('content', () => {
  const at = fc.maxSafeNat()
  const n = fc.integer({ min: 0, max: 0xffff_ffff })
  const words = fc
    .string({ unit: 'binary', maxLength: 300 })
    .filter((text) => !text.startsWith('\uFEFF'))
  const reply = fc.tuple(fc.constantFrom<(0 | 1)[]>(0, 1), n)
  const contents: fc.Arbitrary<ContentToSend> = fc.oneof(
    fc.record({ t: fc.constantFrom('hello' as const, 'ack' as const, 'bye' as const), at }),
    fc.record({ t: fc.constant('timer' as const), at, seconds: n }),
    fc.record({ t: fc.constant('text' as const), at, text: words }),
    fc.record({ t: fc.constant('text' as const), at, text: words, reply }),
  )

  test('arrives as it was sent, with what its sender had seen', () => {
    fc.assert(
      fc.property(contents, n, (content, seen) => {
        expect(decodeContent(encodeContent(content, seen))).toEqual({ ...content, seen })
      }),
    )
  })

  test('holds a text of 16 KiB, and not one byte more', async () => {
    const euro = '€'.repeat(5461)
    expect(decodeContent(encodeContent({ t: 'text', at: 0, text: `${euro}a` }, 0)).t).toBe('text')
    expect(await codeOf(() => encodeContent({ t: 'text', at: 0, text: `${euro}ab` }, 0))).toBe(
      'too-long',
    )
    expect(read(encode({ t: 'text', at: 0, seen: 0, text: `${euro}ab` }))).toEqual(UNREADABLE)
  })

  test.each([-1, 0])('holds a text of 16 KiB and %i bytes', (more) => {
    const text = 'a'.repeat(16_384 + more)
    expect(decodeContent(encodeContent({ t: 'text', at: 0, text }, 0))).toMatchObject({ text })
  })

  test('never carries ill-formed text', async () => {
    expect(await codeOf(() => encodeContent({ t: 'text', at: 0, text: 'a\ud800b' }, 0))).toBe(
      'content',
    )
  })

  test('never carries a text that begins with a byte order mark, which a reader would lose', async () => {
    const marked = () => encodeContent({ t: 'text', at: 0, text: '\uFEFFmarked' }, 0)
    expect(await codeOf(marked)).toBe('content')
  })

  test.each([
    { at: -1 },
    { at: 1.5 },
    { at: Number.NaN },
    { at: 0, seconds: -1 },
    { at: 0, seconds: 2 ** 32 },
  ])('never carries %j', async (numbers) => {
    const timer = { t: 'timer' as const, seconds: 60, ...numbers }
    expect(await codeOf(() => encodeContent(timer, 0))).toBe('content')
  })
})

describe('a content of a later version', () => {
  test('is named, and its seen counts', () => {
    const later = {
      t: 'poll',
      at: 5,
      seen: 2,
      options: ['a', { b: [1] }],
      weight: -1,
      hidden: null,
    }
    expect(read(encode(later))).toEqual({ t: 'unknown', type: 'poll', at: 5, seen: 2 })
  })

  test('may have further members', () => {
    const more = { t: 'ack', at: 5, seen: 2, colour: 'red', thumb: new Uint8Array(3), on: true }
    expect(read(encode(more))).toEqual({ t: 'ack', at: 5, seen: 2 })
  })
})

describe('unreadable is what', () => {
  test.each([
    ['is no map', 'c0'],
    ['is empty', ''],
    ['is an array', '93a361636b0500'],
    ['is cut off', '83a174a361636b'],
    ['claims four thousand million members', 'dfffffffff'],
    ['claims four thousand million items', 'ddffffffff'],
  ])('%s', (_, hex) => expect(read(bytesOf(hex))).toEqual(UNREADABLE))

  test.each<[string, ...(readonly [string, string])[]]>([
    ['has no type', AT, SEEN],
    ['has no at', ACK, SEEN],
    ['has no seen', ACK, AT],
    ['has a number for its type', ['t', '01'], AT, SEEN],
    ['has a negative at', ACK, ['at', 'ff'], SEEN],
    ['has a float at', ACK, ['at', 'cb4014000000000000'], SEEN],
    ['has a half at', ACK, ['at', 'cb3fe0000000000000'], SEEN],
    ['has an at above 2^53', ACK, ['at', 'cf0020000000000001'], SEEN],
    ['has a nil at', ACK, ['at', 'c0'], SEEN],
    ['has a negative seen', ACK, AT, ['seen', 'ff']],
    ['has a seen above 2^32', ACK, AT, ['seen', 'cf0000000100000000']],
    ['spells an integer longer than need be', ACK, ['at', 'cc05'], SEEN],
    ['spells a type longer than need be', ['t', 'd90361636b'], AT, SEEN],
    ['says a member twice', ACK, AT, SEEN, ['at', '05']],
    ['has a float somewhere', ACK, AT, SEEN, ['x', 'ca3f800000']],
    ['has a float that is an integer', ACK, AT, SEEN, ['x', 'cb3ff0000000000000']],
    ['has an extension', ACK, AT, SEEN, ['x', 'd40100']],
    ['has a timestamp', ACK, AT, SEEN, ['x', 'd6ff00000000']],
    ['has a number for a key', ACK, AT, SEEN, ['x', '810102']],
    ['has a key in capitals', ACK, AT, SEEN, ['X', '01']],
    ['has a key that reaches for the prototype', ACK, AT, SEEN, ['__proto__', '01']],
    ['is five deep in arrays', ACK, AT, SEEN, ['x', '91919190']],
    ['is five deep in maps', ACK, AT, SEEN, ['x', '81a16181a16181a16180']],
    ['is a text without text', ['t', 'a474657874'], AT, SEEN],
    ['is a text of bytes', ['t', 'a474657874'], AT, SEEN, ['text', 'c40161']],
    ['is a text of ill-formed UTF-8', ['t', 'a474657874'], AT, SEEN, ['text', 'a1ff']],
    ['is a text of overlong UTF-8', ['t', 'a474657874'], AT, SEEN, ['text', 'a2c1a1']],
    ['is a text of half a pair', ['t', 'a474657874'], AT, SEEN, ['text', 'a3eda080']],
    ['is a text that ends in half a letter', ['t', 'a474657874'], AT, SEEN, ['text', 'a1e2']],
    ['is a text with a byte order mark', ['t', 'a474657874'], AT, SEEN, ['text', 'a4efbbbf61']],
    ['replies to nobody', ['t', 'a474657874'], AT, SEEN, ['text', 'a161'], ['reply', '920200']],
    [
      'replies to a name of one part',
      ['t', 'a474657874'],
      AT,
      SEEN,
      ['text', 'a161'],
      ['reply', '9100'],
    ],
    ['is a timer without seconds', ['t', 'a574696d6572'], AT, SEEN],
    ['is a typing that was stored', ['t', 'a6747970696e67'], AT, SEEN, ['on', 'c3']],
  ])('%s', (_, ...members) => expect(read(mapOf(...members))).toEqual(UNREADABLE))

  test('has bytes behind its map', () => {
    expect(read(concat(mapOf(ACK, AT, SEEN), bytesOf('c0')))).toEqual(UNREADABLE)
  })

  test('has another padding', () => {
    expect(decodeContent(concat(pad(mapOf(ACK, AT, SEEN)), new Uint8Array(16)))).toEqual(UNREADABLE)
  })

  test('is anything at random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(read(bytes)).toEqual(UNREADABLE)
        expect(decodeContent(Uint8Array.from(bytes))).toEqual(UNREADABLE)
      }),
    )
  })
})

test('the plain members above are readable', () => {
  expect(read(mapOf(ACK, AT, SEEN))).toEqual({ t: 'ack', at: 5, seen: 0 })
  expect(read(mapOf(ACK, AT, SEEN, ['x', '919190']))).toEqual({ t: 'ack', at: 5, seen: 0 })
  expect(read(mapOf(ACK, AT, SEEN, ['x', '81a16181a16180']))).toEqual({ t: 'ack', at: 5, seen: 0 })
})

describe('typing', () => {
  test('is on or off, in the smallest frame', () => {
    expect([true, false].map((on) => decodeTyping(encodeTyping(on)))).toEqual([true, false])
    expect([true, false].map((on) => encodeTyping(on).length)).toEqual([256, 256])
  })

  test.each([
    ['another type', { t: 'ack', on: true }],
    ['no mark', { t: 'typing' }],
    ['a number for a mark', { t: 'typing', on: 1 }],
  ])('is nothing with %s', (_, map) => {
    expect(decodeTyping(pad(Uint8Array.from(encode(map))))).toBeNull()
  })
})
