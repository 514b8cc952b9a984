/** Why a conversation is broken, in words for the person; the codes are stable and go into tests. */
const WORDS = {
  'rolled-back':
    'This browser’s copy of the conversation is older than what was already sent. Start a new one.',
  'changed-record':
    'The server returned other bytes than the ones that were exchanged before. Don’t trust it; start a new conversation.',
  'missing-record':
    'The server no longer has everything that was exchanged. Start a new conversation.',
  'missing-message': 'A message is missing and could not be fetched. Start a new conversation.',
  'bad-message':
    'A message arrived that your peer’s key did not seal. It was not shown. Start a new conversation.',
  'bad-answer':
    'The answer did not come from the person this link belongs to. Nothing was sent. Ask for a new link.',
  'refused-message': 'The server refuses to store what was written. Start a new conversation.',
} as const

export type BrokenCode = keyof typeof WORDS

export const wordsFor = (code: string): string =>
  code in WORDS ? WORDS[code as BrokenCode] : WORDS['bad-message']
