/** PROTOCOL §10.4: any interleaving of sends and deliveries by both sides, absences, resends and reloads. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { encodeRatchet, makeSecret, type Identity } from '../../src/protocol'
import { kem as xWing, makePeople } from '../protocol/people'
import { unsafeKemForTests } from '../unsafeKem'
import { Dialogue, type Side } from './dialogue'
import { DIALOGUES, holds, runs, timeout } from './runs'

let alice: Identity
let bob: Identity

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
})

type Act = 'say' | 'take' | 'again' | 'reload' | 'come or go'

const ACTS: readonly Act[] = [
  ...(['say', 'say', 'take', 'take', 'take', 'again', 'reload', 'come or go'] as const),
]

const acts = fc.array(
  fc.record({ who: fc.constantFrom('guest', 'owner'), act: fc.constantFrom(...ACTS) }),
  { minLength: 6, maxLength: 30 },
)

async function play(dialogue: Dialogue, side: Side, act: Act): Promise<unknown> {
  switch (act) {
    case 'say':
      return dialogue.say(side, `${side.said.length}`)
    case 'take':
      return dialogue.take(side)
    case 'again':
      return takeAgain(dialogue, side)
    case 'reload':
      return side.reload()
    case 'come or go':
      return side.comeOrGo()
  }
}

/** All that was taken comes once more. */
async function takeAgain(dialogue: Dialogue, side: Side): Promise<void> {
  if (!side.ratchet) return
  const before = encodeRatchet(side.ratchet)
  const messages = dialogue.peerOf(side).sent.slice(1, side.taken)
  for (const [n, bytes] of messages.entries()) {
    expect(await dialogue.judge(side, bytes)).toEqual({ verdict: 'resend', n })
  }
  expect(encodeRatchet(side.ratchet)).toEqual(before)
}

test.each([
  ['X-Wing', xWing, runs(50)],
  ['a key encapsulation that is quick', unsafeKemForTests, DIALOGUES],
])(
  'whatever both do, they end with everything that was said, with %s',
  async (_name, kem, numRuns) => {
    const open = await Dialogue.open(kem, bob, alice)
    const beginnings = {
      link: () => Dialogue.offered(kem, bob, alice, makeSecret()),
      request: () => Dialogue.offered(kem, bob, alice, null),
      open: async () => open.copy(),
    }
    const beginning = fc.constantFrom('link', 'request', 'open', 'open', 'open')
    const property = fc.asyncProperty(beginning, acts, async (from, script) => {
      const dialogue = await beginnings[from]()
      for (const { who, act } of script) await play(dialogue, dialogue[who], act)
      await dialogue.finish()
      expect(dialogue.heard).toEqual(dialogue.said)
    })
    await holds(numRuns, property)
  },
  timeout(DIALOGUES),
)
