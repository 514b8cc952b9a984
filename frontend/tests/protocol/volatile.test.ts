import { beforeAll, describe, expect, test } from 'vitest'

import {
  encodeRatchet,
  openVolatile,
  sealVolatile,
  type Bytes,
  type Identity,
} from '../../src/protocol'
import { codeOf, converse, deliver, flip, makePeople, meet, say, text, upTo } from './people'
import type { Meeting, Side } from './people'

let people: { alice: Identity; bob: Identity }
let meeting: Meeting
let alice: Side
let bob: Side

beforeAll(async () => {
  people = await makePeople()
  meeting = await meet(people.bob, people.alice, null)
  ;({ alice, bob } = await converse(people.bob, people.alice, meeting))
})

async function typing(side: Side, counter: number, on = true): Promise<Bytes> {
  const frame = await sealVolatile(side.ratchet, counter, on)
  if (frame === null) throw new Error('no sending chain')
  return frame
}

describe('typing', () => {
  test('shows on the other side, on and off, and changes no state', async () => {
    const before = [encodeRatchet(alice.ratchet), encodeRatchet(bob.ratchet)]
    expect(await openVolatile(alice.ratchet, await typing(bob, 0), null)).toEqual({
      counter: 0,
      on: true,
    })
    const off = await typing(bob, 1, false)
    expect(await openVolatile(alice.ratchet, off, 0)).toEqual({ counter: 1, on: false })
    expect([encodeRatchet(alice.ratchet), encodeRatchet(bob.ratchet)]).toEqual(before)
  })

  test('looks the same whether it is on or off, and never twice the same', async () => {
    const frames = [await typing(bob, 0), await typing(bob, 0), await typing(bob, 0, false)]
    expect(new Set(frames.map((frame) => frame.length))).toEqual(new Set([59 + 256 + 16]))
    expect(new Set(frames.map(String)).size).toBe(3)
  })

  test('is opened once, and never after a later one', async () => {
    const frame = await typing(bob, 3)
    expect(await openVolatile(alice.ratchet, frame, 3)).toBeNull()
    expect(await openVolatile(alice.ratchet, frame, 4)).toBeNull()
    expect(await openVolatile(alice.ratchet, frame, 2)).toEqual({ counter: 3, on: true })
  })

  test('with any byte changed is nothing', async () => {
    const frame = await typing(bob, 5)
    for (const index of upTo(frame.length)) {
      expect(await openVolatile(alice.ratchet, flip(frame, index), 3)).toBeNull()
    }
    expect(await openVolatile(alice.ratchet, frame.slice(1), null)).toBeNull()
    expect(await openVolatile(alice.ratchet, new Uint8Array(0), null)).toBeNull()
  })

  test('is nothing before the first message of a side', async () => {
    expect(await sealVolatile(meeting.guest, 0, true)).toBeNull()
    expect(await sealVolatile(meeting.owner, 0, true)).toBeNull()
    expect(await openVolatile(meeting.owner, await typing(bob, 0), null)).toBeNull()
  })

  test('is nothing when it comes before or after the place that it was sent at', async () => {
    const sides = await converse(people.bob, people.alice, meeting)
    const early = await typing(sides.bob, 0)
    const bytes = await say(sides.bob, text('done'))
    const ahead = await typing(sides.bob, 0)
    expect(await openVolatile(sides.alice.ratchet, ahead, null)).toBeNull()
    const fresh = await converse(people.bob, people.alice, meeting)
    await deliver(fresh.bob, fresh.alice, text('done'))
    expect(await openVolatile(fresh.alice.ratchet, early, null)).toBeNull()
    expect(bytes.length).toBeGreaterThan(0)
  })

  test('given back to its sender is nothing', async () => {
    expect(await openVolatile(bob.ratchet, await typing(bob, 0), null)).toBeNull()
  })

  test('has a counter that never starts again by itself', async () => {
    expect(await codeOf(sealVolatile(bob.ratchet, 2 ** 32, true))).toBe('spent')
    expect(await codeOf(sealVolatile(bob.ratchet, -1, true))).toBe('spent')
  })
})
