// @vitest-environment happy-dom
import { expect, test } from 'vitest'
import { BOB } from './fakeEngine'
import { converse, find, openPage, press, text, the } from './page'

async function openRequest() {
  const engine = await openPage()
  await converse(engine, { phase: 'request', verified: 'none' })
  the('nav li button').click()
  await Promise.resolve()
  return engine
}

test('a request shows the whole code, and that nothing is proven', async () => {
  await openRequest()
  expect(the('main .code-text').textContent?.replace(/\s/gu, '')).toBe(BOB)
  expect(text()).toContain('without your link')
  expect(find('textarea')).toBeNull()
})

test('a request is accepted or declined by the person’s own act', async () => {
  const engine = await openRequest()
  await press('Accept')
  expect(engine.asked).toContainEqual({ action: 'accept', args: ['s1'] })
  await press('Decline')
  expect(engine.asked).toContainEqual({ action: 'decline', args: ['s1'] })
})

test('one who asked can’t write before being accepted', async () => {
  const engine = await openPage()
  await converse(engine, { phase: 'asking', verified: 'none' })
  the('nav li button').click()
  await Promise.resolve()
  expect(text()).toContain('You can write once they accept')
  expect(find('textarea')).toBeNull()
})
