/** Byte strings and their two text forms. What secrets may be given to says so; all else is for public values. */
import { demand, ProtocolError } from './errors'

export type Bytes = Uint8Array<ArrayBuffer>

/** a ‖ b ‖ … in fresh memory. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** The ASCII (or UTF-8) bytes of a string. */
export function ascii(text: string): Bytes {
  return Uint8Array.from(new TextEncoder().encode(text))
}

/** Four bytes, big-endian. Throws 'spent' for what is no uint32. */
export function uint32(value: number): Bytes {
  demand(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff, 'spent')
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** The big-endian uint32 at an offset, which the caller knows to be inside. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset)
}

/** Whether two public values are the same. Not constant-time: never for MACs or secrets. */
export function equalPublic(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** The order of two public byte strings of one length, as numbers: below, at or above 0. */
export function comparePublic(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

/** Whether two secrets of one length are the same. Looks at every byte, wherever they differ. */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.reduce((all, byte, at) => all | (byte ^ (b[at] ?? 0)), 0) === 0
}

/** Whether all bytes are zero, secret or not. Looks at every byte. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.reduce((all, byte) => all | byte, 0) === 0
}

/** Fresh bytes of the browser's generator. */
export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length))
}

/** Overwrites secrets that are spent. What engines and libraries have copied stays out of reach (docs/THREATS.md). */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

/** Lower-case hexadecimal digits, two for each byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** base64url without padding (RFC 4648 §5). */
export function b64uEncode(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * The bytes of base64url text, `length` of them where given. Refuses padding, foreign characters
 * and a last character with unused bits set, so that one value has one text (PROTOCOL §2).
 * Throws 'base64url'.
 */
export function b64uDecode(text: string, length?: number): Bytes {
  demand(/^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1, 'base64url')
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  if (b64uEncode(bytes) !== text) throw new ProtocolError('base64url')
  demand(length === undefined || bytes.length === length, 'base64url')
  return bytes
}

/** Cuts fixed-length fields off a byte string, in order; each is a copy. */
export class Reader {
  private offset = 0

  constructor(private readonly source: Uint8Array) {}

  take(length: number): Bytes {
    demand(this.left >= length, 'length')
    const field = Uint8Array.from(this.source.subarray(this.offset, this.offset + length))
    this.offset += length
    return field
  }

  byte(): number {
    return this.take(1)[0] ?? 0
  }

  uint32(): number {
    return readUint32(this.take(4), 0)
  }

  rest(): Bytes {
    return this.take(this.left)
  }

  get left(): number {
    return this.source.length - this.offset
  }
}
