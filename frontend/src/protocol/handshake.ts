/**
 * Offer and answer (PROTOCOL §5).
 *
 *   offer    version 0x01, kind 0x01, initiator (32), responder (32), n_I (384), ek_I (1216), c_R (384), invite (32)
 *   answer   version 0x01, kind 0x02, session id (32), c_I (384), ct (1120), ek_R (1216), confirm_R (32)
 *
 * Nothing here decides whom to answer: readOffer checks what needs no secret, the caller finds the invite's secret
 * or asks the person, and only answerOffer opens c_R.
 */
import { ascii, concat, equalPublic, isZero, random, Reader, wipe, type Bytes } from './bytes'
import { demand, guard } from './errors'
import {
  checkModulus,
  HASH_BYTES,
  MODULUS_BYTES,
  RSA_BYTES,
  thumbprint,
  type Identity,
} from './identity'
import { CT_BYTES, EK_BYTES, type Kem } from './kem'
import { hash, hkdf, hmac, hmacVerifies, openRsa, sealRsa } from './primitives'
import { OFFER_BYTES, type Pending, type Ratchet, type Turn } from './state'

export const ANSWER_BYTES = 2786
const MAC_BYTES = 32

/** Whom an offer is made to: its hash, and the modulus that the server gave for it. */
export interface Responder {
  readonly hash: Bytes
  readonly modulus: Bytes
}

export interface Offered {
  readonly offer: Bytes
  readonly sessionId: Bytes
  readonly pending: Pending
}

/** An offer to us, checked as far as it can be without a secret. */
export interface ReadOffer {
  readonly sessionId: Bytes
  /** User hash of the one who asks; proven only by the hello. */
  readonly initiator: Bytes
  readonly responder: Bytes
  readonly modulus: Bytes
  readonly ek: Bytes
  readonly sealedSecret: Bytes
  readonly invite: Bytes
  /** Whether it carries an invite, which may verify or not. */
  readonly invited: boolean
  readonly offer: Bytes
}

export interface Answered {
  readonly answer: Bytes
  readonly state: Ratchet
}

/**
 * Makes an offer. `secret`: the link's 16 bytes, or null for a request.
 * Throws 'modulus', 'thumbprint' (not that hash's key), 'own', 'kem', 'rsa'.
 */
export async function makeOffer(
  kem: Kem,
  identity: Identity,
  responder: Responder,
  secret: Bytes | null,
): Promise<Offered> {
  demand(equalPublic(await thumbprint(responder.modulus), responder.hash), 'thumbprint')
  demand(!equalPublic(responder.hash, identity.hash), 'own')
  const { ek, dk } = await kem.generate()
  const secretI = random(32)
  const label = await offerLabel(identity.hash, responder.hash, ek)
  const sealed = await sealRsa(responder.modulus, secretI, label)
  const head = concat(
    Uint8Array.of(1, 1),
    identity.hash,
    responder.hash,
    identity.modulus,
    ek,
    sealed,
  )
  const offer = concat(head, await makeInvite(secret, responder.hash, head))
  const sessionId = await hash(ascii('quarter/1 session'), offer)
  const kept = { dk, secretI, secret: secret && secret.slice() }
  const pending = { sessionId, offer, ...kept, responderModulus: responder.modulus }
  return { offer, sessionId, pending }
}

/**
 * Reads an offer and checks, in this order: the lengths, that it is to us, that n_I is valid and the initiator its
 * thumbprint, and not our own. Throws 'length', 'version', 'kind', 'responder', 'modulus', 'thumbprint', 'own'.
 */
export async function readOffer(bytes: Bytes, me: Identity): Promise<ReadOffer> {
  demand(bytes.length === OFFER_BYTES, 'length')
  const offer = await parseOffer(bytes)
  demand(equalPublic(offer.responder, me.hash), 'responder')
  demand(equalPublic(await thumbprint(offer.modulus), offer.initiator), 'thumbprint')
  demand(!equalPublic(offer.initiator, me.hash), 'own')
  return offer
}

async function parseOffer(bytes: Bytes): Promise<ReadOffer> {
  const reader = new Reader(bytes)
  demand(reader.byte() === 1, 'version')
  demand(reader.byte() === 1, 'kind')
  const initiator = reader.take(HASH_BYTES)
  const responder = reader.take(HASH_BYTES)
  const modulus = reader.take(MODULUS_BYTES)
  const ek = reader.take(EK_BYTES)
  const sealedSecret = reader.take(RSA_BYTES)
  const invite = reader.take(MAC_BYTES)
  const sessionId = await hash(ascii('quarter/1 session'), bytes)
  const invited = !isZero(invite)
  const offer = bytes.slice()
  return { sessionId, initiator, responder, modulus, ek, sealedSecret, invite, invited, offer }
}

/** Whether the offer's invite was made with this secret of 16 bytes. */
export async function inviteVerifies(offer: ReadOffer, secret: Bytes): Promise<boolean> {
  const psk = await derivePsk(secret, offer.responder)
  const head = offer.offer.subarray(0, OFFER_BYTES - MAC_BYTES)
  const verifies = await hmacVerifies(psk, offer.invite, ascii('quarter/1 invite'), head)
  wipe(psk)
  return verifies
}

/**
 * Answers an offer, under the secret that its invite verifies with, or null for a request that the person accepted.
 * Throws 'invite', 'rsa', 'kem': then drop the offer with no sign to its sender.
 */
export async function answerOffer(
  kem: Kem,
  identity: Identity,
  offer: ReadOffer,
  secret: Bytes | null,
): Promise<Answered> {
  const allowed = secret === null ? !offer.invited : await inviteVerifies(offer, secret)
  demand(allowed, 'invite')
  const { sessionId, initiator, responder, ek: ekI } = offer
  const labelI = await offerLabel(initiator, responder, ekI)
  const secretI = await openSecret(identity, offer.sealedSecret, labelI)
  const { ct, ss } = await kem.encapsulate(ekI)
  const { ek, dk } = await kem.generate()
  const secretR = random(32)
  const sealed = await sealRsa(offer.modulus, secretR, await answerLabel(sessionId, ct, ek))
  const head = concat(Uint8Array.of(1, 2), sessionId, sealed, ct, ek)
  const transcript = await hash(offer.offer, head)
  const psk = await derivePsk(secret, responder)
  const { root, confirmKey } = await deriveKeys([ss, secretI, secretR, psk], transcript)
  const confirm = await hmac(confirmKey, ascii('quarter/1 confirm'), transcript)
  wipe(confirmKey)
  const turn: Turn = { whose: 'theirs', epoch: 0, dk }
  const state = begin(1, sessionId, offer.modulus, root, turn)
  return { answer: concat(head, confirm), state }
}

/**
 * Takes the answer to a pending offer. Nothing of it is believed before confirm_R has verified, and ek_R is then
 * tried once, so that the hello can be sealed. Throws 'answer', whatever was wrong: the attempt is over.
 */
export async function acceptAnswer(
  kem: Kem,
  identity: Identity,
  pending: Pending,
  answer: Bytes,
): Promise<Ratchet> {
  return guard('answer', async () => {
    const { sealed, ct, ek, head, confirm } = parseAnswer(answer, pending.sessionId)
    const ss = await kem.decapsulate(pending.dk, ct)
    const label = await answerLabel(pending.sessionId, ct, ek)
    const secretR = await openSecret(identity, sealed, label)
    const transcript = await hash(pending.offer, head)
    const psk = await derivePsk(pending.secret, await thumbprint(pending.responderModulus))
    const secrets = [ss, pending.secretI.slice(), secretR, psk]
    const { root, confirmKey } = await deriveKeys(secrets, transcript)
    const confirmed = await hmacVerifies(
      confirmKey,
      confirm,
      ascii('quarter/1 confirm'),
      transcript,
    )
    wipe(confirmKey)
    if (!confirmed) wipe(root)
    demand(confirmed, 'answer')
    wipe((await kem.encapsulate(ek)).ss)
    const turn: Turn = { whose: 'mine', epoch: 0, ek }
    return begin(0, pending.sessionId, pending.responderModulus, root, turn)
  })
}

function parseAnswer(answer: Bytes, sessionId: Bytes) {
  demand(answer.length === ANSWER_BYTES, 'length')
  const reader = new Reader(answer)
  demand(reader.byte() === 1, 'version')
  demand(reader.byte() === 2, 'kind')
  demand(equalPublic(reader.take(HASH_BYTES), sessionId), 'session')
  const sealed = reader.take(RSA_BYTES)
  const ct = reader.take(CT_BYTES)
  const ek = reader.take(EK_BYTES)
  const confirm = reader.take(MAC_BYTES)
  return { sealed, ct, ek, confirm, head: answer.subarray(0, ANSWER_BYTES - MAC_BYTES) }
}

/** The state of either side after the handshake. */
function begin(
  role: 0 | 1,
  sessionId: Bytes,
  peerModulus: Bytes,
  root: Bytes,
  turn: Turn,
): Ratchet {
  const counts = { sent: 0, taken: 0, seen: 0, version: 0 }
  const chains = { sending: null, receiving: null }
  return {
    role,
    sessionId,
    peerModulus: checkModulus(peerModulus),
    root,
    turn,
    ...chains,
    ...counts,
  }
}

/** root ‖ k_R. The secrets that go in are wiped. */
async function deriveKeys(
  secrets: readonly Bytes[],
  transcript: Bytes,
): Promise<{ root: Bytes; confirmKey: Bytes }> {
  const ikm = concat(...secrets)
  const okm = await hkdf(ikm, transcript, ascii('quarter/1 handshake'), 64)
  const keys = { root: okm.slice(0, 32), confirmKey: okm.slice(32) }
  wipe(ikm, okm, ...secrets)
  return keys
}

async function makeInvite(secret: Bytes | null, responder: Bytes, head: Bytes): Promise<Bytes> {
  if (secret === null) return new Uint8Array(MAC_BYTES)
  const psk = await derivePsk(secret, responder)
  const invite = await hmac(psk, ascii('quarter/1 invite'), head)
  wipe(psk)
  return invite
}

async function derivePsk(secret: Bytes | null, responder: Bytes): Promise<Bytes> {
  if (secret === null) return new Uint8Array(32)
  return hkdf(secret, responder, ascii('quarter/1 psk'), 32)
}

async function offerLabel(initiator: Bytes, responder: Bytes, ek: Bytes): Promise<Bytes> {
  return concat(ascii('quarter/1 offer'), initiator, responder, await hash(ek))
}

async function answerLabel(sessionId: Bytes, ct: Bytes, ek: Bytes): Promise<Bytes> {
  return concat(ascii('quarter/1 answer'), sessionId, await hash(ct), await hash(ek))
}

/** The 32-byte secret in an OAEP ciphertext. Throws 'rsa'. */
async function openSecret(identity: Identity, sealed: Bytes, label: Bytes): Promise<Bytes> {
  const secret = await openRsa(identity.privateKey, sealed, label)
  demand(secret.length === 32, 'rsa')
  return secret
}
