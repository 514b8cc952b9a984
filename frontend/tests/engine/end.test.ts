import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import type { SessionInfo } from '../../src/transport/wire'
import { aPair, goHome, identities, meetingOf, settle, type Person, type World } from './world'

let keys: Identity[]
let world: World
let alice: Person
let bob: Person

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(async () => {
  ;({ world, alice, bob } = await aPair(keys))
})

afterEach(async () => {
  vi.useRealTimers()
  await goHome(alice, bob)
})

const meet = (): Promise<string> => meetingOf(alice, bob)

function conversationOf(person: Person, id: string) {
  const conversation = person.house.conversations.get(id)
  if (!conversation) throw new Error('no such conversation')
  return conversation
}

function sessionOf(id: string) {
  const session = world.sessions.get(id)
  if (!session) throw new Error('no such session')
  return session
}

describe('a broken conversation', () => {
  it('stays broken when it broke in the middle of a send, and sends nothing', async () => {
    const id = await meet()
    const conversation = conversationOf(bob, id)
    const { vault } = bob.house.room
    const commit = vault.commit.bind(vault)
    vault.commit = async (...change) => {
      conversation.refused('conflict', null)
      return commit(...change)
    }
    const before = sessionOf(id).items.length
    await bob.say(id, 'into the break')
    vault.commit = commit
    await settle(alice, bob)
    expect(conversation.phase).toBe('broken')
    await expect(bob.say(id, 'after it')).rejects.toMatchObject({ code: 'not-open' })
    expect(sessionOf(id).items.length).toBe(before)
  })

  it('sends nothing after a reload either', async () => {
    const id = await meet()
    bob.deaf = true
    await bob.say(id, 'waiting')
    conversationOf(bob, id).refused('conflict', null)
    await settle(bob)
    const before = sessionOf(id).items.length
    bob.deaf = false
    await bob.reload()
    await settle(alice, bob)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('broken')
    expect(sessionOf(id).items.length).toBe(before)
  })

  it('is not covered up by the server’s saying that it ended', async () => {
    const id = await meet()
    conversationOf(bob, id).refused('conflict', null)
    world.end(sessionOf(id), 'left')
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('broken')
    expect(await bob.house.room.vault.conversationIds()).toEqual([])
  })

  it('leaves nothing in the browser when its time is up', async () => {
    const id = await meet()
    conversationOf(bob, id).refused('conflict', null)
    await settle(bob)
    world.pass(900)
    bob.house.checkDeadlines()
    await settle(bob)
    expect(bob.phase(id)).toBe('broken')
    expect(await bob.house.room.vault.conversationIds()).toEqual([])
  })

  it('comes of a missing message also when the server says nothing more', async () => {
    const id = await meet()
    const first = sessionOf(id).items.length
    world.tamper = (item, to) => (to === bob && item.seq === first + 1 ? null : item)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await alice.say(id, 'withheld')
    await alice.say(id, 'shown instead')
    await settle(alice, bob)
    world.tamper = (item, to) => (to === bob ? null : item)
    for (let second = 0; second < 30; second++) {
      expect(bob.phase(id)).toBe('open')
      await vi.advanceTimersByTimeAsync(1_000)
      await settle(bob)
    }
    expect(bob.phase(id)).toBe('broken')
  })

  it('does not come of having been offline while a message was missing', async () => {
    const id = await meet()
    const first = sessionOf(id).items.length
    world.tamper = (item, to) => (to === bob && item.seq === first + 1 ? null : item)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await alice.say(id, 'one')
    await alice.say(id, 'two')
    await settle(alice, bob)
    bob.disconnect()
    await vi.advanceTimersByTimeAsync(60_000)
    world.tamper = (item) => item
    bob.connect()
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['one', 'two'])
  })
})

describe('the time without a message', () => {
  it('is looked at before anything is shown after a reload', async () => {
    const id = await meet()
    await alice.say(id, 'long ago')
    await settle(alice, bob)
    world.pass(901)
    await bob.reload()
    await settle(bob)
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'expired' })
    expect(bob.texts(id)).toEqual([])
    expect(sessionOf(id).state).toBe('ended')
  })

  it('is looked at before a message is sent or taken', async () => {
    const id = await meet()
    world.pass(901)
    await expect(bob.say(id, 'too late')).rejects.toMatchObject({ code: 'not-open' })
    expect(bob.phase(id)).toBe('ended')
  })

  it('is not made longer by a message that comes after it', async () => {
    const id = await meet()
    bob.disconnect()
    world.pass(500)
    await alice.say(id, 'on its way')
    const late = sessionOf(id).items.at(-1)
    if (!late) throw new Error('nothing was stored')
    await settle(alice)
    world.pass(401)
    bob.online = true
    bob.receive(late)
    await settle(bob)
    expect(bob.phase(id)).toBe('ended')
  })

  it('is not made longer by acks where the wall clock was set back', async () => {
    const id = await meet()
    world.wall -= 3_600_000
    world.tick += 800_000
    await conversationOf(bob, id).markCompared()
    world.tick += 100_000
    bob.house.checkDeadlines()
    expect(bob.phase(id)).toBe('ended')
  })

  it('is a day at most, whatever the server says at the beginning', async () => {
    const info = world.infoFor.bind(world)
    world.infoFor = (session, person): SessionInfo => ({
      ...info(session, person),
      ttl: 0xffff_ffff,
    })
    const id = await meet()
    expect(alice.conversations.get(id)?.ttlSeconds).toBeLessThanOrEqual(24 * 3600)
    const conversation = conversationOf(alice, id)
    await conversation.send({ t: 'timer', at: world.wall, seconds: 0xffff_ffff })
    await settle(alice, bob)
    world.pass(24 * 3600)
    alice.house.checkDeadlines()
    expect(alice.phase(id)).toBe('ended')
  })
})

describe('a time that the peer sealed', () => {
  it.each([
    [0, 60],
    [1, 60],
    [600, 600],
    [0xffff_ffff, 86_400],
  ])('of %d seconds is obeyed, and shown, as %d', async (sealed, obeyed) => {
    const info = world.infoFor.bind(world)
    world.infoFor = (session, person): SessionInfo => ({ ...info(session, person), ttl: 86_400 })
    const id = await meet()
    await conversationOf(bob, id).send({ t: 'timer', at: world.wall, seconds: sealed })
    await settle(alice, bob)
    expect(alice.phase(id)).toBe('open')
    const shown = { kind: 'timer', seconds: obeyed }
    expect(alice.lines(id).map(({ body }) => body)).toContainEqual(shown)
    expect(conversationOf(alice, id).state.ttlSeconds).toBe(obeyed)
  })
})

describe('after its end', () => {
  it('a conversation holds no text and no key any more', async () => {
    const id = await meet()
    await alice.say(id, 'secret')
    await settle(alice, bob)
    const conversation = conversationOf(bob, id)
    conversation.end('left')
    await settle(bob)
    expect(conversation.state).toMatchObject({ pending: null, answer: null, ratchet: null })
    bob.messages.clear()
    conversation.retell()
    expect(bob.texts(id)).toEqual([])
  })

  it('stays empty when it came in the middle of a send', async () => {
    const id = await meet()
    const conversation = conversationOf(bob, id)
    const { vault } = bob.house.room
    const commit = vault.commit.bind(vault)
    vault.commit = async (...change) => {
      conversation.end('left')
      return commit(...change)
    }
    await bob.say(id, 'into the end').catch(() => undefined)
    await settle(bob)
    expect(conversation.state.ratchet).toBeNull()
    expect(await vault.conversationIds()).toEqual([])
  })

  it('the server is told on return where this side left while it was away', async () => {
    const id = await meet()
    bob.disconnect()
    conversationOf(bob, id).end('left')
    await settle(bob)
    expect(sessionOf(id).state).toBe('open')
    bob.connect()
    await settle(alice, bob)
    expect(sessionOf(id).state).toBe('ended')
    expect(alice.phase(id)).toBe('ended')
  })

  it('the server is asked for nothing of it after a reconnect', async () => {
    const id = await meet()
    expect(Object.keys(bob.house.cursors)).toEqual([id])
    conversationOf(bob, id).end('left')
    expect(bob.house.cursors).toEqual({})
  })
})

describe('what one conversation meets', () => {
  it('ends no other: one that can’t be read leaves the rest as they are', async () => {
    const first = await meet()
    const second = await meet()
    vi.stubGlobal('reportError', () => {})
    const conversation = conversationOf(bob, first)
    conversation.informed = () => Promise.reject(new Error('the disk has a moment'))
    bob.disconnect()
    bob.connect()
    await settle(alice, bob)
    expect(bob.phase(second)).toBe('open')
    expect(await bob.house.room.vault.conversationIds()).toContain(second)
    vi.unstubAllGlobals()
  })
})

describe('before all that was said has been read again', () => {
  it('nothing is sent', async () => {
    const id = await meet()
    await bob.say(id, 'before')
    await settle(alice, bob)
    const resync = bob.resync
    bob.resync = () => {}
    await bob.reload()
    await settle(bob)
    await expect(conversationOf(bob, id).keepOn()).rejects.toMatchObject({ code: 'not-open' })
    bob.resync = resync
    bob.connect()
    await settle(alice, bob)
    await conversationOf(bob, id).keepOn()
  })
})
