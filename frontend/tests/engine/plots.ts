/** Stories from the first link to the last byte that is forgotten. */
import { expect } from 'vitest'
import { expectForgotten, expectTold, type Story } from './story'

export type Plot = (story: Story) => Promise<void>

/** Two meet by a link, talk, keep on, and part. */
export async function byLink(story: Story): Promise<void> {
  const [alice, bob] = [await story.arrives(), await story.arrives()]
  const id = await story.joins(bob, await story.makesLink(alice))
  await story.say(id, [bob, 'b1'])
  await story.say(id, [alice, 'a1', 'a2'])
  await story.say(id, [bob, 'b2', 'b3'], [alice, 'a3'])
  await story.keeps(bob, id)
  expectTold(story, id, alice, bob)
  await story.leaves(bob, id)
  await expectForgotten(story)
}

/** One asks without a link, and is accepted. */
export async function byRequest(story: Story): Promise<void> {
  const [alice, bob] = [await story.arrives(), await story.arrives()]
  const id = await story.joins(bob, `#${alice.hash}`)
  await story.accepts(alice, id)
  await story.say(id, [alice, 'a1'], [bob, 'b1'])
  expectTold(story, id, alice, bob)
  await story.leaves(alice, id)
  await expectForgotten(story)
}

/** The guest writes before the owner is back, and again while she is away. */
export async function ownerAway(story: Story): Promise<void> {
  const [alice, bob] = [await story.arrives(), await story.arrives()]
  const url = await story.makesLink(alice)
  story.goesAway(alice)
  const id = await story.joins(bob, url)
  await story.say(id, [bob, 'b1', 'b2'])
  await story.comesBack(alice)
  await story.say(id, [alice, 'a1'])
  story.goesAway(alice)
  await story.say(id, [bob, 'b3'])
  await story.comesBack(alice)
  expectTold(story, id, alice, bob)
  await story.leaves(bob, id)
  await expectForgotten(story)
}

/** Two join by one link and are both answered; whose hello comes first is let in. */
export async function twoGuests(story: Story): Promise<void> {
  const [alice, bob, carol] = [await story.arrives(), await story.arrives(), await story.arrives()]
  const url = await story.makesLink(alice)
  story.goesAway(alice)
  for (const guest of [bob, carol]) {
    await story.joins(guest, url)
    story.goesAway(guest)
  }
  await story.comesBack(alice)
  story.goesAway(alice)
  for (const each of [bob, carol, alice]) await story.comesBack(each)
  const [open, ...others] = [...alice.conversations.values()].filter(
    ({ phase }) => phase === 'open',
  )
  const guest = [bob, carol].find(({ conversations }) => conversations.has(open?.id ?? ''))
  if (!open || !guest) throw new Error('nobody was let in')
  expect(others).toEqual([])
  await story.say(open.id, [guest, 'g1'])
  await story.say(open.id, [alice, 'a1'])
  expectTold(story, open.id, alice, guest)
  await story.leaves(guest, open.id)
  await story.timePasses()
  await expectForgotten(story)
}
