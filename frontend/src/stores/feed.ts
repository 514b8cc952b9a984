import type { Conversation, Engine, EngineEvent, Message, Notice } from '../engine/types'
import { notices as texts } from '../texts'
import { useConversations } from './conversations'
import { useLinks } from './links'
import { useNotices } from './notices'
import { usePage } from './page'
import { usePlaces } from './places'

/** Applies the engine's events to the stores, in order. Answers how to stop. */
export function feed(engine: Engine): () => void {
  const page = usePage()
  const links = useLinks()
  const conversations = useConversations()
  const notices = useNotices()
  const places = usePlaces()

  function apply(event: EngineEvent): void {
    if (page.isErased) return
    switch (event.type) {
      case 'identity':
        page.hash = event.hash
        return
      case 'connection':
        page.connection = event.connection
        if (event.connection.state === 'online') page.limit(engine.limits)
        return
      case 'links':
        return links.replace(event.links)
      case 'conversation':
        return meet(event.conversation)
      case 'message':
        return take(event.conversation, event.message)
      case 'cleared':
        return conversations.clear(event.conversation)
      case 'dismissed':
        conversations.dismiss(event.conversation)
        return places.forget(event.conversation)
      case 'notice':
        return tell(event.notice)
      case 'storage':
        page.storageIsFull = event.isFull
        return
      case 'fatal':
        return page.fail(event.code)
      default:
        return event satisfies never
    }
  }

  /** One that comes to be while the person waits at home is what they wait for: show it. */
  function meet(conversation: Conversation): void {
    const before = conversations.known.get(conversation.id)?.phase
    conversations.update(conversation)
    if (conversation.phase === 'ended' || conversation.phase === 'broken') putAway(conversation.id)
    const lives = conversation.phase === 'open' || conversation.phase === 'joining'
    if (lives && before !== conversation.phase && places.atHome && !isWriting()) {
      places.open(conversation.id)
    }
    if (conversation.phase === 'request' && before === undefined)
      notices.say(texts.requestCame, 'calm')
  }

  /** Not even a question about it stays open. */
  function putAway(id: string): void {
    conversations.clear(id)
    if (places.dialog !== null && 'id' in places.dialog && places.dialog.id === id) {
      places.closeDialog()
    }
  }

  function take(id: string, message: Message): void {
    const isNew = conversations.put(id, message)
    if (isNew && !message.mine && page.started && !isWatched(id)) conversations.count(id)
  }

  const isWatched = (id: string): boolean => {
    const { screen } = places
    return screen.name === 'conversation' && screen.id === id && !document.hidden
  }

  function tell(notice: Notice): void {
    if (notice.kind === 'bad-offer') return notices.say(texts.badOffer, 'warning')
    const words = { 'link-tried-again': texts.linkTriedAgain, 'conversation-full': texts.full }
    notices.say(words[notice.kind](notice.name), 'trouble')
  }

  return engine.subscribe(apply)
}

/** Nobody wants to be carried off in the middle of a word. */
function isWriting(): boolean {
  const field = document.activeElement
  return field instanceof HTMLInputElement && field.value !== '' && field.type === 'text'
}
