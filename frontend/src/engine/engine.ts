/** The engine: one identity, its links and conversations, joined to the vault and the server. */
import {
  chooseKem,
  b64uDecode,
  b64uEncode,
  generateIdentity,
  importIdentity,
  parseAddress,
  safetyNumber,
  TEXT_MAX_BYTES,
  textBytes,
  wipe,
  type Address,
  type Identity,
} from '../protocol'
import { Connection } from '../transport/connection'
import { Unreachable } from '../transport/errors'
import { login } from '../transport/login'
import { forgetToken, keepToken, keptToken } from '../transport/token'
import { NoStorage, openTab, type Tab } from '../vault/tab'
import { assemble } from './assemble'
import { inBackground, untilDone } from './background'
import type { Conversation } from './conversation'
import { browserClock, type Bounds, type Clock } from './deadline'
import * as guest from './guest'
import type { House } from './house'
import { LINK_LIFE_MS } from './links'
import * as owner from './owner'
import type { Room } from './room'
import { watchSpace } from './space'
import {
  EngineError,
  type Arrival,
  type Connection as Status,
  type Engine,
  type EngineEvent,
  type EraseReceipt,
  type FatalCode,
  type InviteLink,
  type Limits,
} from './types'

/** How long a bye may take to reach the server before a leave or an erasure goes on without it. */
const FAREWELL_MS = 700
/** So often the vault is marked as in use. */
const TOUCH_MS = 3600_000
/** How long a page that lost the receipt of its erasure waits to find out, before it says so. */
const RECEIPT_MS = 5_000
const UNCOUNTED = { sessions: 0, messages: 0, files: 0, peers: 0, told: 0, counted: false }

interface Parts {
  readonly tab: Tab
  readonly house: House
  readonly connection: Connection
}

export class QuarterEngine implements Engine {
  readonly #clock: Clock
  readonly #origin: string
  readonly #listeners = new Set<(event: EngineEvent) => void>()
  /** Whom the person thinks about joining; the secret stays here. */
  #arrival: { readonly shown: Arrival; readonly address: Address } | null = null
  #limits: Limits = { textBytes: 16 * 1024, ttlSeconds: 900 }
  #bounds: Bounds = { minSeconds: 60, maxSeconds: 24 * 3600 }
  #status: Status = { state: 'connecting' }
  #fatal: FatalCode | null = null
  /** asked: the server may have erased us; gone: it no longer knows us. */
  #erasing: 'no' | 'asked' | 'gone' = 'no'
  #foundGone: () => void = () => {}
  #parts: Parts | null = null
  #watching = new AbortController()

  /** `origin` is the page's own, as URL.origin gives it. */
  constructor(origin: string, clock: Clock = browserClock) {
    this.#origin = origin
    this.#clock = clock
  }

  async start(): Promise<void> {
    if (!globalThis.crypto?.subtle) return this.#die('insecure-context')
    try {
      this.#parts = await this.#assemble()
    } catch (error) {
      if (error instanceof NoStorage) return this.#die('no-storage')
      throw error
    }
    await this.#arriveAgain(this.#parts.house)
    this.#retell()
    this.#watch(this.#parts)
    this.#parts.connection.start()
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener)
    this.#retell()
    return () => this.#listeners.delete(listener)
  }

  get limits(): Limits {
    return this.#limits
  }

  createLink(name: string | null): Promise<InviteLink> {
    return this.#running.house.links.make(name)
  }

  withdrawLink(id: string): Promise<void> {
    return owner.withdraw(this.#running.house, id)
  }

  async arrive(text: string): Promise<Arrival> {
    const { room } = this.#running.house
    const address = this.#read(text.trim())
    if (b64uEncode(address.hash) === room.hash) throw new EngineError('own-address')
    await room.vault.writeArrival({ ...address, at: this.#clock.wall() })
    return this.#arriveAt(address)
  }

  get pendingArrival(): Arrival | null {
    return this.#arrival?.shown ?? null
  }

  async turnDown({ id }: Arrival): Promise<void> {
    if (this.#arrival?.shown.id !== id) return
    this.#forgetArrival()
    await this.#running.house.room.vault.writeArrival(null)
  }

  async join({ id }: Arrival): Promise<string> {
    if (this.#arrival?.shown.id !== id) throw new EngineError('bad-address')
    // A copy of our own: the arrival's is wiped when another one comes.
    const { hash, secret: kept } = this.#arrival.address
    const secret = kept && kept.slice()
    try {
      const address = { hash, secret }
      const conversation = await guest.join(this.#running.house, address, this.#limits.ttlSeconds)
      if (this.#arrival?.shown.id === id) this.#forgetArrival()
      return conversation
    } finally {
      if (secret) wipe(secret)
    }
  }

  accept(conversation: string): Promise<void> {
    return owner.accept(this.#running.house, conversation)
  }

  decline(conversation: string): Promise<void> {
    return owner.decline(this.#running.house, conversation)
  }

  async say(conversation: string, text: string): Promise<void> {
    if (textBytes(text) > this.#limits.textBytes) throw new EngineError('too-long')
    if (text.trim() !== '') await this.#conversation(conversation).say(text)
  }

  typing(conversation: string, on: boolean): void {
    if (on) this.#parts?.connection.prepareToSend()
    inBackground(this.#parts?.house.conversations.get(conversation)?.typing(on))
  }

  keep(conversation: string): Promise<void> {
    return this.#conversation(conversation).keepOn()
  }

  async leave(id: string): Promise<void> {
    const conversation = this.#conversation(id)
    await sayBye(conversation)
    conversation.end('left')
    await conversation.idle()
  }

  async dismiss(id: string): Promise<void> {
    const { house } = this.#running
    const conversation = house.conversations.get(id)
    if (conversation && !conversation.checkDeadline()) throw new EngineError('refused')
    if (conversation?.phase === 'broken') await this.leave(id)
    house.forget(id)
  }

  async safetyNumber(id: string): Promise<readonly string[]> {
    const { room, asking } = this.#running.house
    const peer = asking.get(id)?.peer ?? this.#conversation(id).state.peer
    return safetyNumber(room.identity.hash, b64uDecode(peer))
  }

  markCompared(conversation: string): Promise<void> {
    return this.#conversation(conversation).markCompared()
  }

  get remembered(): boolean {
    return this.#parts?.tab.remembered ?? false
  }

  remember(on: boolean): Promise<void> {
    return this.#running.tab.remember(on)
  }

  get linkOnly(): boolean {
    return this.#parts?.house.linkOnly ?? false
  }

  wantLinks(only: boolean): Promise<void> {
    return owner.wantLinks(this.#running.house, only)
  }

  async erase(): Promise<EraseReceipt> {
    const receipt = this.#erasing === 'gone' ? UNCOUNTED : await this.#eraseOnServer()
    await this.forgetLocally()
    return receipt
  }

  async forgetLocally(): Promise<void> {
    const { connection, house, tab } = this.#running
    const conversations = [...house.conversations.values()]
    connection.stop()
    this.#watching.abort()
    this.#forgetArrival()
    house.links.forget()
    for (const conversation of conversations) conversation.end('left')
    await Promise.all(conversations.map((conversation) => conversation.idle()))
    forgetToken()
    await tab.destroy()
    this.#parts = null
  }

  // ---- inside

  get #running(): Parts {
    if (!this.#parts) throw new EngineError('refused')
    return this.#parts
  }

  #conversation(id: string): Conversation {
    const conversation = this.#running.house.conversations.get(id)
    if (!conversation) throw new EngineError('not-open')
    return conversation
  }

  async #assemble(): Promise<Parts> {
    const tab = await openTab(this.#clock.wall())
    const identity = await identityOf(tab)
    const connection: Connection = new Connection(this.#origin.replace(/^http/, 'ws'), {
      token: (fresh) => this.#token(identity, fresh),
      cursors: () => house.cursors,
      status: (status) => this.#tell({ type: 'connection', connection: (this.#status = status) }),
      limits: ({ text_bytes, ttl_seconds, ttl_min_seconds, ttl_max_seconds }) => {
        this.#bounds = { minSeconds: ttl_min_seconds, maxSeconds: ttl_max_seconds }
        this.#limits = {
          textBytes: Math.min(text_bytes, TEXT_MAX_BYTES),
          ttlSeconds: ttl_seconds,
        }
      },
      received: (frame) => inbound.take(frame),
      stored: ({ session, n }) =>
        untilDone(async () => house.conversations.get(session)?.stored(n)),
      refused: ({ session, code, retry_after }) =>
        house.conversations.get(session ?? '')?.refused(code, retry_after),
      outdated: () => this.#die('outdated'),
    })
    const room: Room = {
      identity,
      hash: b64uEncode(identity.hash),
      kem: await chooseKem(),
      vault: tab.vault,
      local: tab.local,
      clock: this.#clock,
      server: connection,
      bounds: () => this.#bounds,
      tell: (event) => this.#tell(event),
    }
    const { house, inbound } = await assemble(room, this.#origin)
    return { tab, house, connection }
  }

  async #token(identity: Identity, fresh: boolean): Promise<string> {
    const hash = b64uEncode(identity.hash)
    const kept = keptToken(hash)
    if (kept && !fresh) return kept
    if (this.#erasing !== 'no') {
      this.#erasing = 'gone'
      this.#foundGone()
      throw new Unreachable()
    }
    const token = await login(identity, this.#origin)
    keepToken(hash, token)
    return token
  }

  /** Deadlines are checked each second, and before anything is painted after a freeze or a sleep. */
  #watch({ connection, house }: Parts): void {
    const check = () => {
      house.checkDeadlines()
      inBackground(house.links.bury())
    }
    const touch = () => inBackground(house.room.vault.touch(this.#clock.wall()))
    const { signal } = (this.#watching = new AbortController())
    const timers = [setInterval(check, 1_000), setInterval(touch, TOUCH_MS)]
    signal.addEventListener('abort', () => timers.forEach(clearInterval))
    for (const name of ['pageshow', 'focus']) window.addEventListener(name, check, { signal })
    for (const name of ['visibilitychange', 'resume']) {
      document.addEventListener(name, check, { signal })
    }
    watchSpace(house.room.vault, (isFull) => this.#tell({ type: 'storage', isFull }), signal)
    const wake = () => !document.hidden && connection.wake()
    document.addEventListener('visibilitychange', wake, { signal })
    window.addEventListener('online', () => connection.wake(), { signal })
    window.addEventListener('offline', () => connection.lost(), { signal })
  }

  #arriveAt(address: Address): Arrival {
    const id = b64uEncode(crypto.getRandomValues(new Uint8Array(9)))
    const kind = address.secret ? 'invite' : 'request'
    const shown = { id, peer: b64uEncode(address.hash), kind } as const
    this.#forgetArrival()
    this.#arrival = { shown, address }
    return shown
  }

  #forgetArrival(): void {
    if (this.#arrival?.address.secret) wipe(this.#arrival.address.secret)
    this.#arrival = null
  }

  async #arriveAgain({ room }: House): Promise<void> {
    const kept = await room.vault.readArrival()
    if (!kept) return
    if (this.#clock.wall() - kept.at < LINK_LIFE_MS) this.#arriveAt(kept)
    else await room.vault.writeArrival(null)
  }

  #read(text: string): Address {
    const elsewhere = /^https?:/i.test(text) && !text.startsWith(`${this.#origin}/`)
    if (elsewhere) throw new EngineError('bad-address')
    try {
      return parseAddress(text)
    } catch {
      throw new EngineError('bad-address')
    }
  }

  async #eraseOnServer(): Promise<EraseReceipt> {
    const { connection, house } = this.#running
    if (!connection.online) throw new EngineError('offline')
    await Promise.all([...house.conversations.values()].map(sayBye))
    this.#erasing = 'asked'
    const reply = await house
      .ask({ t: 'erase' }, 'erased')
      .catch((error) => this.#lostReceipt(error))
    if (!reply) return UNCOUNTED
    this.#erasing = 'gone'
    const { sessions, messages, files, peers, told } = reply
    return { sessions, messages, files, peers, told, counted: true }
  }

  /** The receipt did not come. The next login tells whether the server still knows us; null when it doesn't. */
  async #lostReceipt(error: unknown): Promise<null> {
    if (!(error instanceof EngineError && error.code === 'offline')) throw error
    const isGone = await new Promise<boolean>((resolve) => {
      this.#foundGone = () => resolve(true)
      setTimeout(() => resolve(false), RECEIPT_MS)
    })
    if (!isGone) throw error
    return null
  }

  #die(code: FatalCode): void {
    this.#fatal = code
    this.#parts?.connection.stop()
    this.#tell({ type: 'fatal', code })
  }

  #retell(): void {
    if (this.#fatal) this.#tell({ type: 'fatal', code: this.#fatal })
    if (!this.#parts) return
    const { house } = this.#parts
    this.#tell({ type: 'identity', hash: house.room.hash })
    this.#tell({ type: 'connection', connection: this.#status })
    house.links.tell()
    house.retell()
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

async function identityOf({ vault }: Tab): Promise<Identity> {
  const kept = await vault.readIdentity()
  const pkcs8 = kept ?? (await generateIdentity())
  try {
    if (!kept) await vault.writeIdentity(pkcs8)
    return await importIdentity(pkcs8)
  } finally {
    wipe(pkcs8)
  }
}

/** An authentic end for the peer, as far as it can be had in a moment. */
async function sayBye(conversation: Conversation): Promise<void> {
  if (conversation.phase !== 'open' && conversation.phase !== 'broken') return
  try {
    await conversation.sayBye()
    await Promise.race([
      conversation.flushed(),
      new Promise((resolve) => setTimeout(resolve, FAREWELL_MS)),
    ])
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
  }
}
