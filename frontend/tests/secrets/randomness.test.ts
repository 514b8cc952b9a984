/** Every random value is drawn from the browser's generator, at the length that PROTOCOL names, and is what is used. */
import 'fake-indexeddb/auto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import ts from 'typescript'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import * as protocol from '../../src/protocol'
import { sealRsa } from '../../src/protocol/primitives'
import { jitter } from '../../src/transport/backoff'
import { identityKey, importLocalHalf, seal } from '../../src/vault/seal'
import { openTab } from '../../src/vault/tab'
import { Person, World } from '../engine/world'
import {
  bytesOf,
  converse,
  deliver,
  hello,
  kem,
  makePeople,
  meet,
  say,
  sideOf,
  text,
  type Side,
} from '../protocol/people'
import { callsOf, find, FRONTEND, pathsWith } from './sources'
import { draws, watch, type Seen } from './watch'

/** A seed of X-Wing, and the 16 bytes with which the library blinds an X25519 multiplication. */
const GENERATE = [32, 16]
/** 32 bytes for ML-KEM and 32 for X25519, and two blinded multiplications. */
const ENCAPSULATE = [64, 16, 16]
const DECAPSULATE = [16]

let alice: protocol.Identity
let bob: protocol.Identity
let seen: Seen[]

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
})

/** Does the work under watch, from an empty list. */
async function watching<T>(work: () => Promise<T> | T): Promise<T> {
  seen.length = 0
  return await work()
}

const drawn = (length: number): string[] =>
  seen.flatMap(({ how, bytes, was }) => (how === 'drawn' && bytes.length === length ? [was] : []))

const sealedByRsa = (): string[] =>
  seen.flatMap(({ how, of, was }) => (how === 'sealed' && of === 'RSA-OAEP' ? [was] : []))

const b64u = (digits = ''): string => protocol.b64uEncode(bytesOf(digits))

const hex = (bytes: Uint8Array, from = 0, to = bytes.length): string =>
  protocol.toHex(bytes.subarray(from, to))

describe('of the browser’s generator', () => {
  beforeEach(() => {
    seen = watch()
  })

  afterEach(() => {
    vi.unstubAllGlobals()
  })

  test('an identity takes nothing but a probe of its pair: its key is WebCrypto’s own', async () => {
    const generateKey = vi.spyOn(crypto.subtle, 'generateKey')
    await watching(async () => protocol.importIdentity(await protocol.generateIdentity()))
    expect(draws(seen)).toEqual([32])
    expect(sealedByRsa()).toEqual(drawn(32))
    expect(generateKey.mock.calls).toHaveLength(1)
    expect(generateKey.mock.calls[0]?.[0]).toMatchObject({ name: 'RSA-OAEP', modulusLength: 3072 })
  })

  test('an invite secret is 16 drawn bytes', async () => {
    const secret = await watching(protocol.makeSecret)
    expect(draws(seen)).toEqual([16])
    expect(drawn(16)).toEqual([hex(secret)])
  })

  test('an offer takes the seed of ek_I, and s_I', async () => {
    const { offer, pending } = await watching(() =>
      protocol.makeOffer(kem, bob, alice, protocol.makeSecret()),
    )
    expect(draws(seen)).toEqual([16, ...GENERATE, 32])
    const [seed = '', secretI] = drawn(32)
    expect([hex(pending.dk), hex(pending.secretI)]).toEqual([seed, secretI])
    expect(sealedByRsa()).toEqual([secretI])
    expect(hex(offer, 450, 1666)).toBe(hex(ml_kem768_x25519.keygen(bytesOf(seed)).publicKey))
  })

  test('an answer takes the coins of ct, the seed of ek_R, and s_R', async () => {
    const { offer } = await protocol.makeOffer(kem, bob, alice, null)
    const read = await protocol.readOffer(offer, alice)
    const { answer, state } = await watching(() => protocol.answerOffer(kem, alice, read, null))
    expect(draws(seen)).toEqual([...ENCAPSULATE, ...GENERATE, 32])
    const [coins = ''] = drawn(64)
    const [seed, secretR] = drawn(32)
    const { cipherText } = ml_kem768_x25519.encapsulate(read.ek, bytesOf(coins))
    expect(hex(answer, 418, 1538)).toBe(hex(cipherText))
    expect(sealedByRsa()).toEqual([secretR])
    expect(state.turn).toMatchObject({ whose: 'theirs', dk: bytesOf(seed ?? '') })
  })

  test('taking an answer takes the coins of a trial alone, which nobody sees', async () => {
    const { offer, pending } = await protocol.makeOffer(kem, bob, alice, null)
    const read = await protocol.readOffer(offer, alice)
    const { answer } = await protocol.answerOffer(kem, alice, read, null)
    await watching(() => protocol.acceptAnswer(kem, bob, pending, answer))
    expect(draws(seen)).toEqual([...DECAPSULATE, ...ENCAPSULATE])
  })

  test('a message that takes the turn takes the step’s coins, seed and s, and its salt', async () => {
    const meeting = await meet(bob, alice, null)
    const guest = sideOf(bob, meeting.guest)
    const bytes = await watching(() => say(guest, hello))
    expect(draws(seen)).toEqual([...ENCAPSULATE, ...GENERATE, 32, 16])
    expect(hex(bytes, 43, 59)).toBe(drawn(16).at(-1))
    const [coins = ''] = drawn(64)
    const [seed = '', s] = drawn(32)
    const { turn } = meeting.guest
    const ek = turn.whose === 'mine' ? turn.ek : new Uint8Array()
    const { cipherText } = ml_kem768_x25519.encapsulate(ek, bytesOf(coins))
    expect(hex(bytes, 60, 1180)).toBe(hex(cipherText))
    expect(hex(bytes, 1180, 2396)).toBe(hex(ml_kem768_x25519.keygen(bytesOf(seed)).publicKey))
    expect(sealedByRsa()).toEqual([s])
  })

  test('taking such a message takes the coins of a trial alone', async () => {
    const meeting = await meet(bob, alice, null)
    const bytes = await say(sideOf(bob, meeting.guest), hello)
    const owner = sideOf(alice, meeting.owner)
    await watching(() => protocol.takeMessage(kem, alice, owner.ratchet, bytes, () => undefined))
    expect(draws(seen)).toEqual([...DECAPSULATE, ...ENCAPSULATE])
  })

  test('any other message takes its salt, and taking it nothing', async () => {
    const { bob: guest, alice: owner } = await converse(bob, alice, await meet(bob, alice, null))
    await deliver(guest, owner, text('the turn is taken'))
    const bytes = await watching(() => say(guest, text('and kept')))
    expect(draws(seen)).toEqual([16])
    expect(hex(bytes, 43, 59)).toBe(drawn(16)[0])
    await watching(() => protocol.takeMessage(kem, alice, owner.ratchet, bytes, () => undefined))
    expect(draws(seen)).toEqual([])
  })

  test('a typing sign takes its nonce, and opening it nothing', async () => {
    const { bob: guest, alice: owner } = await converse(bob, alice, await meet(bob, alice, null))
    const sign = await watching(() => protocol.sealVolatile(guest.ratchet, 0, true))
    expect(draws(seen)).toEqual([12])
    const bytes = sign ?? new Uint8Array()
    expect(hex(bytes, 47, 59)).toBe(drawn(12)[0])
    await watching(() => protocol.openVolatile(owner.ratchet, bytes, null))
    expect(draws(seen)).toEqual([])
  })

  test('a login takes nothing; a challenge that does not open, the 32 bytes that stand for r', async () => {
    const challenge = await sealRsa(bob.modulus, new Uint8Array(32), bytesOf('00'))
    const proof = await watching(() =>
      protocol.proveLogin(bob, 'https://quarter.example', challenge),
    )
    expect(draws(seen)).toEqual([32])
    expect(proof).toHaveLength(32)
    const { hash, modulus } = bob
    const label = new TextEncoder().encode('quarter/1 loginhttps://quarter.example')
    const right = await sealRsa(modulus, new Uint8Array(32).fill(1), label)
    await watching(() => protocol.proveLogin(bob, 'https://quarter.example', right))
    expect([draws(seen), hash.length]).toEqual([[], 32])
  })

  test('a link takes its secret, its name for the page, and the nonce of its record', async () => {
    const owner = await Person.arrive(new World(), alice)
    const url = await watching(() => owner.link())
    expect(draws(seen)).toEqual([16, 9, 12])
    expect(url.endsWith(`.${b64u(drawn(16)[0])}`)).toBe(true)
    expect(owner.links.map(({ id }) => id)).toEqual([b64u(drawn(9)[0])])
    await owner.destroy()
  })

  test('a new tab takes its local half and the name of its vault', async () => {
    const kept = new Map<string, string>()
    vi.stubGlobal('sessionStorage', {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
      removeItem: (name: string) => void kept.delete(name),
    })
    const request = async (_: string, __: object, held: (lock: object) => unknown) => void held({})
    vi.stubGlobal('navigator', { locks: { request, query: async () => ({ held: [] }) } })
    const tab = await watching(() => openTab(0))
    expect(draws(seen)).toEqual([32, 16])
    expect(kept.get('quarter')).toBe(`${b64u(drawn(16)[0])}.${b64u(drawn(32)[0])}`)
    await tab.destroy()
  })

  test('a record in the vault takes its nonce', async () => {
    const key = await identityKey(await importLocalHalf(new Uint8Array(32)))
    const sealed = await watching(() => seal(key, 'here', bytesOf('0102')))
    expect(draws(seen)).toEqual([12])
    expect(hex(sealed, 0, 12)).toBe(drawn(12)[0])
  })

  test('a pause before a new connection takes four bytes', async () => {
    const spread = await watching(jitter)
    expect(draws(seen)).toEqual([4])
    const value = new Uint32Array(bytesOf(seen[0]?.was ?? '').buffer)[0] ?? 0
    expect(spread).toBe(value / 2 ** 32)
  })
})

test('RSA-OAEP takes fresh coins of WebCrypto’s for each sealing', async () => {
  const again = () => sealRsa(bob.modulus, new Uint8Array(32), new Uint8Array(0))
  const sealed = await Promise.all(Array.from({ length: 64 }, again))
  expect(new Set(sealed.map((bytes) => hex(bytes))).size).toBe(64)
})

describe('nothing else in the page', () => {
  test('draws from the generator', () => {
    const asks = /(^|\.)(getRandomValues|randomUUID|generateKey|random|makeSecret)$/
    expect(callsOf(asks)).toEqual([
      'engine/engine.ts: crypto.getRandomValues(new Uint8Array(9))',
      'engine/links.ts: makeSecret()',
      'engine/links.ts: crypto.getRandomValues(new Uint8Array(9))',
      'protocol/bytes.ts: crypto.getRandomValues(new Uint8Array(length))',
      'protocol/handshake.ts: random(32)',
      'protocol/handshake.ts: random(32)',
      "protocol/identity.ts: crypto.subtle.generateKey(parameters, true, ['encrypt', 'decrypt'])",
      'protocol/identity.ts: random(32)',
      'protocol/identity.ts: random(32)',
      'protocol/identity.ts: random(32)',
      'protocol/kem.ts: random(DK_BYTES)',
      'protocol/kem.ts: random(COINS_BYTES)',
      'protocol/kem.ts: random(DK_BYTES)',
      'protocol/link.ts: random(SECRET_BYTES)',
      'protocol/ratchet.ts: random(SALT_BYTES)',
      'protocol/ratchet.ts: random(32)',
      'protocol/volatile.ts: random(NONCE_BYTES)',
      'transport/backoff.ts: crypto.getRandomValues(new Uint32Array(1))',
      'vault/seal.ts: crypto.getRandomValues(new Uint8Array(NONCE_BYTES))',
      'vault/tab.ts: crypto.getRandomValues(new Uint8Array(32))',
      'vault/tab.ts: crypto.getRandomValues(new Uint8Array(16))',
    ])
    expect(pathsWith(/\[\s*['"`](getRandom|random)/)).toEqual([])
  })

  test('takes from Math but arithmetic, under whatever name', () => {
    const unlike = /\bMath\b(?!\.(?:abs|ceil|clz32|floor|max|min|PI|round)\b)/
    expect(pathsWith(unlike)).toEqual([])
    expect(find(ts.isIdentifier, ({ text: name }) => name === 'Math').length).toBeGreaterThan(0)
  })

  test('reads a clock where the protocol, the vault’s keys or the links are made', () => {
    const near = pathsWith(/\b(Date|performance)\b/)
    expect(near.filter((path) => /^(protocol|vault)\/|^engine\/links/.test(path))).toEqual([])
  })
})

test('the library of X-Wing asks the generator alone', () => {
  const folders = ['post-quantum', 'curves', 'curves/abstract', 'hashes']
  for (const folder of folders.map((name) => join(FRONTEND, 'node_modules/@noble', name))) {
    const modules = readdirSync(folder).filter((name) => name.endsWith('.js'))
    expect(modules.length).toBeGreaterThan(3)
    for (const name of modules) {
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/Math\.random/)
    }
  }
})

describe('the linter', () => {
  const lint = (source: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'lint-'))
    const file = join(folder, 'dice.ts')
    writeFileSync(file, source)
    const config = join(FRONTEND, '.oxlintrc.json')
    const { stdout } = spawnSync(join(FRONTEND, 'node_modules/.bin/oxlint'), ['-c', config, file])
    rmSync(folder, { recursive: true })
    return stdout.toString()
  }

  test.each([
    'export const dice = Math.random()',
    "export const dice = Math['random']()",
    'const { random } = Math\nexport const dice = random()',
    'export const dice = globalThis.Math.random()',
    'export const dice = window.Math.random()',
    'export const dice = self.Math.random()',
  ])('refuses %s', (source) => expect(lint(source)).toContain('no-restricted-properties'))

  test('lets the generator pass', () => {
    const source = 'export const dice = crypto.getRandomValues(new Uint8Array(1))\n'
    expect(lint(source)).toContain('Found 0 warnings and 0 errors')
  })
})

describe('over a conversation of 256 turns', () => {
  const TURNS = 256
  const messages: Uint8Array[] = []
  const keys: string[] = []
  const signs: Uint8Array[] = []

  beforeAll(async () => {
    const sides = await converse(bob, alice, await meet(bob, alice, null))
    const order: readonly [Side, Side] = [sides.bob, sides.alice]
    for (let turn = 0; turn < TURNS; turn += 1) {
      const [speaker, listener] = turn % 2 === 0 ? order : order.toReversed()
      if (!speaker || !listener) throw new Error('somebody is missing')
      const sealed = await protocol.sealMessage(kem, speaker.ratchet, text('the same words'))
      speaker.ratchet = sealed.ratchet
      keys.push(hex(sealed.key))
      messages.push(sealed.bytes)
      signs.push((await protocol.sealVolatile(speaker.ratchet, 0, true)) ?? new Uint8Array())
      const taken = await protocol.takeMessage(
        kem,
        listener.identity,
        listener.ratchet,
        sealed.bytes,
        () => undefined,
      )
      if (taken.verdict !== 'taken') throw new Error(taken.verdict)
      listener.ratchet = taken.ratchet
    }
  })

  test.each([
    ['salt', 43, 59],
    ['ciphertext ct', 60, 1180],
    ['encapsulation key ek', 1180, 2396],
    ['sealed secret c', 2396, 2780],
    ['body, though all say the same', 2780, 2780 + 272],
  ])('no %s comes twice', (_, from, to) => {
    const fields = messages.map((bytes) => hex(bytes, from, to))
    expect(fields[0]).toHaveLength(2 * (to - from))
    expect(new Set(fields).size).toBe(TURNS)
  })

  test('no key and nonce comes twice, and no nonce of a typing sign', () => {
    expect(new Set(keys).size).toBe(TURNS)
    expect(new Set(signs.map((sign) => hex(sign, 47, 59))).size).toBe(TURNS)
  })

  test('bodies and salts look like noise', () => {
    for (const [from, to] of [
      [2780, 2780 + 272],
      [43, 59],
    ]) {
      const fields = messages.map((bytes) => bytes.subarray(from, to))
      expect(looksLikeNoise(protocol.concat(...fields))).toBe(true)
    }
  })
})

test('no two of 64 offers share a key, a sealed secret, an invite or a session', async () => {
  const secret = protocol.makeSecret()
  const offers: protocol.Offered[] = []
  for (let n = 0; n < 64; n += 1) offers.push(await protocol.makeOffer(kem, bob, alice, secret))
  for (const [from, to] of [
    [450, 1666],
    [1666, 2050],
    [2050, 2082],
  ]) {
    expect(new Set(offers.map(({ offer }) => hex(offer, from, to))).size).toBe(64)
  }
  expect(new Set(offers.map(({ sessionId }) => hex(sessionId))).size).toBe(64)
})

/** Each 256 bytes or more of one kind, of which the statistics must say that they are no noise. */
const plainly = {
  'a text': new TextEncoder().encode('the same words '.repeat(300)),
  'a counter': Uint8Array.from({ length: 8192 }, (_, n) => n >> 5),
  'bytes with their top bit lost': Uint8Array.from({ length: 4096 }, (_, n) => (n * 89) % 128),
} as const

test.each(Object.entries(plainly))('the statistics see that %s is no noise', (_, bytes) => {
  expect(looksLikeNoise(bytes)).toBe(false)
})

/**
 * Monobit and byte frequency, with bounds that honest noise breaks less than once in 10^9 runs.
 *
 * Bits: the ones' distance from their half, in standard deviations, is normal: beyond 6.5 with 8e-11. Bytes: χ² over
 * 256 values has 255 degrees of freedom, mean 255, deviation 22.6: below 130 with 5e-12, above 450 with 6e-13 (exactly,
 * by the incomplete gamma function; for 16 expected of each value, as with the salts, the tail is wider by 2 %).
 */
function looksLikeNoise(bytes: Uint8Array): boolean {
  const ones = bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  const distance = Math.abs(ones - 4 * bytes.length) / Math.sqrt(2 * bytes.length)
  const counts = Array.from({ length: 256 }, () => 0)
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1
  const expected = bytes.length / 256
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  return distance < 6.5 && chi > 130 && chi < 450
}
