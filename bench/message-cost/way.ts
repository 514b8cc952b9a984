/** One way to send messages: both ends of a conversation that has begun. */
export interface Way {
  readonly name: string
  /** Seals a text and opens it at the other end. Throws where another text comes out. */
  carry(text: string): Promise<Carried>
}

export interface Carried {
  /** Length of what travels to the server. */
  readonly bytes: number
  readonly sealMs: number
  readonly openMs: number
}

/** Times a sealing and an opening; what the server does to the frame between them is nobody's cost. */
export async function carryBy<T extends { readonly length: number }, U>(
  text: string,
  seal: () => Promise<T>,
  relay: (sealed: T) => U,
  open: (arrived: U) => Promise<string>,
): Promise<Carried> {
  const start = performance.now()
  const sealed = await seal()
  const sealMs = performance.now() - start
  const arrived = relay(sealed)
  const arrivedAt = performance.now()
  const opened = await open(arrived)
  const openMs = performance.now() - arrivedAt
  if (opened !== text) throw new Error('another text came out')
  return { bytes: sealed.length, sealMs, openMs }
}
