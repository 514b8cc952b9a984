/**
 * Why the protocol refused something. The codes are stable; nothing secret is ever in an error.
 *
 * bad input (from a person, the server or the peer)
 *   base64url    not the one canonical spelling of these bytes (PROTOCOL §2)
 *   address      neither an invite link nor a user hash (§4)
 *   length, version, kind
 *                not an offer, answer or message of version 1 (§5, §6)
 *   jwk          not exactly the three members of a public key (§3)
 *   modulus      a modulus that §3 refuses
 *   thumbprint   a public key that does not belong to its hash
 *   responder    an offer to somebody else
 *   own          one's own hash where a peer's must be
 *   invite       the invite does not verify, or is there (or missing) where it must not be
 *   answer       the answer does not prove the owner; one code, whatever was wrong with it
 *   session      bytes of another session
 *   epoch        a ratchet step out of turn (§6)
 *   rsa, kem, aead
 *                what was sealed does not open, or the key to seal to is none
 * wrong use
 *   turn         this side may not send that now: the initiator's first message is the hello,
 *                nothing else is, and the responder waits for it
 *   content      a content that can't be written (ill-formed text, number out of range)
 *   too-long     a text above 16 KiB of UTF-8
 *   spent        a counter has reached its end
 * the browser's own store
 *   state        stored bytes that are no valid state
 *   identity     stored bytes that are no RSA-3072 private key
 */
export type ProtocolErrorCode =
  | 'base64url'
  | 'address'
  | 'length'
  | 'version'
  | 'kind'
  | 'jwk'
  | 'modulus'
  | 'thumbprint'
  | 'responder'
  | 'own'
  | 'invite'
  | 'answer'
  | 'session'
  | 'epoch'
  | 'rsa'
  | 'kem'
  | 'aead'
  | 'turn'
  | 'content'
  | 'too-long'
  | 'spent'
  | 'state'
  | 'identity'

/** The one error of this folder; `code` is one of the list above, and is the whole message. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode) {
    super(code)
    this.name = 'ProtocolError'
    this.code = code
  }
}

/** Throws ProtocolError(code) unless the condition holds. */
export function demand(condition: boolean, code: ProtocolErrorCode): asserts condition {
  if (!condition) throw new ProtocolError(code)
}

/** Awaits foreign code; whatever it throws becomes ProtocolError(code), its own message dropped. */
export async function guard<T>(code: ProtocolErrorCode, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    throw new ProtocolError(code)
  }
}

/** The same for code that answers at once. */
export function guardSync<T>(code: ProtocolErrorCode, work: () => T): T {
  try {
    return work()
  } catch {
    throw new ProtocolError(code)
  }
}
