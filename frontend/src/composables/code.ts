/** Hashes as people see them: groups of four, so that an eye can hold its place. */
export const groupCode = (hash: string): string[] => hash.match(/.{1,4}/g) ?? []

/** Enough of a hash to tell one's conversations apart; never enough to trust it by. */
export const shortCode = (hash: string): string => groupCode(hash.slice(0, 8)).join(' ')
