import { inject, type InjectionKey } from 'vue'
import type { Engine } from '../engine/types'

export const engineKey: InjectionKey<Engine> = Symbol('engine')

export function useEngine(): Engine {
  const engine = inject(engineKey)
  if (engine === undefined) throw new Error('no engine was provided')
  return engine
}
