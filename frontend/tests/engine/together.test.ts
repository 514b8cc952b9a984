/** Messages that wait behind one another are taken together; of what they are, nothing changes. */
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import type { Item } from '../../src/transport/wire'
import { aPair, goHome, identities, meetingOf, settle, type Person } from './world'

const TEXTS = ['one', 'two', 'three', 'four', 'five']

let keys: Identity[]

beforeAll(async () => {
  keys = await identities(2)
})

describe('messages that came while nobody looked', () => {
  let host: Person
  let visitor: Person
  let id: string
  let waiting: readonly Item[]

  /** The host is there, but what the visitor says is on its way. */
  beforeEach(async () => {
    ;({ alice: host, bob: visitor } = await aPair(keys))
    id = await meetingOf(host, visitor)
    const { world } = host
    const before = world.sessions.get(id)?.items.length
    world.push = () => {}
    for (const text of TEXTS) await visitor.say(id, text)
    await settle(host, visitor)
    waiting = world.sessions.get(id)?.items.slice(before) ?? []
    world.push = (item, to) => to.receive(item)
    if (waiting.length !== TEXTS.length) throw new Error('they are not all on their way')
    return () => goHome(host, visitor)
  })

  async function come(...items: readonly Item[]): Promise<void> {
    for (const item of items) host.receive(item)
    await settle(host, visitor)
  }

  const spoilt = (item: Item): Item => ({ ...item, body: item.body.map((byte) => byte ^ 1) })

  test('are written in one transaction, and shown in order', async () => {
    const commit = vi.spyOn(host.house.room.vault, 'commit')
    await come(...waiting)
    expect(host.texts(id)).toEqual(TEXTS)
    expect(commit.mock.calls.map(([, , , { records }]) => records?.length)).toEqual([5])
    await host.reload()
    await settle(host, visitor)
    expect(host.texts(id)).toEqual(TEXTS)
  })

  test('are shown up to the first that does not open, which is fetched again', async () => {
    await come(...waiting.map((item, at) => (at === 2 ? spoilt(item) : item)))
    expect([host.phase(id), host.texts(id)]).toEqual(['open', TEXTS.slice(0, 2)])
    await come(...waiting.slice(2))
    expect(host.texts(id)).toEqual(TEXTS)
  })

  test('are shown once, however often each comes', async () => {
    await come(...waiting.flatMap((item) => [item, item]), ...waiting)
    expect([host.phase(id), host.texts(id)]).toEqual(['open', TEXTS])
  })

  test('are not lost when the disk has no room for them', async () => {
    const { vault } = host.house.room
    vi.stubGlobal('reportError', () => {})
    vi.spyOn(vault, 'commit').mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError'))
    await come(...waiting)
    expect(host.texts(id)).toEqual([])
    await come(...waiting)
    expect([host.phase(id), host.texts(id)]).toEqual(['open', TEXTS])
    vi.unstubAllGlobals()
  })
})
