// @vitest-environment happy-dom
import { expect, test } from 'vitest'
import { nextTick, ref } from 'vue'
import { useRecent } from '../../src/composables/recent'

test('a long conversation shows its newest lines, and earlier ones when they are asked for', async () => {
  const following = ref(true)
  const lines = ref(Array.from({ length: 1_050 }, (_, n) => n))
  const scroller = ref(document.createElement('div'))
  const { recent, hasEarlier, earlier } = useRecent(() => lines.value, scroller, following)
  expect(recent.value.at(0)).toBe(800)
  expect(recent.value.at(-1)).toBe(1_049)
  following.value = false
  await nextTick()
  for (const first of [600, 400, 200, 0]) {
    expect(hasEarlier.value).toBe(true)
    await earlier()
    expect(recent.value.at(0)).toBe(first)
  }
  expect(hasEarlier.value).toBe(false)
  lines.value = [...lines.value, 1_050]
  expect(recent.value).toHaveLength(1_051)
  following.value = true
  await nextTick()
  expect(recent.value.at(0)).toBe(800)
})

test('a short one shows all, and nothing to ask for', () => {
  const lines = Array.from({ length: 399 }, (_, n) => n)
  const { recent, hasEarlier } = useRecent(() => lines, ref(null), ref(true))
  expect(recent.value).toHaveLength(399)
  expect(hasEarlier.value).toBe(false)
})
