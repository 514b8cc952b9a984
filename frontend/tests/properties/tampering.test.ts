/**
 * PROTOCOL §10.4: whatever the server makes of messages (changes, drops, repeats, re-orders, reflects, swaps with another
 * session's), it is noticed, the state stays as it was, and what was sent honestly is taken afterwards.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import {
  concat,
  encodeRatchet,
  equalPublic,
  uint32,
  type Bytes,
  type Identity,
  type Ratchet,
  type Verdict,
} from '../../src/protocol'
import { readUint32 } from '../../src/protocol/bytes'
import { kem as xWing, makePeople } from '../protocol/people'
import { unsafeKemForTests } from '../unsafeKem'
import { bitIn, flipBit } from './bits'
import { Dialogue, type Side } from './dialogue'
import { DIALOGUES, holds, runs, timeout } from './runs'

let people: { alice: Identity; bob: Identity; mallory: Identity }

beforeAll(async () => {
  people = await makePeople()
})

/** Where the fields of a message are (PROTOCOL §6). */
const AT = { sender: 34, epoch: 35, n: 39, salt: 43, step: 59, ct: 60, bodyOfStep: 2780 } as const

const MISCHIEFS = [
  'flips a bit of one',
  'flips a bit of the next',
  'drops one and gives a later one',
  'repeats one',
  'gives one of another session',
  'gives one of other people',
  'gives one back',
  'gives some other one in the place of the next',
  'cuts one',
  'lengthens one',
] as const

interface Mischief {
  readonly what: (typeof MISCHIEFS)[number]
  /** Which message, and which bit or byte of it. */
  readonly which: number
  readonly where: number
}

const mischiefs = fc.record<Mischief>({
  what: fc.constantFrom(...MISCHIEFS),
  which: fc.nat(7),
  where: bitIn(AT.bodyOfStep + 272),
})

const script = fc.array(
  fc.record({
    who: fc.constantFrom('guest', 'owner'),
    act: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom('say', 'take') },
      { weight: 3, arbitrary: mischiefs },
    ),
  }),
  { minLength: 4, maxLength: 20 },
)

/** A dialogue that goes on, and others that the server knows. */
interface Scene {
  readonly dialogue: Dialogue
  readonly ofTheSame: Dialogue
  readonly ofOthers: readonly Dialogue[]
}

const messagesOf = ({ sent }: Side): Bytes[] => sent.slice(1)
const pick = (messages: readonly Bytes[], which: number): Bytes | undefined =>
  messages[which % Math.max(1, messages.length)]

/** What the server gives to a side, if it has what it needs for that. */
function forge({ dialogue, ofTheSame, ofOthers }: Scene, side: Side, mischief: Mischief) {
  const { what, which, where } = mischief
  const role = side === dialogue.guest ? 'owner' : 'guest'
  const messages = messagesOf(dialogue[role])
  const taken = side.digests.length
  const swapped = pick(messagesOf(ofTheSame[role]), which)
  const foreign = pick(
    ofOthers.flatMap((each) => messagesOf(each[role])),
    which,
  )
  const own = pick(messagesOf(side), which)
  const any = pick(messages, which)
  const next = messages[taken]
  const gifts: Record<Mischief['what'], () => Bytes | undefined> = {
    'flips a bit of one': () => any && flipBit(any, where % (8 * any.length)),
    'flips a bit of the next': () => next && flipBit(next, where % (8 * next.length)),
    'drops one and gives a later one': () => pick(messages.slice(taken + 1), which),
    'repeats one': () => pick(messages.slice(0, taken), which),
    'gives one of another session': () => swapped,
    'gives one of other people': () => foreign,
    'gives one back': () => own,
    'gives some other one in the place of the next': () => {
      const other = [any, swapped, foreign, own][where % 4]
      return other && inPlaceOfNext(side, other)
    },
    'cuts one': () => any?.slice(0, where % any.length),
    'lengthens one': () => any && concat(any, new Uint8Array(1 + (where % 300))),
  }
  return gifts[what]()
}

/** The same salt, step and body under the session, sender, epoch and n of the message that is due. */
function inPlaceOfNext({ ratchet }: Side, other: Bytes): Bytes {
  const { role, sessionId, turn, receiving, taken } = standing(ratchet)
  const isStep = other[AT.step] === 1
  const epoch = isStep ? turn.epoch + 1 : (receiving?.epoch ?? 0)
  const place = [
    Uint8Array.of(1, 3),
    sessionId,
    Uint8Array.of(1 - role),
    uint32(epoch),
    uint32(taken),
  ]
  return concat(...place, other.slice(AT.salt))
}

/** PROTOCOL §6, "To take a message", once more, for bytes that the peer did not send as its next. */
function expected({ ratchet, digests }: Side, bytes: Bytes, peer: Side): string {
  const { role, sessionId, turn, receiving, taken } = standing(ratchet)
  const step = bytes[AT.step]
  const frame = bytes.length - 16 - (step === 1 ? AT.bodyOfStep : AT.ct)
  const isPeers = equalPublic(
    bytes.slice(0, AT.epoch),
    concat(Uint8Array.of(1, 3), sessionId, Uint8Array.of(1 - role)),
  )
  if (!isPeers || frame < 256 || frame > 32 * 1024 || (step !== 0 && step !== 1)) return 'drop'
  const n = readUint32(bytes, AT.n)
  if (n > taken) return 'gap'
  if (n < taken)
    return equalPublic(digestOf(bytes), digests[n] ?? bytes) ? 'resend' : 'broken other-bytes'
  const epoch = readUint32(bytes, AT.epoch)
  if (step === 0) return epoch === receiving?.epoch ? 'failed aead' : 'failed epoch'
  if (turn.whose !== 'theirs' || epoch !== turn.epoch + 1) return 'failed epoch'
  const isTheirStep = (each: Bytes) =>
    readUint32(each, AT.epoch) === epoch && equalPublic(stepOf(each), stepOf(bytes))
  return messagesOf(peer).some(isTheirStep) ? 'failed aead' : 'failed rsa'
}

const NONE = new Uint8Array(0)
const stepOf = (bytes: Bytes): Bytes => bytes.slice(AT.ct, AT.bodyOfStep)
const digestOf = (bytes: Bytes): Bytes =>
  Uint8Array.from(createHash('sha256').update(bytes).digest())
const nameOf = (verdict: Verdict): string =>
  'code' in verdict ? `${verdict.verdict} ${verdict.code}` : verdict.verdict

function standing(ratchet: Ratchet | null): Ratchet {
  if (!ratchet) throw new Error('there is no conversation yet')
  return ratchet
}

/** Gives forged bytes to a side: the right verdict, and not a bit of its state changes. */
async function give(scene: Scene, side: Side, mischief: Mischief): Promise<void> {
  const bytes = forge(scene, side, mischief)
  const due = scene.dialogue.due(side) ?? NONE
  if (!bytes || equalPublic(bytes, due)) return
  const before = encodeRatchet(standing(side.ratchet))
  const given = bytes.slice()
  const verdict = await scene.dialogue.judge(side, bytes)
  expect(nameOf(verdict)).toBe(expected(side, bytes, scene.dialogue.peerOf(side)))
  expect(equalPublic(encodeRatchet(standing(side.ratchet)), before)).toBe(true)
  expect(equalPublic(bytes, given)).toBe(true)
}

/** With three turns of two messages each. */
async function talked(dialogue: Dialogue): Promise<Dialogue> {
  for (const who of ['guest', 'owner', 'guest'] as const) {
    for (const words of ['one', 'two']) await dialogue.say(dialogue[who], words)
    await dialogue.finish()
  }
  return dialogue
}

test.each([
  ['X-Wing', xWing, runs(50)],
  ['a key encapsulation that is quick', unsafeKemForTests, DIALOGUES],
])(
  'whatever the server makes of messages is noticed, changes nothing, and all goes on, with %s',
  async (_name, kem, numRuns) => {
    const { alice, bob, mallory } = people
    const begun = await Dialogue.open(kem, bob, alice)
    const ofTheSame = await talked(await Dialogue.open(kem, bob, alice))
    const ofOthers = [
      await talked(await Dialogue.open(kem, mallory, alice)),
      await talked(await Dialogue.open(kem, bob, mallory)),
    ]
    const property = fc.asyncProperty(script, async (acts) => {
      const dialogue = begun.copy()
      for (const { who, act } of acts) {
        const side = dialogue[who]
        if (act === 'say') await dialogue.say(side, `${side.said.length}`)
        else if (act === 'take') await dialogue.take(side)
        else await give({ dialogue, ofTheSame, ofOthers }, side, act)
      }
      await dialogue.finish()
      expect(dialogue.heard).toEqual(dialogue.said)
    })
    await holds(numRuns, property)
  },
  timeout(DIALOGUES),
)
