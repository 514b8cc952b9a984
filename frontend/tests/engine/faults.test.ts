import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import type { Item } from '../../src/transport/wire'
import { aPair, goHome, identities, meetingOf, settle, type Person, type World } from './world'

let keys: Identity[]
let world: World
let alice: Person
let bob: Person

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(begin)

afterEach(end)

async function begin(): Promise<void> {
  ;({ world, alice, bob } = await aPair(keys))
}

async function end(): Promise<void> {
  vi.useRealTimers()
  await goHome(alice, bob)
}

const meet = (): Promise<string> => meetingOf(alice, bob)

describe('a message that does not come through', () => {
  const isMessage = (item: Item) => item.kind === 'message'

  it('is fetched again, and nothing is shown out of order meanwhile', async () => {
    const id = await meet()
    let spoiled = 0
    world.tamper = (item, to) => {
      if (to !== bob || !isMessage(item) || spoiled > 0) return item
      spoiled += 1
      const body = item.body.slice()
      body[100] = (body[100] ?? 0) ^ 1
      return { ...item, body }
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await alice.say(id, 'first')
    await alice.say(id, 'second')
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual([])
    await vi.advanceTimersByTimeAsync(1_000)
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['first', 'second'])
  })

  it('is not given up while this browser has no room for the one before it', async () => {
    const id = await meet()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    bob.befalls = (step) => (step === 'write' ? 'disk full' : null)
    await alice.say(id, 'first')
    await alice.say(id, 'second')
    await settle(alice, bob)
    await vi.advanceTimersByTimeAsync(60_000)
    expect([bob.phase(id), bob.texts(id)]).toEqual(['open', []])
    bob.befalls = () => null
    await vi.advanceTimersByTimeAsync(2_000)
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['first', 'second'])
  })

  it('breaks the conversation when it is withheld for half a minute', async () => {
    const id = await meet()
    const first = world.sessions.get(id)?.items.length ?? 0
    world.tamper = (item, to) => (to === bob && item.seq === first + 1 ? null : item)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await alice.say(id, 'withheld')
    await alice.say(id, 'shown instead')
    await settle(alice, bob)
    for (let second = 0; second < 31; second++) {
      expect(bob.phase(id)).toBe('open')
      await vi.advanceTimersByTimeAsync(1_000)
      await settle(bob)
      if (bob.phase(id) === 'broken') break
    }
    expect(bob.phase(id)).toBe('broken')
    expect(bob.texts(id)).toEqual([])
  })

  it('is neither lost nor shown twice when it is delivered several times', async () => {
    const id = await meet()
    await alice.say(id, 'once')
    await settle(alice, bob)
    for (const item of world.sessions.get(id)?.items ?? []) bob.receive(item)
    await settle(bob)
    expect(bob.texts(id)).toEqual(['once'])
    expect(bob.phase(id)).toBe('open')
  })

  it('of another session or reflected is not taken', async () => {
    const id = await meet()
    await alice.say(id, 'mine')
    await settle(alice, bob)
    const items = world.sessions.get(id)?.items ?? []
    const last = items.at(-1)
    if (!last) throw new Error('nothing was stored')
    alice.receive({ ...last, seq: items.length + 1, sender: 1 })
    await settle(alice, bob)
    expect(alice.texts(id)).toEqual(['mine'])
    expect(alice.phase(id)).toBe('open')
  })
})
