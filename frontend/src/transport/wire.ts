/**
 * The wire (DESIGN §4): MessagePack maps in binary websocket frames, told apart by `t`.
 *
 *     send     page → server   hello lookup prepare offer answer decline post volatile keep leave erase
 *              server → page   ready ok key seal stored erased error
 *     receive  page → server   hello taken resync
 *              server → page   ready session item caught_up volatile ended error
 *
 * What comes from the server is parsed whole before anything is done with it; unknown members
 * and frames are refused. Hashes and session ids are text of 43 characters, bodies are bytes.
 */
import { decode, encode } from '@msgpack/msgpack'
import * as v from 'valibot'
import { wipe, type Bytes } from '../protocol'

/** The server sent a frame that the wire doesn't know. Nothing of it was used. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

const hash = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/))
const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0))
const bytes = v.pipe(
  v.instance(Uint8Array),
  v.transform((value): Bytes => new Uint8Array(value)),
)
const someBytes = v.pipe(
  bytes,
  v.check((value) => value.length > 0),
)
const bytesOf = (length: number) =>
  v.pipe(
    bytes,
    v.check((value) => value.length === length),
  )
const side = v.picklist([0, 1])
const endedWhy = v.picklist(['left', 'declined', 'used', 'expired', 'erased', 'removed'])

const sessionInfo = v.strictObject({
  id: hash,
  role: side,
  peer: hash,
  state: v.picklist(['offered', 'open']),
  ttl: uint32,
  left: seconds,
  last_seq: uint32,
  next_n: uint32,
  half: bytesOf(32),
})

/** A refusal; on the receive socket the last frame before it is closed. */
const error = v.strictObject({
  t: v.literal('error'),
  code: v.string(),
  permanent: v.boolean(),
  retry_after: v.nullable(seconds),
  id: v.nullable(uint32),
  session: v.nullable(hash),
  n: v.nullable(uint32),
})

const fromSend = v.variant('t', [
  v.strictObject({
    t: v.literal('ready'),
    limits: v.strictObject({
      text_bytes: uint32,
      frame_bytes: uint32,
      ttl_seconds: uint32,
      ttl_min_seconds: uint32,
      ttl_max_seconds: uint32,
      sessions: uint32,
      requests: uint32,
    }),
  }),
  v.strictObject({ t: v.literal('ok'), id: uint32 }),
  v.strictObject({ t: v.literal('key'), id: uint32, modulus: bytesOf(384) }),
  v.strictObject({ t: v.literal('seal'), id: uint32, session: hash, half: bytesOf(32) }),
  v.strictObject({ t: v.literal('stored'), session: hash, n: uint32 }),
  v.strictObject({
    t: v.literal('erased'),
    id: uint32,
    sessions: uint32,
    messages: uint32,
    files: uint32,
    peers: uint32,
    told: uint32,
  }),
  error,
])

const item = v.strictObject({
  t: v.literal('item'),
  session: hash,
  seq: uint32,
  kind: v.picklist(['offer', 'answer', 'message']),
  sender: side,
  body: someBytes,
})

const fromReceive = v.variant('t', [
  v.strictObject({ t: v.literal('ready'), sessions: v.array(sessionInfo) }),
  v.strictObject({ t: v.literal('session'), session: sessionInfo }),
  item,
  v.strictObject({ t: v.literal('items'), items: v.pipe(v.array(item), v.minLength(1)) }),
  v.strictObject({ t: v.literal('caught_up') }),
  v.strictObject({ t: v.literal('volatile'), session: hash, body: someBytes }),
  error,
  v.strictObject({ t: v.literal('ended'), session: hash, why: endedWhy }),
])

export type FromSend = v.InferOutput<typeof fromSend>
export type FrameFromReceive = v.InferOutput<typeof fromReceive>
/** What the receive socket says, items one by one. */
export type FromReceive = Exclude<FrameFromReceive, { t: 'items' }>
export type SessionInfo = v.InferOutput<typeof sessionInfo>
export type ServerLimits = Extract<FromSend, { t: 'ready' }>['limits']
export type ServerError = Extract<FromSend, { t: 'error' }>
export type Item = Extract<FromReceive, { t: 'item' }>
export type ServerEndedWhy = v.InferOutput<typeof endedWhy>
export type Cursors = Readonly<Record<string, number>>

/** What is asked on the send socket and answered under the same `id`. */
export type Request =
  | { t: 'lookup'; hash: string }
  | { t: 'prepare'; session: string }
  | { t: 'offer'; body: Bytes }
  | { t: 'answer'; session: string; body: Bytes }
  | { t: 'decline'; session: string; why: 'declined' | 'used' | 'unread' }
  | { t: 'keep'; session: string; ttl: number }
  | { t: 'leave'; session: string }
  | { t: 'erase' }

export type ToSend =
  | { t: 'hello'; token: string }
  | (Request & { id: number })
  | { t: 'post'; session: string; n: number; body: Bytes }
  | { t: 'volatile'; session: string; body: Bytes }

export type ToReceive =
  | { t: 'hello'; token: string; cursors: Cursors }
  | { t: 'taken'; session: string; seq: number }
  | { t: 'resync'; cursors: Cursors }

export const encodeFrame = (frame: ToSend | ToReceive): Bytes => encode(frame).slice()

/** Parses a frame of the send socket; throws WireError. */
export const parseFromSend = (data: unknown): FromSend => parse(fromSend, data)

/** Parses a frame of the receive socket; throws WireError. */
export const parseFromReceive = (data: unknown): FrameFromReceive => parse(fromReceive, data)

function parse<S extends v.GenericSchema>(schema: S, data: unknown): v.InferOutput<S> {
  if (!(data instanceof ArrayBuffer)) throw new WireError('a frame must be binary')
  let value: unknown
  try {
    value = decode(data)
  } catch {
    throw new WireError('a frame must be MessagePack')
  }
  const result = v.safeParse(schema, value)
  // All bytes were copied; a seal half must not stay behind here.
  wipe(new Uint8Array(data))
  if (!result.success) throw new WireError('a frame must be one that the wire knows')
  return result.output
}
