// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest'
import { useConversations } from '../../src/stores/conversations'
import type { EndedWhy } from '../../src/engine/types'
import { aConversation, aMessage } from './fakeEngine'
import { converse, find, markup, openPage, press, settle, text, the, type } from './page'

describe('after the end', () => {
  const WORDS: [EndedWhy, string][] = [
    ['left', 'You left.'],
    ['peer-left', 'The other side left.'],
    ['expired', '15 minutes passed without a message.'],
    ['declined', 'They declined.'],
    ['link-used', 'This link was used already.'],
    ['unanswered', 'Nobody answered.'],
    ['server-says', 'Ended, says the server.'],
  ]
  test.each(WORDS)('%s is said in plain words', async (endedWhy, words) => {
    const engine = await openPage()
    await converse(engine)
    await converse(engine, { phase: 'ended', endedWhy })
    expect(the('main').textContent).toContain(words)
    expect(find('textarea')).toBeNull()
  })

  test('messages that never arrived are counted', async () => {
    const engine = await openPage()
    await converse(engine)
    await converse(engine, { phase: 'ended', endedWhy: 'server-says', undelivered: 2 })
    expect(text()).toContain('2 messages of yours were never shown to have arrived')
  })

  test('a broken one says why, and takes no more messages', async () => {
    const engine = await openPage()
    await converse(engine)
    await converse(engine, { phase: 'broken', brokenWhy: 'A message was changed on its way.' })
    expect(text()).toContain('A message was changed on its way.')
    expect(find('textarea')).toBeNull()
  })

  test('the page holds nothing of it: no message, no draft, no count', async () => {
    const engine = await openPage()
    await converse(engine, {}, aMessage('a secret'))
    await type('textarea', 'an unsent secret')
    engine.emit({ type: 'cleared', conversation: 's1' })
    await converse(engine, { phase: 'ended', endedWhy: 'peer-left' })
    const held = useConversations()
    expect([held.messages.size, held.drafts.size, held.unread.size]).toEqual([0, 0, 0])
    expect(markup()).not.toContain('secret')
  })

  test('a question that was open about it closes', async () => {
    const engine = await openPage()
    await converse(engine, { verified: 'none' })
    await press('Not verified. Safety number')
    expect(find('[role="dialog"]')).not.toBeNull()
    await converse(engine, { phase: 'ended', endedWhy: 'peer-left' })
    expect(find('[role="dialog"]')).toBeNull()
    expect(text()).toContain('The other side left.')
  })

  test('taken off the list, not even its name is left', async () => {
    const engine = await openPage()
    await converse(engine, { name: 'Ada' })
    await converse(engine, { name: 'Ada', phase: 'ended', endedWhy: 'left' })
    await press('Close')
    expect(engine.asked).toContainEqual({ action: 'dismiss', args: ['s1'] })
    expect(useConversations().known.size).toBe(0)
    expect(markup()).not.toContain('Ada')
    expect(find('#address')).not.toBeNull()
  })

  test('one that ended does not disturb another', async () => {
    const engine = await openPage()
    await converse(engine, { name: 'Ada' }, aMessage('still here'))
    const other = aConversation({ id: 's2', name: 'Grace', phase: 'ended', endedWhy: 'expired' })
    engine.emit(
      { type: 'conversation', conversation: other },
      { type: 'cleared', conversation: 's2' },
    )
    await settle()
    expect(text()).toContain('still here')
  })
})
