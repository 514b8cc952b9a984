/** The files of docs/vectors, parsed whole: their shapes are in the README beside them. */
import { readFileSync } from 'node:fs'

import * as v from 'valibot'

const FOLDER = new URL('../../../docs/vectors/', import.meta.url)

const hex = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})*$/))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const side = v.picklist([0, 1])
const member = v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(v.number())])
const content = v.record(v.string(), member)
const code = v.nullable(v.string())

const chain = v.nullable(v.strictObject({ epoch: count, key: hex }))
const state = v.strictObject({
  role: side,
  session_id: hex,
  peer_modulus: hex,
  root: hex,
  turn: v.variant('whose', [
    v.strictObject({ whose: v.literal('mine'), epoch: count, ek: hex }),
    v.strictObject({ whose: v.literal('theirs'), epoch: count, dk: hex }),
  ]),
  sending: chain,
  receiving: chain,
  sent: count,
  taken: count,
  seen: count,
})

const person = v.strictObject({
  pkcs8: hex,
  modulus: hex,
  jwk: v.string(),
  hash: hex,
  hash_text: v.string(),
})
const people = v.strictObject({ initiator: person, responder: person })

const step = v.strictObject({
  ct: hex,
  ss: hex,
  ek_seed: hex,
  ek: hex,
  s: hex,
  label: hex,
  c: hex,
  info: hex,
  ikm: hex,
  root: hex,
  chain_key: hex,
})

const message = v.strictObject({
  sender: side,
  n: count,
  epoch: count,
  content,
  packed: hex,
  frame: hex,
  step: v.nullable(step),
  chain_key: hex,
  next_chain_key: hex,
  seed: hex,
  salt: hex,
  key: hex,
  nonce: hex,
  header: hex,
  body: hex,
  bytes: hex,
  digest: hex,
  before: state,
  after: state,
})

const volatile = v.strictObject({
  after: count,
  sender: side,
  epoch: count,
  n: count,
  counter: count,
  nonce: hex,
  on: v.boolean(),
  key: hex,
  frame: hex,
  header: hex,
  bytes: hex,
})

const transcript = v.strictObject({
  people,
  link: v.strictObject({
    origin: v.string(),
    secret: v.nullable(hex),
    psk: hex,
    text: v.string(),
  }),
  login: v.strictObject({ origin: v.string(), label: hex, r: hex, c: hex, proof: hex }),
  offer: v.strictObject({
    ek_seed: hex,
    ek: hex,
    s: hex,
    label: hex,
    c: hex,
    head: hex,
    invite: hex,
    bytes: hex,
    session_id: hex,
    session_text: v.string(),
  }),
  answer: v.strictObject({
    ct: hex,
    ss: hex,
    ek_seed: hex,
    ek: hex,
    s: hex,
    label: hex,
    c: hex,
    th: hex,
    ikm: hex,
    root: hex,
    confirm_key: hex,
    confirm: hex,
    bytes: hex,
  }),
  safety: v.strictObject({ groups: v.array(v.string()), code: v.string() }),
  messages: v.pipe(v.array(message), v.minLength(12)),
  volatile: v.pipe(v.array(volatile), v.minLength(2)),
})

const format = { format: v.literal(1) }

const transcripts = v.strictObject({
  ...format,
  made_by: v.picklist(['reference', 'page']),
  transcripts: v.tuple([transcript, transcript]),
})

const named = { name: v.string(), field: v.string(), bytes: hex, code }

const refusals = v.strictObject({
  ...format,
  people,
  offers: v.array(v.strictObject({ ...named, secret: v.nullable(hex) })),
  answers: v.array(
    v.strictObject({
      ...named,
      pending: v.strictObject({ ek_seed: hex, s: hex, secret: v.nullable(hex), offer: hex }),
    }),
  ),
  messages: v.array(
    v.strictObject({
      ...named,
      state,
      taken: v.record(v.string(), hex),
      verdict: v.picklist(['taken', 'drop', 'resend', 'gap', 'failed', 'broken']),
      content: v.exactOptional(v.nullable(content)),
    }),
  ),
  sends: v.array(v.strictObject({ name: v.string(), state, content, code })),
})

const encodings = v.strictObject({
  ...format,
  thumbprints: v.array(
    v.strictObject({ modulus: hex, jwk: v.string(), hash: hex, hash_text: v.string() }),
  ),
  keys: v.array(v.strictObject({ name: v.string(), jwk: v.unknown(), code })),
  b64u: v.array(v.strictObject({ text: v.string(), bytes: v.nullable(hex), code })),
  addresses: v.array(
    v.strictObject({
      text: v.string(),
      hash: v.nullable(hex),
      secret: v.nullable(hex),
      code,
    }),
  ),
  padme: v.array(v.strictObject({ length: count, padded: count })),
  contents: v.array(v.strictObject({ name: v.string(), frame: hex, content: v.nullable(content) })),
  texts: v.array(v.strictObject({ name: v.string(), content, frame: v.nullable(hex), code })),
  typing: v.array(v.strictObject({ name: v.string(), frame: hex, on: v.nullable(v.boolean()) })),
  kem: v.array(
    v.strictObject({
      name: v.string(),
      seed: v.nullable(hex),
      ek: hex,
      ct: v.nullable(hex),
      ss: v.nullable(hex),
      code,
    }),
  ),
  safety: v.array(
    v.strictObject({ a: hex, b: hex, groups: v.array(v.string()), code: v.string() }),
  ),
})

export type State = v.InferOutput<typeof state>
export type Content = v.InferOutput<typeof content>
export type Step = v.InferOutput<typeof step>
export type Message = v.InferOutput<typeof message>
export type Transcript = v.InferOutput<typeof transcript>

export const readTranscripts = (name: 'reference' | 'page') =>
  read(`transcripts-${name}.json`, transcripts).transcripts
export const readRefusals = () => read('refusals.json', refusals)
export const readEncodings = () => read('encodings.json', encodings)

export const pathOf = (name: string): URL => new URL(name, FOLDER)

function read<S extends v.GenericSchema>(name: string, shape: S): v.InferOutput<S> {
  return v.parse(shape, JSON.parse(readFileSync(pathOf(name), 'utf8')))
}
