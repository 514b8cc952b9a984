/**
 * A key encapsulation without any security, a hundred times as fast as X-Wing and of the same lengths: for tests that
 * run a protocol ten thousand times. The secret follows from what everybody sees.
 */
import { createHash } from 'node:crypto'
import { concat, random, type Bytes, type Kem } from '../src/protocol'
import { demand } from '../src/protocol/errors'
import { CT_BYTES, DK_BYTES, EK_BYTES, SS_BYTES } from '../src/protocol/kem'

export const unsafeKemForTests: Kem = {
  name: 'noble',
  generate: async () => {
    const dk = random(DK_BYTES)
    return { ek: ekOf(dk), dk }
  },
  encapsulate: async (ek) => {
    demand(ek.length === EK_BYTES, 'kem')
    const ct = random(CT_BYTES)
    return { ct, ss: secretOf(ek, ct) }
  },
  decapsulate: async (dk, ct) => {
    demand(dk.length === DK_BYTES && ct.length === CT_BYTES, 'kem')
    return secretOf(ekOf(dk), ct)
  },
}

const ekOf = (dk: Bytes): Bytes => stretch(dk, EK_BYTES)
const secretOf = (ek: Bytes, ct: Bytes): Bytes => stretch(concat(ek, ct), SS_BYTES)

const stretch = (seed: Bytes, outputLength: number): Bytes =>
  Uint8Array.from(createHash('shake256', { outputLength }).update(seed).digest())
