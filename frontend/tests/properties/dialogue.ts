/**
 * Two people with the server between them, from the offer on. Of each, what the page keeps, which may be written down
 * and read again at any moment; of the server, what each has sent, in order.
 */
import {
  acceptAnswer,
  answerOffer,
  decodePending,
  decodeRatchet,
  encodePending,
  encodeRatchet,
  makeOffer,
  readOffer,
  sealMessage,
  takeMessage,
  type Bytes,
  type ContentToSend,
  type Identity,
  type Kem,
  type Pending,
  type Ratchet,
  type Verdict,
} from '../../src/protocol'
import { ack, hello, text } from '../protocol/people'

export class Side {
  pending: Pending | null = null
  ratchet: Ratchet | null = null
  /** The offer or the answer, and then the messages by n; the first `stored` of them are at the server. */
  readonly sent: Bytes[] = []
  stored = 0
  /** How many of the peer's were taken, and the digests of the messages among them. */
  taken = 0
  readonly digests: Bytes[] = []
  isAway = false
  readonly said: string[] = []
  readonly heard: string[] = []
  /** Words that wait for the other side. */
  readonly drafts: string[] = []

  constructor(readonly identity: Identity) {}

  /** The same in memory of its own; nothing was said yet. */
  copy(): Side {
    const copy = new Side(this.identity)
    copy.ratchet = this.ratchet
    copy.sent.push(...this.sent)
    copy.stored = this.stored
    copy.taken = this.taken
    copy.digests.push(...this.digests)
    copy.reload()
    return copy
  }

  reload(): void {
    this.pending &&= decodePending(encodePending(this.pending))
    this.ratchet &&= decodeRatchet(encodeRatchet(this.ratchet))
  }

  /** What it has sealed leaves for the server, if it is there. */
  post(): void {
    if (!this.isAway) this.stored = this.sent.length
  }

  comeOrGo(isAway = !this.isAway): void {
    this.isAway = isAway
    this.post()
  }
}

export class Dialogue {
  constructor(
    readonly kem: Kem,
    readonly guest: Side,
    readonly owner: Side,
    readonly secret: Bytes | null = null,
  ) {}

  /** The guest has made the offer. */
  static async offered(kem: Kem, guest: Identity, owner: Identity, secret: Bytes | null) {
    const side = new Side(guest)
    const { offer, pending } = await makeOffer(kem, guest, owner, secret)
    side.pending = pending
    side.sent.push(offer)
    side.post()
    return new Dialogue(kem, side, new Side(owner), secret)
  }

  /** The guest has said hello, and the owner has acknowledged it. */
  static async open(kem: Kem, guest: Identity, owner: Identity): Promise<Dialogue> {
    const dialogue = await Dialogue.offered(kem, guest, owner, null)
    await dialogue.finish()
    return dialogue
  }

  copy(): Dialogue {
    return new Dialogue(this.kem, this.guest.copy(), this.owner.copy())
  }

  peerOf(side: Side): Side {
    return side === this.guest ? this.owner : this.guest
  }

  async say(side: Side, words: string): Promise<void> {
    side.said.push(words)
    side.drafts.push(words)
    await this.#sendDrafts(side)
  }

  async #sendDrafts(side: Side): Promise<void> {
    const mayWrite = side === this.guest ? side.ratchet !== null : side.digests.length > 0
    if (!mayWrite) return
    for (const words of side.drafts.splice(0)) await this.seal(side, text(words))
  }

  async seal(side: Side, content: ContentToSend): Promise<void> {
    const { bytes, ratchet } = await sealMessage(this.kem, standing(side), content)
    side.ratchet = ratchet
    side.sent.push(bytes)
    side.post()
  }

  /** The next of the peer's that the server has, if this side is there to take it. */
  due(side: Side): Bytes | undefined {
    const { sent, stored } = this.peerOf(side)
    return side.isAway || side.taken === stored ? undefined : sent[side.taken]
  }

  /** Takes what is due; answers whether there was anything. */
  async take(side: Side): Promise<boolean> {
    const bytes = this.due(side)
    if (!bytes) return false
    if (side.ratchet) await this.#takeMessage(side, bytes)
    else if (side.pending) await this.#takeAnswer(side, side.pending, bytes)
    else await this.#takeOffer(side, bytes)
    side.taken += 1
    await this.#sendDrafts(side)
    return true
  }

  async #takeOffer(side: Side, offer: Bytes): Promise<void> {
    const read = await readOffer(offer, side.identity)
    const { answer, state } = await answerOffer(this.kem, side.identity, read, this.secret)
    side.ratchet = state
    side.sent.push(answer)
    side.post()
  }

  async #takeAnswer(side: Side, pending: Pending, answer: Bytes): Promise<void> {
    side.ratchet = await acceptAnswer(this.kem, side.identity, pending, answer)
    side.pending = null
    await this.seal(side, hello)
  }

  async #takeMessage(side: Side, bytes: Bytes): Promise<void> {
    const verdict = await this.judge(side, bytes)
    if (verdict.verdict !== 'taken') throw new Error(`${verdict.verdict} instead of taken`)
    const { ratchet, content, digest } = verdict
    side.ratchet = ratchet
    side.digests.push(digest)
    if (content.t === 'text') side.heard.push(content.text)
    if (content.t === 'hello') await this.seal(side, ack)
  }

  /** What a side says to any bytes; nothing is kept of them. */
  judge({ identity, ratchet, digests }: Side, bytes: Bytes): Promise<Verdict> {
    if (!ratchet) throw new Error('there is no conversation yet')
    return takeMessage(this.kem, identity, ratchet, bytes, (n) => digests[n])
  }

  /** Everybody is there, and everything arrives. */
  async finish(): Promise<void> {
    for (const side of [this.guest, this.owner]) side.comeOrGo(false)
    for (;;) if (!(await this.take(this.owner)) && !(await this.take(this.guest))) return
  }

  /** What the owner and the guest have heard, and how many messages they have taken. */
  get heard() {
    const of = ({ heard, ratchet }: Side) => ({ words: heard, messages: ratchet?.taken })
    return [of(this.owner), of(this.guest)]
  }

  /** What they should have. */
  get said() {
    const of = ({ said, ratchet }: Side) => ({ words: said, messages: ratchet?.sent })
    return [of(this.guest), of(this.owner)]
  }
}

function standing({ ratchet }: Side): Ratchet {
  if (!ratchet) throw new Error('there is no conversation yet')
  return ratchet
}
