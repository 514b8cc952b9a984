import { computed, nextTick, ref, watchEffect, type Ref } from 'vue'

/** So many lines more at a time: several screens, and few enough to lay out in one frame. */
const STEP = 200
const NEAR_PX = 600

/** The newest lines of a long list; earlier ones as the person scrolls up to them, and gone again at its end. */
export function useRecent<T>(
  all: () => readonly T[],
  scroller: Readonly<Ref<HTMLElement | null>>,
  following: Readonly<Ref<boolean>>,
) {
  const first = ref(0)
  /** While it is, lines are added that are not new. */
  const growing = ref(false)

  // In whole steps, so that a new line moves no other one out.
  watchEffect(() => {
    if (following.value) first.value = Math.max(0, Math.floor(all().length / STEP) - 1) * STEP
  })

  /** What is on the screen stays where it is. */
  async function earlier(): Promise<void> {
    const el = scroller.value
    if (el === null || first.value === 0 || growing.value) return
    const fromEnd = el.scrollHeight - el.scrollTop
    growing.value = true
    first.value = Math.max(0, first.value - STEP)
    await nextTick()
    el.scrollTop = el.scrollHeight - fromEnd
    growing.value = false
  }

  return {
    recent: computed(() => all().slice(first.value)),
    hasEarlier: computed(() => first.value > 0),
    growing,
    earlier,
    look: () => {
      const el = scroller.value
      if (el !== null && !following.value && el.scrollTop < NEAR_PX) void earlier()
    },
  }
}
