/** The page's own protocol and wire, between two people in one page. */
import { decode, encode } from '@msgpack/msgpack'
import * as protocol from '../../frontend/src/protocol'
import type { Identity, Kem, Ratchet } from '../../frontend/src/protocol'
import {
  encodeFrame,
  parseFromReceive,
  type Item,
  type ToSend,
} from '../../frontend/src/transport/wire'
import { carryBy, type Way } from './way'

/** As many as make a burst: the browser is then warm. */
const BURST = 10

/** One end of a conversation. */
interface Side {
  readonly identity: Identity
  ratchet: Ratchet
}

/** One side writes and writes: no message carries a step. This one comes after something else. */
export async function withinTurn(kem: Kem): Promise<Way> {
  const [guest, owner] = await converse(kem)
  await send(kem, owner, guest, '')
  return {
    name: 'Quarter, within a turn',
    carry: (text) => send(kem, owner, guest, text),
  }
}

/** The same, of the last of a burst. */
export async function inABurst(kem: Kem): Promise<Way> {
  const { carry } = await withinTurn(kem)
  return {
    name: 'Quarter, within a turn, in a burst',
    carry: async (text) => {
      for (let before = 1; before < BURST; before += 1) await carry(text)
      return carry(text)
    },
  }
}

/** Both write in turn: every message carries a step of the ratchet, RSA and KEM. */
export async function turnByTurn(kem: Kem, whose: string): Promise<Way> {
  let [sender, receiver] = await converse(kem)
  return {
    name: `Quarter, at a change of turn, X-Wing of ${whose}`,
    carry: (text) => {
      ;[sender, receiver] = [receiver, sender]
      return send(kem, sender, receiver, text)
    },
  }
}

const send = (kem: Kem, from: Side, to: Side, text: string) =>
  carryBy(
    text,
    async () => {
      const content = { t: 'text', at: Date.now(), text } as const
      const { ratchet, n, bytes } = await protocol.sealMessage(kem, from.ratchet, content)
      from.ratchet = ratchet
      return encodeFrame({
        t: 'post',
        session: protocol.b64uEncode(ratchet.sessionId),
        n,
        body: bytes,
      })
    },
    relayed,
    async (frame) => {
      const item = parseFromReceive(frame)
      if (item.t !== 'item') throw new Error('another frame came out')
      const content = await take(kem, to, item.body)
      return content.t === 'text' ? content.text : content.t
    },
  )

/** What the server makes of a post. */
function relayed(frame: Uint8Array): ArrayBuffer {
  const { session, body } = decode(frame) as Extract<ToSend, { t: 'post' }>
  const item: Item = { t: 'item', session, seq: 3, kind: 'message', sender: 1, body }
  return encode(item).slice().buffer
}

/** A handshake and its hello, the guest's: the turn is the owner's. */
async function converse(kem: Kem): Promise<[guest: Side, owner: Side]> {
  const [guest, owner] = await Promise.all([makePerson(), makePerson()])
  const { offer, pending } = await protocol.makeOffer(kem, guest, owner, null)
  const read = await protocol.readOffer(offer, owner)
  const { answer, state } = await protocol.answerOffer(kem, owner, read, null)
  const accepted = await protocol.acceptAnswer(kem, guest, pending, answer)
  const { ratchet, bytes } = await protocol.sealMessage(kem, accepted, { t: 'hello', at: 0 })
  const responder = { identity: owner, ratchet: state }
  await take(kem, responder, bytes)
  return [{ identity: guest, ratchet }, responder]
}

const makePerson = async (): Promise<Identity> =>
  protocol.importIdentity(await protocol.generateIdentity())

async function take(kem: Kem, side: Side, bytes: protocol.Bytes) {
  const taken = await protocol.takeMessage(kem, side.identity, side.ratchet, bytes, () => undefined)
  if (taken.verdict !== 'taken') throw new Error(taken.verdict)
  side.ratchet = taken.ratchet
  return taken.content
}
