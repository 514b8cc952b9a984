/** PROTOCOL §10.4: whatever the order of sending and delivering, and whatever the server does between. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

import {
  decodeRatchet,
  encodeRatchet,
  equalPublic,
  sealMessage,
  toHex,
  type Bytes,
  type Content,
  type Identity,
  type Unreadable,
} from '../../src/protocol'
import { ack, converse, flip, kem, makePeople, meet, say, sideOf, take, text } from './people'
import { deliver, hello, offerTo, type Meeting, type Side } from './people'

let alice: Identity
let bob: Identity
let meeting: Meeting
let other: Meeting

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
  meeting = await meet(bob, alice, null)
  other = await meet(bob, alice, null)
})

const wordsOf = (contents: readonly (Content | Unreadable)[]): string[] =>
  contents.flatMap((content) => (content.t === 'text' ? [content.text] : []))

const reload = (side: Side): void => {
  side.ratchet = decodeRatchet(encodeRatchet(side.ratchet))
}

test('any interleaving of sends, deliveries and reloads ends with both transcripts complete and equal', async () => {
  const acts = fc.array(
    fc.record({
      who: fc.constantFrom(0, 1),
      act: fc.constantFrom('say', 'say', 'take', 'take', 'reload'),
    }),
    { maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(acts, async (script) => {
      const sides = [sideOf(bob, meeting.guest), sideOf(alice, meeting.owner)] as const
      const sent: [Bytes[], Bytes[]] = [[await say(sides[0], hello)], []]
      const said: [string[], string[]] = [[], []]
      const takeNext = async (who: 0 | 1): Promise<boolean> => {
        const bytes = sent[who === 0 ? 1 : 0][sides[who].ratchet.taken]
        if (bytes === undefined) return false
        expect((await take(sides[who], bytes)).verdict).toBe('taken')
        return true
      }
      for (const { who: number, act } of script) {
        const who = number === 0 ? 0 : 1
        const side = sides[who]
        if (act === 'reload') reload(side)
        if (act === 'take') await takeNext(who)
        if (act === 'say' && (who === 0 || side.ratchet.taken > 0)) {
          const words = `${who}/${side.ratchet.sent}`
          said[who].push(words)
          sent[who].push(await say(side, text(words)))
        }
      }
      while ((await takeNext(0)) || (await takeNext(1))) reload(sides[0])
      expect(wordsOf(sides[1].heard)).toEqual(said[0])
      expect(wordsOf(sides[0].heard)).toEqual(said[1])
      sent[1].push(await say(sides[1], ack))
      await takeNext(0)
      expect([sides[0].ratchet.seen, sides[0].ratchet.sent]).toEqual([
        sent[0].length,
        sent[0].length,
      ])
    }),
    { numRuns: 40 },
  )
})

test('whatever the server gives, changes, repeats or leaves out, what was taken is the start of what was said', async () => {
  const sides = await converse(bob, alice, meeting)
  const elsewhere = await converse(bob, alice, other)
  const start = sides.alice
  const sent: Bytes[] = []
  for (const words of ['a', 'b', 'c', 'd']) sent.push(await say(sides.bob, text(words)))
  const foreign = await say(elsewhere.bob, text('foreign'))
  const reflected = await say(sideOf(alice, start.ratchet), text('reflected'))
  const moves = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('give'), which: fc.nat(3) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('change'), which: fc.nat(3), at: fc.nat(3051) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('foreign', 'reflected'), which: fc.nat(3) }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { maxLength: 14 }), async (script) => {
      const side: Side = { ...start, digests: [...start.digests], heard: [] }
      for (const move of script) {
        const original = sent[move.which] ?? foreign
        const at = 'at' in move ? move.at % original.length : 0
        const choices = { give: original, change: flip(original, at), foreign, reflected }
        const bytes = choices[move.kind as keyof typeof choices]
        const before = encodeRatchet(side.ratchet)
        const due = move.kind === 'give' && move.which + 1 === side.ratchet.taken
        const verdict = await take(side, bytes)
        expect(verdict.verdict === 'taken').toBe(due)
        if (!due) expect(equalPublic(encodeRatchet(side.ratchet), before)).toBe(true)
      }
      expect(['a', 'b', 'c', 'd'].slice(0, side.heard.length)).toEqual(wordsOf(side.heard))
    }),
    { numRuns: 40 },
  )
})

test('two messages swapped: the later one waits for the earlier', async () => {
  const { bob: guest, alice: owner } = await converse(bob, alice, meeting)
  const [first, second] = [await say(guest, text('first')), await say(guest, text('second'))]
  expect(await offerTo(owner, second)).toEqual({ verdict: 'gap', expected: 1 })
  expect((await take(owner, first)).verdict).toBe('taken')
  expect((await take(owner, second)).verdict).toBe('taken')
  expect(wordsOf(owner.heard)).toEqual(['first', 'second'])
})

test('both may speak at once, for as long as they like, and then each takes the turn', async () => {
  const { bob: guest, alice: owner } = await converse(bob, alice, meeting)
  const fromGuest = [await say(guest, text('g1')), await say(guest, text('g2'))]
  const fromOwner = [await say(owner, text('o1')), await say(owner, text('o2'))]
  for (const bytes of fromOwner) expect((await take(guest, bytes)).verdict).toBe('taken')
  fromGuest.push(await say(guest, text('g3')))
  for (const bytes of fromGuest) expect((await take(owner, bytes)).verdict).toBe('taken')
  await deliver(owner, guest, text('o3'))
  expect(wordsOf(guest.heard)).toEqual(['o1', 'o2', 'o3'])
  expect(wordsOf(owner.heard)).toEqual(['g1', 'g2', 'g3'])
})

test('a store rolled back to any earlier state never uses a key and nonce twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { minLength: 1, maxLength: 8 }), async (rollbacks) => {
      const { bob: guest } = await converse(bob, alice, meeting)
      const copies = [encodeRatchet(guest.ratchet)]
      const used: string[] = []
      for (const choice of rollbacks) {
        const copy = copies[choice % copies.length]
        if (copy === undefined) return
        const sealed = await sealMessage(kem, decodeRatchet(copy), text('the same words'))
        used.push(toHex(sealed.key))
        copies.push(encodeRatchet(sealed.ratchet))
      }
      expect(new Set(used).size).toBe(used.length)
    }),
    { numRuns: 10 },
  )
})

test('one end rolled back is noticed by the other', async () => {
  const { bob: guest, alice: owner } = await converse(bob, alice, meeting)
  const copy = guest.ratchet
  await deliver(guest, owner, text('kept'))
  guest.ratchet = copy
  const verdict = await offerTo(owner, await say(guest, text('other words')))
  expect(verdict).toEqual({ verdict: 'broken', code: 'other-bytes' })
})
