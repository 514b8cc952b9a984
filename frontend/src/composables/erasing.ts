import { ref } from 'vue'
import { useConversations } from '../stores/conversations'
import { useLinks } from '../stores/links'
import { useNotices } from '../stores/notices'
import { usePage } from '../stores/page'
import { usePlaces } from '../stores/places'
import { useEngine } from './engine'

/** Erasing everything, and what the stores must forget with it. */
export function useErasing() {
  const engine = useEngine()
  const page = usePage()
  const busy = ref(false)
  const forgetting = [useConversations(), useLinks(), useNotices()]
  const places = usePlaces()

  async function eraseAll(): Promise<void> {
    page.erasure = { state: 'erasing' }
    await attempt(async () => {
      const receipt = await engine.erase()
      page.erasure = { state: 'erased', receipt }
    })
  }

  async function forgetLocally(): Promise<void> {
    await attempt(async () => {
      await engine.forgetLocally()
      page.erasure = { state: 'forgotten' }
    })
  }

  /** Whatever fails here, the person must go on being told that nothing was erased yet. */
  async function attempt(step: () => Promise<void>): Promise<void> {
    busy.value = true
    try {
      await step()
      forgetAll()
    } catch {
      page.erasure = { state: 'failed' }
    } finally {
      busy.value = false
      places.closeDialog()
    }
  }

  function forgetAll(): void {
    for (const store of forgetting) store.forget()
    page.hash = null
    places.home()
  }

  return { eraseAll, forgetLocally, busy }
}
