/**
 * Watches the browser's generator and WebCrypto: every byte string that may be secret and goes in or comes out, as the
 * very memory that the page's code has in its hands. Stop it with `vi.restoreAllMocks`.
 */
import { vi } from 'vitest'
import { toHex, type Bytes, type Kem } from '../../src/protocol'

export interface Seen {
  readonly how:
    'drawn' | 'imported' | 'derived' | 'cut' | 'signed' | 'opened' | 'sealed' | 'exported' | 'kem'
  /** Who drew it (page, library), the algorithm, or what the KEM was asked for. */
  readonly of: string
  /** The memory itself. */
  readonly bytes: Bytes
  /** What it held when it was seen. */
  readonly was: string
}

type Method =
  'importKey' | 'exportKey' | 'deriveBits' | 'deriveKey' | 'sign' | 'encrypt' | 'decrypt'

/** Begins to watch; what is seen is added to the list. */
export function watch(): Seen[] {
  const seen: Seen[] = []
  const see = (how: Seen['how'], of: string, source: unknown): void => {
    const bytes = bytesIn(source)
    if (bytes) seen.push({ how, of, bytes, was: toHex(bytes) })
  }
  const draw = crypto.getRandomValues.bind(crypto)
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const isLibrarys = new Error('who?').stack?.includes('@noble')
    see('drawn', isLibrarys ? 'library' : 'page', draw(array))
    return array
  })
  const before = (method: Method, look: (asked: readonly unknown[]) => void) =>
    around(method, look, () => {})
  const after = (method: Method, how: Seen['how'], which: number) =>
    around(
      method,
      () => {},
      (asked, answer) => see(how, nameOf(asked[which]), answer),
    )
  before('importKey', ([format, key, algorithm]) => {
    if (format !== 'jwk') see('imported', nameOf(algorithm), key)
  })
  onCut(seen)
  before('deriveKey', ([algorithm]) => see('imported', 'salt', memberOf(algorithm, 'salt')))
  before('encrypt', ([algorithm, , plaintext]) => see('sealed', nameOf(algorithm), plaintext))
  after('exportKey', 'exported', 0)
  const root = (asked: readonly unknown[]): void => {
    const info = bytesIn(memberOf(asked[0], 'info')) ?? new Uint8Array()
    const isStep = new TextDecoder().decode(info).startsWith('quarter/1 ratchet')
    if (isStep) see('imported', 'root', memberOf(asked[0], 'salt'))
  }
  around('deriveBits', root, (_, bits) => see('derived', 'HKDF', bits))
  after('sign', 'signed', 0)
  after('decrypt', 'opened', 0)
  return seen
}

function around(
  method: Method,
  before: (asked: readonly unknown[]) => void,
  after: (asked: readonly unknown[], answer: unknown) => void,
): void {
  const real = crypto.subtle[method]
  vi.spyOn(crypto.subtle, method).mockImplementation(async (...asked: unknown[]) => {
    before(asked)
    const answer: unknown = await Reflect.apply(real, crypto.subtle, asked)
    after(asked, answer)
    return answer as never
  })
}

/** What is cut off derived bytes: roots and chain keys. */
function onCut(seen: Seen[]): void {
  const { slice } = Uint8Array.prototype
  vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(function (
    this: Uint8Array,
    ...asked: [number?, number?]
  ) {
    const bytes: Bytes = Reflect.apply(slice, this, asked)
    const isDerived = seen.some(
      ({ how, bytes: { buffer } }) => how === 'derived' && buffer === this.buffer,
    )
    if (isDerived) seen.push({ how: 'cut', of: 'derived', bytes, was: toHex(bytes) })
    return bytes
  })
}

/** A KEM whose secrets are seen too: seeds and shared secrets, as it hands them out. */
export function watched(kem: Kem, seen: Seen[]): Kem {
  const see = (of: string, bytes: Bytes): void =>
    void seen.push({ how: 'kem', of, bytes, was: toHex(bytes) })
  return {
    name: kem.name,
    generate: async () => {
      const pair = await kem.generate()
      see('generate', pair.dk)
      return pair
    },
    encapsulate: async (ek) => {
      const sealed = await kem.encapsulate(ek)
      see('encapsulate', sealed.ss)
      return sealed
    },
    decapsulate: async (dk, ct) => {
      see('seed', dk)
      const ss = await kem.decapsulate(dk, ct)
      see('decapsulate', ss)
      return ss
    },
  }
}

const nameOf = (algorithm: unknown): string =>
  typeof algorithm === 'string' ? algorithm : String(memberOf(algorithm, 'name'))

const memberOf = (algorithm: unknown, name: string): unknown =>
  typeof algorithm === 'object' && algorithm ? Reflect.get(algorithm, name) : undefined

function bytesIn(source: unknown): Bytes | null {
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (!ArrayBuffer.isView(source) || !(source.buffer instanceof ArrayBuffer)) return null
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}

/** What was drawn, as numbers of bytes, in order. */
export const draws = (seen: readonly Seen[]): number[] =>
  seen.flatMap(({ how, bytes }) => (how === 'drawn' ? [bytes.length] : []))
