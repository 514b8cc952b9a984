/** What is inside a message (PROTOCOL §7). Parsed, never cast; unknown members are ignored. */
import { wipe, type Bytes } from './bytes'
import { demand } from './errors'
import { isPlainText, pack, unpack, type Packed, type PackedMap } from './packing'
import { pad, unpad } from './padding'

export const TEXT_MAX_BYTES = 16 * 1024

/** A message by its sender (0 initiator, 1 responder) and n. */
export type MessageName = readonly [sender: 0 | 1, n: number]

/** What this side can say. `at` is the sender's clock in ms. */
export type ContentToSend =
  | { readonly t: 'hello'; readonly at: number }
  | { readonly t: 'ack'; readonly at: number }
  | { readonly t: 'bye'; readonly at: number }
  | { readonly t: 'text'; readonly at: number; readonly text: string; readonly reply?: MessageName }
  /** Seconds without activity after which the conversation ends; also "keep". */
  | { readonly t: 'timer'; readonly at: number; readonly seconds: number }

/** A content as it was sent: `seen` counts the receiver's messages that its sender had taken. */
export type Content = (ContentToSend | Unknown) & { readonly seen: number }

/** A well-formed content of a type that this version doesn't know: "needs a newer version". */
export interface Unknown {
  readonly t: 'unknown'
  readonly type: string
  readonly at: number
}

/** A message that opened but can't be parsed; it counts as taken. */
export interface Unreadable {
  readonly t: 'unreadable'
}

/**
 * The padded frame of a content. Throws 'too-long' (text above 16 KiB of UTF-8), 'content' (ill-formed text, one that
 * begins with a byte order mark, a number out of range).
 */
export function encodeContent(draft: ContentToSend, seen: number): Bytes {
  demand(isCount(draft.at), 'content')
  return frameOf({ t: draft.t, at: draft.at, seen, ...members(draft) })
}

function frameOf(content: { readonly [key: string]: Packed | undefined }): Bytes {
  const packed = pack(content)
  const frame = pad(packed)
  wipe(packed)
  return frame
}

function members(draft: ContentToSend): { readonly [key: string]: Packed | undefined } {
  switch (draft.t) {
    case 'hello':
    case 'ack':
    case 'bye':
      return {}
    case 'timer':
      demand(isUint32(draft.seconds), 'content')
      return { seconds: draft.seconds }
    case 'text':
      return { text: checkedText(draft.text), reply: draft.reply && parseName(draft.reply) }
  }
}

function checkedText(text: string): string {
  demand(isPlainText(text), 'content')
  demand(textBytes(text) <= TEXT_MAX_BYTES, 'too-long')
  return text
}

/** Length of a text in bytes of UTF-8. */
export function textBytes(text: string): number {
  return new TextEncoder().encode(text).length
}

/** The content of a frame. Never throws: what can't be parsed is unreadable. */
export function decodeContent(frame: Bytes): Content | Unreadable {
  try {
    return parse(unpack(unpad(frame), 'content'))
  } catch {
    return { t: 'unreadable' }
  }
}

function parse(map: PackedMap): Content {
  const { t, at, seen } = map
  demand(typeof t === 'string' && isCount(at) && isUint32(seen), 'content')
  switch (t) {
    case 'hello':
    case 'ack':
    case 'bye':
      return { t, at, seen }
    case 'timer':
      demand(isUint32(map.seconds), 'content')
      return { t, at, seen, seconds: map.seconds }
    case 'text':
      return { t, at, seen, ...parseText(map) }
    default:
      // Typing is never stored.
      demand(t !== 'typing', 'content')
      return { t: 'unknown', type: t, at, seen }
  }
}

function parseText({ text, reply }: PackedMap): { text: string; reply?: MessageName } {
  demand(typeof text === 'string' && textBytes(text) <= TEXT_MAX_BYTES, 'content')
  return reply === undefined ? { text } : { text, reply: parseName(reply) }
}

function parseName(name: Packed): MessageName {
  demand(Array.isArray(name) && name.length === 2, 'content')
  const [sender, n]: readonly Packed[] = name
  demand((sender === 0 || sender === 1) && isUint32(n), 'content')
  return [sender, n]
}

/** The padded frame of a typing content: volatile, so without `at` and `seen`. */
export function encodeTyping(on: boolean): Bytes {
  return frameOf({ t: 'typing', on })
}

/** Whether the peer types; null for what is no typing content. */
export function decodeTyping(frame: Bytes): boolean | null {
  try {
    const { t, on } = unpack(unpad(frame), 'content')
    return t === 'typing' && typeof on === 'boolean' ? on : null
  } catch {
    return null
  }
}

function isCount(value: Packed | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isUint32(value: Packed | undefined): value is number {
  return isCount(value) && value <= 0xffff_ffff
}
