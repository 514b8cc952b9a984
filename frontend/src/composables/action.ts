import { ref } from 'vue'
import { EngineError } from '../engine/types'
import { useNotices } from '../stores/notices'
import { isForRoom } from '../vault/room'
import { errorText, notices as texts } from '../texts'

/** Runs something that may fail; a failure becomes one kind sentence. Answers whether it went well. */
export function useAction() {
  const notices = useNotices()
  const busy = ref(false)

  async function act(action: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    try {
      await action()
      return true
    } catch (error) {
      notices.say(sentenceFor(error), 'trouble')
      return false
    } finally {
      busy.value = false
    }
  }

  return { act, busy }
}

export function sentenceFor(error: unknown): string {
  if (error instanceof EngineError) return errorText(error.code, error.retryAfter)
  return isForRoom(error) ? texts.noRoom : texts.unexpected
}
