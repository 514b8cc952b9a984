/**
 * The send socket of a pair, there while there is something to say (DESIGN §4).
 *
 * What is said before the server is `ready` waits for it, in order. After a minute in which nothing was said and
 * nothing is awaited the page closes it: it would cost the server as much as the receive socket, which stays.
 */
import type { Bytes } from '../protocol'
import { Socket } from './socket'
import { encodeFrame, type ToSend } from './wire'

const QUIET_MS = 60_000
/** How long it may take to be ready while the receive socket lives, and is heard. */
const OPENING_MS = 5_000

export interface SendingHandlers {
  received(data: unknown): void
  /** Broken, refused, or not ready in time; never for a close of our own. */
  closed(code: number): void
  /** Whether the server owes an answer. */
  isOwed(): boolean
}

export class Sending {
  readonly #url: string
  readonly #token: string
  readonly #handlers: SendingHandlers
  #socket: Socket | null = null
  #isReady = false
  #unsaid: Bytes[] = []
  #openingTimer: ReturnType<typeof setTimeout> | undefined
  #quietTimer: ReturnType<typeof setTimeout> | undefined

  constructor(url: string, token: string, handlers: SendingHandlers) {
    this.#url = url
    this.#token = token
    this.#handlers = handlers
  }

  /** Open, or being opened. */
  get isWanted(): boolean {
    return this.#socket !== null
  }

  get isOpening(): boolean {
    return this.isWanted && !this.#isReady
  }

  /** Opens it where it isn't; it stays for a minute. */
  open(patienceMs = OPENING_MS): void {
    clearTimeout(this.#quietTimer)
    this.#quietTimer = setTimeout(() => this.#rest(), QUIET_MS)
    this.#socket ??= this.#connect(patienceMs)
  }

  say(frame: ToSend): void {
    this.open()
    if (this.#isReady) this.#socket?.send(encodeFrame(frame))
    else this.#unsaid.push(encodeFrame(frame))
  }

  /** The server said that it is ready. */
  ready(): void {
    clearTimeout(this.#openingTimer)
    this.#isReady = true
    for (const bytes of this.#unsaid.splice(0)) this.#socket?.send(bytes)
  }

  /** Closes it, without telling the handlers. */
  end(): void {
    clearTimeout(this.#openingTimer)
    clearTimeout(this.#quietTimer)
    this.#socket?.end()
    this.#socket = null
    this.#isReady = false
    this.#unsaid = []
  }

  #rest(): void {
    if (this.#handlers.isOwed()) this.open()
    else this.end()
  }

  #connect(patienceMs: number): Socket {
    this.#openingTimer = setTimeout(() => this.#handlers.closed(0), patienceMs)
    const socket: Socket = new Socket(this.#url, {
      opened: () => socket.send(encodeFrame({ t: 'hello', token: this.#token })),
      received: this.#handlers.received,
      closed: this.#handlers.closed,
    })
    return socket
  }
}
