import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Connection, Engine, EraseReceipt, FatalCode, Limits } from '../engine/types'

export type FatalReason = FatalCode | 'elsewhere' | 'start-failed'

/** How far "erase everything" has come. */
export type Erasure =
  | { readonly state: 'none' | 'erasing' | 'failed' | 'forgotten' }
  | { readonly state: 'erased'; readonly receipt: EraseReceipt }

/** What is true of the page as a whole: who we are, how it stands with the server, whether it can go on. */
export const usePage = defineStore('page', () => {
  const hash = ref<string | null>(null)
  const connection = shallowRef<Connection>({ state: 'connecting' })
  const failure = ref<FatalReason | null>(null)
  const storageIsFull = ref(false)
  const started = ref(false)
  const remembered = ref(false)
  const linkOnly = ref(false)
  const ttlSeconds = ref(900)
  const textBytes = ref(16_384)
  const erasure = shallowRef<Erasure>({ state: 'none' })

  const fatal = computed<FatalReason | null>(
    () => failure.value ?? (connection.value.state === 'elsewhere' ? 'elsewhere' : null),
  )
  const isErased = computed(() => ['erased', 'forgotten'].includes(erasure.value.state))

  const limit = (limits: Limits): void => {
    ttlSeconds.value = limits.ttlSeconds
    textBytes.value = limits.textBytes
  }

  return {
    hash,
    connection,
    storageIsFull,
    started,
    remembered,
    linkOnly,
    ttlSeconds,
    textBytes,
    erasure,
    fatal,
    isErased,
    usable: computed(() => fatal.value === null && !isErased.value),
    limit,
    begun: (engine: Pick<Engine, 'remembered' | 'linkOnly' | 'limits'>) => {
      started.value = true
      remembered.value = engine.remembered
      linkOnly.value = engine.linkOnly
      limit(engine.limits)
    },
    fail: (reason: FatalReason) => {
      failure.value ??= reason
    },
  }
})
