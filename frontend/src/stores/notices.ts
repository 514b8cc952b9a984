import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Notice {
  readonly id: number
  readonly text: string
  /** A warning stays until it is closed: it may have come while nobody looked. */
  readonly tone: 'calm' | 'trouble' | 'warning'
}

const SHOWN_MS = { calm: 5000, trouble: 10_000, warning: null }

/** Short sentences that come and go; saying the same again doesn't pile up. */
export const useNotices = defineStore('notices', () => {
  const notices = ref<readonly Notice[]>([])
  let last = 0

  const close = (id: number): void => {
    notices.value = notices.value.filter((notice) => notice.id !== id)
  }
  const say = (text: string, tone: Notice['tone']): void => {
    const id = ++last
    const others = notices.value.filter((notice) => notice.text !== text)
    const oldest = others.filter((notice) => notice.tone !== 'warning').slice(0, -2)
    notices.value = [...others.filter((notice) => !oldest.includes(notice)), { id, text, tone }]
    const shown = SHOWN_MS[tone]
    if (shown !== null) setTimeout(() => close(id), shown)
  }
  const forget = (): void => {
    notices.value = []
  }

  return { notices, say, close, forget }
})
