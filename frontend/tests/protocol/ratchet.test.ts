import { beforeAll, describe, expect, test } from 'vitest'

import {
  encodeRatchet,
  equalPublic,
  openAgain,
  random,
  sealMessage,
  takeMessage,
  toHex,
  type Bytes,
  type Identity,
  type Ratchet,
} from '../../src/protocol'
import { concat } from '../../src/protocol/bytes'
import { hash } from '../../src/protocol/primitives'
import { forge, frameOf } from './forge'
import {
  ack,
  codeOf,
  converse,
  deliver,
  flip,
  hello,
  kem,
  makePeople,
  meet,
  offerTo,
  say,
  sideOf,
  take,
  text,
  upTo,
  type Meeting,
  type Side,
} from './people'

let people: { alice: Identity; bob: Identity; mallory: Identity }
let meeting: Meeting
let other: Meeting

beforeAll(async () => {
  people = await makePeople()
  meeting = await meet(people.bob, people.alice, null)
  other = await meet(people.bob, people.alice, null)
})

const talk = (): Promise<{ bob: Side; alice: Side }> => converse(people.bob, people.alice, meeting)
const start = () => ({
  bob: sideOf(people.bob, meeting.guest),
  alice: sideOf(people.alice, meeting.owner),
})

/** What a side says to bytes; fails the test if its state was touched. */
async function judge(side: Side, bytes: Bytes): Promise<string> {
  const before = encodeRatchet(side.ratchet)
  const given = bytes.slice()
  const verdict = await offerTo(side, bytes)
  expect(equalPublic(encodeRatchet(side.ratchet), before)).toBe(true)
  expect(equalPublic(bytes, given)).toBe(true)
  return 'code' in verdict ? `${verdict.verdict} ${verdict.code}` : verdict.verdict
}

const withN = (bytes: Bytes, n: number): Bytes => {
  const changed = bytes.slice()
  changed[42] = n
  return changed
}

describe('a message', () => {
  test('is as long as PROTOCOL says, with a step and without', async () => {
    const { alice, bob } = await talk()
    const [first, second] = [await say(bob, text('a')), await say(bob, text('b'))]
    expect([first.length, second.length]).toEqual([2780 + 256 + 16, 60 + 256 + 16])
    expect((await take(alice, first)).verdict).toBe('taken')
    expect((await take(alice, second)).verdict).toBe('taken')
  })

  test('that another implementation wrote opens, with a step and without', async () => {
    const { alice, bob } = start()
    const frame = frameOf({ t: 'hello', at: 7, seen: 0 })
    expect(await take(alice, await forge(bob.ratchet, frame))).toMatchObject({
      verdict: 'taken',
      n: 0,
      content: { t: 'hello', at: 7, seen: 0 },
    })
    const later = await talk()
    await deliver(later.bob, later.alice, text('first of its turn'))
    const bare = await forge(later.bob.ratchet, frameOf({ t: 'text', at: 8, seen: 1, text: 'hi' }))
    expect(await take(later.alice, bare)).toMatchObject({
      verdict: 'taken',
      n: 2,
      content: { t: 'text', at: 8, seen: 1, text: 'hi' },
    })
  })

  test('gives the record that opens it again, and nothing else does', async () => {
    const { alice, bob } = await talk()
    const sealed = await sealMessage(kem, bob.ratchet, text('again'))
    expect(sealed.digest).toEqual(await hash(sealed.bytes))
    expect(sealed.content).toEqual({ ...text('again'), seen: 1 })
    const taken = await take(alice, sealed.bytes)
    expect(taken).toMatchObject({ n: sealed.n, digest: sealed.digest, key: sealed.key })
    const opened = await openAgain(sealed.bytes, sealed.key)
    expect(opened).toEqual({ content: sealed.content, n: 1, sender: 0 })
    expect(await codeOf(openAgain(sealed.bytes, flip(sealed.key, 0)))).toBe('aead')
    expect(await codeOf(openAgain(sealed.bytes, flip(sealed.key, 43)))).toBe('aead')
    expect(await codeOf(openAgain(sealed.bytes, sealed.key.slice(1)))).toBe('aead')
    expect(await codeOf(openAgain(flip(sealed.bytes, 44), sealed.key))).toBe('aead')
    expect(await codeOf(openAgain(sealed.bytes.slice(0, 40), sealed.key))).toBe('length')
  })

  test('tells how many of the peer had been taken', async () => {
    const { alice, bob } = await talk()
    await deliver(alice, bob, text('one'))
    await deliver(alice, bob, text('two'))
    await deliver(bob, alice, ack)
    expect(alice.heard.at(-1)).toEqual({ ...ack, seen: 3 })
    expect([alice.ratchet.seen, alice.ratchet.sent]).toEqual([3, 3])
  })

  test('that is too long, ill-formed or one too many is not sealed, and moves nothing', async () => {
    const { bob } = await talk()
    const before = encodeRatchet(bob.ratchet)
    expect(await codeOf(sealMessage(kem, bob.ratchet, text('a'.repeat(16_385))))).toBe('too-long')
    expect(await codeOf(sealMessage(kem, bob.ratchet, text('\udc00')))).toBe('content')
    const spent: Ratchet = { ...bob.ratchet, sent: 2 ** 32 }
    expect(await codeOf(sealMessage(kem, spent, text('a')))).toBe('spent')
    expect(encodeRatchet(bob.ratchet)).toEqual(before)
  })
})

describe('with any byte changed', () => {
  test('a message inside a turn is refused, and the state stays', async () => {
    const { alice, bob } = await talk()
    await deliver(bob, alice, text('takes the turn'))
    const bytes = await say(bob, text('inside it'))
    const verdicts = new Map<number, string>()
    for (const index of upTo(bytes.length))
      verdicts.set(index, await judge(alice, flip(bytes, index)))
    const at = (from: number, to: number) =>
      new Set([...verdicts].filter(([i]) => i >= from && i < to).map(([, verdict]) => verdict))
    expect(at(0, 35)).toEqual(new Set(['drop']))
    expect(at(35, 39)).toEqual(new Set(['failed epoch']))
    expect(at(39, 42)).toEqual(new Set(['gap']))
    expect(at(42, 43)).toEqual(new Set(['gap']))
    expect(at(43, 59)).toEqual(new Set(['failed aead']))
    expect(at(59, 60)).toEqual(new Set(['drop']))
    expect(at(60, bytes.length)).toEqual(new Set(['failed aead']))
    expect((await take(alice, bytes)).verdict).toBe('taken')
  })

  test('a message that takes the turn is refused, and the state stays', async () => {
    const { alice, bob } = await talk()
    const bytes = await say(bob, text('takes the turn'))
    const sampled = upTo(bytes.length, 67).filter((index) => index > 60)
    const edges = [60, 1179, 1180, 2395, 2396, 2779, 2780, bytes.length - 1]
    for (const index of [...upTo(60), ...sampled, ...edges]) {
      expect(await judge(alice, flip(bytes, index))).not.toBe('taken')
    }
    for (const index of [60, 1179, 1180, 2395, 2396, 2779]) {
      expect(await judge(alice, flip(bytes, index))).toBe('failed rsa')
    }
    expect((await take(alice, bytes)).verdict).toBe('taken')
  })
})

describe('dropped without a word is', () => {
  test('what has a wrong length', async () => {
    const { alice, bob } = await talk()
    const bytes = await say(bob, text('a'))
    const bad = [0, 1, 59, 60, 2779, 2780, 2780 + 271].map((length) => bytes.slice(0, length))
    bad.push(concat(bytes, new Uint8Array(33_000)))
    for (const each of bad) expect(await judge(alice, each)).toBe('drop')
  })

  test('a sender or a step that there is not', async () => {
    const { alice, bob } = await talk()
    const bytes = await say(bob, text('a'))
    for (const index of [34, 59]) {
      for (const value of [2, 3, 128, 255]) {
        expect(await judge(alice, bytes.slice().fill(value, index, index + 1))).toBe('drop')
      }
    }
  })

  test('a message given back to its sender', async () => {
    const { bob } = await talk()
    expect(await judge(bob, await say(bob, text('a')))).toBe('drop')
  })

  test('a message of another session of the same two', async () => {
    const { alice } = await talk()
    const elsewhere = await converse(people.bob, people.alice, other)
    expect(await judge(alice, await say(elsewhere.bob, text('a')))).toBe('drop')
  })

  test('an offer or an answer', async () => {
    const { alice } = await talk()
    expect([await judge(alice, meeting.offer), await judge(alice, meeting.answer)]).toEqual([
      'drop',
      'drop',
    ])
  })
})

describe('a message of a wrong number', () => {
  test('below: the same bytes are a resend, others break', async () => {
    const { alice, bob } = await talk()
    const bytes = await deliver(bob, alice, text('a'))
    expect(await judge(alice, bytes)).toBe('resend')
    expect(await judge(alice, flip(bytes, bytes.length - 1))).toBe('broken other-bytes')
    const forgetful = await takeMessage(kem, people.alice, alice.ratchet, bytes, () => undefined)
    expect(forgetful).toEqual({ verdict: 'broken', code: 'other-bytes' })
  })

  test('above: names the one that is missing', async () => {
    const { alice, bob } = await talk()
    await say(bob, text('lost'))
    const verdict = await offerTo(alice, await say(bob, text('found')))
    expect(verdict).toEqual({ verdict: 'gap', expected: 1 })
  })

  test('under the number that is due does not open', async () => {
    const { alice, bob } = await talk()
    await deliver(bob, alice, text('one'))
    await say(bob, text('two'))
    const three = await say(bob, text('three'))
    expect(await judge(alice, withN(three, 2))).toBe('failed aead')
  })
})

describe('a step', () => {
  const bye = frameOf({ t: 'bye', at: 1, seen: 1 })

  test('out of turn fails', async () => {
    const { alice, bob } = await talk()
    const early = await forge(bob.ratchet, bye, { epoch: 5 })
    expect(await judge(alice, early)).toBe('failed epoch')
    const late = await forge(bob.ratchet, bye, { epoch: 1 })
    expect(await judge(alice, late)).toBe('failed epoch')
  })

  test('to a turn that this side has fails', async () => {
    const { alice, bob } = await talk()
    const second = await forge(bob.ratchet, bye, { n: 2 })
    await deliver(bob, alice, text('takes the turn'))
    expect(await judge(alice, second)).toBe('failed epoch')
  })

  test('that is left out, or an old chain gone on with, fails', async () => {
    const { alice, bob } = await talk()
    await deliver(bob, alice, ack)
    await deliver(alice, bob, ack)
    expect(await judge(alice, await forge(bob.ratchet, bye, { bare: true, epoch: 1 }))).toBe(
      'failed epoch',
    )
    expect(await judge(alice, await forge(bob.ratchet, bye, { bare: true, epoch: 5 }))).toBe(
      'failed epoch',
    )
  })

  test('with a key that nothing can be sealed to fails', async () => {
    const { alice, bob } = await talk()
    const { ek } = await kem.generate()
    const lattice = await forge(bob.ratchet, bye, { ek: ek.slice().fill(255, 0, 3) })
    expect(await judge(alice, lattice)).toBe('failed kem')
    const curve = await forge(bob.ratchet, bye, { ek: ek.slice().fill(0, 1184) })
    expect(await judge(alice, curve)).toBe('failed kem')
  })

  test('with a secret of another length fails', async () => {
    const { alice, bob } = await talk()
    expect(await judge(alice, await forge(bob.ratchet, bye, { s: random(31) }))).toBe('failed rsa')
    expect(await judge(alice, await forge(bob.ratchet, bye, { s: random(33) }))).toBe('failed rsa')
  })

  test('can not be followed without the private key', async () => {
    const { alice, bob } = await talk()
    const thief = { ...alice, identity: people.mallory }
    expect(await judge(thief, await say(bob, text('for alice alone')))).toBe('failed rsa')
  })

  test('heals: a state from before it opens nothing after it', async () => {
    const { alice, bob } = await talk()
    const stolen = alice.ratchet
    await deliver(bob, alice, text('a'))
    await deliver(alice, bob, text('b'))
    await deliver(bob, alice, text('c'))
    const bytes = await say(bob, text('d'))
    const thief = { ...stolen, taken: alice.ratchet.taken }
    expect(await judge(sideOf(people.alice, thief), bytes)).toBe('failed epoch')
  })

  test('goes to odd epochs for the guest, to even ones for the owner, in one line', async () => {
    const { alice, bob } = await talk()
    const epochs: number[] = []
    for (const [from, to] of [
      [bob, alice],
      [bob, alice],
      [alice, bob],
      [alice, bob],
      [bob, alice],
    ] as const) {
      const bytes = await deliver(from, to, ack)
      epochs.push(bytes[38] ?? 0)
    }
    expect(epochs).toEqual([3, 3, 4, 4, 5])
  })
})

describe('broken is', () => {
  test.each([
    ['another first message of the guest', { t: 'text', at: 1, seen: 0, text: 'hi' }],
    ['an ack for a first message', { t: 'ack', at: 1, seen: 0 }],
    ['a first message that can not be read', { t: 'hello', at: 1 }],
    ['a first message of a later version', { t: 'hallo', at: 1, seen: 0 }],
  ])('%s', async (_, content) => {
    const { alice, bob } = start()
    expect(await judge(alice, await forge(bob.ratchet, frameOf(content)))).toBe('broken hello')
  })

  test('a second hello, and a hello of the owner', async () => {
    const { alice, bob } = await talk()
    const frame = frameOf({ t: 'hello', at: 1, seen: 1 })
    expect(await judge(alice, await forge(bob.ratchet, frame))).toBe('broken hello')
    const fresh = start()
    await deliver(fresh.bob, fresh.alice, hello)
    expect(await judge(fresh.bob, await forge(fresh.alice.ratchet, frame))).toBe('broken hello')
  })

  test('a peer who has seen more than was sent', async () => {
    const { alice, bob } = await talk()
    const frame = frameOf({ t: 'ack', at: 1, seen: 2 })
    expect(await judge(alice, await forge(bob.ratchet, frame))).toBe('broken seen')
    const fresh = start()
    const early = frameOf({ t: 'hello', at: 1, seen: 1 })
    expect(await judge(fresh.alice, await forge(fresh.bob.ratchet, early))).toBe('broken seen')
  })

  test('a peer who has seen less than before', async () => {
    const { alice, bob } = await talk()
    await deliver(bob, alice, ack)
    const frame = frameOf({ t: 'poll', at: 1, seen: 0 })
    expect(await judge(alice, await forge(bob.ratchet, frame))).toBe('broken seen')
  })
})

describe('an unreadable message', () => {
  test('counts as taken, and the conversation goes on', async () => {
    const { alice, bob } = await talk()
    const frame = frameOf({ t: 'text', at: 1, seen: 99 })
    const verdict = await take(
      alice,
      await forge(bob.ratchet, frame, { ek: (await kem.generate()).ek }),
    )
    expect(verdict).toMatchObject({ verdict: 'taken', n: 1, content: { t: 'unreadable' } })
    expect([alice.ratchet.taken, alice.ratchet.seen]).toEqual([2, 0])
    expect((await sealMessage(kem, alice.ratchet, text('what?'))).content.seen).toBe(2)
  })
})

describe('a state', () => {
  test('keeps no key of a message, and none that a step has spent', async () => {
    const { alice, bob } = await talk()
    const before = alice.ratchet
    const sealed = await sealMessage(kem, bob.ratchet, text('a'))
    await take(alice, sealed.bytes)
    const spent = [sealed.key.slice(0, 32), before.root]
    if (before.turn.whose === 'theirs') spent.push(before.turn.dk)
    expect(spent.length).toBe(3)
    for (const secret of spent) {
      expect(toHex(encodeRatchet(alice.ratchet))).not.toContain(toHex(secret))
      expect(toHex(encodeRatchet(sealed.ratchet))).not.toContain(toHex(secret))
    }
  })

  test('that is used again, from any older copy, repeats no key and no nonce', async () => {
    const { alice, bob } = await talk()
    const copies = [bob.ratchet]
    for (const [from, to] of [
      [bob, alice],
      [bob, alice],
      [alice, bob],
      [bob, alice],
    ] as const) {
      await deliver(from, to, text('go on'))
      copies.push(bob.ratchet)
    }
    const used = new Set<string>()
    for (const copy of copies) {
      for (const words of ['same', 'same', 'other']) {
        used.add(toHex((await sealMessage(kem, copy, text(words))).key))
      }
    }
    expect(used.size).toBe(copies.length * 3)
  })

  test('goes up by one version with every message', async () => {
    const { alice, bob } = await talk()
    const [a, b] = [alice.ratchet.version, bob.ratchet.version]
    await deliver(bob, alice, ack)
    expect([alice.ratchet.version, bob.ratchet.version]).toEqual([a + 1, b + 1])
  })

  test('stays as it was by sealing from it', async () => {
    const { bob } = await talk()
    const before = encodeRatchet(bob.ratchet)
    await sealMessage(kem, bob.ratchet, text('a'))
    expect(encodeRatchet(bob.ratchet)).toEqual(before)
  })
})
