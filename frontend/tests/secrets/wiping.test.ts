/**
 * Memory of spent secrets is overwritten, as far as JavaScript's code has it in its hands (docs/THREATS.md says what it
 * has not). Every array that went into WebCrypto, came out of it, was drawn, or was handed out by the KEM is looked at
 * again afterwards: it is zero, or its bytes are among those that still live.
 */
import 'fake-indexeddb/auto'
import { encode } from '@msgpack/msgpack'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import * as protocol from '../../src/protocol'
import type { Bytes, Identity, Ratchet } from '../../src/protocol'
import { isZero } from '../../src/protocol/bytes'
import { givesBack, pack } from '../../src/protocol/packing'
import { sealRsa } from '../../src/protocol/primitives'
import { QuarterEngine } from '../../src/engine/engine'
import { open } from '../../src/engine/steps'
import { Transcript } from '../../src/engine/transcript'
import { parseFromReceive } from '../../src/transport/wire'
import { openTab } from '../../src/vault/tab'
import type { StoredConversation, StoredRecord } from '../../src/vault/shapes'
import { StaleVersion, Vault } from '../../src/vault/vault'
import { aPair, goHome, meetingOf, Person, settle, World } from '../engine/world'
import {
  bytesOf,
  converse,
  flip,
  hello,
  kem,
  makePeople,
  meet,
  sideOf,
  take,
  text,
} from '../protocol/people'
import { watch, watched, type Seen } from './watch'

let alice: Identity
let bob: Identity
let seen: Seen[]
const spying = (): protocol.Kem => watched(kem, seen)

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
})

beforeEach(() => {
  seen = watch()
})

afterEach(() => {
  vi.unstubAllGlobals()
})

/** What was seen and is not zero, but for what lives, or is public: as `how of bytes`. */
function remains(...living: readonly Uint8Array[]): string[] {
  const known = living.map(protocol.toHex).join(' ')
  return seen.flatMap(({ how, of, bytes }) =>
    isZero(bytes) || of === 'library' || known.includes(protocol.toHex(bytes))
      ? []
      : [`${how} ${of} ${bytes.length}`],
  )
}

const secretsOf = ({ root, turn, sending, receiving }: Ratchet): Bytes[] => [
  root,
  ...(turn.whose === 'theirs' ? [turn.dk] : []),
  ...[sending, receiving].flatMap((chain) => (chain ? [chain.key] : [])),
]

const alive = (secrets: readonly Uint8Array[]): boolean => secrets.every((each) => !isZero(each))

/** The sides of a conversation, made before anything was watched. */
async function sides() {
  const both = await converse(bob, alice, await meet(bob, alice, null))
  seen.length = 0
  return both
}

describe('of the handshake', () => {
  const secret = protocol.makeSecret()

  async function offered() {
    const { offer, pending } = await protocol.makeOffer(kem, bob, alice, secret)
    const read = await protocol.readOffer(offer, alice)
    seen.length = 0
    return { offer, pending, read }
  }

  test('an offer leaves what its answer needs, and wipePending nothing', async () => {
    const { offer, pending } = await protocol.makeOffer(spying(), bob, alice, secret)
    const kept = [pending.dk, pending.secretI, pending.secret ?? new Uint8Array()]
    expect(remains(...kept, offer)).toEqual([])
    expect(alive(kept)).toBe(true)
    protocol.wipePending(pending)
    expect(kept.map(isZero)).toEqual([true, true, true])
    expect(remains(secret, offer)).toEqual([])
    expect(isZero(secret)).toBe(false)
  })

  test('an answer leaves the root and the seed of ek_R', async () => {
    const { read } = await offered()
    const { answer, state } = await protocol.answerOffer(spying(), alice, read, secret)
    expect(seen.filter(({ how }) => how === 'kem')).toHaveLength(2)
    expect(remains(...secretsOf(state), answer, secret)).toEqual([])
    expect(alive(secretsOf(state))).toBe(true)
  })

  test('an answer that is taken leaves the root, and what the caller has of the offer', async () => {
    const { read, pending } = await offered()
    const { answer } = await protocol.answerOffer(kem, alice, read, secret)
    seen.length = 0
    const state = await protocol.acceptAnswer(spying(), bob, pending, answer)
    expect(remains(...secretsOf(state), pending.dk, secret)).toEqual([])
    expect(alive([...secretsOf(state), pending.dk, pending.secretI])).toBe(true)
  })

  test('an answer that does not prove the owner leaves nothing', async () => {
    const { read, pending } = await offered()
    const { answer } = await protocol.answerOffer(kem, alice, read, secret)
    seen.length = 0
    const taking = protocol.acceptAnswer(spying(), bob, pending, flip(answer, answer.length - 1))
    await expect(taking).rejects.toMatchObject({ code: 'answer' })
    expect(seen.map(({ how }) => how)).toContain('cut')
    expect(remains(pending.dk, secret)).toEqual([])
    expect(alive([pending.dk, pending.secretI])).toBe(true)
  })

  test('a guessed invite leaves no key of the link', async () => {
    const { read } = await offered()
    await protocol.inviteVerifies(read, secret)
    expect(seen.map(({ how }) => how)).toContain('derived')
    expect(remains(secret)).toEqual([])
  })
})

describe('of a message', () => {
  test('that takes the turn, sealing leaves the next state and the message’s key', async () => {
    const { bob: guest } = await sides()
    const before = protocol.encodeRatchet(guest.ratchet)
    const sealed = await protocol.sealMessage(spying(), guest.ratchet, text('words'))
    expect(seen.filter(({ how }) => how === 'kem')).toHaveLength(2)
    const living = [...secretsOf(sealed.ratchet), sealed.key]
    expect(remains(...living, guest.ratchet.root, sealed.bytes)).toEqual([])
    expect(alive(living)).toBe(true)
    expect(protocol.encodeRatchet(guest.ratchet)).toEqual(before)
  })

  test('inside a turn, the same, and the chain key that came in is the caller’s', async () => {
    const { alice: owner } = await sides()
    const before = protocol.encodeRatchet(owner.ratchet)
    const sealed = await protocol.sealMessage(spying(), owner.ratchet, text('words'))
    const living = [...secretsOf(owner.ratchet), ...secretsOf(sealed.ratchet), sealed.key]
    expect(remains(...living, sealed.bytes)).toEqual([])
    expect(alive(living)).toBe(true)
    expect(protocol.encodeRatchet(owner.ratchet)).toEqual(before)
  })

  test.each([true, false])(
    'taking leaves the next state and its key (takes the turn: %s)',
    async (turns) => {
      const { bob: guest, alice: owner } = await sides()
      const [speaker, listener] = turns ? [guest, owner] : [owner, guest]
      const { bytes } = await protocol.sealMessage(kem, speaker.ratchet, text('words'))
      const before = protocol.encodeRatchet(listener.ratchet)
      seen.length = 0
      const taken = await protocol.takeMessage(
        spying(),
        listener.identity,
        listener.ratchet,
        bytes,
        () => undefined,
      )
      if (taken.verdict !== 'taken') throw new Error(taken.verdict)
      const living = [...secretsOf(taken.ratchet), taken.key]
      expect(remains(...living, ...secretsOf(listener.ratchet))).toEqual([])
      expect(alive(living)).toBe(true)
      expect(protocol.encodeRatchet(listener.ratchet)).toEqual(before)
    },
  )

  test.each([true, false])(
    'that is spoiled, trying leaves nothing, and the state takes the right bytes (takes the turn: %s)',
    async (turns) => {
      const { bob: guest, alice: owner } = await sides()
      const [speaker, listener] = turns ? [guest, owner] : [owner, guest]
      const { bytes } = await protocol.sealMessage(kem, speaker.ratchet, text('words'))
      seen.length = 0
      const spoiled = flip(bytes, bytes.length - 1)
      const tried = await protocol.takeMessage(
        spying(),
        listener.identity,
        listener.ratchet,
        spoiled,
        () => undefined,
      )
      expect(tried).toEqual({ verdict: 'failed', code: 'aead' })
      expect(seen.length).toBeGreaterThan(3)
      expect(remains(...secretsOf(listener.ratchet))).toEqual([])
      expect((await take(listener, bytes)).verdict).toBe('taken')
    },
  )

  test('that opens and breaks the rules, trying leaves nothing', async () => {
    const meeting = await meet(bob, alice, null)
    const { bytes } = await protocol.sealMessage(kem, meeting.guest, hello)
    const owner = sideOf(alice, { ...meeting.owner, sent: 0, seen: 1 })
    seen.length = 0
    const tried = await protocol.takeMessage(spying(), alice, owner.ratchet, bytes, () => undefined)
    expect(tried).toEqual({ verdict: 'broken', code: 'seen' })
    expect(remains(...secretsOf(owner.ratchet))).toEqual([])
    expect(alive(secretsOf(owner.ratchet))).toBe(true)
  })

  test('that is read again, its record’s key stays and its plaintext does not', async () => {
    const { bob: guest } = await sides()
    const { bytes, key } = await protocol.sealMessage(kem, guest.ratchet, text('words'))
    seen.length = 0
    await protocol.openAgain(bytes, key)
    expect(remains(key)).toEqual([])
    expect(isZero(key)).toBe(false)
  })

  test('a typing sign’s key and plaintext do not stay, on either side', async () => {
    const { alice: owner, bob: guest } = await sides()
    const sign = await protocol.sealVolatile(owner.ratchet, 0, true)
    const opened = await protocol.openVolatile(guest.ratchet, sign ?? new Uint8Array(), null)
    expect(opened).toEqual({ counter: 0, on: true })
    const living = [...secretsOf(owner.ratchet), ...secretsOf(guest.ratchet)]
    expect(remains(...living, sign ?? new Uint8Array())).toEqual([])
    expect(alive(living)).toBe(true)
  })
})

describe('of a state', () => {
  test('what is lent is wiped, whether its use went well or not', async () => {
    const { bob: guest } = await sides()
    const packed = protocol.encodeRatchet(guest.ratchet)
    const lent: Bytes[] = []
    const use = async (ratchet: Ratchet): Promise<void> => {
      lent.push(...secretsOf(ratchet))
      expect(alive(lent)).toBe(true)
    }
    await protocol.withRatchet(packed, use)
    expect(lent.every(isZero)).toBe(true)
    lent.length = 0
    const failing = protocol.withRatchet(packed, async (ratchet) => {
      await use(ratchet)
      throw new Error('it went wrong')
    })
    await expect(failing).rejects.toThrow('it went wrong')
    expect(lent.length).toBeGreaterThan(0)
    expect(lent.every(isZero)).toBe(true)
    expect(protocol.decodeRatchet(packed)).toEqual(guest.ratchet)
  })

  test('what the next one shares with it is kept', async () => {
    const { alice: owner } = await sides()
    const { ratchet: next } = await protocol.sealMessage(kem, owner.ratchet, text('words'))
    protocol.wipeRatchet(next, owner.ratchet)
    expect(next.sending && isZero(next.sending.key)).toBe(true)
    expect(alive(secretsOf(owner.ratchet))).toBe(true)
  })

  test('the copy that shows its bytes to be canonical is wiped', () => {
    const written = pack({ root: protocol.random(32) })
    expect(givesBack(written, written.slice())).toBe(true)
    expect(isZero(written)).toBe(true)
  })
})

test('of a login, neither r nor its key stays', async () => {
  const r = protocol.random(32)
  const label = new TextEncoder().encode('quarter/1 loginhttps://quarter.example')
  const challenge = await sealRsa(alice.modulus, r, label)
  seen.length = 0
  const proof = await protocol.proveLogin(alice, 'https://quarter.example', challenge)
  expect(seen.map(({ how }) => how)).toEqual(['opened', 'imported', 'signed'])
  expect(remains(proof)).toEqual([])
})

test('of a frame with a seal half, nothing stays but the half itself', () => {
  const half = protocol.random(32)
  const hash = protocol.b64uEncode(alice.hash)
  const numbers = { role: 1, ttl: 900, left: 900, last_seq: 0, next_n: 0 }
  const session = { id: hash, peer: hash, state: 'open', half, ...numbers }
  const frame = encode({ t: 'session', session }).slice()
  const parsed = parseFromReceive(frame.buffer)
  expect(isZero(frame)).toBe(true)
  expect(parsed).toMatchObject({ session: { half } })
})

/** What the browser keeps for a tab. */
function stubStorage(): void {
  const kept = new Map<string, string>()
  vi.stubGlobal('indexedDB', new IDBFactory())
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  })
  const request = async (_: string, __: object, held: (lock: object) => unknown) => void held({})
  vi.stubGlobal('navigator', { locks: { request, query: async () => ({ held: [] }) } })
}

describe('of the vault', () => {
  beforeEach(stubStorage)

  test('a tab leaves neither its local half nor its private key, new or after a reload', async () => {
    const isPublic = (each: string): boolean => /^drawn page (12|16)$/.test(each)
    const tab = await openTab(0)
    const pkcs8 = await protocol.generateIdentity()
    await tab.vault.writeIdentity(pkcs8)
    tab.vault.close()
    const again = await openTab(0)
    expect(seen.filter(({ how, of }) => how === 'imported' && of === 'HKDF')).toHaveLength(2)
    expect(seen.filter(({ how }) => how === 'opened')).toHaveLength(1)
    expect(remains(pkcs8).filter((each) => !isPublic(each))).toEqual([])
    protocol.wipe(pkcs8)
    expect(remains().filter((each) => !isPublic(each))).toEqual([])
    await again.destroy()
  })

  test('links and arrivals leave nothing but what their reader was given', async () => {
    const { vault } = await openTab(0)
    const secret = protocol.makeSecret()
    seen.length = 0
    const link = {
      id: 'l',
      secret,
      name: null,
      createdAt: 1,
      expiresAt: 2,
      spent: false,
      answered: [],
    }
    await vault.writeLink(link)
    await vault.writeArrival({ hash: alice.hash, secret, at: 1 })
    expect(await vault.readLinks()).toEqual([link])
    expect(await vault.readArrival()).toEqual({ hash: alice.hash, secret, at: 1 })
    expect(seen.filter(({ how }) => how === 'sealed' || how === 'opened')).toHaveLength(4)
    expect(remains().filter((each) => each !== 'drawn page 12')).toEqual([])
  })
})

describe('of a conversation, in the page', () => {
  let world: World
  let host: Person
  let visitor: Person
  /** Every state that the two pages have held. */
  let held: Set<Uint8Array>
  /** The halves that the server has had. */
  let halves: Set<Uint8Array>

  beforeEach(async () => {
    world = new World()
    world.kem = Promise.resolve(spying())
    host = await Person.arrive(world, alice)
    visitor = await Person.arrive(world, bob)
    held = new Set()
    halves = new Set()
    for (const person of [host, visitor]) {
      holdAll(person)
      person.connect()
    }
    const { halfOf } = world
    vi.spyOn(world, 'halfOf').mockImplementation((...asked) => {
      const half = Reflect.apply(halfOf, world, asked)
      halves.add(half)
      return half
    })
  })

  afterEach(async () => {
    await goHome(host, visitor)
  })

  const conversationOf = (person: Person, id: string) => {
    const found = person.house.conversations.get(id)
    if (!found) throw new Error('no such conversation')
    return found
  }

  function hold({ ratchet, pending }: StoredConversation): void {
    for (const each of [ratchet, pending]) if (each) held.add(each)
  }

  /** Notes every state that a page reads from its vault or writes into it, and every half that it is given. */
  function holdAll(person: Person): void {
    const { vault } = person.house.room
    const { read, commit } = vault
    vi.spyOn(vault, 'read').mockImplementation(async (...asked) => {
      const found = await Reflect.apply(read, vault, asked)
      if (found) hold(found.state)
      return found
    })
    vi.spyOn(vault, 'commit').mockImplementation(async (...asked) => {
      hold(asked[3].state)
      return Reflect.apply(commit, vault, asked)
    })
  }

  const standing = (id: string): (Uint8Array | null)[] =>
    [host, visitor].map((person) => conversationOf(person, id).state.ratchet)

  /** The states that were held, are not held any more, and are not zero. */
  const forgotten = (id: string): Uint8Array[] =>
    [...held].filter((each) => !isZero(each) && !standing(id).includes(each))

  /**
   * What is not zero and neither public nor the world's own. An owner keeps a link's secret for its 24 hours, so that
   * it knows when a used one is tried again.
   */
  function leftOver(): string[] {
    const secrets = [...halves, host.half, visitor.half]
    const drawn = seen.filter(({ how, bytes }) => how === 'drawn' && bytes.length === 16)
    const links = drawn.map(({ was }) => bytesOf(was))
    const isPublic = (each: string): boolean => /^(drawn page (9|12|16)|signed HMAC 32)$/.test(each)
    return remains(...secrets, ...links).filter((each) => !isPublic(each))
  }

  /** What a page holds when it goes is not its to wipe. */
  async function reload(person: Person, id: string): Promise<void> {
    held.delete(conversationOf(person, id).state.ratchet ?? new Uint8Array())
    await person.reload()
    holdAll(person)
    await settle(host, visitor)
  }

  async function talk(id: string): Promise<void> {
    for (const words of ['one', 'two', 'three']) {
      for (const person of [visitor, host]) {
        await person.say(id, words)
        await settle(host, visitor)
      }
    }
  }

  test('only the state that stands is not zero, after a meeting, turns, typing and a reload', async () => {
    const id = await visitor.join(await host.link())
    await settle(host, visitor)
    await talk(id)
    await conversationOf(host, id).typing(true)
    await conversationOf(host, id).markCompared()
    await reload(host, id)
    await talk(id)
    expect(host.texts(id)).toEqual(visitor.texts(id))
    expect(held.size).toBeGreaterThan(20)
    expect(forgotten(id)).toEqual([])
    expect(standing(id).map((each) => each && isZero(each))).toEqual([false, false])
    expect(leftOver()).toEqual([])
    expect(seen.length).toBeGreaterThan(300)
  })

  test('nothing is left when it has ended', async () => {
    const id = await meetingOf(host, visitor)
    await talk(id)
    await reload(visitor, id)
    conversationOf(host, id).end('left')
    conversationOf(visitor, id).end('left')
    await settle(host, visitor)
    expect([...held].filter((each) => !isZero(each))).toEqual([])
    expect(leftOver()).toEqual([])
  })

  test('nothing of an answer is left that did not prove the owner', async () => {
    world.tamper = (item) =>
      item.kind === 'answer' ? { ...item, body: flip(item.body, 2785) } : item
    const id = await visitor.join(await host.link())
    await settle(host, visitor)
    expect(visitor.phase(id)).toBe('broken')
    expect(held.size).toBeGreaterThan(0)
    expect(forgotten(id)).toEqual([])
    expect(leftOver()).toEqual([])
  })

  test('what was computed from an older state is wiped, and computed again', async () => {
    const id = await meetingOf(host, visitor)
    const { vault } = host.house.room
    const commit = vi.spyOn(vault, 'commit').mockClear()
    commit.mockImplementationOnce(async (...asked) => {
      hold(asked[3].state)
      throw new StaleVersion()
    })
    await host.say(id, 'said in spite of it')
    expect(commit).toHaveBeenCalledTimes(2)
    await settle(host, visitor)
    expect(visitor.texts(id)).toEqual(['said in spite of it'])
    expect(forgotten(id)).toEqual([])
    expect(leftOver()).toEqual([])
  })

  test('what a full disk refused is wiped, and the next try goes on from the state that stands', async () => {
    const id = await meetingOf(host, visitor)
    const { vault } = host.house.room
    vi.spyOn(vault, 'commit').mockImplementationOnce(async (...asked) => {
      hold(asked[3].state)
      throw new DOMException('full', 'QuotaExceededError')
    })
    await expect(host.say(id, 'lost')).rejects.toThrow('full')
    await host.say(id, 'kept')
    await settle(host, visitor)
    expect(visitor.texts(id)).toEqual(['kept'])
    expect(forgotten(id)).toEqual([])
    expect(leftOver()).toEqual([])
  })

  test('a typing sign that is made while the state moves on still opens', async () => {
    const id = await meetingOf(host, visitor)
    await host.say(id, 'first')
    await settle(host, visitor)
    const signs: Bytes[] = []
    vi.spyOn(host, 'volatile').mockImplementation((_, body) => void signs.push(body))
    visitor.disconnect()
    const listening = protocol.decodeRatchet(
      conversationOf(visitor, id).state.ratchet ?? new Uint8Array(),
    )
    await Promise.all([conversationOf(host, id).typing(true), host.say(id, 'second')])
    const opened = await Promise.all(
      signs.map((sign) => protocol.openVolatile(listening, sign, null)),
    )
    expect(opened).toEqual([{ counter: 0, on: true }])
    visitor.connect()
    await settle(host, visitor)
    expect(visitor.texts(id)).toEqual(['first', 'second'])
  })

  test('the half that the server gave is wiped once the conversation’s key is made', async () => {
    const given: Bytes[] = []
    const { request } = visitor
    vi.spyOn(visitor, 'request').mockImplementation(async (asked) => {
      const reply = await Reflect.apply(request, visitor, [asked])
      if (reply.t === 'seal') given.push(reply.half)
      return reply
    })
    const { infoFor } = world
    vi.spyOn(world, 'infoFor').mockImplementation((...asked) => {
      const info = Reflect.apply(infoFor, world, asked)
      given.push(info.half)
      return info
    })
    const id = await meetingOf(host, visitor)
    visitor.disconnect()
    visitor.connect()
    await settle(host, visitor)
    await reload(host, id)
    expect(given.length).toBeGreaterThan(3)
    expect(given.filter((half) => !isZero(half))).toEqual([])
    const salts = seen.filter(({ of }) => of === 'salt').filter(({ bytes }) => bytes.length > 32)
    expect(salts.length).toBeGreaterThan(2)
    expect(salts.filter(({ bytes }) => !isZero(bytes))).toEqual([])
    expect([host.phase(id), visitor.phase(id)]).toEqual(['open', 'open'])
  })

  test('a hello that came second leaves nothing', async () => {
    const meeting = await meet(bob, alice, null)
    const { bytes } = await protocol.sealMessage(kem, meeting.guest, hello)
    const state = host.house.newState({
      role: 1,
      peer: visitor.hash,
      verified: 'link',
      ttlSeconds: 900,
      ratchet: protocol.encodeRatchet(meeting.owner),
    })
    seen.length = 0
    const refused = await open(
      host.house.room,
      state,
      bytes,
      () => undefined,
      () => null,
    )
    expect(refused).toEqual({ change: null, value: { verdict: 'late' } })
    expect(seen.length).toBeGreaterThan(5)
    expect(leftOver()).toEqual([])
    expect(state.ratchet && isZero(state.ratchet)).toBe(false)
  })

  test('what was not read again by its end is not needed any more', () => {
    const key = protocol.random(44)
    const record: StoredRecord = { order: 0, sender: 0, n: 0, digest: protocol.random(32), key }
    const transcript = new Transcript([record])
    expect(isZero(key)).toBe(false)
    transcript.forget()
    expect(isZero(key)).toBe(true)
    expect([transcript.complete, transcript.recordOf(record.digest)]).toEqual([true, undefined])
  })
})

describe('of the page’s engine', () => {
  test('a private key is wiped once it is imported, an arrival’s secret once it is left', async () => {
    stubStorage()
    vi.stubGlobal('window', new EventTarget())
    vi.stubGlobal('document', new EventTarget())
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('there is no server')
    })
    const written = vi.spyOn(Vault.prototype, 'writeArrival')
    const engine = new QuarterEngine('https://quarter.example')
    await engine.start()
    expect(seen.filter(({ how }) => how === 'exported').map(({ bytes }) => isZero(bytes))).toEqual([
      true,
    ])

    const secrets = (): boolean[] =>
      written.mock.calls.flatMap(([arrival]) => (arrival?.secret ? [isZero(arrival.secret)] : []))
    const link = (): string =>
      protocol.formatLink('https://quarter.example', alice.hash, protocol.makeSecret())
    await engine.arrive(link())
    expect(secrets()).toEqual([false])
    const second = await engine.arrive(link())
    expect(secrets()).toEqual([true, false])
    await engine.turnDown(second)
    expect(secrets()).toEqual([true, true])
    await engine.arrive(link())
    await engine.forgetLocally()
    expect(secrets()).toEqual([true, true, true])
  })
})

describe('of a link', () => {
  test('the secret is wiped when it is withdrawn, and all are with the identity', async () => {
    const { alice: host, bob: visitor } = await aPair([alice, bob])
    seen.length = 0
    await host.link('one')
    await host.link('two')
    const secrets = (): Seen[] =>
      seen.filter(({ how, of, bytes }) => how === 'drawn' && of === 'page' && bytes.length === 16)
    const [first] = host.links
    await host.house.links.withdraw(first?.id ?? '')
    expect(secrets().map(({ bytes }) => isZero(bytes))).toEqual([true, false])
    host.house.links.forget()
    expect(secrets().map(({ bytes }) => isZero(bytes))).toEqual([true, true])
    await goHome(host, visitor)
  })
})
