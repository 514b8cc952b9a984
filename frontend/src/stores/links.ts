import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { InviteLink } from '../engine/types'

/** The links that wait to be used. */
export const useLinks = defineStore('links', () => {
  const links = shallowRef<readonly InviteLink[]>([])
  /** Not computed: a cache that nobody looks at would keep the secret of a link that is gone. */
  const newest = shallowRef<InviteLink | null>(null)

  const replace = (now: readonly InviteLink[]): void => {
    links.value = now
    newest.value = now.toSorted((a, b) => b.createdAt - a.createdAt)[0] ?? null
  }

  return { links, newest, replace, forget: () => replace([]) }
})
