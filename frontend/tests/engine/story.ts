/**
 * What people do with their pages, told so that it comes to the same end whatever befalls a page on the way: one that
 * was killed is opened again, and people look at the screen and do again what is not there.
 */
import { expect, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import * as owner from '../../src/engine/owner'
import { openDatabase, SESSION_STORES } from '../../src/vault/database'
import { unsafeKemForTests } from '../unsafeKem'
import type { Mishap, Step } from './life'
import { goHome, Person, settle, World } from './world'

/** Asked at each step: `whose` is the person's number, `at` counts the steps of all of that person's pages. */
export type Befalls = (whose: number, at: number, step: Step) => Mishap | null

type Deed = readonly [who: Person, deed: () => Promise<unknown>]

/** Longer than an ack waits, or what could not be written down. */
const WHILE_MS = 1_600

/** More than anything takes after one blow. */
const TRIES = 9
const ROUNDS = 99

/** The story was told as far as it was asked for. */
export class Enough extends Error {}

export class Story {
  readonly world = new World()
  readonly people: Person[] = []
  /** What each one's pages have done. */
  readonly steps: Step[][] = []
  /** What each one has said, in order. */
  readonly said = new Map<Person, string[]>()
  readonly #away = new Set<Person>()
  readonly #identities: readonly Identity[]
  readonly #befalls: Befalls
  #deedsLeft: number

  /** Needs fake timers. After so many deeds it throws Enough. */
  constructor(identities: readonly Identity[], befalls: Befalls = () => null, deeds = Infinity) {
    this.world.kem = Promise.resolve(unsafeKemForTests)
    this.#identities = identities
    this.#befalls = befalls
    this.#deedsLeft = deeds
  }

  async arrives(): Promise<Person> {
    const identity = this.#identities[this.people.length]
    if (!identity) throw new Error('make more identities')
    const person = await Person.arrive(this.world, identity)
    const whose = this.people.push(person) - 1
    const steps: Step[] = []
    this.steps.push(steps)
    person.befalls = (step) => this.#befalls(whose, steps.push(step) - 1, step)
    this.said.set(person, [])
    person.connect()
    return person
  }

  // ---- what people do

  async makesLink(host: Person): Promise<string> {
    await this.#do([host, async () => host.links.length > 0 || host.link('Bob')])
    const [link] = host.links
    if (!link) throw new Error('no link is shown')
    return link.url
  }

  async joins(visitor: Person, url: string): Promise<string> {
    const join = async () => {
      if (visitor.conversations.size > 0) return
      if (!visitor.arrival) await visitor.arrive(url)
      await visitor.joinArrived()
    }
    await this.#do([visitor, join])
    const [id] = visitor.conversations.keys()
    if (id === undefined) throw new Error('no conversation is shown')
    return id
  }

  accepts(host: Person, id: string): Promise<void> {
    const accept = async () => host.phase(id) === 'request' && owner.accept(host.house, id)
    return this.#do([host, accept])
  }

  /** All of them write at once, each some texts in a row. What the page took is not said again, there or not. */
  say(id: string, ...written: (readonly [who: Person, ...texts: string[]])[]): Promise<void> {
    const say = ([who, ...texts]: (typeof written)[number]): Deed => {
      this.said.get(who)?.push(...texts)
      const taken = new Set<string>()
      const each = async () => {
        for (const text of texts) {
          if (taken.has(text) || who.texts(id).includes(text)) continue
          await who.say(id, text)
          taken.add(text)
        }
      }
      return [who, each]
    }
    return this.#do(...written.map(say))
  }

  keeps(who: Person, id: string): Promise<void> {
    const isKept = () => who.lines(id).some(({ body }) => body.kind === 'timer')
    return this.#do([who, async () => isKept() || who.house.conversations.get(id)?.keepOn()])
  }

  leaves(who: Person, id: string): Promise<void> {
    return this.#do([who, () => who.leave(id)])
  }

  goesAway(who: Person): void {
    this.#away.add(who)
    who.disconnect()
  }

  async comesBack(who: Person): Promise<void> {
    this.#away.delete(who)
    await this.#do([who, async () => who.connect()])
  }

  /** Nobody says anything until the time of every conversation is up. */
  async timePasses(): Promise<void> {
    this.world.pass(900)
    for (const { house } of this.people) house.checkDeadlines()
    await this.#quiet()
  }

  // ---- how it goes on

  /** All begin at once; whose deed was not done begins again when all is quiet. */
  async #do(...deeds: Deed[]): Promise<void> {
    let open: readonly Deed[] = deeds
    for (let left = TRIES; open.length > 0; left--) {
      if (left === 0) throw new Error('it is tried in vain, again and again')
      const tries = open.map(([who, deed]) =>
        Promise.race([deed().then(isDone, isFull), who.life.over]),
      )
      const done = await Promise.all(tries)
      await this.#quiet()
      open = open.filter((_, index) => done[index] !== true)
    }
    if (--this.#deedsLeft <= 0) throw new Enough()
  }

  /** Until no page does anything any more, though a while passes. */
  async #quiet(): Promise<void> {
    for (
      let before = -1, left = ROUNDS;
      before !== this.#stepsTaken || this.#isAnyoneGone;
      left--
    ) {
      if (left === 0) throw new Error('the pages find no rest')
      before = this.#stepsTaken
      for (const person of this.people) if (person.life.isOver) await this.#openAgain(person)
      await settle(...this.people)
      vi.advanceTimersByTime(WHILE_MS)
    }
  }

  /** A page may have died of a step that was taken before the last look. */
  get #isAnyoneGone(): boolean {
    return this.people.some(({ life }) => life.isOver)
  }

  get #stepsTaken(): number {
    return this.steps.flat().length
  }

  async #openAgain(person: Person): Promise<void> {
    await person.leavePage()
    await person.load()
    if (!this.#away.has(person)) person.connect()
  }

  async ends(): Promise<void> {
    await goHome(...this.people)
  }
}

/** Two have on their screens all that they said, once and in order, and know that it was taken. */
export function expectTold({ said }: Story, id: string, ...pair: readonly [Person, Person]): void {
  for (const reader of pair) {
    expect(reader.phase(id)).toBe('open')
    for (const writer of pair) {
      expect(reader.texts(id, { mine: reader === writer })).toEqual(said.get(writer))
    }
    expect(new Set(reader.deliveries(id))).toEqual(new Set(['taken']))
  }
}

/** No browser keeps anything of any conversation. */
export async function expectForgotten({ people }: Story): Promise<void> {
  for (const { vaultName } of people) {
    const db = await openDatabase(vaultName)
    for (const store of ['conversations', ...SESSION_STORES] as const) {
      expect(await db.getAllKeys(store)).toEqual([])
    }
    db.close()
  }
}

const isDone = (): true => true

/** What a person is told of, and tries again; any other failure is one of the test. */
function isFull(error: unknown): false {
  if (error instanceof DOMException && error.name === 'QuotaExceededError') return false
  throw error
}
