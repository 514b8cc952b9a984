/**
 * Secrets are compared in constant time, as far as the page compares them at all: MACs by WebCrypto's `verify`, two
 * secrets by `equalSecret`. Each comparison of bytes stands here with the reason why it may be made so; a new one is a
 * failing test until somebody has given its reason.
 */
import fc from 'fast-check'
import ts from 'typescript'
import { beforeAll, describe, expect, test, vi } from 'vitest'

import * as protocol from '../../src/protocol'
import { equalSecret, isZero } from '../../src/protocol/bytes'
import { codeOf, flip, kem, makePeople } from '../protocol/people'
import { callsOf, find } from './sources'
import { watch } from './watch'

/** Leaves at the first byte that differs: both sides are known to the server, or to everybody. */
const PUBLIC: Record<string, string> = {
  'handshake.ts: equalPublic(await thumbprint(responder.modulus), responder.hash)':
    'a hash that the server was asked for, and the key that it gave',
  'handshake.ts: equalPublic(responder.hash, identity.hash)': 'user hashes',
  'handshake.ts: equalPublic(offer.responder, me.hash)':
    'user hashes, in an offer that the server has',
  'handshake.ts: equalPublic(await thumbprint(offer.modulus), offer.initiator)':
    'both in the offer',
  'handshake.ts: equalPublic(offer.initiator, me.hash)': 'user hashes',
  'handshake.ts: equalPublic(reader.take(HASH_BYTES), sessionId)': 'the session’s id',
  'kem.ts: equalPublic(ours.publicKey, theirs.publicKey)':
    'public keys, of a seed that is thrown away',
  'ratchet.ts: equalPublic(envelope.sessionId, ratchet.sessionId)': 'the session’s id',
  'ratchet.ts: equalPublic(known, digest)': 'digests of ciphertext that the server has',
  'safety.ts: comparePublic(hashA, hashB)': 'user hashes',
  'volatile.ts: equalPublic(reader.take(expected.length), expected)':
    'the fields in front of a sealed frame: session, sender, epoch, n',
}

/** Looks at every byte. Nobody's guess is among them, so that nothing hangs on it: it costs nothing to be sure. */
const SECRET: Record<string, string> = {
  'identity.ts: equalSecret(opened, probe)':
    'a probe that this page drew, sealed and opened itself',
  'kem.ts: equalSecret(await opener.decapsulate(dk, ct), ss)':
    'the shared secret of a trial, of a seed that is thrown away',
  'packing.ts: equalSecret(written, bytes)':
    'a content or a stored state and itself, written again; both were opened by an AEAD before',
  'packing.ts: givesBack(pack(value), bytes)': 'the same',
  'state.ts: givesBack(encodeRatchet(ratchet), bytes)': 'the same',
  'state.ts: givesBack(encodePending(pending), bytes)': 'the same',
  'handshake.ts: isZero(invite)': 'whether there is an invite: on the wire for everybody',
  'padding.ts: isZero(frame.subarray(4 + length))':
    'padding, looked at after the AEAD has opened: only the peer could write other bytes, and learns nothing',
}

/** Compared by WebCrypto. */
const MACS: Record<string, string> = {
  "handshake.ts: hmacVerifies(psk, offer.invite, ascii('quarter/1 invite'), head)": 'the invite',
  "handshake.ts: hmacVerifies( confirmKey, confirm, ascii('quarter/1 confirm'), transcript, )":
    'confirm_R',
  'primitives.ts: crypto.subtle.verify(HMAC, imported, mac, concat(...parts))': 'what both lead to',
}

/** Two values that are named like secrets, or are bytes as text, and are compared as they are. */
const PLAIN: Record<string, string> = {
  'engine/engine.ts: b64uEncode(address.hash) === room.hash': 'user hashes',
  'engine/owner.ts: b64uEncode(offer.sessionId) === item.session': 'the session’s id',
  'engine/steps.ts: spent.ratchet !== held?.ratchet':
    'whether two are one object, whatever it holds',
  'engine/steps.ts: spent.pending !== held?.pending': 'the same',
  'protocol/bytes.ts: byte === b[index]': 'equalPublic itself',
  'protocol/bytes.ts: byte !== b[index]': 'comparePublic itself',
  'protocol/bytes.ts: b64uEncode(bytes) !== text':
    'a text and the one spelling of its own bytes: no guess is compared with anything',
  'transport/token.ts: owner === hash': 'user hashes',
}

/** Where an early end would tell how far two lists agree. */
const LISTS: Record<string, string> = {
  'engine/transcript.ts: STEPS.indexOf(to)': 'names of steps',
  'engine/transcript.ts: STEPS.indexOf(from)': 'names of steps',
  'protocol/bytes.ts: a.every((byte, index) => byte === b[index])': 'equalPublic itself',
  'protocol/bytes.ts: a.findIndex((byte, index) => byte !== b[index])': 'comparePublic itself',
}

const reasoned = (...lists: Record<string, string>[]): string[] =>
  lists.flatMap((list) => Object.keys(list)).toSorted()

const once = (found: readonly string[]): string[] => [...new Set(found)].toSorted()

describe('every comparison', () => {
  test('of bytes has its reason', () => {
    const calls = callsOf(
      /^(equalPublic|comparePublic|equalSecret|isZero|givesBack|hmacVerifies)$|\.verify$/,
    )
    const named = calls.map((call) => call.replace(/^protocol\//, ''))
    expect(once(named)).toEqual(reasoned(PUBLIC, SECRET, MACS))
  })

  test('by an operator is of public values, lengths or counts', () => {
    const secretive =
      /secret|key|token|proof|half|psk|root|chain|seed|\bdk\b|\bss\b|mac|confirm|invite\b|pkcs8|nonce|salt|digest|hash|byte|b64u|hex|\.ratchet\b|\.pending\b|sessionId/i
    const found = find(
      ts.isBinaryExpression,
      ({ left, right, operatorToken }) =>
        /^[!=]==?$/.test(operatorToken.getText()) &&
        ![left, right].some((side) => isLiteral(side) || side.getText().endsWith('.length')) &&
        [left, right].some((side) => secretive.test(side.getText())),
      /^(protocol|engine|vault|transport)\//,
    )
    expect(once(found)).toEqual(reasoned(PLAIN))
  })

  test('of lists stops early for public values alone', () => {
    const found = callsOf(
      /\.(every|some|findIndex|indexOf|lastIndexOf|localeCompare|cmp)$|^Object\.is$/,
    )
    const near = found.filter((call) => /^(protocol|engine|vault|transport)\//.test(call))
    expect(once(near)).toEqual(reasoned(LISTS))
  })
})

function isLiteral(node: ts.Node): boolean {
  return ts.isLiteralExpression(node) || /^(null|undefined|true|false)$/.test(node.getText())
}

describe('a MAC', () => {
  let alice: protocol.Identity
  let bob: protocol.Identity

  beforeAll(async () => {
    ;({ alice, bob } = await makePeople())
  })

  test('that proves the guest is compared by WebCrypto, which is not asked for the right one', async () => {
    const secret = protocol.makeSecret()
    const { offer } = await protocol.makeOffer(kem, bob, alice, secret)
    const read = await protocol.readOffer(offer, alice)
    const seen = watch()
    const verify = vi.spyOn(crypto.subtle, 'verify')
    expect(await protocol.inviteVerifies(read, secret)).toBe(true)
    expect(await protocol.inviteVerifies(read, flip(secret, 15))).toBe(false)
    expect(verify).toHaveBeenCalledTimes(2)
    expect(seen.filter(({ how }) => how === 'signed')).toEqual([])
  })

  test('that proves the owner is compared by WebCrypto, which is not asked for the right one', async () => {
    const { offer, pending } = await protocol.makeOffer(kem, bob, alice, null)
    const read = await protocol.readOffer(offer, alice)
    const { answer } = await protocol.answerOffer(kem, alice, read, null)
    const seen = watch()
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const wrong = protocol.acceptAnswer(kem, bob, pending, flip(answer, answer.length - 1))
    expect(await codeOf(wrong)).toBe('answer')
    expect(verify).toHaveBeenCalledTimes(1)
    expect(seen.filter(({ how }) => how === 'signed')).toEqual([])
  })
})

describe('two secrets', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 })

  test('are the same if every byte is, and no others are', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (drawn, at) => {
        const secret = Uint8Array.from(drawn)
        expect(equalSecret(secret, secret.slice())).toBe(true)
        expect(equalSecret(secret, flip(secret, at % secret.length))).toBe(false)
        expect(equalSecret(secret, secret.slice(1))).toBe(false)
      }),
    )
  })

  test('are zero if every byte is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(), (length, at) => {
        expect(isZero(new Uint8Array(length))).toBe(true)
        expect(isZero(flip(new Uint8Array(length), at % length))).toBe(false)
      }),
    )
  })
})
