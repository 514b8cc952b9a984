/** Login by possession (PROTOCOL §3): the server seals a challenge to our key, we prove that it opened. */
import * as v from 'valibot'
import { b64uDecode, b64uEncode, jwkOf, proveLogin, type Identity } from '../protocol'
import { Refused, Unreachable } from './errors'

const challenge = v.object({ challenge: v.string(), c: v.string() })
const session = v.object({ token: v.string(), hash: v.string() })
const refusal = v.object({
  error: v.object({ code: v.string(), retry_after: v.nullish(v.number(), null) }),
})

/** Answers a bearer token bound to the identity's hash. Throws Refused or Unreachable. */
export async function login(identity: Identity, origin: string): Promise<string> {
  const asked = await post(challenge, '/api/login/challenge', { key: jwkOf(identity.modulus) })
  const proof = await proveLogin(identity, origin, b64uDecode(asked.c))
  const body = { challenge: asked.challenge, proof: b64uEncode(proof) }
  return (await post(session, '/api/login', body)).token
}

async function post<S extends v.GenericSchema>(
  schema: S,
  path: string,
  body: object,
): Promise<v.InferOutput<S>> {
  let response: Response
  let answer: unknown
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    })
    answer = await response.json()
  } catch {
    throw new Unreachable()
  }
  if (!response.ok) {
    const said = v.safeParse(refusal, answer)
    if (!said.success) throw new Unreachable()
    const { code, retry_after } = said.output.error
    throw new Refused(code, response.status < 429, retry_after)
  }
  const parsed = v.safeParse(schema, answer)
  if (!parsed.success) throw new Unreachable()
  return parsed.output
}
