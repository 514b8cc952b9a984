import type { Conversation } from '../engine/types'

/** Nothing of it may be shown any more: it ended, broke, or its time is up by this page's own clock. */
export const isOver = (conversation: Conversation, now: number): boolean =>
  conversation.phase === 'ended' || conversation.phase === 'broken' || now >= conversation.deadline
