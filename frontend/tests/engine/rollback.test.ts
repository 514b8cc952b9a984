/** A browser's profile that was put back to a copy of any earlier moment, which the server knows nothing of. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeRatchet, type Identity } from '../../src/protocol'
import { SealError } from '../../src/vault/seal'
import { Ledger } from './ledger'
import { byLink, byRequest, ownerAway, type Plot } from './plots'
import { Enough, Story } from './story'
import { identities, settle, type Kept, type Person, type Profile } from './world'

const PLOTS: Record<string, Plot> = {
  'two who met by a link': byLink,
  'two who met by a request': byRequest,
  'two of whom one was away': ownerAway,
}

vi.setConfig({ testTimeout: 600_000 })

const ANOTHER = 'another future'
const ledger = new Ledger()
let keys: Identity[]

beforeAll(async () => {
  keys = await identities(2)
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  ledger.demandClean(50)
})

afterAll(() => ledger.close())

/** What lay in somebody's browser, and on the server, at one moment. */
interface Copy {
  readonly whose: Person
  readonly profile: Profile
  readonly server: Kept
}

async function copyOf(whose: Person): Promise<Copy> {
  const server = whose.world.save()
  return { whose, server, profile: await whose.copyProfile() }
}

/** Tells a plot as far as so many deeds; a copy is taken before each write of any page, and at the end. */
async function tell(plot: Plot, deeds = Infinity): Promise<{ story: Story; copies: Copy[] }> {
  const copies: Promise<Copy>[] = []
  const story = new Story(
    keys,
    (number, _at, step) => {
      const whose = story.people[number]
      if (whose && step === 'write') copies.push(copyOf(whose))
      return null
    },
    deeds,
  )
  await plot(story).catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error
  })
  copies.push(...story.people.map(copyOf))
  const taken = await Promise.all(copies)
  for (const person of story.people) await person.leavePage()
  return { story, copies: taken }
}

/** Loads a page from a copy, beside a server that has this. */
async function load({ whose, profile }: Copy, server: Kept): Promise<void> {
  whose.world.putBack(server)
  await whose.putBack(profile)
  await whose.load()
}

async function connect(person: Person): Promise<void> {
  person.connect()
  for (let round = 0; round < 3; round++) {
    await settle(person)
    vi.advanceTimersByTime(1_600)
  }
}

/** How many messages the page's own state has sent; null where it knows nothing of the conversation. */
async function sentBy({ house, world, hash }: Person, id: string): Promise<number | null> {
  const key = await house.keyOf(id, world.halfOf(id, hash).slice())
  const held = await house.room.vault.read(key, id)
  if (!held) return null
  return held.state.ratchet ? decodeRatchet(held.state.ratchet).sent : 0
}

const isOver = ({ sessions }: Kept): boolean =>
  [...sessions.values()].some(({ state }) => state === 'ended')

type Fate = 'nothing' | 'unknown' | 'broken' | 'goes on'

/** Opens a page on a copy, and tests that its conversation is broken exactly where the server has what it doesn't know. */
async function fateOf(copy: Copy, server: Kept): Promise<Fate> {
  const { whose } = copy
  await load(copy, server)
  const [session] = whose.world.sessionsOf(whose.hash)
  if (!session) return 'nothing'
  const { id, people, nextN } = session
  const stored = nextN[people[0] === whose.hash ? 0 : 1]
  const known = await sentBy(whose, id)
  await connect(whose)
  if (known === null) expect(whose.texts(id)).toEqual([])
  else if (stored > known) await expectBroken(whose, id)
  else await expectToGoOn(whose, id)
  await whose.leavePage()
  if (known === null) return 'unknown'
  return stored > known ? 'broken' : 'goes on'
}

async function expectBroken(person: Person, id: string): Promise<void> {
  const stored = person.world.save().sessions.get(id)
  expect(person.phase(id)).toBe('broken')
  expect(person.texts(id)).toEqual([])
  await expect(person.say(id, 'never')).rejects.toMatchObject({ code: 'not-open' })
  await settle(person)
  expect(person.world.sessions.get(id)).toEqual(stored)
}

async function expectToGoOn(person: Person, id: string): Promise<void> {
  await person.say(id, ANOTHER)
  await person.house.conversations.get(id)?.typing(true)
  await settle(person)
  expect(person.phase(id)).not.toBe('broken')
  expect(person.texts(id).filter((text) => text === ANOTHER).length).toBe(1)
}

describe.each(Object.entries(PLOTS))('an older copy of the browser of %s', (_name, plot) => {
  it('is found out at any later time, and repeats no key', async () => {
    const fates = new Set<Fate>()
    for (let deeds = 1; ; deeds++) {
      const { story, copies } = await tell(plot, deeds)
      const server = story.world.save()
      const living = isOver(server) ? [] : copies
      for (const copy of living) fates.add(await fateOf(copy, server))
      await story.ends()
      if (isOver(server)) break
    }
    expect([...fates]).toEqual(expect.arrayContaining(['broken', 'goes on', 'unknown']))
  })

  it('repeats no key where nothing that was said since had reached the server', async () => {
    const fates: Fate[] = []
    const { story, copies } = await tell(plot)
    const living = copies.filter(({ server }) => !isOver(server))
    for (const copy of living) fates.push(await fateOf(copy, copy.server))
    await story.ends()
    expect(fates.filter((fate) => fate === 'goes on').length).toBeGreaterThan(20)
    expect(fates).not.toContain('broken')
  })

  it('opens nothing any more after the conversation’s end', async () => {
    const { story, copies } = await tell(plot)
    let tried = 0
    for (const copy of copies) {
      const { whose } = copy
      await load(copy, story.world.save())
      for (const id of await whose.house.room.vault.conversationIds()) {
        await expect(sentBy(whose, id)).rejects.toBeInstanceOf(SealError)
        tried += 1
      }
      await connect(whose)
      expect(whose.messages.size).toBe(0)
      for (const { phase } of whose.conversations.values()) expect(phase).toBe('ended')
      expect(await whose.house.room.vault.conversationIds()).toEqual([])
      await whose.leavePage()
    }
    await story.ends()
    expect(tried).toBeGreaterThan(20)
  })
})
