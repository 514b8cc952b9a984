/** Asking again for an item that is missing or did not open, with growing pauses, for 30 s (PROTOCOL §6). */
import type { BrokenCode } from './words'

/** Waits before each new fetch, ms; 30 s in all. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 7_500, 15_000]

/** The place of an item whose place the server gave wrongly. */
export const ANYWHERE = Number.POSITIVE_INFINITY

export class Fetching {
  readonly #ask: () => boolean
  readonly #giveUp: (code: BrokenCode) => void
  #seq: number | null = null
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `ask` answers whether asking could help; while it can't, no time runs. */
  constructor(ask: () => boolean, giveUp: (code: BrokenCode) => void) {
    this.#ask = ask
    this.#giveUp = giveUp
  }

  /**
   * The item at `seq` is wanted, or one before it; what comes behind it waits. Where that place can't be the
   * true one (`ANYWHERE`) nothing waits, and the next message that is taken ends it.
   */
  begin(seq: number, code: BrokenCode): void {
    if (this.#seq !== null) return
    this.#seq = seq
    this.#tries = 0
    this.#later(code)
  }

  /** Whether an item must not be taken yet. */
  isBehind(seq: number): boolean {
    return this.#seq !== null && seq > this.#seq
  }

  /** The item at `seq` was taken. */
  done(seq: number): void {
    if (this.#seq !== null && seq >= this.#seq) this.stop()
  }

  /** A message was taken, the next of its sender. */
  found(): void {
    if (this.#seq === ANYWHERE) this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#seq = null
  }

  #later(code: BrokenCode): void {
    this.#timer = setTimeout(() => {
      if (this.#ask()) this.#tries += 1
      if (this.#tries < PAUSES_MS.length) this.#later(code)
      else this.#giveUp(code)
    }, PAUSES_MS[this.#tries])
  }
}
