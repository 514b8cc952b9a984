/** The owner's invite links: made, withdrawn, spent by the first valid hello, dead after 24 h (PROTOCOL §4). */
import {
  b64uDecode,
  b64uEncode,
  formatLink,
  inviteVerifies,
  makeSecret,
  wipe,
  type Bytes,
  type ReadOffer,
} from '../protocol'
import type { StoredLink } from '../vault/shapes'
import type { Room } from './room'
import type { InviteLink } from './types'

/** A link is good for a day (PROTOCOL §4). */
export const LINK_LIFE_MS = 24 * 3600 * 1000
/** Offers answered under one secret, one for each initiator (PROTOCOL §5). */
const ANSWERS = 4

export class Links {
  readonly #room: Room
  readonly #origin: string
  readonly #links = new Map<string, StoredLink>()

  constructor(room: Room, origin: string, kept: readonly StoredLink[]) {
    this.#room = room
    this.#origin = origin
    for (const link of kept) this.#links.set(link.id, link)
  }

  async make(name: string | null): Promise<InviteLink> {
    const createdAt = this.#room.clock.wall()
    const secret = makeSecret()
    const link: StoredLink = {
      id: b64uEncode(crypto.getRandomValues(new Uint8Array(9))),
      secret,
      name,
      createdAt,
      expiresAt: createdAt + LINK_LIFE_MS,
      spent: false,
      answered: [],
    }
    await this.#room.vault.writeLink(link)
    this.remember(link)
    return this.#show(link)
  }

  async withdraw(id: string): Promise<void> {
    await this.#room.vault.deleteLink(id)
    const link = this.#links.get(id)
    if (link) wipe(link.secret)
    this.#links.delete(id)
    this.tell()
  }

  /** Everything, with the identity. */
  forget(): void {
    for (const { secret } of this.#links.values()) wipe(secret)
    this.#links.clear()
  }

  /** The link whose secret an offer's invite was made with, live or spent; null where there is none. */
  async verifying(offer: ReadOffer): Promise<StoredLink | null> {
    await this.bury()
    for (const link of this.#links.values()) {
      if (await inviteVerifies(offer, link.secret)) return link
    }
    return null
  }

  /** The link with one more answered initiator, or null where it may answer no more. */
  answering(link: StoredLink, initiator: string): StoredLink | null {
    if (link.answered.includes(initiator) || link.answered.length >= ANSWERS) return null
    return { ...link, answered: [...link.answered, initiator] }
  }

  /** The same link after its hello; null for one that is spent or gone. */
  spending(id: string): StoredLink | null {
    const link = this.#links.get(id)
    return link && !link.spent ? { ...link, spent: true } : null
  }

  /** Takes over what a transaction has written. */
  remember(link: StoredLink): void {
    this.#links.set(link.id, link)
    this.tell()
  }

  tell(): void {
    const links = [...this.#links.values()].filter(({ spent }) => !spent)
    this.#room.tell({ type: 'links', links: links.map((link) => this.#show(link)) })
  }

  /** Deletes what has lived its 24 hours. */
  async bury(): Promise<void> {
    const now = this.#room.clock.wall()
    for (const link of this.#links.values()) {
      if (now >= link.expiresAt) await this.withdraw(link.id)
    }
  }

  #show({ id, secret, name, createdAt, expiresAt }: StoredLink): InviteLink {
    const hash: Bytes = b64uDecode(this.#room.hash)
    return { id, name, createdAt, expiresAt, url: formatLink(this.#origin, hash, secret) }
  }
}
