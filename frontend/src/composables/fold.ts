import type { Piece } from './richText'

/** A text of more than these is folded: it would be taller than a phone's screen. */
const TALL_CHARS = 1_000
const TALL_LINES = 24
/** So much of it is shown then. */
const HEAD_CHARS = 600
const HEAD_LINES = 16
/** The longest sign that somebody may mean: an emoji of a family, a letter with its marks. */
const SIGN_CHARS = 64

/** Where a line may end, whether this browser breaks there or not. */
const BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/gu

/** How many code units of a text are its head, up to the end of a whole sign; null for one that is shown whole. */
export function headLength(text: string): number | null {
  const breaks = Array.from(text.matchAll(BREAK), ({ index }) => index)
  if (text.length <= TALL_CHARS && breaks.length < TALL_LINES) return null
  return wholeSigns(text, Math.min(HEAD_CHARS, breaks[HEAD_LINES - 1] ?? HEAD_CHARS))
}

/** A thousand emoji may be joined to one sign: that one is cut, though not within an emoji. */
function wholeSigns(text: string, most: number): number {
  const begins = new Intl.Segmenter().segment(text).containing(most)?.index
  if (begins !== undefined && most - begins < SIGN_CHARS) return begins
  return /[\udc00-\udfff]/u.test(text.charAt(most)) ? most - 1 : most
}

/** The first so many code units of some pieces; a link that is cut leads where the whole one does. */
export function headOf(pieces: readonly Piece[], length: number): Piece[] {
  const head: Piece[] = []
  let left = length
  for (const piece of pieces) {
    if (left <= 0) break
    head.push({ ...piece, text: piece.text.slice(0, left) })
    left -= piece.text.length
  }
  return head
}
