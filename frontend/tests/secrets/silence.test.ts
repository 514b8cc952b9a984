/** No refusal says anything of what it was about: not its message, stack, cause or members; and nobody logs. */
import 'fake-indexeddb/auto'
import { encode } from '@msgpack/msgpack'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { EngineError } from '../../src/engine/types'
import * as protocol from '../../src/protocol'
import type { Bytes, Identity, ProtocolErrorCode, Ratchet } from '../../src/protocol'
import { Refused, Unreachable } from '../../src/transport/errors'
import { login } from '../../src/transport/login'
import { parseFromReceive, WireError } from '../../src/transport/wire'
import {
  conversationKey,
  identityKey,
  importLocalHalf,
  seal,
  SealError,
  unseal,
} from '../../src/vault/seal'
import { pack, shapes, unpack } from '../../src/vault/shapes'
import { NoStorage, openTab } from '../../src/vault/tab'
import { StaleVersion } from '../../src/vault/vault'
import { aPair, goHome, meetingOf, settle } from '../engine/world'
import {
  codeOf,
  converse,
  flip,
  hello,
  kem,
  makePeople,
  meet,
  text,
  type Meeting,
} from '../protocol/people'
import { secretsIn, spellings, told } from './spellings'
import { watch, type Seen } from './watch'

const WORDS = 'words that nobody else may read'
const TOKEN = protocol.b64uEncode(protocol.random(32))

let alice: Identity
let bob: Identity
let pkcs8: Bytes
let meeting: Meeting
let guest: Ratchet
let owner: Ratchet
/** A message of the guest's, and its key. */
let sealed: protocol.SealedMessage
const secret = protocol.makeSecret()

beforeAll(async () => {
  ;({ alice, bob } = await makePeople())
  pkcs8 = await protocol.generateIdentity()
  meeting = await meet(bob, alice, secret)
  const sides = await converse(bob, alice, meeting)
  guest = sides.bob.ratchet
  owner = sides.alice.ratchet
  sealed = await protocol.sealMessage(kem, guest, text(WORDS))
})

afterEach(() => {
  vi.unstubAllGlobals()
})

/** What the work threw. */
const thrownBy = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      () => null,
      (error: unknown) => error,
    )

/** All that is secret in this file, and all that the work had to do with. */
function secretsOf(seen: readonly Seen[]): Uint8Array[] {
  const states = [guest, owner, sealed.ratchet].flatMap((ratchet) => [
    ratchet.root,
    ...[ratchet.sending, ratchet.receiving].flatMap((chain) => (chain ? [chain.key] : [])),
    ...(ratchet.turn.whose === 'theirs' ? [ratchet.turn.dk] : []),
  ])
  const seenBytes = seen.map(({ was }) => Uint8Array.from(Buffer.from(was, 'hex')))
  const words = [new TextEncoder().encode(WORDS), protocol.b64uDecode(TOKEN)]
  return [secret, pkcs8, sealed.key, ...states, ...words, ...seenBytes].filter(
    ({ length }) => length >= 8,
  )
}

async function expectSilence(work: () => unknown): Promise<unknown> {
  const error = await thrownBy(work)
  expect(secretsIn(told(error), secretsOf(seen))).toEqual([])
  return error
}

let seen: Seen[] = []

/** One way to each refusal of the protocol, with secrets in its hands. */
const refusals: Record<Exclude<ProtocolErrorCode, 'session' | 'epoch'>, () => unknown> = {
  base64url: () => protocol.b64uDecode(`${protocol.b64uEncode(secret)}=`),
  address: () =>
    protocol.parseAddress(`${protocol.formatLink('https://a.b', alice.hash, secret)}x`),
  length: () => protocol.readOffer(meeting.offer.slice(1), alice),
  version: () => protocol.openAgain(flip(sealed.bytes, 0), sealed.key),
  kind: () => protocol.openAgain(flip(sealed.bytes, 1), sealed.key),
  jwk: () =>
    protocol.modulusFromJwk({ ...protocol.jwkOf(bob.modulus), d: protocol.b64uEncode(pkcs8) }),
  modulus: () => protocol.checkModulus(pkcs8.slice(0, 384)),
  thumbprint: () =>
    protocol.makeOffer(kem, bob, { hash: alice.hash, modulus: bob.modulus }, secret),
  responder: () => protocol.readOffer(meeting.offer, bob),
  own: () => protocol.makeOffer(kem, bob, bob, secret),
  invite: async () => protocol.answerOffer(kem, alice, await offer(), flip(secret, 0)),
  answer: async () => {
    const { pending } = await protocol.makeOffer(kem, bob, alice, secret)
    await protocol.acceptAnswer(kem, bob, pending, meeting.answer)
  },
  rsa: async () => {
    const read = await offer(null)
    await protocol.answerOffer(
      kem,
      alice,
      { ...read, sealedSecret: flip(read.sealedSecret, 9) },
      null,
    )
  },
  kem: () => {
    const turn = { whose: 'mine', epoch: 2, ek: new Uint8Array(1216).fill(255) } as const
    return protocol.sealMessage(kem, { ...guest, turn }, text(WORDS))
  },
  aead: () => protocol.openAgain(sealed.bytes, flip(sealed.key, 0)),
  turn: () => protocol.sealMessage(kem, guest, hello),
  content: () => protocol.sealMessage(kem, guest, text(`${WORDS}\ud800`)),
  'too-long': () => protocol.sealMessage(kem, guest, text(WORDS.repeat(1000))),
  spent: () => protocol.sealMessage(kem, { ...guest, sent: 2 ** 32 }, text(WORDS)),
  state: () => protocol.decodeRatchet(protocol.encodeRatchet({ ...guest, version: -1 })),
  identity: () => protocol.importIdentity(pkcs8.slice(0, 1000)),
}

const offer = async (under: Bytes | null = secret): Promise<protocol.ReadOffer> =>
  protocol.readOffer((await protocol.makeOffer(kem, bob, alice, under)).offer, alice)

test.each(Object.entries(refusals))(
  'the protocol’s refusal “%s” is that word alone',
  async (code, work) => {
    seen = watch()
    const error = await expectSilence(work)
    expect(await codeOf(() => Promise.reject(error))).toBe(code)
    expect(Reflect.ownKeys(error as object).toSorted()).toEqual([
      'code',
      'message',
      'name',
      'stack',
    ])
  },
)

describe('the vault says nothing of what it keeps', () => {
  test('when a record does not open', async () => {
    seen = watch()
    const key = await identityKey(await importLocalHalf(secret))
    const record = await seal(key, 'here', sealed.key)
    const error = await expectSilence(() => unseal(key, 'there', record))
    expect(error).toBeInstanceOf(SealError)
  })

  test('when a record has another shape', async () => {
    const link = { id: 'l', secret, name: WORDS, createdAt: TOKEN, expiresAt: 1, spent: WORDS }
    const error = await expectSilence(() => unpack(shapes.link, pack(link)))
    expect(error).toBeInstanceOf(SealError)
  })

  test('when a state was changed meanwhile', async () => {
    seen = watch()
    const { alice: host, bob: visitor } = await aPair([alice, bob])
    const id = await meetingOf(host, visitor)
    const { room } = host.house
    const key = await conversationKey(room.local, secret, protocol.b64uDecode(id))
    const state = {
      ...host.house.newState({ role: 1, peer: '', verified: 'none', ttlSeconds: 1 }),
      ratchet: protocol.encodeRatchet(guest),
    }
    const error = await expectSilence(() =>
      room.vault.commit(key, id, 99, {
        state,
        draft: { number: 0, draft: { at: 0, text: WORDS } },
      }),
    )
    expect(error).toBeInstanceOf(StaleVersion)
    await goHome(host, visitor)
  })

  test('when the browser keeps nothing for it', async () => {
    vi.stubGlobal('sessionStorage', {
      getItem: () => `name.${protocol.b64uEncode(secret)}`,
    })
    const error = await expectSilence(() => openTab(0))
    expect(error).toBeInstanceOf(NoStorage)
  })
})

describe('the connection says nothing of what it carries', () => {
  const answers = (...bodies: [status: number, body: unknown][]): void => {
    vi.stubGlobal('fetch', async () => {
      const [status, body] = bodies.shift() ?? [500, {}]
      return new Response(JSON.stringify(body), { status })
    })
  }
  const challenge = { challenge: 'c', c: protocol.b64uEncode(new Uint8Array(384)) }

  test.each([
    ['a login that is refused', Refused, [401, { error: { code: 'login_failed' } }]],
    ['a token that comes as something else', Unreachable, [200, { token: [TOKEN], hash: TOKEN }]],
    ['an answer that is none', Unreachable, [200, TOKEN]],
  ] as const)('at %s', async (_, kind, answer) => {
    seen = watch()
    answers([200, challenge], [...answer])
    const error = await expectSilence(() => login(bob, 'https://quarter.example'))
    expect(error).toBeInstanceOf(kind)
  })

  test('at a frame that the wire does not know, with a seal half in it', async () => {
    const frame = encode({ t: 'session', session: { half: secret, token: TOKEN } }).slice().buffer
    const error = await expectSilence(() => parseFromReceive(frame))
    expect(error).toBeInstanceOf(WireError)
  })
})

test('the engine says nothing of a link whose owner has another key', async () => {
  const { world, alice: host, bob: visitor } = await aPair([alice, bob])
  const url = await host.link()
  const impostor = Object.assign(Object.create(Object.getPrototypeOf(host)), host, {
    identity: bob,
  })
  world.people.set(host.hash, impostor)
  seen = watch()
  const error = await expectSilence(() => visitor.join(url))
  expect(error).toMatchObject({ code: 'key-mismatch' })
  expect(error).toBeInstanceOf(EngineError)
  expect(told(error)).not.toContain(url.slice(-22))
  await goHome(host, visitor)
})

test('a whole conversation, with a spoiled message and an end, logs nothing', async () => {
  const logs = (['debug', 'error', 'info', 'log', 'trace', 'warn'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  )
  const { world, alice: host, bob: visitor } = await aPair([alice, bob])
  const id = await meetingOf(host, visitor, WORDS)
  await visitor.say(id, WORDS)
  await settle(host, visitor)
  await host.reload()
  await settle(host, visitor)
  world.tamper = (item) => ({ ...item, body: flip(item.body, 200) })
  await visitor.say(id, WORDS)
  await settle(host, visitor)
  host.house.conversations.get(id)?.end('left')
  await settle(host, visitor)
  expect(logs.flatMap(({ mock }) => mock.calls)).toEqual([])
  await goHome(host, visitor)
})

test.each(spellings(secret).map((spelling, kind) => [kind, spelling] as const))(
  'the search finds a secret in spelling %i',
  (_, spelling) => {
    const error = new Error('refused', {
      cause: Object.assign(new Error('inner'), { detail: { deep: spelling } }),
    })
    expect(secretsIn(told(error), [secret])).toEqual([secret])
    expect(secretsIn(told(Object.assign(new Error('x'), { raw: secret })), [secret])).toEqual([
      secret,
    ])
  },
)
