import { beforeAll, describe, expect, test } from 'vitest'

import * as protocol from '../../src/protocol'
import { encodeRatchet, toHex, type Bytes, type Identity } from '../../src/protocol'
import { bytesOf, codeOf, kem } from '../protocol/people'
import { draftOf, meantBy } from './drafts'
import { readRefusals } from './files'
import { ratchetOf } from './states'

const { people, offers, answers, messages, sends } = readRefusals()
const secretOf = (hex: string | null): Bytes | null => (hex === null ? null : bytesOf(hex))

let initiator: Identity
let responder: Identity

beforeAll(async () => {
  initiator = await protocol.importIdentity(bytesOf(people.initiator.pkcs8))
  responder = await protocol.importIdentity(bytesOf(people.responder.pkcs8))
})

/** The code of a refusal, or null where there was none. */
const outcome = async (work: Promise<unknown>): Promise<string | null> => {
  const settled = await work.then(
    () => null,
    (error: unknown) => error,
  )
  return settled === null ? null : codeOf(Promise.reject(settled))
}

describe.each(offers)('an offer: $name', ({ bytes, secret, code }) => {
  test(`is ${code === null ? 'answered' : `refused as ${code}`}`, async () => {
    const answering = protocol
      .readOffer(bytesOf(bytes), responder)
      .then((offer) => protocol.answerOffer(kem, responder, offer, secretOf(secret)))
    expect(await outcome(answering)).toBe(code)
  })
})

describe.each(answers)('an answer: $name', ({ bytes, pending: kept, code }) => {
  test(`is ${code === null ? 'accepted' : `refused as ${code}`}`, async () => {
    const offer = bytesOf(kept.offer)
    const pending = {
      sessionId: await protocol.sha256(
        protocol.concat(new TextEncoder().encode('quarter/1 session'), offer),
      ),
      offer,
      dk: bytesOf(kept.ek_seed),
      secretI: bytesOf(kept.s),
      secret: secretOf(kept.secret),
      responderModulus: responder.modulus,
    }
    const accepting = protocol.acceptAnswer(kem, initiator, pending, bytesOf(bytes))
    expect(await outcome(accepting)).toBe(code)
  })
})

describe.each(messages)('a message: $name', ({ bytes, state, taken, verdict, code, content }) => {
  test(`is: ${verdict} ${code ?? ''}, and moves the state only when it is taken`, async () => {
    const ratchet = ratchetOf(state)
    const before = encodeRatchet(ratchet)
    const taker = state.role === 0 ? initiator : responder
    const known = (n: number) => secretOf(taken[String(n)] ?? null) ?? undefined
    const found = await protocol.takeMessage(kem, taker, ratchet, bytesOf(bytes), known)
    expect([found.verdict, 'code' in found ? found.code : null]).toEqual([verdict, code])
    if (found.verdict === 'taken' && content !== undefined)
      expect(found.content).toEqual(meantBy(content))
    expect(toHex(encodeRatchet(ratchet))).toBe(toHex(before))
  })
})

describe.each(sends)('sending: $name', ({ state, content, code }) => {
  test(`is ${code === null ? 'done' : `refused as ${code}`}`, async () => {
    expect(await outcome(protocol.sealMessage(kem, ratchetOf(state), draftOf(content)))).toBe(code)
  })
})

test('one of each kind is right, so that who refuses everything fails', () => {
  const right = [offers, answers, messages].map((list) => list.filter(({ code }) => code === null))
  for (const list of right) expect(list.length).toBeGreaterThan(0)
})
