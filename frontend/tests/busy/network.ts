/** What goes between the page and the worker that is its network. */

export type Way = 'send' | 'receive'

export type FromPage =
  | { readonly t: 'frame'; readonly way: Way; readonly bytes: Uint8Array<ArrayBuffer> }
  /** So many messages are to arrive, so many a second, or (0) as fast as the page takes them. */
  | { readonly t: 'flood'; readonly count: number; readonly rate: number }

export type FromWorker =
  /** Somebody is there: the fragment of their one-time link. */
  | { readonly t: 'link'; readonly fragment: string }
  | { readonly t: 'frame'; readonly way: Way; readonly data: ArrayBuffer }
  /** All have been taken: how long each took from the network to that, ms. */
  | { readonly t: 'flooded'; readonly taken: readonly number[] }
