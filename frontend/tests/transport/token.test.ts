import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { forgetToken, keepToken, keptToken } from '../../src/transport/token'

beforeEach(() => {
  const kept = new Map<string, string>()
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

it('a token is handed out to the identity that it was given to', () => {
  keepToken('alice', 'token-of-alice')
  expect(keptToken('alice')).toBe('token-of-alice')
})

it('a copied tab that holds another identity does not go on as its original', () => {
  keepToken('alice', 'token-of-alice')
  expect(keptToken('bob')).toBeNull()
})

it('a forgotten token is gone', () => {
  keepToken('alice', 'token-of-alice')
  forgetToken()
  expect(keptToken('alice')).toBeNull()
})
