/**
 * X-Wing (ML-KEM-768 and X25519, draft-connolly-cfrg-xwing-kem-10): the browser's own where it has
 * one that agrees with @noble/post-quantum, else @noble/post-quantum's.
 */
import { ml_kem768_x25519 as library } from '@noble/post-quantum/hybrid.js'
import { ml_kem768_x25519 as browser } from '@noble/post-quantum/webcrypto.js'

import { equalPublic, equalSecret, random, wipe, type Bytes } from './bytes'
import { demand, guard } from './errors'

export const EK_BYTES = 1216
export const DK_BYTES = 32
export const CT_BYTES = 1120
export const SS_BYTES = 32
/** 32 for ML-KEM, 32 for X25519. */
const COINS_BYTES = 64

export interface KemPair {
  /** Encapsulation key, 1216 bytes. */
  readonly ek: Bytes
  /** Decapsulation key: the 32-byte seed. */
  readonly dk: Bytes
}

export interface Sealed {
  /** Ciphertext, 1120 bytes. */
  readonly ct: Bytes
  /** Shared secret, 32 bytes. */
  readonly ss: Bytes
}

/** Every method throws ProtocolError 'kem', whatever went wrong below it. */
export interface Kem {
  readonly name: 'webcrypto' | 'noble'
  generate(): Promise<KemPair>
  encapsulate(ek: Bytes): Promise<Sealed>
  decapsulate(dk: Bytes, ct: Bytes): Promise<Bytes>
}

type Maybe<T> = T | Promise<T>

/** What both implementations of X-Wing have in common. */
interface XWing {
  keygen(seed: Uint8Array): Maybe<{ publicKey: Uint8Array; secretKey: Uint8Array }>
  encapsulate(ek: Uint8Array): Maybe<{ cipherText: Uint8Array; sharedSecret: Uint8Array }>
  decapsulate(ct: Uint8Array, dk: Uint8Array): Maybe<Uint8Array>
}

const libraryKem = makeKem('noble', { ...library, encapsulate: encapsulateWithCoins })
const browserKem = makeKem('webcrypto', browser)

/** The browser's X-Wing if it has one and both ways of it agree with the library; else the library's. */
export async function chooseKem(): Promise<Kem> {
  return (await agrees()) ? browserKem : libraryKem
}

/** The library's X-Wing, whatever the browser has. */
export function portableKem(): Kem {
  return libraryKem
}

function makeKem(name: Kem['name'], xwing: XWing): Kem {
  return {
    name,
    generate: () => guard('kem', () => generate(xwing)),
    encapsulate: (ek) => guard('kem', () => encapsulate(xwing, ek)),
    decapsulate: (dk, ct) => guard('kem', () => decapsulate(xwing, dk, ct)),
  }
}

async function generate(xwing: XWing): Promise<KemPair> {
  const dk = random(DK_BYTES)
  const { publicKey, secretKey } = await xwing.keygen(dk)
  wipe(secretKey)
  return { ek: exactly(publicKey, EK_BYTES), dk }
}

async function encapsulate(xwing: XWing, ek: Bytes): Promise<Sealed> {
  const { cipherText, sharedSecret } = await xwing.encapsulate(ek)
  return { ct: exactly(cipherText, CT_BYTES), ss: moved(sharedSecret) }
}

/** The library leaves coins of its own behind; whoever reads them has the secret. */
function encapsulateWithCoins(ek: Uint8Array): ReturnType<typeof library.encapsulate> {
  const coins = random(COINS_BYTES)
  try {
    return library.encapsulate(ek, coins)
  } finally {
    wipe(coins)
  }
}

async function decapsulate(xwing: XWing, dk: Bytes, ct: Bytes): Promise<Bytes> {
  return moved(await xwing.decapsulate(ct, dk))
}

/** A shared secret out of its maker's memory into ours. */
function moved(secret: Uint8Array): Bytes {
  const ours = exactly(secret, SS_BYTES)
  wipe(secret)
  return ours
}

function exactly(bytes: Uint8Array, length: number): Bytes {
  demand(bytes.length === length, 'kem')
  return Uint8Array.from(bytes)
}

/** One seed through both: same public key, and each opens what the other made. */
async function agrees(): Promise<boolean> {
  const seed = random(DK_BYTES)
  try {
    if (!(await browser.isSupported())) return false
    const ours = await browser.keygen(seed)
    const theirs = library.keygen(seed)
    return (
      equalPublic(ours.publicKey, theirs.publicKey) &&
      (await opens(browserKem, libraryKem, seed, exactly(ours.publicKey, EK_BYTES))) &&
      (await opens(libraryKem, browserKem, seed, exactly(ours.publicKey, EK_BYTES)))
    )
  } catch {
    return false
  } finally {
    wipe(seed)
  }
}

async function opens(opener: Kem, sealer: Kem, dk: Bytes, ek: Bytes): Promise<boolean> {
  const { ct, ss } = await sealer.encapsulate(ek)
  return equalSecret(await opener.decapsulate(dk, ct), ss)
}
