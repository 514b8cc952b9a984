/** Whatever happens to pages, and to what is pushed to them, in the small world of the engine's tests. */
import fc from 'fast-check'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import * as owner from '../../src/engine/owner'
import { Unreachable } from '../../src/transport/errors'
import type { Item, Request } from '../../src/transport/wire'
import { Ledger } from '../engine/ledger'
import { aPair, goHome, identities, settle, World, type Person } from '../engine/world'
import { unsafeKemForTests } from '../unsafeKem'
import { bitIn, flipBit } from './bits'
import { holds, runs, timeout } from './runs'

let keys: Identity[]
let world: World
let alice: Person
let bob: Person

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

async function begin(): Promise<void> {
  const quick = new World()
  quick.kem = Promise.resolve(unsafeKemForTests)
  ;({ world, alice, bob } = await aPair(keys, quick))
}

/** Long enough for an ack, and for what is missing to be fetched. */
async function aWhile(): Promise<void> {
  await settle(alice, bob)
  vi.advanceTimersByTime(1_600)
  await settle(alice, bob)
}

/** What becomes of the next item that is pushed to somebody; what is late comes behind the one after it. */
type Whim = 'lost' | 'twice' | 'late'
type Happening = 'say' | 'reload' | 'away' | 'back' | 'deaf' | 'settle' | 'wait' | Whim

const HAPPENINGS: readonly Happening[] = [
  ...(['say', 'say', 'say', 'reload', 'away', 'back', 'deaf', 'settle', 'wait'] as const),
  ...(['lost', 'twice', 'late'] as const),
]

const happenings = fc.array(
  fc.record({
    who: fc.constantFrom('alice', 'bob'),
    what: fc.constantFrom(...HAPPENINGS),
  }),
  { minLength: 3, maxLength: 16 },
)

function pushBadly(whims: Map<Person, Whim>): void {
  const late = new Map<Person, Item>()
  world.push = (item, to) => {
    const whim = whims.get(to)
    whims.delete(to)
    const held = late.get(to)
    late.delete(to)
    if (whim === 'late') late.set(to, item)
    else if (whim !== 'lost') to.receive(item)
    if (whim === 'twice') to.receive(item)
    if (held) to.receive(held)
  }
}

function comeBack(person: Person): void {
  if (!person.online) person.connect()
}

/** Says the next of one's words, once the conversation is on the screen. */
async function say(person: Person, id: string, said: string[]): Promise<void> {
  if (!person.conversations.has(id)) return
  said.push(`${said.length}`)
  await person.say(id, `${said.length - 1}`)
}

test(
  'both end with everything that was said, each in its sender’s order, and no key was used twice',
  async () => {
    const property = fc.asyncProperty(happenings, async (script) => {
      const ledger = new Ledger()
      await begin()
      const id = await bob.join(await alice.link())
      const people = { alice, bob }
      const said = { alice: [] as string[], bob: [] as string[] }
      const whims = new Map<Person, Whim>()
      pushBadly(whims)
      for (const { who, what } of script) {
        const person = people[who]
        if (what === 'say') await say(person, id, said[who])
        else if (what === 'reload') await person.reload()
        else if (what === 'away') person.disconnect()
        else if (what === 'back') comeBack(person)
        else if (what === 'deaf') person.deaf = !person.deaf
        else if (what === 'settle') await settle(alice, bob)
        else if (what === 'wait') await aWhile()
        else whims.set(person, what)
      }
      whims.clear()
      for (const person of [alice, bob]) {
        person.deaf = false
        await person.reload()
      }
      await aWhile()
      for (const reader of [alice, bob]) {
        expect(reader.phase(id)).toBe('open')
        expect(reader.texts(id, { mine: reader === alice })).toEqual(said.alice)
        expect(reader.texts(id, { mine: reader === bob })).toEqual(said.bob)
      }
      await goHome(alice, bob)
      ledger.close()
      expect(ledger.complaints).toEqual([])
    })
    await holds(runs(25), property)
  },
  timeout(runs(25)),
)

/** The offer that Bob's page makes by this address, kept from the server. */
async function offerBy(address: string): Promise<Extract<Request, { t: 'offer' }>> {
  const { request } = bob
  let offer: Extract<Request, { t: 'offer' }> | undefined
  bob.request = async (asked) => {
    if (asked.t !== 'offer') return request.call(bob, asked)
    offer = asked
    throw new Unreachable()
  }
  await bob.join(address)
  bob.request = request
  if (!offer) throw new Error('no offer was made')
  return offer
}

test.each(['by a link', 'without a link'])(
  'an offer %s with any bit changed leaves nothing in the owner’s browser, and is not answered',
  async (kind) => {
    await begin()
    const offer = await offerBy(kind === 'by a link' ? await alice.link() : `#${alice.hash}`)
    const before = await alice.copyProfile()
    const property = fc.asyncProperty(bitIn(offer.body.length), async (bit) => {
      await bob.request({ ...offer, body: flipBit(offer.body, bit) })
      await settle(alice)
      for (const id of alice.conversations.keys()) await owner.accept(alice.house, id)
      await settle(alice)
      expect([...alice.conversations.keys()]).toEqual([])
      expect(await alice.copyProfile()).toEqual(before)
      for (const { items } of world.sessions.values()) expect(items.length).toBe(1)
      world.sessions.clear()
    })
    await holds(runs(25), property)
    await bob.request(offer)
    await settle(alice, bob)
    for (const id of alice.conversations.keys()) await owner.accept(alice.house, id)
    await settle(alice, bob)
    expect([...alice.conversations.values()]).toMatchObject([{ phase: 'open' }])
    await goHome(alice, bob)
  },
  timeout(runs(25)),
)
