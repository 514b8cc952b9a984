import type { Message } from '../engine/types'
import { isTime } from './clock'

/** A line of the log: a message, or the day or time that stands between two. */
export type Row =
  | { readonly kind: 'day' | 'time'; readonly key: string; readonly at: number }
  | {
      readonly kind: 'message'
      readonly key: string
      readonly message: Message
      readonly joined: boolean
    }

const PAUSE_MS = 5 * 60_000

const dayOf = (at: number): string => new Date(at).toDateString()

/** Puts the day in front of its first message, and the time after a pause of five minutes. */
export function separate(messages: readonly Message[]): Row[] {
  return messages.flatMap((message, i) => {
    const before = messages[i - 1]
    const joined = before !== undefined && followsOn(before, message)
    const row: Row = { kind: 'message', key: message.key, message, joined }
    const kind = separatorKind(before, message)
    return kind === null ? [row] : [{ kind, key: `${kind} ${message.key}`, at: message.at }, row]
  })
}

function separatorKind(before: Message | undefined, message: Message): 'day' | 'time' | null {
  if (!isTime(message.at)) return null
  if (before === undefined || dayOf(before.at) !== dayOf(message.at)) return 'day'
  return message.at - before.at >= PAUSE_MS ? 'time' : null
}

/** One speaker going on: the bubbles stand closer. */
function followsOn(before: Message, message: Message): boolean {
  const near = separatorKind(before, message) === null
  return near && before.mine === message.mine && before.body.kind !== 'timer'
}
