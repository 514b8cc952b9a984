// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest'
import { FakeEngine, LINK } from './fakeEngine'
import { find, openPage, press, the, text } from './page'

describe('arriving by a link', () => {
  test('says from whom and for how long, and uses nothing up', async () => {
    const engine = await openPage(new FakeEngine(), LINK)
    expect(the('[data-testid="arrival-peer"]').textContent).toBe('bOb4 5678')
    expect(text()).toContain('15 minutes')
    expect(engine.countOf('join')).toBe(0)
    expect(engine.countOf('createLink')).toBe(0)
  })

  test('joins on one press, and shows the conversation while the owner is away', async () => {
    const engine = await openPage(new FakeEngine(), LINK)
    await press('Join (uses up this link)')
    expect(engine.asked).toContainEqual({ action: 'join', args: [engine.arrival] })
    expect(text()).toContain('You can write already')
    expect(find('textarea')).not.toBeNull()
  })

  test('can be turned down; nothing is joined, and the secret is forgotten', async () => {
    const engine = await openPage(new FakeEngine(), LINK)
    await press('Not now')
    expect(engine.countOf('join')).toBe(0)
    expect(engine.asked).toContainEqual({ action: 'turnDown', args: [engine.arrival] })
    expect(find('#address')).not.toBeNull()
  })

  test('outlives a reload before one has decided', async () => {
    const engine = new FakeEngine()
    engine.pendingArrival = engine.arrival
    await openPage(engine)
    expect(text()).toContain('Join (uses up this link)')
    await press('Join (uses up this link)')
    expect(engine.countOf('turnDown')).toBe(0)
  })

  test('a bare code asks instead of joining, and speaks of the safety number', async () => {
    const engine = new FakeEngine()
    engine.arrival = { ...engine.arrival, kind: 'request' }
    await openPage(engine, LINK)
    expect(text()).toContain('compare the safety number')
    await press('Ask to talk')
    expect(engine.countOf('join')).toBe(1)
  })

  test('stays when joining fails, and says what to do', async () => {
    const engine = await openPage(new FakeEngine(), LINK)
    engine.refuse('join', 'unknown-peer')
    await press('Join (uses up this link)')
    expect(text()).toContain('Ask them for a new link')
    expect(text()).toContain('Join (uses up this link)')
  })

  test('a spoilt link leads home with a sentence', async () => {
    const engine = new FakeEngine()
    engine.refuse('arrive', 'bad-address')
    await openPage(engine, 'rubbish')
    expect(text()).toContain('That is no Quarter link')
    expect(find('#address')).not.toBeNull()
  })
})
