import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import type { Item } from '../../src/transport/wire'
import { aPair, goHome, identities, meetingOf, settle, type Person, type World } from './world'

/** A server that means ill, one row an attack: what Bob's page shows of Alice's two messages. */

let keys: Identity[]
let world: World
let alice: Person
let bob: Person

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(async () => {
  ;({ world, alice, bob } = await aPair(keys))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(async () => {
  vi.useRealTimers()
  await goHome(alice, bob)
})

/** Alice says these, and the server keeps them back. */
async function heldBack(...texts: string[]): Promise<{ id: string; items: Item[] }> {
  const id = await meetingOf(alice, bob)
  const items: Item[] = []
  world.tamper = (item, to) => {
    if (to !== bob) return item
    items.push(item)
    return null
  }
  for (const text of texts) await alice.say(id, text)
  await settle(alice, bob)
  world.tamper = (item) => item
  return { id, items }
}

async function deliver(items: readonly Item[]): Promise<void> {
  for (const item of items) bob.receive(item)
  await settle(bob)
}

const flipped = (item: Item, at: number): Item => ({
  ...item,
  body: item.body.map((byte, index) => (index === at ? byte ^ 1 : byte)),
})

/** The smallest frame and its tag, after the header (PROTOCOL §6, §7). */
const HEADER_BYTES = 60
const MESSAGE_BYTES = HEADER_BYTES + 256 + 16

it('a message with any one byte of its sealed body changed is not shown, and the true one still is', async () => {
  const id = await meetingOf(alice, bob)
  for (let at = HEADER_BYTES; at < MESSAGE_BYTES; at++) {
    let isTrue = false
    world.tamper = (item, to) => (to === bob && !isTrue ? flipped(item, at) : item)
    await alice.say(id, `text ${at}`)
    await settle(alice, bob)
    expect(bob.texts(id), `byte ${at}`).toHaveLength(at - HEADER_BYTES)
    isTrue = true
    bob.resync(bob.house.cursors)
    await vi.advanceTimersByTimeAsync(1_000)
    await settle(alice, bob)
    expect(bob.texts(id).at(-1), `byte ${at}`).toBe(`text ${at}`)
  }
  expect(bob.phase(id)).toBe('open')
}, 60_000)

type Attack = (items: readonly Item[]) => Item[]

it.each<[string, Attack]>([
  ['swaps two messages', (items) => items.toReversed()],
  ['delivers each message twice', (items) => items.flatMap((item) => [item, item])],
  ['repeats all after the end of it', (items) => [...items, ...items]],
  ['drops the first', (items) => items.slice(1)],
  ['gives a message the next one’s place', ([a, b]) => (a && b ? [{ ...b, seq: a.seq }] : [])],
  ['delivers nothing', () => []],
])(
  'a server that %s shows nothing twice or out of order, and the rest once it is true',
  async (_, attack) => {
    const { id, items } = await heldBack('one', 'two')
    await deliver(attack(items))
    const shown = bob.texts(id)
    expect(['one', 'two'].slice(0, shown.length)).toEqual(shown)
    bob.resync(bob.house.cursors)
    await vi.advanceTimersByTimeAsync(1_000)
    await settle(bob)
    expect(bob.texts(id)).toEqual(['one', 'two'])
    expect(bob.phase(id)).toBe('open')
  },
)

it('a message that the server gives out as Bob’s own breaks the conversation, and is not shown', async () => {
  const { id, items } = await heldBack('one')
  await deliver(items.map((item) => ({ ...item, sender: 0 as const })))
  expect(bob.texts(id)).toEqual([])
  expect(bob.phase(id)).toBe('broken')
})
