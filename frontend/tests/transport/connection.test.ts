import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decode, encode } from '@msgpack/msgpack'
import type { Connection as Status } from '../../src/engine/types'
import { pause } from '../../src/transport/backoff'
import { Connection, type ConnectionHandlers } from '../../src/transport/connection'
import { Refused } from '../../src/transport/errors'

const ID = 'A'.repeat(43)
const limits = {
  text_bytes: 16_384,
  frame_bytes: 32_768,
  ttl_seconds: 900,
  ttl_min_seconds: 60,
  ttl_max_seconds: 86_400,
  sessions: 20,
  requests: 10,
}

/** The browser's WebSocket, with the server's end in the test's hands. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readyState = 0
  binaryType = ''
  sent: Record<string, unknown>[] = []

  constructor(readonly url: string) {
    super()
    FakeSocket.all.push(this)
  }

  static latest(path: string): FakeSocket {
    const found = FakeSocket.all.findLast(({ url }) => url.endsWith(path))
    if (!found) throw new Error(`no socket to ${path}`)
    return found
  }

  send(bytes: Uint8Array): void {
    this.sent.push(decode(bytes) as Record<string, unknown>)
  }

  close(): void {
    this.readyState = 3
  }

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  says(frame: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: encode(frame).slice().buffer }))
  }

  breaks(code = 1006): void {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

let statuses: Status['state'][]
let handlers: ConnectionHandlers
let connection: Connection
let tokens: string[]
let outdated: boolean
const received: string[] = []

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  FakeSocket.all = []
  statuses = []
  tokens = []
  outdated = false
  received.length = 0
  handlers = {
    token: async (fresh) => {
      tokens.push(fresh ? 'fresh' : 'kept')
      return fresh ? 'fresh' : 'kept'
    },
    cursors: () => ({ [ID]: 4 }),
    status: ({ state }) => void statuses.push(state),
    limits: () => {},
    received: ({ t }) => void received.push(t),
    stored: () => {},
    refused: () => {},
    outdated: () => void (outdated = true),
  }
  connection = new Connection('wss://host', handlers)
})

afterEach(() => {
  connection.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

async function connect(): Promise<{ send: FakeSocket; receive: FakeSocket }> {
  connection.start()
  await vi.advanceTimersByTimeAsync(0)
  return welcome()
}

async function welcome(): Promise<{ send: FakeSocket; receive: FakeSocket }> {
  const send = FakeSocket.latest('/ws/send/')
  const receive = FakeSocket.latest('/ws/receive/')
  send.open()
  receive.open()
  receive.says({ t: 'ready', sessions: [] })
  send.says({ t: 'ready', limits })
  receive.says({ t: 'caught_up' })
  await vi.advanceTimersByTimeAsync(0)
  return { send, receive }
}

describe('the two sockets', () => {
  it('say hello with the token, the receiving one with its cursors', async () => {
    const { send, receive } = await connect()
    expect(send.sent[0]).toEqual({ t: 'hello', token: 'kept' })
    expect(receive.sent[0]).toEqual({ t: 'hello', token: 'kept', cursors: { [ID]: 4 } })
    expect(statuses).toEqual(['connecting', 'online'])
  })

  it('hand nothing on before both are ready, and then in order', async () => {
    connection.start()
    await vi.advanceTimersByTimeAsync(0)
    const send = FakeSocket.latest('/ws/send/')
    const receive = FakeSocket.latest('/ws/receive/')
    send.open()
    receive.open()
    receive.says({ t: 'ready', sessions: [] })
    receive.says({ t: 'caught_up' })
    expect(received).toEqual([])
    send.says({ t: 'ready', limits })
    expect(received).toEqual(['ready', 'caught_up'])
  })

  it('are both opened anew when one breaks, after a pause', async () => {
    const { send } = await connect()
    send.breaks()
    expect(connection.online).toBe(false)
    expect(FakeSocket.all).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(600)
    expect(FakeSocket.all).toHaveLength(4)
    await welcome()
    expect(connection.online).toBe(true)
  })

  it('log in afresh after the token was refused', async () => {
    const { receive } = await connect()
    receive.breaks(4401)
    await vi.advanceTimersByTimeAsync(600)
    expect(tokens).toEqual(['kept', 'fresh'])
  })

  it('stay closed when a newer window took over', async () => {
    const { receive } = await connect()
    receive.breaks(4409)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(statuses.at(-1)).toBe('elsewhere')
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('are given up when the server does not answer a resync', async () => {
    const { receive } = await connect()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(receive.sent.at(-1)).toEqual({ t: 'resync', cursors: {} })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(connection.online).toBe(false)
  })

  it('are kept while it does', async () => {
    const { receive } = await connect()
    for (let round = 0; round < 5; round++) {
      await vi.advanceTimersByTimeAsync(20_000)
      receive.says({ t: 'caught_up' })
    }
    expect(connection.online).toBe(true)
  })

  it('ask once each 20 s, however often the server says that it is ready', async () => {
    const { send, receive } = await connect()
    for (let again = 0; again < 5; again++) send.says({ t: 'ready', limits })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(receive.sent.filter(({ t }) => t === 'resync')).toHaveLength(1)
  })

  it('wait a minute at most before they try to log in again', async () => {
    let asked = 0
    handlers.token = () => {
      asked += 1
      return Promise.reject(new Refused('too_fast', false, 1e300))
    }
    connection.start()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(asked).toBe(1)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toBe(2)
  })

  it('are tried at once when the page is looked at again', async () => {
    const { send, receive } = await connect()
    connection.wake()
    expect(receive.sent.at(-1)).toEqual({ t: 'resync', cursors: {} })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
    expect(send.readyState).toBe(3)
    connection.wake()
    await vi.advanceTimersByTimeAsync(0)
    expect(FakeSocket.all).toHaveLength(4)
  })

  it('mean an old page when the server’s frames are unknown three times running', async () => {
    await connect()
    for (let round = 0; round < 3; round++) {
      FakeSocket.latest('/ws/receive/').says({ t: 'from the future' })
      await vi.advanceTimersByTimeAsync(20_000)
      FakeSocket.latest('/ws/send/').open()
    }
    expect(outdated).toBe(true)
  })

  it('mean an old page when the server knows none of ours, even where it is greeted each time', async () => {
    await connect()
    for (let round = 0; round < 3; round++) {
      FakeSocket.latest('/ws/send/').breaks(4400)
      await vi.advanceTimersByTimeAsync(2_000)
      await welcome()
    }
    expect(outdated).toBe(true)
  })

  it('mean no old page when that happens now and then', async () => {
    await connect()
    for (let round = 0; round < 5; round++) {
      FakeSocket.latest('/ws/send/').breaks(4400)
      await vi.advanceTimersByTimeAsync(2_000)
      await welcome()
      await vi.advanceTimersByTimeAsync(20_000)
      FakeSocket.latest('/ws/receive/').says({ t: 'caught_up' })
    }
    expect(outdated).toBe(false)
  })
})

/** A minute passes in which the page says nothing; the server answers its resyncs. */
async function quietMinute(receive: FakeSocket): Promise<void> {
  for (let round = 0; round < 30; round++) {
    await vi.advanceTimersByTimeAsync(2_000)
    receive.says({ t: 'caught_up' })
  }
}

describe('the send socket', () => {
  const body = new Uint8Array(1)
  const CLOSED = 3
  const toSend = () => FakeSocket.all.filter(({ url }) => url.endsWith('/ws/send/'))

  async function rest(): Promise<{ send: FakeSocket; receive: FakeSocket }> {
    const sockets = await connect()
    await quietMinute(sockets.receive)
    return sockets
  }

  it('is closed after a minute of quiet, and the page is online all the while', async () => {
    const { send, receive } = await rest()
    expect([send.readyState, receive.readyState]).toEqual([CLOSED, 1])
    await quietMinute(receive)
    expect([connection.online, FakeSocket.all.length]).toEqual([true, 2])
    expect(statuses).toEqual(['connecting', 'online'])
  })

  it('is kept while now and then something is said', async () => {
    const { send, receive } = await connect()
    for (let round = 1; round <= 9; round++) {
      if (round % 2 === 0) connection.volatile(ID, body)
      await vi.advanceTimersByTimeAsync(20_000)
      receive.says({ t: 'caught_up' })
    }
    expect([send.readyState, toSend().length]).toEqual([1, 1])
  })

  it('is kept while an answer is awaited, and closed a minute later', async () => {
    const { send, receive } = await connect()
    for (let n = 0; n < 30; n++) connection.post(ID, n, body)
    for (let n = 0; n < 30; n++) {
      await vi.advanceTimersByTimeAsync(2_500)
      receive.says({ t: 'caught_up' })
      send.says({ t: 'stored', session: ID, n })
    }
    expect([send.readyState, connection.online]).toEqual([1, true])
    await quietMinute(receive)
    expect([send.readyState, connection.online]).toEqual([CLOSED, true])
  })

  const sayings: [string, () => void, Record<string, unknown>][] = [
    ['a post', () => connection.post(ID, 7, body), { t: 'post', session: ID, n: 7, body }],
    ['a typing sign', () => connection.volatile(ID, body), { t: 'volatile', session: ID, body }],
    [
      'a request',
      () => void connection.request({ t: 'leave', session: ID }).catch(() => {}),
      { t: 'leave', session: ID, id: 1 },
    ],
  ]
  it.each(sayings)('is opened again for %s, which waits for it', async (_what, say, frame) => {
    await rest()
    say()
    const again = FakeSocket.latest('/ws/send/')
    again.open()
    expect(again.sent).toEqual([{ t: 'hello', token: 'kept' }])
    again.says({ t: 'ready', limits })
    expect(again.sent.slice(1)).toEqual([frame])
    expect([connection.online, FakeSocket.all.length]).toEqual([true, 3])
    expect(statuses).toEqual(['connecting', 'online'])
  })

  it('is opened once for all that waits, which leaves in order', async () => {
    await rest()
    connection.prepareToSend()
    connection.volatile(ID, body)
    for (const n of [0, 1]) connection.post(ID, n, body)
    void connection.request({ t: 'leave', session: ID }).catch(() => {})
    const again = FakeSocket.latest('/ws/send/')
    again.open()
    again.says({ t: 'ready', limits })
    expect(toSend()).toHaveLength(2)
    expect(again.sent.map(({ t }) => t)).toEqual(['hello', 'volatile', 'post', 'post', 'leave'])
  })

  it('is closed again after another minute', async () => {
    const { receive } = await rest()
    connection.prepareToSend()
    const again = FakeSocket.latest('/ws/send/')
    again.open()
    again.says({ t: 'ready', limits })
    await quietMinute(receive)
    expect([again.readyState, connection.online]).toEqual([CLOSED, true])
  })

  it('gives a post its whole time once it is open', async () => {
    await rest()
    connection.post(ID, 0, body)
    await vi.advanceTimersByTimeAsync(4_900)
    const again = FakeSocket.latest('/ws/send/')
    again.open()
    again.says({ t: 'ready', limits })
    await vi.advanceTimersByTimeAsync(2_900)
    expect(connection.online).toBe(true)
    await vi.advanceTimersByTimeAsync(100)
    expect(connection.online).toBe(false)
  })

  it('that is not ready within 5 s is given up, and the page is not online without it', async () => {
    await rest()
    connection.prepareToSend()
    await vi.advanceTimersByTimeAsync(5_000)
    expect([connection.online, statuses.at(-1)]).toEqual([false, 'waiting'])
    await vi.advanceTimersByTimeAsync(500)
    const receive = FakeSocket.latest('/ws/receive/')
    receive.open()
    receive.says({ t: 'ready', sessions: [] })
    expect(connection.online).toBe(false)
    await welcome()
    expect(connection.online).toBe(true)
  })

  it('that is refused is said at once, and what was asked is known to have failed', async () => {
    await rest()
    const asked = connection.request({ t: 'leave', session: ID })
    FakeSocket.latest('/ws/send/').breaks()
    await expect(asked).rejects.toMatchObject({ name: 'Unreachable' })
    expect(statuses.at(-1)).toBe('waiting')
  })

  it('that is no longer let in logs in afresh, with both sockets', async () => {
    await rest()
    connection.post(ID, 0, body)
    FakeSocket.latest('/ws/send/').breaks(4401)
    await vi.advanceTimersByTimeAsync(600)
    expect(tokens).toEqual(['kept', 'fresh'])
    const { send } = await welcome()
    expect(send.sent).toEqual([{ t: 'hello', token: 'fresh' }])
    expect([connection.online, toSend().length]).toEqual([true, 3])
  })

  it('still brings the receipt of an erasure that opened it', async () => {
    const { receive } = await rest()
    const asked = connection.request({ t: 'erase' })
    const again = FakeSocket.latest('/ws/send/')
    again.open()
    again.says({ t: 'ready', limits })
    receive.breaks(4401)
    const counts = { sessions: 1, messages: 2, files: 0, peers: 1, told: 1 }
    again.says({ t: 'erased', id: again.sent.at(-1)?.id, ...counts })
    await expect(asked).resolves.toMatchObject(counts)
  })

  it('is not opened by a reconnect of a page that had nothing to say', async () => {
    const { receive } = await rest()
    receive.breaks()
    await vi.advanceTimersByTimeAsync(500)
    const again = FakeSocket.latest('/ws/receive/')
    again.open()
    again.says({ t: 'ready', sessions: [] })
    expect([connection.online, toSend().length]).toEqual([true, 1])
    connection.post(ID, 0, body)
    expect(toSend()).toHaveLength(2)
  })

  it('takes nothing while the page is not online, as all is posted again then', async () => {
    connection.start()
    await vi.advanceTimersByTimeAsync(0)
    connection.post(ID, 0, body)
    connection.volatile(ID, body)
    connection.prepareToSend()
    const { send } = await welcome()
    expect(send.sent.map(({ t }) => t)).toEqual(['hello'])
  })
})

describe('a post', () => {
  const body = new Uint8Array(1)

  it('that is answered leaves the sockets alone', async () => {
    const { send, receive } = await connect()
    connection.post(ID, 0, body)
    connection.post(ID, 1, body)
    await vi.advanceTimersByTimeAsync(2_000)
    send.says({ t: 'stored', session: ID, n: 0 })
    await vi.advanceTimersByTimeAsync(2_000)
    send.says({ t: 'stored', session: ID, n: 1 })
    receive.says({ t: 'caught_up' })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(connection.online).toBe(true)
  })

  it('gives up within seconds sockets that died without a word', async () => {
    const { send } = await connect()
    connection.post(ID, 0, body)
    connection.post(ID, 1, body)
    send.says({ t: 'stored', session: ID, n: 0 })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
  })

  it('has longer on each new pair that does not answer either, as the server is slow then', async () => {
    await connect()
    for (const patience of [3_000, 6_000]) {
      connection.post(ID, 0, body)
      await vi.advanceTimersByTimeAsync(patience - 1)
      expect(connection.online).toBe(true)
      await vi.advanceTimersByTimeAsync(1)
      expect(connection.online).toBe(false)
      await vi.advanceTimersByTimeAsync(500)
      await welcome()
    }
    expect(connection.online).toBe(true)
  })

  it('is not answered by the refusal of a typing sign', async () => {
    const { send } = await connect()
    connection.post(ID, 0, body)
    const refused = { t: 'error', code: 'too_fast', permanent: false, retry_after: 1, id: null }
    send.says({ ...refused, session: ID, n: null })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
  })

  it('that was refused is answered too', async () => {
    const { send } = await connect()
    connection.post(ID, 0, body)
    const gap = { t: 'error', code: 'gap', permanent: false, retry_after: null, id: null }
    send.says({ ...gap, session: ID, n: 0 })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(connection.online).toBe(true)
  })
})

describe('what was taken', () => {
  const told = ({ sent }: FakeSocket) => sent.filter(({ t }) => t === 'taken')

  it('is told for several items at once, and soon', async () => {
    const { receive } = await connect()
    for (const seq of [3, 4, 5]) connection.taken(ID, seq)
    expect(told(receive)).toEqual([])
    await vi.advanceTimersByTimeAsync(50)
    expect(told(receive)).toEqual([{ t: 'taken', session: ID, seq: 5 }])
  })

  it('is told before the window of the server is full, whatever the time', async () => {
    const { receive } = await connect()
    for (let seq = 1; seq <= 40; seq += 1) connection.taken(ID, seq)
    expect(told(receive).map(({ seq }) => seq)).toEqual([16, 32])
  })

  it('is not told to a later pair, which was told by its cursors', async () => {
    const { receive } = await connect()
    connection.taken(ID, 3)
    receive.breaks()
    await vi.advanceTimersByTimeAsync(500)
    const again = await welcome()
    await vi.advanceTimersByTimeAsync(50)
    expect(told(again.receive)).toEqual([])
  })
})

describe('the receive socket', () => {
  const body = new Uint8Array(1)
  const item = { t: 'item', session: ID, seq: 5, kind: 'message', sender: 1, body }

  async function postStored(): Promise<{ send: FakeSocket; receive: FakeSocket }> {
    const sockets = await connect()
    connection.post(ID, 0, body)
    sockets.send.says({ t: 'stored', session: ID, n: 0 })
    return sockets
  }

  const asked = ({ sent }: FakeSocket) => sent.filter(({ t }) => t === 'resync').length

  it('that died alone without a word is given up within 5 s of a post that was stored', async () => {
    const { receive } = await postStored()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(receive.sent.at(-1)).toEqual({ t: 'resync', cursors: {} })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
  })

  it('has longer on each new pair that is slow too, until one is not', async () => {
    connection.start()
    await vi.advanceTimersByTimeAsync(0)
    for (const patience of [3_000, 6_000, 10_000]) {
      await welcomeLate()
      connection.post(ID, 0, body)
      FakeSocket.latest('/ws/send/').says({ t: 'stored', session: ID, n: 0 })
      await vi.advanceTimersByTimeAsync(2_000 + patience - 1)
      expect(connection.online).toBe(true)
      await vi.advanceTimersByTimeAsync(1)
      expect(connection.online).toBe(false)
      await vi.advanceTimersByTimeAsync(500)
    }
    const { send, receive } = await welcome()
    connection.post(ID, 0, body)
    send.says({ t: 'stored', session: ID, n: 0 })
    await vi.advanceTimersByTimeAsync(2_000)
    expect(receive.sent.at(-1)).toEqual({ t: 'resync', cursors: {} })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
  })

  /** The server is slow to say that it has told all. */
  async function welcomeLate(): Promise<void> {
    const [send, receive] = [FakeSocket.latest('/ws/send/'), FakeSocket.latest('/ws/receive/')]
    for (const socket of [send, receive]) socket.open()
    receive.says({ t: 'ready', sessions: [] })
    send.says({ t: 'ready', limits })
    await vi.advanceTimersByTimeAsync(5_000)
    receive.says({ t: 'caught_up' })
  }

  it('that answers is kept, and asked no more until the next post', async () => {
    const { receive } = await postStored()
    await vi.advanceTimersByTimeAsync(2_000)
    receive.says({ t: 'caught_up' })
    await vi.advanceTimersByTimeAsync(17_000)
    expect([connection.online, asked(receive)]).toEqual([true, 1])
  })

  it('is not asked where it brings something by itself', async () => {
    const { receive } = await postStored()
    await vi.advanceTimersByTimeAsync(1_900)
    receive.says(item)
    await vi.advanceTimersByTimeAsync(17_000)
    expect([connection.online, asked(receive)]).toEqual([true, 0])
  })

  it('is asked once in 2 s at most, however much is posted', async () => {
    const { send, receive } = await connect()
    for (let n = 0; n < 50; n++) {
      connection.post(ID, n, body)
      send.says({ t: 'stored', session: ID, n })
      await vi.advanceTimersByTimeAsync(200)
      if (receive.sent.at(-1)?.t === 'resync') receive.says({ t: 'caught_up' })
    }
    expect(connection.online).toBe(true)
    expect(asked(receive)).toBeLessThanOrEqual(5)
  })

  it('is kept while what it brings takes long, as after a long absence', async () => {
    const { receive } = await connect()
    connection.wake()
    for (let seq = 5; seq < 15; seq++) {
      await vi.advanceTimersByTimeAsync(2_500)
      receive.says({ ...item, seq })
    }
    receive.says({ t: 'caught_up' })
    expect(connection.online).toBe(true)
  })
})

describe('a request', () => {
  it('is answered under its own id', async () => {
    const { send } = await connect()
    const first = connection.request({ t: 'leave', session: ID })
    const second = connection.request({ t: 'leave', session: ID })
    const [a, b] = send.sent.slice(-2)
    send.says({ t: 'ok', id: b?.id })
    send.says({
      t: 'error',
      code: 'not_found',
      permanent: true,
      retry_after: null,
      id: a?.id,
      session: null,
      n: null,
    })
    await expect(second).resolves.toMatchObject({ t: 'ok' })
    await expect(first).rejects.toMatchObject({ code: 'not_found', permanent: true })
  })

  it('fails as unreachable when the socket breaks, as nothing is known of it', async () => {
    const { send } = await connect()
    const asked = connection.request({ t: 'leave', session: ID })
    send.breaks()
    await expect(asked).rejects.toMatchObject({ name: 'Unreachable' })
  })

  it('waits for sockets that are opening, but not for long', async () => {
    connection.start()
    const early = connection.request({ t: 'leave', session: ID })
    await vi.advanceTimersByTimeAsync(0)
    const { send } = await welcome()
    send.says({ t: 'ok', id: send.sent.at(-1)?.id })
    await expect(early).resolves.toMatchObject({ t: 'ok' })
    send.breaks()
    const late = connection.request({ t: 'leave', session: ID }).catch((error: Error) => error.name)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await late).toBe('Unreachable')
  })

  it('is still answered when the other socket has lost its identity', async () => {
    const { send, receive } = await connect()
    const asked = connection.request({ t: 'erase' })
    receive.breaks(4401)
    const counts = { sessions: 1, messages: 2, files: 0, peers: 1, told: 1 }
    send.says({ t: 'erased', id: send.sent.at(-1)?.id, ...counts })
    await expect(asked).resolves.toMatchObject(counts)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(connection.online).toBe(false)
  })

  it('gives the sockets up when no answer comes', async () => {
    await connect()
    const asked = connection
      .request({ t: 'leave', session: ID })
      .catch((error: Error) => error.name)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await asked).toBe('Unreachable')
    expect(connection.online).toBe(false)
  })
})

describe('pauses', () => {
  it('grow, are spread, and never pass four seconds', () => {
    expect(pause(0, 0)).toBe(250)
    expect(pause(0, 1)).toBe(500)
    expect(pause(3, 0)).toBe(2_000)
    expect(pause(100, 0.999)).toBeLessThan(4_000)
  })
})
