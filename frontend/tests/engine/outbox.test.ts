import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Outbox } from '../../src/engine/outbox'

const BURST = 3
const PAUSE_SECONDS = 0.2

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A server that takes BURST posts at once and one more in each pause, and counts its refusals. */
class Server {
  readonly taken: number[] = []
  refusals = 0
  #tokens = BURST
  readonly outbox = new Outbox((n) => queueMicrotask(() => this.#answer(n)))

  constructor() {
    setInterval(() => (this.#tokens = Math.min(BURST, this.#tokens + 1)), PAUSE_SECONDS * 1000)
  }

  #answer(n: number): void {
    if (n !== this.taken.length || this.#tokens === 0) {
      this.refusals++
      this.outbox.again(PAUSE_SECONDS)
      return
    }
    this.#tokens--
    this.taken.push(n)
    this.outbox.stored(n)
  }
}

test('one who has much to say is not refused so often that the server would hang up', async () => {
  const server = new Server()
  for (let n = 0; n < 80; n++) server.outbox.add({ n, bytes: new Uint8Array(1) })
  await vi.advanceTimersByTimeAsync(30_000)
  expect(server.taken).toEqual([...Array(80).keys()])
  expect(server.refusals).toBeLessThan(3 * 80)
})
