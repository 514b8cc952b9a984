// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepHistory } from '../../src/composables/history'
import { usePlaces } from '../../src/stores/places'

/** A browser's session history, as far as the page sees it: travelling takes a turn. */
class Entries {
  states: unknown[] = [null]
  at = 0
  replaceState = (state: unknown): void => {
    this.states[this.at] = state
  }
  pushState = (state: unknown): void => {
    this.states = [...this.states.slice(0, this.at + 1), state]
    this.at += 1
  }
  go = (by: number): void => {
    queueMicrotask(() => {
      this.at += by
      window.dispatchEvent(new PopStateEvent('popstate', { state: this.states[this.at] }))
    })
  }
}

let entries: Entries
let stop: () => void
let places: ReturnType<typeof usePlaces>
const travelled = (): Promise<void> => new Promise((done) => setTimeout(done))

beforeEach(() => {
  entries = new Entries()
  vi.stubGlobal('history', entries)
  setActivePinia(createPinia())
  places = usePlaces()
  stop = keepHistory(places)
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

test('the back button closes the dialog first, then the conversation', async () => {
  places.open('s1')
  places.ask({ name: 'leave', id: 's1' })
  expect(entries.at).toBe(2)
  entries.go(-1)
  await travelled()
  expect(places.dialog).toBeNull()
  expect(places.screen.name).toBe('conversation')
  entries.go(-1)
  await travelled()
  expect(places.atHome).toBe(true)
})

test('leaving a screen by its own button leaves no dead step behind', async () => {
  places.open('s1')
  places.home()
  await travelled()
  expect(entries.at).toBe(0)
})

test('from one conversation to the next is no step: back leads home', () => {
  places.open('s1')
  places.open('s2')
  expect(entries.at).toBe(1)
})

test('opening something while travelling back ends where the person is', async () => {
  places.open('s1')
  places.home()
  places.open('s2')
  await travelled()
  expect(entries.at).toBe(1)
  expect(places.screen).toEqual({ name: 'conversation', id: 's2' })
})

test('nothing of a conversation is written into the browser’s history', () => {
  places.open('a-session-id')
  places.ask({ name: 'safety', id: 'a-session-id' })
  expect(JSON.stringify(entries.states)).toBe('[{"depth":0},{"depth":1},{"depth":2}]')
})

test('an entry that the address bar made does not throw the person out', () => {
  places.open('s1')
  entries.pushState(null)
  window.dispatchEvent(new PopStateEvent('popstate', { state: null }))
  expect(places.screen.name).toBe('conversation')
})
