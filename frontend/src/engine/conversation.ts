/**
 * One conversation from the moment that its ratchet exists, or its offer waits, to its end.
 *
 * Rules (PROTOCOL §6, §9):
 *   1. One send or receive at a time; each reads the state from the vault, computes, and commits.
 *   2. Commit first, then tell: bytes leave, and the screen changes, after the vault has them.
 *   3. What can't be opened is fetched again for 30 s; then the conversation is broken, for good.
 *   4. After its end nothing of it is left, here or in the vault, but that it was.
 *   5. A place in the session's stream is the server's word: the cursor passes none that can't be (DESIGN §4).
 *   6. What is spent is wiped: states that were replaced, keys that only the vault has to keep.
 */
import {
  acceptAnswer,
  decodePending,
  openAgain,
  ProtocolError,
  sha256,
  wipe,
  wipePending,
  wipeRatchet,
  withRatchet,
  type Bytes,
  type Content,
  type ContentToSend,
  type Pending,
  type Unreadable,
} from '../protocol'
import type { Item, SessionInfo } from '../transport/wire'
import type { Draft, Outgoing, StoredConversation, StoredRecord } from '../vault/shapes'
import { StaleVersion, type Change } from '../vault/vault'
import { untilDone } from './background'
import { deadlineAfter, endsAt, hasPassed, isDue, withTtl, type Deadline } from './deadline'
import { draftKey, Drafts } from './drafts'
import { ANYWHERE, Fetching } from './fetching'
import { lineOf, mended } from './lines'
import { Outbox } from './outbox'
import { Queue } from './queue'
import type { Room } from './room'
import {
  obeyed,
  open,
  openAll,
  seal,
  wipeState,
  type HelloTaken,
  type Opened,
  type Sent,
  type Step,
} from './steps'
import { Transcript } from './transcript'
import {
  EngineError,
  type Conversation as View,
  type EndedWhy,
  type Message,
  type Phase,
} from './types'
import { Typing } from './typing'
import { wordsFor, type BrokenCode } from './words'

/** An ack leaves after so much quiet, so that a burst gets one, ms (PROTOCOL §7 allows 20 s). */
const ACK_QUIET_MS = 1_500
/** Whatever the server or the peer say, a conversation ends after a day without a message (PROTOCOL §9). */
const TTL_MAX_SECONDS = 24 * 3600
/** More waiting messages than the server's own burst: the person is ahead of the network. */
const OUTBOX_LIMIT = 50
const DRAFT_LIMIT = 50
/** So many messages at most are taken in one transaction: as many as the server sends ahead of what is taken. */
const TOGETHER = 64
/** What a session's stream begins with; all else are messages (DESIGN §3). */
const FIRST_KINDS: readonly Item['kind'][] = ['offer', 'answer']

/** What the engine decides for a conversation: its links and its siblings. */
export interface Neighbours {
  helloTaken(id: string, linkId: string | null): ReturnType<HelloTaken>
  /** The conversation is over; the engine tells the server where that is this side's part. */
  ended(conversation: Conversation, why: EndedWhy): void
}

export class Conversation {
  readonly id: string
  readonly #room: Room
  /** Seals what lies in the vault; given up with the end. */
  #key: CryptoKey | null
  readonly #neighbours: Neighbours
  readonly #queue = new Queue()
  readonly #outbox: Outbox
  readonly #transcript: Transcript
  /** As last committed: for showing and deciding, never for writing. */
  #state: StoredConversation
  #deadline: Deadline
  #serverTtl: number
  #endedWhy: EndedWhy | null = null
  #undelivered = 0
  /** The server said that it takes no more: told once. */
  #isFull = false
  #cursor = 0
  readonly #drafts = new Drafts()
  /** Lines are shown once all that was said before has been read again. */
  #shown: boolean
  readonly #fetching: Fetching
  readonly #typing = new Typing(() => this.#tellView())
  #ackTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    room: Room,
    neighbours: Neighbours,
    id: string,
    key: CryptoKey,
    kept: {
      state: StoredConversation
      records: readonly StoredRecord[]
      outbox: readonly Outgoing[]
      serverTtl: number
      fresh: boolean
    },
  ) {
    this.id = id
    this.#room = room
    this.#key = key
    this.#neighbours = neighbours
    this.#state = kept.state
    this.#serverTtl = kept.serverTtl
    this.#shown = kept.fresh
    this.#transcript = new Transcript(kept.records)
    this.#outbox = new Outbox((n, bytes) => room.server.post(id, n, bytes), kept.outbox)
    this.#fetching = new Fetching(
      () => this.#askAgain(),
      (code) => this.#break(code),
    )
    this.#deadline = deadlineAfter(room.clock, kept.state.activeAt, this.#ttl)
  }

  /** Reads a conversation that lies in the vault; null where there is none. Throws SealError. */
  static async load(
    room: Room,
    neighbours: Neighbours,
    key: CryptoKey,
    info: { id: string; ttl: number },
  ): Promise<Conversation | null> {
    const held = await room.vault.read(key, info.id)
    if (!held) return null
    const records = await room.vault.readRecords(key, info.id)
    const outbox = held.state.broken ? [] : await room.vault.readOutbox(key, info.id)
    const conversation = new Conversation(room, neighbours, info.id, key, {
      state: held.state,
      records,
      outbox,
      serverTtl: info.ttl,
      fresh: false,
    })
    for (const { number, draft } of await room.vault.readDrafts(key, info.id)) {
      conversation.#drafts.add(number, draft)
    }
    for (const { bytes } of outbox) await conversation.#readAgain(bytes)
    return conversation
  }

  get state(): StoredConversation {
    return this.#state
  }

  get cursor(): number {
    return this.#cursor
  }

  get ended(): boolean {
    return this.#endedWhy !== null
  }

  /** Ended or broken. */
  get over(): boolean {
    return this.#endedWhy !== null || this.#state.broken !== null
  }

  get phase(): Phase {
    // That it broke is not to be covered up by the server's saying that it ended.
    if (this.#state.broken && this.#endedWhy !== 'left') return 'broken'
    if (this.#endedWhy) return 'ended'
    if (this.#state.confirmed) return 'open'
    return this.#state.verified === 'none' && this.#state.role === 0 ? 'asking' : 'joining'
  }

  /** An owner's conversation that began with a link shows itself when the guest has proved to be there, or it broke. */
  get hidden(): boolean {
    const { role, confirmed, verified, broken } = this.#state
    return role === 1 && !confirmed && verified === 'link' && broken === null
  }

  get view(): View {
    return {
      id: this.id,
      phase: this.phase,
      endedWhy: this.#endedWhy,
      brokenWhy: this.#state.broken && wordsFor(this.#state.broken),
      peer: this.#state.peer,
      name: this.#state.name,
      verified: this.#state.verified,
      peerTyping: this.#typing.peers,
      ttlSeconds: this.#ttl,
      deadline: endsAt(this.#deadline),
      undelivered: this.#undelivered,
    }
  }

  /** Tells a new subscriber, or the screen after a reload, all that stands. */
  retell(): void {
    this.#tellView()
    if (!this.#shown || this.over) return
    for (const message of this.#transcript.messages) this.#tellMessage(message)
    for (const message of this.#drafts.messages) this.#tellMessage(message)
  }

  // ---- the server's side of it

  /** The server's word on the session: a shorter ttl, and what it has of ours. */
  async informed(info: SessionInfo): Promise<void> {
    this.#serverTtl = info.ttl
    this.#deadline = withTtl(this.#deadline, this.#ttl)
    if (this.checkDeadline()) return this.#tellView()
    const { ratchet } = this.#state
    const sent = ratchet ? await withRatchet(ratchet, async (state) => state.sent) : 0
    if (info.next_n > sent) return this.#break('rolled-back')
    if (info.next_n > 0) await this.stored(info.next_n - 1)
    this.#outbox.again()
    this.#tellView()
  }

  /** Everything that the server had has come: what is still missing is gone. */
  async caughtUp(): Promise<void> {
    if (this.#shown || this.checkDeadline()) return
    if (!this.#transcript.complete) return this.#break('missing-record')
    this.#shown = true
    this.retell()
    untilDone(() => this.#sendDrafts())
    if (this.#state.ackOwed) this.#ackSoon()
  }

  /**
   * Works on the first of these items of the session's stream, and on those behind it that can be taken with it.
   * Answers on how many. Throws nothing: what is wrong with one ends up in the state.
   */
  items(items: readonly Item[]): Promise<number> {
    return this.#queue.run(async () => {
      const [item] = items
      if (!item || this.#fetching.isBehind(item.seq)) return 1
      this.checkDeadline()
      const done = this.over ? 1 : await this.#doneOf(item, items)
      const last = items[done - 1]
      if (last) this.#passed(last.seq)
      return Math.max(done, 1)
    })
  }

  /** How many of these are done with. */
  async #doneOf(item: Item, items: readonly Item[]): Promise<number> {
    if (item.kind !== (FIRST_KINDS[item.seq - 1] ?? 'message')) {
      return this.#fetchAgain(item.seq, 'bad-message')
    }
    if (item.kind === 'message') return this.#message(item, items)
    if (item.kind === 'answer') await this.#answer(item.body)
    this.#reached(item.seq)
    return 1
  }

  /** All up to this place has come. */
  #reached(seq: number): void {
    this.#cursor = Math.max(this.#cursor, seq)
  }

  /** An item is done with: the server may send more. */
  #passed(seq: number): void {
    this.#room.server.taken(this.id, seq)
    this.#fetching.done(seq)
  }

  /** The server has all of ours up to n; what we never sent it has from another copy of this state. */
  async stored(n: number): Promise<void> {
    if (!this.over && !this.#transcript.digestAt(this.#state.role, n))
      return this.#break('rolled-back')
    await this.#room.vault.stored(this.id, n)
    this.#outbox.stored(n)
    this.#tellDelivered(this.#transcript.deliver(n + 1, 'stored'))
  }

  /** The server refused a post, or with `conflict` an answer. */
  refused(code: string, retryAfter: number | null): void {
    if (code === 'conflict') this.#break('rolled-back')
    else if (code === 'too_big' || code === 'bad_envelope') this.#break('refused-message')
    else if (code !== 'ended') this.#outbox.again(retryAfter ?? 0.25)
    if (code === 'full') this.#tellFull()
  }

  #tellFull(): void {
    if (!this.#isFull) {
      const notice = { kind: 'conversation-full', name: this.#state.name } as const
      this.#room.tell({ type: 'notice', notice })
    }
    this.#isFull = true
  }

  async volatileFrame(body: Bytes): Promise<void> {
    const ratchet = this.#state.ratchet
    if (!ratchet || this.over || !this.#state.confirmed) return
    await withRatchet(ratchet, (state) => this.#typing.take(state, body))
    if (this.over) this.#typing.stop()
  }

  // ---- what the person does

  async say(written: string): Promise<void> {
    if (this.checkDeadline()) throw new EngineError('not-open')
    if (this.#outbox.size >= OUTBOX_LIMIT) throw new EngineError('too-fast', 2)
    const at = this.#room.clock.wall()
    const text = mended(written)
    const ready = this.#mayWrite && this.#drafts.size === 0
    if (ready) await this.send({ t: 'text', at, text })
    else await this.#keepDraft({ at, text })
    if (!ready) untilDone(() => this.#sendDrafts())
  }

  async keepOn(): Promise<void> {
    if (this.phase !== 'open') throw new EngineError('not-open')
    await this.send({ t: 'timer', at: this.#room.clock.wall(), seconds: this.#ttl })
  }

  async typing(on: boolean): Promise<void> {
    const { ratchet } = this.#state
    if (!ratchet || this.phase !== 'open') return
    const tick = this.#room.clock.monotonic()
    const frame = await withRatchet(ratchet, (state) => this.#typing.frame(state, on, tick))
    if (frame && this.#room.server.online) this.#room.server.volatile(this.id, frame)
  }

  async markCompared(): Promise<void> {
    await this.#amend({ verified: 'compared' })
  }

  /** The server has the offer. */
  async markOffered(): Promise<void> {
    await this.#amend({ offered: true })
  }

  async sayBye(): Promise<void> {
    await this.send({ t: 'bye', at: this.#room.clock.wall() })
  }

  /** Settles when the server has stored all that was sent. */
  flushed(): Promise<void> {
    return this.#outbox.drained()
  }

  /** Seals, commits, then posts. Answers the message's n. */
  send(content: ContentToSend, draft: number | null = null): Promise<number> {
    return this.#queue.run(async () => {
      this.checkDeadline()
      const isReady = this.#shown || content.t === 'bye'
      if (!isReady || !this.#mayLeave(content)) throw new EngineError('not-open')
      const record = await this.#update(async (state) => {
        if (!state.ratchet) throw new EngineError('not-open')
        return withRatchet(state.ratchet, (ratchet) =>
          seal(this.#room, state, ratchet, content, draft),
        )
      })
      this.#sent(content, record, draft)
      return record.n
    })
  }

  // ---- its end

  /** Whether its time is up by this page's own clocks, give or take a moment, whatever the server says of it. */
  get due(): boolean {
    return isDue(this.#room.clock, withTtl(this.#deadline, this.#agreedTtl))
  }

  /** Ends it if its time is up; answers whether it is over. */
  checkDeadline(): boolean {
    if (!this.#endedWhy && hasPassed(this.#room.clock, this.#deadline)) {
      this.end(!this.#state.confirmed ? 'unanswered' : this.due ? 'expired' : 'server-says')
    }
    return this.over
  }

  /** Forgets everything at once; the vault follows, and what was read from it opens no more. */
  end(why: EndedWhy): void {
    if (this.#endedWhy) return
    this.#undelivered = this.#transcript.undelivered + this.#drafts.size
    this.#endedWhy = why
    this.stop()
    this.#key = null
    wipeState(this.#state)
    this.#state = { ...this.#state, pending: null, answer: null, ratchet: null }
    this.#transcript.forget()
    this.#drafts.clear()
    this.#room.tell({ type: 'cleared', conversation: this.id })
    this.#tellView()
    untilDone(() => this.#queue.run(() => this.#room.vault.forget(this.id)))
    this.#neighbours.ended(this, why)
  }

  /** Settles when everything asked for so far is done. */
  idle(): Promise<unknown> {
    return this.#queue.idle()
  }

  // ---- inside

  get #ttl(): number {
    return Math.min(this.#agreedTtl, this.#serverTtl)
  }

  /** The ttl without the server's later word, which may only shorten it. */
  get #agreedTtl(): number {
    return Math.min(this.#state.ttlSeconds, TTL_MAX_SECONDS)
  }

  get #seals(): CryptoKey {
    if (!this.#key) throw new EngineError('not-open')
    return this.#key
  }

  /** Texts may leave: the ratchet stands, the guest has said hello, and all that was said before is shown. */
  get #mayWrite(): boolean {
    const { ratchet, role, confirmed } = this.#state
    return ratchet !== null && this.#shown && (role === 0 || confirmed)
  }

  /** Nothing but bye leaves a broken conversation. */
  #mayLeave({ t }: ContentToSend): boolean {
    return t === 'bye' ? !this.#endedWhy : !this.over
  }

  /**
   * Reads, lets `step` compute what to write (null: nothing), and writes it; begins again if the
   * conversation was changed meanwhile. Answers the step's value.
   */
  async #update<T>(step: (state: StoredConversation) => Promise<Step<T>>): Promise<T> {
    for (;;) {
      const key = this.#seals
      const held = await this.#room.vault.read(key, this.id)
      if (!held) throw new EngineError('not-open')
      let change: Change | null = null
      try {
        if (this.#endedWhy) throw new EngineError('not-open')
        const computed = await step(held.state)
        change = computed.change
        if (change) await this.#room.vault.commit(key, this.id, held.version, change)
        if (change) this.#adopt(change.state)
        return computed.value
      } catch (error) {
        if (!(error instanceof StaleVersion)) throw error
      } finally {
        this.#wipeRest(held.state, change)
      }
    }
  }

  /** Of what was read and written, memory keeps the state that stands; the message's key is in the vault. */
  #wipeRest(read: StoredConversation, change: Change | null): void {
    wipeState(read, this.#state)
    if (change) wipeState(change.state, this.#state)
    for (const { key } of change?.records ?? []) if (key) wipe(key)
  }

  /** What was committed is what stands, save that an end or a break meanwhile is for good. */
  #adopt(state: StoredConversation): void {
    if (this.#endedWhy) return
    const before = this.#state
    const { activeAt, broken } = before
    this.#state = broken ? { ...state, broken } : state
    wipeState(before, state)
    this.#deadline =
      state.activeAt === activeAt
        ? withTtl(this.#deadline, this.#ttl)
        : deadlineAfter(this.#room.clock, state.activeAt, this.#ttl)
  }

  async #amend(change: Partial<StoredConversation>): Promise<void> {
    await this.#queue.run(() =>
      this.#update(async (state) => ({ change: { state: { ...state, ...change } }, value: null })),
    )
    this.#tellView()
  }

  #sent(content: ContentToSend, { bytes, ...record }: Sent, draft: number | null): void {
    if (!this.#mayLeave(content)) return
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    this.#typing.sent(record.n)
    const key = draft === null ? `m${record.n}` : draftKey(draft)
    const place = { order: record.order, n: record.n, mine: true, at: content.at }
    this.#add(record, lineOf(content, { ...place, key, delivery: 'waiting' }))
    this.#outbox.add({ n: record.n, bytes })
  }

  #add(record: StoredRecord, line: ReturnType<typeof lineOf>): void {
    this.#transcript.add({ ...record, key: null }, line)
    if (line && this.#shown) this.#tellMessage(line.message)
    this.#tellView()
  }

  async #message(item: Item, items: readonly Item[]): Promise<number> {
    const digest = await sha256(item.body)
    const known = this.#transcript.recordOf(digest)
    if (known) return this.#known(item, known)
    if (item.sender === this.#state.role) {
      this.#break('rolled-back')
      return 1
    }
    const run = this.#runOf(item, items)
    return run.length === 0 ? this.#fetchAgain(ANYWHERE, 'missing-message') : this.#take(run)
  }

  /** Of the peer's messages that wait one behind the other, those whose places can be those of its next ones. */
  #runOf({ sender }: Item, items: readonly Item[]): readonly Item[] {
    let n = this.#transcript.countOf(sender)
    const run: Item[] = []
    for (const item of items.slice(0, TOGETHER)) {
      const isMessage = item.kind === 'message' && item.seq > FIRST_KINDS.length
      if (!isMessage || item.sender !== sender || this.#isAhead(item, { sender, n })) break
      run.push(item)
      n += 1
    }
    return run
  }

  /** One that was sent or taken before: read again after a load; else it is nothing new, and moves little. */
  async #known(item: Item, record: StoredRecord): Promise<number> {
    const isMissing = this.#transcript.isMissing(record)
    const isAhead = this.#isAhead(item, record)
    if (isMissing && isAhead) return this.#fetchAgain(ANYWHERE, 'missing-message')
    if (isMissing) await this.#readAgain(item.body, record)
    if (isMissing || (!isAhead && record.sender === this.#state.role)) this.#reached(item.seq)
    return 1
  }

  /** Whether something that has not come would lie before it: then it waits, or its place is false. */
  #isAhead({ seq }: Item, record: Pick<StoredRecord, 'sender' | 'n'>): boolean {
    return seq > this.#transcript.lastPlaceOf(record)
  }

  /** A message that was sent or taken before this page was loaded. */
  async #readAgain(bytes: Bytes, known?: StoredRecord): Promise<void> {
    const record = known ?? this.#transcript.recordOf(await sha256(bytes))
    if (!record) return this.#break('missing-record')
    if (!record.key) return this.#transcript.readAgain(record, null)
    try {
      const opened = await openAgain(bytes, record.key)
      const content = obeyed(opened.content, this.#room.bounds())
      const mine = record.sender === this.#state.role
      const at = 'at' in content ? content.at : this.#state.activeAt
      this.#transcript.readAgain(
        record,
        lineOf(content, {
          key: `${mine ? 'm' : 'p'}${record.n}`,
          order: record.order,
          n: record.n,
          mine,
          at,
          delivery: this.#deliveryOf(record),
        }),
      )
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#break('changed-record')
    }
  }

  #deliveryOf({ sender, n }: StoredRecord) {
    if (sender !== this.#state.role) return 'taken'
    if (n < this.#state.peerSeen) return 'taken'
    return this.#outbox.get(n) ? 'waiting' : 'stored'
  }

  /** Takes the first of these messages, and those behind it that open too. */
  async #take(run: readonly Item[]): Promise<number> {
    const bodies = run.map(({ body }) => body)
    const opened = await this.#update((state) =>
      openAll(state, bodies, (before, bytes) => this.#open(before, bytes)),
    )
    let done = 0
    for (const [at, one] of opened.entries()) done += this.#judged(one, run[at]?.seq ?? 0)
    return done
  }

  #judged(opened: Opened, seq: number): number {
    switch (opened.verdict) {
      case 'taken':
        opened.after()
        this.#reached(seq)
        this.#fetching.found()
        if (!this.over) this.#took(opened.content, opened.record)
        return 1
      case 'resend':
      case 'late':
        return 1
      case 'gap':
        return this.#fetchAgain(seq, 'missing-message')
      // An honest server stores none such: what it stood in for must not be lost unseen.
      case 'drop':
      case 'failed':
        return this.#fetchAgain(seq, 'bad-message')
      case 'broken':
        this.#break('bad-message')
        return 1
    }
  }

  #open(state: StoredConversation, bytes: Bytes): Promise<Step<Opened>> {
    const takenDigest = (sender: 0 | 1, n: number) => this.#transcript.digestAt(sender, n)
    const helloTaken = () => this.#neighbours.helloTaken(this.id, state.linkId)
    return open(this.#room, state, bytes, takenDigest, helloTaken)
  }

  /** The owner's answer: checks it, and commits the hello that proves this side (PROTOCOL §5). */
  async #answer(answer: Bytes): Promise<void> {
    const pending = this.#state.pending
    if (!pending) return
    const hello = { t: 'hello', at: this.#room.clock.wall() } as const
    let sent: Sent
    try {
      sent = await this.#sayHello(decodePending(pending), answer, hello)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return this.#break('bad-answer')
    }
    this.#sent(hello, sent, null)
    untilDone(() => this.#sendDrafts())
  }

  /** Whatever comes of it, the handshake's secrets and the ratchet's first state are spent. */
  async #sayHello(pending: Pending, answer: Bytes, hello: ContentToSend): Promise<Sent> {
    const { kem, identity } = this.#room
    try {
      const ratchet = await acceptAnswer(kem, identity, pending, answer)
      const seals = (state: StoredConversation) => seal(this.#room, state, ratchet, hello, null)
      return await this.#update(seals).finally(() => wipeRatchet(ratchet))
    } finally {
      wipePending(pending)
    }
  }

  #took(content: Content | Unreadable, record: StoredRecord): void {
    this.#typing.taken(content.t === 'ack')
    this.#tellDelivered(this.#transcript.deliver(this.#state.peerSeen, 'taken'))
    const at = 'at' in content ? content.at : this.#room.clock.wall()
    const place = { key: `p${record.n}`, order: record.order, n: record.n, mine: false, at }
    this.#add(record, lineOf(content, { ...place, delivery: 'taken' }))
    if (content.t === 'bye') this.end('peer-left')
    else if (content.t === 'hello') untilDone(() => this.#ack().then(() => this.#sendDrafts()))
    else if (content.t !== 'ack') this.#ackSoon()
  }

  /** Asks for the item anew; after 30 s the conversation is broken. Answers that none is done with. */
  #fetchAgain(seq: number, code: BrokenCode): 0 {
    this.#fetching.begin(seq, code)
    return 0
  }

  /** Answers whether the server could be asked, and what it sends be kept. */
  #askAgain(): boolean {
    const { server, vault } = this.#room
    server.resync({ [this.id]: this.#cursor })
    return server.online && !vault.isFull
  }

  /** For good: told to the person, written down, and nothing but bye is sent any more. */
  #break(code: BrokenCode): void {
    if (this.over) return
    const before = this.#state
    this.#state = { ...before, broken: code, pending: null }
    wipeState(before, this.#state)
    this.stop()
    this.#room.tell({ type: 'cleared', conversation: this.id })
    this.#tellView()
    untilDone(() => this.#queue.run(() => this.#writeBroken(code)))
  }

  async #writeBroken(code: BrokenCode): Promise<void> {
    if (!this.#key) return
    await this.#update(async (state) => ({
      change: { state: { ...state, broken: code, pending: null } },
      value: null,
    }))
  }

  /** Sends nothing more, and waits for nothing. */
  stop(): void {
    this.#outbox.stop()
    clearTimeout(this.#ackTimer)
    this.#fetching.stop()
    this.#typing.stop()
  }

  async #keepDraft(draft: Draft): Promise<void> {
    if (this.#drafts.size >= DRAFT_LIMIT) throw new EngineError('too-fast', 60)
    await this.#queue.run(async () => {
      const number = this.#drafts.nextNumber()
      await this.#update(async (state) => ({
        change: { state, draft: { number, draft } },
        value: null,
      }))
      this.#tellMessage(this.#drafts.add(number, draft))
    })
  }

  /** Texts that waited for the owner become messages, in order, each in one transaction. */
  async #sendDrafts(): Promise<void> {
    if (!this.#mayWrite || this.over) return
    for (const { number, draft } of await this.#room.vault.readDrafts(this.#seals, this.id)) {
      if (!this.#drafts.take(number)) continue
      try {
        await this.send({ t: 'text', at: draft.at, text: draft.text }, number)
      } catch (error) {
        if (!this.over) this.#drafts.add(number, draft)
        throw error
      }
    }
  }

  #ackSoon(): void {
    this.#ackTimer ??= setTimeout(() => untilDone(() => this.#ack()), ACK_QUIET_MS)
  }

  async #ack(): Promise<void> {
    this.#ackTimer = undefined
    if (this.over || !this.#state.ackOwed) return
    await this.send({ t: 'ack', at: this.#room.clock.wall() })
  }

  #tellView(): void {
    if (!this.hidden) this.#room.tell({ type: 'conversation', conversation: this.view })
  }

  #tellMessage(message: Message): void {
    if (this.over || this.hidden) return
    this.#room.tell({ type: 'message', conversation: this.id, message })
  }

  #tellDelivered(messages: readonly Message[]): void {
    if (this.#shown) for (const message of messages) this.#tellMessage(message)
  }
}
