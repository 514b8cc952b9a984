import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { b64uEncode, type Bytes } from '../../src/protocol'
import { deleteDatabase, openDatabase, STORES, type Database } from '../../src/vault/database'
import {
  conversationKey,
  identityKey,
  importLocalHalf,
  placeOf,
  seal,
  SealError,
  unseal,
} from '../../src/vault/seal'
import type { StoredConversation, StoredRecord } from '../../src/vault/shapes'
import { StaleVersion, Vault } from '../../src/vault/vault'

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length))

const SESSION = b64uEncode(new Uint8Array(32).fill(7))
const CANARY = 'a phrase that nobody else writes'
const state: StoredConversation = {
  role: 0,
  peer: SESSION,
  name: CANARY,
  linkId: null,
  verified: 'none',
  pending: null,
  offered: true,
  answer: null,
  ratchet: random(64),
  confirmed: true,
  ackOwed: false,
  ttlSeconds: 900,
  activeAt: 1,
  nextOrder: 1,
  peerSeen: 0,
  broken: null,
}
const record: StoredRecord = { order: 0, sender: 0, n: 0, digest: random(32), key: random(44) }

let db: Database
let vault: Vault
let local: CryptoKey
let key: CryptoKey
let name: string

beforeEach(async () => {
  name = b64uEncode(random(9))
  db = await openDatabase(name)
  local = await importLocalHalf(random(32))
  vault = new Vault(db, await identityKey(local))
  key = await conversationKey(local, random(32), new Uint8Array(32).fill(7))
})

afterEach(async () => {
  vault.close()
  await deleteDatabase(name)
})

describe('sealing', () => {
  it('opens only in the place that it was sealed for', async () => {
    const sealed = await seal(key, placeOf('records', ['a', 1]), record.digest)
    await expect(unseal(key, placeOf('records', ['a', 1]), sealed)).resolves.toEqual(record.digest)
    for (const place of [placeOf('records', ['a', 2]), placeOf('outbox', ['a', 1])]) {
      await expect(unseal(key, place, sealed)).rejects.toBeInstanceOf(SealError)
    }
  })

  it('needs the local half and the server’s half', async () => {
    const half = random(32)
    const id = random(32)
    const right = await conversationKey(local, half, id)
    const sealed = await seal(right, 'x', record.digest)
    const others = [
      await conversationKey(local, random(32), id),
      await conversationKey(await importLocalHalf(random(32)), half, id),
      await conversationKey(local, half, random(32)),
      await identityKey(local),
    ]
    for (const other of others) {
      await expect(unseal(other, 'x', sealed)).rejects.toBeInstanceOf(SealError)
    }
  })

  it('gives no key that could be read out', async () => {
    for (const each of [local, key]) {
      expect(each.extractable).toBe(false)
    }
  })
})

describe('the vault', () => {
  it('writes a state with all that goes with it, and reads it again', async () => {
    const version = await vault.commit(key, SESSION, 0, {
      state,
      records: [record],
      outgoing: { n: 0, bytes: record.digest },
      draft: { number: 3, draft: { at: 5, text: CANARY } },
      processed: [SESSION],
    })
    expect(version).toBe(1)
    expect(await vault.read(key, SESSION)).toEqual({ version: 1, state })
    expect(await vault.readRecords(key, SESSION)).toEqual([record])
    expect(await vault.readOutbox(key, SESSION)).toEqual([{ n: 0, bytes: record.digest }])
    expect(await vault.readDrafts(key, SESSION)).toEqual([
      { number: 3, draft: { at: 5, text: CANARY } },
    ])
    expect(await vault.readProcessed()).toEqual([SESSION])
  })

  it('writes nothing at all when the state was changed meanwhile', async () => {
    await vault.commit(key, SESSION, 0, { state })
    await vault.commit(key, SESSION, 1, { state: { ...state, nextOrder: 2 } })
    const late = vault.commit(key, SESSION, 1, { state, records: [record], processed: [SESSION] })
    await expect(late).rejects.toBeInstanceOf(StaleVersion)
    expect((await vault.read(key, SESSION))?.state.nextOrder).toBe(2)
    expect(await vault.readRecords(key, SESSION)).toEqual([])
    expect(await vault.readProcessed()).toEqual([])
  })

  it('writes nothing when the browser aborts in the middle of it, as on a full disk', async () => {
    await vault.commit(key, SESSION, 0, { state })
    const put = vi.spyOn(IDBObjectStore.prototype, 'put')
    put.mockImplementationOnce(function (this: IDBObjectStore, ...args) {
      put.mockRestore()
      const request = this.put(...args)
      this.transaction.abort()
      return request
    })
    const late = vault.commit(key, SESSION, 1, {
      state: { ...state, nextOrder: 9 },
      records: [record],
    })
    await expect(late).rejects.toBeDefined()
    expect((await vault.read(key, SESSION))?.state.nextOrder).toBe(1)
    expect(await vault.readRecords(key, SESSION)).toEqual([])
  })

  it('lets one of two writers win when both computed from the same state', async () => {
    await vault.commit(key, SESSION, 0, { state })
    const both = [1, 2].map((nextOrder) =>
      vault.commit(key, SESSION, 1, { state: { ...state, nextOrder } }),
    )
    const results = await Promise.allSettled(both)
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  it('keeps no text, name or key that can be read in its files', async () => {
    const bytes = random(44)
    await vault.writeIdentity(bytes.slice())
    await vault.writeLink({
      id: 'l',
      secret: random(16),
      name: CANARY,
      createdAt: 1,
      expiresAt: 2,
      spent: false,
      answered: [],
    })
    await vault.commit(key, SESSION, 0, {
      state,
      records: [record],
      draft: { number: 0, draft: { at: 1, text: CANARY } },
    })
    const kept = await Promise.all(STORES.map((store) => db.getAll(store)))
    const all = Buffer.concat(kept.flat().flatMap(bytesIn))
    expect(all.length).toBeGreaterThan(300)
    expect(all.includes(CANARY)).toBe(false)
    expect(all.includes(Buffer.from(bytes))).toBe(false)
    expect(all.includes(Buffer.from(record.key ?? []))).toBe(false)
  })

  it('forgets all of one conversation and nothing of another', async () => {
    const other = b64uEncode(new Uint8Array(32).fill(8))
    for (const id of [SESSION, other]) {
      await vault.commit(key, id, 0, {
        state,
        records: [record],
        outgoing: { n: 0, bytes: record.digest },
      })
    }
    await vault.forget(SESSION)
    expect(await vault.conversationIds()).toEqual([other])
    expect(await vault.readRecords(key, SESSION)).toEqual([])
    expect(await vault.readOutbox(key, SESSION)).toEqual([])
    expect(await vault.readRecords(key, other)).toEqual([record])
  })

  it('tells once that there is no room, and once that there is again', async () => {
    const told: boolean[] = []
    vault.onRoom = (isFull) => told.push(isFull)
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError')
    })
    for (let times = 0; times < 2; times++) {
      await expect(vault.tryRoom()).rejects.toMatchObject({ name: 'QuotaExceededError' })
    }
    put.mockRestore()
    await expect(vault.commit(key, SESSION, 7, { state })).rejects.toBeInstanceOf(StaleVersion)
    expect(told).toEqual([true])
    for (let times = 0; times < 2; times++) await vault.tryRoom()
    expect(told).toEqual([true, false])
    expect(await db.getAllKeys('identity')).toEqual([])
  })

  it('drops outgoing bytes once they are stored, and only those', async () => {
    for (const n of [0, 1, 2]) {
      await vault.commit(key, SESSION, n, { state, outgoing: { n, bytes: record.digest } })
    }
    await vault.stored(SESSION, 1)
    expect((await vault.readOutbox(key, SESSION)).map(({ n }) => n)).toEqual([2])
  })
})

function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(bytesIn)
}
