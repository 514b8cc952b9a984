// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest'
import { headLength, headOf } from '../../src/composables/fold'
import { richText } from '../../src/composables/richText'
import { aMessage } from './fakeEngine'
import { converse, openPage, press, queryButton, the } from './page'

const TEXT = '[role="log"] article p[dir="auto"]'

describe('a text that is taller than a screen', () => {
  test('shows its head, and all of it on a press, and the reader goes on in it', async () => {
    const engine = await openPage()
    const text = `${'line\n'.repeat(3_000)}the end`
    await converse(engine, {}, aMessage(text))
    expect(the(TEXT).textContent).toBe(`${'line\n'.repeat(15)}line…`)
    await press('Show all')
    expect(the(TEXT).textContent).toBe(text)
    expect(document.activeElement).toBe(the(TEXT))
    expect(queryButton('Show all')).toBeNull()
  })

  test.each([
    ['no line break', 'W'.repeat(1_000)],
    ['few lines', 'line\n'.repeat(23)],
  ])('is not one with %s and few signs: it is shown whole', async (_, text) => {
    const engine = await openPage()
    await converse(engine, {}, aMessage(text))
    expect(the(TEXT).textContent).toBe(text)
    expect(queryButton('Show all')).toBeNull()
  })

  test.each([
    ['line breaks alone', '\n'.repeat(16_384), 15],
    ['breaks of every kind', 'a\rb\r\nc\u2028d\u2029e\x0bf\x0cg\x85'.repeat(10), 33],
    ['a wall of letters', 'W'.repeat(16_384), 600],
  ])('is one of %s', (_, text, length) => {
    expect(headLength(text)).toBe(length)
  })

  test.each([
    ['an emoji', `${'x'.repeat(599)}😀${'y'.repeat(600)}`, 599],
    ['joined emoji', `${'x'.repeat(595)}👩‍👩‍👧‍👦${'y'.repeat(600)}`, 595],
    ['a letter and its marks', `${'x'.repeat(599)}e\u0301${'y'.repeat(600)}`, 599],
    ['an emoji of emoji that are joined without end', `x${'\u200d😀'.repeat(600)}`, 599],
  ])('is not cut within %s', (_, text, length) => {
    expect(headLength(text)).toBe(length)
    expect(text.slice(0, length)).not.toMatch(/\p{Cs}/u)
  })

  test('leads by a link that is cut to where the whole one leads', () => {
    const url = `https://example.org/${'a'.repeat(1_500)}`
    const [link, ...rest] = headOf(richText(`${url} and more`), 600)
    expect(link).toMatchObject({ text: url.slice(0, 600), href: url })
    expect(rest).toEqual([])
  })
})
