import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { InviteLink } from '../engine/types'

/** The links that wait to be used. */
export const useLinks = defineStore('links', () => {
  const links = shallowRef<readonly InviteLink[]>([])
  const newest = computed<InviteLink | null>(
    () => links.value.toSorted((a, b) => b.createdAt - a.createdAt)[0] ?? null,
  )

  return {
    links,
    newest,
    replace: (now: readonly InviteLink[]) => {
      links.value = now
    },
    forget: () => {
      links.value = []
    },
  }
})
