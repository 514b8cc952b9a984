import { useNotices } from '../stores/notices'
import { home, notices as texts } from '../texts'

/** Puts a text on the clipboard, and says that it did. */
export function useCopy() {
  const notices = useNotices()

  async function copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      notices.say(done, 'calm')
    } catch {
      notices.say(texts.copyFailed, 'trouble')
    }
  }

  return { copy }
}

/** A share sheet is what people expect on a phone, and a nuisance on a desktop. */
export const canShare = (): boolean =>
  typeof navigator.share === 'function' && matchMedia('(pointer: coarse)').matches

/** Opens the share sheet; closing it without a choice is no failure. */
export async function share(url: string): Promise<void> {
  try {
    await navigator.share({ text: home.shareText, url })
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
  }
}
