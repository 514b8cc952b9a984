/**
 * A server that means ill, one row an attack: what the person reads, and that the page stays safe. After each test
 * nothing has left a page in plaintext, and what is shown is what the other side wrote, once and in order.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  b64uEncode,
  concat,
  makeOffer,
  sha256,
  type Bytes,
  type Identity,
} from '../../src/protocol'
import type { Conversation as Talk } from '../../src/engine/conversation'
import * as owner from '../../src/engine/owner'
import { EngineError } from '../../src/engine/types'
import { wordsFor } from '../../src/engine/words'
import { endedWords, errorText, phaseLine } from '../../src/texts'
import { ascii } from '../../src/protocol/bytes'
import { hmac, openRsa, sealRsa } from '../../src/protocol/primitives'
import type { Reply } from '../../src/transport/connection'
import { login } from '../../src/transport/login'
import type { Item, Request, ServerEndedWhy, SessionInfo } from '../../src/transport/wire'
import type { StoredConversation } from '../../src/vault/shapes'
import { unsafeKemForTests } from '../unsafeKem'
import { aPair, goHome, identities, meetingOf, Person, settle, World } from './world'

vi.setConfig({ testTimeout: 60_000 })

let keys: Identity[]
let world: World
let alice: Person
let bob: Person
let mallory: Person
/** All that the pages gave to the server. */
let given: Bytes[]

beforeAll(async () => {
  keys = await identities(3)
})

beforeEach(async () => {
  ;({ world, alice, bob } = await aPair(keys))
  const [, , third] = keys
  if (!third) throw new Error('three identities are needed')
  mallory = await Person.arrive(world, third)
  mallory.connect()
  given = []
  written.clear()
  for (const person of [alice, bob]) listenTo(person)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(async () => {
  vi.useRealTimers()
  expectSafe()
  await goHome(alice, bob, mallory)
})

/** What a person wrote in a conversation, in order; every text has `secret` in it. */
const written = new Map<string, string[]>()

const writtenBy = (person: Person, id: string): string[] =>
  written.get(`${person.hash} ${id}`) ?? []

async function say(person: Person, id: string, text: string): Promise<void> {
  written.set(`${person.hash} ${id}`, [...writtenBy(person, id), text])
  await person.say(id, text)
}

function expectTrue(id: string, shown: readonly string[], from: Person): void {
  expect(writtenBy(from, id).slice(0, shown.length)).toEqual(shown)
}

function expectSafe(): void {
  for (const id of world.sessions.keys()) {
    expectTrue(id, bob.texts(id, { mine: false }), alice)
    expectTrue(id, alice.texts(id, { mine: false }), bob)
  }
  expect(given.filter((bytes) => Buffer.from(bytes).includes('secret'))).toEqual([])
}

function listenTo(person: Person): void {
  const post = person.post.bind(person)
  person.post = (id, n, body) => {
    given.push(body.slice())
    post(id, n, body)
  }
  const request = person.request.bind(person)
  person.request = (asked) => {
    if ('body' in asked) given.push(asked.body.slice())
    return request(asked)
  }
}

/** The server answers a person's requests of a kind in another way. */
function answers(person: Person, kind: Request['t'], change: (reply: Reply) => Reply): void {
  const request = person.request.bind(person)
  person.request = async (asked) =>
    asked.t === kind ? change(await request(asked)) : request(asked)
}

/** What a person reads about a conversation; nothing where there is none. */
function reads(person: Person, id: string): string {
  const shown = person.conversations.get(id)
  if (!shown) return ''
  if (shown.brokenWhy) return shown.brokenWhy
  if (shown.endedWhy) return endedWords(shown.endedWhy, shown.ttlSeconds).title
  return phaseLine[shown.phase]
}

const broken = wordsFor
const OVER = endedWords('server-says', 900).title

const later = async (seconds: number): Promise<void> => {
  for (let passed = 0; passed < seconds; passed += 0.5) {
    await vi.advanceTimersByTimeAsync(500)
    await settle(alice, bob)
  }
}

const put = (bytes: Bytes, at: number, other: Bytes): Bytes =>
  concat(bytes.slice(0, at), other, bytes.slice(at + other.length))

/** The top bit of one byte, so that no counter becomes a smaller one. */
const flipped = (bytes: Bytes, at: number): Bytes =>
  put(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ 0x80))

const farAhead = (item: Item): Item => ({ ...item, seq: item.seq + 1_000 })

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

/** The first and the last byte of each field, by where the fields begin and the last one ends. */
const edges = (...begins: number[]): number[] =>
  [...new Set(begins.flatMap((begin) => [begin - 1, begin]))].filter(
    (at) => at >= 0 && at < (begins.at(-1) ?? 0),
  )

const itemsOf = (id: string): readonly Item[] => world.sessions.get(id)?.items ?? []

/** Alice says these, and the server keeps them back. */
async function heldBack(...texts: string[]): Promise<{ id: string; items: Item[] }> {
  const id = await meetingOf(alice, bob)
  const items: Item[] = []
  world.tamper = (item, to) => {
    if (to !== bob) return item
    items.push(item)
    return null
  }
  for (const text of texts) await say(alice, id, text)
  await settle(alice, bob)
  world.tamper = (item) => item
  return { id, items }
}

async function deliver(to: Person, items: readonly Item[]): Promise<void> {
  for (const item of items) to.receive(item)
  await settle(to)
}

const sessionOf = async (offer: Bytes): Promise<string> =>
  b64uEncode(await sha256(concat(new TextEncoder().encode('quarter/1 session'), offer)))

/** Tells a person of a session that begins with this offer. */
async function offerTo(to: Person, body: Bytes, name?: string): Promise<string> {
  const id = name ?? (await sessionOf(body))
  const peer = b64uEncode(body.slice(2, 34))
  to.receive({ t: 'session', session: { ...info(id), state: 'offered', role: 1, peer } })
  to.receive({ t: 'item', session: id, seq: 1, kind: 'offer', sender: 0, body })
  return id
}

const info = (id: string): SessionInfo => ({
  id,
  role: 1,
  peer: bob.hash,
  state: 'open',
  ttl: 900,
  left: 900,
  last_seq: 1,
  next_n: 0,
  half: random(32),
})

/** Bob joins, and the server keeps his offer. */
async function offerOfBob(url: string): Promise<{ id: string; body: Bytes }> {
  let body: Bytes = new Uint8Array()
  world.tamper = (item) => {
    if (item.kind === 'offer') body = item.body
    return null
  }
  const id = await bob.join(url)
  await settle(alice, bob)
  world.tamper = (item) => item
  return { id, body }
}

describe('a swapped key', () => {
  it.each<[string, () => Bytes]>([
    ['of somebody else', () => mallory.identity.modulus],
    ['of the guest', () => bob.identity.modulus],
    ['with one bit changed', () => flipped(alice.identity.modulus, 200)],
  ])('%s, at lookup: nothing is offered, and the guest reads so', async (_, modulus) => {
    answers(bob, 'lookup', () => ({ t: 'key', id: 0, modulus: modulus() }))
    const failed = await bob.join(await alice.link()).catch((error: unknown) => error)
    if (!(failed instanceof EngineError)) throw failed
    expect(errorText(failed.code, null)).toMatch('a key that does not fit this code')
    expect([world.sessions.size, given.length, bob.conversations.size]).toEqual([0, 0, 0])
  })

  it.each<[string, (offer: Bytes) => Bytes]>([
    ['the guest’s own', (offer) => put(offer, 66, mallory.identity.modulus)],
    [
      'the guest’s own with its hash',
      (offer) => put(put(offer, 2, mallory.identity.hash), 66, mallory.identity.modulus),
    ],
    ['the one for the answer', (offer) => put(offer, 450, random(1216))],
    ['the sealed secret', (offer) => put(offer, 1666, random(384))],
    ['the invite', (offer) => put(offer, 2050, random(32))],
  ])('in an offer, %s: the owner answers nothing and the link stays good', async (_, change) => {
    const offered = await offerOfBob(await alice.link())
    given = []
    const id = await offerTo(alice, change(offered.body))
    await settle(alice, bob)
    expect([alice.conversations.size, given.length, alice.links.length]).toEqual([0, 0, 1])
    expect(alice.notices).toEqual([{ kind: 'bad-offer', name: null }])
    expect([reads(alice, id), reads(bob, offered.id)]).toEqual(['', phaseLine.joining])
    expect(await offerTo(alice, offered.body)).toBe(offered.id)
    await settle(alice, bob)
    expect(reads(bob, offered.id)).toBe(phaseLine.open)
  })

  it('in a request, the sealed secret: who accepts it reads that something is wrong with it', async () => {
    const { offer } = await makeOffer(await world.kem, mallory.identity, alice.identity, null)
    const id = await offerTo(alice, put(offer, 1666, random(384)))
    await settle(alice)
    expect(reads(alice, id)).toBe(phaseLine.request)
    await owner.accept(alice.house, id)
    expect(alice.notices).toEqual([{ kind: 'bad-offer', name: null }])
    expect([alice.conversations.size, given.length]).toEqual([0, 0])
  })

  it('in a thousand offers: their owner is told once a minute', async () => {
    const { body } = await offerOfBob(await alice.link())
    for (let at = 0; at < 1_000; at++) await offerTo(alice, flipped(body, at))
    await settle(alice)
    expect(alice.notices).toHaveLength(1)
    world.pass(60)
    await offerTo(alice, flipped(body, 0))
    await settle(alice)
    expect(alice.notices).toHaveLength(2)
  })

  it('under a name that is not the server’s: who accepts such a request waits, unverified, and sends nothing', async () => {
    const me = { ...mallory.identity, hash: bob.identity.hash, modulus: bob.identity.modulus }
    const { offer } = await makeOffer(await world.kem, me, alice.identity, null)
    const id = await offerTo(alice, offer)
    await settle(alice)
    expect(reads(alice, id)).toBe(phaseLine.request)
    await owner.accept(alice.house, id)
    await say(alice, id, 'a secret')
    await settle(alice)
    expect(reads(alice, id)).toBe(phaseLine.joining)
    expect(alice.conversations.get(id)?.verified).toBe('none')
    expect(alice.deliveries(id)).toEqual(['waiting'])
    expect(given).toHaveLength(1)
  })

  it.each<[string, number, () => Promise<Bytes>]>([
    ['the sealed secret', 34, async () => random(384)],
    ['the ciphertext to the guest’s key', 418, async () => random(1120)],
    ['the owner’s first key', 1538, async () => (await (await world.kem).generate()).ek],
    ['the confirmation', 2754, async () => random(32)],
  ])('in an answer, %s: the guest reads that it is not the owner’s', async (_, at, other) => {
    const bytes = await other()
    world.tamper = (item) =>
      item.kind === 'answer' ? { ...item, body: put(item.body, at, bytes) } : item
    const id = await bob.join(await alice.link())
    await say(bob, id, 'a secret')
    given = []
    await settle(alice, bob)
    expect(reads(bob, id)).toBe(broken('bad-answer'))
    expect([alice.conversations.size, world.sessions.get(id)?.nextN[0]]).toEqual([0, 0])
  })

  it.each<[string, Request['t'], (reply: Reply) => Reply]>([
    [
      'half of the seal for another session',
      'prepare',
      (reply) => ({ ...reply, session: alice.hash }) as Reply,
    ],
    ['no half of the seal', 'prepare', () => ({ t: 'ok', id: 0 })],
    ['no key', 'lookup', () => ({ t: 'ok', id: 0 })],
  ])('%s: nothing is offered, and the guest reads what happened', async (_, kind, change) => {
    answers(bob, kind, change)
    const failed = await bob.join(await alice.link()).catch((error: unknown) => error)
    if (!(failed instanceof EngineError)) throw failed
    expect(errorText(failed.code, null)).toMatch(
      'The server answered something else than was asked',
    )
    expect([world.sessions.size, given.length, bob.conversations.size]).toEqual([0, 0, 0])
  })

  it('half of the seal after a reload: nothing opens, and the page says who says so', async () => {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'a secret')
    await settle(alice, bob)
    world.halves.set(`${id} ${bob.hash}`, random(32))
    await bob.reload()
    await settle(alice, bob)
    expect([reads(bob, id), bob.texts(id)]).toEqual([OVER, []])
  })
})

describe('what was said before, said again', () => {
  it('an offer, while the conversation goes on: the same answer, or nothing', async () => {
    const id = await meetingOf(alice, bob)
    given = []
    await offerTo(alice, itemsOf(id)[0]?.body ?? random(1))
    await settle(alice, bob)
    expect(given).toEqual([itemsOf(id)[1]?.body])
    expect([alice.conversations.size, reads(alice, id)]).toEqual([1, phaseLine.open])
  })

  it('an offer, after the conversation: the link is not good for another one', async () => {
    const id = await meetingOf(alice, bob)
    const offer = itemsOf(id)[0]?.body ?? random(1)
    await bob.leave(id)
    await settle(alice, bob)
    alice.house.forget(id)
    given = []
    await offerTo(alice, offer)
    await settle(alice)
    expect([given.length, alice.conversations.size, alice.notices.length]).toEqual([0, 0, 0])
  })

  it('an offer under a link that was withdrawn: no answer', async () => {
    const made = await alice.house.links.make(null)
    const { body } = await offerOfBob(made.url)
    await owner.withdraw(alice.house, made.id)
    given = []
    await offerTo(alice, body)
    await settle(alice)
    expect([given.length, alice.conversations.size]).toEqual([0, 0])
  })

  it('another’s older offer under a link that was used: no answer, and the owner is told', async () => {
    const url = await alice.link()
    const { body } = await offerOfBob(url)
    await mallory.join(url)
    await settle(alice, mallory)
    given = []
    await offerTo(alice, body)
    await settle(alice)
    expect(alice.notices).toEqual([{ kind: 'link-tried-again', name: null }])
    expect(given).toEqual([])
  })

  it('the answer, or all there is, in its old places or in new ones: nothing is shown twice', async () => {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'one secret')
    await say(bob, id, 'two secrets')
    await settle(alice, bob)
    const items = [...itemsOf(id)]
    for (const person of [alice, bob]) await deliver(person, items)
    const again = items.filter(({ kind }) => kind === 'message')
    const moved = again.map((item, index) => ({ ...item, seq: items.length + 1 + index }))
    await deliver(
      bob,
      moved.filter(({ sender }) => sender === 1),
    )
    expect(bob.texts(id)).toEqual(['one secret', 'two secrets'])
    expect(alice.texts(id)).toEqual(['one secret', 'two secrets'])
    expect([reads(alice, id), reads(bob, id)]).toEqual([phaseLine.open, phaseLine.open])
  })

  it('the first list of sessions, in which this one is not: the page says who says that it is over', async () => {
    const id = await meetingOf(alice, bob)
    bob.receive({ t: 'ready', sessions: [] })
    bob.receive({ t: 'caught_up' })
    await settle(alice, bob)
    expect(reads(bob, id)).toBe(OVER)
  })

  it('messages after the end: nothing of them is shown', async () => {
    const { id, items } = await heldBack('one secret')
    bob.receive({ t: 'ended', session: id, why: 'left' })
    await deliver(bob, items)
    expect([reads(bob, id), bob.texts(id)]).toEqual([OVER, []])
  })
})

type Attack = (items: readonly Item[]) => Item[]

describe('messages that come otherwise than they were sent', () => {
  it.each<[string, Attack]>([
    ['two swapped', (items) => items.toReversed()],
    ['each twice', (items) => items.flatMap((item) => [item, item])],
    ['all once more at the end', (items) => [...items, ...items]],
    ['the first left out', (items) => items.slice(1)],
    ['one in another’s place', ([a, b]) => (a && b ? [{ ...b, seq: a.seq }] : [])],
    ['called an answer', (items) => items.map((item) => ({ ...item, kind: 'answer' }))],
    ['called an offer', (items) => items.map((item) => ({ ...item, kind: 'offer' }))],
    ['none at all', () => []],
  ])('%s: all are shown, once and in order, when the true ones come', async (_, attack) => {
    const { id, items } = await heldBack('one secret', 'two secrets')
    await deliver(bob, attack(items))
    expectTrue(id, bob.texts(id), alice)
    bob.resync(bob.house.cursors)
    await later(1)
    expect(bob.texts(id)).toEqual(['one secret', 'two secrets'])
    expect(reads(bob, id)).toBe(phaseLine.open)
  })

  it.each<[string, (item: Item) => Item | null, string]>([
    ['left out', () => null, broken('missing-message')],
    ['changed', (item) => ({ ...item, body: flipped(item.body, 300) }), broken('bad-message')],
    [
      'of another version',
      (item) => ({ ...item, body: flipped(item.body, 0) }),
      broken('bad-message'),
    ],
    ['called an offer', (item) => ({ ...item, kind: 'offer' }), broken('bad-message')],
  ])(
    'one %s for good: broken, in words, and nothing behind it is shown',
    async (_, attack, words) => {
      const id = await meetingOf(alice, bob)
      const place = itemsOf(id).length + 1
      world.tamper = (item, to) => (to === bob && item.seq === place ? attack(item) : item)
      await say(alice, id, 'one secret')
      await say(alice, id, 'two secrets')
      await settle(alice, bob)
      await later(33)
      expect([reads(bob, id), bob.texts(id)]).toEqual([words, []])
    },
  )

  it('one under an earlier number: broken at once', async () => {
    const { id, items } = await heldBack('one secret')
    const [item] = items
    if (!item) throw new Error('nothing was sent')
    await deliver(bob, [{ ...item, body: put(item.body, 39, new Uint8Array(4)) }])
    expect([reads(bob, id), bob.texts(id)]).toEqual([broken('bad-message'), []])
  })

  it('one’s own, given out as the other’s: not shown', async () => {
    const id = await meetingOf(alice, bob)
    await say(bob, id, 'one secret')
    await settle(alice, bob)
    const own = itemsOf(id).at(-1)
    if (!own) throw new Error('nothing was sent')
    await deliver(bob, [{ ...own, sender: 1, seq: own.seq + 1 }])
    expect([reads(bob, id), bob.texts(id)]).toEqual([phaseLine.open, ['one secret']])
  })

  it('the other’s, given out as one’s own: broken, and not shown', async () => {
    const { id, items } = await heldBack('one secret')
    await deliver(
      bob,
      items.map((item) => ({ ...item, sender: 0 })),
    )
    expect([reads(bob, id), bob.texts(id)]).toEqual([broken('rolled-back'), []])
  })
})

describe('one conversation spliced into another', () => {
  it('an offer under another one’s name: no answer, and nothing is shown', async () => {
    const { identity } = mallory
    const { offer } = await makeOffer(await world.kem, identity, alice.identity, null)
    await offerTo(alice, offer, await sessionOf(flipped(offer, 100)))
    await settle(alice)
    expect([alice.conversations.size, given.length]).toEqual([0, 0])
  })

  it('a message: not shown there, and the true one still is', async () => {
    const other = await meetingOf(alice, bob)
    await say(alice, other, 'one secret')
    await settle(alice, bob)
    const { id, items } = await heldBack('two secrets')
    const strange = itemsOf(other).at(-1)?.body ?? random(1)
    await deliver(
      bob,
      items.map((item) => ({ ...item, body: strange })),
    )
    expect(bob.texts(id)).toEqual([])
    await later(1)
    expect(bob.texts(id)).toEqual(['two secrets'])
    expect(reads(bob, id)).toBe(phaseLine.open)
  })

  it('an answer: the guest reads that it is not the owner’s', async () => {
    const other = await meetingOf(alice, bob)
    const strange = itemsOf(other)[1]?.body ?? random(1)
    world.tamper = (item) => (item.kind === 'answer' ? { ...item, body: strange } : item)
    const id = await bob.join(await alice.link())
    await settle(alice, bob)
    expect([reads(bob, id), reads(bob, other)]).toEqual([broken('bad-answer'), phaseLine.open])
  })

  it('a message before the answer: it waits, and both are taken', async () => {
    const held: Item[] = []
    world.tamper = (item, to) => {
      if (to === bob && item.kind === 'answer') held.push(item)
      return to === bob && item.kind === 'answer' ? null : item
    }
    const id = await bob.join(await alice.link())
    await settle(alice, bob)
    const [answer] = held
    if (!answer) throw new Error('no answer came')
    await deliver(bob, [{ ...answer, seq: 3, kind: 'message' }])
    expect(reads(bob, id)).toBe(phaseLine.joining)
    world.tamper = (item) => item
    await later(3)
    expect(reads(bob, id)).toBe(phaseLine.open)
  })
})

describe('a false claim', () => {
  const WHYS: ServerEndedWhy[] = ['left', 'declined', 'used', 'expired', 'erased', 'removed']

  it.each(WHYS)('that it ended (%s): the page says who says so', async (why) => {
    const id = await meetingOf(alice, bob)
    await say(bob, id, 'a secret')
    bob.receive({ t: 'ended', session: id, why })
    await settle(bob)
    expect([reads(bob, id), bob.texts(id)]).toEqual([OVER, []])
    expect(bob.conversations.get(id)?.undelivered).toBe(1)
  })

  it('of a shorter life: it ends then, and the page says who says so', async () => {
    const id = await meetingOf(alice, bob)
    await say(bob, id, 'a secret')
    bob.receive({ t: 'session', session: { ...info(id), role: 0, next_n: 2, ttl: 60, left: 1 } })
    await settle(alice, bob)
    expect(reads(bob, id)).toBe(phaseLine.open)
    world.pass(61)
    bob.house.checkDeadlines()
    alice.house.checkDeadlines()
    expect([reads(bob, id), bob.texts(id)]).toEqual([OVER, []])
    expect(reads(alice, id)).toBe(phaseLine.open)
  })

  it('that little time is left: an open conversation goes on, and who only asks is gone then', async () => {
    const id = await meetingOf(alice, bob)
    bob.receive({ t: 'session', session: { ...info(id), role: 0, next_n: 1, left: 1 } })
    const { offer } = await makeOffer(await world.kem, mallory.identity, alice.identity, null)
    const asked = await sessionOf(offer)
    alice.receive({
      t: 'session',
      session: { ...info(asked), state: 'offered', peer: mallory.hash, left: 1 },
    })
    alice.receive({ t: 'item', session: asked, seq: 1, kind: 'offer', sender: 0, body: offer })
    await settle(alice, bob)
    expect(reads(alice, asked)).toBe(phaseLine.request)
    world.pass(2)
    for (const person of [alice, bob]) person.house.checkDeadlines()
    expect([reads(alice, asked), reads(bob, id)]).toEqual(['', phaseLine.open])
    expect(given.filter((bytes) => bytes.length === 2786)).toHaveLength(1)
  })

  it('that something was stored which was never sent: broken', async () => {
    const id = await meetingOf(alice, bob)
    await bob.house.conversations.get(id)?.stored(7)
    expect(reads(bob, id)).toBe(broken('rolled-back'))
  })

  it('that a message was stored: it is never shown as taken, and is counted at the end', async () => {
    const id = await meetingOf(alice, bob)
    bob.post = (_, n) => void bob.house.conversations.get(id)?.stored(n)
    await say(bob, id, 'a secret')
    await later(2)
    expect(bob.deliveries(id)).toEqual(['stored'])
    bob.receive({ t: 'ended', session: id, why: 'removed' })
    await settle(bob)
    expect(bob.conversations.get(id)?.undelivered).toBe(1)
  })

  it.each<[string, Partial<SessionInfo>, string]>([
    ['that more of ours came than we sent', { next_n: 40 }, broken('rolled-back')],
    ['that nothing of ours came', { next_n: 0 }, phaseLine.open],
    ['of a session without an end', { ttl: 0xffff_ffff, left: 1e9 }, phaseLine.open],
    ['of another side and another peer', { role: 1, peer: 'A'.repeat(43) }, phaseLine.open],
    ['of a session that nobody answered', { state: 'offered' }, phaseLine.open],
  ])('%s: changes nothing, or breaks it', async (_, claim, words) => {
    const id = await meetingOf(alice, bob)
    await say(bob, id, 'a secret')
    await settle(alice, bob)
    const before = bob.conversations.get(id)
    bob.receive({ t: 'session', session: { ...info(id), role: 0, next_n: 2, ...claim } })
    await settle(alice, bob)
    expect(reads(bob, id)).toBe(words)
    const { peer, verified, deadline } = bob.conversations.get(id) ?? {}
    expect({ peer, verified }).toEqual({ peer: alice.hash, verified: 'link' })
    expect(deadline).toBe(before?.deadline)
  })

  it('of a place far ahead, for a new message: nothing is lost, and it is shown once its place is true', async () => {
    const { id, items } = await heldBack('one secret')
    await deliver(bob, items.map(farAhead))
    expect([reads(bob, id), bob.texts(id)]).toEqual([phaseLine.open, []])
    await later(1)
    await say(alice, id, 'two secrets')
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['one secret', 'two secrets'])
    await later(33)
    expect(reads(bob, id)).toBe(phaseLine.open)
    expect(bob.house.cursors[id]).toBeLessThanOrEqual(itemsOf(id).length)
  })

  it.each(['the other’s', 'one’s own'])(
    'of a place far ahead, for what was said before (%s): what is said while the page is away still comes',
    async (whose) => {
      const id = await meetingOf(alice, bob)
      const speaker = whose === 'one’s own' ? bob : alice
      await say(speaker, id, 'one secret')
      await settle(alice, bob)
      await deliver(bob, itemsOf(id).slice(-1).map(farAhead))
      bob.disconnect()
      await say(alice, id, 'two secrets')
      await settle(alice)
      bob.connect()
      await settle(alice, bob)
      expect(bob.texts(id)).toEqual(['one secret', 'two secrets'])
      expect(reads(bob, id)).toBe(phaseLine.open)
    },
  )

  it('of a place far ahead for each message, for good: broken, in words, and none is shown', async () => {
    const id = await meetingOf(alice, bob)
    world.tamper = (item, to) => (to === bob && item.sender === 1 ? farAhead(item) : item)
    await say(alice, id, 'one secret')
    for (let round = 0; round < 4; round++) {
      await say(bob, id, 'a secret')
      await later(8.5)
    }
    expect([reads(bob, id), bob.texts(id, { mine: false })]).toEqual([
      broken('missing-message'),
      [],
    ])
  })

  it('of places far ahead, after a reload: broken, as something would lie between', async () => {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'one secret')
    await settle(alice, bob)
    world.tamper = (item, to) =>
      to === bob && item.seq === itemsOf(id).length ? farAhead(item) : item
    await bob.reload()
    await settle(alice, bob)
    await later(33)
    expect([reads(bob, id), bob.texts(id)]).toEqual([broken('missing-record'), []])
  })

  it('that this is all, after a reload: broken, and the rest is not shown as all', async () => {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'one secret')
    await say(alice, id, 'two secrets')
    await settle(alice, bob)
    world.tamper = (item, to) => (to === bob && item.seq === itemsOf(id).length ? null : item)
    await bob.reload()
    await settle(alice, bob)
    expect([reads(bob, id), bob.texts(id)]).toEqual([broken('missing-record'), []])
  })
})

describe('a sign of writing', () => {
  const isWriting = (person: Person, id: string): boolean =>
    person.conversations.get(id)?.peerTyping ?? false

  /** Alice writes, and has shown so; the sign that she sent. */
  async function signOfAlice(): Promise<{ id: string; sign: Bytes }> {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'one secret')
    await settle(alice, bob)
    let sign: Bytes | null = null
    const { volatile } = alice
    alice.volatile = (session, body) => {
      sign = body.slice()
      volatile.call(alice, session, body)
    }
    await alice.talk(id).typing(true)
    await settle(alice, bob)
    if (!sign) throw new Error('no sign was sent')
    expect(isWriting(bob, id)).toBe(true)
    return { id, sign }
  }

  async function show(to: Person, id: string, ...signs: Bytes[]): Promise<void> {
    for (const body of signs) to.receive({ t: 'volatile', session: id, body })
    await settle(to)
  }

  it('that comes again, at once or when it was over, or after the message: shows nothing', async () => {
    const { id, sign } = await signOfAlice()
    await later(4)
    await show(bob, id, sign)
    await later(3)
    expect(isWriting(bob, id)).toBe(false)
    await show(bob, id, sign)
    expect(isWriting(bob, id)).toBe(false)
    await say(alice, id, 'two secrets')
    await settle(alice, bob)
    await show(bob, id, sign)
    expect(isWriting(bob, id)).toBe(false)
  })

  it('with any byte changed, of another conversation, given back, or made up: shows and changes nothing', async () => {
    const other = await meetingOf(alice, bob)
    const { id, sign } = await signOfAlice()
    await later(7)
    const before = await bob.copyProfile()
    await show(bob, id, ...[...sign.keys()].map((at) => flipped(sign, at)))
    await show(bob, id, random(1), random(sign.length), concat(sign, random(1)), random(1_024))
    await show(bob, other, sign)
    await show(alice, id, sign)
    expect([isWriting(bob, id), isWriting(bob, other), isWriting(alice, id)]).toEqual([
      false,
      false,
      false,
    ])
    expect(await bob.copyProfile()).toEqual(before)
    expect(bob.talk(id).state).toEqual(expect.objectContaining({ broken: null }))
  })
})

describe('a challenge at login', () => {
  const HOST = 'https://quarter.example'
  const hashOf = async (bytes: Bytes): Promise<Bytes> => sha256(bytes)

  /** What the page proves of a challenge, and what it would prove if it opened it under that label. */
  async function proofs(
    who: Identity,
    c: Bytes,
    label: Bytes,
  ): Promise<{ given: string; opened: string }> {
    let proof = ''
    vi.stubGlobal('fetch', async (path: string, { body }: { body: string }) => {
      if (path === '/api/login/challenge')
        return Response.json({ challenge: 'one', c: b64uEncode(c) })
      proof = JSON.parse(body).proof
      return Response.json({ token: 'a token', hash: b64uEncode(who.hash) })
    })
    await login(who, HOST)
    vi.unstubAllGlobals()
    const r = await openRsa(who.privateKey, c, label)
    return {
      given: proof,
      opened: b64uEncode(await hmac(r, ascii('quarter/1 login proof'), who.hash)),
    }
  }

  it('that is one: is answered', async () => {
    const label = ascii(`quarter/1 login${HOST}`)
    const c = await sealRsa(alice.identity.modulus, random(32), label)
    const { given: proof, opened } = await proofs(alice.identity, c, label)
    expect(proof).toBe(opened)
  })

  it('that was made for another site: nothing is proved', async () => {
    const label = ascii('quarter/1 loginhttps://mallory.example')
    const c = await sealRsa(alice.identity.modulus, random(32), label)
    const { given: proof, opened } = await proofs(alice.identity, c, label)
    expect(proof).not.toBe(opened)
  })

  it('that is in truth the secret of an offer, an answer or a turn: the page opens none of them for the server', async () => {
    const id = await meetingOf(alice, bob)
    await say(alice, id, 'a secret')
    await settle(alice, bob)
    const [offer, answer] = itemsOf(id).map(({ body }) => body)
    const step = itemsOf(id).findLast(
      ({ sender, body }) => sender === 1 && body.length > 2_780,
    )?.body
    if (!offer || !answer || !step) throw new Error('nothing was said')
    const part = (bytes: Bytes, begin: number, length: number) => bytes.slice(begin, begin + length)
    const tries: [Identity, Bytes, Bytes][] = [
      [
        alice.identity,
        part(offer, 1666, 384),
        concat(ascii('quarter/1 offer'), part(offer, 2, 64), await hashOf(part(offer, 450, 1216))),
      ],
      [
        bob.identity,
        part(answer, 34, 384),
        concat(
          ascii('quarter/1 answer'),
          part(answer, 2, 32),
          await hashOf(part(answer, 418, 1120)),
          await hashOf(part(answer, 1538, 1216)),
        ),
      ],
      [
        bob.identity,
        part(step, 2396, 384),
        concat(
          ascii('quarter/1 step'),
          part(step, 2, 32),
          part(step, 35, 4),
          await hashOf(part(step, 60, 2336)),
        ),
      ],
    ]
    for (const [who, c, label] of tries) {
      const [first, second] = [await proofs(who, c, label), await proofs(who, c, label)]
      expect(first.opened).toBe(second.opened)
      expect(new Set([first.opened, first.given, second.given]).size).toBe(3)
    }
  })
})

describe('one byte changed', () => {
  it('each of an offer: no answer, no sign, and the true one is answered', async () => {
    const { id, body } = await offerOfBob(await alice.link())
    given = []
    for (let at = 0; at < body.length; at++) await offerTo(alice, flipped(body, at))
    await settle(alice)
    expect([body.length, alice.conversations.size, given.length]).toEqual([2082, 0, 0])
    await offerTo(alice, body)
    await settle(alice, bob)
    expect([reads(alice, id), reads(bob, id)]).toEqual([phaseLine.open, phaseLine.open])
  })

  it.each(edges(1, 2, 34, 418, 1538, 2754, 2786))(
    'byte %i of an answer: the guest reads that it is not the owner’s',
    async (at) => {
      world.tamper = (item) =>
        item.kind === 'answer' ? { ...item, body: flipped(item.body, at) } : item
      const id = await bob.join(await alice.link())
      await settle(alice, bob)
      expect(reads(bob, id)).toBe(broken('bad-answer'))
      expect(world.sessions.get(id)?.nextN).toEqual([0, 0])
    },
  )

  it('each of an answer: the same, with a key encapsulation that is quick', async () => {
    await goHome(alice, bob)
    const quick = new World()
    quick.kem = Promise.resolve(unsafeKemForTests)
    ;({ world, alice, bob } = await aPair(keys, quick))
    for (const person of [alice, bob]) listenTo(person)
    const { id, answer } = await answerTo(bob)
    const waiting = bob.talk(id).state
    given = []
    for (let at = 0; at < answer.body.length; at++) {
      const conversation = await beganAgain(id, waiting)
      await conversation.items([{ ...answer, body: flipped(answer.body, at) }])
      await conversation.idle()
      expect(conversation.view.brokenWhy, `byte ${at}`).toBe(broken('bad-answer'))
    }
    expect([answer.body.length, given.length]).toEqual([2786, 0])
    await beganAgain(id, waiting)
    await deliver(bob, [answer])
    await settle(alice, bob)
    expect([reads(alice, id), reads(bob, id)]).toEqual([phaseLine.open, phaseLine.open])
  })

  /** The answer to a guest's offer, which the server keeps. */
  async function answerTo(guest: Person): Promise<{ id: string; answer: Item }> {
    const held: Item[] = []
    world.tamper = (item, to) => {
      if (to === guest) held.push(item)
      return to === guest ? null : item
    }
    const id = await guest.join(await alice.link())
    await settle(alice, guest)
    world.tamper = (item) => item
    const [answer] = held
    if (!answer) throw new Error('no answer came')
    return { id, answer }
  }

  /** Bob's conversation as it waited for the answer, whatever came of it since. */
  async function beganAgain(id: string, waiting: StoredConversation): Promise<Talk> {
    await bob.house.room.vault.forget(id)
    const state = structuredClone(waiting)
    return bob.house.begin({ id, half: random(32), ttl: 900 }, { state })
  }

  /** Header, the smallest frame, and its tag (PROTOCOL §6, §7). */
  const PLAIN_BYTES = 60 + 256 + 16
  const STEP_BYTES = PLAIN_BYTES + 1120 + 1216 + 384

  it('each of a message: not shown, and the true one is', async () => {
    const { id, items } = await heldBack('one secret')
    const [message] = items
    if (!message) throw new Error('nothing was sent')
    expect(message.body).toHaveLength(PLAIN_BYTES)
    for (let at = 0; at < PLAIN_BYTES; at++) {
      await deliver(bob, [{ ...message, body: flipped(message.body, at) }])
      expect(reads(bob, id), `byte ${at}`).toBe(phaseLine.open)
      expect(bob.took(message), `byte ${at}`).toBe(false)
    }
    expect(bob.texts(id)).toEqual([])
    await deliver(bob, [message])
    expect([bob.took(message), bob.texts(id)]).toEqual([true, ['one secret']])
  })

  it('of a message that brings new keys, at both ends of each field: the same', async () => {
    const id = await meetingOf(alice, bob)
    for (const at of edges(1, 2, 34, 35, 39, 43, 59, 60, 1180, 2396, 2780, STEP_BYTES)) {
      let changed = false
      world.tamper = (item, to) => {
        if (to !== bob || changed || item.body.length !== STEP_BYTES) return item
        changed = true
        return { ...item, body: flipped(item.body, at) }
      }
      await say(bob, id, 'a secret')
      await settle(alice, bob)
      const shown = bob.texts(id, { mine: false })
      await say(alice, id, `secret ${at}`)
      await settle(alice, bob)
      expect([changed, bob.texts(id, { mine: false })], `byte ${at}`).toEqual([true, shown])
      await later(0.5)
      expect(bob.texts(id).at(-1), `byte ${at}`).toBe(`secret ${at}`)
    }
    expect(reads(bob, id)).toBe(phaseLine.open)
  })
})
