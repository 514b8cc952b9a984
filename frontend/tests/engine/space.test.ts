import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { watchSpace } from '../../src/engine/space'

const vault = { onRoom: (_isFull: boolean): void => {}, tryRoom: vi.fn<() => Promise<void>>() }
let gone: AbortController
let told: boolean[]

beforeEach(() => {
  vi.useFakeTimers()
  gone = new AbortController()
  told = []
  vault.tryRoom.mockReset().mockRejectedValue(new Error('full'))
  watchSpace(vault, (isFull) => void told.push(isFull), gone.signal)
})

afterEach(() => vi.useRealTimers())

async function looksIn(seconds: number): Promise<number> {
  vault.tryRoom.mockClear()
  await vi.advanceTimersByTimeAsync(seconds * 1000)
  return vault.tryRoom.mock.calls.length
}

it('a full vault is looked at every 2 s, until it has room', async () => {
  expect(await looksIn(10)).toBe(0)
  vault.onRoom(true)
  expect(await looksIn(10)).toBe(5)
  vault.onRoom(false)
  expect([await looksIn(10), told]).toEqual([0, [true, false]])
})

it('is not looked at any more when the page has given it up', async () => {
  vault.onRoom(true)
  gone.abort()
  expect(await looksIn(10)).toBe(0)
})

it('that is found to be full only after that is not looked at either', async () => {
  gone.abort()
  vault.onRoom(true)
  expect([await looksIn(10), told]).toEqual([0, [true]])
})
