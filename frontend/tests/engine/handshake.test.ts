import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import * as owner from '../../src/engine/owner'
import { wordsFor } from '../../src/engine/words'
import { Refused } from '../../src/transport/errors'
import type { Request } from '../../src/transport/wire'
import { goHome, identities, Person, settle, World } from './world'

let keys: Identity[]
let world: World
let alice: Person
let bob: Person
let mallory: Person

beforeAll(async () => {
  keys = await identities(3)
})

beforeEach(async () => {
  world = new World()
  const arrived = keys.map((key) => Person.arrive(world, key))
  const [first, second, third] = await Promise.all(arrived)
  if (!first || !second || !third) throw new Error('three identities are needed')
  ;[alice, bob, mallory] = [first, second, third]
  for (const person of [alice, bob, mallory]) person.connect()
})

afterEach(async () => {
  vi.useRealTimers()
  await goHome(alice, bob, mallory)
})

/** Refuses a person's next request of a kind, as the server would. */
function refuseOnce(person: Person, kind: Request['t'], code: string, retryAfter: number): void {
  const request = person.request.bind(person)
  let refused = false
  person.request = (asked) => {
    if (asked.t !== kind || refused) return request(asked)
    refused = true
    return Promise.reject(new Refused(code, false, retryAfter))
  }
}

/** Work that nobody waits for has no end that a test could await. */
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000 })

describe('a link', () => {
  it('turns the second one away, also when the page was killed right after the first hello', async () => {
    const link = await alice.link()
    world.tamper = (item, to) => (to !== alice && item.kind === 'answer' ? null : item)
    const first = await bob.join(link)
    const second = await mallory.join(link)
    await settle(alice, bob, mallory)
    // The page dies before it can turn the second one away.
    const forget = alice.house.room.vault.forget
    alice.house.room.vault.forget = () => Promise.resolve()
    const ask = alice.request
    alice.request = (asked) =>
      asked.t === 'decline'
        ? Promise.reject(new Refused('unavailable', false, null))
        : ask.call(alice, asked)
    world.tamper = (item) => item
    await bob.reload()
    await settle(alice, bob)
    expect(alice.phase(first)).toBe('open')
    alice.house.room.vault.forget = forget
    alice.request = ask
    await alice.reload()
    await settle(alice)
    await mallory.reload()
    await settle(alice, bob, mallory)
    expect(alice.phase(second)).toBeUndefined()
    expect(mallory.conversations.get(second)?.endedWhy).toBe('link-used')
    expect([alice.phase(first), bob.phase(first)]).toEqual(['open', 'open'])
  })

  it('stays withdrawn when an offer was just being answered under it', async () => {
    const made = await alice.house.links.make(null)
    const begin = alice.house.begin.bind(alice.house)
    alice.house.begin = async (info, change) => {
      await owner.withdraw(alice.house, made.id)
      return begin(info, change)
    }
    const id = await bob.join(made.url)
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('joining')
    expect(await alice.house.room.vault.readLinks()).toEqual([])
    expect(alice.house.conversations.size).toBe(0)
  })

  it('that was withdrawn lets nobody in by an answer that was on its way', async () => {
    const made = await alice.house.links.make(null)
    world.tamper = (item) => (item.kind === 'answer' ? null : item)
    const id = await bob.join(made.url)
    await settle(alice, bob)
    // The page dies before it has told the one who waits.
    await alice.house.links.withdraw(made.id)
    world.tamper = (item) => item
    await alice.reload()
    await bob.reload()
    await settle(alice, bob)
    expect(alice.phase(id)).toBeUndefined()
    expect(bob.conversations.get(id)?.endedWhy).toBe('link-used')
  })
})

describe('an owner who accepted a request', () => {
  it('is left with nothing when the one who asked had just gone', async () => {
    const id = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    const newState = alice.house.newState.bind(alice.house)
    alice.house.newState = (begins) => {
      alice.house.dismissAsking(id)
      return newState(begins)
    }
    await owner.accept(alice.house, id)
    await settle(alice, bob)
    expect(alice.conversations.has(id)).toBe(false)
    expect(await alice.house.room.vault.conversationIds()).toEqual([])
  })

  it('may press the button twice', async () => {
    const id = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    await Promise.all([owner.accept(alice.house, id), owner.accept(alice.house, id)])
    await settle(alice, bob)
    expect([alice.phase(id), bob.phase(id)]).toEqual(['open', 'open'])
  })

  it('may write before the guest is back, and it arrives', async () => {
    const id = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    bob.disconnect()
    await owner.accept(alice.house, id)
    await settle(alice)
    await alice.say(id, 'welcome')
    expect(alice.deliveries(id)).toEqual(['waiting'])
    bob.connect()
    await until(() => expect(bob.texts(id)).toEqual(['welcome']))
    expect(alice.texts(id)).toEqual(['welcome'])
  })
})

describe('a server with trouble', () => {
  it('gets the offer again by itself', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    refuseOnce(bob, 'offer', 'unavailable', 1)
    const id = await bob.join(await alice.link())
    expect(world.sessions.size).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000)
    await until(() => expect(bob.phase(id)).toBe('open'))
  })

  it('gets the answer again by itself', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    refuseOnce(alice, 'answer', 'too_fast', 1)
    const id = await bob.join(await alice.link())
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('joining')
    await vi.advanceTimersByTimeAsync(1_000)
    await until(() => expect(bob.phase(id)).toBe('open'))
  })

  it('that holds another answer lets nobody wait for a hello to ours: the owner reads that it broke', async () => {
    const request = alice.request.bind(alice)
    alice.request = (asked) =>
      asked.t === 'answer' ? Promise.reject(new Refused('conflict', true, null)) : request(asked)
    const id = await bob.join(await alice.link())
    await settle(alice, bob)
    expect(alice.conversations.get(id)?.brokenWhy).toBe(wordsFor('rolled-back'))
  })

  it('loses nothing that was written while the offer waited', async () => {
    const request = bob.request.bind(bob)
    bob.request = (asked) => {
      if (asked.t === 'offer') bob.disconnect()
      return request(asked)
    }
    const id = await bob.join(await alice.link())
    bob.request = request
    await bob.say(id, 'still here')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    refuseOnce(bob, 'offer', 'full', 60)
    bob.connect()
    await settle(bob)
    expect(bob.texts(id)).toEqual(['still here'])
    await vi.advanceTimersByTimeAsync(60_000)
    await until(() => expect(alice.texts(id)).toEqual(['still here']))
  })
})

describe('an attempt that failed', () => {
  it('keeps none of the handshake’s secrets', async () => {
    world.tamper = (item) => {
      if (item.kind !== 'answer') return item
      const body = item.body.slice()
      body[2_785] = (body[2_785] ?? 0) ^ 1
      return { ...item, body }
    }
    const id = await bob.join(await alice.link())
    await settle(alice, bob)
    const key = await bob.house.keyOf(id, world.halfOf(id, bob.hash))
    const held = await bob.house.room.vault.read(key, id)
    expect(held?.state).toMatchObject({ broken: 'bad-answer', pending: null })
  })
})

describe('texts that wait for the owner', () => {
  it('go on waiting, in order, where the browser could not write for a moment', async () => {
    const link = await alice.link()
    alice.disconnect()
    const id = await bob.join(link)
    await bob.say(id, 'one')
    vi.stubGlobal('reportError', () => {})
    const { vault } = bob.house.room
    const commit = vault.commit.bind(vault)
    let failed = 0
    vault.commit = (...change) => {
      if (!change[3].sentDrafts?.length) return commit(...change)
      failed += 1
      return Promise.reject(new Error('no room'))
    }
    alice.connect()
    await until(() => expect(failed).toBe(1))
    await settle(alice, bob)
    vault.commit = commit
    await bob.say(id, 'two')
    await until(() => expect(alice.texts(id)).toEqual(['one', 'two']))
    vi.unstubAllGlobals()
  })

  it('are all sent, also one that is written in the moment of sending', async () => {
    const link = await alice.link()
    alice.disconnect()
    const id = await bob.join(link)
    await bob.say(id, 'one')
    const { vault } = bob.house.room
    let said: Promise<void> | undefined
    const readDrafts = vault.readDrafts.bind(vault)
    vault.readDrafts = async (key, session) => {
      const drafts = await readDrafts(key, session)
      // Something else goes on in the conversation, and the person writes meanwhile.
      void bob.house.conversations.get(id)?.markCompared()
      said ??= bob.say(id, 'two')
      return drafts
    }
    alice.connect()
    await settle(alice, bob)
    await said
    await until(() => expect(alice.texts(id)).toEqual(['one', 'two']))
    expect(bob.texts(id)).toEqual(['one', 'two'])
  })
})
