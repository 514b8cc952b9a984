/** A small world for the engine: a server of a few lines that keeps the wire's promises, and people with real vaults. */
import 'fake-indexeddb/auto'
import {
  b64uEncode,
  chooseKem,
  parseAddress,
  sha256,
  concat,
  type Address,
  type Bytes,
  type Identity,
  type Kem,
} from '../../src/protocol'
import { assemble } from '../../src/engine/assemble'
import { inBackground } from '../../src/engine/background'
import type { Conversation as Talk } from '../../src/engine/conversation'
import type { Clock } from '../../src/engine/deadline'
import * as guest from '../../src/engine/guest'
import type { House } from '../../src/engine/house'
import type { Inbound } from '../../src/engine/inbound'
import type { Room, Server } from '../../src/engine/room'
import type { Conversation, EngineEvent, InviteLink, Message, Notice } from '../../src/engine/types'
import type { Reply } from '../../src/transport/connection'
import { Refused, Unreachable } from '../../src/transport/errors'
import type {
  Cursors,
  FromReceive,
  Item,
  Request,
  ServerEndedWhy,
  SessionInfo,
} from '../../src/transport/wire'
import {
  deleteDatabase,
  openDatabase,
  STORES,
  type Database,
  type Store,
} from '../../src/vault/database'
import { identityKey, importLocalHalf } from '../../src/vault/seal'
import { Vault } from '../../src/vault/vault'
import { keptIdentities } from '../keys'
import { Life, mortalDatabase, mortalServer, type Mishap, type Step } from './life'

const ORIGIN = 'https://quarter.example'
const TTL = 900
const ascii = new TextEncoder()

interface Session {
  id: string
  people: [string, string]
  state: 'offered' | 'open' | 'ended'
  why: ServerEndedWhy
  items: Item[]
  nextN: [number, number]
}

/** All that the server has. */
export type Kept = Pick<World, 'sessions' | 'halves'>

/** What lies in a browser's vault: for each store its keys and values. */
export type Profile = readonly {
  store: Store
  keys: readonly unknown[]
  values: readonly unknown[]
}[]

export class World {
  kem: Promise<Kem> = chooseKem()
  sessions = new Map<string, Session>()
  /** Offers that take no place any more. */
  readonly unread = new Set<string>()
  halves = new Map<string, Bytes>()
  readonly people = new Map<string, Person>()
  /** A hostile server's hand: what an item becomes on its way, or null to withhold it. */
  tamper: (item: Item, to: Person) => Item | null = (item) => item
  /** How a new item comes to a page that is there; what gets lost here comes with a later drain. */
  push: (item: Item, to: Person) => void = (item, to) => to.receive(item)
  wall = 1_700_000_000_000
  tick = 0

  readonly clock: Clock = { wall: () => this.wall, monotonic: () => this.tick }

  pass(seconds: number): void {
    this.wall += seconds * 1000
    this.tick += seconds * 1000
  }

  halfOf(session: string, person: string): Bytes {
    const key = `${session} ${person}`
    const half = this.halves.get(key) ?? crypto.getRandomValues(new Uint8Array(32))
    this.halves.set(key, half)
    return half
  }

  end(session: Session, why: ServerEndedWhy): void {
    if (session.state === 'ended') return
    session.state = 'ended'
    session.why = why
    session.items = []
    for (const person of session.people) {
      this.halves.delete(`${session.id} ${person}`)
      this.people.get(person)?.receive({ t: 'ended', session: session.id, why })
    }
  }

  save(): Kept {
    return structuredClone({ sessions: this.sessions, halves: this.halves })
  }

  putBack(kept: Kept): void {
    const { sessions, halves } = structuredClone(kept)
    this.sessions = sessions
    this.halves = halves
  }

  append(session: Session, item: Omit<Item, 't' | 'seq' | 'session'>): void {
    const whole = {
      t: 'item',
      session: session.id,
      seq: session.items.length + 1,
      ...item,
    } as const
    session.items.push(whole)
    const to = this.people.get(session.people[item.sender === 0 ? 1 : 0])
    if (to) this.push(whole, to)
  }

  infoFor(session: Session, person: string): SessionInfo {
    const role = session.people[0] === person ? 0 : 1
    return {
      id: session.id,
      role,
      peer: session.people[role === 0 ? 1 : 0],
      state: session.state === 'open' ? 'open' : 'offered',
      ttl: TTL,
      left: TTL,
      last_seq: session.items.length,
      next_n: session.nextN[role],
      half: this.halfOf(session.id, person).slice(),
    }
  }

  sessionsOf(person: string): Session[] {
    return [...this.sessions.values()].filter(({ people }) => people.includes(person))
  }
}

export class Person implements Server {
  online = false
  house!: House
  inbound!: Inbound
  life!: Life
  #db!: Database
  /** What befalls the pages of this person, asked at each of their steps. */
  befalls: (step: Step) => Mishap | null = () => null
  /** What the screen shows, from the events alone. */
  conversations = new Map<string, Conversation>()
  messages = new Map<string, Map<string, Message>>()
  links: readonly InviteLink[] = []
  arrival: Address | null = null
  notices: Notice[] = []
  readonly #taken = new Set<string>()
  /** Posts are lost while this is set, as when the socket breaks under them. */
  deaf = false

  private constructor(
    readonly world: World,
    readonly identity: Identity,
    readonly hash: string,
    readonly vaultName: string,
    readonly half: Bytes,
  ) {}

  static async arrive(world: World, identity: Identity): Promise<Person> {
    const hash = b64uEncode(identity.hash)
    const half = crypto.getRandomValues(new Uint8Array(32))
    const name = b64uEncode(crypto.getRandomValues(new Uint8Array(12)))
    const person = new Person(world, identity, hash, name, half)
    world.people.set(hash, person)
    await person.load()
    return person
  }

  /** A second page on the same vault, as of a duplicated tab that the lock did not stop; the server serves the newest. */
  async duplicate(): Promise<Person> {
    const { world, identity, hash, vaultName, half } = this
    const second = new Person(world, identity, hash, vaultName, half)
    world.people.set(hash, second)
    await second.load()
    return second
  }

  /** A page load: everything but the vault and the identity is new. */
  async load(): Promise<void> {
    this.online = false
    this.conversations = new Map()
    this.messages = new Map()
    const local = await importLocalHalf(this.half.slice())
    const life = new Life(
      (step) => this.befalls(step),
      () => this.disconnect(),
    )
    this.life = life
    this.#db = await openDatabase(this.vaultName)
    const db = mortalDatabase(this.#db, life)
    const room: Room = {
      identity: this.identity,
      hash: this.hash,
      kem: await this.world.kem,
      vault: new Vault(db, await identityKey(local)),
      local,
      clock: this.world.clock,
      bounds: () => ({ minSeconds: 60, maxSeconds: 86_400 }),
      server: mortalServer(this, life),
      tell: (event) => life.isOver || this.#saw(event),
    }
    const { house, inbound } = await assemble(room, ORIGIN)
    this.house = house
    this.inbound = inbound
    this.arrival = await room.vault.readArrival()
    house.links.tell()
  }

  async reload(): Promise<void> {
    await this.leavePage()
    await this.load()
    this.connect()
  }

  /** The page is gone, and what it was still about to do is not done. */
  async leavePage(): Promise<void> {
    this.disconnect()
    await this.settle()
    this.life.end()
    for (const conversation of this.house.conversations.values()) conversation.stop()
    this.house.room.vault.close()
  }

  /** A copy of the browser's profile as it is now, before anything that is asked of it later. */
  async copyProfile(): Promise<Profile> {
    const tx = this.#db.transaction(STORES)
    return Promise.all(
      STORES.map(async (store) => {
        const [keys, values] = [tx.objectStore(store).getAllKeys(), tx.objectStore(store).getAll()]
        return { store, keys: await keys, values: await values }
      }),
    )
  }

  /** The page is left, and the profile is what it was. */
  async putBack(profile: Profile): Promise<void> {
    await this.leavePage()
    const db = await openDatabase(this.vaultName)
    for (const { store, keys, values } of profile) {
      await db.clear(store)
      for (const [index, key] of keys.entries()) {
        await db.put(store, values[index] as never, key as never)
      }
    }
    db.close()
  }

  connect(): void {
    this.online = true
    const mine = this.world.sessionsOf(this.hash)
    const live = mine.filter(({ state }) => state !== 'ended')
    this.inbound.take({
      t: 'ready',
      sessions: live.map((session) => this.world.infoFor(session, this.hash)),
    })
    for (const { id, state, why } of mine) {
      if (state === 'ended') this.inbound.take({ t: 'ended', session: id, why })
    }
    this.resync(Object.fromEntries(live.map(({ id }) => [id, this.house.cursors[id] ?? 0])))
  }

  disconnect(): void {
    this.online = false
  }

  receive(frame: FromReceive): void {
    if (!this.online) return
    if (frame.t !== 'item') return this.inbound.take(frame)
    const item = this.world.tamper(frame, this)
    if (item) this.inbound.take(item)
  }

  /** Waits until nothing is on its way any more; a page that was killed waits for nothing. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await Promise.race([this.#idle(), this.life.over])
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #idle(): Promise<void> {
    await this.inbound.idle()
    for (const each of this.house.conversations.values()) await each.idle()
  }

  // ---- the wire

  async request(request: Request): Promise<Reply> {
    if (!this.online) throw new Unreachable()
    const answered = await this.#answer(request)
    if (!this.online) throw new Unreachable()
    return answered
  }

  async #answer(request: Request): Promise<Reply> {
    const ok = { t: 'ok', id: 0 } as const
    switch (request.t) {
      case 'lookup': {
        const person = this.world.people.get(request.hash)
        if (!person) throw new Refused('not_found', true, null)
        return { t: 'key', id: 0, modulus: person.identity.modulus }
      }
      case 'prepare':
        if (this.world.sessions.get(request.session)?.state === 'ended') {
          throw new Refused('ended', true, null)
        }
        return {
          t: 'seal',
          id: 0,
          session: request.session,
          half: this.world.halfOf(request.session, this.hash).slice(),
        }
      case 'offer': {
        const digest = await sha256(concat(ascii.encode('quarter/1 session'), request.body))
        const id = b64uEncode(digest)
        if (this.world.sessions.has(id)) return ok
        const responder = b64uEncode(request.body.slice(34, 66))
        const session: Session = {
          id,
          people: [this.hash, responder],
          state: 'offered',
          why: 'removed',
          items: [],
          nextN: [0, 0],
        }
        this.world.sessions.set(id, session)
        const owner = this.world.people.get(responder)
        owner?.receive({ t: 'session', session: this.world.infoFor(session, responder) })
        this.world.append(session, { kind: 'offer', sender: 0, body: request.body })
        return ok
      }
      case 'answer': {
        const session = this.#session(request.session)
        if (session.state === 'offered') {
          session.state = 'open'
          this.world.append(session, { kind: 'answer', sender: 1, body: request.body })
        }
        return ok
      }
      case 'decline':
        if (request.why === 'unread') this.world.unread.add(request.session)
        else this.world.end(this.#session(request.session), request.why)
        return ok
      case 'leave': {
        const session = this.world.sessions.get(request.session)
        if (session) this.world.end(session, 'left')
        return ok
      }
      case 'keep':
        return ok
      case 'erase':
        return { t: 'erased', id: 0, sessions: 0, messages: 0, files: 0, peers: 0, told: 0 }
    }
  }

  #session(id: string): Session {
    const session = this.world.sessions.get(id)
    if (!session) throw new Refused('not_found', true, null)
    return session
  }

  post(id: string, n: number, body: Bytes): void {
    const session = this.world.sessions.get(id)
    if (!this.online || this.deaf || session?.state !== 'open') return
    const role = session.people[0] === this.hash ? 0 : 1
    if (n === session.nextN[role]) {
      session.nextN[role] += 1
      this.world.append(session, { kind: 'message', sender: role, body })
    }
    if (n >= session.nextN[role]) return
    queueMicrotask(() => {
      if (this.online) inBackground(this.house.conversations.get(id)?.stored(n))
    })
  }

  volatile(id: string, body: Bytes): void {
    const session = this.world.sessions.get(id)
    const peer = session?.people.find((person) => person !== this.hash)
    this.world.people.get(peer ?? '')?.receive({ t: 'volatile', session: id, body })
  }

  taken(session: string, seq: number): void {
    this.#taken.add(`${session} ${seq}`)
  }

  /** Whether this page was done with the item at that place. */
  took({ session, seq }: Item): boolean {
    return this.#taken.has(`${session} ${seq}`)
  }

  resync(cursors: Cursors): void {
    if (!this.online) return
    for (const [id, cursor] of Object.entries(cursors)) {
      for (const item of this.world.sessions.get(id)?.items ?? []) {
        if (item.seq > cursor) this.receive(item)
      }
    }
    this.inbound.take({ t: 'caught_up' })
  }

  // ---- what the person sees and does

  #saw(event: EngineEvent): void {
    switch (event.type) {
      case 'conversation':
        this.conversations.set(event.conversation.id, event.conversation)
        return
      case 'message': {
        const lines = this.messages.get(event.conversation) ?? new Map<string, Message>()
        this.messages.set(event.conversation, lines.set(event.message.key, event.message))
        return
      }
      case 'cleared':
        this.messages.delete(event.conversation)
        return
      case 'dismissed':
        this.conversations.delete(event.conversation)
        this.messages.delete(event.conversation)
        return
      case 'links':
        this.links = event.links
        return
      case 'notice':
        this.notices.push(event.notice)
        return
      default:
    }
  }

  async link(name: string | null = null): Promise<string> {
    return (await this.house.links.make(name)).url
  }

  /** Opens a link, or types an address; the page asks whether to join. */
  async arrive(url: string): Promise<void> {
    const arrival = { ...parseAddress(url), at: this.world.wall }
    await this.house.room.vault.writeArrival(arrival)
    this.arrival = arrival
  }

  async join(url: string): Promise<string> {
    await this.arrive(url)
    return this.joinArrived()
  }

  async joinArrived(): Promise<string> {
    if (!this.arrival) throw new Error('nobody to join')
    const id = await guest.join(this.house, this.arrival, TTL)
    this.arrival = null
    return id
  }

  /** The engine's own conversation. */
  talk(id: string): Talk {
    const conversation = this.house.conversations.get(id)
    if (!conversation) throw new Error('no such conversation')
    return conversation
  }

  say(id: string, text: string): Promise<void> {
    return this.talk(id).say(text)
  }

  /** As `QuarterEngine.leave` does, but for its clock. */
  async leave(id: string): Promise<void> {
    const conversation = this.house.conversations.get(id)
    if (!conversation || conversation.ended) return
    await conversation.sayBye()
    await this.settle()
    conversation.end('left')
    await conversation.idle()
  }

  lines(id: string): Message[] {
    return [...(this.messages.get(id)?.values() ?? [])]
  }

  /** All of them, or one side's. */
  texts(id: string, of?: { readonly mine: boolean }): string[] {
    return this.lines(id).flatMap(({ body, mine }) =>
      body.kind === 'text' && mine === (of?.mine ?? mine) ? [body.text] : [],
    )
  }

  deliveries(id: string): string[] {
    return this.lines(id).flatMap(({ mine, delivery }) => (mine ? [delivery] : []))
  }

  phase(id: string) {
    return this.conversations.get(id)?.phase
  }

  async destroy(): Promise<void> {
    await this.leavePage()
    await deleteDatabase(this.vaultName)
  }
}

/** Of three people at most. */
export async function identities(count: number): Promise<Identity[]> {
  return (await keptIdentities()).slice(0, count)
}

/** Alice and Bob, online, in a world of their own. */
export async function aPair([first, second]: readonly Identity[], world = new World()) {
  if (!first || !second) throw new Error('two identities are needed')
  const alice = await Person.arrive(world, first)
  const bob = await Person.arrive(world, second)
  alice.connect()
  bob.connect()
  return { world, alice, bob }
}

/** The guest joins by a link of the owner's; the session's id. */
export async function meetingOf(host: Person, visitor: Person, name: string | null = null) {
  const id = await visitor.join(await host.link(name))
  await settle(host, visitor)
  return id
}

/** The end of a test: nobody has anything left to do, and nothing is kept. */
export async function goHome(...people: Person[]): Promise<void> {
  await settle(...people)
  for (const person of people) await person.destroy()
}

/** Settles everybody, until nobody has anything left to do. */
export async function settle(...people: Person[]): Promise<void> {
  for (let round = 0; round < 4; round++) for (const person of people) await person.settle()
}
