/** The page as it is, on a network that is a worker: `flood` on the window lets messages arrive and measures meanwhile. */
import '../../src/styles/main.css'
import type { FromPage, FromWorker, Way } from './network'

interface Flooded {
  readonly seconds: number
  /** For each message how long it took from the network to `taken`, ms. */
  readonly taken: readonly number[]
  /** From each frame to the next, ms. */
  readonly frames: readonly number[]
}

declare global {
  interface Window {
    flood(count: number, rate: number): Promise<Flooded>
  }
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
const tell = (message: FromPage): void => worker.postMessage(message, [])

/** The next word of such a kind. */
const word = <T extends FromWorker['t']>(t: T): Promise<Extract<FromWorker, { t: T }>> =>
  new Promise((resolve) => {
    const listen = ({ data }: MessageEvent<FromWorker>): void => {
      if (data.t !== t) return
      worker.removeEventListener('message', listen)
      resolve(data as Extract<FromWorker, { t: T }>)
    }
    worker.addEventListener('message', listen)
  })

/** As much of a WebSocket as the page uses. */
class WorkerSocket extends EventTarget {
  static readonly OPEN = 1
  readyState = 0
  binaryType = 'blob'
  readonly #way: Way

  constructor(url: string) {
    super()
    this.#way = url.endsWith('/send/') ? 'send' : 'receive'
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.t === 'frame' && data.way === this.#way)
        this.dispatchEvent(new MessageEvent('message', { data: data.data }))
    })
    queueMicrotask(() => {
      this.readyState = WorkerSocket.OPEN
      this.dispatchEvent(new Event('open'))
    })
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    tell({ t: 'frame', way: this.#way, bytes })
  }

  close(): void {
    this.readyState = 3
  }
}

/** A login that lets everybody in: its challenge does not open, and no proof is looked at. */
const letIn = async (): Promise<Response> =>
  Response.json({ challenge: '', c: 'A'.repeat(512), token: 'token', hash: '' })

window.flood = async (count, rate) => {
  const frames: number[] = []
  const began = performance.now()
  let before = began
  let frame = requestAnimationFrame(function next(now) {
    frames.push(now - before)
    before = now
    frame = requestAnimationFrame(next)
  })
  tell({ t: 'flood', count, rate })
  const { taken } = await word('flooded')
  const seconds = (performance.now() - began) / 1000
  cancelAnimationFrame(frame)
  return { seconds, taken, frames: frames.slice(1) }
}

Object.defineProperty(window, 'WebSocket', { value: WorkerSocket })
Object.defineProperty(window, 'fetch', { value: letIn })
location.hash = (await word('link')).fragment
await import('../../src/main')
