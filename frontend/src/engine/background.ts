import { EngineError } from './types'

/** Lets work go on that nobody waits for: that it could not be done is expected there, all else is our bug. */
export function inBackground(work: Promise<unknown> | undefined): void {
  work?.catch((error: unknown) => {
    if (!(error instanceof EngineError)) reportError(error)
  })
}
