/** The arithmetic of the ring. Pure. */

/** The person is warned this long before the end. */
export const WARNING_MS = 120_000

/** Milliseconds left; never more than the whole, though a message moves the deadline before the clock ticks. */
export const timeLeft = (deadline: number, ttlSeconds: number, now: number): number =>
  Math.min(ttlSeconds * 1000, Math.max(0, deadline - now))

/** How much of the ring is still lit: 1 just after a message, 0 at the deadline. */
export function ringFraction(deadline: number, ttlSeconds: number, now: number): number {
  const fraction = (deadline - now) / (ttlSeconds * 1000)
  return Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0
}

/** True in the last two minutes; a conversation set shorter than four is warned at half-time. */
export function endsSoon(deadline: number, ttlSeconds: number, now: number): boolean {
  const left = deadline - now
  return left > 0 && left <= Math.min(WARNING_MS, (ttlSeconds * 1000) / 2)
}

/** `stroke-dasharray` for the lit part of a circle of that radius. */
export function ringDash(fraction: number, radius: number): string {
  const around = 2 * Math.PI * radius
  return `${(fraction * around).toFixed(2)} ${around.toFixed(2)}`
}
