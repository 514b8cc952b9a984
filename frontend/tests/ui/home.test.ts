// @vitest-environment happy-dom
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ALICE, aLink, FakeEngine, LINK, SECRET } from './fakeEngine'
import { button, converse, find, openPage, press, settle, text, the, type } from './page'

describe('home', () => {
  test('is ready without a click: a link is made, and drawn as a QR code', async () => {
    const engine = await openPage()
    expect(engine.asked).toContainEqual({ action: 'createLink', args: [null] })
    expect(find('[aria-label="QR code of your one-time link"]')).not.toBeNull()
    expect(button('Copy one-time link').disabled).toBe(false)
  })

  test('makes no second link while one is waiting', async () => {
    const engine = new FakeEngine()
    engine.links = [aLink()]
    await openPage(engine)
    expect(engine.countOf('createLink')).toBe(0)
  })

  test('copies the newest link, and says to give it to one person', async () => {
    const writeText = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue()
    await openPage()
    await press('Copy one-time link')
    expect(writeText).toHaveBeenCalledWith(`https://quarter.example/#${ALICE}.${SECRET}`)
    expect(text()).toContain('Give it to one person only')
  })

  test('says so when the browser refuses to copy', async () => {
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('no'))
    await openPage()
    await press('Copy one-time link')
    expect(text()).toContain('did not let us copy')
  })

  describe('on a phone', () => {
    const withSheet = (share: (data: ShareData) => Promise<void>) => {
      vi.stubGlobal('matchMedia', () => ({ matches: true, addEventListener() {} }))
      Object.defineProperty(navigator, 'share', { value: share, configurable: true })
    }
    afterEach(() => {
      vi.unstubAllGlobals()
      Reflect.deleteProperty(navigator, 'share')
    })

    test('hands the link to the share sheet', async () => {
      const shared: ShareData[] = []
      withSheet(async (data) => void shared.push(data))
      await openPage()
      await press('Share one-time link')
      expect(shared.map(({ url }) => url)).toEqual([`https://quarter.example/#${ALICE}.${SECRET}`])
    })

    test('takes a sheet that was closed for no failure', async () => {
      withSheet(() => Promise.reject(new DOMException('closed', 'AbortError')))
      await openPage()
      await press('Share one-time link')
      expect(text()).not.toContain('did not work')
    })
  })

  test('offers no share sheet on a desktop', async () => {
    await openPage()
    expect(text()).not.toContain('Share one-time link')
  })

  test('shows one’s own code whole, in groups of four', async () => {
    await openPage()
    const groups = [...the('[data-testid="own-code"]').children].map((el) => el.textContent)
    expect(groups.join('')).toBe(ALICE)
    expect(groups[0]).toHaveLength(4)
  })

  test('lists the links that are out, each with its name and time, and withdraws them', async () => {
    const engine = new FakeEngine()
    engine.links = [aLink({ name: 'Ada' })]
    await openPage(engine)
    expect(text()).toContain('Ada')
    expect(text()).toContain('24 hours left')
    await press('Withdraw Ada')
    expect(engine.countOf('withdrawLink')).toBe(1)
    expect(text()).toContain('No link is waiting')
    await press('Make a one-time link')
    expect(engine.countOf('createLink')).toBe(1)
  })

  test('makes another link under a name', async () => {
    const engine = await openPage()
    await type('#link-name', '  Grace ')
    the<HTMLFormElement>('form').requestSubmit()
    await settle()
    expect(engine.asked).toContainEqual({ action: 'createLink', args: ['Grace'] })
  })

  test('a pasted link leads to the question whether to join', async () => {
    const engine = await openPage()
    await type('#address', LINK)
    await press('Continue')
    expect(engine.asked).toContainEqual({ action: 'arrive', args: [LINK] })
    expect(text()).toContain('Join (uses up this link)')
  })

  test('a pasted nonsense is answered with a kind sentence, and kept in the field', async () => {
    const engine = await openPage()
    engine.refuse('arrive', 'bad-address')
    await type('#address', 'nonsense')
    await press('Continue')
    expect(text()).toContain('That is no Quarter link or code')
    expect(the<HTMLInputElement>('#address').value).toBe('nonsense')
  })

  test('links alone are wanted as long as the person says so', async () => {
    const engine = await openPage()
    the('#link-only').click()
    await settle()
    expect(engine.linkOnly).toBe(true)
    expect(the('#link-only').getAttribute('aria-checked')).toBe('true')
    expect(text()).toContain('nobody reaches you with it alone')
  })

  test('remembering follows the engine, also when it refuses', async () => {
    const engine = await openPage()
    const remember = the('#remember')
    remember.click()
    await settle()
    expect(remember.getAttribute('aria-checked')).toBe('true')
    engine.refuse('remember', new Error('quota'))
    remember.click()
    await settle()
    expect(remember.getAttribute('aria-checked')).toBe('true')
  })

  test('whoever waits at home is taken to the conversation that comes', async () => {
    const engine = await openPage()
    await converse(engine, { name: 'Ada' })
    expect(the('main h1').textContent).toBe('Ada')
  })

  test('whoever is writing at home is not carried off', async () => {
    const engine = await openPage()
    await type('#address', 'https://')
    the('#address').focus()
    await converse(engine, { name: 'Ada' })
    expect(find('#address')).not.toBeNull()
    expect(the('nav').textContent).toContain('Ada')
  })

  test('a request does not take over the screen; it says that it came', async () => {
    const engine = await openPage()
    await converse(engine, { phase: 'request', verified: 'none' })
    expect(find('#address')).not.toBeNull()
    expect(text()).toContain('Somebody asks to talk with you')
  })
})
