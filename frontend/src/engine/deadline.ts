/**
 * When a conversation ends by itself (PROTOCOL §9).
 *
 * Two clocks are asked, because each fails in its own way: the wall clock can be set back, the
 * monotonic one may stand still while the machine sleeps. Whichever says first that the time is up
 * is believed.
 */

export interface Clock {
  /** Milliseconds since 1970. */
  wall(): number
  /** Milliseconds that never run backwards, from any start. */
  monotonic(): number
}

export const browserClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
}

const SLACK_MS = 5_000
const DAY_SECONDS = 24 * 3600

/** The shortest and the longest time that the server lets a conversation live after its last message. */
export interface Bounds {
  readonly minSeconds: number
  readonly maxSeconds: number
}

/** A time that the peer chose, as this side obeys it: within the bounds, and a day whatever anybody says. */
export function within(seconds: number, { minSeconds, maxSeconds }: Bounds): number {
  const longest = Math.min(maxSeconds, DAY_SECONDS)
  return Math.max(Math.min(seconds, longest), Math.min(minSeconds, longest))
}

export interface Deadline {
  readonly activeAt: number
  readonly activeTick: number
  readonly ttlMs: number
}

/** A deadline `ttlSeconds` after an activity at the wall clock's `activeAt`, now or in the past. */
export function deadlineAfter(clock: Clock, activeAt: number, ttlSeconds: number): Deadline {
  const past = Math.max(0, clock.wall() - activeAt)
  return { activeAt, activeTick: clock.monotonic() - past, ttlMs: ttlSeconds * 1000 }
}

/** The same activity with another ttl. */
export const withTtl = (deadline: Deadline, ttlSeconds: number): Deadline => ({
  ...deadline,
  ttlMs: ttlSeconds * 1000,
})

export const endsAt = (deadline: Deadline): number => deadline.activeAt + deadline.ttlMs

export function hasPassed(clock: Clock, deadline: Deadline): boolean {
  return (
    clock.wall() >= endsAt(deadline) || clock.monotonic() - deadline.activeTick >= deadline.ttlMs
  )
}

/** Whether it has passed, or will within the moments by which the clocks of two machines differ. */
export const isDue = (clock: Clock, deadline: Deadline): boolean =>
  hasPassed(clock, { ...deadline, ttlMs: deadline.ttlMs - SLACK_MS })
