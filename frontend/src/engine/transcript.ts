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
  readonly #counts: [number, number] = [0, 0]
  /** By their place in order. */
  readonly #lines = new Map<number, Line>()
  /** Places of one's own lines that the peer is not known to have taken. */
  readonly #open = new Set<number>()

  constructor(kept: readonly StoredRecord[]) {
    for (const record of kept) {
      this.#index(record)
      this.#missing.add(record)
    }
  }

  #index(record: StoredRecord): void {
    this.#byDigest.set(toHex(record.digest), record)
    this.#byPlace.set(`${record.sender}/${record.n}`, record)
    this.#counts[record.sender] += 1
  }

  /** A message was sent or taken just now. */
  add(record: StoredRecord, line: Line | null): void {
    this.#index(record)
    if (line) this.#put(line)
  }

  /** The record of exactly these bytes, if they were sent or taken before. */
  recordOf(digest: Bytes): StoredRecord | undefined {
    return this.#byDigest.get(toHex(digest))
  }

  digestAt(sender: 0 | 1, n: number): Bytes | undefined {
    return this.#byPlace.get(`${sender}/${n}`)?.digest
  }

  /**
   * The last place that message n of a sender can have in the session's stream (DESIGN §3): offer and answer come
   * before it, n of its own, and at most all that is known of the other side's.
   */
  lastPlaceOf({ sender, n }: Pick<StoredRecord, 'sender' | 'n'>): number {
    return 3 + n + this.#counts[sender === 0 ? 1 : 0]
  }

  /** How many messages of this sender were sent or taken. */
  countOf(sender: 0 | 1): number {
    return this.#counts[sender]
  }

  isMissing(record: StoredRecord): boolean {
    return this.#missing.has(record)
  }

  /** A record's bytes came back and opened: until the next load the vault alone needs its key. */
  readAgain(record: StoredRecord, line: Line | null): void {
    this.#missing.delete(record)
    if (record.key) wipe(record.key)
    if (line) this.#put(line)
  }

  #put(line: Line): void {
    const { mine, delivery } = line.message
    this.#lines.set(line.order, line)
    if (mine && delivery !== 'taken') this.#open.add(line.order)
    else this.#open.delete(line.order)
  }

  /** Whether every record could be read. */
  get complete(): boolean {
    return this.#missing.size === 0
  }

  get messages(): Message[] {
    const inOrder = [...this.#lines.values()].toSorted((a, b) => a.order - b.order)
    return inOrder.map(({ message }) => message)
  }

  /** Own messages whose delivery changes; answers those that did. */
  deliver(upTo: number, delivery: Delivery): Message[] {
    const changed: Message[] = []
    for (const order of this.#open) {
      const line = this.#lines.get(order)
      if (!line || line.n >= upTo || !rises(line.message.delivery, delivery)) continue
      const message = { ...line.message, delivery }
      changed.push(message)
      this.#put({ ...line, message })
    }
    return changed
  }

  /** Everything, at the end. */
  forget(): void {
    for (const { key } of this.#missing) if (key) wipe(key)
    const all = [this.#byDigest, this.#byPlace, this.#missing, this.#lines, this.#open]
    for (const index of all) index.clear()
  }

  /** How many of one's own lines the peer was never shown to have taken. */
  get undelivered(): number {
    return this.#open.size
  }
}

const STEPS: readonly Delivery[] = ['waiting', 'stored', 'taken']

const rises = (from: Delivery, to: Delivery): boolean => STEPS.indexOf(to) > STEPS.indexOf(from)
