import { LinkifyIt } from 'linkify-it'

/** A piece of a message: plain text, or a link that may be followed. */
export interface Piece {
  readonly text: string
  readonly href: string | null
  /** The host that the link leads to, where the text does not spell it so: a Cyrillic а looks Latin. */
  readonly host?: string
}

const linkify = new LinkifyIt({ fuzzyEmail: true, maxLength: 2048 })
  .add('ftp:', null)
  .add('//', null)

const SCHEMES = new Set(['http:', 'https:', 'mailto:'])
/** Zero-width and direction-changing characters: a link with one shows another address than it opens. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u034f\u115f\u1160\u3164\uffa0]/u
const ASCII = /^[\x21-\x7e]*$/u
/** An emoji, or what joins and colours emoji; space between them. */
const EMOJI_PART =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|[\u{e0020}-\u{e007f}]|\s)+$/u

function followable(url: string): URL | null {
  if (INVISIBLE.test(url) || !URL.canParse(url)) return null
  const parsed = new URL(url)
  const disguised = parsed.username !== '' || parsed.password !== ''
  return SCHEMES.has(parsed.protocol) && !disguised ? parsed : null
}

/** A link as it is shown: mail to a host of foreign letters is only text, as nothing spells it out. */
function linkOf(text: string, url: URL): Piece {
  if (url.protocol === 'mailto:') return { text, href: ASCII.test(text) ? url.href : null }
  const spelt = text.toLowerCase().includes(`//${url.host}`)
  return { text, href: url.href, ...(spelt ? {} : { host: url.host }) }
}

/** Cuts a text into plain pieces and links; joined, the pieces' texts are the text itself. */
export function richText(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const { index, lastIndex, url } of linkify.match(text) ?? []) {
    const followed = followable(url)
    if (followed === null) continue
    if (index > at) pieces.push({ text: text.slice(at, index), href: null })
    pieces.push(linkOf(text.slice(index, lastIndex), followed))
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
