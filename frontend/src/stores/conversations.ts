import { defineStore } from 'pinia'
import { computed, shallowReactive } from 'vue'
import type { Conversation, Message } from '../engine/types'

/** Conversations as the engine tells them, and what is in their input fields. Nothing outlives `clear`. */
export const useConversations = defineStore('conversations', () => {
  const known = shallowReactive(new Map<string, Conversation>())
  const messages = shallowReactive(new Map<string, readonly Message[]>())
  const unread = shallowReactive(new Map<string, number>())
  const drafts = shallowReactive(new Map<string, string>())

  const list = computed(() => [...known.values()].toReversed())

  /** New at the end, or changed in place. */
  function put(id: string, message: Message): void {
    const before = messages.get(id) ?? []
    const at = before.findLastIndex((other) => other.key === message.key)
    messages.set(id, at < 0 ? [...before, message] : before.with(at, message))
  }

  function clear(id: string): void {
    for (const held of [messages, unread, drafts]) held.delete(id)
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
      for (const held of [known, messages, unread, drafts]) held.clear()
    },
  }
})
