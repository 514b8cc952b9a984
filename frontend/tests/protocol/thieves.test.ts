/** The attackers of PROTOCOL §1 who have got hold of keys: what they can still not do, and what they can. */
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import * as protocol from '../../src/protocol'
import type { Bytes, Identity, Pending, Ratchet } from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { parseMessage } from '../../src/protocol/message'
import { hkdf, hmac, openRsa } from '../../src/protocol/primitives'
import { forge, frameOf } from './forge'
import {
  ack,
  codeOf,
  converse,
  deliver,
  kem,
  makePeople,
  meet,
  say,
  text,
  type Side,
} from './people'

let alice: Identity
let bob: Identity
let mallory: Identity
let alices: Side
let bobs: Side

const secret = protocol.makeSecret()

beforeAll(async () => {
  ;({ alice, bob, mallory } = await makePeople())
})

/** It is Bob's turn: what Alice says next begins another. */
beforeEach(async () => {
  const meeting = await meet(bob, alice, secret)
  ;({ bob: bobs, alice: alices } = await converse(bob, alice, meeting))
  await deliver(bobs, alices, text('your turn'))
})

/** What opens with any 32 bytes of a stolen state taken as the chain's key. */
async function readWith(stolen: Ratchet, bytes: Bytes): Promise<unknown> {
  const { turn, root, sending, receiving } = stolen
  const dk = turn.whose === 'theirs' ? [turn.dk] : []
  for (const key of [root, ...dk, sending?.key, receiving?.key]) {
    const seed = await hmac(key ?? root, Uint8Array.of(1))
    const opener = await hkdf(seed, parseMessage(bytes).salt, ascii('quarter/1 message'), 44)
    const opened = await protocol.openAgain(bytes, opener).catch(() => null)
    if (opened) return opened.content
  }
  return null
}

const asBob = (ratchet: Ratchet, thief: Identity, bytes: Bytes) =>
  protocol.takeMessage(kem, thief, ratchet, bytes, () => undefined)

describe('a thief of a conversation’s live keys, without the RSA key', () => {
  let stolen: Ratchet

  beforeEach(async () => {
    await deliver(bobs, alices, text('before'))
    stolen = bobs.ratchet
  })

  test('reads the rest of the running turn', async () => {
    const bytes = await deliver(bobs, alices, text('in the same turn'))
    expect(await readWith(stolen, bytes)).toMatchObject({ text: 'in the same turn' })
  })

  test('reads nothing after the turn has changed', async () => {
    const answer = await deliver(alices, bobs, text('of the next turn'))
    expect(await asBob(stolen, mallory, answer)).toEqual({ verdict: 'failed', code: 'rsa' })
    const later = [
      answer,
      await deliver(bobs, alices, text('of the turn after')),
      await deliver(alices, bobs, text('and on')),
    ]
    for (const bytes of later) expect(await readWith(stolen, bytes)).toBeNull()
  })

  test('says nothing in the other’s name after both have taken a turn, though the server helps', async () => {
    await deliver(alices, bobs, text('next'))
    await deliver(bobs, alices, text('and next'))
    const words = frameOf({ t: 'text', at: 1, seen: stolen.taken, text: 'forged' })
    const n = bobs.ratchet.sent
    const forged = await forge(stolen, words, { n })
    const raised = await forge(stolen, words, { n, epoch: bobs.ratchet.sending?.epoch ?? 0 })
    const judged = (bytes: Bytes) =>
      protocol.takeMessage(kem, alice, alices.ratchet, bytes, () => undefined)
    expect((await judged(forged)).verdict).toBe('failed')
    expect((await judged(raised)).verdict).toBe('failed')
  })
})

describe('a thief of everything in a live page, the RSA key too', () => {
  test('reads nothing of what was deleted before', async () => {
    const said = await deliver(bobs, alices, text('said'))
    const heard = await deliver(alices, bobs, text('heard'))
    const stolen = bobs.ratchet
    for (const bytes of [said, heard]) expect(await readWith(stolen, bytes)).toBeNull()
    expect((await asBob(stolen, bob, heard)).verdict).not.toBe('taken')
  })

  test('follows the next turn by listening, and none after the victim’s own', async () => {
    await deliver(bobs, alices, text('said'))
    const stolen = bobs.ratchet
    const next = await deliver(alices, bobs, text('next'))
    const followed = await asBob(stolen, bob, next)
    if (followed.verdict !== 'taken') throw new Error(followed.verdict)
    const own = await deliver(bobs, alices, text('own'))
    expect(await readWith(followed.ratchet, own)).toBeNull()
    const after = await deliver(alices, bobs, text('after'))
    expect(await readWith(followed.ratchet, after)).toBeNull()
    expect((await asBob(followed.ratchet, bob, after)).verdict).toBe('failed')
  })

  test('can do nothing with it against the victim’s new identity', async () => {
    const { offer } = await protocol.makeOffer(kem, alice, mallory, secret)
    expect(await codeOf(protocol.readOffer(offer, bob))).toBe('responder')
    const { sealedSecret } = await protocol.readOffer(offer, mallory)
    const label = ascii('quarter/1 offer')
    expect(await codeOf(openRsa(bob.privateKey, sealedSecret, label))).toBe('rsa')
  })
})

/** The thief has both private keys, and so all that RSA protects. */
describe('whoever breaks RSA today', () => {
  test('can not pose as the guest of a link', async () => {
    const guessed = protocol.makeSecret()
    const { offer } = await protocol.makeOffer(kem, bob, alice, guessed)
    const read = await protocol.readOffer(offer, alice)
    expect(await protocol.inviteVerifies(read, secret)).toBe(false)
    expect(await codeOf(protocol.answerOffer(kem, alice, read, secret))).toBe('invite')
  })

  test('can not pose as the owner of a link', async () => {
    const { offer, pending } = await protocol.makeOffer(kem, bob, alice, secret)
    const read = await protocol.readOffer(offer, alice)
    const withoutSecret = { ...read, invited: false }
    const { answer } = await protocol.answerOffer(kem, alice, withoutSecret, null)
    expect(await codeOf(protocol.acceptAnswer(kem, bob, pending, answer))).toBe('answer')
  })

  test('reads nothing, having every other secret than the KEM’s', async () => {
    const { offer, pending } = await protocol.makeOffer(kem, bob, alice, secret)
    const read = await protocol.readOffer(offer, alice)
    const { answer } = await protocol.answerOffer(kem, alice, read, secret)
    const withoutDk: Pending = { ...pending, dk: protocol.random(32) }
    expect(await codeOf(protocol.acceptAnswer(kem, bob, withoutDk, answer))).toBe('answer')
  })

  test('follows no later turn', async () => {
    const stolen = bobs.ratchet
    const step = await say(alices, text('a new turn'))
    const guessed: Ratchet = {
      ...stolen,
      turn: { whose: 'theirs', epoch: stolen.turn.epoch, dk: protocol.random(32) },
    }
    expect((await asBob(guessed, bob, step)).verdict).toBe('failed')
  })
})

/** The thief knows every decapsulation key. */
describe('whoever breaks X-Wing today reads nothing while', () => {
  let pending: Pending
  let answer: Bytes

  beforeAll(async () => {
    const offered = await protocol.makeOffer(kem, bob, alice, secret)
    const read = await protocol.readOffer(offered.offer, alice)
    pending = offered.pending
    ;({ answer } = await protocol.answerOffer(kem, alice, read, secret))
  })

  test('the owner’s RSA key holds', async () => {
    const withoutS = { ...pending, secretI: protocol.random(32) }
    expect(await codeOf(protocol.acceptAnswer(kem, bob, withoutS, answer))).toBe('answer')
  })

  test('the guest’s RSA key holds', async () => {
    expect(await codeOf(protocol.acceptAnswer(kem, mallory, pending, answer))).toBe('answer')
  })

  test('the link’s secret holds', async () => {
    for (const guessed of [null, protocol.makeSecret()]) {
      const withoutSecret = { ...pending, secret: guessed }
      expect(await codeOf(protocol.acceptAnswer(kem, bob, withoutSecret, answer))).toBe('answer')
    }
  })

  test('the RSA key of the one who is spoken to holds, at each later turn', async () => {
    const step = await say(alices, ack)
    expect(await asBob(bobs.ratchet, mallory, step)).toEqual({ verdict: 'failed', code: 'rsa' })
  })
})

describe('a quantum computer that has broken RSA and X25519', () => {
  test('lacks ML-KEM’s half of every shared secret', async () => {
    const { ek } = await kem.generate()
    const ephemeral = protocol.random(32)
    const seal = (m: Bytes) => ml_kem768_x25519.encapsulate(ek, protocol.concat(m, ephemeral))
    const [one, other] = [seal(protocol.random(32)), seal(protocol.random(32))]
    const x25519 = (sealed: { cipherText: Uint8Array }) => sealed.cipherText.slice(1088)
    expect(x25519(one)).toEqual(x25519(other))
    expect(one.sharedSecret).not.toEqual(other.sharedSecret)
  })
})
