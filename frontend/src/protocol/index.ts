/** The one door to the protocol: pure, no clock, no storage, no network (docs/PROTOCOL.md). */
export {
  comparePublic,
  concat,
  b64uDecode,
  b64uEncode,
  equalPublic,
  random,
  toHex,
  uint32,
  wipe,
  type Bytes,
} from './bytes'
export { ProtocolError, type ProtocolErrorCode } from './errors'
export { chooseKem, type Kem } from './kem'
export {
  checkModulus,
  generateIdentity,
  importIdentity,
  jwkOf,
  modulusFromJwk,
  proveLogin,
  thumbprint,
  type Identity,
  type PublicJwk,
} from './identity'
export { formatLink, makeSecret, parseAddress, type Address } from './link'
export {
  acceptAnswer,
  answerOffer,
  inviteVerifies,
  makeOffer,
  readOffer,
  type Answered,
  type Offered,
  type ReadOffer,
  type Responder,
} from './handshake'
export {
  decodePending,
  decodeRatchet,
  encodePending,
  encodeRatchet,
  offerOf,
  wipePending,
  wipeRatchet,
  withRatchet,
  type Pending,
  type Ratchet,
  type Role,
} from './state'
export {
  openAgain,
  sealMessage,
  takeMessage,
  type BreachCode,
  type FailureCode,
  type MessageRecord,
  type SealedMessage,
  type Verdict,
} from './ratchet'
export { openVolatile, sealVolatile, type Typing } from './volatile'
export {
  TEXT_MAX_BYTES,
  textBytes,
  type Content,
  type ContentToSend,
  type MessageName,
  type Unknown,
  type Unreadable,
} from './content'
export { hash as sha256 } from './primitives'
export { safetyCode, safetyNumber } from './safety'
