import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { databaseNames } from '../../src/vault/database'
import { openTab, type Tab } from '../../src/vault/tab'

const HOUR_MS = 3600_000
const now = 1_700_000_000_000
const key = Uint8Array.of(1, 2, 3)

/** The browser's locks and one tab's session storage; a tab that goes frees what it held. */
let locks: Set<string>
let storage: Map<string, string>

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
  locks = new Set()
  useTab(new Map())
  vi.stubGlobal('navigator', {
    locks: {
      async request(
        name: string,
        options: { ifAvailable?: boolean },
        task: (lock: object | null) => unknown,
      ) {
        if (!locks.has(name)) {
          locks.add(name)
          return void task({})
        }
        if (options.ifAvailable) return void task(null)
        throw new DOMException('the patience is over', 'TimeoutError')
      },
      query: async () => ({ held: [...locks].map((name) => ({ name })) }),
    },
  })
})

function useTab(kept: Map<string, string>): void {
  storage = kept
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  })
}

/** The page goes away, as in a reload or when the browser is closed. */
function goes(tab: Tab): void {
  tab.vault.close()
  locks.clear()
}

describe('a tab', () => {
  it('finds its own vault again after a reload', async () => {
    const before = await openTab(now)
    await before.vault.writeIdentity(key)
    goes(before)
    const after = await openTab(now)
    expect(await after.vault.readIdentity()).toEqual(key)
    await after.destroy()
  })

  it('that is a copy of another becomes a new user', async () => {
    const original = await openTab(now)
    await original.vault.writeIdentity(key)
    useTab(new Map(storage))
    const copy = await openTab(now)
    expect(await copy.vault.readIdentity()).toBeNull()
    expect(await original.vault.readIdentity()).toEqual(key)
    await copy.destroy()
    await original.destroy()
  })

  it('leaves nothing that another could open, unless the person chose to be remembered', async () => {
    const before = await openTab(now)
    await before.vault.writeIdentity(key)
    goes(before)
    useTab(new Map())
    const other = await openTab(now)
    expect(await other.vault.readIdentity()).toBeNull()
    await other.remember(true)
    await other.vault.writeIdentity(key)
    goes(other)
    useTab(new Map())
    const back = await openTab(now)
    expect(back.remembered).toBe(true)
    expect(await back.vault.readIdentity()).toEqual(key)
    await back.destroy()
    expect(storage.size).toBe(0)
  })

  it('deletes a vault that was left a day ago, and none that was in use since', async () => {
    const left = await openTab(now)
    await left.vault.writeIdentity(key)
    goes(left)
    const [abandoned] = await databaseNames()
    useTab(new Map())
    const used = await openTab(now)
    await used.vault.touch(now + 20 * HOUR_MS)
    goes(used)
    useTab(new Map())
    const later = await openTab(now + 25 * HOUR_MS)
    const isGone = async () => expect(await databaseNames()).not.toContain(abandoned)
    await vi.waitFor(isGone, { timeout: 30_000 })
    expect(await databaseNames()).toHaveLength(2)
    await later.destroy()
  })
})
