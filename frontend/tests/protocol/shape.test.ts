/** The shape of the code is a promise too: the protocol is pure, and no markup is made from strings. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '../../src')

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

const withoutComments = (source: string): string =>
  source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')

function offenders(folder: string, pattern: RegExp): string[] {
  return filesBelow(folder).filter((file) =>
    pattern.test(withoutComments(readFileSync(file, 'utf8'))),
  )
}

describe('the protocol', () => {
  const folder = join(SRC, 'protocol')

  test('imports itself, MessagePack and X-Wing, and nothing else', () => {
    const imports = filesBelow(folder).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? ''),
    )
    const foreign = new Set(imports.filter((name) => !/^\.\/[a-z]+$/.test(name)))
    expect([...foreign].toSorted()).toEqual([
      '@msgpack/msgpack',
      '@noble/post-quantum/hybrid.js',
      '@noble/post-quantum/webcrypto.js',
    ])
  })

  test('has no clock, no page, no network and no store', () => {
    const worldly =
      /\b(Date|performance|setTimeout|fetch|WebSocket|document|window|localStorage|indexedDB)\b/
    expect(offenders(folder, worldly)).toEqual([])
  })

  test('casts nothing and asserts nothing away', () => {
    expect(offenders(folder, /(?<!\{ \w+ )\bas (?!const\b)\w|\w!\.|: any\b|<any\b/)).toEqual([])
  })
})

test('no part of the page makes markup from strings, or dice, or logs', () => {
  const forbidden = /v-html|innerHTML|outerHTML|insertAdjacentHTML|Math\.random|console\./
  expect(offenders(SRC, forbidden)).toEqual([])
})
