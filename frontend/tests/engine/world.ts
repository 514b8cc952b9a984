/** A small world for the engine: a server of a few lines that keeps the wire's promises, and people with real vaults. */
import 'fake-indexeddb/auto'
import {
  b64uDecode,
  b64uEncode,
  chooseKem,
  generateIdentity,
  importIdentity,
  sha256,
  concat,
  type Bytes,
  type Identity,
} from '../../src/protocol'
import { assemble } from '../../src/engine/assemble'
import type { Clock } from '../../src/engine/deadline'
import * as guest from '../../src/engine/guest'
import type { House } from '../../src/engine/house'
import type { Inbound } from '../../src/engine/inbound'
import type { Room, Server } from '../../src/engine/room'
import type { Conversation, EngineEvent, Message, Notice } from '../../src/engine/types'
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
import { deleteDatabase, openDatabase } from '../../src/vault/database'
import { identityKey, importLocalHalf } from '../../src/vault/seal'
import { Vault } from '../../src/vault/vault'

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

export class World {
  readonly sessions = new Map<string, Session>()
  readonly halves = new Map<string, Bytes>()
  readonly people = new Map<string, Person>()
  /** A hostile server's hand: what an item becomes on its way, or null to withhold it. */
  tamper: (item: Item, to: Person) => Item | null = (item) => item
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

  append(session: Session, item: Omit<Item, 't' | 'seq' | 'session'>): void {
    const whole = {
      t: 'item',
      session: session.id,
      seq: session.items.length + 1,
      ...item,
    } as const
    session.items.push(whole)
    this.people.get(session.people[item.sender === 0 ? 1 : 0])?.receive(whole)
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
      half: this.halfOf(session.id, person),
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
  /** What the screen shows, from the events alone. */
  conversations = new Map<string, Conversation>()
  messages = new Map<string, Map<string, Message>>()
  notices: Notice[] = []
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

  /** A page load: everything but the vault and the identity is new. */
  async load(): Promise<void> {
    this.online = false
    this.conversations = new Map()
    this.messages = new Map()
    const local = await importLocalHalf(this.half.slice())
    const vault = new Vault(await openDatabase(this.vaultName), await identityKey(local))
    const room: Room = {
      identity: this.identity,
      hash: this.hash,
      kem: await chooseKem(),
      vault,
      local,
      clock: this.world.clock,
      server: this,
      tell: (event) => this.#saw(event),
    }
    const { house, inbound } = await assemble(room, ORIGIN)
    this.house = house
    this.inbound = inbound
  }

  async reload(): Promise<void> {
    this.disconnect()
    await this.settle()
    this.#stop()
    this.house.room.vault.close()
    await this.load()
    this.connect()
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

  /** Waits until nothing is on its way any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await this.inbound.idle()
      for (const each of this.house.conversations.values()) await each.idle()
      await new Promise((resolve) => setImmediate(resolve))
    }
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
          half: this.world.halfOf(request.session, this.hash),
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
        this.world.end(this.#session(request.session), request.why)
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
      if (this.online) void this.house.conversations.get(id)?.stored(n)
    })
  }

  volatile(id: string, body: Bytes): void {
    const session = this.world.sessions.get(id)
    const peer = session?.people.find((person) => person !== this.hash)
    this.world.people.get(peer ?? '')?.receive({ t: 'volatile', session: id, body })
  }

  taken(): void {}

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
      case 'notice':
        this.notices.push(event.notice)
        return
      default:
    }
  }

  async link(name: string | null = null): Promise<string> {
    return (await this.house.links.make(name)).url
  }

  join(url: string): Promise<string> {
    const [hash = '', secret] = url.slice(url.indexOf('#') + 1).split('.')
    const address = { hash: b64uDecode(hash), secret: secret ? b64uDecode(secret) : null }
    return guest.join(this.house, address, TTL)
  }

  say(id: string, text: string): Promise<void> {
    const conversation = this.house.conversations.get(id)
    if (!conversation) throw new Error('no such conversation')
    return conversation.say(text)
  }

  texts(id: string): string[] {
    return [...(this.messages.get(id)?.values() ?? [])].flatMap(({ body }) =>
      body.kind === 'text' ? [body.text] : [],
    )
  }

  deliveries(id: string): string[] {
    return [...(this.messages.get(id)?.values() ?? [])].flatMap(({ mine, delivery }) =>
      mine ? [delivery] : [],
    )
  }

  phase(id: string) {
    return this.conversations.get(id)?.phase
  }

  #stop(): void {
    for (const conversation of this.house.conversations.values()) conversation.stop()
  }

  destroy(): Promise<void> {
    this.#stop()
    this.house.room.vault.close()
    return deleteDatabase(this.vaultName)
  }
}

/** Keys take long to make: tests of one file share a few. */
export async function identities(count: number): Promise<Identity[]> {
  const made = Array.from({ length: count }, async () => importIdentity(await generateIdentity()))
  return Promise.all(made)
}

/** Alice and Bob, online, in a world of their own. */
export async function aPair([first, second]: readonly Identity[]) {
  if (!first || !second) throw new Error('two identities are needed')
  const world = new World()
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
