/** One websocket, from opening to its only end. */
import type { Bytes } from '../protocol'

/** Close codes that mean something to the page (DESIGN §7). */
export const CLOSE = { badFrame: 4400, notLoggedIn: 4401, elsewhere: 4409, restart: 1012 } as const

export interface SocketHandlers {
  opened(): void
  received(data: unknown): void
  /** Called once, also when the socket never opened. */
  closed(code: number): void
}

export class Socket {
  readonly #socket: WebSocket
  #ended = false

  constructor(url: string, handlers: SocketHandlers) {
    this.#socket = new WebSocket(url)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.addEventListener('open', () => handlers.opened())
    this.#socket.addEventListener('message', ({ data }) => {
      if (!this.#ended) handlers.received(data)
    })
    this.#socket.addEventListener('close', ({ code }) => {
      if (this.#ended) return
      this.#ended = true
      handlers.closed(code)
    })
  }

  send(bytes: Bytes): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes)
  }

  /** Ends it without telling the handlers. */
  end(): void {
    this.#ended = true
    this.#socket.close()
  }
}
