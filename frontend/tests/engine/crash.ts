/** A story told again and again, and each time something befalls one page at one of its steps. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Identity } from '../../src/protocol'
import { Ledger } from './ledger'
import { MISHAPS, mayMeet, type Mishap, type Step } from './life'
import type { Plot } from './plots'
import { Story, type Befalls } from './story'
import { identities } from './world'

const SENTENCES: { readonly [mishap in Mishap]: string } = {
  'killed before': 'is killed before any step of it',
  'killed after': 'is killed when any step is done, before it learns of it',
  'disk full': 'finds the disk full at any step, and lives on',
  'disk full, then killed': 'finds the disk full at any step, and is killed',
}
/** Some thirty times what it takes. */
const TIMEOUT_MS = 600_000
const NAMES = ['Alice', 'Bob', 'Carol']

/** Tests that a plot comes to its end, whatever befalls any page at any step. */
export function testCrashes(plots: Record<string, Plot>): void {
  const ledger = new Ledger()
  let keys: Identity[]

  beforeAll(async () => {
    keys = await identities(NAMES.length)
  })

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    // What nobody waits for may fail of a full disk, and of nothing else.
    vi.stubGlobal('reportError', (error: unknown) => {
      expect(error).toMatchObject({ name: 'QuotaExceededError' })
    })
  })

  afterAll(() => ledger.close())

  async function tell(plot: Plot, befalls: Befalls): Promise<void> {
    const story = new Story(keys, befalls)
    await plot(story)
    await story.ends()
  }

  /**
   * Strikes one person's pages once, at the first of their steps from this one on that may meet it. Answers which it
   * was; null where none was left. What is counted is this telling's own steps: pages that take several messages
   * together come to more of them in one telling than in another.
   */
  async function strike(plot: Plot, whose: number, from: number, mishap: Mishap) {
    const struck: { readonly at: number; readonly step: Step }[] = []
    const befalls: Befalls = (who, at, step) => {
      if (struck.length > 0 || who !== whose || at < from || !mayMeet(step, mishap)) return null
      struck.push({ at, step })
      return mishap
    }
    try {
      await tell(plot, befalls)
    } catch (cause) {
      const where = struck.map(({ at, step }) => `step ${at} (${step}), ${mishap}`)
      throw new Error(`${NAMES[whose]}’s page, ${where.join()}: ${String(cause)}`, { cause })
    }
    return struck[0]?.at ?? null
  }

  /** Answers how often it struck: each step once. */
  async function strikeAll(plot: Plot, whose: number, mishap: Mishap): Promise<number> {
    let times = 0
    let at = await strike(plot, whose, 0, mishap)
    for (; at !== null; times++) at = await strike(plot, whose, at + 1, mishap)
    return times
  }

  const tellings = Object.entries(plots).flatMap(([name, plot]) =>
    MISHAPS.map((mishap) => [name, SENTENCES[mishap], plot, mishap] as const),
  )

  it.each(tellings)(
    '%s: it ends as it should where a page %s',
    async (_name, _befalls, plot, mishap) => {
      let times = 0
      for (const whose of NAMES.keys()) times += await strikeAll(plot, whose, mishap)
      expect(times).toBeGreaterThan(20)
      ledger.demandClean(times * 20)
    },
    TIMEOUT_MS,
  )
}
