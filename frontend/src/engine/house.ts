/** What the guest's and the owner's side of the engine share: the conversations, and ways to begin and end them. */
import { b64uDecode, wipe, type ReadOffer } from '../protocol'
import type { Reply } from '../transport/connection'
import { Refused, Unreachable } from '../transport/errors'
import type { Request, SessionInfo } from '../transport/wire'
import { conversationKey } from '../vault/seal'
import type { StoredChoices, StoredConversation } from '../vault/shapes'
import type { Change } from '../vault/vault'
import { inBackground } from './background'
import { Conversation, type Neighbours } from './conversation'
import { endsAt, hasPassed, type Deadline } from './deadline'
import type { Links } from './links'
import type { Room } from './room'
import {
  EngineError,
  type Conversation as View,
  type EndedWhy,
  type EngineErrorCode,
} from './types'

/** The longest pause that the server may ask for. */
const LONGEST_PAUSE_SECONDS = 60
/** Anybody who has our code can send what is no offer: the person is told of it so often at most, ms. */
const BAD_OFFER_MS = 60_000

/** Someone asks to talk; nothing of it is in the vault until the person accepts. */
export interface Asking {
  readonly info: SessionInfo
  readonly offer: ReadOffer
  readonly peer: string
  readonly deadline: Deadline
}

export class House {
  readonly conversations = new Map<string, Conversation>()
  readonly asking = new Map<string, Asking>()
  /** Conversations that ended while no page was there to see it: nothing of them opens any more. */
  readonly #remains = new Map<string, View>()
  readonly #processed: Set<string>
  #toldBadOfferAt = Number.NEGATIVE_INFINITY
  /** Requests without a link are left unread. */
  linkOnly: boolean

  constructor(
    readonly room: Room,
    readonly links: Links,
    readonly neighbours: Neighbours,
    processed: readonly string[],
    { linkOnly }: StoredChoices,
  ) {
    this.linkOnly = linkOnly
    this.#processed = new Set(processed)
  }

  // ---- the server

  /** Asks the server for one kind of answer; 'wrong-answer' where another one comes. */
  async ask<T extends Reply['t']>(request: Request, kind: T): Promise<Extract<Reply, { t: T }>> {
    const reply = await this.request(request)
    if (!isOfKind(reply, kind)) throw new EngineError('wrong-answer')
    return reply
  }

  /** Asks the server; throws EngineError with what it means for the person. */
  async request(request: Request): Promise<Reply> {
    try {
      return await this.room.server.request(request)
    } catch (error) {
      if (error instanceof Unreachable) throw new EngineError('offline')
      if (!(error instanceof Refused)) throw error
      throw new EngineError(CODES[error.code] ?? 'refused', error.retryAfter)
    }
  }

  /**
   * Tells the server what it would find out by itself in time; no answer is needed. A refusal that
   * time heals is tried again; after a new connection its word on the session brings us back here.
   */
  async hint(request: Request): Promise<void> {
    try {
      await this.request(request)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      this.later(error, () => this.hint(request))
    }
  }

  /** Does again what was refused for now; answers whether it was. */
  later({ retryAfter }: EngineError, again: () => Promise<void>): boolean {
    if (retryAfter === null) return false
    const seconds = Math.min(retryAfter, LONGEST_PAUSE_SECONDS)
    setTimeout(() => inBackground(again()), seconds * 1000)
    return true
  }

  /** Where the receive socket goes on after a reconnect: the last seq taken of each session. */
  get cursors(): Record<string, number> {
    const live = [...this.conversations.values()].filter(({ ended }) => !ended)
    const begun = live.filter(({ cursor }) => cursor > 0)
    return Object.fromEntries(begun.map(({ id, cursor }) => [id, cursor]))
  }

  // ---- processed offers

  wasProcessed(id: string): boolean {
    return this.#processed.has(id)
  }

  /** The processed ids with one more, for the transaction that processes it. */
  processing(id: string): readonly string[] {
    return [...this.#processed.add(id)]
  }

  async markProcessed(id: string): Promise<void> {
    await this.room.vault.writeProcessed(this.processing(id))
  }

  // ---- conversations

  keyOf(id: string, half: SessionInfo['half']): Promise<CryptoKey> {
    return conversationKey(this.room.local, half, b64uDecode(id))
  }

  /** Writes a conversation's first state; only then may any byte of it leave. The half is wiped. */
  async begin(
    info: Pick<SessionInfo, 'id' | 'half' | 'ttl'>,
    change: Change,
  ): Promise<Conversation> {
    const key = await this.keyOf(info.id, info.half)
    try {
      await this.room.vault.commit(key, info.id, 0, change)
    } catch (error) {
      this.#processed.delete(info.id)
      throw error
    }
    wipe(info.half)
    const conversation = new Conversation(this.room, this.neighbours, info.id, key, {
      state: change.state,
      records: [],
      outbox: [],
      serverTtl: info.ttl,
      fresh: true,
    })
    this.conversations.set(info.id, conversation)
    return conversation
  }

  /** Reads a conversation from the vault and wipes the half; null where there is none. Throws SealError. */
  async load(info: Pick<SessionInfo, 'id' | 'half' | 'ttl'>): Promise<Conversation | null> {
    const key = await this.keyOf(info.id, info.half)
    const conversation = await Conversation.load(this.room, this.neighbours, key, info)
    if (!conversation) return null
    wipe(info.half)
    this.conversations.set(info.id, conversation)
    return conversation
  }

  /** The state that every conversation begins with. */
  newState(
    begins: Pick<StoredConversation, 'role' | 'peer' | 'verified' | 'ttlSeconds'> &
      Partial<StoredConversation>,
  ): StoredConversation {
    return {
      name: null,
      linkId: null,
      pending: null,
      offered: false,
      answer: null,
      ratchet: null,
      confirmed: false,
      ackOwed: false,
      activeAt: this.room.clock.wall(),
      nextOrder: 0,
      peerSeen: 0,
      broken: null,
      ...begins,
    }
  }

  /** Drops a conversation that was never shown, or could not begin. */
  async drop(id: string): Promise<void> {
    this.conversations.delete(id)
    await this.room.vault.forget(id)
    this.room.tell({ type: 'dismissed', conversation: id })
  }

  dismissAsking(id: string): boolean {
    if (!this.asking.delete(id)) return false
    this.room.tell({ type: 'dismissed', conversation: id })
    return true
  }

  /** A conversation of the vault is over and can't be opened: the page says so, and holds nothing of it. */
  async bury(id: string, why: EndedWhy): Promise<void> {
    if (!(await this.room.vault.conversationIds()).includes(id)) return
    await this.room.vault.forget(id)
    const view: View = {
      id,
      phase: 'ended',
      endedWhy: why,
      brokenWhy: null,
      peer: '',
      name: null,
      verified: 'none',
      peerTyping: false,
      ttlSeconds: 0,
      deadline: this.room.clock.wall(),
      undelivered: 0,
    }
    this.#remains.set(id, view)
    this.room.tell({ type: 'conversation', conversation: view })
  }

  forget(id: string): void {
    this.conversations.delete(id)
    this.#remains.delete(id)
    this.room.tell({ type: 'dismissed', conversation: id })
  }

  checkDeadlines(): void {
    for (const conversation of this.conversations.values()) conversation.checkDeadline()
    for (const { info, deadline } of this.asking.values()) {
      if (hasPassed(this.room.clock, deadline)) this.dismissAsking(info.id)
    }
  }

  /** All that stands, for a new subscriber. */
  retell(): void {
    for (const conversation of this.conversations.values()) conversation.retell()
    for (const asking of this.asking.values()) this.tellAsking(asking)
    for (const view of this.#remains.values()) {
      this.room.tell({ type: 'conversation', conversation: view })
    }
  }

  /** An offer was left unread for what it is: its sender may be waiting for us. Told once a minute at most. */
  tellBadOffer(): void {
    const tick = this.room.clock.monotonic()
    if (tick - this.#toldBadOfferAt < BAD_OFFER_MS) return
    this.#toldBadOfferAt = tick
    this.room.tell({ type: 'notice', notice: { kind: 'bad-offer', name: null } })
  }

  tellAsking({ info, peer, deadline }: Asking): void {
    this.room.tell({
      type: 'conversation',
      conversation: {
        id: info.id,
        phase: 'request',
        endedWhy: null,
        brokenWhy: null,
        peer,
        name: null,
        verified: 'none',
        peerTyping: false,
        ttlSeconds: info.ttl,
        deadline: endsAt(deadline),
        undelivered: 0,
      },
    })
  }
}

const isOfKind = <T extends Reply['t']>(reply: Reply, kind: T): reply is Extract<Reply, { t: T }> =>
  reply.t === kind

const CODES: Partial<Record<string, EngineErrorCode>> = {
  full: 'full',
  too_fast: 'too-fast',
  not_found: 'unknown-peer',
  unavailable: 'offline',
  not_open: 'not-open',
  ended: 'not-open',
}
