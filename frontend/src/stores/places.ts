import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { Arrival } from '../engine/types'

/** Where the person is: a screen, or a dialog on top of one. */
export type Screen =
  | { readonly name: 'home' }
  | { readonly name: 'arrival'; readonly arrival: Arrival }
  | { readonly name: 'conversation'; readonly id: string }

export type Dialog =
  | { readonly name: 'erase' }
  | { readonly name: 'leave'; readonly id: string }
  | { readonly name: 'safety'; readonly id: string }

type Place = { readonly screen: Screen } | { readonly dialog: Dialog }

const HOME: Place = { screen: { name: 'home' } }

/** A stack with home at the bottom, one inner screen at most, and one dialog at most. */
export const usePlaces = defineStore('places', () => {
  const stack = shallowRef<readonly Place[]>([HOME])

  const depth = computed(() => stack.value.length - 1)
  const screen = computed<Screen>(() => {
    const shown = stack.value.findLast((place) => 'screen' in place)
    return shown !== undefined && 'screen' in shown ? shown.screen : { name: 'home' }
  })
  const dialog = computed<Dialog | null>(() => {
    const top = stack.value.at(-1)
    return top !== undefined && 'dialog' in top ? top.dialog : null
  })
  const atHome = computed(() => depth.value === 0)

  const show = (inner: Screen): void => {
    stack.value = [HOME, { screen: inner }]
  }
  const ask = (asked: Dialog): void => {
    stack.value = [...stack.value.filter((place) => 'screen' in place), { dialog: asked }]
  }
  /** Drops what lies above that depth: the back button. */
  const cutTo = (kept: number): void => {
    if (kept < depth.value) stack.value = stack.value.slice(0, kept + 1)
  }

  return {
    depth,
    screen,
    dialog,
    atHome,
    cutTo,
    ask,
    home: () => cutTo(0),
    back: () => cutTo(depth.value - 1),
    /** Closes the dialog, if one is open. */
    closeDialog: () => {
      if (dialog.value !== null) cutTo(depth.value - 1)
    },
    arrive: (arrival: Arrival) => show({ name: 'arrival', arrival }),
    open: (id: string) => show({ name: 'conversation', id }),
    /** Leaves every place that shows that conversation. */
    forget: (id: string) => {
      const kept = stack.value.findIndex((place) => shows(place, id))
      if (kept > 0) cutTo(kept - 1)
    },
  }
})

function shows(place: Place, id: string): boolean {
  const what = 'screen' in place ? place.screen : place.dialog
  return 'id' in what && what.id === id
}
