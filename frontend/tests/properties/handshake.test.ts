/** PROTOCOL §10.4 for offers and answers: with any single bit changed they are refused, and leave nothing. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  acceptAnswer,
  answerOffer,
  encodePending,
  makeOffer,
  makeSecret,
  readOffer,
  type Bytes,
  type Identity,
  type Kem,
} from '../../src/protocol'
import { ANSWER_BYTES } from '../../src/protocol/handshake'
import { OFFER_BYTES } from '../../src/protocol/state'
import { codeOf, kem as xWing, makePeople } from '../protocol/people'
import { unsafeKemForTests } from '../unsafeKem'
import { bitIn, flipBit } from './bits'
import { holds, runs, timeout } from './runs'

let alice: Identity
let bob: Identity

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
})

/** What refuses an offer with this bit changed; the first fields are the same for a link and a request. */
function refusalOf(bit: number, invited: boolean): string {
  const at = bit >> 3
  if (at === 0) return 'version'
  if (at === 1) return 'kind'
  if (at < 34) return 'thumbprint'
  if (at < 66) return 'responder'
  // The modulus: its highest bit, and its lowest.
  if (bit === 66 * 8 + 7 || bit === 449 * 8) return 'modulus'
  if (at < 450) return 'thumbprint'
  return invited || at >= 2050 ? 'invite' : 'rsa'
}

async function take(kem: Kem, offer: Bytes, secret: Bytes | null) {
  return answerOffer(kem, alice, await readOffer(offer, alice), secret)
}

const kems: [string, Kem, number][] = [
  ['X-Wing', xWing, runs(100)],
  ['a key encapsulation that is quick', unsafeKemForTests, runs(2)],
]

describe.each(kems)('with any bit changed, under %s,', (_name, kem, numRuns) => {
  test.each([
    ['by a link', makeSecret()],
    ['without a link', null],
  ])(
    'an offer %s is refused, and the honest one is answered',
    async (_, secret) => {
      const { offer, pending } = await makeOffer(kem, bob, alice, secret)
      const before = encodePending(pending)
      const property = fc.asyncProperty(bitIn(OFFER_BYTES), async (bit) => {
        expect(await codeOf(take(kem, flipBit(offer, bit), secret))).toBe(
          refusalOf(bit, secret !== null),
        )
      })
      await holds(numRuns, property)
      const { answer } = await take(kem, offer, secret)
      expect((await acceptAnswer(kem, bob, pending, answer)).role).toBe(0)
      expect(encodePending(pending)).toEqual(before)
    },
    timeout(numRuns),
  )

  test(
    'an answer is refused, and the honest one is taken',
    async () => {
      const secret = makeSecret()
      const { offer, pending } = await makeOffer(kem, bob, alice, secret)
      const { answer } = await take(kem, offer, secret)
      const before = encodePending(pending)
      const property = fc.asyncProperty(bitIn(ANSWER_BYTES), async (bit) => {
        expect(await codeOf(acceptAnswer(kem, bob, pending, flipBit(answer, bit)))).toBe('answer')
        expect(encodePending(pending)).toEqual(before)
      })
      await holds(numRuns, property)
      expect((await acceptAnswer(kem, bob, pending, answer)).role).toBe(0)
    },
    timeout(numRuns),
  )
})
