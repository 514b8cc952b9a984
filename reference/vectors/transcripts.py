"""Two whole conversations, each value of them: one that began with a link, one that began with a request.

The bytes are made by the client's own functions. The values between are worked out again from those bytes, by
somebody who has both private keys.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from reference import (
    b64u,
    content,
    handshake,
    identity,
    kem,
    link,
    message,
    primitives,
    ratchet,
    safety,
    volatile,
)
from reference.content import Ack, Bye, Hello, Name, Sendable, Text, Timer, Typing
from reference.identity import Identity
from reference.primitives import KEY_BYTES, NONCE_BYTES
from reference.ratchet import Taken
from reference.state import Chain, Pending, State
from reference.vectors import shapes
from reference.vectors.shapes import Json

ORIGIN = "https://quarter.example"
NOW = 1_790_000_000_000
INITIATOR, RESPONDER = 0, 1

LONG_TEXT = "So geht das, eine gute Viertelstunde lang: „über“, naïve, Ωmega, текст, 文字, 🜂. " * 8

BY_LINK: Sequence[tuple[int, Sendable | Typing]] = (
    (INITIATOR, Hello(NOW)),
    (RESPONDER, Ack(NOW + 200)),
    (RESPONDER, Typing(True)),
    (RESPONDER, Text(NOW + 5_000, text="Hello! Who is there?")),
    (INITIATOR, Typing(True)),
    (INITIATOR, Text(NOW + 9_000, text="Es ist Łukasz 👋", reply=Name(RESPONDER, 1))),
    (
        INITIATOR,
        Text(NOW + 9_900, text="שלום, مرحبا, 你好, e\u0301 is not é, nor 👩\u200d👩\u200d👧 one character."),
    ),
    (RESPONDER, Timer(NOW + 20_000, seconds=3_600)),
    (INITIATOR, Ack(NOW + 40_001)),
    (RESPONDER, Text(NOW + 60_000, text=LONG_TEXT, reply=Name(INITIATOR, 2))),
    (RESPONDER, Typing(True)),
    (RESPONDER, Typing(False)),
    (RESPONDER, Text(NOW + 61_000, text="", reply=Name(RESPONDER, 3))),
    (RESPONDER, Text(NOW + 62_000, text=" \t\n\r\0\x7f\u2028\u202e end ")),
    (INITIATOR, Text(NOW + 61_500, text="a clock may go back")),
    (RESPONDER, Ack(NOW + 90_000)),
    (INITIATOR, Timer(NOW + 95_000, seconds=60)),
    (RESPONDER, Text(NOW + 96_000, text="x" * 300)),
    (INITIATOR, Bye(NOW + 99_000)),
)

BY_REQUEST: Sequence[tuple[int, Sendable | Typing]] = (
    (INITIATOR, Hello(0)),
    (INITIATOR, Text(1, text="I have only your code.")),
    (INITIATOR, Typing(False)),
    (RESPONDER, Ack(2**53 - 1)),
    (INITIATOR, Text(127, text="a" * 31)),
    (RESPONDER, Text(128, text="b" * 32)),
    (RESPONDER, Text(255, text="ß" * 128, reply=Name(INITIATOR, 0))),
    (RESPONDER, Typing(True)),
    (INITIATOR, Ack(256)),
    (INITIATOR, Text(65_535, text="c" * 256)),
    (RESPONDER, Text(65_536, text="𝄞" * 1_024)),
    (INITIATOR, Text(2**32 - 1, text="d" * 65)),
    (RESPONDER, Text(2**32, text="e", reply=Name(RESPONDER, 0))),
    (RESPONDER, Text(2**32 + 1, text="f")),
    (INITIATOR, Timer(5, seconds=86_400)),
    (RESPONDER, Bye(6)),
)


def make() -> Json:
    """Both transcripts, each between people of its own."""
    secret = link.make_secret()
    transcripts = [_transcript(secret, BY_LINK), _transcript(None, BY_REQUEST)]
    return {"format": 1, "made_by": "reference", "transcripts": transcripts}


@dataclass
class _Talk:
    """The two, their states, and how many signs each has sent since its last message."""

    people: tuple[Identity, Identity]
    states: list[State]
    counters: list[int]


def _transcript(secret: bytes | None, script: Sequence[tuple[int, Sendable | Typing]]) -> Json:
    people = guest, owner = Identity.generate(), Identity.generate()
    offer, pending = handshake.make_offer(guest, owner.hash, owner.modulus, secret)
    answer, before_hello = handshake.answer_offer(owner, handshake.read_offer(owner, offer), secret)
    talk = _Talk(people, [handshake.accept_answer(guest, pending, answer), before_hello], [0, 0])
    messages: list[Json] = []
    signs: list[Json] = []
    for sender, said in script:
        if isinstance(said, Typing):
            signs.append(_volatile(talk, sender, said, len(messages)))
        else:
            messages.append(_message(talk, sender, said))
    groups = safety.groups(guest.hash, owner.hash)
    return {
        "people": {"initiator": shapes.person(guest), "responder": shapes.person(owner)},
        "link": _link(owner.hash, secret),
        "login": _login(guest),
        "offer": _offer(pending),
        "answer": _answer(guest, pending, answer, before_hello),
        "safety": {"groups": groups, "code": safety.code(groups)},
        "messages": messages,
        "volatile": signs,
    }


def _link(owner_hash: bytes, secret: bytes | None) -> Json:
    return {
        "origin": ORIGIN,
        "secret": shapes.optional(secret),
        "psk": handshake.make_psk(owner_hash, secret).hex(),
        "text": link.format_link(ORIGIN, owner_hash, secret),
    }


def _login(guest: Identity) -> Json:
    r, label = os.urandom(KEY_BYTES), identity.LOGIN_LABEL + ORIGIN.encode()
    c = primitives.oaep_seal(guest.modulus, r, label)
    proof = identity.prove_login(guest, ORIGIN, c)
    return {"origin": ORIGIN, "label": label.hex(), "r": r.hex(), "c": c.hex(), "proof": proof.hex()}


def _offer(pending: Pending) -> Json:
    data = pending.offer
    ek = data[450:1666]
    return {
        "ek_seed": pending.dk.hex(),
        "ek": ek.hex(),
        "s": pending.s.hex(),
        "label": handshake.offer_label(data[2:34], data[34:66], ek).hex(),
        "c": data[1666:2050].hex(),
        "head": data[:2050].hex(),
        "invite": data[2050:].hex(),
        "bytes": data.hex(),
        "session_id": pending.session_id.hex(),
        "session_text": b64u.encode(pending.session_id),
    }


def _answer(guest: Identity, pending: Pending, data: bytes, owner: State) -> Json:
    c, ct, ek = data[34:418], data[418:1538], data[1538:2754]
    label = handshake.answer_label(pending.session_id, ct, ek)
    ss, s = kem.decapsulate(pending.dk, ct), guest.open(c, label)
    psk = handshake.make_psk(pending.offer[34:66], pending.secret)
    th = primitives.sha256(pending.offer + data[:2754])
    root, confirm_key = handshake.handshake_keys(ss, pending.s, s, psk, th)
    return {
        "ct": ct.hex(),
        "ss": ss.hex(),
        "ek_seed": owner.turn.key.hex(),
        "ek": ek.hex(),
        "s": s.hex(),
        "label": label.hex(),
        "c": c.hex(),
        "th": th.hex(),
        "ikm": (ss + pending.s + s + psk).hex(),
        "root": root.hex(),
        "confirm_key": confirm_key.hex(),
        "confirm": data[2754:].hex(),
        "bytes": data.hex(),
    }


def _message(talk: _Talk, sender: int, said: Sendable) -> Json:
    """Seal a message, have the other side take it, and write all of it down."""
    sealed = ratchet.seal(talk.states[sender], said)
    receiver, before = talk.people[1 - sender], talk.states[1 - sender]
    verdict = ratchet.take(receiver, before, sealed.data, lambda n: None)
    if not isinstance(verdict, Taken):
        raise TypeError(f"an honest message was not taken: {verdict}")
    parsed = message.parse(sealed.data)
    step = None
    chain = before.receiving
    if parsed.header.step:
        step, chain = _step(receiver, before, sealed.state, parsed.header.step)
    if chain is None:
        raise TypeError("a first message without a step")
    seed = primitives.hmac_sha256(chain.key, b"\x01")
    frame = content.write(sealed.content)
    talk.states[sender], talk.states[1 - sender] = sealed.state, verdict.state
    talk.counters[sender] = 0
    return {
        "sender": sender,
        "n": sealed.n,
        "epoch": parsed.header.epoch,
        "content": shapes.members(sealed.content),
        "packed": frame[4 : 4 + int.from_bytes(frame[:4])].hex(),
        "frame": frame.hex(),
        "step": step,
        "chain_key": chain.key.hex(),
        "next_chain_key": primitives.hmac_sha256(chain.key, b"\x02").hex(),
        "seed": seed.hex(),
        "salt": parsed.header.salt.hex(),
        "key": sealed.key[:KEY_BYTES].hex(),
        "nonce": sealed.key[KEY_BYTES:].hex(),
        "header": parsed.header.encode().hex(),
        "body": parsed.body.hex(),
        "bytes": sealed.data.hex(),
        "digest": sealed.digest.hex(),
        "before": shapes.state(before),
        "after": shapes.state(verdict.state),
    }


def _step(receiver: Identity, before: State, sender_after: State, step: message.Step) -> tuple[Json, Chain]:
    """A step as its receiver works it out; only the seed of the new key is its sender's."""
    epoch = sender_after.turn.epoch
    label = ratchet.step_label(before.session_id, epoch, step.ct, step.ek)
    ss, s = kem.decapsulate(before.turn.key, step.ct), receiver.open(step.c, label)
    root, key = ratchet.step_keys(before.root, ss, s, before.session_id, epoch, step)
    info = ratchet.RATCHET_INFO + before.session_id + epoch.to_bytes(4) + primitives.sha256(step.encode())
    values: Json = {
        "ct": step.ct.hex(),
        "ss": ss.hex(),
        "ek_seed": sender_after.turn.key.hex(),
        "ek": step.ek.hex(),
        "s": s.hex(),
        "label": label.hex(),
        "c": step.c.hex(),
        "info": info.hex(),
        "ikm": (ss + s).hex(),
        "root": root.hex(),
        "chain_key": key.hex(),
    }
    return values, Chain(epoch, key)


def _volatile(talk: _Talk, sender: int, typing: Typing, after: int) -> Json:
    """Seal a typing sign, and write it down."""
    state, counter = talk.states[sender], talk.counters[sender]
    talk.counters[sender] += 1
    data = volatile.seal(state, counter, typing)
    if state.sending is None or volatile.take(talk.states[1 - sender], data) != (counter, typing):
        raise TypeError("an honest sign was not taken")
    return {
        "after": after,
        "sender": sender,
        "epoch": state.sending.epoch,
        "n": state.sent,
        "counter": counter,
        "nonce": data[47 : 47 + NONCE_BYTES].hex(),
        "on": typing.on,
        "key": volatile.frame_key(state.sending).hex(),
        "frame": content.write(typing).hex(),
        "header": data[: volatile.HEADER_BYTES].hex(),
        "bytes": data.hex(),
    }
