/**
 * Takes an invite link's fragment out of the address bar and the tab's history (PROTOCOL §4).
 *
 * Imported before anything else, so that no other code runs while the secret is in the URL.
 */

let fragment = ''

/** Reads what stands behind the # and takes it out of the bar; '' where nothing stands there. */
export function takeFragment(): string {
  fragment = location.hash.slice(1)
  if (location.href.includes('#')) {
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return fragment
}

/** What the last `takeFragment` found; handed out once. */
export function takenFragment(): string {
  const taken = fragment
  fragment = ''
  return taken
}

takeFragment()
