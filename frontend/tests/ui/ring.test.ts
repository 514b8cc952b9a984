import { describe, expect, test } from 'vitest'
import { endsSoon, ringDash, ringFraction, timeLeft } from '../../src/composables/ring'

const NOW = 1_800_000_000_000
const inMinutes = (minutes: number): number => NOW + minutes * 60_000

describe('the ring', () => {
  test('is whole just after a message, half at half-time, empty at the deadline', () => {
    expect(ringFraction(inMinutes(15), 900, NOW)).toBe(1)
    expect(ringFraction(inMinutes(7.5), 900, NOW)).toBe(0.5)
    expect(ringFraction(NOW, 900, NOW)).toBe(0)
  })

  test('never shows more than all or less than nothing', () => {
    expect(ringFraction(inMinutes(20), 900, NOW)).toBe(1)
    expect(ringFraction(inMinutes(-5), 900, NOW)).toBe(0)
    expect(ringFraction(inMinutes(5), 900, Number.POSITIVE_INFINITY)).toBe(0)
    expect(ringFraction(inMinutes(5), 0, NOW)).toBe(0)
  })

  test('a message that came since the last tick shows the whole quarter, not sixteen minutes', () => {
    expect(timeLeft(NOW + 900_800, 900, NOW)).toBe(900_000)
    expect(timeLeft(NOW + 1000, 900, NOW)).toBe(1000)
    expect(timeLeft(NOW - 1, 900, NOW)).toBe(0)
  })

  test('draws exactly that part of the circle', () => {
    expect(ringDash(0.25, 17)).toBe('26.70 106.81')
    expect(ringDash(0, 17)).toBe('0.00 106.81')
  })

  test('warns in the last two minutes and not before, nor after the end', () => {
    expect(endsSoon(NOW + 120_001, 900, NOW)).toBe(false)
    expect(endsSoon(NOW + 120_000, 900, NOW)).toBe(true)
    expect(endsSoon(NOW + 1, 900, NOW)).toBe(true)
    expect(endsSoon(NOW, 900, NOW)).toBe(false)
  })

  test('warns a one-minute conversation at half-time, not from the start', () => {
    expect(endsSoon(NOW + 31_000, 60, NOW)).toBe(false)
    expect(endsSoon(NOW + 30_000, 60, NOW)).toBe(true)
  })
})
