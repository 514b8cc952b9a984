import type {
  Arrival,
  Conversation,
  Engine,
  EngineErrorCode,
  EngineEvent,
  EraseReceipt,
  InviteLink,
  Limits,
  Message,
} from '../../src/engine/types'
import { EngineError } from '../../src/engine/types'

export const ALICE = 'aLiCe0123456789abcdefghijklmnopqrstuvwxyz-AB'.slice(0, 43)
export const BOB = 'bOb4567890123456789abcdefghijklmnopqrstuvwx'
export const SECRET = 'c2VjcmV0LXNlY3JldC0wMQ'
export const LINK = `https://quarter.example/#${BOB}.${SECRET}`

export const RECEIPT: EraseReceipt = {
  sessions: 1,
  messages: 12,
  files: 0,
  peers: 1,
  told: 1,
  counted: true,
}

export function aConversation(some: Partial<Conversation> = {}): Conversation {
  return {
    id: 's1',
    phase: 'open',
    endedWhy: null,
    brokenWhy: null,
    peer: BOB,
    name: null,
    verified: 'link',
    peerTyping: false,
    ttlSeconds: 900,
    deadline: Date.now() + 900_000,
    undelivered: 0,
    ...some,
  }
}

let keys = 0
export function aMessage(text: string, some: Partial<Message> = {}): Message {
  return {
    key: `m${++keys}`,
    mine: false,
    at: Date.now(),
    body: { kind: 'text', text },
    delivery: 'taken',
    ...some,
  }
}

export function aLink(some: Partial<InviteLink> = {}): InviteLink {
  const createdAt = Date.now()
  return {
    id: `l${++keys}`,
    url: `https://quarter.example/#${ALICE}.${SECRET}`,
    name: null,
    createdAt,
    expiresAt: createdAt + 86_400_000,
    ...some,
  }
}

/** An engine without keys or sockets: a test says what happens, and reads what was asked of it. */
export class FakeEngine implements Engine {
  readonly limits: Limits = { textBytes: 16_384, ttlSeconds: 900 }
  readonly asked: { action: string; args: readonly unknown[] }[] = []
  remembered = false
  linkOnly = false
  links: readonly InviteLink[] = []
  receipt = RECEIPT
  pendingArrival: Arrival | null = null
  arrival: Arrival = { kind: 'invite', peer: BOB, id: 'a1' }
  private readonly refusals = new Map<string, Error>()
  private readonly listeners = new Set<(event: EngineEvent) => void>()

  emit(...events: EngineEvent[]): void {
    for (const event of events) for (const listener of this.listeners) listener(event)
  }

  /** The next such action rejects. */
  refuse(
    action: keyof Engine,
    code: EngineErrorCode | Error,
    retryAfter: number | null = null,
  ): void {
    this.refusals.set(action, code instanceof Error ? code : new EngineError(code, retryAfter))
  }

  countOf(action: keyof Engine): number {
    return this.asked.filter((one) => one.action === action).length
  }

  private async done(action: string, ...args: unknown[]): Promise<void> {
    this.asked.push({ action, args })
    const refusal = this.refusals.get(action)
    this.refusals.delete(action)
    if (refusal !== undefined) throw refusal
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  async start(): Promise<void> {
    await this.done('start')
    this.emit({ type: 'identity', hash: ALICE })
    this.emit({ type: 'links', links: this.links })
    this.emit({ type: 'connection', connection: { state: 'online' } })
  }

  async createLink(name: string | null): Promise<InviteLink> {
    await this.done('createLink', name)
    const link = aLink({ name, createdAt: Date.now() + this.links.length })
    this.links = [...this.links, link]
    this.emit({ type: 'links', links: this.links })
    return link
  }

  async withdrawLink(id: string): Promise<void> {
    await this.done('withdrawLink', id)
    this.links = this.links.filter((link) => link.id !== id)
    this.emit({ type: 'links', links: this.links })
  }

  async arrive(text: string): Promise<Arrival> {
    await this.done('arrive', text)
    return this.arrival
  }

  turnDown = (arrival: Arrival): Promise<void> => this.done('turnDown', arrival)

  async join(arrival: Arrival): Promise<string> {
    await this.done('join', arrival)
    this.emit({ type: 'conversation', conversation: aConversation({ phase: 'joining' }) })
    return 's1'
  }

  async safetyNumber(conversation: string): Promise<readonly string[]> {
    await this.done('safetyNumber', conversation)
    return Array.from({ length: 12 }, (_, i) =>
      String((i * 7919 + 1234) % 100_000).padStart(5, '0'),
    )
  }

  async remember(on: boolean): Promise<void> {
    await this.done('remember', on)
    this.remembered = on
  }

  async wantLinks(only: boolean): Promise<void> {
    await this.done('wantLinks', only)
    this.linkOnly = only
  }

  async erase(): Promise<EraseReceipt> {
    await this.done('erase')
    return this.receipt
  }

  typing(conversation: string, on: boolean): void {
    this.asked.push({ action: 'typing', args: [conversation, on] })
  }

  accept = (conversation: string): Promise<void> => this.done('accept', conversation)
  decline = (conversation: string): Promise<void> => this.done('decline', conversation)
  say = (conversation: string, text: string): Promise<void> => this.done('say', conversation, text)
  keep = (conversation: string): Promise<void> => this.done('keep', conversation)
  leave = (conversation: string): Promise<void> => this.done('leave', conversation)
  markCompared = (conversation: string): Promise<void> => this.done('markCompared', conversation)
  forgetLocally = (): Promise<void> => this.done('forgetLocally')

  async dismiss(conversation: string): Promise<void> {
    await this.done('dismiss', conversation)
    this.emit({ type: 'dismissed', conversation })
  }
}
