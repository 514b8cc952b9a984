/** Two pages on one vault, as when a tab was duplicated and the lock did not stop it. */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Identity } from '../../src/protocol'
import { holds, runs, timeout } from '../properties/runs'
import { Ledger } from './ledger'
import { aPair, goHome, identities, meetingOf, settle, type Person } from './world'

const ledger = new Ledger()
let keys: Identity[]
let alice: Person
let first: Person
let second: Person
let id: string

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(begin)

afterEach(async () => {
  await end()
  ledger.demandClean(20)
})

afterAll(() => ledger.close())

async function begin(): Promise<void> {
  ;({ alice, bob: first } = await aPair(keys))
  id = await meetingOf(alice, first)
  second = await first.duplicate()
  second.connect()
  await settle(alice, second)
}

const end = (): Promise<void> => goHome(alice, second, first)

it('both may write at once: everything arrives, once, and no key is used twice', async () => {
  const said: string[] = []
  for (let round = 0; round < 5; round++) {
    const texts = [`first ${round}`, `second ${round}`] as const
    said.push(...texts)
    await Promise.all([first.say(id, texts[0]), second.say(id, texts[1])])
  }
  await settle(alice, first, second)
  await second.reload()
  await settle(alice, first, second)
  await new Promise((resolve) => setTimeout(resolve))
  await settle(alice, first, second)
  expect(alice.texts(id).toSorted()).toEqual(said.toSorted())
  expect(second.texts(id)).toEqual(alice.texts(id))
})

it(
  'whatever both send and take, nothing is shown twice, and no key is used twice',
  async () => {
    const acts = fc.array(fc.constantFrom('first', 'second', 'alice', 'settle'), { maxLength: 12 })
    const property = fc.asyncProperty(acts, async (script) => {
      await end()
      await begin()
      serveBoth()
      const people: Record<string, Person> = { first, second, alice }
      const said: string[] = []
      const saying: Promise<unknown>[] = []
      for (const [index, act] of script.entries()) {
        const text = `${act} ${index}`
        const say = people[act]?.say(id, text)
        if (say) saying.push(say.then(() => said.push(text), demandRefused))
        else await settle(alice, first, second)
      }
      await Promise.all(saying)
      await settle(alice, first, second)
      const isBroken = [first, second].some((page) => page.phase(id) === 'broken')
      await first.leavePage()
      await second.reload()
      await new Promise((resolve) => setTimeout(resolve))
      await settle(alice, second)
      const heard = alice.texts(id)
      expect(alice.phase(id)).toBe('open')
      if (!isBroken) expect(heard.toSorted()).toEqual(said.toSorted())
      for (const texts of [heard, second.texts(id)]) expect(new Set(texts).size).toBe(texts.length)
      for (const page of ['first', 'second']) {
        const numbers = heard.filter((text) => text.startsWith(page)).map(numberIn)
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
    })
    await holds(runs(250), property)
  },
  timeout(runs(250)),
)

const numberIn = (text: string): number => Number(text.split(' ')[1])

/** A page that found its conversation broken lets the person say nothing more. */
function demandRefused(error: unknown): void {
  expect(error).toMatchObject({ code: 'not-open' })
}

/** A server that hands everything to both pages. */
function serveBoth(): void {
  const toSecond = second.receive.bind(second)
  second.receive = (frame) => {
    toSecond(frame)
    first.receive(frame)
  }
}
