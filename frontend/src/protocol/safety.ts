/** The safety number that two people compare (PROTOCOL §8). */
import { ascii, comparePublic, type Bytes } from './bytes'
import { hash, hkdf } from './primitives'

const ROUNDS = 5200
const GROUPS = 12

/** Twelve groups of five digits, the same whichever hash comes first. About 0.2 s of work. */
export async function safetyNumber(hashA: Bytes, hashB: Bytes): Promise<string[]> {
  const [a, b] = comparePublic(hashA, hashB) <= 0 ? [hashA, hashB] : [hashB, hashA]
  let x = await hash(ascii('quarter/1 safety'), a, b)
  for (let round = 1; round < ROUNDS; round += 1) x = await hash(x, a, b)
  const digits = await hkdf(x, new Uint8Array(0), ascii('quarter/1 safety digits'), GROUPS * 5)
  return Array.from({ length: GROUPS }, (_, group) =>
    fiveDigits(digits.subarray(group * 5, group * 5 + 5)),
  )
}

/** What the QR code of a safety number says. */
export function safetyCode(groups: readonly string[]): string {
  return `quarter/1 safety ${groups.join('')}`
}

function fiveDigits(bytes: Uint8Array): string {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  return String(value % 100_000).padStart(5, '0')
}
