/**
 * The bearer token in the tab's session storage, beside the user hash that it belongs to: a copied
 * tab brings its original's token along and may come to hold another vault.
 */

const KEY = 'quarter.token'

export function keptToken(hash: string): string | null {
  const [owner, token] = sessionStorage.getItem(KEY)?.split(' ') ?? []
  return owner === hash && token !== undefined ? token : null
}

export const keepToken = (hash: string, token: string): void =>
  sessionStorage.setItem(KEY, `${hash} ${token}`)

export const forgetToken = (): void => sessionStorage.removeItem(KEY)
