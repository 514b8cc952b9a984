/** Whether a write failed because the browser's storage, or its share of it for this site, is full. */
export const isForRoom = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'QuotaExceededError'
