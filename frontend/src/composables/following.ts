import { nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'

const NEAR_PX = 48

/**
 * Keeps a scrolling list at its end while the person is there, and leaves them alone while they read above. All that
 * scrolls is the list's one child.
 */
export function useFollowing(scroller: Readonly<Ref<HTMLElement | null>>, grows: () => unknown) {
  const following = ref(true)

  const toEnd = (): void => {
    const el = scroller.value
    if (el !== null) el.scrollTop = el.scrollHeight
  }
  const look = (): void => {
    const el = scroller.value
    if (el !== null) following.value = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_PX
  }
  /** The keyboard of a phone takes half of the height, and lines that come into sight get their true one. */
  const resized = new ResizeObserver(() => {
    if (following.value) toEnd()
  })

  onMounted(() => {
    scroller.value?.addEventListener('scroll', look, { passive: true })
    // A text that is unfolded by a press grows past the end: whoever reads it is left alone.
    scroller.value?.addEventListener('click', () => nextTick(look))
    for (const el of [scroller.value, scroller.value?.firstElementChild])
      if (el) resized.observe(el)
    toEnd()
  })
  onBeforeUnmount(() => resized.disconnect())
  watch(
    grows,
    () => {
      if (following.value) toEnd()
    },
    { flush: 'post' },
  )

  return {
    following,
    follow: () => {
      following.value = true
      toEnd()
    },
  }
}
