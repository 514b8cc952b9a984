/**
 * What was said, in this browser's order, in memory alone; and the check that after a reload the
 * bytes of every record come back from the server unchanged (PROTOCOL §6, "Reading again").
 */
import { toHex, wipe, type Bytes } from '../protocol'
import type { StoredRecord } from '../vault/shapes'
import type { Line } from './lines'
import type { Delivery, Message } from './types'

export class Transcript {
  readonly #byDigest = new Map<string, StoredRecord>()
  readonly #byPlace = new Map<string, StoredRecord>()
  /** Records whose bytes have not come back since the page was loaded: they alone have their keys. */
  readonly #missing = new Set<StoredRecord>()
  #lines: Line[] = []

  constructor(kept: readonly StoredRecord[]) {
    for (const record of kept) {
      this.#index(record)
      this.#missing.add(record)
    }
  }

  #index(record: StoredRecord): void {
    this.#byDigest.set(toHex(record.digest), record)
    this.#byPlace.set(`${record.sender}/${record.n}`, record)
  }

  /** A message was sent or taken just now. */
  add(record: StoredRecord, line: Line | null): void {
    this.#index(record)
    if (line) this.#lines.push(line)
  }

  /** The record of exactly these bytes, if they were sent or taken before. */
  recordOf(digest: Bytes): StoredRecord | undefined {
    return this.#byDigest.get(toHex(digest))
  }

  digestAt(sender: 0 | 1, n: number): Bytes | undefined {
    return this.#byPlace.get(`${sender}/${n}`)?.digest
  }

  isMissing(record: StoredRecord): boolean {
    return this.#missing.has(record)
  }

  /** A record's bytes came back and opened: until the next load the vault alone needs its key. */
  readAgain(record: StoredRecord, line: Line | null): void {
    this.#missing.delete(record)
    if (record.key) wipe(record.key)
    if (!line) return
    this.#lines.push(line)
    this.#lines.sort((a, b) => a.order - b.order)
  }

  /** Whether every record could be read. */
  get complete(): boolean {
    return this.#missing.size === 0
  }

  get messages(): Message[] {
    return this.#lines.map(({ message }) => message)
  }

  /** Own messages whose delivery changes; answers those that did. */
  deliver(upTo: number, delivery: Delivery): Message[] {
    const changed: Message[] = []
    this.#lines = this.#lines.map((line) => {
      if (!line.message.mine || line.n >= upTo || !rises(line.message.delivery, delivery))
        return line
      const message = { ...line.message, delivery }
      changed.push(message)
      return { ...line, message }
    })
    return changed
  }

  /** Everything, at the end. */
  forget(): void {
    for (const { key } of this.#missing) if (key) wipe(key)
    for (const index of [this.#byDigest, this.#byPlace, this.#missing]) index.clear()
    this.#lines = []
  }

  /** How many of one's own lines the peer was never shown to have taken. */
  get undelivered(): number {
    return this.#lines.filter(({ message }) => message.mine && message.delivery !== 'taken').length
  }
}

const STEPS: readonly Delivery[] = ['waiting', 'stored', 'taken']

const rises = (from: Delivery, to: Delivery): boolean => STEPS.indexOf(to) > STEPS.indexOf(from)
