import type { Bytes } from '../../src/protocol'

/**
 * Does the work while these bytes are what the browser's generator gives first. What is drawn after them
 * (@noble/curves blinds its arithmetic with it) is as random as ever. Throws where they were not drawn.
 */
export async function withCoins<T>(coins: Bytes, work: () => Promise<T>): Promise<T> {
  const draw = crypto.getRandomValues.bind(crypto)
  let drawn = false
  Object.defineProperty(crypto, 'getRandomValues', {
    configurable: true,
    value: (array: Bytes) => {
      if (drawn) return draw(array)
      if (array.length !== coins.length) throw new Error(`${array.length} coins were drawn`)
      drawn = true
      array.set(coins)
      return array
    },
  })
  try {
    const done = await work()
    if (!drawn) throw new Error('no coins were drawn')
    return done
  } finally {
    Reflect.deleteProperty(crypto, 'getRandomValues')
  }
}
