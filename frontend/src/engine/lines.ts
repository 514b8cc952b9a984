/** From a message's content to the line that the screen shows; acks and hellos have none. */
import type { Content, ContentToSend, Unreadable } from '../protocol'
import type { Delivery, Message } from './types'

export interface Line {
  readonly order: number
  readonly n: number
  readonly message: Message
}

export interface Place {
  readonly key: string
  readonly order: number
  readonly n: number
  readonly mine: boolean
  readonly at: number
  readonly delivery: Delivery
}

export function lineOf(
  content: Content | ContentToSend | Unreadable,
  { order, n, ...shown }: Place,
): Line | null {
  const body = bodyOf(content)
  return body && { order, n, message: { ...shown, body } }
}

function bodyOf(content: Content | ContentToSend | Unreadable): Message['body'] | null {
  switch (content.t) {
    case 'text':
      return { kind: 'text', text: content.text }
    case 'timer':
      return { kind: 'timer', seconds: content.seconds }
    case 'unknown':
      return { kind: 'newer' }
    case 'unreadable':
      return { kind: 'unreadable' }
    case 'hello':
    case 'ack':
    case 'bye':
      return null
  }
}

/** Whether taking or sending it moves the conversation's clock (PROTOCOL §9). */
export function isActivity(content: Content | ContentToSend | Unreadable): boolean {
  const type = content.t === 'unknown' ? content.type : content.t
  return type !== 'ack' && type !== 'read'
}

/** A text as a message can carry it: half of a surrogate pair becomes U+FFFD, byte order marks at its head go. */
export const mended = (text: string): string =>
  new TextDecoder('utf-8', { ignoreBOM: true })
    .decode(new TextEncoder().encode(text))
    .replace(/^\uFEFF+/, '')
