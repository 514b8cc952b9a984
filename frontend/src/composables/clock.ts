/** Times and durations as people read them. Pure; milliseconds in, text out. */

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

/** The largest time that a Date can hold: a peer's clock may say anything. */
export const isTime = (at: number): boolean => Math.abs(at) <= 8.64e15

export const timeText = (at: number): string => (isTime(at) ? time.format(at) : '')
export const dayText = (at: number): string => (isTime(at) ? day.format(at) : '')
export const isoText = (at: number): string => (isTime(at) ? new Date(at).toISOString() : '')

const plural = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`

/** A duration set by someone: "15 minutes", "90 seconds", "2 hours". */
export function durationText(seconds: number): string {
  if (seconds % 3600 === 0) return plural(seconds / 3600, 'hour')
  if (seconds % 60 === 0) return plural(seconds / 60, 'minute')
  return plural(seconds, 'second')
}

export const secondsText = (seconds: number): string =>
  plural(Math.max(1, Math.ceil(seconds)), 'second')

/** Time left, in words: minutes, and hours above one; seconds under one minute. */
export function leftText(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  if (seconds < 60) return plural(seconds, 'second')
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? plural(minutes, 'minute') : plural(Math.round(minutes / 60), 'hour')
}

/** Time left, for the middle of a ring: "14", and "1:59" in the last two minutes. */
export function leftShort(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  if (seconds > 5400) return `${Math.round(seconds / 3600)}h`
  if (seconds > 120) return String(Math.ceil(seconds / 60))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
