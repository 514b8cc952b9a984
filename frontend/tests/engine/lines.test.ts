import { expect, it } from 'vitest'
import { isActivity, mended } from '../../src/engine/lines'

it('only what a person does moves the clock', () => {
  const base = { at: 1, seen: 0 }
  expect(isActivity({ t: 'text', text: 'x', ...base })).toBe(true)
  expect(isActivity({ t: 'timer', seconds: 900, ...base })).toBe(true)
  expect(isActivity({ t: 'unknown', type: 'react', ...base })).toBe(true)
  expect(isActivity({ t: 'ack', ...base })).toBe(false)
  expect(isActivity({ t: 'unknown', type: 'read', ...base })).toBe(false)
})

it('a text is mended so that a message can carry it', () => {
  expect(mended('\uFEFF\uFEFFhalf \ud83d of it')).toBe('half \ufffd of it')
  expect(mended('as \ufeff it was 👋')).toBe('as \ufeff it was 👋')
})
