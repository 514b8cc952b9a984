import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { describe, expect, test } from 'vitest'

import { chooseKem, toHex } from '../../src/protocol'
import { bytesOf, codeOf, flip, kem } from './people'
import xwing from './vectors/xwing.json'

describe('X-Wing', () => {
  test.each(xwing.vectors)('derives every byte of the draft, seed $seed', async (vector) => {
    const seed = bytesOf(vector.seed)
    const ek = ml_kem768_x25519.keygen(seed).publicKey
    expect(toHex(ek)).toBe(vector.ek)
    expect(toHex(ml_kem768_x25519.encapsulate(ek, bytesOf(vector.eseed)).cipherText)).toBe(
      vector.ct,
    )
    expect(toHex(await kem.decapsulate(seed, bytesOf(vector.ct)))).toBe(vector.ss)
  })

  test('gives both sides one secret', async () => {
    const { ek, dk } = await kem.generate()
    const { ct, ss } = await kem.encapsulate(ek)
    expect([ek.length, dk.length, ct.length, ss.length]).toEqual([1216, 32, 1120, 32])
    expect(await kem.decapsulate(dk, ct)).toEqual(ss)
  })

  test('gives another secret for a changed ciphertext', async () => {
    const { ek, dk } = await kem.generate()
    const { ct, ss } = await kem.encapsulate(ek)
    expect(await kem.decapsulate(dk, flip(ct, 0))).not.toEqual(ss)
    expect(await kem.decapsulate(dk, flip(ct, 1119))).not.toEqual(ss)
  })

  test('refuses an ML-KEM key with a coefficient of q or more', async () => {
    const { ek } = await kem.generate()
    expect(await codeOf(kem.encapsulate(Uint8Array.from(ek).fill(255, 0, 3)))).toBe('kem')
  })

  test('refuses low-order X25519 shares, in keys and in ciphertexts', async () => {
    const { ek, dk } = await kem.generate()
    const { ct } = await kem.encapsulate(ek)
    expect(await codeOf(kem.encapsulate(ek.slice().fill(0, 1184)))).toBe('kem')
    expect(await codeOf(kem.decapsulate(dk, ct.slice().fill(0, 1088)))).toBe('kem')
  })

  test('refuses wrong lengths', async () => {
    const { ek, dk } = await kem.generate()
    const { ct } = await kem.encapsulate(ek)
    expect(await codeOf(kem.encapsulate(ek.slice(1)))).toBe('kem')
    expect(await codeOf(kem.decapsulate(dk, ct.slice(1)))).toBe('kem')
    expect(await codeOf(kem.decapsulate(dk.slice(1), ct))).toBe('kem')
  })

  test('falls back to the library where the browser has none', async () => {
    expect((await chooseKem()).name).toBe('noble')
  })
})
