/** Typing signs of both sides: volatile frames, never stored (PROTOCOL §6). */
import { openVolatile, sealVolatile, type Bytes, type Ratchet } from '../protocol'

/** A sign that isn't renewed dies, ms. */
const DIES_MS = 6_000
/** How often the same sign is sent again, ms. */
const EVERY_MS = 2_500

export class Typing {
  readonly #changed: () => void
  #peers = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The highest counter that opened since the peer's last message. */
  #peerCounter = -1
  /** None may be sent after a load before the next message: the counters used before are not known. */
  #own = { n: -1, counter: 0, at: Number.NEGATIVE_INFINITY }

  /** `changed` is called when the peer begins or ends. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  get peers(): boolean {
    return this.#peers
  }

  /** The sign to send now (`tick`: monotonic ms), or null where none is due or may be made. */
  async frame(ratchet: Ratchet, on: boolean, tick: number): Promise<Bytes | null> {
    const { n, counter, at } = this.#own
    if (n !== ratchet.sent || (on && tick - at < EVERY_MS)) return null
    this.#own = { n, counter: counter + 1, at: on ? tick : Number.NEGATIVE_INFINITY }
    return sealVolatile(ratchet, counter, on)
  }

  /** We have sent our message n: signs are of the next one now. */
  sent(n: number): void {
    this.#own = { n: n + 1, counter: 0, at: Number.NEGATIVE_INFINITY }
  }

  async take(ratchet: Ratchet, bytes: Bytes): Promise<void> {
    const opened = await openVolatile(ratchet, bytes, this.#peerCounter)
    if (!opened) return
    this.#peerCounter = opened.counter
    this.#show(opened.on)
  }

  /** A message of the peer was taken; an ack is no sign that it stopped writing. */
  taken(isAck: boolean): void {
    this.#peerCounter = -1
    if (!isAck) this.#show(false)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#peers = false
  }

  #show(on: boolean): void {
    clearTimeout(this.#timer)
    if (on) this.#timer = setTimeout(() => this.#show(false), DIES_MS)
    if (on === this.#peers) return
    this.#peers = on
    this.#changed()
  }
}
