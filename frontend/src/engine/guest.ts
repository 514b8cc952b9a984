/** The guest's handshake (PROTOCOL §5): look the owner up, offer, and offer the same bytes again. */
import {
  b64uEncode,
  encodePending,
  makeOffer,
  offerOf,
  ProtocolError,
  wipePending,
  type Bytes,
} from '../protocol'
import { inBackground } from './background'
import type { Conversation } from './conversation'
import type { House } from './house'
import { EngineError } from './types'

/** Makes an offer to the owner of `hash`; with a secret, never without it. Answers the session's id. */
export async function join(
  house: House,
  address: { readonly hash: Bytes; readonly secret: Bytes | null },
  ttlSeconds: number,
): Promise<string> {
  const modulus = await lookup(house, address.hash)
  const { sessionId, pending } = await offerTo(
    house,
    { hash: address.hash, modulus },
    address.secret,
  )
  const id = b64uEncode(sessionId)
  const state = house.newState({
    role: 0,
    peer: b64uEncode(address.hash),
    verified: address.secret ? 'link' : 'none',
    ttlSeconds,
    pending: encodePending(pending),
  })
  wipePending(pending)
  const half = await prepare(house, id)
  const conversation = await house.begin({ id, half, ttl: ttlSeconds }, { state, joined: true })
  await sendOffer(house, conversation)
  conversation.retell()
  return id
}

/** Sends the offer's bytes for the first time. What the server refuses ends the attempt. */
export async function sendOffer(house: House, conversation: Conversation): Promise<void> {
  const { pending } = conversation.state
  if (!pending) return
  try {
    await house.request({ t: 'offer', body: offerOf(pending) })
  } catch (error) {
    if (error instanceof EngineError && error.code === 'offline') {
      house.later(error, () => offerAgain(house, conversation))
      return
    }
    await house.drop(conversation.id)
    throw error
  }
  // Where it can't be written down, the same bytes are offered again: no reason to let the person join twice.
  if (!conversation.over) inBackground(conversation.markOffered())
}

/** The same bytes again, while nobody waits for the answer; what was written meanwhile is not lost in silence. */
export async function offerAgain(house: House, conversation: Conversation): Promise<void> {
  const { pending, offered } = conversation.state
  if (!pending || offered || conversation.checkDeadline()) return
  try {
    await house.request({ t: 'offer', body: offerOf(pending) })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const retried = house.later(error, () => offerAgain(house, conversation))
    if (!retried && error.code !== 'offline') conversation.end('server-says')
    return
  }
  await conversation.markOffered()
}

/** This side's seal half of a session that is about to be; the same one for the same session. */
export async function prepare(house: House, id: string): Promise<Bytes> {
  const { session, half } = await house.ask({ t: 'prepare', session: id }, 'seal')
  if (session !== id) throw new EngineError('wrong-answer')
  return half
}

async function lookup(house: House, hash: Bytes): Promise<Bytes> {
  return (await house.ask({ t: 'lookup', hash: b64uEncode(hash) }, 'key')).modulus
}

async function offerTo(
  { room }: House,
  responder: { readonly hash: Bytes; readonly modulus: Bytes },
  secret: Bytes | null,
) {
  try {
    return await makeOffer(room.kem, room.identity, responder, secret)
  } catch (error) {
    if (error instanceof ProtocolError) throw new EngineError('key-mismatch')
    throw error
  }
}
