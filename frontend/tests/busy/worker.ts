/**
 * The network, in a thread of its own: a server of a few lines that keeps the wire's promises (DESIGN §4), and the
 * person at its other end, who gave a one-time link and then writes and writes.
 */
import { decode, encode } from '@msgpack/msgpack'
import {
  answerOffer,
  b64uEncode,
  chooseKem,
  generateIdentity,
  importIdentity,
  inviteVerifies,
  makeSecret,
  random,
  readOffer,
  sealMessage,
  takeMessage,
  type Bytes,
  type ContentToSend,
  type Ratchet,
} from '../../src/protocol'
import type { FromReceive, FromSend, Request, ToReceive, ToSend } from '../../src/transport/wire'
import type { FromPage, FromWorker, Way } from './network'

/** Not yet taken, at most (DESIGN §5). */
const WINDOW = 64
const WORDS =
  'the train leaves in ten minutes from platform four so bring an umbrella and a map'.split(' ')

const kem = await chooseKem()
const me = await importIdentity(await generateIdentity())
const secret = makeSecret()

let session = ''
let ratchet: Ratchet | null = null
let seq = 2
/** When each message left that was not taken yet, by seq. */
const leftAt = new Map<number, number>()
let taken: number[] = []
let roomier: () => void = () => {}

/** One after the other, in the order in which they were asked for. */
let working: Promise<unknown> = Promise.resolve()
const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const result = working.then(work)
  working = result
  return result
}

const tell = (message: FromWorker, ...transfer: Transferable[]): void =>
  postMessage(message, { transfer })

function frame(way: Way, content: FromSend | FromReceive): void {
  const data = encode(content).slice().buffer
  tell({ t: 'frame', way, data }, data)
}

const item = (kind: 'answer' | 'message', body: Bytes): void =>
  frame('receive', { t: 'item', session, seq, kind, sender: 1, body })

async function fromPage(way: Way, asked: ToSend | ToReceive): Promise<void> {
  switch (asked.t) {
    case 'hello':
      return hello(way)
    case 'resync':
      return frame('receive', { t: 'caught_up' })
    case 'taken':
      return tookAll(asked.seq)
    case 'post':
      return posted(asked.n, asked.body)
    case 'volatile':
      return
    default:
      return answered(asked)
  }
}

function hello(way: Way): void {
  if (way === 'receive') {
    frame('receive', { t: 'ready', sessions: [] })
    frame('receive', { t: 'caught_up' })
    return
  }
  const texts = { text_bytes: 16_384, frame_bytes: 32_768 }
  const ttl = { ttl_seconds: 900, ttl_min_seconds: 60, ttl_max_seconds: 86_400 }
  frame('send', { t: 'ready', limits: { ...texts, ...ttl, sessions: 20, requests: 10 } })
}

async function answered(asked: Request & { id: number }): Promise<void> {
  const { id } = asked
  switch (asked.t) {
    case 'lookup':
      return frame('send', { t: 'key', id, modulus: me.modulus })
    case 'prepare':
      return frame('send', { t: 'seal', id, session: asked.session, half: random(32) })
    case 'offer': {
      const body = await met(asked.body)
      frame('send', { t: 'ok', id })
      return item('answer', body)
    }
    default:
      return frame('send', { t: 'ok', id })
  }
}

/** The answer to an offer under our link. */
async function met(offer: Bytes): Promise<Bytes> {
  const read = await readOffer(offer, me)
  if (!(await inviteVerifies(read, secret))) throw new Error('somebody else')
  const { answer, state } = await answerOffer(kem, me, read, secret)
  session = b64uEncode(read.sessionId)
  ratchet = state
  return answer
}

async function posted(n: number, body: Bytes): Promise<void> {
  seq += 1
  frame('send', { t: 'stored', session, n })
  if (!ratchet) throw new Error('nobody has met')
  const opened = await takeMessage(kem, me, ratchet, body, () => undefined)
  if (opened.verdict !== 'taken') throw new Error(opened.verdict)
  ratchet = opened.ratchet
  if (opened.content.t === 'hello') await say({ t: 'ack', at: Date.now() })
}

async function say(content: ContentToSend): Promise<void> {
  if (!ratchet) throw new Error('nobody has met')
  const sealed = await sealMessage(kem, ratchet, content)
  ratchet = sealed.ratchet
  seq += 1
  if (content.t === 'text') leftAt.set(seq, performance.now())
  item('message', sealed.bytes)
}

/** All messages up to this seq were taken. */
function tookAll(upTo: number): void {
  const now = performance.now()
  for (const [at, left] of leftAt) {
    if (at > upTo) break
    taken.push(now - left)
    leftAt.delete(at)
  }
  roomier()
}

const space = (): Promise<void> =>
  new Promise((resolve) => {
    roomier = resolve
  })

async function flood(count: number, rate: number): Promise<void> {
  taken = []
  const began = performance.now()
  for (let n = 0; n < count; n++) {
    const early = rate === 0 ? 0 : began + (n * 1000) / rate - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    while (leftAt.size >= WINDOW) await space()
    const text = `${n} ${WORDS.slice(0, 1 + ((n * 7) % WORDS.length)).join(' ')}`
    await inTurn(() => say({ t: 'text', at: Date.now(), text }))
  }
  while (leftAt.size > 0) await space()
  tell({ t: 'flooded', taken })
}

onmessage = ({ data }: MessageEvent<FromPage>) => {
  if (data.t === 'flood') void flood(data.count, data.rate)
  // The page is our own, and its frames are as they should be.
  else void inTurn(() => fromPage(data.way, decode(data.bytes) as ToSend | ToReceive))
}
tell({ t: 'link', fragment: `${b64uEncode(me.hash)}.${b64uEncode(secret)}` })
