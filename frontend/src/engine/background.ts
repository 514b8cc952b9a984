import { EngineError } from './types'

/** Lets work go on that nobody waits for: that it could not be done is expected there, all else is our bug. */
export function inBackground(work: Promise<unknown> | undefined): void {
  work?.catch((error: unknown) => {
    if (!(error instanceof EngineError)) reportError(error)
  })
}

/** How long what could not be written down, as on a full disk, waits for the next try, ms. */
export const AGAIN_MS = 1_500
/** For half a minute. */
const TRIES = 20

/** The same for work that nobody but us would begin again: it is, when it failed for such a reason. */
export function untilDone(work: () => Promise<unknown>, tries = TRIES): void {
  work().catch((error: unknown) => {
    if (error instanceof EngineError) return
    reportError(error)
    if (tries > 1) setTimeout(() => untilDone(work, tries - 1), AGAIN_MS)
  })
}
