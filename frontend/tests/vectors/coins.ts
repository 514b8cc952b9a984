/**
 * Coins: those that the page's own functions drew, so that a transcript can be written down; or those of a transcript,
 * put in their place, so that the same functions must give its bytes again.
 *
 * Only what comes of chance is touched: `getRandomValues`, RSA-OAEP's ciphertexts, the KEM's seeds and ciphertexts.
 * All else is computed. What the KEM's library draws by itself (for blinding) stays its own.
 */
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import { vi } from 'vitest'

import { toHex, type Bytes, type Kem } from '../../src/protocol'
import { bytesOf, kem } from '../protocol/people'

export interface Coins {
  /** What `getRandomValues` gave. */
  readonly draws: string[]
  readonly oaeps: { readonly s: string; readonly label: string; readonly c: string }[]
  readonly seeds: string[]
  readonly sealed: { readonly ct: string; readonly ss: string }[]
}

const noCoins = (): Coins => ({ draws: [], oaeps: [], seeds: [], sealed: [] })

/** Writes down what falls. Stop it with `vi.restoreAllMocks`. */
export function listen(): { readonly heard: Coins; readonly kem: Kem } {
  const heard = noCoins()
  const library = new Library()
  onDraw(library, (into, draw) => {
    draw()
    heard.draws.push(toHex(into))
  })
  onOaep(async (message, label, seal) => {
    const c = await seal()
    heard.oaeps.push({ s: toHex(message), label: toHex(label), c: toHex(new Uint8Array(c)) })
    return c
  })
  const listening: Kem = {
    name: 'noble',
    generate: async () => {
      const pair = await library.alone(() => kem.generate())
      heard.seeds.push(toHex(pair.dk))
      return pair
    },
    encapsulate: async (ek) => {
      const sealed = await library.alone(() => kem.encapsulate(ek))
      heard.sealed.push({ ct: toHex(sealed.ct), ss: toHex(sealed.ss) })
      return sealed
    },
    decapsulate: (dk, ct) => library.alone(() => kem.decapsulate(dk, ct)),
  }
  return { heard, kem: listening }
}

/** Lets the coins in `given` fall, in their order, and no others; an encapsulation beyond them is a trial. */
export function toss(): { readonly given: Coins; readonly kem: Kem } {
  const given = noCoins()
  const library = new Library()
  onDraw(library, (into) => {
    const next = bytesOf(given.draws.shift() ?? '')
    if (next.length !== into.length) throw new Error(`${into.length} bytes were drawn`)
    into.set(next)
  })
  onOaep(async (message, label) => {
    const next = given.oaeps.shift()
    if (next?.s !== toHex(message) || next.label !== toHex(label)) {
      throw new Error('something else was sealed')
    }
    return bytesOf(next.c).buffer
  })
  const tossing: Kem = {
    name: 'noble',
    generate: async () => {
      const dk = bytesOf(given.seeds.shift() ?? '')
      const { publicKey } = await library.alone(async () => ml_kem768_x25519.keygen(dk))
      return { ek: Uint8Array.from(publicKey), dk }
    },
    encapsulate: async (ek) => {
      const next = given.sealed.shift()
      if (next) return { ct: bytesOf(next.ct), ss: bytesOf(next.ss) }
      return library.alone(() => kem.encapsulate(ek))
    },
    decapsulate: (dk, ct) => library.alone(() => kem.decapsulate(dk, ct)),
  }
  return { given, kem: tossing }
}

/** While the KEM's library is at work, the draws are its own. */
class Library {
  isAtWork = false

  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.isAtWork = true
    try {
      return await work()
    } finally {
      this.isAtWork = false
    }
  }
}

function onDraw(library: Library, act: (into: Bytes, draw: () => unknown) => void): void {
  const draw = crypto.getRandomValues.bind(crypto)
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    if (library.isAtWork) return draw(array)
    act(bytesIn(array), () => draw(array))
    return array
  })
}

type Oaeping = (
  message: Bytes,
  label: Bytes,
  seal: () => Promise<ArrayBuffer>,
) => Promise<ArrayBuffer>

/** Puts itself in front of WebCrypto's RSA-OAEP; `seal` is WebCrypto's own. */
function onOaep(act: Oaeping): void {
  const encrypt = crypto.subtle.encrypt.bind(crypto.subtle)
  vi.spyOn(crypto.subtle, 'encrypt').mockImplementation((algorithm, key, data) => {
    const seal = () => encrypt(algorithm, key, data)
    if (typeof algorithm === 'string' || algorithm.name !== 'RSA-OAEP') return seal()
    const label = 'label' in algorithm ? algorithm.label : new Uint8Array()
    return act(bytesIn(data), bytesIn(label), seal)
  })
}

function bytesIn(source: unknown): Bytes {
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (!ArrayBuffer.isView(source) || !(source.buffer instanceof ArrayBuffer)) {
    throw new TypeError('bytes were meant')
  }
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}
