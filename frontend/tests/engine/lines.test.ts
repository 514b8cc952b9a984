import { expect, it } from 'vitest'
import { isActivity } from '../../src/engine/lines'

it('only what a person does moves the clock', () => {
  const base = { at: 1, seen: 0 }
  expect(isActivity({ t: 'text', text: 'x', ...base })).toBe(true)
  expect(isActivity({ t: 'timer', seconds: 900, ...base })).toBe(true)
  expect(isActivity({ t: 'unknown', type: 'react', ...base })).toBe(true)
  expect(isActivity({ t: 'ack', ...base })).toBe(false)
  expect(isActivity({ t: 'unknown', type: 'read', ...base })).toBe(false)
})
