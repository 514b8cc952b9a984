/** Makes the transcripts of docs/vectors: conversations of the page's own code, with what its coins gave. */
import { vi } from 'vitest'

import * as protocol from '../../src/protocol'
import { toHex, type Identity, type Ratchet } from '../../src/protocol'
import { ascii } from '../../src/protocol/bytes'
import { sealRsa } from '../../src/protocol/primitives'
import { listen } from './coins'
import { derive, type Given } from './derive'
import { draftOf } from './drafts'
import type { Content, Transcript } from './files'

const ORIGIN = 'https://quarter.example'
const NOON = 1_780_000_000_000
type Line = readonly [sender: 0 | 1, content: { readonly [member: string]: Content[string] }]

/** Who says what, in turns of one to three messages. */
const DIALOGUE: readonly Line[] = [
  [0, { t: 'hello' }],
  [1, { t: 'ack' }],
  [0, { t: 'text', text: 'Are you there?' }],
  [0, { t: 'text', text: 'The package has arrived. 包裹到了 📦' }],
  [1, { t: 'text', text: 'I am.', reply: [0, 1] }],
  [1, { t: 'timer', seconds: 3600 }],
  [1, { t: 'text', text: 'Zoë says “naïve”, \u202egnorw\u202c and \u0000.' }],
  [0, { t: 'ack' }],
  [0, { t: 'text', text: 'long '.repeat(3000) }],
  [1, { t: 'text', text: '' }],
  [0, { t: 'text', text: 'x'.repeat(220), reply: [1, 1] }],
  [0, { t: 'text', text: '\n\ttabs and lines\r\n' }],
  [1, { t: 'ack' }],
  [0, { t: 'bye' }],
  [1, { t: 'bye' }],
]

/** Typing signs: after so many messages, who, and whether they type. */
const TYPING = [
  { after: 2, sender: 0, counter: 0, on: true },
  { after: 4, sender: 0, counter: 1, on: false },
  { after: 7, sender: 1, counter: 4_294_967_295, on: true },
] as const

export async function make(withLink: boolean): Promise<Transcript> {
  const pkcs8 = [await protocol.generateIdentity(), await protocol.generateIdentity()] as const
  const initiator = await protocol.importIdentity(pkcs8[0])
  const responder = await protocol.importIdentity(pkcs8[1])
  const secret = withLink ? protocol.makeSecret() : null
  const heard = new Overheard()
  const { offer, answer, sides } = await meet(heard, initiator, responder, secret)
  const messages = await talk(heard, [initiator, responder], sides)
  vi.restoreAllMocks()
  const { transcript } = await derive({
    people: { initiator: { pkcs8: toHex(pkcs8[0]) }, responder: { pkcs8: toHex(pkcs8[1]) } },
    link: { origin: ORIGIN, secret: secret && toHex(secret) },
    login: await challenge(initiator),
    offer,
    answer,
    messages,
    volatile: TYPING.map((sign) => ({ ...sign, nonce: toHex(protocol.random(12)) })),
  })
  return transcript
}

/** The page's own KEM and draws, overheard. */
class Overheard {
  readonly #listening = listen()

  get kem(): protocol.Kem {
    return this.#listening.kem
  }

  /** What an operation took of coins, since it was asked last. */
  take() {
    const { draws, oaeps, seeds, sealed } = this.#listening.heard
    const ct = sealed.splice(0)[0]?.ct ?? ''
    const step = { ek_seed: seeds.splice(0)[0] ?? '', s: oaeps[0]?.s ?? '', c: oaeps[0]?.c ?? '' }
    oaeps.splice(0)
    return { ct, ...step, last: draws.splice(0).at(-1) ?? '' }
  }
}

async function meet(
  heard: Overheard,
  initiator: Identity,
  responder: Identity,
  secret: protocol.Bytes | null,
) {
  const offered = await protocol.makeOffer(heard.kem, initiator, responder, secret)
  const { ek_seed, s, c } = heard.take()
  const read = await protocol.readOffer(offered.offer, responder)
  const answered = await protocol.answerOffer(heard.kem, responder, read, secret)
  const answer = heard.take()
  const accepted = await protocol.acceptAnswer(
    heard.kem,
    initiator,
    offered.pending,
    answered.answer,
  )
  heard.take()
  const sides: [Ratchet, Ratchet] = [accepted, answered.state]
  return { offer: { ek_seed, s, c }, answer, sides }
}

async function talk(
  heard: Overheard,
  people: readonly [Identity, Identity],
  sides: [Ratchet, Ratchet],
): Promise<Given['messages']> {
  const messages: Given['messages'][number][] = []
  for (const [index, [sender, { t = '', ...members }]] of DIALOGUE.entries()) {
    const to = sender === 0 ? 1 : 0
    const from = sides[sender]
    const content = { t, at: NOON + index * 1500, seen: from.taken, ...members }
    const sealed = await protocol.sealMessage(heard.kem, from, draftOf(content))
    const { last: salt, ...step } = heard.take()
    messages.push({ sender, content, step: from.turn.whose === 'mine' ? step : null, salt })
    const taken = await protocol.takeMessage(
      heard.kem,
      people[to],
      sides[to],
      sealed.bytes,
      () => undefined,
    )
    heard.take()
    if (taken.verdict !== 'taken') throw new Error(taken.verdict)
    sides[sender] = sealed.ratchet
    sides[to] = taken.ratchet
  }
  return messages
}

async function challenge({ modulus }: Identity): Promise<Given['login']> {
  const r = protocol.random(32)
  const label = protocol.concat(ascii('quarter/1 login'), ascii(ORIGIN))
  return { origin: ORIGIN, r: toHex(r), c: toHex(await sealRsa(modulus, r, label)) }
}
