import type { Message } from '../../src/engine/types'
import type { usePlaces } from '../../src/stores/places'
import { aConversation, aLink, aMessage, type FakeEngine } from '../ui/fakeEngine'

export interface Scene {
  readonly before?: (engine: FakeEngine) => void
  readonly arrives?: boolean
  readonly play: (engine: FakeEngine, places: ReturnType<typeof usePlaces>) => void
}

const ago = (minutes: number): number => Date.now() - minutes * 60_000

const talk = (): Message[] => [
  aMessage('Are you there? The train leaves in ten minutes.', { at: ago(13) }),
  aMessage('Nearly. Platform 4?', { mine: true, at: ago(12.6) }),
  aMessage('Yes, at the very front. I have your ticket.', { at: ago(12) }),
  aMessage('שלום! זה מסר בעברית, עם 123 ועם English בפנים.', { at: ago(11.8) }),
  aMessage('🚆🎟️', { mine: true, at: ago(5) }),
  aMessage(
    'The map is here: https://example.org/stations/long/path?with=many&words=that-go-on-and-on-and-on-until-the-bubble-ends#here and mail works too: ada@example.org',
    { at: ago(4) },
  ),
  aMessage('Thank you.\nOn my way now.\n\nKeep me a seat by the window, please.', {
    mine: true,
    at: ago(3),
  }),
  aMessage('', { mine: true, at: ago(2.5), body: { kind: 'timer', seconds: 900 } }),
  aMessage('Will do', { at: ago(2) }),
  aMessage('And bring the umbrella, it rains here.', { at: ago(1.9) }),
  aMessage('', { at: ago(1.8), body: { kind: 'newer' } }),
  aMessage('Got it', { mine: true, at: ago(0.4), delivery: 'stored' }),
  aMessage('See you in a minute', { mine: true, at: ago(0.1), delivery: 'waiting' }),
]

function converse(engine: FakeEngine, some: Parameters<typeof aConversation>[0] = {}): void {
  engine.emit({ type: 'conversation', conversation: aConversation({ name: 'Ada', ...some }) })
  for (const message of talk()) engine.emit({ type: 'message', conversation: 's1', message })
}

const crowd = (engine: FakeEngine): void =>
  engine.emit(
    {
      type: 'conversation',
      conversation: aConversation({ id: 's2', phase: 'request', verified: 'none' }),
    },
    {
      type: 'conversation',
      conversation: aConversation({
        id: 's3',
        phase: 'ended',
        endedWhy: 'peer-left',
        name: 'Grace',
      }),
    },
  )

export const scenes: Record<string, Scene> = {
  home: { play: () => undefined },
  starting: {
    before: (engine) => {
      engine.start = () => new Promise(() => undefined)
    },
    play: () => undefined,
  },
  homeMany: {
    before: (engine) => {
      engine.links = [
        aLink({ name: 'Ada, for the train' }),
        aLink({ createdAt: ago(300), expiresAt: ago(-60) }),
      ]
    },
    play: (engine, places) => {
      converse(engine)
      crowd(engine)
      places.home()
      engine.emit({ type: 'message', conversation: 's1', message: aMessage('psst') })
    },
  },
  arrival: { arrives: true, play: () => undefined },
  arrivalRequest: {
    arrives: true,
    before: (engine) => {
      engine.arrival = { ...engine.arrival, kind: 'request' }
    },
    play: () => undefined,
  },
  joining: {
    play: (engine) => {
      engine.emit({ type: 'conversation', conversation: aConversation({ phase: 'joining' }) })
      engine.emit({
        type: 'message',
        conversation: 's1',
        message: aMessage('I am here, write when you are back.', {
          mine: true,
          delivery: 'waiting',
        }),
      })
    },
  },
  waiting: {
    play: (engine) => {
      const since = { phase: 'joining', deadline: Date.now() + 600_000 } as const
      engine.emit({ type: 'conversation', conversation: aConversation(since) })
      engine.emit({ type: 'notice', notice: { kind: 'bad-offer', name: null } })
    },
  },
  request: {
    play: (engine, places) => {
      crowd(engine)
      places.open('s2')
    },
  },
  full: {
    play: (engine) => {
      converse(engine)
      engine.emit({ type: 'storage', isFull: true })
    },
  },
  conversation: {
    play: (engine) => {
      converse(engine, { peerTyping: true, deadline: Date.now() + 640_000 })
      crowd(engine)
    },
  },
  warning: {
    play: (engine) => {
      converse(engine, { verified: 'none', name: null, deadline: Date.now() + 95_000 })
      engine.emit({
        type: 'connection',
        connection: { state: 'waiting', retryAt: Date.now() + 12_000 },
      })
    },
  },
  tall: {
    play: (engine) => {
      converse(engine)
      const texts = ['\n'.repeat(16_000), 'W'.repeat(16_384), 'A line\n'.repeat(400)]
      for (const [i, text] of texts.entries()) {
        const message = aMessage(text, { mine: i === 2 })
        engine.emit({ type: 'message', conversation: 's1', message })
      }
    },
  },
  long: {
    play: (engine) => {
      engine.emit({ type: 'conversation', conversation: aConversation() })
      for (let i = 0; i < 2000; i++) {
        const message = aMessage(`Line ${i} of a very long conversation, with some words in it.`, {
          mine: i % 3 === 0,
        })
        engine.emit({ type: 'message', conversation: 's1', message })
      }
    },
  },
  menu: { play: (engine) => converse(engine) },
  safety: {
    play: (engine, places) => {
      converse(engine, { verified: 'none' })
      places.ask({ name: 'safety', id: 's1' })
    },
  },
  leave: {
    play: (engine, places) => {
      converse(engine)
      places.ask({ name: 'leave', id: 's1' })
    },
  },
  ended: {
    play: (engine, places) => {
      const over = { phase: 'ended', endedWhy: 'expired', undelivered: 2, name: 'Ada' } as const
      engine.emit({ type: 'conversation', conversation: aConversation(over) })
      places.open('s1')
    },
  },
  broken: {
    play: (engine, places) => {
      engine.emit({ type: 'conversation', conversation: aConversation({ phase: 'broken' }) })
      places.open('s1')
    },
  },
  erase: { play: (_engine, places) => places.ask({ name: 'erase' }) },
  eraseFails: {
    play: (engine, places) => {
      engine.refuse('erase', 'offline')
      places.ask({ name: 'erase' })
    },
  },
  outdated: { play: (engine) => engine.emit({ type: 'fatal', code: 'outdated' }) },
  noStorage: { play: (engine) => engine.emit({ type: 'fatal', code: 'no-storage' }) },
  fatal: { play: (engine) => engine.emit({ type: 'fatal', code: 'insecure-context' }) },
  elsewhere: {
    play: (engine) => engine.emit({ type: 'connection', connection: { state: 'elsewhere' } }),
  },
  trouble: {
    play: (engine) => {
      converse(engine)
      engine.emit({ type: 'notice', notice: { kind: 'link-tried-again', name: 'Ada' } })
    },
  },
}
