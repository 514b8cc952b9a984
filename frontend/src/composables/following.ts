import { onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'

const NEAR_PX = 48

/** Keeps a scrolling list at its end while the person is there, and leaves them alone while they read above. */
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
  /** The keyboard of a phone takes half of the height: stay at the end. */
  const resized = new ResizeObserver(() => {
    if (following.value) toEnd()
  })

  onMounted(() => {
    scroller.value?.addEventListener('scroll', look, { passive: true })
    if (scroller.value !== null) resized.observe(scroller.value)
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
