import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { FRAME_MAX_BYTES, pad, padme, unpad } from '../../src/protocol/padding'
import { codeOf, flip, upTo } from './people'

describe('Padmé', () => {
  test.each([
    [256, 256],
    [257, 272],
    [272, 272],
    [1000, 1024],
    [1024, 1024],
    [1025, 1088],
    [16_404, 17_408],
    [32_768, 32_768],
    [1_000_000, 1_015_808],
  ])('rounds %d up to %d', (length, padded) => expect(padme(length)).toBe(padded))

  test('adds at most 12 %, never takes away, keeps order, and rounds what is round to itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30_000_000 }), (length) => {
        const padded = padme(length)
        expect(padded).toBeGreaterThanOrEqual(length)
        expect(padded).toBeLessThanOrEqual(length * 1.12)
        expect(padme(padded)).toBe(padded)
        expect(padme(length + 1)).toBeGreaterThanOrEqual(padded)
      }),
    )
  })
})

describe('a frame', () => {
  test('gives back its content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (content) => {
        const frame = pad(Uint8Array.from(content))
        expect(frame.length).toBe(padme(Math.max(256, 4 + content.length)))
        expect(unpad(frame)).toEqual(content)
      }),
    )
  })

  test('hides whether it says one word or fifty', () => {
    expect(pad(new Uint8Array(1)).length).toBe(pad(new Uint8Array(252)).length)
  })

  test('is refused with anything but zeros behind the content', async () => {
    const frame = pad(Uint8Array.of(1, 2, 3))
    for (const index of upTo(frame.length).slice(7)) {
      expect(await codeOf(() => unpad(flip(frame, index)))).toBe('content')
    }
  })

  test('is refused with more, less or no padding', async () => {
    const frame = pad(new Uint8Array(290))
    const longer = new Uint8Array(frame.length + 16)
    longer.set(frame)
    for (const bad of [longer, frame.slice(0, 294), frame.slice(0, 255), new Uint8Array(0)]) {
      expect(await codeOf(() => unpad(bad))).toBe('content')
    }
  })

  test('is refused when its length points outside of it', async () => {
    const frame = pad(new Uint8Array(10))
    for (const index of [0, 1, 2])
      expect(await codeOf(() => unpad(flip(frame, index)))).toBe('content')
  })

  test('is never above 32 KiB', async () => {
    expect(pad(new Uint8Array(FRAME_MAX_BYTES - 4)).length).toBe(FRAME_MAX_BYTES)
    expect(await codeOf(() => pad(new Uint8Array(FRAME_MAX_BYTES - 3)))).toBe('content')
  })
})
