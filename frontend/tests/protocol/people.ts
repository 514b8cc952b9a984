/** Alice made the link, Bob follows it, Mallory is outside. */
import { expect, vi } from 'vitest'

import * as protocol from '../../src/protocol'
import type { Bytes, Content, Identity, Ratchet, Unreadable, Verdict } from '../../src/protocol'
import { portableKem } from '../../src/protocol/kem'
import { keptIdentities } from '../keys'

// RSA keys and lattices on a busy machine take their time; nothing here waits for a clock.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

export const kem = portableKem()

export async function makePeople(): Promise<{ alice: Identity; bob: Identity; mallory: Identity }> {
  const [alice, bob, mallory] = await keptIdentities()
  return { alice, bob, mallory }
}

/** One end of a conversation, with what its page would keep. */
export interface Side {
  readonly identity: Identity
  ratchet: Ratchet
  readonly digests: Bytes[]
  readonly heard: (Content | Unreadable)[]
}

export interface Meeting {
  readonly offer: Bytes
  readonly answer: Bytes
  /** Of the guest. */
  readonly guest: Ratchet
  readonly owner: Ratchet
}

/** A whole handshake; under the link's secret, or as an accepted request. */
export async function meet(
  guest: Identity,
  owner: Identity,
  secret: Bytes | null,
): Promise<Meeting> {
  const { offer, pending } = await protocol.makeOffer(kem, guest, owner, secret)
  const read = await protocol.readOffer(offer, owner)
  const { answer, state } = await protocol.answerOffer(kem, owner, read, secret)
  const accepted = await protocol.acceptAnswer(kem, guest, pending, answer)
  return { offer, answer, guest: accepted, owner: state }
}

export function sideOf(identity: Identity, ratchet: Ratchet): Side {
  return { identity, ratchet, digests: [], heard: [] }
}

/** Seals and keeps the next state. */
export async function say(side: Side, content: protocol.ContentToSend): Promise<Bytes> {
  const sealed = await protocol.sealMessage(kem, side.ratchet, content)
  side.ratchet = sealed.ratchet
  return sealed.bytes
}

/** Takes, and keeps what was taken. */
export async function take(side: Side, bytes: Bytes): Promise<Verdict> {
  const verdict = await offerTo(side, bytes)
  if (verdict.verdict === 'taken') {
    side.ratchet = verdict.ratchet
    side.digests[verdict.n] = verdict.digest
    side.heard.push(verdict.content)
  }
  return verdict
}

/** What a side would say to these bytes; it keeps nothing. */
export function offerTo(side: Side, bytes: Bytes): Promise<Verdict> {
  return protocol.takeMessage(kem, side.identity, side.ratchet, bytes, (n) => side.digests[n])
}

export async function deliver(
  from: Side,
  to: Side,
  content: protocol.ContentToSend,
): Promise<Bytes> {
  const bytes = await say(from, content)
  expect((await take(to, bytes)).verdict).toBe('taken')
  return bytes
}

/** Two sides after the hello and its ack. */
export async function converse(
  guest: Identity,
  owner: Identity,
  meeting: Meeting,
): Promise<{ bob: Side; alice: Side }> {
  const bob = sideOf(guest, meeting.guest)
  const alice = sideOf(owner, meeting.owner)
  await deliver(bob, alice, hello)
  await deliver(alice, bob, ack)
  return { bob, alice }
}

export const hello = { t: 'hello', at: 1 } as const
export const ack = { t: 'ack', at: 2 } as const
export const text = (words: string): protocol.ContentToSend => ({ t: 'text', at: 3, text: words })

/** A copy with one bit changed. */
export function flip(bytes: Bytes, index: number): Bytes {
  const changed = bytes.slice()
  changed[index] = (changed[index] ?? 0) ^ 1
  return changed
}

/** The stable code that a refusal has; fails the test when nothing is refused, or by another error. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  const error: unknown = await Promise.resolve()
    .then(() => (typeof work === 'function' ? work() : work))
    .then(
      () => null,
      (reason: unknown) => reason,
    )
  expect(error).toBeInstanceOf(protocol.ProtocolError)
  if (!(error instanceof protocol.ProtocolError)) return ''
  expect(error.message).toBe(error.code)
  return error.code
}

export const bytesOf = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

export const upTo = (length: number, step = 1): number[] =>
  Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step)
