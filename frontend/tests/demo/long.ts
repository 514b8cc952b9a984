/** Fills the real screens with many messages and measures the page's frames, for bench/long_conversation.py. */
import { nextTick } from 'vue'
import type { Message } from '../../src/engine/types'
import { aConversation, aMessage, type FakeEngine } from '../ui/fakeEngine'

const WORDS =
  'the train leaves in ten minutes from platform four so bring an umbrella and a map'.split(' ')
const FRAMES = 120

const frame = (): Promise<number> => new Promise(requestAnimationFrame)

/** Milliseconds from each frame to the next, while something is done in each. */
async function frames(act: (n: number) => void): Promise<number[]> {
  const took: number[] = []
  let before = await frame()
  for (let n = 0; n < FRAMES; n++) {
    act(n)
    const now = await frame()
    took.push(now - before)
    before = now
  }
  return took
}

function the<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector)
  if (!found) throw new Error(`nothing is ${selector}`)
  return found
}

/** What was shown, and the milliseconds of each frame by what was going on. */
export async function measure(engine: FakeEngine, rows: number): Promise<object> {
  const message = (n: number): Message =>
    aMessage(WORDS.slice(0, 1 + ((n * 7) % WORDS.length)).join(' '), {
      mine: n % 3 === 0,
      at: Date.now() - (rows - n) * 5_000,
    })
  const say = (n: number): void =>
    engine.emit({ type: 'message', conversation: 's1', message: message(n) })

  const began = performance.now()
  engine.emit({ type: 'conversation', conversation: aConversation({ name: 'Ada' }) })
  for (let n = 0; n < rows; n++) say(n)
  await nextTick()
  await frame()
  await frame()
  const filled = performance.now() - began

  const log = the<HTMLElement>('[role="log"]')
  const field = the<HTMLTextAreaElement>('textarea')
  const idle = await frames(() => {})
  const scrolling = await frames((n) => {
    log.scrollTop = log.scrollHeight * (1 - (n + 1) / FRAMES)
  })
  log.scrollTop = log.scrollHeight
  await frame()
  const receiving = await frames((n) => say(rows + n))
  const typing = await frames((n) => {
    field.value = 'a'.repeat(n + 1)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
  return {
    shown: log.querySelectorAll('article').length,
    atEnd: log.scrollHeight - log.scrollTop - log.clientHeight < 48,
    filled: [filled],
    idle,
    scrolling,
    receiving,
    typing,
  }
}
