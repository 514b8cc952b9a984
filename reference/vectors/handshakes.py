"""Offers and answers with one field wrong, and the code by which each is refused; right ones stand first."""

from collections.abc import Iterator
from typing import NamedTuple

from reference import handshake, identity, kem, link, primitives
from reference.identity import Identity
from reference.state import Pending
from reference.vectors import flaws, forge, shapes
from reference.vectors.shapes import Json


class Case(NamedTuple):
    """Bytes, what is wrong with them, and the code."""

    name: str
    field: str
    data: bytes
    code: str | None = None


class Trio(NamedTuple):
    """The two, and somebody whom neither has asked."""

    guest: Identity
    owner: Identity
    stranger: Identity


def offers(trio: Trio) -> list[Json]:
    """Offers that the owner reads and answers."""
    secret = link.make_secret()
    right = Case("by a link", "", forge.offer(trio.guest, trio.owner, secret))
    request = Case("by a request", "", forge.offer(trio.guest, trio.owner, None))
    return [
        _offer(right, secret),
        _offer(request, None),
        *(_offer(case, secret) for case in _linked(trio, secret, right.data)),
        *(_offer(case, None) for case in _requested(trio, request.data)),
    ]


def answers(trio: Trio) -> list[Json]:
    """Answers that the initiator takes; all wrong ones are refused by one code."""
    secret = link.make_secret()
    data, pending = handshake.make_offer(trio.guest, trio.owner.hash, trio.owner.modulus, secret)
    offer = handshake.read_offer(trio.owner, data)
    right = Case("right", "", forge.answer(offer, pending.s, secret))
    cases = [right, *_answered(trio, offer, pending.s, secret, right.data)]
    return [_answer(case, pending) for case in cases]


def _linked(trio: Trio, secret: bytes, right: bytes) -> Iterator[Case]:
    guest, owner, stranger = trio
    yield from (Case(name, "length", data, "length") for name, data in _lengths(right))
    for version in (0, 2, 0xFF):
        yield Case(
            f"version {version}", "version", forge.offer(guest, owner, secret, version=version), "version"
        )
    for kind in (0, 2, 3):
        yield Case(f"kind {kind}", "kind", forge.offer(guest, owner, secret, kind=kind), "kind")
    to_another = forge.offer(guest, stranger, secret)
    yield Case("to a stranger", "responder", to_another, "responder")
    readdressed = forge.offer(guest, owner, secret, responder_hash=stranger.hash)
    yield Case("to a stranger, but sealed to the reader", "responder", readdressed, "responder")
    for name, modulus in _moduli(guest.modulus):
        hash = identity.thumbprint(modulus)
        data = forge.offer(guest, owner, secret, modulus=modulus, initiator_hash=hash)
        yield Case(f"modulus: {name}", "modulus", data, "modulus")
    foreign = forge.offer(guest, owner, secret, initiator_hash=stranger.hash)
    yield Case("a stranger's hash", "initiator", foreign, "thumbprint")
    foreign = forge.offer(guest, owner, secret, modulus=stranger.modulus)
    yield Case("a stranger's modulus", "modulus", foreign, "thumbprint")
    yield Case("from the reader itself", "initiator", forge.offer(owner, owner, secret), "own")
    for name, data in _invites(trio, secret, right):
        yield Case(f"invite: {name}", "invite", data, "invite")
    ek = kem.generate()[0]
    label = handshake.offer_label(guest.hash, owner.hash, ek)
    for name, _, c in wrong_secrets(label, owner.modulus, stranger.modulus):
        yield Case(f"c: {name}", "c", forge.offer(guest, owner, secret, ek=ek, c=c), "rsa")
    for name, bad in bad_keys(ek):
        yield Case(f"ek: {name}", "ek", forge.offer(guest, owner, secret, ek=bad), "kem")


def _invites(trio: Trio, secret: bytes, right: bytes) -> Iterator[tuple[str, bytes]]:
    guest, owner, _ = trio
    yield "under another secret", forge.offer(guest, owner, link.make_secret())
    yield "its last bit flipped", flaws.flipped(right, -1)
    yield "missing", forge.offer(guest, owner, None)
    yield "under the psk of no secret", forge.offer(guest, owner, secret, psk=bytes(32))
    unsalted = primitives.hkdf(secret, b"", handshake.PSK_INFO, 32)
    yield "under a psk without its salt", forge.offer(guest, owner, secret, psk=unsalted)
    salted = primitives.hkdf(secret, guest.hash, handshake.PSK_INFO, 32)
    yield "under a psk with the initiator as its salt", forge.offer(guest, owner, secret, psk=salted)
    yield "under the secret itself", forge.offer(guest, owner, secret, psk=secret)


def _requested(trio: Trio, right: bytes) -> Iterator[Case]:
    with_invite = forge.offer(trio.guest, trio.owner, link.make_secret())
    yield Case("a request with an invite", "invite", with_invite, "invite")
    yield Case("a request with one bit of an invite", "invite", flaws.flipped(right, -32, 0x80), "invite")
    invited = forge.offer(trio.guest, trio.owner, None, psk=bytes(32))
    yield Case("a request with an invite under no secret", "invite", invited, "invite")


def _answered(trio: Trio, offer: handshake.Offer, s_i: bytes, secret: bytes, right: bytes) -> Iterator[Case]:
    def case(name: str, field: str, data: bytes) -> Case:
        return Case(name, field, data, "answer")

    yield from (case(name, "length", data) for name, data in _lengths(right))
    yield case("the offer", "length", offer.data)
    for version in (0, 2):
        yield case(f"version {version}", "version", forge.answer(offer, s_i, secret, version=version))
    for kind in (0, 1, 3):
        yield case(f"kind {kind}", "kind", forge.answer(offer, s_i, secret, kind=kind))
    yield case("another session", "session_id", forge.answer(offer, s_i, secret, session_id=bytes(32)))
    (ct, ss), ek = kem.encapsulate(offer.ek), kem.generate()[0]
    yield case(
        "a bit flipped, and c labelled for it",
        "ct",
        forge.answer(offer, s_i, secret, ct=flaws.flipped(ct, 9)),
    )
    for name, bad in bad_ciphertexts(ct):
        yield case(f"ct: {name}", "ct", forge.answer(offer, s_i, secret, ct=bad))
    for name, bad in bad_keys(ek):
        yield case(f"ek: {name}", "ek", forge.answer(offer, s_i, secret, ek=bad))
    label = handshake.answer_label(offer.session_id, ct, ek)
    for name, s, c in wrong_secrets(label, trio.guest.modulus, trio.stranger.modulus):
        bad = forge.answer(offer, s_i, secret, s=s, c=c, encapsulated=(ct, ss), ek=ek)
        yield case(f"c: {name}", "c", bad)
    yield case("a bit flipped", "confirm", flaws.flipped(right, -1))
    yield case("zeros", "confirm", forge.answer(offer, s_i, secret, confirm=bytes(32)))
    other = forge.answer(offer, s_i, secret, confirm_label=b"quarter/1 invite")
    yield case("another label", "confirm", other)
    yield case(
        "over another th", "confirm", forge.answer(offer, s_i, secret, th=primitives.sha256(offer.data))
    )
    yield case("keyed without the link's secret", "confirm", forge.answer(offer, s_i, None))
    yield case("keyed with another s_I", "confirm", forge.answer(offer, bytes(32), secret))
    for order in (("ss", "s", "s_i", "psk"), ("zeros", "s_i", "s", "psk"), ("ss", "s_i", "zeros", "psk")):
        data = forge.answer(offer, s_i, secret, order=order)
        yield case(f"keyed by {' '.join(order)}", "confirm", data)


def wrong_secrets(label: bytes, to: bytes, stranger: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """OAEP ciphertexts that must not open under a label to the key of a modulus: a name, s, and c.

    Whoever opens one all the same finds s, and the keys that follow from it are right.
    """
    s = forge.KNOWN_SECRET
    for length in (0, 31, 33):
        yield f"s of {length} bytes", bytes(length), primitives.oaep_seal(to, bytes(length), label)
    yield "to a stranger's key", s, primitives.oaep_seal(stranger, s, label)
    yield "no label", s, primitives.oaep_seal(to, s, b"")
    yield "a label cut short", s, primitives.oaep_seal(to, s, label[:-32])
    yield "a label with a bit flipped", s, primitives.oaep_seal(to, s, flaws.flipped(label, -1))
    yield "the label of another version", s, primitives.oaep_seal(to, s, label.replace(b"/1 ", b"/2 ", 1))
    yield "zeros", s, bytes(384)
    yield "a number above the modulus", s, b"\xff" * 384
    yield "the modulus", s, to


def bad_keys(ek: bytes) -> Iterator[tuple[str, bytes]]:
    """Encapsulation keys that X-Wing refuses; encodings.json has all the shares."""
    yield "a coefficient of q", flaws.with_coefficient(ek, flaws.Q)
    yield "a coefficient of 4095", flaws.with_coefficient(ek, 0xFFF)
    yield from bad_ciphertexts(ek)


def bad_ciphertexts(ct: bytes) -> Iterator[tuple[str, bytes]]:
    """Ciphertexts that X-Wing refuses."""
    for name in ("zero", "of order 8", "p"):
        yield f"a low-order share: {name}", flaws.with_share(ct, flaws.LOW_ORDER[name])


def _moduli(modulus: bytes) -> Iterator[tuple[str, bytes]]:
    yield "even", flaws.flipped(modulus, -1)
    yield "its top bit clear", flaws.flipped(modulus, 0, 0x80)
    yield "a byte shorter", b"\0" + modulus[1:]
    yield "zero", bytes(384)


def _lengths(right: bytes) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "a byte short", right[:-1]
    yield "a byte long", right + b"\0"


def _offer(case: Case, secret: bytes | None) -> Json:
    return {
        "name": case.name,
        "field": case.field,
        "secret": shapes.optional(secret),
        "bytes": case.data.hex(),
        "code": case.code,
    }


def _answer(case: Case, pending: Pending) -> Json:
    return {
        "name": case.name,
        "field": case.field,
        "pending": shapes.pending(pending),
        "bytes": case.data.hex(),
        "code": case.code,
    }
