/** Measures on opening, ?rounds=60, and shows a table for each length of text. */
import { version } from 'node-forge/package.json'

import { chooseKem } from '../../frontend/src/protocol'
import { portableKem } from '../../frontend/src/protocol/kem'
import { forgeHybrid } from './forgeHybrid'
import { inABurst, turnByTurn, withinTurn } from './quarter'
import type { Carried, Way } from './way'

const WARM_UP = 5
const LENGTHS = [
  { caption: 'A text of 40 bytes', text: 'x'.repeat(40) },
  { caption: 'A text of 1 KiB', text: 'x'.repeat(1024) },
  { caption: 'A text of 16 KiB, the longest there is', text: 'x'.repeat(16 * 1024) },
]
const HEAD = ['', 'bytes', 'seal', 'p95', 'open', 'p95', 'both', 'RSA-3072 in node-forge']

const rounds = Number(new URLSearchParams(location.search).get('rounds') ?? 60)
const state = document.querySelector('#state')

async function main(): Promise<void> {
  const kem = await chooseKem()
  const ways = [
    await forgeHybrid(3072),
    await forgeHybrid(2048),
    await withinTurn(kem),
    await inABurst(kem),
    await turnByTurn(kem, kem.name === 'webcrypto' ? 'the browser' : 'the library'),
    await turnByTurn(portableKem(), 'the library'),
  ]
  for (const { caption, text } of LENGTHS) {
    say(`${caption}: measuring …`)
    document.body.append(tableOf(caption, rowsOf(ways, await measure(ways, text))))
  }
  say(
    `node-forge ${version}; medians of ${rounds} rounds, in each of which every way had its turn.`,
  )
}

/** For each way what its rounds took. All go through each round together, so that noise meets all alike. */
async function measure(ways: readonly Way[], text: string): Promise<Carried[][]> {
  const carried = ways.map((): Carried[] => [])
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [index, way] of ways.entries()) {
      const one = await way.carry(text)
      if (round >= 0) carried[index]?.push(one)
    }
  }
  return carried
}

function rowsOf(ways: readonly Way[], carried: readonly Carried[][]): string[][] {
  const both = carried.map((all) =>
    quantile(
      all.map(({ sealMs, openMs }) => sealMs + openMs),
      0.5,
    ),
  )
  return ways.map(({ name }, index) => {
    const all = carried[index] ?? []
    const seal = all.map(({ sealMs }) => sealMs)
    const open = all.map(({ openMs }) => openMs)
    const times = [seal, open].flatMap((one) => [quantile(one, 0.5), quantile(one, 0.95)])
    const mine = both[index] ?? 0
    return [
      name,
      String(all.at(-1)?.bytes),
      ...[...times, mine].map((ms) => ms.toFixed(2)),
      `${((both[0] ?? 0) / mine).toFixed(1)} times as long`,
    ]
  })
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0
}

function tableOf(caption: string, rows: readonly string[][]): HTMLTableElement {
  const table = document.createElement('table')
  table.createCaption().textContent = caption
  for (const texts of [HEAD, ...rows]) {
    const row = table.insertRow()
    for (const text of texts) row.insertCell().textContent = text
  }
  return table
}

function say(text: string): void {
  if (state) state.textContent = text
}

const error: unknown = await main().catch((reason: unknown) => reason)
if (error !== undefined) say(String(error))
document.documentElement.dataset['finished'] = error === undefined ? 'well' : 'badly'
