import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Identity } from '../../src/protocol'
import * as owner from '../../src/engine/owner'
import { goHome, identities, meetingOf, Person, settle, World } from './world'

let keys: Identity[]
let world: World
let alice: Person
let bob: Person
const everybody: Person[] = []

async function arrive(index: number): Promise<Person> {
  const key = keys[index]
  if (!key) throw new Error('make more identities')
  const person = await Person.arrive(world, key)
  everybody.push(person)
  return person
}

beforeAll(async () => {
  keys = await identities(3)
})

beforeEach(async () => {
  world = new World()
  alice = await arrive(0)
  bob = await arrive(1)
  alice.connect()
  bob.connect()
})

afterEach(async () => {
  await goHome(...everybody.splice(0))
})

const meet = (): Promise<string> => meetingOf(alice, bob, 'Bob')

describe('meeting', () => {
  it('opens on both sides when a guest joins by a link', async () => {
    const id = await meet()
    expect(alice.phase(id)).toBe('open')
    expect(bob.phase(id)).toBe('open')
    expect(alice.conversations.get(id)).toMatchObject({ name: 'Bob', verified: 'link' })
    expect(bob.conversations.get(id)).toMatchObject({ peer: alice.hash, verified: 'link' })
  })

  it('lets the guest write before the owner is back, and delivers in order', async () => {
    const link = await alice.link()
    alice.disconnect()
    const id = await bob.join(link)
    await bob.say(id, 'one')
    await bob.say(id, 'two')
    expect(bob.phase(id)).toBe('joining')
    expect(bob.deliveries(id)).toEqual(['waiting', 'waiting'])
    alice.connect()
    await settle(alice, bob)
    expect(alice.texts(id)).toEqual(['one', 'two'])
    expect(bob.texts(id)).toEqual(['one', 'two'])
  })

  it('keeps what the guest wrote through a reload before the owner is back', async () => {
    const link = await alice.link()
    alice.disconnect()
    const id = await bob.join(link)
    await bob.say(id, 'still here')
    await bob.reload()
    await settle(bob)
    expect(bob.texts(id)).toEqual(['still here'])
    alice.connect()
    await settle(alice, bob)
    expect(alice.texts(id)).toEqual(['still here'])
  })

  it('turns a third person with a used link away, and tells both', async () => {
    const link = await alice.link('Bob')
    await bob.join(link)
    await settle(alice, bob)
    const mallory = await arrive(2)
    mallory.connect()
    const id = await mallory.join(link)
    await settle(alice, bob, mallory)
    expect(mallory.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'link-used' })
    expect(alice.notices).toEqual([{ kind: 'link-tried-again', name: 'Bob' }])
    expect(alice.conversations.has(id)).toBe(false)
  })

  it('shows a request without a link as unverified, and opens it only when accepted', async () => {
    const id = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    expect(alice.conversations.get(id)).toMatchObject({ phase: 'request', verified: 'none' })
    expect(bob.phase(id)).toBe('asking')
    await owner.accept(alice.house, id)
    await settle(alice, bob)
    expect([alice.phase(id), bob.phase(id)]).toEqual(['open', 'open'])
    expect(alice.conversations.get(id)?.verified).toBe('none')
  })

  it('tells the one who asked that the request was declined', async () => {
    const id = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    await owner.decline(alice.house, id)
    await settle(alice, bob)
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'declined' })
    expect(alice.conversations.has(id)).toBe(false)
  })

  it('answers nobody under a link that was withdrawn', async () => {
    const made = await alice.house.links.make(null)
    await owner.withdraw(alice.house, made.id)
    const id = await bob.join(made.url)
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('joining')
    expect(alice.conversations.size).toBe(0)
  })

  it('takes no place with an offer that no link of its owner made', async () => {
    const made = await alice.house.links.make(null)
    await owner.withdraw(alice.house, made.id)
    const id = await bob.join(made.url)
    await settle(alice, bob)
    expect([...world.unread]).toEqual([id])
    expect(bob.phase(id)).toBe('joining')
  })

  it('leaves requests unread for whoever wants links alone, also after a reload', async () => {
    const before = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    await owner.wantLinks(alice.house, true)
    await settle(alice, bob)
    expect(alice.conversations.has(before)).toBe(false)
    await alice.reload()
    const after = await bob.join(`#${alice.hash}`)
    await settle(alice, bob)
    expect(alice.conversations.size).toBe(0)
    expect([...world.unread]).toEqual([before, after])
    expect([bob.phase(before), bob.phase(after)]).toEqual(['asking', 'asking'])
    const invited = await bob.join(await alice.link())
    await settle(alice, bob)
    expect(alice.phase(invited)).toBe('open')
  })

  it('offers the same bytes again when the first try was lost', async () => {
    const link = await alice.link()
    const request = bob.request.bind(bob)
    bob.request = (asked) => {
      if (asked.t === 'offer') bob.disconnect()
      return request(asked)
    }
    const id = await bob.join(link)
    bob.request = request
    expect(world.sessions.size).toBe(0)
    bob.connect()
    await settle(alice, bob)
    expect([...world.sessions.keys()]).toEqual([id])
    expect(bob.phase(id)).toBe('open')
  })

  it('offers again after a reload, too', async () => {
    const link = await alice.link()
    const request = bob.request.bind(bob)
    bob.request = (asked) => {
      if (asked.t === 'offer') bob.disconnect()
      return request(asked)
    }
    const id = await bob.join(link)
    bob.request = request
    await bob.reload()
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('open')
    expect(alice.phase(id)).toBe('open')
  })
})

describe('talking', () => {
  it('carries texts both ways and shows how far each has come', async () => {
    const id = await meet()
    await alice.say(id, 'hello Bob')
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['hello Bob'])
    expect(alice.deliveries(id)).toEqual(['stored'])
    await bob.say(id, 'hello Alice')
    await settle(alice, bob)
    expect(alice.texts(id)).toEqual(['hello Bob', 'hello Alice'])
    expect(alice.deliveries(id)).toEqual(['taken'])
  })

  it('carries a text with half of a surrogate pair, mended', async () => {
    const id = await meet()
    await alice.say(id, 'cut \ud83d here')
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['cut \ufffd here'])
    expect(alice.texts(id)).toEqual(['cut \ufffd here'])
  })

  it('reads everything again after both reload', async () => {
    const id = await meet()
    for (const [person, text] of [
      [alice, 'a1'],
      [bob, 'b1'],
      [bob, 'b2'],
      [alice, 'a2'],
    ] as const) {
      await person.say(id, text)
      await settle(alice, bob)
    }
    await alice.reload()
    await bob.reload()
    await settle(alice, bob)
    expect(alice.texts(id)).toEqual(['a1', 'b1', 'b2', 'a2'])
    expect(bob.texts(id)).toEqual(['a1', 'b1', 'b2', 'a2'])
    await bob.say(id, 'b3')
    await settle(alice, bob)
    expect(alice.texts(id).at(-1)).toBe('b3')
  })

  it('gives one who was away everything on return, in order', async () => {
    const id = await meet()
    bob.disconnect()
    for (const text of ['1', '2', '3']) await alice.say(id, text)
    await settle(alice)
    expect(bob.texts(id)).toEqual([])
    bob.connect()
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['1', '2', '3'])
  })

  it('sends the same bytes again until they are stored', async () => {
    const id = await meet()
    alice.deaf = true
    await alice.say(id, 'through a hole')
    await settle(alice, bob)
    expect(alice.deliveries(id)).toEqual(['waiting'])
    alice.deaf = false
    await alice.reload()
    await settle(alice, bob)
    await new Promise((resolve) => setTimeout(resolve))
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['through a hole'])
    expect(alice.texts(id)).toEqual(['through a hole'])
    expect(alice.deliveries(id)).toEqual(['stored'])
  })

  it('says once that the server takes no more', async () => {
    const id = await meet()
    for (let times = 0; times < 3; times++) alice.house.conversations.get(id)?.refused('full', 60)
    expect(alice.notices).toEqual([{ kind: 'conversation-full', name: 'Bob' }])
  })

  it('shows that the peer is typing, and forgets it with the message', async () => {
    const id = await meet()
    await alice.say(id, 'x')
    await settle(alice, bob)
    world.pass(10)
    await alice.house.conversations.get(id)?.typing(true)
    await settle(bob)
    expect(bob.conversations.get(id)?.peerTyping).toBe(true)
    await alice.say(id, 'y')
    await settle(alice, bob)
    expect(bob.conversations.get(id)?.peerTyping).toBe(false)
  })
})

describe('the end', () => {
  it('comes when the time without a message is up, and leaves nothing', async () => {
    const id = await meet()
    await alice.say(id, 'soon gone')
    await settle(alice, bob)
    world.pass(899)
    bob.house.checkDeadlines()
    expect(bob.phase(id)).toBe('open')
    world.pass(1)
    bob.house.checkDeadlines()
    expect(bob.texts(id)).toEqual([])
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'expired' })
    await settle(bob)
    expect(await bob.house.room.vault.conversationIds()).toEqual([])
  })

  it('comes by the monotonic clock when the wall clock was set back', async () => {
    const id = await meet()
    world.tick += 900_000
    world.wall -= 3_600_000
    bob.house.checkDeadlines()
    expect(bob.phase(id)).toBe('ended')
  })

  it('comes by the wall clock when the machine slept', async () => {
    const id = await meet()
    world.wall += 900_000
    bob.house.checkDeadlines()
    expect(bob.phase(id)).toBe('ended')
  })

  it('is put off for both by keeping on', async () => {
    const id = await meet()
    world.pass(800)
    await alice.house.conversations.get(id)?.keepOn()
    await settle(alice, bob)
    world.pass(800)
    for (const person of [alice, bob]) {
      person.house.checkDeadlines()
      expect(person.phase(id)).toBe('open')
    }
  })

  it('is authentic when the peer leaves with a bye', async () => {
    const id = await meet()
    const conversation = alice.house.conversations.get(id)
    await conversation?.sayBye()
    await conversation?.flushed()
    conversation?.end('left')
    await settle(alice, bob)
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'peer-left' })
    expect(world.sessions.get(id)?.state).toBe('ended')
  })

  it('is only what the server says when no bye came, and counts what was not delivered', async () => {
    const id = await meet()
    bob.disconnect()
    await alice.say(id, 'never read')
    await settle(alice)
    const session = world.sessions.get(id)
    if (session) world.end(session, 'left')
    await settle(alice)
    expect(alice.conversations.get(id)).toMatchObject({ endedWhy: 'server-says', undelivered: 1 })
  })

  it('is told after a reload, when nothing of the conversation opens any more', async () => {
    const id = await meet()
    bob.disconnect()
    world.pass(901)
    const session = world.sessions.get(id)
    if (session) world.end(session, 'expired')
    await bob.reload()
    await settle(bob)
    expect(bob.conversations.get(id)).toMatchObject({ phase: 'ended', endedWhy: 'expired' })
    expect(await bob.house.room.vault.conversationIds()).toEqual([])
  })
})

describe('a hostile server', () => {
  it('is noticed when it returns other bytes after a reload', async () => {
    const id = await meet()
    await alice.say(id, 'original')
    await settle(alice, bob)
    world.tamper = (item, to) => {
      if (to !== bob || item.kind !== 'message') return item
      const body = item.body.slice()
      body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
      return { ...item, body }
    }
    await bob.reload()
    await settle(bob)
    expect(bob.phase(id)).toBe('broken')
    expect(bob.texts(id)).toEqual([])
  })

  it('is noticed when it forgets what was said', async () => {
    const id = await meet()
    await alice.say(id, 'remember me')
    await settle(alice, bob)
    world.tamper = (item) => (item.kind === 'message' ? null : item)
    await bob.reload()
    await settle(bob)
    expect(bob.phase(id)).toBe('broken')
  })

  it('can swap no key under a hash', async () => {
    const mallory = await arrive(2)
    const request = bob.request.bind(bob)
    bob.request = async (asked) => {
      const reply = await request(asked)
      return reply.t === 'key' ? { ...reply, modulus: mallory.identity.modulus } : reply
    }
    await expect(bob.join(await alice.link())).rejects.toMatchObject({ code: 'key-mismatch' })
    expect(bob.conversations.size).toBe(0)
    expect(await bob.house.room.vault.conversationIds()).toEqual([])
  })

  it('gets no text from a guest to whom it forged an answer', async () => {
    world.tamper = (item) => {
      if (item.kind !== 'answer') return item
      const body = item.body.slice()
      body[2_785] = (body[2_785] ?? 0) ^ 1
      return { ...item, body }
    }
    const id = await bob.join(await alice.link())
    await bob.say(id, 'secret')
    await settle(alice, bob)
    expect(bob.phase(id)).toBe('broken')
    expect(world.sessions.get(id)?.nextN).toEqual([0, 0])
  })
})
