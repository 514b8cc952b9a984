/** Identities of the published vectors: to make RSA keys takes seconds on a busy machine, and each file would. */
import { readFileSync } from 'node:fs'
import { importIdentity, type Identity } from '../src/protocol'

interface Vectors {
  readonly transcripts: readonly {
    readonly people: { readonly [role: string]: { readonly pkcs8: string } }
  }[]
}

/** Of three people, or fewer. */
export async function keptIdentities(): Promise<[Identity, Identity, Identity]> {
  const file = new URL('../../docs/vectors/transcripts-page.json', import.meta.url)
  const { transcripts }: Vectors = JSON.parse(readFileSync(file, 'utf8'))
  const people = transcripts.flatMap((each) => Object.values(each.people))
  const [alice, bob, mallory] = people.map(({ pkcs8 }) =>
    importIdentity(new Uint8Array(Buffer.from(pkcs8, 'hex'))),
  )
  if (!alice || !bob || !mallory) throw new Error('too few people in the vectors')
  return Promise.all([alice, bob, mallory])
}
