import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach } from 'vitest'
import { nextTick } from 'vue'
import App from '../../src/App.vue'
import { beginPage } from '../../src/composables/begin'
import { engineKey } from '../../src/composables/engine'
import type { Conversation, Message } from '../../src/engine/types'
import { aConversation, FakeEngine } from './fakeEngine'

let mounted: VueWrapper | undefined

afterEach(() => {
  mounted?.unmount()
  mounted = undefined
  document.body.innerText = ''
})

/** Opens the whole page with an engine that does what the test says. */
export async function openPage(engine = new FakeEngine(), fragment = ''): Promise<FakeEngine> {
  const pinia = createPinia()
  setActivePinia(pinia)
  mounted = mount(App, {
    attachTo: document.body,
    global: { plugins: [pinia], provide: { [engineKey as symbol]: engine } },
  })
  await beginPage(engine).start(fragment)
  await settle()
  return engine
}

export async function settle(): Promise<void> {
  await flushPromises()
  await nextTick()
}

export async function converse(
  engine: FakeEngine,
  some: Partial<Conversation> = {},
  ...messages: Message[]
): Promise<void> {
  const conversation = aConversation(some)
  engine.emit({ type: 'conversation', conversation })
  for (const message of messages) {
    engine.emit({ type: 'message', conversation: conversation.id, message })
  }
  await settle()
}

export const text = (): string => document.body.textContent ?? ''
/** The whole document, attributes included: what a look into the page could find. */
export const markup = (): string => new XMLSerializer().serializeToString(document)
export const find = (selector: string): HTMLElement | null => document.querySelector(selector)
export const log = (): HTMLElement | null => find('[role="log"]')

export function the<T extends HTMLElement = HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector)
  if (found === null) throw new Error(`nothing on the page is ${selector}`)
  return found
}

const nameOf = (el: Element): string =>
  (el.getAttribute('aria-label') ?? el.textContent ?? '').replace(/\s+/gu, ' ').trim()

/** The button or menu item of that accessible name; the last one, since dialogs come last. */
export function button(name: string): HTMLButtonElement {
  const found = queryButton(name)
  if (found === null) throw new Error(`no button is called “${name}”`)
  return found
}

export function queryButton(name: string): HTMLButtonElement | null {
  const all = [...document.querySelectorAll<HTMLButtonElement>('button, [role="menuitem"]')]
  return all.findLast((el) => nameOf(el) === name) ?? null
}

export async function press(name: string): Promise<void> {
  button(name).click()
  await settle()
}

export async function type(selector: string, value: string): Promise<void> {
  const field = the<HTMLTextAreaElement>(selector)
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
  await settle()
}

export async function key(selector: string, init: KeyboardEventInit): Promise<KeyboardEvent> {
  const event = new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init })
  the(selector).dispatchEvent(event)
  await settle()
  return event
}
