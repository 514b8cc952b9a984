/** Texts that wait for the owner's answer, as the screen shows them; they lie sealed in the vault. */
import type { Draft } from '../vault/shapes'
import type { Message } from './types'

export class Drafts {
  readonly #waiting = new Map<number, Message>()
  #next = 0

  get size(): number {
    return this.#waiting.size
  }

  get messages(): Message[] {
    return [...this.#waiting.values()]
  }

  /** No number is given twice in one page: it names the draft's line. */
  nextNumber(): number {
    return this.#next++
  }

  add(number: number, { at, text }: Draft): Message {
    const body = { kind: 'text', text } as const
    const message = { key: draftKey(number), mine: true, at, body, delivery: 'waiting' } as const
    this.#waiting.set(number, message)
    this.#next = Math.max(this.#next, number + 1)
    return message
  }

  /** Takes one out to be sent; false where it is not there any more. */
  take(number: number): boolean {
    return this.#waiting.delete(number)
  }

  clear(): void {
    this.#waiting.clear()
  }
}

/** The key of a draft's line; its message keeps it. */
export const draftKey = (number: number): string => `d${number}`
