/** Joins the engine's parts around one room. */
import { inBackground } from './background'
import type { Neighbours } from './conversation'
import { House } from './house'
import { Inbound } from './inbound'
import { Links } from './links'
import * as owner from './owner'
import type { Room } from './room'
import type { EndedWhy } from './types'

/** What this side ends, it tells the server. */
const OWN_ENDS: readonly EndedWhy[] = ['left', 'expired', 'unanswered']

/** `origin` is the page's own, for its links. Reads what the vault keeps; asks nobody. */
export async function assemble(
  room: Room,
  origin: string,
): Promise<{ house: House; inbound: Inbound }> {
  const links = new Links(room, origin, await room.vault.readLinks())
  const neighbours: Neighbours = {
    helloTaken: (id, linkId) => owner.helloTaken(house, id, linkId),
    ended: ({ id, hidden }, why) => {
      if (hidden) house.conversations.delete(id)
      if (OWN_ENDS.includes(why)) inBackground(house.hint({ t: 'leave', session: id }))
    },
  }
  const processed = await room.vault.readProcessed()
  const choices = await room.vault.readChoices()
  const house: House = new House(room, links, neighbours, processed, choices)
  return { house, inbound: new Inbound(house) }
}
