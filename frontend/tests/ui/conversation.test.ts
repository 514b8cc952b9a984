// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { usePlaces } from '../../src/stores/places'
import { aConversation, aMessage } from './fakeEngine'
import {
  button,
  converse,
  find,
  key,
  log,
  openPage,
  press,
  queryButton,
  settle,
  text,
  the,
  type,
} from './page'

const FIELD = 'textarea'

describe('writing', () => {
  test('Enter sends, and frees the field at once', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, 'hello')
    await key(FIELD, { key: 'Enter' })
    expect(engine.asked).toContainEqual({ action: 'say', args: ['s1', 'hello'] })
    expect(the<HTMLTextAreaElement>(FIELD).value).toBe('')
  })

  test('Shift+Enter and an unfinished word of an input method don’t send', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, 'hello')
    expect((await key(FIELD, { key: 'Enter', shiftKey: true })).defaultPrevented).toBe(false)
    await key(FIELD, { key: 'Enter', isComposing: true })
    expect(engine.countOf('say')).toBe(0)
  })

  test('nothing but spaces isn’t sent', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, ' \n ')
    await key(FIELD, { key: 'Enter' })
    expect(engine.countOf('say')).toBe(0)
    expect(button('Send').disabled).toBe(true)
  })

  test('a refused text comes back into the field, with the time to wait', async () => {
    const engine = await openPage()
    await converse(engine)
    engine.refuse('say', 'too-fast', 3)
    await type(FIELD, 'hello')
    await press('Send')
    expect(the<HTMLTextAreaElement>(FIELD).value).toBe('hello')
    expect(text()).toContain('Try again in 3 seconds')
  })

  test('a refused text comes back before what was written since', async () => {
    const engine = await openPage()
    await converse(engine)
    engine.refuse('say', 'too-fast', 3)
    await type(FIELD, 'hello')
    button('Send').click()
    await type(FIELD, 'world')
    expect(the<HTMLTextAreaElement>(FIELD).value).toBe('hello\nworld')
  })

  test('a text over the limit in bytes, not letters, can’t be sent', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, 'ü'.repeat(8193))
    expect(text()).toContain('Too long by 2 bytes')
    await key(FIELD, { key: 'Enter' })
    expect(engine.countOf('say')).toBe(0)
  })

  test('what was begun stays when one looks elsewhere', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, 'half a thou')
    await press('Back to all conversations')
    the('nav li button').click()
    await settle()
    expect(the<HTMLTextAreaElement>(FIELD).value).toBe('half a thou')
  })

  test('typing is told once, and taken back on sending', async () => {
    const engine = await openPage()
    await converse(engine)
    await type(FIELD, 'h')
    await type(FIELD, 'he')
    await key(FIELD, { key: 'Enter' })
    expect(engine.asked.filter(({ action }) => action === 'typing')).toEqual([
      { action: 'typing', args: ['s1', true] },
      { action: 'typing', args: ['s1', false] },
    ])
  })
})

describe('reading', () => {
  test.each([
    ['waiting', 'Waiting in this browser'],
    ['stored', 'On the server'],
    ['taken', 'Taken by the other side'],
    ['undelivered', 'Not delivered'],
  ] as const)('a %s message says so to eye and ear', async (delivery, words) => {
    const engine = await openPage()
    await converse(engine, {}, aMessage('x', { mine: true, delivery }))
    expect(the('[role="log"] article [role="img"]').getAttribute('aria-label')).toBe(words)
  })

  test('a state that changes, changes in place', async () => {
    const engine = await openPage()
    const message = aMessage('x', { mine: true, delivery: 'waiting' })
    await converse(engine, {}, message)
    engine.emit({ type: 'message', conversation: 's1', message: { ...message, delivery: 'taken' } })
    await settle()
    expect(document.querySelectorAll('[role="log"] article')).toHaveLength(1)
    expect(the('article').dataset['delivery']).toBe('taken')
  })

  test('what looks like HTML is shown as it was written', async () => {
    const engine = await openPage()
    const hostile = '<img src=x onerror="alert(1)"><b>bold</b> {{ 1 + 1 }}'
    await converse(engine, {}, aMessage(hostile))
    expect(log()?.querySelector('img, b')).toBeNull()
    expect(the('[role="log"] article [dir="auto"]').textContent).toBe(hostile)
  })

  test('a hostile direction mark stays within its message', async () => {
    const engine = await openPage()
    await converse(engine, {}, aMessage('abc \u202e fed'))
    const shown = the('[role="log"] article [dir="auto"]')
    expect(shown.className).toContain('unicode-bidi:isolate')
    expect(shown.textContent).toBe('abc \u202e fed')
  })

  test('a link opens elsewhere, and tells nobody where from', async () => {
    const engine = await openPage()
    await converse(engine, {}, aMessage('see https://example.org/x.'))
    const link = the<HTMLAnchorElement>('[role="log"] a')
    expect(link.getAttribute('href')).toBe('https://example.org/x')
    expect(link.target).toBe('_blank')
    expect(link.rel).toContain('noopener')
    expect(link.rel).toContain('noreferrer')
    expect(link.getAttribute('referrerpolicy')).toBe('no-referrer')
  })

  test('what can’t be read or is too new says so', async () => {
    const engine = await openPage()
    const strange = [
      aMessage('', { body: { kind: 'unreadable' } }),
      aMessage('', { body: { kind: 'newer' } }),
      aMessage('', { body: { kind: 'timer', seconds: 900 } }),
    ]
    await converse(engine, {}, ...strange)
    expect(log()?.textContent).toContain('can’t be read')
    expect(log()?.textContent).toContain('needs a newer version')
    expect(log()?.textContent).toContain('The other side kept it on for 15 minutes')
  })

  test('typing of the other side is shown', async () => {
    const engine = await openPage()
    await converse(engine, { peerTyping: true })
    expect(log()?.textContent).toContain('writing…')
  })

  test('a message elsewhere counts as new until one looks', async () => {
    const engine = await openPage()
    await converse(engine)
    await press('Back to all conversations')
    engine.emit({ type: 'message', conversation: 's1', message: aMessage('psst') })
    await settle()
    expect(the('nav li').textContent).toContain('1 new message')
    expect(document.title).toBe('(1) Quarter')
    the('nav li button').click()
    await settle()
    expect(document.title).toBe('Quarter')
  })
})

describe('trust', () => {
  test('an unverified peer is shown as such, and the number leads out of it', async () => {
    const engine = await openPage()
    await converse(engine, { verified: 'none' })
    await press('Not verified. Safety number')
    const groups = [...the('[data-testid="safety-number"]').children].map((el) => el.textContent)
    expect(groups).toHaveLength(12)
    for (const group of groups) expect(group).toMatch(/^\d{5}$/u)
    await press('Mark as compared')
    expect(engine.asked).toContainEqual({ action: 'markCompared', args: ['s1'] })
    engine.emit({ type: 'conversation', conversation: aConversation({ verified: 'compared' }) })
    await settle()
    expect(text()).toContain('You compared this number')
    expect(queryButton('Mark as compared')).toBeNull()
  })

  test('leaving asks first', async () => {
    const engine = await openPage()
    await converse(engine)
    usePlaces().ask({ name: 'leave', id: 's1' })
    await settle()
    expect(the('[role="alertdialog"]').textContent).toContain('ends for both of you')
    await press('Stay')
    expect(engine.countOf('leave')).toBe(0)
    usePlaces().ask({ name: 'leave', id: 's1' })
    await settle()
    await press('Leave')
    expect(engine.asked).toContainEqual({ action: 'leave', args: ['s1'] })
    expect(find('[role="alertdialog"]')).toBeNull()
  })
})

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['Date', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'],
    })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('two minutes before the end comes a warning, and one press keeps it on', async () => {
    const engine = await openPage()
    await converse(engine)
    expect(text()).not.toContain('ends soon')
    vi.advanceTimersByTime(780_000)
    await settle()
    expect(the('[role="alert"]').textContent).toContain('ends soon')
    await press('Keep for another 15 minutes')
    expect(engine.asked).toContainEqual({ action: 'keep', args: ['s1'] })
  })

  test.each([
    ['joining', 'has not answered yet', 'something on the way keeps what you send from them'],
    ['asking', 'You can write once they accept', 'never have got what you sent'],
  ] as const)(
    'who waits for a minute (%s) is told what that may mean',
    async (phase, early, late) => {
      const engine = await openPage()
      await converse(engine, { phase })
      usePlaces().open('s1')
      await settle()
      expect(the('main p[role="status"]').textContent).toContain(early)
      vi.advanceTimersByTime(59_000)
      await settle()
      expect(the('main p[role="status"]').textContent).toContain(early)
      vi.advanceTimersByTime(2_000)
      await settle()
      expect(the('main p[role="status"]').textContent).toContain(late)
    },
  )

  test('an offer that does not check out is told until one has read it', async () => {
    const engine = await openPage()
    engine.emit({ type: 'notice', notice: { kind: 'bad-offer', name: null } })
    for (const name of ['Ada', 'Bea', 'Cora'])
      engine.emit({ type: 'notice', notice: { kind: 'link-tried-again', name } })
    await settle()
    expect(the('[aria-label="Notices"]').textContent).toContain('changed on its way')
    vi.advanceTimersByTime(600_000)
    await settle()
    expect(the('[aria-label="Notices"]').textContent).toContain('changed on its way')
    await press('Close this notice')
    expect(the('[aria-label="Notices"]').textContent).not.toContain('changed on its way')
  })

  test('at the deadline nothing is shown any more, even if the engine has not spoken yet', async () => {
    const engine = await openPage()
    await converse(engine, {}, aMessage('a secret'))
    expect(text()).toContain('a secret')
    vi.advanceTimersByTime(900_000)
    await settle()
    expect(text()).not.toContain('a secret')
    expect(text()).toContain('Time is up.')
  })

  test.each(['visibilitychange', 'resume'])(
    'a page that slept past the end shows nothing on %s, before the clock has ticked',
    async (name) => {
      const engine = await openPage()
      await converse(engine, {}, aMessage('a secret'))
      vi.setSystemTime(Date.now() + 3_600_000)
      document.dispatchEvent(new Event(name))
      await settle()
      expect(text()).not.toContain('a secret')
    },
  )

  test('a frozen page holds nothing that could be painted on waking', async () => {
    const engine = await openPage()
    await converse(engine, { name: 'Ada' }, aMessage('a secret'))
    document.dispatchEvent(new Event('freeze'))
    await settle()
    expect(text()).not.toContain('a secret')
    expect(text()).not.toMatch(/Ada|Over|Time is up/u)
    document.dispatchEvent(new Event('resume'))
    await settle()
    expect(text()).toContain('a secret')
  })
})
