/** One way to send messages: both ends of a conversation that has begun. */
export interface Way {
  readonly name: string
  /** Seals a text and opens it at the other end. Throws where another text comes out. */
  carry(text: string): Promise<Carried>
}

export interface Carried {
  /** Length of what travels. */
  readonly bytes: number
  readonly sealMs: number
  readonly openMs: number
}

/** Times a sealing and an opening. */
export async function carryBy<T>(
  text: string,
  seal: () => Promise<{ readonly sealed: T; readonly bytes: number }>,
  open: (sealed: T) => Promise<string>,
): Promise<Carried> {
  const start = performance.now()
  const { sealed, bytes } = await seal()
  const between = performance.now()
  const opened = await open(sealed)
  const end = performance.now()
  if (opened !== text) throw new Error('another text came out')
  return { bytes, sealMs: between - start, openMs: end - between }
}
