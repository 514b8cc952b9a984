import { afterEach, beforeEach, expect, it } from 'vitest'
import { sealAead } from '../../src/protocol/primitives'
import { identityKey, importLocalHalf } from '../../src/vault/seal'
import { Ledger } from './ledger'

const KEY = new Uint8Array(32).fill(1)
const NONCE = new Uint8Array(12).fill(2)
const words = (text: string) => new TextEncoder().encode(text)

let ledger: Ledger

beforeEach(() => {
  ledger = new Ledger()
})

afterEach(() => ledger.close())

const sealTo = (key: CryptoKey, text: string) =>
  crypto.subtle.encrypt({ name: 'AES-GCM', iv: NONCE }, key, words(text))

it('complains of two plaintexts under one key and nonce', async () => {
  await sealAead(KEY, NONCE, words('one'), words('head'))
  expect(ledger.complaints).toEqual([])
  await sealAead(KEY, NONCE, words('two'), words('head'))
  expect(ledger.complaints).toEqual(['one key and nonce have sealed two plaintexts'])
  expect(ledger.encryptions).toBe(1)
})

it('complains of the same words, and of another head, too', async () => {
  for (const head of ['head', 'head', 'other']) {
    await sealAead(KEY, NONCE, words('one'), words(head))
  }
  expect(ledger.complaints).toEqual([
    'the same words were sealed twice under one nonce',
    'one key and nonce have sealed two plaintexts',
  ])
})

it('complains of nothing where the key or the nonce is another', async () => {
  for (const last of [3, 4, 5]) {
    await sealAead(KEY.with(31, last), NONCE, words('one'), words('head'))
    await sealAead(KEY, NONCE.with(11, last), words('one'), words('head'))
  }
  expect(ledger.complaints).toEqual([])
  expect(ledger.encryptions).toBe(6)
})

it('knows a key that can’t be read out by what it was derived from', async () => {
  await sealTo(await identityKey(await importLocalHalf(KEY)), 'one')
  await sealTo(await identityKey(await importLocalHalf(KEY.with(0, 9))), 'two')
  expect(ledger.complaints).toEqual([])
  await sealTo(await identityKey(await importLocalHalf(KEY)), 'two')
  expect(ledger.complaints).toEqual(['one key and nonce have sealed two plaintexts'])
})

it('complains of a key that it has not seen made', async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt'])
  await sealTo(key, 'one')
  expect(ledger.complaints).toEqual(['a AES-GCM key of unknown origin'])
})
