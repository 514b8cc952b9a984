/**
 * Which vault is this tab's, and the local half that opens it (PROTOCOL §9).
 *
 * The half lies in the tab's session storage; where the person chose to be remembered, as a key
 * that can't be read out in the IndexedDB `quarter`. A Web Lock with the vault's name lets one tab
 * alone hold it: a duplicated tab finds it taken and becomes a new user.
 */
import { openDB, type DBSchema } from 'idb'
import { b64uDecode, b64uEncode, wipe, type Bytes } from '../protocol'
import { databaseNames, deleteDatabase, openDatabase } from './database'
import { identityKey, importLocalHalf, SealError } from './seal'
import { Vault } from './vault'

const TAB_KEY = 'quarter'
/** A reloading page's lock is freed a moment after its successor starts. */
const LOCK_PATIENCE_MS = 3_000
/** A vault that no tab has held for so long is one that nobody can open again. */
const ABANDONED_MS = 24 * 3600 * 1000

/** The browser keeps nothing for us: no session storage, IndexedDB or locks. */
export class NoStorage extends Error {
  override readonly name = 'NoStorage'
}

export interface Tab {
  readonly vault: Vault
  /** Derives the conversations' keys. */
  readonly local: CryptoKey
  readonly remembered: boolean
  remember(on: boolean): Promise<void>
  /** Deletes the vault and every half of its key. */
  destroy(): Promise<void>
}

/** By the vault's name: the local half as a key that can be used and not read. */
interface Remembered extends DBSchema {
  vaults: { key: string; value: CryptoKey }
}

interface Place {
  readonly name: string
  readonly local: CryptoKey
  readonly remembered: boolean
}

const remembered = () =>
  openDB<Remembered>('quarter', 1, { upgrade: (db) => void db.createObjectStore('vaults') })

/** Opens this tab's vault, or makes a new one. Throws NoStorage. */
export async function openTab(now: number): Promise<Tab> {
  try {
    const place = (await placeOfTab()) ?? (await placeRemembered()) ?? (await newPlace())
    void sweepAbandoned(now)
    return await open(place, now)
  } catch (error) {
    if (error instanceof SealError) return openTabAnew(now)
    throw new NoStorage('the browser keeps nothing', { cause: error })
  }
}

/** The halves don't open what lies there: it can't be anyone's any more. */
async function openTabAnew(now: number): Promise<Tab> {
  sessionStorage.removeItem(TAB_KEY)
  return open(await newPlace(), now)
}

async function open(place: Place, now: number): Promise<Tab> {
  const db = await openDatabase(place.name)
  const vault = new Vault(db, await identityKey(place.local))
  const opened = await vault.readIdentity()
  if (opened) wipe(opened)
  await vault.touch(now)
  return new OpenTab(place, vault)
}

class OpenTab implements Tab {
  remembered: boolean
  readonly local: CryptoKey

  constructor(
    readonly place: Place,
    readonly vault: Vault,
  ) {
    this.local = place.local
    this.remembered = place.remembered
  }

  async remember(on: boolean): Promise<void> {
    const db = await remembered()
    if (on) await db.put('vaults', this.local, this.place.name)
    else await db.delete('vaults', this.place.name)
    db.close()
    this.remembered = on
  }

  async destroy(): Promise<void> {
    this.vault.close()
    if (this.remembered) await this.remember(false)
    sessionStorage.removeItem(TAB_KEY)
    await deleteDatabase(this.place.name)
  }
}

/** This tab's vault before it was reloaded; its half is in the session storage, or it is remembered. */
async function placeOfTab(): Promise<Place | null> {
  const [name, half] = sessionStorage.getItem(TAB_KEY)?.split('.') ?? []
  if (name === undefined) return null
  const kept = (await rememberedVaults()).get(name)
  const local = half === undefined ? kept : await takeHalf(b64uDecode(half))
  if (!local || !(await hold(name, LOCK_PATIENCE_MS))) return null
  return { name, local, remembered: kept !== undefined }
}

/** A vault that was remembered and that no tab holds. */
async function placeRemembered(): Promise<Place | null> {
  for (const [name, local] of await rememberedVaults()) {
    if (!(await hold(name, 0))) continue
    sessionStorage.setItem(TAB_KEY, name)
    return { name, local, remembered: true }
  }
  return null
}

async function newPlace(): Promise<Place> {
  const half = crypto.getRandomValues(new Uint8Array(32))
  const name = b64uEncode(crypto.getRandomValues(new Uint8Array(16)))
  sessionStorage.setItem(TAB_KEY, `${name}.${b64uEncode(half)}`)
  await hold(name, 0)
  return { name, local: await takeHalf(half), remembered: false }
}

/** The local half as a key that can't be read out, and wiped. */
async function takeHalf(half: Bytes): Promise<CryptoKey> {
  const local = await importLocalHalf(half)
  wipe(half)
  return local
}

async function rememberedVaults(): Promise<Map<string, CryptoKey>> {
  const db = await remembered()
  const vaults = new Map<string, CryptoKey>()
  for await (const cursor of db.transaction('vaults').store.iterate()) {
    vaults.set(cursor.key, cursor.value)
  }
  db.close()
  return vaults
}

/** Takes the lock for as long as this page lives; false when another tab has it. */
function hold(name: string, patienceMs: number): Promise<boolean> {
  const options =
    patienceMs > 0 ? { signal: AbortSignal.timeout(patienceMs) } : { ifAvailable: true }
  return new Promise((resolve) => {
    navigator.locks
      .request(`quarter ${name}`, options, (lock) => {
        resolve(lock !== null)
        return lock === null ? undefined : new Promise<never>(() => {})
      })
      .catch(() => resolve(false))
  })
}

/** Deletes vaults whose tabs are long gone; nothing waits for it. */
async function sweepAbandoned(now: number): Promise<void> {
  const held = new Set((await navigator.locks.query()).held?.map(({ name }) => name))
  const keep = await rememberedVaults()
  for (const name of await databaseNames()) {
    if (keep.has(name) || held.has(`quarter ${name}`)) continue
    const db = await openDatabase(name)
    const usedAt = await db.get('identity', 'usedAt')
    db.close()
    if (typeof usedAt === 'number' && now - usedAt > ABANDONED_MS) await deleteDatabase(name)
  }
}
