/** A state of docs/vectors as the page has it, and back. */
import { toHex, type Ratchet } from '../../src/protocol'
import { bytesOf } from '../protocol/people'
import type { State } from './files'

type Chain = State['sending']

export function ratchetOf(state: State): Ratchet {
  const { turn } = state
  const chain = (hex: Chain) => hex && { epoch: hex.epoch, key: bytesOf(hex.key) }
  return {
    role: state.role,
    sessionId: bytesOf(state.session_id),
    peerModulus: bytesOf(state.peer_modulus),
    root: bytesOf(state.root),
    turn:
      turn.whose === 'mine' ? { ...turn, ek: bytesOf(turn.ek) } : { ...turn, dk: bytesOf(turn.dk) },
    sending: chain(state.sending),
    receiving: chain(state.receiving),
    sent: state.sent,
    taken: state.taken,
    seen: state.seen,
    version: 0,
  }
}

export function stateOf(ratchet: Ratchet): State {
  const { turn } = ratchet
  const chain = (bytes: Ratchet['sending']): Chain =>
    bytes && { epoch: bytes.epoch, key: toHex(bytes.key) }
  return {
    role: ratchet.role,
    session_id: toHex(ratchet.sessionId),
    peer_modulus: toHex(ratchet.peerModulus),
    root: toHex(ratchet.root),
    turn: turn.whose === 'mine' ? { ...turn, ek: toHex(turn.ek) } : { ...turn, dk: toHex(turn.dk) },
    sending: chain(ratchet.sending),
    receiving: chain(ratchet.receiving),
    sent: ratchet.sent,
    taken: ratchet.taken,
    seen: ratchet.seen,
  }
}
