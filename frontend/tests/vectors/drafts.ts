/** A content of docs/vectors as the page would be asked to send it; `seen` is its own to fill in. */
import * as v from 'valibot'

import type { ContentToSend } from '../../src/protocol'
import type { Content } from './files'

const at = v.number()
/** Of what a person's page would never ask for, too: the protocol has to refuse it. */
const side = v.custom<0 | 1>((value) => typeof value === 'number')
const draft = v.variant('t', [
  v.object({ t: v.picklist(['hello', 'ack', 'bye']), at }),
  v.object({
    t: v.literal('text'),
    at,
    text: v.string(),
    reply: v.exactOptional(v.tuple([side, v.number()])),
  }),
  v.object({ t: v.literal('timer'), at, seconds: v.number() }),
])

export const draftOf = (content: Content): ContentToSend => v.parse(draft, content)

/** What the page must have read where the file has this content; null: what it can't read. */
export function meantBy(content: Content | null): unknown {
  if (content === null) return { t: 'unreadable' }
  const known = ['hello', 'ack', 'bye', 'text', 'timer'].includes(String(content.t))
  return known ? content : { t: 'unknown', type: content.t, at: content.at, seen: content.seen }
}
