import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Notice {
  readonly id: number
  readonly text: string
  readonly tone: 'calm' | 'trouble'
}

const SHOWN_MS = { calm: 5000, trouble: 10_000 }

/** Short sentences that come and go; saying the same again doesn't pile up. */
export const useNotices = defineStore('notices', () => {
  const notices = ref<readonly Notice[]>([])
  let last = 0

  const close = (id: number): void => {
    notices.value = notices.value.filter((notice) => notice.id !== id)
  }
  const say = (text: string, tone: Notice['tone']): void => {
    const id = ++last
    notices.value = [
      ...notices.value.filter((notice) => notice.text !== text).slice(-2),
      { id, text, tone },
    ]
    setTimeout(() => close(id), SHOWN_MS[tone])
  }
  const forget = (): void => {
    notices.value = []
  }

  return { notices, say, close, forget }
})
