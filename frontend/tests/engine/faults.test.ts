import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import fc from 'fast-check'
import { toHex, type Identity } from '../../src/protocol'
import { openDatabase, STORES } from '../../src/vault/database'
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

/** A copy of the browser's profile, to be put back later. */
async function copyOf(person: Person): Promise<() => Promise<void>> {
  const db = await openDatabase(person.vaultName)
  const copy = await Promise.all(
    STORES.map(async (store) => ({
      store,
      keys: await db.getAllKeys(store),
      values: await db.getAll(store),
    })),
  )
  db.close()
  return async () => {
    const again = await openDatabase(person.vaultName)
    for (const { store, keys: at, values } of copy) {
      await again.clear(store)
      for (const [index, key] of at.entries()) {
        await again.put(store, values[index] as never, key as never)
      }
    }
    again.close()
  }
}

async function messageKeys(person: Person, id: string): Promise<string[]> {
  const info = world.sessions.get(id)
  if (!info) throw new Error('no such session')
  const key = await person.house.keyOf(id, world.halfOf(id, person.hash))
  const records = await person.house.room.vault.readRecords(key, id)
  return records.flatMap((record) => (record.key ? [toHex(record.key)] : []))
}

describe('a browser whose profile was put back to an older state', () => {
  it('sends nothing, and says that it is broken, when the server has what it does not know', async () => {
    const id = await meet()
    const putBack = await copyOf(bob)
    await bob.say(id, 'after the copy')
    await settle(alice, bob)
    bob.disconnect()
    await putBack()
    const sent = world.sessions.get(id)?.items.length
    await bob.reload()
    await settle(alice, bob)
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'broken' })
    await expect(bob.say(id, 'never')).rejects.toMatchObject({ code: 'not-open' })
    expect(world.sessions.get(id)?.items.length).toBe(sent)
  })

  it('uses no key and nonce twice for what never reached the server', async () => {
    const id = await meet()
    bob.deaf = true
    const putBack = await copyOf(bob)
    await bob.say(id, 'one future')
    await settle(bob)
    const before = await messageKeys(bob, id)
    await putBack()
    await bob.reload()
    await settle(bob)
    await bob.say(id, 'another future')
    const after = await messageKeys(bob, id)
    expect(after.length).toBe(before.length)
    expect(after.at(-1)).not.toBe(before.at(-1))
  })
})

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

describe('whatever happens in between', () => {
  type Event = readonly [
    who: 'alice' | 'bob',
    what: 'say' | 'reload' | 'away' | 'back' | 'deaf' | 'settle',
  ]
  const events: fc.Arbitrary<Event[]> = fc.array(
    fc.tuple(
      fc.constantFrom('alice' as const, 'bob' as const),
      fc.constantFrom(
        'say' as const,
        'say' as const,
        'reload' as const,
        'away' as const,
        'back' as const,
        'deaf' as const,
        'settle' as const,
      ),
    ),
    { maxLength: 14 },
  )

  async function play(id: string, [who, what]: Event, said: Record<string, string[]>) {
    const person = who === 'alice' ? alice : bob
    switch (what) {
      case 'say': {
        const text = `${who} ${said[who]?.length ?? 0}`
        said[who]?.push(text)
        return person.say(id, text)
      }
      case 'reload':
        await person.reload()
        return settle(person)
      case 'away':
        return person.disconnect()
      case 'back':
        return person.online ? undefined : person.connect()
      case 'deaf':
        person.deaf = !person.deaf
        return undefined
      case 'settle':
        return settle(alice, bob)
    }
  }

  it('both end with everything that was said, each in its sender’s order', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        await end()
        await begin()
        const id = await meet()
        const said: Record<string, string[]> = { alice: [], bob: [] }
        for (const event of all) await play(id, event, said)
        for (const person of [alice, bob]) {
          person.deaf = false
          await person.reload()
        }
        await settle(alice, bob)
        await new Promise((resolve) => setTimeout(resolve, 5))
        await settle(alice, bob)
        for (const person of [alice, bob]) {
          const texts = person.texts(id)
          expect(texts.filter((text) => text.startsWith('alice'))).toEqual(said.alice)
          expect(texts.filter((text) => text.startsWith('bob'))).toEqual(said.bob)
        }
        const used = [...(await messageKeys(alice, id)), ...(await messageKeys(bob, id))]
        expect(new Set(used).size * 2).toBe(used.length)
      }),
      { numRuns: Number(process.env.ENGINE_RUNS ?? 25) },
    )
  }, 120_000)
})
