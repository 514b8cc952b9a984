import { beforeAll, describe, expect, test } from 'vitest'

import {
  acceptAnswer,
  answerOffer,
  decodePending,
  encodePending,
  encodeRatchet,
  inviteVerifies,
  makeOffer,
  makeSecret,
  readOffer,
  sealMessage,
  thumbprint,
  type Bytes,
  type Identity,
  type Pending,
} from '../../src/protocol'
import { ascii, concat } from '../../src/protocol/bytes'
import { hash } from '../../src/protocol/primitives'
import {
  codeOf,
  deliver,
  flip,
  hello,
  kem,
  makePeople,
  meet,
  offerTo,
  sideOf,
  text,
  upTo,
} from './people'

let alice: Identity
let bob: Identity
let mallory: Identity

beforeAll(async () => {
  ;({ alice, bob, mallory } = await makePeople())
})

describe('a handshake', () => {
  test.each([
    ['by link', makeSecret()],
    ['by request', null],
  ])('%s gives both sides one root, and the hello opens', async (_, secret) => {
    const { guest, owner, offer, answer } = await meet(bob, alice, secret)
    expect([offer.length, answer.length]).toEqual([2082, 2786])
    expect(guest.root).toEqual(owner.root)
    expect(guest.sessionId).toEqual(await hash(ascii('quarter/1 session'), offer))
    expect(owner.sessionId).toEqual(guest.sessionId)
    expect([guest.peerModulus, owner.peerModulus]).toEqual([alice.modulus, bob.modulus])
    await deliver(sideOf(bob, guest), sideOf(alice, owner), hello)
  })

  test('is resumed from stored bytes', async () => {
    const secret = makeSecret()
    const { offer, pending } = await makeOffer(kem, bob, alice, secret)
    const resumed = decodePending(encodePending(pending))
    expect(resumed).toEqual(pending)
    const read = await readOffer(offer, alice)
    const { answer, state } = await answerOffer(kem, alice, read, secret)
    const guest = await acceptAnswer(kem, bob, resumed, answer)
    expect(guest.root).toEqual(state.root)
  })

  test('is never the same twice', async () => {
    const [one, two] = await Promise.all([meet(bob, alice, null), meet(bob, alice, null)])
    expect(one.offer).not.toEqual(two.offer)
    expect(one.guest.root).not.toEqual(two.guest.root)
  })

  test('leaves its inputs as they were', async () => {
    const secret = makeSecret()
    const { offer, pending } = await makeOffer(kem, bob, alice, secret)
    const before = [offer.slice(), encodePending(pending), secret.slice()]
    const read = await readOffer(offer, alice)
    const { answer } = await answerOffer(kem, alice, read, secret)
    const answered = answer.slice()
    await acceptAnswer(kem, bob, pending, answer)
    await acceptAnswer(kem, bob, pending, answer)
    expect([offer, encodePending(pending), secret]).toEqual(before)
    expect(answer).toEqual(answered)
  })
})

describe('an offer is not made', () => {
  test('to a key that is not of that hash', async () => {
    const swapped = { hash: alice.hash, modulus: mallory.modulus }
    expect(await codeOf(makeOffer(kem, bob, swapped, null))).toBe('thumbprint')
  })

  test('to a key that no user can have', async () => {
    const even = { hash: alice.hash, modulus: flip(alice.modulus, 383) }
    expect(await codeOf(makeOffer(kem, bob, even, null))).toBe('modulus')
  })

  test('to oneself', async () => {
    expect(await codeOf(makeOffer(kem, bob, bob, null))).toBe('own')
  })
})

describe('an offer', () => {
  const secret = makeSecret()
  let offer: Bytes

  beforeAll(async () => {
    ;({ offer } = await makeOffer(kem, bob, alice, secret))
  })

  test('is refused at another length', async () => {
    for (const bad of [offer.slice(1), concat(offer, Uint8Array.of(0)), new Uint8Array(0)]) {
      expect(await codeOf(readOffer(bad, alice))).toBe('length')
    }
  })

  test('names what is wrong with each of its first fields', async () => {
    const codes = [0, 1, 2, 34, 66, 449].map((index) =>
      codeOf(readOffer(flip(offer, index), alice)),
    )
    expect(await Promise.all(codes)).toEqual([
      'version',
      'kind',
      'thumbprint',
      'responder',
      'thumbprint',
      'modulus',
    ])
  })

  test('to somebody else is refused', async () => {
    expect(await codeOf(readOffer(offer, mallory))).toBe('responder')
  })

  test('of oneself is refused', async () => {
    const own = concat(offer.slice(0, 2), alice.hash, alice.hash, alice.modulus, offer.slice(450))
    expect(await codeOf(readOffer(own, alice))).toBe('own')
  })

  test('with a modulus whose top bit is not set is refused, though its hash fits', async () => {
    const modulus = bob.modulus.slice()
    modulus[0] = (modulus[0] ?? 0) & 0x7f
    const bad = concat(offer.slice(0, 66), modulus, offer.slice(450))
    expect(await codeOf(readOffer(bad, alice))).toBe('modulus')
  })

  test('with any byte changed is refused before anything of it is opened', async () => {
    for (const index of upTo(offer.length)) {
      const changed = flip(offer, index)
      const read = await readOffer(changed, alice).catch(() => null)
      expect(read === null || !(await inviteVerifies(read, secret))).toBe(true)
    }
  })

  test('with any byte changed is not answered', async () => {
    for (const index of [...upTo(offer.length, 131).slice(4), 450, 1665, 1666, 2049, 2050, 2081]) {
      const read = await readOffer(flip(offer, index), alice)
      expect(await codeOf(answerOffer(kem, alice, read, secret))).toBe('invite')
    }
  })

  test('under another secret, or none, is not answered', async () => {
    const read = await readOffer(offer, alice)
    expect(read.invited).toBe(true)
    expect(await inviteVerifies(read, secret)).toBe(true)
    expect(await inviteVerifies(read, makeSecret())).toBe(false)
    expect(await codeOf(answerOffer(kem, alice, read, makeSecret()))).toBe('invite')
    expect(await codeOf(answerOffer(kem, alice, read, null))).toBe('invite')
  })

  test('without an invite verifies under no secret', async () => {
    const read = await readOffer((await makeOffer(kem, bob, alice, null)).offer, alice)
    expect(read.invited).toBe(false)
    expect(await inviteVerifies(read, secret)).toBe(false)
    expect(await inviteVerifies(read, new Uint8Array(16))).toBe(false)
    expect(await codeOf(answerOffer(kem, alice, read, secret))).toBe('invite')
  })

  test('whose invite was cut out is a request that the two sides never finish', async () => {
    const { offer: full, pending } = await makeOffer(kem, bob, alice, secret)
    const read = await readOffer(concat(full.slice(0, 2050), new Uint8Array(32)), alice)
    expect(read.invited).toBe(false)
    const { answer } = await answerOffer(kem, alice, read, null)
    expect(await codeOf(acceptAnswer(kem, bob, pending, answer))).toBe('answer')
  })

  test('of a request, changed anywhere, is not answered', async () => {
    const { offer: plain } = await makeOffer(kem, bob, alice, null)
    const codes: string[] = []
    for (const index of [450, 1000, 1665, 1666, 2049, 2050, 2081]) {
      const read = await readOffer(flip(plain, index), alice)
      codes.push(await codeOf(answerOffer(kem, alice, read, null)))
    }
    expect(codes).toEqual(['rsa', 'rsa', 'rsa', 'rsa', 'rsa', 'invite', 'invite'])
  })

  test('in the name of another, whose key its maker lacks, comes to nothing', async () => {
    const posing = { ...mallory, hash: bob.hash, modulus: bob.modulus }
    const { offer: forged, pending } = await makeOffer(kem, posing, alice, null)
    const { answer } = await answerOffer(kem, alice, await readOffer(forged, alice), null)
    expect(await codeOf(acceptAnswer(kem, posing, pending, answer))).toBe('answer')
  })
})

describe('an answer', () => {
  const secret = makeSecret()
  let pending: Pending
  let answer: Bytes

  beforeAll(async () => {
    const made = await makeOffer(kem, bob, alice, secret)
    pending = made.pending
    answer = (await answerOffer(kem, alice, await readOffer(made.offer, alice), secret)).answer
  })

  const refused = (bytes: Bytes, whose = pending) => codeOf(acceptAnswer(kem, bob, whose, bytes))

  test('is refused at another length', async () => {
    for (const bad of [answer.slice(1), concat(answer, Uint8Array.of(0)), new Uint8Array(0)]) {
      expect(await refused(bad)).toBe('answer')
    }
  })

  test('with any byte changed is refused with one and the same error', async () => {
    const stored = encodePending(pending)
    const dear = upTo(answer.length - 66, 61).map((index) => 34 + index)
    for (const index of [...upTo(34), ...dear, ...upTo(32).map((i) => 2754 + i)]) {
      expect(await refused(flip(answer, index))).toBe('answer')
    }
    expect(encodePending(pending)).toEqual(stored)
    await acceptAnswer(kem, bob, pending, answer)
  })

  test('to another offer is refused', async () => {
    const { pending: other } = await makeOffer(kem, bob, alice, secret)
    expect(await refused(answer, other)).toBe('answer')
    expect(await refused(answer, { ...other, sessionId: pending.sessionId })).toBe('answer')
  })

  test('is refused under another secret', async () => {
    expect(await refused(answer, { ...pending, secret: makeSecret() })).toBe('answer')
    expect(await refused(answer, { ...pending, secret: null })).toBe('answer')
  })

  test('is refused by whoever lacks the key', async () => {
    expect(await codeOf(acceptAnswer(kem, mallory, pending, answer))).toBe('answer')
  })

  test('of one who can open nothing, but knows the secret, is refused', async () => {
    const posing = { ...mallory, hash: alice.hash, modulus: alice.modulus }
    const read = await readOffer(pending.offer, posing)
    expect(await codeOf(answerOffer(kem, posing, read, secret))).toBe('rsa')
  })

  test('with a key that nothing can be sealed to is refused, though it is confirmed', async () => {
    const { ek, dk } = await kem.generate()
    const bad = { ek: ek.slice().fill(0, 1184), dk }
    const crooked = { ...kem, generate: () => Promise.resolve(bad) }
    const read = await readOffer(pending.offer, alice)
    expect(await refused((await answerOffer(crooked, alice, read, secret)).answer)).toBe('answer')
  })

  test('given twice for one offer makes two sessions that do not open each other', async () => {
    const read = await readOffer(pending.offer, alice)
    const again = await answerOffer(kem, alice, read, secret)
    const guest = await acceptAnswer(kem, bob, pending, answer)
    const { bytes } = await sealMessage(kem, guest, hello)
    const verdict = await offerTo(sideOf(alice, again.state), bytes)
    expect(verdict.verdict).toBe('failed')
  })
})

describe('before the hello', () => {
  test('the owner can send nothing', async () => {
    const { owner } = await meet(bob, alice, null)
    expect(await codeOf(sealMessage(kem, owner, text('hi')))).toBe('turn')
    expect(await codeOf(sealMessage(kem, owner, hello))).toBe('turn')
  })

  test('the guest can send nothing else', async () => {
    const { guest } = await meet(bob, alice, null)
    const before = encodeRatchet(guest)
    expect(await codeOf(sealMessage(kem, guest, text('hi')))).toBe('turn')
    const { ratchet } = await sealMessage(kem, guest, hello)
    expect(await codeOf(sealMessage(kem, ratchet, hello))).toBe('turn')
    expect(encodeRatchet(guest)).toEqual(before)
  })
})

test('the people here have the hashes of their keys', async () => {
  expect(await thumbprint(alice.modulus)).toEqual(alice.hash)
})
