/**
 * The life of one page. Each transaction of its vault and each call to the server is a step, and at any of them
 * something may befall it. A page that was killed does nothing more, ever: what it waits for never comes, and what it
 * asks of its vault or the server leads nowhere.
 */
import type { Server } from '../../src/engine/room'
import type { Database } from '../../src/vault/database'

/** notice: what the server need not answer. */
export type Step = 'read' | 'write' | 'request' | 'post' | 'notice'

export const MISHAPS = [
  'killed before',
  /** The step is done, and its result never comes back. */
  'killed after',
  /** The transaction is aborted, and the page lives on. */
  'disk full',
  'disk full, then killed',
] as const

export type Mishap = (typeof MISHAPS)[number]

/** After a step that changes nothing is before the next one, and only what is written needs room on the disk. */
export function mayMeet(step: Step, mishap: Mishap): boolean {
  if (mishap === 'killed before') return true
  return mishap === 'killed after' ? step !== 'read' && step !== 'notice' : step === 'write'
}

const never = new Promise<never>(() => {})

export class Life {
  isOver = false
  /** Settles with the page's end. */
  readonly over: Promise<void>
  readonly #befalls: (step: Step) => Mishap | null
  #ended: () => void = () => {}

  /** `befalls` is asked at each step; `ended` is told of the end at once. */
  constructor(befalls: (step: Step) => Mishap | null, ended: () => void) {
    this.#befalls = befalls
    this.over = new Promise((resolve) => {
      this.#ended = () => {
        ended()
        resolve()
      }
    })
  }

  /** What happens at this step. */
  meet(step: Step): Mishap | null {
    const mishap = this.isOver ? 'killed before' : this.#befalls(step)
    if (mishap === 'killed before') this.end()
    return mishap
  }

  end(): void {
    if (this.isOver) return
    this.isOver = true
    this.#ended()
  }

  /** The last thing that the page does; its result comes to nobody. */
  endAfter(work: Promise<unknown>): Promise<never> {
    const end = (): Promise<never> => {
      this.end()
      return never
    }
    return work.then(end, end)
  }
}

/** The database as this page sees it. */
export function mortalDatabase(db: Database, life: Life): Database {
  const read = (name: 'get' | 'getAllKeys') => ({
    [name]: (...asked: unknown[]): unknown =>
      life.meet('read') ? limbo : Reflect.apply(db[name], db, asked),
  })
  return like(db, {
    ...read('get'),
    ...read('getAllKeys'),
    transaction: (...asked: unknown[]): unknown => {
      const isWrite = asked[1] === 'readwrite'
      const mishap = life.meet(isWrite ? 'write' : 'read')
      if (mishap === 'killed before') return limbo
      const tx: Transaction = Reflect.apply(db.transaction, db, asked)
      return mishap ? spoilt(tx, mishap, life) : tx
    },
  })
}

interface Transaction {
  readonly done: Promise<void>
  objectStore(name: string): object
  abort(): void
}

function spoilt(tx: Transaction, mishap: Mishap, life: Life): Transaction {
  if (mishap === 'killed after') return like(tx, { done: life.endAfter(tx.done) })
  const failed = mishap === 'disk full' ? tx.done : life.endAfter(tx.done)
  return like(tx, {
    done: failed,
    objectStore: (name: string) => {
      const store = tx.objectStore(name)
      return like(store, { put: full(tx, store, 'put'), delete: full(tx, store, 'delete') })
    },
  })
}

/** The first write of a transaction reaches the disk, which is full then: the browser aborts all of it. */
const full =
  (tx: Transaction, store: object, name: 'put' | 'delete') =>
  async (...asked: unknown[]): Promise<never> => {
    await Reflect.apply(Reflect.get(store, name), store, asked)
    tx.abort()
    throw new DOMException('the disk is full', 'QuotaExceededError')
  }

/** The server as this page sees it. */
export function mortalServer(server: Server, life: Life): Server {
  const tell = (step: Step, work: () => void): void => {
    const mishap = life.meet(step)
    if (mishap !== 'killed before') work()
    if (mishap === 'killed after') life.end()
  }
  return {
    get online() {
      return server.online
    },
    request: (asked) => {
      const mishap = life.meet('request')
      if (mishap === 'killed before') return never
      const answered = server.request(asked)
      return mishap === 'killed after' ? life.endAfter(answered) : answered
    },
    post: (session, n, body) => tell('post', () => server.post(session, n, body)),
    taken: (session, seq) => tell('notice', () => server.taken(session, seq)),
    volatile: (session, body) => tell('notice', () => server.volatile(session, body)),
    resync: (cursors) => tell('notice', () => server.resync(cursors)),
  }
}

/** The real thing, but for some members. */
function like<T extends object>(real: T, changed: Record<string, unknown>): T {
  return new Proxy(real, {
    get(_, name) {
      if (Object.hasOwn(changed, name)) return Reflect.get(changed, name)
      const member: unknown = Reflect.get(real, name)
      return typeof member === 'function' ? member.bind(real) : member
    },
  })
}

/** Where a dead page's transactions lead: whatever is asked of it, nothing ever comes. */
const limbo: unknown = new Proxy(() => {}, {
  get: (_, name) => (name === 'then' ? never.then.bind(never) : limbo),
  apply: () => limbo,
})
