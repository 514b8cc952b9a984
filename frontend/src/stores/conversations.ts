import { defineStore } from 'pinia'
import { computed, shallowReactive } from 'vue'
import type { Conversation, Message } from '../engine/types'

/** Conversations as the engine tells them, and what is in their input fields. Nothing outlives `clear`. */
export const useConversations = defineStore('conversations', () => {
  const known = shallowReactive(new Map<string, Conversation>())
  const messages = shallowReactive(new Map<string, readonly Message[]>())
  const unread = shallowReactive(new Map<string, number>())
  const drafts = shallowReactive(new Map<string, string>())
  /** Of each conversation where its messages stand in the list, by their keys. */
  const places = new Map<string, Map<string, number>>()

  const list = computed(() => [...known.values()].toReversed())

  /** New at the end, or changed in place; answers whether it is new. */
  function put(id: string, message: Message): boolean {
    const before = messages.get(id) ?? []
    const keys = places.get(id) ?? new Map<string, number>()
    const at = keys.get(message.key)
    messages.set(id, at === undefined ? [...before, message] : before.with(at, message))
    if (at === undefined) places.set(id, keys.set(message.key, before.length))
    return at === undefined
  }

  function clear(id: string): void {
    for (const held of [messages, unread, drafts, places]) held.delete(id)
  }

  return {
    known,
    list,
    unread,
    drafts,
    messages,
    totalUnread: computed(() => [...unread.values()].reduce((sum, n) => sum + n, 0)),
    update: (conversation: Conversation) => known.set(conversation.id, conversation),
    put,
    count: (id: string) => unread.set(id, (unread.get(id) ?? 0) + 1),
    read: (id: string) => unread.delete(id),
    clear,
    dismiss: (id: string) => {
      clear(id)
      known.delete(id)
    },
    forget: () => {
      for (const held of [known, messages, unread, drafts, places]) held.clear()
    },
  }
})
