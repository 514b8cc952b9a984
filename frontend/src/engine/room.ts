/** What all conversations of a page share: identity, vault, clock, the way to the server, the screen. */
import type { Identity, Kem } from '../protocol'
import type { Connection } from '../transport/connection'
import type { Vault } from '../vault/vault'
import type { Bounds, Clock } from './deadline'
import type { EngineEvent } from './types'

/** The part of the connection that conversations use. */
export type Server = Pick<
  Connection,
  'online' | 'request' | 'post' | 'volatile' | 'taken' | 'resync'
>

export interface Room {
  readonly identity: Identity
  readonly hash: string
  readonly kem: Kem
  readonly vault: Vault
  /** The local half, from which the conversations' keys are derived. */
  readonly local: CryptoKey
  readonly clock: Clock
  readonly server: Server
  /** The server's, as far as it has said them. */
  readonly bounds: () => Bounds
  tell(event: EngineEvent): void
}
