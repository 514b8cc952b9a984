import { onBeforeUnmount } from 'vue'
import { useEngine } from './engine'

/** The engine tells the peer less often; but what it had to let pass is said again soon. */
const REPEAT_MS = 1000
const IDLE_MS = 5000

/** Tells the peer that one writes: now and again while one does, once when one stops. */
export function useTyping(conversation: () => string) {
  const engine = useEngine()
  let told: { id: string; at: number } | null = null
  let idle: ReturnType<typeof setTimeout> | undefined

  function stop(): void {
    clearTimeout(idle)
    if (told !== null) engine.typing(told.id, false)
    told = null
  }

  function touch(): void {
    const id = conversation()
    if (told !== null && told.id !== id) stop()
    clearTimeout(idle)
    idle = setTimeout(stop, IDLE_MS)
    const at = Date.now()
    if (told !== null && at - told.at < REPEAT_MS) return
    told = { id, at }
    engine.typing(id, true)
  }

  onBeforeUnmount(stop)
  return { touch, stop }
}
