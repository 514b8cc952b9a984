import { expect, test } from 'vitest'
import { separate } from '../../src/composables/separators'
import { aMessage } from './fakeEngine'

const NOON = new Date(2026, 10, 22, 12).getTime()
const at = (minutes: number, mine = false) => aMessage('x', { at: NOON + minutes * 60_000, mine })

test('the day stands before its first message, and the time after five quiet minutes', () => {
  const rows = separate([at(0), at(4), at(10), at(24 * 60)])
  expect(rows.map((row) => row.kind)).toEqual([
    'day',
    'message',
    'message',
    'time',
    'message',
    'day',
    'message',
  ])
})

test('one speaker going on is drawn together, a change of speaker apart', () => {
  const rows = separate([at(0), at(1), at(2, true)])
  const joined = rows.flatMap((row) => (row.kind === 'message' ? row.joined : []))
  expect(joined).toEqual([false, true, false])
})

test('a peer with an impossible clock has its message shown, without a day or a time', () => {
  for (const impossible of [Number.NaN, Number.MAX_SAFE_INTEGER]) {
    const rows = separate([at(0), aMessage('x', { at: impossible })])
    expect(rows.map((row) => row.kind)).toEqual(['day', 'message', 'message'])
  }
})

test('every row has a key of its own', () => {
  const rows = separate([at(0), at(10), at(20)])
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
})
