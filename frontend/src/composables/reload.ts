/** Loads the page again: a new identity after an erasure, or this window's turn. */
export const reload = (): void => location.reload()
