/**
 * The vault: what this browser keeps, sealed (PROTOCOL §9), in transactions that are all or nothing.
 *
 * WebCrypto can't run inside an IndexedDB transaction, so a change is sealed first and then written
 * in one strict transaction, which first compares the conversation's version with the one that the
 * change was computed from. Another version throws `StaleVersion` and writes nothing.
 */
import type * as v from 'valibot'
import { wipe, type Bytes } from '../protocol'
import { isForRoom } from './room'
import { rangeOf, SESSION_STORES, STORES, type Database } from './database'
import { placeOf, seal, unseal } from './seal'
import {
  pack,
  shapes,
  unpack,
  type Draft,
  type Outgoing,
  type StoredArrival,
  type StoredChoices,
  type StoredConversation,
  type StoredLink,
  type StoredRecord,
} from './shapes'

/** The conversation or its link was changed since it was read; nothing was written. */
export class StaleVersion extends Error {
  override readonly name = 'StaleVersion'
}

/** A conversation as it lies in the vault, with the version that guards the next write. */
export interface Held {
  readonly version: number
  readonly state: StoredConversation
}

/** What one transaction writes beside the conversation's state. `null` deletes. */
export interface Change {
  readonly state: StoredConversation
  readonly records?: readonly StoredRecord[]
  readonly outgoing?: Outgoing
  /** Numbers of drafts that have become messages. */
  readonly sentDrafts?: readonly number[]
  readonly draft?: { readonly number: number; readonly draft: Draft }
  readonly link?: StoredLink
  readonly processed?: readonly string[]
  /** The arrival has led to this conversation: it must not be offered twice. */
  readonly joined?: true
}

/** What lies sealed for the identity itself. */
type OfIdentity = 'key' | 'processed' | 'arrival' | 'choices'
/** A long text in the outbox, with the state and the record that are written with it. */
const MESSAGE_BYTES = 32 * 1024

type Write = (tx: Transaction) => Promise<unknown>
type Transaction = ReturnType<typeof begin>

const begin = (db: Database) => db.transaction([...STORES], 'readwrite', { durability: 'strict' })

export class Vault {
  readonly #db: Database
  readonly #identityKey: CryptoKey
  #isFull = false
  /** Told when a write found no room in this browser, and when one finds room again. */
  onRoom: (isFull: boolean) => void = () => {}

  constructor(db: Database, identityKey: CryptoKey) {
    this.#db = db
    this.#identityKey = identityKey
  }

  /** The identity's private key as pkcs8, for the caller to wipe; null in a new vault. Throws SealError. */
  readIdentity(): Promise<Bytes | null> {
    return this.#readOne('key')
  }

  async writeIdentity(pkcs8: Bytes): Promise<void> {
    const sealed = await seal(this.#identityKey, placeOf('identity', 'key'), pkcs8)
    await this.#write([(tx) => tx.objectStore('identity').put(sealed, 'key')])
  }

  /** Marks the vault as in use, so that a later page can tell which ones were left behind. */
  async touch(now: number): Promise<void> {
    await this.#db.put('identity', now, 'usedAt')
  }

  async readProcessed(): Promise<string[]> {
    const packed = await this.#readOne('processed')
    return packed ? unpack(shapes.processed, packed) : []
  }

  async writeProcessed(ids: readonly string[]): Promise<void> {
    await this.#write([await this.#sealOne('processed', ids)])
  }

  async readArrival(): Promise<StoredArrival | null> {
    const packed = await this.#readOne('arrival')
    return packed && unpack(shapes.arrival, packed)
  }

  /** Null deletes it. */
  async writeArrival(arrival: StoredArrival | null): Promise<void> {
    const write: Write = arrival
      ? await this.#sealOne('arrival', arrival)
      : (tx) => tx.objectStore('identity').delete('arrival')
    await this.#write([write])
  }

  async readChoices(): Promise<StoredChoices> {
    const packed = await this.#readOne('choices')
    return packed ? unpack(shapes.choices, packed) : { linkOnly: false }
  }

  async writeChoices(choices: StoredChoices): Promise<void> {
    await this.#write([await this.#sealOne('choices', choices)])
  }

  async readLinks(): Promise<StoredLink[]> {
    const keys = await this.#db.getAllKeys('links')
    const links = keys.map(async (key) => {
      const sealed = await this.#db.get('links', key)
      if (!sealed) return []
      return [unpack(shapes.link, await unseal(this.#identityKey, placeOf('links', key), sealed))]
    })
    return (await Promise.all(links)).flat()
  }

  async writeLink(link: StoredLink): Promise<void> {
    await this.#write([await this.#sealLink(link)])
  }

  async deleteLink(id: string): Promise<void> {
    await this.#write([(tx) => tx.objectStore('links').delete(id)])
  }

  /** Ids of the conversations that lie here, opened or not. */
  conversationIds(): Promise<string[]> {
    return this.#db.getAllKeys('conversations')
  }

  /** Reads a conversation, or null where there is none. Throws SealError with another key. */
  async read(key: CryptoKey, id: string): Promise<Held | null> {
    const held = await this.#db.get('conversations', id)
    if (!held) return null
    const packed = await unseal(key, placeOf('conversations', id), held.sealed)
    return { version: held.version, state: unpack(shapes.conversation, packed) }
  }

  /** Every record of a conversation, in this browser's order. */
  readRecords(key: CryptoKey, id: string): Promise<StoredRecord[]> {
    return this.#readAll(key, 'records', id, shapes.record)
  }

  /** What the server isn't known to have stored, by n. */
  readOutbox(key: CryptoKey, id: string): Promise<Outgoing[]> {
    return this.#readAll(key, 'outbox', id, shapes.outgoing)
  }

  async readDrafts(key: CryptoKey, id: string): Promise<{ number: number; draft: Draft }[]> {
    const entries = await this.#readEntries(key, 'drafts', id, shapes.draft)
    return entries.map(([number, draft]) => ({ number, draft }))
  }

  /**
   * Writes a conversation's next state and all that goes with it, if its version is still
   * `version` (0: it must not exist), and a link that changes with it was not deleted meanwhile.
   * Answers the new version. Throws StaleVersion.
   */
  async commit(key: CryptoKey, id: string, version: number, change: Change): Promise<number> {
    const writes = await this.#sealChange(key, id, version + 1, change)
    await this.#write(writes, async (tx) => {
      const held = await tx.objectStore('conversations').get(id)
      if ((held?.version ?? 0) !== version) throw new StaleVersion()
      const { link } = change
      if (link && !(await tx.objectStore('links').getKey(link.id))) throw new StaleVersion()
    })
    return version + 1
  }

  /** The server has stored all of our messages up to n: their bytes need not be kept. */
  async stored(id: string, n: number): Promise<void> {
    const range = IDBKeyRange.bound([id, 0], [id, n])
    await this.#write([(tx) => tx.objectStore('outbox').delete(range)])
  }

  /** Deletes all that belongs to a conversation. */
  async forget(id: string): Promise<void> {
    await this.#write([
      (tx) => tx.objectStore('conversations').delete(id),
      ...SESSION_STORES.map(
        (store): Write =>
          (tx) =>
            tx.objectStore(store).delete(rangeOf(id)),
      ),
    ])
  }

  /** Whether the last write found no room in this browser. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether there is room again for about what a message takes; nothing of it stays. */
  async tryRoom(): Promise<void> {
    const padding = new Uint8Array(MESSAGE_BYTES)
    await this.#write([
      (tx) => tx.objectStore('identity').put(padding, 'room'),
      (tx) => tx.objectStore('identity').delete('room'),
    ])
  }

  close(): void {
    this.#db.close()
  }

  async #readAll<S extends v.GenericSchema>(
    key: CryptoKey,
    store: (typeof SESSION_STORES)[number],
    id: string,
    shape: S,
  ): Promise<v.InferOutput<S>[]> {
    return (await this.#readEntries(key, store, id, shape)).map(([, value]) => value)
  }

  async #readEntries<S extends v.GenericSchema>(
    key: CryptoKey,
    store: (typeof SESSION_STORES)[number],
    id: string,
    shape: S,
  ): Promise<[number, v.InferOutput<S>][]> {
    const entries: [number, Bytes][] = []
    for await (const cursor of this.#db.transaction(store).store.iterate(rangeOf(id))) {
      entries.push([cursor.key[1], cursor.value])
    }
    return Promise.all(
      entries.map(async ([number, sealed]): Promise<[number, v.InferOutput<S>]> => {
        const packed = await unseal(key, placeOf(store, [id, number]), sealed)
        return [number, unpack(shape, packed)]
      }),
    )
  }

  async #readOne(name: OfIdentity): Promise<Bytes | null> {
    const sealed = await this.#db.get('identity', name)
    if (!(sealed instanceof Uint8Array)) return null
    return unseal(this.#identityKey, placeOf('identity', name), sealed)
  }

  async #sealOne(name: OfIdentity, value: unknown): Promise<Write> {
    const sealed = await sealValue(this.#identityKey, placeOf('identity', name), value)
    return (tx) => tx.objectStore('identity').put(sealed, name)
  }

  async #sealLink(link: StoredLink): Promise<Write> {
    const sealed = await sealValue(this.#identityKey, placeOf('links', link.id), link)
    return (tx) => tx.objectStore('links').put(sealed, link.id)
  }

  async #sealChange(
    key: CryptoKey,
    id: string,
    version: number,
    { state, records = [], outgoing, sentDrafts = [], draft, link, processed, joined }: Change,
  ): Promise<Write[]> {
    const inSession = async (
      store: (typeof SESSION_STORES)[number],
      number: number,
      value: unknown,
    ): Promise<Write> => {
      const sealed = await sealValue(key, placeOf(store, [id, number]), value)
      return (tx) => tx.objectStore(store).put(sealed, [id, number])
    }
    const sealed = await sealValue(key, placeOf('conversations', id), state)
    const writes: Write[] = [
      (tx) => tx.objectStore('conversations').put({ version, sealed }, id),
      ...sentDrafts.map(
        (number): Write =>
          (tx) =>
            tx.objectStore('drafts').delete([id, number]),
      ),
    ]
    for (const record of records) writes.push(await inSession('records', record.order, record))
    if (outgoing) writes.push(await inSession('outbox', outgoing.n, outgoing))
    if (draft) writes.push(await inSession('drafts', draft.number, draft.draft))
    if (joined) writes.push((tx) => tx.objectStore('identity').delete('arrival'))
    if (link) writes.push(await this.#sealLink(link))
    if (processed) writes.push(await this.#sealOne('processed', processed))
    return writes
  }

  async #write(writes: readonly Write[], guard?: (tx: Transaction) => Promise<void>) {
    const tx = begin(this.#db)
    const done = tx.done.catch(
      (error: unknown) => error ?? new Error('the transaction was aborted'),
    )
    try {
      await guard?.(tx)
      await Promise.all(writes.map(async (write) => write(tx)))
    } catch (error) {
      abort(tx)
      await done
      this.#foundRoom(error)
      throw error
    }
    const failed = await done
    this.#foundRoom(failed)
    if (failed) throw failed
  }

  /** What a write's end says of the room here; other failures than for want of it say nothing. */
  #foundRoom(failed: unknown): void {
    const isFull = failed !== undefined && isForRoom(failed)
    if (this.#isFull === isFull || (failed !== undefined && !isFull)) return
    this.#isFull = isFull
    this.onRoom(isFull)
  }
}

/** Seals a value, and wipes what it was packed into. */
async function sealValue(key: CryptoKey, place: string, value: unknown): Promise<Bytes> {
  const packed = pack(value)
  const sealed = await seal(key, place, packed)
  wipe(packed)
  return sealed
}

/** A transaction that a failed request (a full disk) has aborted already can't be aborted again. */
function abort(tx: Transaction): void {
  try {
    tx.abort()
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error
  }
}
