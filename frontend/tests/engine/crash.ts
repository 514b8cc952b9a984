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

/** A step of the pages of one person, by its number. */
interface Point {
  readonly whose: number
  readonly at: number
  readonly step: Step
}

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

  async function tell(plot: Plot, befalls?: Befalls): Promise<Point[]> {
    const story = new Story(keys, befalls)
    await plot(story)
    await story.ends()
    return story.steps.flatMap((steps, whose) => steps.map((step, at) => ({ whose, at, step })))
  }

  /** Answers how often it struck: a page that takes several messages together comes to some steps in one telling only. */
  async function strike(plot: Plot, { whose, at, step }: Point, mishap: Mishap): Promise<number> {
    let struck = 0
    const befalls: Befalls = (who, when, what) => {
      if (who !== whose || when !== at || !mayMeet(what, mishap)) return null
      struck += 1
      return mishap
    }
    try {
      await tell(plot, befalls)
      return struck
    } catch (cause) {
      const where = `${NAMES[whose]}’s page, step ${at} (${step}), ${mishap}`
      throw new Error(`${where}: ${String(cause)}`, { cause })
    }
  }

  const tellings = Object.entries(plots).flatMap(([name, plot]) =>
    MISHAPS.map((mishap) => [name, SENTENCES[mishap], plot, mishap] as const),
  )

  it.each(tellings)(
    '%s: it ends as it should where a page %s',
    async (_name, _befalls, plot, mishap) => {
      const points = (await tell(plot)).filter(({ step }) => mayMeet(step, mishap))
      expect(points.length).toBeGreaterThan(20)
      let struck = 0
      for (const point of points) struck += await strike(plot, point, mishap)
      expect(struck).toBeGreaterThan(points.length * 0.8)
      ledger.demandClean(points.length * 20)
    },
    TIMEOUT_MS,
  )
}
