import fc from 'fast-check'
import type { Bytes } from '../../src/protocol'

/** The place of a bit in so many bytes, each as likely as the others. */
export const bitIn = (bytes: number): fc.Arbitrary<number> => fc.noBias(fc.nat(8 * bytes - 1))

/** A copy with one bit changed; the bits of a byte are counted from the lowest. */
export function flipBit(bytes: Bytes, bit: number): Bytes {
  const at = bit >> 3
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)))
}
