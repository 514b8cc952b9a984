// @vitest-environment happy-dom
import axe from 'axe-core'
import { expect, test } from 'vitest'
import { usePlaces } from '../../src/stores/places'
import { scenes } from '../demo/scenes'
import { FakeEngine, LINK } from './fakeEngine'
import { find, openPage, press, settle } from './page'

/** happy-dom lays nothing out: what depends on layout and colour is checked in a real browser. */
const RULES = {
  'color-contrast': { enabled: false },
  'scrollable-region-focusable': { enabled: false },
}

async function faults(): Promise<string[]> {
  document.documentElement.lang = 'en'
  // Behind an open dialog everything is hidden; without a layout axe can't see that it is open.
  const dialog = find('[role="dialog"], [role="alertdialog"]')
  const { violations } = await axe.run(dialog ?? document, { rules: RULES })
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

const played = Object.entries(scenes).filter(([name]) => name !== 'starting' && name !== 'long')

test.each(played)('axe finds nothing on the screen “%s”', async (_name, scene) => {
  const engine = new FakeEngine()
  scene.before?.(engine)
  await openPage(engine, scene.arrives === true ? LINK : '')
  scene.play(engine, usePlaces())
  await settle()
  expect(await faults()).toEqual([])
})

test('axe finds nothing on the receipt, nor on the banner of a failed erasure', async () => {
  const engine = await openPage()
  engine.refuse('erase', 'offline')
  await press('Erase everything')
  await press('Yes, erase everything')
  expect(await faults()).toEqual([])
  await press('Try again')
  expect(await faults()).toEqual([])
})
