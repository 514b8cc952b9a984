/**
 * How often the properties are tried, and how a failure is tried again.
 *
 *   PROPERTY_RUNS   runs of each of the two properties of a dialogue, and a share of them for the others
 *   PROPERTY_SEED   what a failure prints; give it with `-t` and the test's name
 */
import fc from 'fast-check'

const RUNS = Number(process.env.PROPERTY_RUNS ?? 3_000)
/** Dialogues are long: without a word there are as many as in the reference client's tests. */
export const DIALOGUES = Number(process.env.PROPERTY_RUNS ?? 1_000)
const [SEED, PATH] = process.env.PROPERTY_SEED?.split('/') ?? []
/** No run takes so long, on any machine. */
const LONGEST_RUN_MS = 1_000

/** One in so many of them. */
export const runs = (oneIn: number): number => Math.max(1, Math.round(RUNS / oneIn))

export const timeout = (numRuns: number): number => 60_000 + numRuns * LONGEST_RUN_MS

/** Throws, with what replays it, when the property does not hold. */
export async function holds<T>(numRuns: number, property: fc.IAsyncProperty<T>): Promise<void> {
  const replay = {
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATH === undefined ? {} : { path: PATH }),
  }
  const run = await fc.check(property, { numRuns, ...replay })
  if (!run.failed) return
  const again = `PROPERTY_SEED=${run.seed}/${run.counterexamplePath}`
  throw new Error(`${again}\n${fc.defaultReportMessage(run)}`, { cause: run.errorInstance })
}
