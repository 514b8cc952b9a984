/**
 * Pauses between tries: doubling from half a second to 4 s, each spread over its upper half. No longer,
 * as everything has to flow again 5 s after the network or the server is back (DESIGN §6, R4).
 */

const FIRST_MS = 500
const LONGEST_MS = 4_000

/** How long to wait after so many failures in a row (from 0), in ms; `random` is in [0, 1). */
export function pause(failures: number, random: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16))
  return longest * (0.5 + random / 2)
}

/** A number in [0, 1) from the browser's random source. */
export function jitter(): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1))
  return drawn / 2 ** 32
}
