import type { Engine } from '../engine/types'
import { feed } from '../stores/feed'
import { useNotices } from '../stores/notices'
import { usePage } from '../stores/page'
import { usePlaces } from '../stores/places'
import { sentenceFor } from './action'

/** Joins one engine to the stores, and takes the person to where a link leads. */
export function beginPage(engine: Engine) {
  const page = usePage()
  const places = usePlaces()
  const notices = useNotices()

  async function start(fragment: string): Promise<void> {
    feed(engine)
    try {
      await engine.start()
    } catch {
      page.fail('start-failed')
      return
    }
    // First where the link leads: home would make a link of its own meanwhile.
    if (fragment === '') arriveAgain()
    else await arrive(fragment)
    page.begun(engine)
  }

  /** A link that was on the screen when the page was loaded again. */
  function arriveAgain(): void {
    if (page.usable && engine.pendingArrival !== null) places.arrive(engine.pendingArrival)
  }

  async function arrive(text: string): Promise<void> {
    if (text === '' || !page.usable) return
    try {
      places.arrive(await engine.arrive(text))
    } catch (error) {
      notices.say(sentenceFor(error), 'trouble')
    }
  }

  return { start, arrive }
}
