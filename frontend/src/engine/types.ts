/**
 * What the engine shows to the screens, and what the screens may ask of it.
 *
 * Everything here is plain, immutable and free of keys: a store may hold it, a log may not
 * (texts are in it). Hashes and session ids are base64url text of 43 characters; times are
 * milliseconds of the wall clock.
 */

/** How this page stands with the server. `elsewhere`: a newer window holds this identity's sockets. */
export type Connection =
  | { readonly state: 'connecting' | 'online' | 'elsewhere' }
  | { readonly state: 'waiting'; readonly retryAt: number }

/** waiting: in this browser only; stored: on the server's disk; taken: the peer's `seen` covers it. */
export type Delivery = 'waiting' | 'stored' | 'taken' | 'undelivered'

/** One line of a conversation, in this browser's order. */
export interface Message {
  /** Stable for the life of the conversation; unique in it. */
  readonly key: string
  readonly mine: boolean
  /** The sender's clock. */
  readonly at: number
  readonly body:
    | { readonly kind: 'text'; readonly text: string }
    /** Someone kept the conversation on, for so many seconds without activity. */
    | { readonly kind: 'timer'; readonly seconds: number }
    /** Taken, but its content can't be parsed. */
    | { readonly kind: 'unreadable' }
    /** Its type is one that this version doesn't know. */
    | { readonly kind: 'newer' }
  /** Of one's own messages only; a peer's are always `taken`. */
  readonly delivery: Delivery
}

/**
 * joining: a guest with a link, the owner has not answered yet; asking: the same without a secret;
 * request: someone asks to talk to us; open: both sides are confirmed.
 */
export type Phase = 'joining' | 'asking' | 'request' | 'open' | 'ended' | 'broken'

export type EndedWhy =
  /** This side left. */
  | 'left'
  /** The peer said bye. */
  | 'peer-left'
  /** The time without activity ran out. */
  | 'expired'
  /** The owner declined our request. */
  | 'declined'
  /** The link had been used by somebody else. */
  | 'link-used'
  /** Nobody answered in time. */
  | 'unanswered'
  /** The server says that it is over, and nothing authentic tells why. */
  | 'server-says'

export interface Conversation {
  readonly id: string
  readonly phase: Phase
  readonly endedWhy: EndedWhy | null
  /** Plain words for phase `broken`. */
  readonly brokenWhy: string | null
  readonly peer: string
  /** The name that the owner gave to the link which verified, if any. */
  readonly name: string | null
  /** link: met by an invite link; compared: safety numbers compared; none: unverified. */
  readonly verified: 'link' | 'compared' | 'none'
  readonly peerTyping: boolean
  readonly ttlSeconds: number
  /** When the conversation ends if nothing more is said. Absolute. */
  readonly deadline: number
  /** How many of one's own messages the peer was never shown to have taken; set when ended. */
  readonly undelivered: number
}

export interface InviteLink {
  readonly id: string
  readonly url: string
  readonly name: string | null
  readonly createdAt: number
  readonly expiresAt: number
}

/** What a pasted text or the address bar led to; nothing is consumed by holding one. */
export interface Arrival {
  readonly kind: 'invite' | 'request'
  readonly peer: string
  /** The secret stays inside the engine; `join` finds it by this. */
  readonly id: string
}

export interface EraseReceipt {
  readonly sessions: number
  readonly messages: number
  readonly files: number
  readonly peers: number
  readonly told: number
  /** False when the server answered only that it doesn't know this identity any more. */
  readonly counted: boolean
}

/**
 * link-tried-again: a link of ours that had been used was tried again; conversation-full: the server
 * takes no more messages of it, and what waits will not be delivered. With the name of its link.
 * bad-offer: an offer came that failed a check, and was left unread; nothing in it tells whose it was.
 */
export interface Notice {
  readonly kind: 'link-tried-again' | 'conversation-full' | 'bad-offer'
  readonly name: string | null
}

export type EngineEvent =
  | { readonly type: 'identity'; readonly hash: string }
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'links'; readonly links: readonly InviteLink[] }
  /** New or changed; replaces what was known under its id. */
  | { readonly type: 'conversation'; readonly conversation: Conversation }
  /** New (at the end) or changed (same key). */
  | { readonly type: 'message'; readonly conversation: string; readonly message: Message }
  /** Forget every message of it, now. */
  | { readonly type: 'cleared'; readonly conversation: string }
  /** Forget the conversation itself, too. */
  | { readonly type: 'dismissed'; readonly conversation: string }
  | { readonly type: 'notice'; readonly notice: Notice }
  /** Whether this browser has no room left for what the page must keep. */
  | { readonly type: 'storage'; readonly isFull: boolean }
  /** This page can't go on: the person must read why. */
  | { readonly type: 'fatal'; readonly code: FatalCode }

export type FatalCode =
  /** No WebCrypto: neither https nor localhost. */
  | 'insecure-context'
  /** IndexedDB or session storage refuses to keep anything. */
  | 'no-storage'
  /** The server speaks another version. */
  | 'outdated'

export type EngineErrorCode =
  | 'bad-address'
  | 'own-address'
  | 'unknown-peer'
  | 'key-mismatch'
  | 'too-long'
  | 'too-fast'
  | 'full'
  | 'offline'
  | 'not-open'
  /** The server answered something else than was asked. */
  | 'wrong-answer'
  | 'refused'

/** An action could not be done; nothing was changed by it. */
export class EngineError extends Error {
  constructor(
    readonly code: EngineErrorCode,
    /** Seconds after which it may work. */
    readonly retryAfter: number | null = null,
  ) {
    super(code)
    this.name = 'EngineError'
  }
}

export interface Limits {
  readonly textBytes: number
  readonly ttlSeconds: number
}

/** One page's engine: one identity, its conversations, its two sockets. Every action rejects with EngineError. */
export interface Engine {
  /** Opens or makes the identity, takes the fragment's address (already stripped from the bar), connects. */
  start(): Promise<void>
  /** Events come in order, after the vault has them; a new subscriber is first told all that stands. */
  subscribe(listener: (event: EngineEvent) => void): () => void
  readonly limits: Limits

  /** Makes a one-time link, good for 24 hours. */
  createLink(name: string | null): Promise<InviteLink>
  withdrawLink(id: string): Promise<void>

  /** Reads a link or a hash; 'bad-address', 'own-address'. Consumes nothing. */
  arrive(text: string): Promise<Arrival>
  /** The arrival that was on the screen when the page was last left; null after join or turnDown. */
  readonly pendingArrival: Arrival | null
  /** Forgets an arrival that the person doesn't want. */
  turnDown(arrival: Arrival): Promise<void>
  /** Joins (an invite) or asks (a bare hash); answers the conversation's id. */
  join(arrival: Arrival): Promise<string>

  accept(conversation: string): Promise<void>
  decline(conversation: string): Promise<void>

  /** Queues a text, also while joining; 'too-long' above limits.textBytes of UTF-8. */
  say(conversation: string, text: string): Promise<void>
  typing(conversation: string, on: boolean): void
  /** Keeps the conversation on for another ttl. */
  keep(conversation: string): Promise<void>
  leave(conversation: string): Promise<void>
  /** Takes an ended or broken one off the list. */
  dismiss(conversation: string): Promise<void>

  /** Twelve groups of five digits. */
  safetyNumber(conversation: string): Promise<readonly string[]>
  markCompared(conversation: string): Promise<void>

  /** Whether the keys survive the tab ("remember in this browser"). */
  readonly remembered: boolean
  remember(on: boolean): Promise<void>

  /** Whether whoever has only our code, and no link, is left unread. */
  readonly linkOnly: boolean
  wantLinks(only: boolean): Promise<void>

  /** Erases on the server, then the keys. Rejects with 'offline' when the server could not be asked: keep telling the person. */
  erase(): Promise<EraseReceipt>
  /** Deletes the keys of this browser without the server's confirmation; the server forgets by itself when the time is up. */
  forgetLocally(): Promise<void>
}
