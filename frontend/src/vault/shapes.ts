/**
 * What lies sealed in the vault. Every shape is written as MessagePack and parsed when it is read.
 */
import { decode, encode } from '@msgpack/msgpack'
import * as v from 'valibot'
import { wipe, type Bytes } from '../protocol'
import { SealError } from './seal'

const bytes = v.pipe(
  v.instance(Uint8Array),
  v.transform((value): Bytes => new Uint8Array(value)),
)
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** One conversation: the handshake's or the ratchet's state, and what the page must remember of it. */
const conversation = v.object({
  role: v.picklist([0, 1]),
  peer: v.string(),
  /** The name of the link that verified. */
  name: v.nullable(v.string()),
  linkId: v.nullable(v.string()),
  verified: v.picklist(['link', 'compared', 'none']),
  /** The guest's handshake until the answer is taken (PROTOCOL §5). */
  pending: v.nullable(bytes),
  /** Whether the server is known to have the offer. */
  offered: v.boolean(),
  /** The owner's answer, for sending the same bytes again. */
  answer: v.nullable(bytes),
  ratchet: v.nullable(bytes),
  /** The peer's first message has opened: both sides are confirmed. */
  confirmed: v.boolean(),
  /** Something other than an ack was taken and nothing was sent since. */
  ackOwed: v.boolean(),
  ttlSeconds: count,
  /** The wall clock at the last activity, ms (PROTOCOL §9). */
  activeAt: count,
  /** The place that the next record gets in this browser's order. */
  nextOrder: count,
  /** How many of our messages the peer has said that it took. */
  peerSeen: count,
  broken: v.nullable(v.string()),
})

/** One message, sent or taken: what is needed to read its bytes again (PROTOCOL §6). */
const record = v.object({
  order: count,
  sender: v.picklist([0, 1]),
  n: count,
  digest: bytes,
  /** key ‖ nonce, 44 bytes; null once the message was deleted. */
  key: v.nullable(bytes),
})

/** Bytes that left or are about to, until the server says that they are stored. */
const outgoing = v.object({ n: count, bytes })

/** A text that was written before the owner answered. */
const draft = v.object({ at: count, text: v.string() })

const link = v.object({
  id: v.string(),
  secret: bytes,
  name: v.nullable(v.string()),
  createdAt: count,
  expiresAt: count,
  spent: v.boolean(),
  /** The initiators whose offers under this secret were answered. */
  answered: v.array(v.string()),
})

/** Whom the person was about to join: a phone may drop the page while they think it over. */
const arrival = v.object({ hash: bytes, secret: v.nullable(bytes), at: count })

/** What the person chose for this identity. */
const choices = v.object({ linkOnly: v.boolean() })

/** Ids of sessions whose offers were processed: never again (PROTOCOL §5). */
const processed = v.array(v.string())

export type StoredConversation = v.InferOutput<typeof conversation>
export type StoredRecord = v.InferOutput<typeof record>
export type Outgoing = v.InferOutput<typeof outgoing>
export type Draft = v.InferOutput<typeof draft>
export type StoredArrival = v.InferOutput<typeof arrival>
export type StoredChoices = v.InferOutput<typeof choices>
export type StoredLink = v.InferOutput<typeof link>

export const shapes = { conversation, record, outgoing, draft, link, arrival, choices, processed }

/** More than any secret's record takes: a buffer that has to grow leaves the secrets in it behind. */
const BUFFER_BYTES = 8 * 1024

export const pack = (value: unknown): Bytes => encode(value, { initialBufferSize: BUFFER_BYTES })

/** The value in `packed`, which is wiped. Throws SealError for another shape, with nothing of what it was. */
export function unpack<S extends v.GenericSchema>(schema: S, packed: Bytes): v.InferOutput<S> {
  const parsed = v.safeParse(schema, decode(packed))
  wipe(packed)
  if (!parsed.success) throw new SealError('a record has another shape')
  return parsed.output
}
