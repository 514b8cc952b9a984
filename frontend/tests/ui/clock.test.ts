import { describe, expect, test } from 'vitest'
import {
  dayText,
  durationText,
  isoText,
  leftShort,
  leftText,
  timeText,
} from '../../src/composables/clock'

describe('times in words', () => {
  test('a duration is said in its largest whole unit', () => {
    expect(durationText(900)).toBe('15 minutes')
    expect(durationText(60)).toBe('1 minute')
    expect(durationText(90)).toBe('90 seconds')
    expect(durationText(86_400)).toBe('24 hours')
  })

  test('the time left is rounded up, so that a whole quarter says fifteen', () => {
    expect(leftText(900_000)).toBe('15 minutes')
    expect(leftText(840_001)).toBe('15 minutes')
    expect(leftText(59_000)).toBe('59 seconds')
    expect(leftText(-5)).toBe('0 seconds')
    expect(leftText(86_400_000)).toBe('24 hours')
  })

  test('the ring counts minutes, and seconds in the last two', () => {
    expect(leftShort(900_000)).toBe('15')
    expect(leftShort(121_000)).toBe('3')
    expect(leftShort(120_000)).toBe('2:00')
    expect(leftShort(61_000)).toBe('1:01')
    expect(leftShort(0)).toBe('0:00')
    expect(leftShort(86_400_000)).toBe('24h')
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300])(
    'a peer whose clock says %d does not break the page',
    (at) => {
      expect(timeText(at)).toBe('')
      expect(dayText(at)).toBe('')
      expect(isoText(at)).toBe('')
    },
  )
})
