/**
 * Which vault is this tab's, and the local half that opens it (PROTOCOL §9).
 *
 * The half lies in the tab's session storage; where the person chose to be remembered, as a key
 * that can't be read out in the IndexedDB `quarter`. A Web Lock with the vault's name lets one tab
 * alone hold it: a duplicated tab finds it taken and becomes a new user.
 */
import { openDB, type DBSchema } from 'idb'
import { b64uDecode, b64uEncode } from '../protocol'
import { databaseNames, deleteDatabase, openDatabase } from './database'
import { identityKey, importLocalHalf, SealError } from './seal'
import { Vault } from './vault'

const TAB_KEY = 'quarter'
/** A reloading page's lock is freed a moment after its successor starts. */
const LOCK_PATIENCE_MS = 1_500
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

interface Remembered extends DBSchema {
  vaults: { key: string; value: { name: string; half: CryptoKey } }
}

interface Place {
  readonly name: string
  readonly local: CryptoKey
  /** b64u of 32 bytes, or null where only the key is left. */
  readonly half: string | null
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
  await vault.readIdentity()
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
    if (on) await db.put('vaults', { name: this.place.name, half: this.local }, 'last')
    else await db.delete('vaults', 'last')
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

async function placeOfTab(): Promise<Place | null> {
  const stored = sessionStorage.getItem(TAB_KEY)
  const [name, half] = stored?.split('.') ?? []
  if (name === undefined || half === undefined) return null
  if (!(await hold(name, LOCK_PATIENCE_MS))) return null
  const local = await importLocalHalf(b64uDecode(half))
  const known = await lastRemembered()
  return { name, local, half, remembered: known?.name === name }
}

async function placeRemembered(): Promise<Place | null> {
  const known = await lastRemembered()
  if (!known || !(await hold(known.name, 0))) return null
  return { name: known.name, local: known.half, half: null, remembered: true }
}

async function newPlace(): Promise<Place> {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const half = b64uEncode(bytes)
  const name = b64uEncode(crypto.getRandomValues(new Uint8Array(16)))
  sessionStorage.setItem(TAB_KEY, `${name}.${half}`)
  await hold(name, 0)
  const local = await importLocalHalf(bytes)
  bytes.fill(0)
  return { name, local, half, remembered: false }
}

async function lastRemembered() {
  const db = await remembered()
  const known = await db.get('vaults', 'last')
  db.close()
  return known
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
  const keep = (await lastRemembered())?.name
  for (const name of await databaseNames()) {
    if (name === keep || held.has(`quarter ${name}`)) continue
    const db = await openDatabase(name)
    const usedAt = await db.get('identity', 'usedAt')
    db.close()
    if (typeof usedAt === 'number' && now - usedAt > ABANDONED_MS) await deleteDatabase(name)
  }
}
