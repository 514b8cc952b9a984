/** `run` on the window, for e2e/suite.py: bytes come and go as hexadecimal digits. */
import { ProtocolError, toHex, type Bytes } from '../../src/protocol'
import { operations, type Operation } from './operations'

type Texts = Readonly<Record<string, string>>

/** What an operation gave for each case, in order; `refused` with a code of ours, or a foreign error's name. */
async function run(where: string, name: string, cases: readonly Texts[]): Promise<Texts[]> {
  const operation = operations[where]?.[name]
  if (operation === undefined) throw new Error(`There is no operation ${where}.${name}`)
  const answers: Texts[] = []
  for (const texts of cases) answers.push(await answer(operation, texts))
  return answers
}

async function answer(operation: Operation, texts: Texts): Promise<Texts> {
  try {
    const answered = await operation((name) => bytesOf(texts[name] ?? missing(name)))
    return Object.fromEntries(Object.entries(answered).map(([name, bytes]) => [name, toHex(bytes)]))
  } catch (error) {
    return {
      refused: error instanceof ProtocolError ? `ProtocolError ${error.code}` : String(error),
    }
  }
}

const bytesOf = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

function missing(name: string): never {
  throw new Error(`A case has no ${name}`)
}

Object.assign(globalThis, { run })
