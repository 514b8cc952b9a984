/** The ways in which bytes may come to stand in a text. */
import { inspect } from 'node:util'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** As bytes, in hex, in base64 of both alphabets wherever it begins, and as lists of numbers. White space left out. */
export function spellings(bytes: Uint8Array): string[] {
  const plain = Buffer.from(bytes)
  const hex = plain.toString('hex')
  const shifted = [0, 1, 2].map((before) =>
    base64(Buffer.concat([Buffer.alloc(before), plain])).slice(4, -4),
  )
  const urls = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const members = JSON.stringify({ ...plain.subarray(0, 16) }).slice(1, -1)
  const texts = [plain.toString('latin1'), plain.toString('utf8')].map(squeeze)
  return [...texts, hex, hex.toUpperCase(), ...shifted, ...urls, [...plain].join(','), members]
}

const squeeze = (text: string): string => text.replaceAll(/\s/g, '')

/** Which of the secrets a text has, whatever its spelling; secrets are of 8 bytes or more. */
export function secretsIn(text: string, secrets: readonly Uint8Array[]): Uint8Array[] {
  const all = squeeze(text)
  return secrets.filter((secret) =>
    spellings(secret).some((spelling) => spelling.length >= 8 && all.includes(spelling)),
  )
}

/** All that an error could tell, hidden members and causes included, and however it is printed. */
export const told = (error: unknown): string =>
  [String(error), JSON.stringify(error), inspect(error), ...textsIn(error, new Set())].join('\n')

function textsIn(value: unknown, known: Set<unknown>): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || known.has(value)) return []
  known.add(value)
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('hex')]
  return Reflect.ownKeys(value).flatMap((key) => [
    String(key),
    ...textsIn(Reflect.get(value, key), known),
  ])
}
