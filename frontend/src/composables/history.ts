import { watch } from 'vue'
import type { usePlaces } from '../stores/places'

/**
 * Keeps one history entry for each place on the stack, so that a phone's back button closes what
 * is on top. The entries hold a number and no address: nothing of a conversation reaches the
 * browser's history.
 */
export function keepHistory(places: ReturnType<typeof usePlaces>): () => void {
  let depth = 0
  let travelling = false
  history.replaceState({ depth }, '')

  const match = (): void => {
    while (depth < places.depth) history.pushState({ depth: ++depth }, '')
    if (depth > places.depth) {
      travelling = true
      history.go(places.depth - depth)
    }
  }

  const arrived = (event: PopStateEvent): void => {
    const wasOurs = travelling
    travelling = false
    const known = depthOf(event.state)
    if (known === null) return adopt()
    depth = known
    if (!wasOurs) places.cutTo(depth)
    match()
  }

  /** An address typed into the bar made an entry of its own: it stands for what is shown now. */
  const adopt = (): void => {
    depth = places.depth
    history.replaceState({ depth }, '')
  }

  const unwatch = watch(
    () => places.depth,
    () => {
      if (!travelling) match()
    },
    { flush: 'sync' },
  )
  window.addEventListener('popstate', arrived)
  return () => {
    unwatch()
    window.removeEventListener('popstate', arrived)
  }
}

function depthOf(state: unknown): number | null {
  if (typeof state !== 'object' || state === null || !('depth' in state)) return null
  return typeof state.depth === 'number' ? state.depth : null
}
