import { existsSync } from 'node:fs'

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import * as protocol from '../../src/protocol'
import { b64uDecode, toHex, type Identity, type Ratchet } from '../../src/protocol'
import { openRsa } from '../../src/protocol/primitives'
import { bytesOf } from '../protocol/people'
import { toss } from './coins'
import { derive, type Pair } from './derive'
import { draftOf } from './drafts'
import { pathOf, readTranscripts, type Message, type Transcript } from './files'
import { ratchetOf, stateOf } from './states'

type Sides = [Ratchet, Ratchet]
type Tossed = ReturnType<typeof toss>

const KINDS = ['that began with a link', 'that began with a request']
const transcripts = (['reference', 'page'] as const).flatMap((maker) =>
  readTranscripts(maker).map((transcript, index) => ({
    of: `the ${maker}'s ${KINDS[index]}`,
    transcript,
  })),
)

afterEach(() => {
  vi.restoreAllMocks()
})

test('both makers have written down both kinds of conversation', () => {
  expect(transcripts.map(({ transcript }) => transcript.link.secret === null)).toEqual([
    false,
    true,
    false,
    true,
  ])
  expect(existsSync(pathOf('transcripts-page.json'))).toBe(true)
})

describe.each(transcripts)('the conversation $of', ({ transcript }) => {
  let people: [initiator: Identity, responder: Identity]

  beforeAll(async () => {
    const { initiator, responder } = transcript.people
    people = [
      await protocol.importIdentity(bytesOf(initiator.pkcs8)),
      await protocol.importIdentity(bytesOf(responder.pkcs8)),
    ]
  })

  test('follows from what is given, every value of it', async () => {
    expect((await derive(transcript)).transcript).toEqual(transcript)
  })

  test('holds ciphertexts that open for the one they were sealed to', async () => {
    const [initiator, responder] = people
    const sealed = [
      {
        opener: initiator,
        c: transcript.login.c,
        label: transcript.login.label,
        s: transcript.login.r,
      },
      { opener: responder, ...transcript.offer },
      { opener: initiator, ...transcript.answer },
      ...transcript.messages.flatMap(({ step, sender }) =>
        step ? [{ opener: people[sender === 0 ? 1 : 0], ...step }] : [],
      ),
    ]
    for (const { opener, c, label, s } of sealed) {
      expect(toHex(await openRsa(opener.privateKey, bytesOf(c), bytesOf(label)))).toBe(s)
    }
  })

  test("comes out of the page's own functions, byte for byte", async () => {
    const tossed = toss()
    const sides = await replayHandshake(transcript, tossed, ...people)
    for (const message of transcript.messages) await replay(message, tossed, people, sides)
    expect(tossed.given).toEqual({ draws: [], oaeps: [], seeds: [], sealed: [] })
  })

  test('has typing signs that the other side alone can read', async () => {
    const { pairs } = await derive(transcript)
    const { given } = toss()
    for (const sign of transcript.volatile) {
      const [from, to] = sidesOf(pairs[sign.after], sign.sender)
      given.draws.push(sign.nonce)
      const bytes = await protocol.sealVolatile(from, sign.counter, sign.on)
      expect(bytes && toHex(bytes)).toBe(sign.bytes)
      const opened = await protocol.openVolatile(to, bytesOf(sign.bytes), null)
      expect(opened).toEqual({ counter: sign.counter, on: sign.on })
      expect(await protocol.openVolatile(from, bytesOf(sign.bytes), null)).toBeNull()
    }
  })

  test('is named and proved as the protocol says', async () => {
    const { login, link, people: named, safety } = transcript
    const [initiator, responder] = people
    const proof = await protocol.proveLogin(initiator, login.origin, bytesOf(login.c))
    expect(toHex(proof)).toBe(login.proof)
    expect(protocol.parseAddress(link.text)).toEqual({
      hash: responder.hash,
      secret: link.secret === null ? null : bytesOf(link.secret),
    })
    expect(toHex(b64uDecode(named.initiator.hash_text, 32))).toBe(named.initiator.hash)
    expect(await protocol.safetyNumber(responder.hash, initiator.hash)).toEqual(safety.groups)
  })
})

async function replayHandshake(
  { link, offer, answer, people }: Transcript,
  { given, kem }: Tossed,
  initiator: Identity,
  responder: Identity,
): Promise<Sides> {
  const secret = link.secret === null ? null : bytesOf(link.secret)
  const owner = { hash: responder.hash, modulus: bytesOf(people.responder.modulus) }
  given.seeds.push(offer.ek_seed)
  given.draws.push(offer.s)
  given.oaeps.push(offer)
  const offered = await protocol.makeOffer(kem, initiator, owner, secret)
  expect(toHex(offered.offer)).toBe(offer.bytes)
  expect(toHex(offered.sessionId)).toBe(offer.session_id)

  const read = await protocol.readOffer(bytesOf(offer.bytes), responder)
  given.sealed.push(answer)
  given.seeds.push(answer.ek_seed)
  given.draws.push(answer.s)
  given.oaeps.push(answer)
  const answered = await protocol.answerOffer(kem, responder, read, secret)
  expect(toHex(answered.answer)).toBe(answer.bytes)

  const pending = protocol.decodePending(protocol.encodePending(offered.pending))
  const accepted = await protocol.acceptAnswer(kem, initiator, pending, answered.answer)
  return [accepted, answered.state]
}

async function replay(
  message: Message,
  { given, kem }: Tossed,
  people: readonly [Identity, Identity],
  sides: Sides,
): Promise<void> {
  const { sender, step } = message
  const to = sender === 0 ? 1 : 0
  if (step) {
    given.sealed.push(step)
    given.seeds.push(step.ek_seed)
    given.draws.push(step.s)
    given.oaeps.push(step)
  }
  given.draws.push(message.salt)
  const sealed = await protocol.sealMessage(kem, sides[sender], draftOf(message.content))
  expect(toHex(sealed.bytes)).toBe(message.bytes)
  expect(toHex(sealed.key)).toBe(message.key + message.nonce)
  sides[sender] = sealed.ratchet

  expect(stateOf(sides[to])).toEqual(message.before)
  const taken = await protocol.takeMessage(kem, people[to], sides[to], sealed.bytes, none)
  if (taken.verdict !== 'taken') throw new Error(taken.verdict)
  expect(stateOf(taken.ratchet)).toEqual(message.after)
  expect(toHex(taken.digest)).toBe(message.digest)
  expect(taken.content).toEqual(message.content)
  sides[to] = taken.ratchet
}

const none = () => undefined

function sidesOf(pair: Pair | undefined, sender: 0 | 1): Sides {
  if (!pair) throw new Error('so many messages were not taken')
  const [initiator, responder] = [ratchetOf(pair[0]), ratchetOf(pair[1])]
  return sender === 0 ? [initiator, responder] : [responder, initiator]
}
