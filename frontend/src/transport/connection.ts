/**
 * The page's two sockets as one thing that is either online or not (DESIGN §4).
 *
 * Each opens with a `hello`; when those that are there are `ready` the page is online. If the server closes either,
 * both are given up and a new pair is opened after a pause that grows and is spread. The page itself closes the send
 * socket of a pair that has nothing to say, and opens it again when it has (sending.ts): it is online all the while,
 * and what it says waits until it can go. A pair is opened without one where the last had none. Every 20 s a `resync`
 * asks the server for what a lost hint may have held back, and its `caught_up` shows that the
 * server is still there; so does whatever answers a post. As each socket may die alone, one that brings
 * nothing while the other one tells of a stored post is asked too. A pair that stays silent is given up: its
 * sockets may have died without a word. Requests that are open when the pair breaks fail as Unreachable.
 */
import type { Bytes } from '../protocol'
import type { Connection as Status } from '../engine/types'
import { jitter, pause } from './backoff'
import { Refused, Unreachable } from './errors'
import { Sending } from './sending'
import { CLOSE, Socket } from './socket'
import {
  encodeFrame,
  parseFromReceive,
  parseFromSend,
  type Cursors,
  type FrameFromReceive,
  type FromReceive,
  type FromSend,
  type Request,
  type ServerLimits,
  type ToReceive,
  type ToSend,
} from './wire'

const RESYNC_MS = 20_000
/** How many items, or how long, one `taken` is saved up for. */
const TAKEN_AT_ONCE = 16
const TAKEN_MS = 50
/** Longer than any honest answer takes; a socket that is silent for so long is dead. */
const SILENCE_MS = 10_000
/** The same for a post, which is answered by the next commit, and for a page that is looked at again. */
const SHORT_SILENCE_MS = 3_000
/** How long the receive socket may bring nothing after a post was stored; the peer's ack comes before. */
const QUIET_MS = 2_000
/** Where a new pair does not help either, the server is slow: new pairs of all pages would make it slower. */
const LONGEST_SILENCE_MS = 24_000
/** So many pairs in a row that end in a frame which one side doesn't know mean another version. */
const MISUNDERSTOOD = 3
/** How long a request waits for sockets that are not open yet. */
const OPENING_MS = 5_000
/** How long an open request may outlive the receive socket of an identity that is gone. */
const LAST_WORD_MS = 3_000
/** The longest pause that a refused login may ask for. */
const LONGEST_SECONDS = 60

export type Reply = Extract<FromSend, { id: number }>

export interface ConnectionHandlers {
  /** A token for the hello; `fresh` when the last one was refused. Throws Refused or Unreachable. */
  token(fresh: boolean): Promise<string>
  cursors(): Cursors
  status(status: Status): void
  limits(limits: ServerLimits): void
  received(frame: FromReceive): void
  stored(frame: Extract<FromSend, { t: 'stored' }>): void
  /** A refusal that answers no request: of a post or a volatile frame. */
  refused(frame: Extract<FromSend, { t: 'error' }>): void
  /** The server doesn't speak this page's wire. */
  outdated(): void
}

interface Waiting {
  resolve(reply: Reply): void
  reject(reason: Refused | Unreachable): void
  timer: ReturnType<typeof setTimeout>
}

interface Pair {
  readonly sending: Sending
  readonly receive: Socket
  isReceiving: boolean
}

export class Connection {
  readonly #base: string
  readonly #handlers: ConnectionHandlers
  readonly #waiting = new Map<number, Waiting>()
  /** Requests that wait for the sockets to open. */
  readonly #opening = new Set<() => void>()
  #pair: Pair | null = null
  #isOnline = false
  /** Whether the next pair begins with both sockets; the first does, as the limits come on the send socket. */
  #hasToSay = true
  #attempt = 0
  #failures = 0
  #tokenRefused = false
  #misunderstood = 0
  #nextId = 1
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #resyncTimer: ReturnType<typeof setInterval> | undefined
  #silenceTimer: ReturnType<typeof setTimeout> | undefined
  #silentUntil = 0
  #patienceMs = 0
  /** How long a `caught_up` is awaited after a post: doubled by each one that did not come, until one comes soon. */
  #wordSilenceMs = SHORT_SILENCE_MS
  #quietTimer: ReturnType<typeof setTimeout> | undefined
  /** By session, the last n that was posted on this pair and not answered. */
  readonly #posted = new Map<string, number>()
  #postTimer: ReturnType<typeof setTimeout> | undefined
  /** By session, the last seq that was taken and not told. */
  readonly #taken = new Map<string, number>()
  #untold = 0
  #takenTimer: ReturnType<typeof setTimeout> | undefined
  /** How long an answer to a post is awaited: doubled by each one that did not come. */
  #postSilenceMs = SHORT_SILENCE_MS
  #running = false

  /** `base` is the sockets' origin, such as wss://host. */
  constructor(base: string, handlers: ConnectionHandlers) {
    this.#base = base
    this.#handlers = handlers
  }

  get online(): boolean {
    return this.#isOnline
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    void this.#open()
  }

  /** Closes both sockets and opens no more. */
  stop(): void {
    this.#running = false
    clearTimeout(this.#retryTimer)
    this.#drop()
  }

  /** The page is looked at again: finds out now whether its sockets outlived the while, and opens what did not. */
  wake(): void {
    this.retryNow()
    this.resync({})
    if (this.#pair) this.#expectWord(SHORT_SILENCE_MS)
  }

  /** The send socket lives. Whether the other one does is asked, unless it shows it by itself. */
  #doubtReceiving(): void {
    this.#quietTimer ??= setTimeout(() => {
      this.#quietTimer = undefined
      this.resync({})
      this.#expectWord(this.#wordSilenceMs)
    }, QUIET_MS)
  }

  /** Tries again now instead of after the pause. */
  retryNow(): void {
    if (!this.#running || this.#pair) return
    clearTimeout(this.#retryTimer)
    this.#failures = 0
    void this.#open()
  }

  /** The browser says that it has no network: don't wait for the silence. */
  lost(): void {
    if (this.#pair) this.#broken(0)
  }

  /**
   * Sends a request and waits for its answer; one that is made while the sockets are opening waits a
   * moment for them. Throws Refused, or Unreachable (nothing is known).
   */
  async request(request: Request): Promise<Reply> {
    if (!this.online) await this.#onlineSoon()
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#broken(0), SILENCE_MS)
      this.#waiting.set(id, { resolve, reject, timer })
      this.#toSend({ ...request, id })
    })
  }

  /** Something is about to be sent: what takes time is done now. */
  prepareToSend(): void {
    if (this.online) this.#pair?.sending.open()
  }

  /** Posts and typing signs of a page that is not online are dropped: once it is, what is not stored is posted again. */
  post(session: string, n: number, body: Bytes): void {
    if (!this.online) return
    this.#toSend({ t: 'post', session, n, body })
    this.#posted.set(session, n)
    this.#awaitAnswer()
  }

  /** To what was posted; while the socket is opened, that has a time of its own. */
  #awaitAnswer(): void {
    if (this.#posted.size === 0 || this.#pair?.sending.isOpening) return
    this.#postTimer ??= setTimeout(() => {
      this.#postSilenceMs = Math.min(2 * this.#postSilenceMs, LONGEST_SILENCE_MS)
      this.#broken(0)
    }, this.#postSilenceMs)
  }

  volatile(session: string, body: Bytes): void {
    if (this.online) this.#toSend({ t: 'volatile', session, body })
  }

  /** All up to `seq` was taken; said soon, for several at once: the server's window is longer. */
  taken(session: string, seq: number): void {
    this.#taken.set(session, Math.max(seq, this.#taken.get(session) ?? 0))
    this.#untold += 1
    if (this.#untold >= TAKEN_AT_ONCE) this.#tellTaken()
    else this.#takenTimer ??= setTimeout(() => this.#tellTaken(), TAKEN_MS)
  }

  #tellTaken(): void {
    for (const [session, seq] of this.#taken) this.#toReceive({ t: 'taken', session, seq })
    this.#forgetTaken()
  }

  #forgetTaken(): void {
    clearTimeout(this.#takenTimer)
    this.#takenTimer = undefined
    this.#taken.clear()
    this.#untold = 0
  }

  /** Drains again; a named session from the given seq on. */
  resync(cursors: Cursors): void {
    if (!this.online) return
    this.#toReceive({ t: 'resync', cursors })
    this.#expectWord(SILENCE_MS)
  }

  /**
   * Gives the pair up unless a `caught_up` comes in time; of two such times the earlier one counts. What comes
   * before it gives it time anew: a page that was away for long may have much to take.
   */
  #expectWord(patienceMs: number): void {
    const until = performance.now() + patienceMs
    if (this.#silenceTimer !== undefined && this.#silentUntil <= until) return
    this.#beSilentUntil(until, patienceMs)
  }

  #beSilentUntil(until: number, patienceMs: number): void {
    clearTimeout(this.#silenceTimer)
    this.#silentUntil = until
    this.#patienceMs = patienceMs
    this.#silenceTimer = setTimeout(() => {
      this.#wordSilenceMs = Math.min(2 * this.#wordSilenceMs, SILENCE_MS)
      this.#broken(0)
    }, patienceMs)
  }

  /** The receive socket brought something. */
  #heard({ t }: FromReceive): void {
    clearTimeout(this.#quietTimer)
    this.#quietTimer = undefined
    if (this.#silenceTimer === undefined) return
    if (t !== 'caught_up') {
      return this.#beSilentUntil(performance.now() + this.#patienceMs, this.#patienceMs)
    }
    const waitedMs = performance.now() - this.#silentUntil + this.#patienceMs
    if (waitedMs < SHORT_SILENCE_MS) this.#wordSilenceMs = SHORT_SILENCE_MS
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = undefined
  }

  /** The server answered posts of a session up to n; if others wait still, it has time anew for them. */
  #answered(session: string, n: number): void {
    if (n >= (this.#posted.get(session) ?? 0)) this.#posted.delete(session)
    clearTimeout(this.#postTimer)
    this.#postTimer = undefined
    this.#postSilenceMs = SHORT_SILENCE_MS
    this.#awaitAnswer()
  }

  #toSend(frame: ToSend): void {
    this.#pair?.sending.say(frame)
  }

  #toReceive(frame: ToReceive): void {
    this.#pair?.receive.send(encodeFrame(frame))
  }

  async #open(): Promise<void> {
    const attempt = ++this.#attempt
    this.#handlers.status({ state: 'connecting' })
    let token: string
    try {
      token = await this.#handlers.token(this.#tokenRefused)
    } catch (error) {
      if (attempt !== this.#attempt || !this.#running) return
      this.#retry(error instanceof Refused ? (error.retryAfter ?? 0) : 0)
      return
    }
    if (attempt !== this.#attempt || !this.#running) return
    this.#tokenRefused = false
    this.#pair = this.#makePair(token)
    this.#expectWord(SILENCE_MS)
  }

  #makePair(token: string): Pair {
    const sending = new Sending(`${this.#base}/ws/send/`, token, {
      received: (data) => this.#guard(() => this.#fromSend(parseFromSend(data))),
      closed: (code) => this.#broken(code),
      isOwed: () => this.#waiting.size > 0 || this.#posted.size > 0,
    })
    if (this.#hasToSay) sending.open(SILENCE_MS)
    const receive: Socket = new Socket(`${this.#base}/ws/receive/`, {
      opened: () =>
        receive.send(encodeFrame({ t: 'hello', token, cursors: this.#handlers.cursors() })),
      received: (data) => this.#guard(() => this.#fromReceive(parseFromReceive(data))),
      closed: (code) => this.#receiveClosed(code),
    })
    return { sending, receive, isReceiving: false }
  }

  /** An identity that was just erased loses this socket; on the other one its receipt may be on the way. */
  #receiveClosed(code: number): void {
    const pair = this.#pair
    if (code !== CLOSE.notLoggedIn || this.#waiting.size === 0) return this.#broken(code)
    setTimeout(() => {
      if (this.#pair === pair) this.#broken(code)
    }, LAST_WORD_MS)
  }

  /** A frame that can't be parsed ends the pair, as one of ours does that the server can't parse. */
  #guard(handle: () => void): void {
    try {
      handle()
    } catch (error) {
      this.#broken(CLOSE.badFrame)
      if (!(error instanceof Error && error.name === 'WireError')) throw error
    }
  }

  #fromSend(frame: FromSend): void {
    switch (frame.t) {
      case 'ready':
        this.#handlers.limits(frame.limits)
        this.#pair?.sending.ready()
        this.#awaitAnswer()
        this.#becomeOnline()
        return
      case 'stored':
        this.#answered(frame.session, frame.n)
        this.#doubtReceiving()
        this.#handlers.stored(frame)
        return
      case 'error':
        if (frame.session !== null && frame.n !== null) this.#answered(frame.session, frame.n)
        if (frame.id === null) this.#handlers.refused(frame)
        else this.#settle(frame.id, (waiting) => waiting.reject(Refused.from(frame)))
        return
      default:
        this.#settle(frame.id, (waiting) => waiting.resolve(frame))
    }
  }

  /** Frames that come before a send socket that is opened too is ready wait for it: answers to them need both. */
  #early: FromReceive[] = []

  #fromReceive(frame: FrameFromReceive): void {
    // A refusal here is followed by the close, which has a code of its own.
    if (frame.t === 'error') return
    if (frame.t === 'items') return frame.items.forEach((item) => this.#fromReceive(item))
    if (frame.t === 'ready' && this.#pair) {
      this.#pair.isReceiving = true
      this.#becomeOnline()
    }
    if (this.online) this.#deliver(frame)
    else this.#early.push(frame)
  }

  #deliver(frame: FromReceive): void {
    this.#heard(frame)
    this.#handlers.received(frame)
  }

  #becomeOnline(): void {
    if (this.online || !this.#pair?.isReceiving || this.#pair.sending.isOpening) return
    this.#isOnline = true
    this.#failures = 0
    this.#resyncTimer = setInterval(() => this.#goOn(), RESYNC_MS)
    this.#handlers.status({ state: 'online' })
    const early = this.#early
    this.#early = []
    for (const settle of this.#opening) settle()
    for (const frame of early) this.#deliver(frame)
  }

  /** The pair has lived for a while: what each side says, the other one knows. */
  #goOn(): void {
    this.#misunderstood = 0
    this.resync({})
  }

  #settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    how(waiting)
  }

  #onlineSoon(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#opening.delete(settle)
        if (this.online) resolve()
        else reject(new Unreachable())
      }
      const timer = setTimeout(settle, this.#running ? OPENING_MS : 0)
      this.#opening.add(settle)
    })
  }

  #drop(): void {
    if (this.#pair) this.#hasToSay = this.#pair.sending.isWanted
    this.#pair?.sending.end()
    this.#pair?.receive.end()
    this.#pair = null
    this.#isOnline = false
    this.#early = []
    clearInterval(this.#resyncTimer)
    for (const timer of [this.#silenceTimer, this.#postTimer, this.#quietTimer]) clearTimeout(timer)
    this.#silenceTimer = this.#postTimer = this.#quietTimer = undefined
    this.#posted.clear()
    this.#forgetTaken()
    for (const id of this.#waiting.keys()) {
      this.#settle(id, (waiting) => waiting.reject(new Unreachable()))
    }
  }

  #broken(code: number): void {
    if (!this.#pair) return
    this.#drop()
    if (!this.#running) return
    if (code === CLOSE.elsewhere) {
      this.#running = false
      this.#handlers.status({ state: 'elsewhere' })
      return
    }
    if (code === CLOSE.badFrame && ++this.#misunderstood >= MISUNDERSTOOD) {
      return this.#handlers.outdated()
    }
    if (code === CLOSE.notLoggedIn) this.#tokenRefused = true
    this.#retry(0)
  }

  #retry(atLeastSeconds: number): void {
    const wait = Math.max(
      pause(this.#failures, jitter()),
      Math.min(atLeastSeconds, LONGEST_SECONDS) * 1000,
    )
    this.#failures += 1
    this.#handlers.status({ state: 'waiting', retryAt: Date.now() + wait })
    this.#retryTimer = setTimeout(() => void this.#open(), wait)
  }
}
