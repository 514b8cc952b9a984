/** A browser without room for the vault: it is asked again and again, as nothing tells when there is some. */
import type { Vault } from '../vault/vault'

const LOOK_MS = 2_000

/** Tells when the vault is full, and when no longer. It is looked at until `signal`. */
export function watchSpace(
  vault: Pick<Vault, 'onRoom' | 'tryRoom'>,
  tell: (isFull: boolean) => void,
  signal: AbortSignal,
): void {
  let looking: ReturnType<typeof setInterval> | undefined
  const look = (): void => void vault.tryRoom().catch(() => {})
  vault.onRoom = (isFull) => {
    clearInterval(looking)
    if (isFull && !signal.aborted) looking = setInterval(look, LOOK_MS)
    tell(isFull)
  }
  signal.addEventListener('abort', () => clearInterval(looking))
}
