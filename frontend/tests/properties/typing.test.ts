/** Signs of writing by a peer who holds the keys: whatever is sealed in them, the page shows on or off, or nothing. */
import { encode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeRatchet, type Bytes, type Ratchet } from '../../src/protocol'
import { pad } from '../../src/protocol/padding'
import { aPair, goHome, identities, meetingOf, settle, World, type Person } from '../engine/world'
import { forgeSign, frameOf } from '../protocol/forge'
import { unsafeKemForTests } from '../unsafeKem'
import { holds, runs, timeout } from './runs'

let alice: Person
let bob: Person
let id: string
/** Alice's, whose keys seal anything. */
let keys: Ratchet
let counter: number

beforeEach(async () => {
  const quick = new World()
  quick.kem = Promise.resolve(unsafeKemForTests)
  ;({ alice, bob } = await aPair(await identities(2), quick))
  id = await meetingOf(alice, bob)
  await alice.say(id, 'hello')
  await settle(alice, bob)
  const { ratchet } = alice.talk(id).state
  if (!ratchet) throw new Error('the conversation has no keys')
  keys = decodeRatchet(ratchet)
  counter = 0
})

afterEach(() => goHome(alice, bob))

const content = (value: unknown): Bytes => pad(Uint8Array.from(encode(value)))
const other = fc.oneof(
  fc.jsonValue(),
  fc.double(),
  fc.uint8Array({ maxLength: 64 }),
  fc.string({ unit: 'binary', maxLength: 64 }),
)
const noBoolean = other.filter((value) => typeof value !== 'boolean')
const noSign = fc.oneof(
  other.filter((value) => typeof value !== 'object').map(content),
  fc.record({ t: other, on: other }).map(content),
  noBoolean.map((on) => content({ t: 'typing', on })),
  fc.constantFrom('text', 'ack', 'bye', 'timer', 'Typing').map((t) => content({ t, on: true })),
  fc.constant(content({ t: 'typing' })),
  fc.uint8Array({ maxLength: 900 }).map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ maxLength: 900 }).map((bytes) => pad(Uint8Array.from(bytes))),
)
/** Members that this version does not know, and that §7 allows. */
const unknown = fc.dictionary(
  fc.stringMatching(/^x[a-z_]{0,8}$/u),
  fc.oneof(
    fc.nat(),
    fc.boolean(),
    fc.string({ maxLength: 20 }).map((text) => `.${text}`),
  ),
  { maxKeys: 4 },
)

/** Whether Bob sees Alice write after such a frame of hers. */
async function shows(frame: Bytes): Promise<boolean> {
  bob.receive({ t: 'volatile', session: id, body: forgeSign(keys, counter++, frame) })
  await settle(bob)
  return bob.conversations.get(id)?.peerTyping ?? false
}

test(
  'what is no sign shows nothing, and leaves the conversation as it was',
  async () => {
    const before = await bob.copyProfile()
    const property = fc.asyncProperty(noSign, async (frame) => {
      expect(await shows(frame)).toBe(false)
    })
    await holds(runs(10), property)
    expect(await shows(frameOf({ t: 'typing', on: true }))).toBe(true)
    expect(await bob.copyProfile()).toEqual(before)
    await alice.say(id, 'and on')
    await settle(alice, bob)
    expect(bob.texts(id)).toEqual(['hello', 'and on'])
  },
  timeout(runs(10)),
)

test(
  'what is one shows on or off, whatever else is in it',
  async () => {
    const property = fc.asyncProperty(unknown, fc.boolean(), async (more, on) => {
      expect(await shows(frameOf({ t: 'typing', on, ...more }))).toBe(on)
    })
    await holds(runs(10), property)
  },
  timeout(runs(10)),
)
