// @vitest-environment happy-dom
import { describe, expect, test, vi } from 'vitest'
import * as reloading from '../../src/composables/reload'
import { useConversations } from '../../src/stores/conversations'
import { useLinks } from '../../src/stores/links'
import { usePage } from '../../src/stores/page'
import { ALICE, aMessage, FakeEngine, RECEIPT } from './fakeEngine'
import { converse, find, markup, openPage, press, settle, text, the } from './page'

vi.mock('../../src/composables/reload', () => ({ reload: vi.fn<() => void>() }))

async function askToErase(engine = new FakeEngine()): Promise<FakeEngine> {
  await openPage(engine)
  await converse(engine, { name: 'Ada' }, aMessage('a secret'))
  await press('Erase everything')
  return engine
}

describe('erasing everything', () => {
  test('asks once, and can be thought over', async () => {
    const engine = await askToErase()
    expect(the('[role="alertdialog"]').textContent).toContain('can’t be undone')
    await press('Cancel')
    expect(engine.countOf('erase')).toBe(0)
    expect(find('[role="alertdialog"]')).toBeNull()
  })

  test('shows what was deleted, and whether the other page was told', async () => {
    await askToErase()
    await press('Yes, erase everything')
    expect(text()).toContain('All erased.')
    expect(text()).toContain('1 conversation deleted, says the server')
    expect(text()).toContain('12 sealed messages deleted, says the server')
    expect(text()).toContain('The other page was told')
  })

  test('says when the other page could not be told yet', async () => {
    const engine = new FakeEngine()
    engine.receipt = { ...RECEIPT, told: 0 }
    await askToErase(engine)
    await press('Yes, erase everything')
    expect(text()).toContain('will be told when it comes back')
  })

  test('gives counts as the server’s word, as nobody can check them', async () => {
    const engine = new FakeEngine()
    engine.receipt = { ...RECEIPT, sessions: 0, messages: 4_294_967_295 }
    await askToErase(engine)
    await press('Yes, erase everything')
    expect(text()).toContain('0 conversations deleted, says the server')
    expect(text()).toContain('4294967295 sealed messages deleted, says the server')
    expect(text()).toContain('The keys in this browser deleted')
  })

  test('says so when the server had nothing left to count', async () => {
    const engine = new FakeEngine()
    engine.receipt = { ...RECEIPT, counted: false }
    await askToErase(engine)
    await press('Yes, erase everything')
    expect(text()).toContain('The server says that it doesn’t know you any more')
  })

  test('leaves nothing on the page or in its stores, whatever the engine still says', async () => {
    const engine = await askToErase()
    await press('Yes, erase everything')
    await converse(engine, { name: 'Ada' }, aMessage('a secret'))
    const conversations = useConversations()
    expect([conversations.known.size, conversations.messages.size]).toEqual([0, 0])
    expect(useLinks().links).toEqual([])
    expect(usePage().hash).toBeNull()
    expect(markup()).not.toMatch(new RegExp(`Ada|a secret|${ALICE}`, 'u'))
  })

  test('starting anew loads the page again', async () => {
    await askToErase()
    await press('Yes, erase everything')
    await press('Start anew')
    expect(reloading.reload).toHaveBeenCalledOnce()
  })

  test('a failure stays on the screen until it is mended', async () => {
    const engine = await askToErase()
    engine.refuse('erase', 'offline')
    await press('Yes, erase everything')
    expect(the('[role="alert"]').textContent).toContain('Not erased yet')
    await press('Back to all conversations')
    expect(the('[role="alert"]').textContent).toContain('Not erased yet')
    engine.refuse('erase', 'offline')
    await press('Try again')
    expect(the('[role="alert"]').textContent).toContain('Not erased yet')
    await press('Try again')
    expect(text()).toContain('All erased.')
  })

  test('without the server, the keys of this browser can be deleted all the same', async () => {
    const engine = await askToErase()
    engine.refuse('erase', 'offline')
    await press('Yes, erase everything')
    await press('Delete the keys in this browser anyway')
    expect(engine.countOf('forgetLocally')).toBe(1)
    expect(text()).toContain('The keys are gone from this browser')
    expect(useConversations().known.size).toBe(0)
  })

  test('an error that nobody foresaw counts as not erased', async () => {
    const engine = await askToErase()
    engine.refuse('erase', new Error('boom'))
    await press('Yes, erase everything')
    await settle()
    expect(the('[role="alert"]').textContent).toContain('Not erased yet')
  })
})
