import { LinkifyIt } from 'linkify-it'

/** A piece of a message: plain text, or a link that may be followed. */
export interface Piece {
  readonly text: string
  readonly href: string | null
}

const linkify = new LinkifyIt({ fuzzyEmail: true, maxLength: 2048 })
  .add('ftp:', null)
  .add('//', null)

const SCHEMES = new Set(['http:', 'https:', 'mailto:'])
/** Zero-width and direction-changing characters: a link with one shows another address than it opens. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u034f\u115f\u1160\u3164\uffa0]/u
/** An emoji, or what joins and colours emoji; space between them. */
const EMOJI_PART =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|[\u{e0020}-\u{e007f}]|\s)+$/u

function followable(url: string): string | null {
  if (INVISIBLE.test(url) || !URL.canParse(url)) return null
  const parsed = new URL(url)
  const disguised = parsed.username !== '' || parsed.password !== ''
  return SCHEMES.has(parsed.protocol) && !disguised ? parsed.href : null
}

/** Cuts a text into plain pieces and links; joined, the pieces' texts are the text itself. */
export function richText(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const { index, lastIndex, url } of linkify.match(text) ?? []) {
    const href = followable(url)
    if (href === null) continue
    if (index > at) pieces.push({ text: text.slice(at, index), href: null })
    pieces.push({ text: text.slice(index, lastIndex), href })
    at = lastIndex
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null })
  return pieces
}

/** Up to six emoji and nothing else: shown larger. */
export function isEmojiOnly(text: string): boolean {
  if (text.length > 80 || text.trim() === '' || !EMOJI_PART.test(text)) return false
  return [...new Intl.Segmenter().segment(text.replace(/\s/gu, ''))].length <= 6
}
