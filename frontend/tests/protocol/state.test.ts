import { decode, encode } from '@msgpack/msgpack'
import { beforeAll, describe, expect, test } from 'vitest'

import {
  decodePending,
  decodeRatchet,
  encodePending,
  encodeRatchet,
  makeOffer,
  makeSecret,
  type Bytes,
  type Pending,
  type Ratchet,
} from '../../src/protocol'
import { codeOf, converse, flip, kem, makePeople, meet, upTo } from './people'

let states: Ratchet[]
let pendings: Pending[]

beforeAll(async () => {
  const { alice, bob } = await makePeople()
  const meeting = await meet(bob, alice, null)
  const sides = await converse(bob, alice, meeting)
  states = [meeting.guest, meeting.owner, sides.bob.ratchet, sides.alice.ratchet]
  const offers = [makeOffer(kem, bob, alice, null), makeOffer(kem, bob, alice, makeSecret())]
  pendings = (await Promise.all(offers)).map(({ pending }) => pending)
})

/** The stored form with a member changed; undefined takes it out. */
function changed(bytes: Bytes, change: Record<string, unknown>): Bytes {
  const map = decode(bytes)
  const merged = Object.assign({}, map, change)
  return Uint8Array.from(encode(merged, { ignoreUndefined: true }))
}

describe('a stored state', () => {
  test('comes back as it was, at every point of a conversation', () => {
    for (const state of states) expect(decodeRatchet(encodeRatchet(state))).toEqual(state)
  })

  test('does not share memory with the bytes that it was read from', () => {
    for (const state of states) {
      const bytes = encodeRatchet(state)
      const read = decodeRatchet(bytes)
      bytes.fill(0)
      expect(read).toEqual(state)
    }
  })

  test('with any byte changed is refused, or is plainly another state', async () => {
    for (const state of states.slice(1, 3)) {
      const bytes = encodeRatchet(state)
      for (const index of upTo(bytes.length, 7)) {
        const read = await readOr(() => decodeRatchet(flip(bytes, index)))
        expect(read).not.toEqual(state)
      }
    }
  })

  test.each([
    ['a member that nobody knows', { extra: 1 }],
    ['no session', { session_id: undefined }],
    ['a short session', { session_id: new Uint8Array(31) }],
    ['a third role', { role: 2 }],
    ['another format', { format: 2 }],
    ['a short root', { root: new Uint8Array(16) }],
    ['text for a root', { root: 'a'.repeat(32) }],
    ['an even modulus', { peer_modulus: new Uint8Array(384).fill(0xfe) }],
    ['a small modulus', { peer_modulus: new Uint8Array(256).fill(0xff) }],
    ["nobody's turn", { turn: null }],
    ['a turn of both', { turn: { whose: 'both', epoch: 1 } }],
    ['a turn with a short key', { turn: { whose: 'mine', epoch: 1, ek: new Uint8Array(1215) } }],
    [
      'a turn with both keys',
      { turn: { whose: 'theirs', epoch: 1, dk: new Uint8Array(32), ek: null } },
    ],
    ['a chain without a key', { sending: { epoch: 1 } }],
    ['a chain of a list', { receiving: [1, new Uint8Array(32)] }],
    ['a negative count', { sent: -1 }],
    ['a count of text', { taken: '1' }],
    ['a broken count', { seen: 0.5 }],
    ['no version', { version: null }],
  ])('is refused with %s', async (_, change) => {
    for (const state of states) {
      expect(await codeOf(() => decodeRatchet(changed(encodeRatchet(state), change)))).toBe('state')
    }
  })

  test('is refused when it is cut, longer, or nothing at all', async () => {
    for (const bytes of states.map(encodeRatchet)) {
      const longer = new Uint8Array(bytes.length + 1)
      longer.set(bytes)
      for (const bad of [bytes.slice(1), bytes.slice(0, -1), longer, new Uint8Array(0)]) {
        expect(await codeOf(() => decodeRatchet(bad))).toBe('state')
      }
    }
  })
})

describe('a stored offer that waits', () => {
  test('comes back as it was, with a secret and without', () => {
    for (const pending of pendings) expect(decodePending(encodePending(pending))).toEqual(pending)
  })

  test.each([
    ['a member that nobody knows', { extra: 1 }],
    ['another format', { format: 0 }],
    ['a short offer', { offer: new Uint8Array(2081) }],
    ['a short secret', { secret: new Uint8Array(15) }],
    ['no word on its secret', { secret: undefined }],
    ['a short seed', { dk: new Uint8Array(31) }],
    ['a small modulus', { responder_modulus: new Uint8Array(383).fill(0xff) }],
  ])('is refused with %s', async (_, change) => {
    for (const pending of pendings) {
      expect(await codeOf(() => decodePending(changed(encodePending(pending), change)))).toBe(
        'state',
      )
    }
  })

  test('is not taken for a ratchet, nor a ratchet for it', async () => {
    for (const state of states)
      expect(await codeOf(() => decodePending(encodeRatchet(state)))).toBe('state')
    for (const pending of pendings) {
      expect(await codeOf(() => decodeRatchet(encodePending(pending)))).toBe('state')
    }
  })
})

async function readOr(read: () => Ratchet): Promise<Ratchet | string> {
  try {
    return read()
  } catch (error) {
    return codeOf(() => {
      throw error
    })
  }
}
