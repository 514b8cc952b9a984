// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest'
import * as reloading from '../../src/composables/reload'
import type { EngineErrorCode } from '../../src/engine/types'
import { errorText } from '../../src/texts'
import { aMessage, FakeEngine } from './fakeEngine'
import { converse, find, openPage, press, queryButton, settle, text, the } from './page'

vi.mock('../../src/composables/reload', () => ({ reload: vi.fn<() => void>() }))

test.each([
  ['insecure-context', 'This address is not safe enough.'],
  ['no-storage', 'This browser keeps nothing.'],
  ['outdated', 'There is a newer Quarter.'],
] as const)('%s: the page stops, and says why', async (code, words) => {
  const engine = await openPage()
  engine.emit({ type: 'fatal', code })
  await settle()
  expect(the('main h1').textContent).toContain(words)
  expect(find('nav')).toBeNull()
})

test('an identity that is open elsewhere shows nothing here, until it is fetched back', async () => {
  const engine = await openPage()
  await converse(engine, {}, aMessage('a secret'))
  engine.emit({ type: 'connection', connection: { state: 'elsewhere' } })
  await settle()
  expect(text()).not.toContain('a secret')
  await press('Use it here')
  expect(reloading.reload).toHaveBeenCalledOnce()
})

test('an engine that can’t start is said, not hidden', async () => {
  const engine = new FakeEngine()
  engine.refuse('start', new Error('boom'))
  await openPage(engine)
  expect(text()).toContain('Quarter could not start.')
  expect(queryButton('Load again')).not.toBeNull()
})

test('the connection is told in words: the next try counts down', async () => {
  const engine = await openPage()
  const line = the('[data-testid="connection"]')
  expect(line.textContent).toContain('Connected')
  engine.emit({ type: 'connection', connection: { state: 'waiting', retryAt: Date.now() + 5000 } })
  await settle()
  expect(line.textContent).toMatch(/No connection\. Next try in [56] s/u)
})

test('a browser without room is told in words, as long as it has none', async () => {
  const engine = await openPage()
  for (const isFull of [true, false]) {
    engine.emit({ type: 'storage', isFull })
    await settle()
    expect(text().includes('This browser has no room left.')).toBe(isFull)
  }
})

test('a used link that is tried again is reported to its owner', async () => {
  const engine = await openPage()
  engine.emit({ type: 'notice', notice: { kind: 'link-tried-again', name: 'Ada' } })
  await settle()
  expect(the('[aria-label="Notices"]').textContent).toContain('Somebody tried the link “Ada”')
  await press('Close this notice')
  expect(the('[aria-label="Notices"]').textContent).toBe('')
})

const CODES: EngineErrorCode[] = [
  'bad-address',
  'own-address',
  'unknown-peer',
  'key-mismatch',
  'too-long',
  'too-fast',
  'full',
  'offline',
  'not-open',
  'refused',
]

test('every error has a sentence of its own that says what to do, without jargon', () => {
  const sentences = CODES.map((code) => errorText(code, null))
  expect(new Set(sentences).size).toBe(CODES.length)
  for (const sentence of sentences) {
    expect(sentence).toMatch(/^[A-Z].{20,160}\.$/u)
    expect(sentence).not.toMatch(/error|invalid|failed|exception/iu)
  }
  expect(errorText('full', 30)).toContain('30 seconds')
  expect(errorText('offline', 30)).toBe(errorText('offline', null))
})
