import { computed, readonly, ref, type Ref } from 'vue'

const now = ref(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

const tick = (): void => {
  now.value = Date.now()
}

/** Beyond every deadline: what may be painted first after a freeze must show nothing. */
const veil = (): void => {
  now.value = Number.POSITIVE_INFINITY
}

const WAKING = ['visibilitychange', 'resume'] as const

/**
 * The wall clock, once a second, and at once when the page comes back from sleep, freeze or the
 * back-forward cache. Call `watchClock` once; `useNow` anywhere.
 */
export function watchClock(): () => void {
  users += 1
  if (users === 1) begin()
  return () => {
    users -= 1
    if (users === 0) end()
  }
}

export const useNow = (): Readonly<Ref<number>> => readonly(now)

/** Whether the page is frozen, or was until this very moment: not even that something ended may be told. */
export const useVeiled = (): Readonly<Ref<boolean>> =>
  computed(() => now.value === Number.POSITIVE_INFINITY)

function begin(): void {
  tick()
  timer = setInterval(tick, 1000)
  for (const name of WAKING) document.addEventListener(name, tick)
  document.addEventListener('freeze', veil)
  window.addEventListener('pageshow', tick)
}

function end(): void {
  clearInterval(timer)
  for (const name of WAKING) document.removeEventListener(name, tick)
  document.removeEventListener('freeze', veil)
  window.removeEventListener('pageshow', tick)
}
