/** `npm run vectors` writes docs/vectors/transcripts-page.json anew. It runs only when it is asked for. */
import { writeFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { pathOf, readTranscripts } from './files'
import { make } from './make'

test('writes transcripts that can be read', async () => {
  const transcripts = [await make(true), await make(false)]
  const file = { format: 1, made_by: 'page', transcripts }
  writeFileSync(pathOf('transcripts-page.json'), `${JSON.stringify(file, null, 1)}\n`)
  expect(readTranscripts('page')).toEqual(transcripts)
})
