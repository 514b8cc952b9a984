/**
 * A transcript's every value from those that are given (docs/vectors/README.md, †): PROTOCOL §3 to §8 written out
 * once more, flat, on the page's primitives. The page's own functions are then held against it (replay.ts).
 */
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'

import {
  b64uEncode,
  concat,
  formatLink,
  importIdentity,
  safetyCode,
  safetyNumber,
  toHex,
  uint32,
  type Bytes,
  type Identity,
} from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { canonicalJwk } from '../../src/protocol/identity'
import { pack } from '../../src/protocol/packing'
import { pad } from '../../src/protocol/padding'
import { hash, hkdf, hmac, sealAead } from '../../src/protocol/primitives'
import { bytesOf, kem } from '../protocol/people'
import type { Content, Message, State, Step, Transcript } from './files'

/** What coins gave: all that can't be derived. */
export interface Given {
  readonly people: Record<'initiator' | 'responder', { readonly pkcs8: string }>
  readonly link: { readonly origin: string; readonly secret: string | null }
  readonly login: { readonly origin: string; readonly r: string; readonly c: string }
  readonly offer: { readonly ek_seed: string; readonly s: string; readonly c: string }
  readonly answer: GivenStep
  readonly messages: readonly {
    readonly sender: 0 | 1
    readonly content: Content
    readonly step: GivenStep | null
    readonly salt: string
  }[]
  readonly volatile: readonly {
    readonly after: number
    readonly sender: 0 | 1
    readonly counter: number
    readonly nonce: string
    readonly on: boolean
  }[]
}

interface GivenStep {
  readonly ct: string
  readonly ek_seed: string
  readonly s: string
  readonly c: string
}

export type Pair = readonly [initiator: State, responder: State]

const NOTHING = new Uint8Array(0)
const EMPTY_32 = '00'.repeat(32)

/** The encapsulation key of a seed, in hex. */
export const ekOf = (seed: string): string =>
  toHex(ml_kem768_x25519.keygen(bytesOf(seed)).publicKey)

/** The transcript, and both sides' states when none, one, two … of its messages were taken. */
export async function derive(
  given: Given,
): Promise<{ readonly transcript: Transcript; readonly pairs: readonly Pair[] }> {
  const initiator = await importIdentity(bytesOf(given.people.initiator.pkcs8))
  const responder = await importIdentity(bytesOf(given.people.responder.pkcs8))
  const link = await deriveLink(given, responder)
  const offer = await deriveOffer(given, initiator, responder, link.psk)
  const answer = await deriveAnswer(given, offer, link.psk)
  const begun = begin(initiator, responder, offer.session_id, answer)
  const { messages, pairs } = await deriveMessages(given, begun)
  const groups = await safetyNumber(initiator.hash, responder.hash)
  const transcript = {
    people: {
      initiator: describe(given.people.initiator.pkcs8, initiator),
      responder: describe(given.people.responder.pkcs8, responder),
    },
    link,
    login: await deriveLogin(given, initiator),
    offer,
    answer,
    safety: { groups, code: safetyCode(groups) },
    messages,
    volatile: await Promise.all(given.volatile.map((each) => deriveVolatile(each, pairs))),
  }
  return { transcript, pairs }
}

const describe = (pkcs8: string, { modulus, hash: userHash }: Identity) => ({
  pkcs8,
  modulus: toHex(modulus),
  jwk: canonicalJwk(modulus),
  hash: toHex(userHash),
  hash_text: b64uEncode(userHash),
})

async function deriveLink({ link: { origin, secret } }: Given, owner: Identity) {
  const raw = secret === null ? null : bytesOf(secret)
  const psk = raw && toHex(await hkdf(raw, owner.hash, ascii('quarter/1 psk'), 32))
  return { origin, secret, psk: psk ?? EMPTY_32, text: formatLink(origin, owner.hash, raw) }
}

async function deriveLogin({ login: { origin, r, c } }: Given, { hash: userHash }: Identity) {
  const label = toHex(concat(ascii('quarter/1 login'), ascii(origin)))
  const proof = toHex(await hmac(bytesOf(r), ascii('quarter/1 login proof'), userHash))
  return { origin, label, r, c, proof }
}

async function deriveOffer(
  { offer: { ek_seed, s, c }, link: { secret } }: Given,
  initiator: Identity,
  responder: Identity,
  psk: string,
) {
  const ek = bytesOf(ekOf(ek_seed))
  const names = concat(initiator.hash, responder.hash)
  const label = concat(ascii('quarter/1 offer'), names, await hash(ek))
  const head = concat(Uint8Array.of(1, 1), names, initiator.modulus, ek, bytesOf(c))
  const mac = await hmac(bytesOf(psk), ascii('quarter/1 invite'), head)
  const invite = secret === null ? bytesOf(EMPTY_32) : mac
  const bytes = concat(head, invite)
  const sessionId = await hash(ascii('quarter/1 session'), bytes)
  return {
    ek_seed,
    ek: toHex(ek),
    s,
    label: toHex(label),
    c,
    head: toHex(head),
    invite: toHex(invite),
    bytes: toHex(bytes),
    session_id: toHex(sessionId),
    session_text: b64uEncode(sessionId),
  }
}

type Offer = Transcript['offer']
type Answer = Transcript['answer']

async function deriveAnswer(
  { answer: { ct, ek_seed, s, c }, offer: { s: sI } }: Given,
  offer: Offer,
  psk: string,
): Promise<Answer> {
  const ss = toHex(await kem.decapsulate(bytesOf(offer.ek_seed), bytesOf(ct)))
  const ek = ekOf(ek_seed)
  const digests = concat(await hash(bytesOf(ct)), await hash(bytesOf(ek)))
  const label = concat(ascii('quarter/1 answer'), bytesOf(offer.session_id), digests)
  const head = `0102${offer.session_id}${c}${ct}${ek}`
  const th = await hash(bytesOf(offer.bytes + head))
  const ikm = ss + sI + s + psk
  const okm = toHex(await hkdf(bytesOf(ikm), th, ascii('quarter/1 handshake'), 64))
  const root = okm.slice(0, 64)
  const confirmKey = okm.slice(64)
  const confirm = toHex(await hmac(bytesOf(confirmKey), ascii('quarter/1 confirm'), th))
  return {
    ct,
    ss,
    ek_seed,
    ek,
    s,
    label: toHex(label),
    c,
    th: toHex(th),
    ikm,
    root,
    confirm_key: confirmKey,
    confirm,
    bytes: head + confirm,
  }
}

function begin(initiator: Identity, responder: Identity, id: string, answer: Answer): Pair {
  const shared = { session_id: id, root: answer.root, sending: null, receiving: null }
  const counts = { sent: 0, taken: 0, seen: 0 }
  const modulus = (person: Identity) => toHex(person.modulus)
  return [
    {
      role: 0,
      ...shared,
      ...counts,
      peer_modulus: modulus(responder),
      turn: { whose: 'mine', epoch: 0, ek: answer.ek },
    },
    {
      role: 1,
      ...shared,
      ...counts,
      peer_modulus: modulus(initiator),
      turn: { whose: 'theirs', epoch: 0, dk: answer.ek_seed },
    },
  ]
}

/** Each message sent and taken, in turn; `pairs`: both states when so many were taken. */
async function deriveMessages(given: Given, begun: Pair) {
  const pairs = [begun]
  const messages: Message[] = []
  for (const each of given.messages) {
    const { message, pair } = await deriveMessage(each, pairs.at(-1) ?? begun)
    messages.push(message)
    pairs.push(pair)
  }
  return { messages, pairs }
}

async function deriveMessage(
  { sender, content, step: givenStep, salt }: Given['messages'][number],
  pair: Pair,
): Promise<{ message: Message; pair: Pair }> {
  const [from, before] = sender === 0 ? pair : [pair[1], pair[0]]
  const step = givenStep && (await deriveStep(givenStep, from, before))
  const epoch = step ? from.turn.epoch + 1 : (from.sending?.epoch ?? 0)
  const chainKey = step?.chain_key ?? from.sending?.key ?? ''
  const { seed, next, key, nonce } = await deriveKeys(bytesOf(chainKey), bytesOf(salt))
  const packed = pack(content)
  const frame = pad(packed)
  const place = concat(Uint8Array.of(sender), uint32(epoch), uint32(from.sent))
  const fields = step ? `01${step.ct}${step.ek}${step.c}` : '00'
  const header = `0103${from.session_id}${toHex(place)}${salt}${fields}`
  const body = toHex(await sealAead(bytesOf(key), bytesOf(nonce), frame, bytesOf(header)))
  const digest = toHex(await hash(bytesOf(header + body)))
  const chain = { epoch, key: next }
  const sent = { ...from, ...rooted(step, epoch, true), sending: chain, sent: from.sent + 1 }
  const after = {
    ...before,
    ...rooted(step, epoch, false),
    receiving: chain,
    taken: before.taken + 1,
    seen: Number(content.seen),
  }
  return {
    message: {
      sender,
      n: from.sent,
      epoch,
      content,
      packed: toHex(packed),
      frame: toHex(frame),
      step,
      chain_key: chainKey,
      next_chain_key: next,
      seed,
      salt,
      key,
      nonce,
      header,
      body,
      bytes: header + body,
      digest,
      before,
      after,
    },
    pair: sender === 0 ? [sent, after] : [after, sent],
  }
}

/** What a step changes in its sender's state, and in its receiver's. */
function rooted(step: Step | null, epoch: number, isSender: boolean): Partial<State> {
  if (step === null) return {}
  return {
    root: step.root,
    turn: isSender
      ? { whose: 'theirs', epoch, dk: step.ek_seed }
      : { whose: 'mine', epoch, ek: step.ek },
  }
}

async function deriveStep({ ct, ek_seed, s, c }: GivenStep, from: State, to: State): Promise<Step> {
  if (to.turn.whose !== 'theirs') throw new Error('the receiver waits for no step')
  const ss = toHex(await kem.decapsulate(bytesOf(to.turn.dk), bytesOf(ct)))
  const ek = ekOf(ek_seed)
  const place = concat(bytesOf(from.session_id), uint32(from.turn.epoch + 1))
  const label = concat(ascii('quarter/1 step'), place, await hash(bytesOf(ct + ek)))
  const info = concat(ascii('quarter/1 ratchet'), place, await hash(bytesOf(ct + ek + c)))
  const okm = toHex(await hkdf(bytesOf(ss + s), bytesOf(from.root), info, 64))
  return {
    ct,
    ss,
    ek_seed,
    ek,
    s,
    label: toHex(label),
    c,
    info: toHex(info),
    ikm: ss + s,
    root: okm.slice(0, 64),
    chain_key: okm.slice(64),
  }
}

async function deriveKeys(chainKey: Bytes, salt: Bytes) {
  const seed = await hmac(chainKey, Uint8Array.of(1))
  const next = toHex(await hmac(chainKey, Uint8Array.of(2)))
  const okm = toHex(await hkdf(seed, salt, ascii('quarter/1 message'), 44))
  return { seed: toHex(seed), next, key: okm.slice(0, 64), nonce: okm.slice(64) }
}

async function deriveVolatile(
  { after, sender, counter, nonce, on }: Given['volatile'][number],
  pairs: readonly Pair[],
): Promise<Transcript['volatile'][number]> {
  const from = pairs[after]?.[sender]
  if (!from?.sending) throw new Error('a side without a sending chain sends no typing signs')
  const { epoch } = from.sending
  const n = from.sent
  const key = await hkdf(bytesOf(from.sending.key), NOTHING, ascii('quarter/1 volatile'), 32)
  const frame = pad(pack({ t: 'typing', on }))
  const numbers = concat(Uint8Array.of(sender), uint32(epoch), uint32(n), uint32(counter))
  const header = `0104${from.session_id}${toHex(numbers)}${nonce}`
  const body = await sealAead(key, bytesOf(nonce), frame, bytesOf(header))
  return {
    after,
    sender,
    epoch,
    n,
    counter,
    nonce,
    on,
    key: toHex(key),
    frame: toHex(frame),
    header,
    bytes: header + toHex(body),
  }
}
