/** The one door to the engine. */
import { QuarterEngine } from './engine'
import type { Engine } from './types'

export const createEngine = (): Engine => new QuarterEngine(location.origin)
