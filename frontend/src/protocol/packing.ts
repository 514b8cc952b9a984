/**
 * MessagePack in its one shortest form (PROTOCOL §7).
 *
 * The library decodes more than is allowed: floats, extensions, doubled keys, long forms, ill-formed UTF-8.
 * So what it decoded is walked, encoded again, and must give the same bytes.
 */
import { decode, encode } from '@msgpack/msgpack'

import { equalSecret, wipe, type Bytes } from './bytes'
import { demand, guardSync, ProtocolError, type ProtocolErrorCode } from './errors'

export type Packed = null | boolean | number | string | Bytes | readonly Packed[] | PackedMap
export interface PackedMap {
  readonly [key: string]: Packed
}

const MAX_DEPTH = 4
// No key cache: it would keep a peer's keys for the life of the page.
const OPTIONS = { keyDecoder: null, maxArrayLength: 32_768, maxMapLength: 32_768 } as const

/** More than any state takes: a buffer that has to grow leaves the secrets in it behind. */
const BUFFER_BYTES = 8 * 1024

/** A map's bytes. Members keep their order; one that is undefined is left out. */
export function pack(map: { readonly [key: string]: Packed | undefined }): Bytes {
  return encode(map, { ignoreUndefined: true, initialBufferSize: BUFFER_BYTES })
}

/**
 * The map that the bytes are the shortest form of: integers, text, bytes, true, false, nil, arrays and maps, at
 * most 4 deep, keys of a–z and _ from a letter on. Throws ProtocolError(code) for anything else.
 */
export function unpack(bytes: Bytes, code: ProtocolErrorCode): PackedMap {
  return guardSync(code, () => {
    const value = walk(decode(bytes, OPTIONS), 1)
    demand(isMap(value) && givesBack(pack(value), bytes), code)
    return value
  })
}

/** Whether what was read is, written again, the bytes that it was read from. The copy is wiped. */
export function givesBack(written: Bytes, bytes: Bytes): boolean {
  const same = equalSecret(written, bytes)
  wipe(written)
  return same
}

export function isMap(value: Packed | undefined): value is PackedMap {
  return typeof value === 'object' && value !== null && !isBytes(value) && !Array.isArray(value)
}

export function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array
}

/**
 * What the library decoded, of the allowed types, and the byte strings copied. An extension comes out as some map:
 * one that gives other bytes.
 */
function walk(value: unknown, depth: number): Packed {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (typeof value === 'string' && isPlainText(value)) return value
  if (isBytes(value)) return value.slice()
  demand(depth <= MAX_DEPTH && typeof value === 'object' && value !== null, 'content')
  if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [named(key), walk(item, depth + 1)]),
  )
}

function named(key: string): string {
  if (!/^[a-z][a-z_]*$/.test(key)) throw new ProtocolError('content')
  return key
}

/** Well-formed, and without the byte order mark at its head that UTF-8 decoders eat. */
export function isPlainText(text: string): boolean {
  return !/\p{Surrogate}/u.test(text) && !text.startsWith('\uFEFF')
}
