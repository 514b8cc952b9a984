import { createHash, hkdfSync } from 'node:crypto'

import { expect, test } from 'vitest'

import { safetyCode, safetyNumber, type Bytes } from '../../src/protocol'

const a = new Uint8Array(32).fill(1)
const b = new Uint8Array(32).fill(2)

/** PROTOCOL §8 once more, by another library. */
function expected(smaller: Bytes, larger: Bytes): string[] {
  const sha = (...parts: (string | Uint8Array)[]) =>
    parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest()
  let x = sha('quarter/1 safety', smaller, larger)
  for (let round = 0; round < 5199; round += 1) x = sha(x, smaller, larger)
  const d = Buffer.from(hkdfSync('sha256', x, '', 'quarter/1 safety digits', 60))
  return Array.from({ length: 12 }, (_, i) =>
    String(d.readUIntBE(i * 5, 5) % 100_000).padStart(5, '0'),
  )
}

test('two people see one safety number, twelve groups of five digits', async () => {
  const groups = await safetyNumber(a, b)
  expect(groups).toEqual(expected(a, b))
  expect(await safetyNumber(b, a)).toEqual(groups)
  expect(groups.join(' ')).toMatch(/^(\d{5} ){11}\d{5}$/)
})

test('another key gives another safety number', async () => {
  expect(await safetyNumber(a, new Uint8Array(32).fill(3))).not.toEqual(await safetyNumber(a, b))
})

test('the code for the camera is the sixty digits under a name of their own', () => {
  expect(safetyCode(['00001', '23456'])).toBe('quarter/1 safety 0000123456')
})
