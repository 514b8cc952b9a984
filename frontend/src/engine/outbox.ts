/**
 * Bytes on their way to the server, in order, until it says that they are on its disk.
 *
 * Some are in flight at a time; a refusal that time heals pauses them and begins again with the
 * first that is not stored: with that one alone, and one more for each that is, as a server that
 * has to refuse many closes the socket. It may be sent the same bytes any number of times.
 */
import type { Bytes } from '../protocol'
import type { Outgoing } from '../vault/shapes'

const IN_FLIGHT = 16

export class Outbox {
  readonly #post: (n: number, bytes: Bytes) => void
  readonly #waiting = new Map<number, Bytes>()
  /** The next n to post; all below are in flight or stored. */
  #next = 0
  #most = IN_FLIGHT
  #timer: ReturnType<typeof setTimeout> | undefined
  #drained: (() => void)[] = []

  constructor(post: (n: number, bytes: Bytes) => void, kept: readonly Outgoing[] = []) {
    this.#post = post
    for (const { n, bytes } of kept) this.#waiting.set(n, bytes)
  }

  get size(): number {
    return this.#waiting.size
  }

  get(n: number): Bytes | undefined {
    return this.#waiting.get(n)
  }

  add({ n, bytes }: Outgoing): void {
    this.#waiting.set(n, bytes)
    this.#fill()
  }

  /** All up to n are stored. */
  stored(n: number): void {
    for (const waiting of this.#waiting.keys()) if (waiting <= n) this.#waiting.delete(waiting)
    this.#next = Math.max(this.#next, n + 1)
    this.#most = Math.min(this.#most + 1, IN_FLIGHT)
    if (this.size === 0) for (const done of this.#drained.splice(0)) done()
    this.#fill()
  }

  /** Settles when nothing waits any more. */
  drained(): Promise<void> {
    if (this.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  /** Begins again with the first that is not stored: after a reconnect or a refusal. */
  again(afterSeconds = 0): void {
    clearTimeout(this.#timer)
    this.#most = afterSeconds > 0 ? 1 : IN_FLIGHT
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#next = 0
      this.#fill()
    }, afterSeconds * 1000)
  }

  /** Sends nothing more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.clear()
  }

  #fill(): void {
    if (this.#timer !== undefined) return
    const inOrder = [...this.#waiting].toSorted(([a], [b]) => a - b)
    for (const [n, bytes] of inOrder.slice(0, this.#most)) {
      if (n < this.#next) continue
      this.#next = n + 1
      this.#post(n, bytes)
    }
  }
}
