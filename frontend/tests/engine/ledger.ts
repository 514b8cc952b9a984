/**
 * A ledger of every AES-GCM encryption in this process: no key may ever seal twice under one nonce, not even the same
 * words. Keys are known by their raw bytes or, where they can't be read out, by what they were derived from.
 */
import { createHash } from 'node:crypto'

type Source = ArrayBuffer | ArrayBufferView

export class Ledger {
  /** What was sealed under each key and nonce. */
  readonly #sealed = new Map<string, string>()
  readonly #names = new WeakMap<CryptoKey, string>()
  /** What must not have been. */
  readonly complaints: string[] = []
  /** Puts WebCrypto back as it was. */
  readonly close: () => void

  constructor() {
    const { subtle } = crypto
    const { importKey, deriveKey, encrypt } = subtle
    const call = <T>(method: object, asked: unknown[]): Promise<T> =>
      Reflect.apply(method as never, subtle, asked)
    const named = async (key: Promise<CryptoKey>, name: string): Promise<CryptoKey> => {
      this.#names.set(await key, name)
      return key
    }
    Object.assign(subtle, {
      importKey: (...asked: [string, Source, ...unknown[]]) => {
        const key = call<CryptoKey>(importKey, asked)
        return asked[0] === 'raw' ? named(key, digest(asked[1])) : key
      },
      deriveKey: (...asked: [HkdfParams, CryptoKey, ...unknown[]]) => {
        const [{ salt, info }, base] = asked
        const name = digest(this.#nameOf(base), salt, info)
        return named(call(deriveKey, asked), name)
      },
      encrypt: (...asked: [AesGcmParams, CryptoKey, Source]) => {
        if (asked[0].name === 'AES-GCM') this.#enter(...asked)
        return call(encrypt, asked)
      },
    })
    this.close = () => void Object.assign(subtle, { importKey, deriveKey, encrypt })
  }

  get encryptions(): number {
    return this.#sealed.size
  }

  /** Throws where it has something to complain of, or has seen fewer encryptions than that. */
  demandClean(atLeast: number): void {
    if (this.complaints.length > 0) throw new Error(this.complaints.join('; '))
    if (this.encryptions < atLeast) throw new Error(`only ${this.encryptions} encryptions`)
  }

  #enter({ iv, additionalData }: AesGcmParams, key: CryptoKey, plaintext: Source): void {
    const place = digest(this.#nameOf(key), iv)
    const sealed = digest(additionalData ?? new Uint8Array(), plaintext)
    const before = this.#sealed.get(place)
    if (before === sealed) this.complaints.push('the same words were sealed twice under one nonce')
    else if (before) this.complaints.push('one key and nonce have sealed two plaintexts')
    this.#sealed.set(place, sealed)
  }

  #nameOf(key: CryptoKey): string {
    const name = this.#names.get(key)
    if (name === undefined) this.complaints.push(`a ${key.algorithm.name} key of unknown origin`)
    return name ?? ''
  }
}

function digest(...parts: readonly (string | Source)[]): string {
  const all = createHash('sha256')
  for (const part of parts) {
    const bytes = bytesOf(part)
    all.update(`${bytes.length} `).update(bytes)
  }
  return all.digest('hex')
}

function bytesOf(part: string | Source): Buffer {
  if (typeof part === 'string') return Buffer.from(part)
  if (part instanceof ArrayBuffer) return Buffer.from(part)
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength)
}
