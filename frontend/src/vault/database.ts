/** The vault's IndexedDB: one database for each identity, so that erasing is deleting it. */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type StoreNames } from 'idb'
import type { Bytes } from '../protocol'

export interface VaultSchema extends DBSchema {
  /** Of the identity: its key, the processed offers, an arrival, the person's choices; `usedAt` alone lies open (a number, ms). */
  identity: { key: string; value: Bytes | number }
  links: { key: string; value: Bytes }
  /** `version` lies open: it guards every write (PROTOCOL §6). */
  conversations: { key: string; value: { version: number; sealed: Bytes } }
  /** By session and place in order. */
  records: { key: [string, number]; value: Bytes }
  /** By session and n. */
  outbox: { key: [string, number]; value: Bytes }
  /** By session and number. */
  drafts: { key: [string, number]; value: Bytes }
}

export type Database = IDBPDatabase<VaultSchema>
export type Store = StoreNames<VaultSchema>
export const STORES: readonly Store[] = [
  'identity',
  'links',
  'conversations',
  'records',
  'outbox',
  'drafts',
]
/** The stores whose keys begin with a session id. */
export const SESSION_STORES = ['records', 'outbox', 'drafts'] as const

const PREFIX = 'quarter-'

export function openDatabase(name: string): Promise<Database> {
  return openDB<VaultSchema>(PREFIX + name, 1, {
    upgrade(db) {
      for (const store of STORES) db.createObjectStore(store)
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  })
}

export const deleteDatabase = (name: string): Promise<void> => deleteDB(PREFIX + name)

/** Names of the vaults in this browser; empty where the browser doesn't tell. */
export async function databaseNames(): Promise<string[]> {
  const all = (await indexedDB.databases?.()) ?? []
  return all.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []))
}

/** All keys of one session in a store with [session, number] keys. */
export const rangeOf = (session: string): IDBKeyRange =>
  IDBKeyRange.bound([session, 0], [session, Number.MAX_SAFE_INTEGER])
