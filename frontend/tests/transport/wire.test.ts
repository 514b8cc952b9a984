import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode } from '@msgpack/msgpack'
import {
  encodeFrame,
  parseFromReceive,
  parseFromSend,
  WireError,
  type ToReceive,
  type ToSend,
} from '../../src/transport/wire'

interface Vector {
  readonly name: string
  readonly socket: 'send' | 'receive'
  readonly from: 'page' | 'server'
  readonly hex: string
  readonly frame?: unknown
}

/** The same file is read by the server's tests. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/wire.json', import.meta.url), 'utf8'),
) as { good: Vector[]; bad: Vector[] }

const parsers = { send: parseFromSend, receive: parseFromReceive }

const bytesOf = (hex: string): ArrayBuffer => Uint8Array.from(Buffer.from(hex, 'hex')).buffer

/** Bytes stand as {"$hex": …} in the file. */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive)
  if (typeof value !== 'object' || value === null) return value
  if ('$hex' in value && typeof value.$hex === 'string') return new Uint8Array(bytesOf(value.$hex))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]))
}

const named = (vectorsOf: readonly Vector[], from: Vector['from']) =>
  vectorsOf
    .filter((vector) => vector.from === from)
    .map((vector) => [`${vector.socket}: ${vector.name}`, vector] as const)

describe('a good frame of the server', () => {
  it.each(named(vectors.good, 'server'))(
    '%s is taken as it is',
    (_name, { socket, hex, frame }) => {
      expect(parsers[socket](bytesOf(hex))).toEqual(revive(frame))
    },
  )
})

describe('a bad frame of the server', () => {
  it.each(named(vectors.bad, 'server'))('%s is refused', (_name, { socket, hex }) => {
    expect(() => parsers[socket](bytesOf(hex))).toThrow(WireError)
  })

  it('of text is refused', () => {
    expect(() => parseFromSend('{"t":"ready"}')).toThrow(WireError)
  })
})

describe('a frame of the page', () => {
  it.each(named(vectors.good, 'page'))('%s is written as the server reads it', (_name, vector) => {
    const written = encodeFrame(revive(vector.frame) as ToSend | ToReceive)
    expect(decode(written)).toEqual(decode(bytesOf(vector.hex)))
  })
})
