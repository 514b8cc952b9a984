"""Offer and answer: both come to one state, and anything else to a refusal."""

import dataclasses
from collections.abc import Callable

import pytest

from reference import handshake, identity, kem, primitives
from reference.errors import ProtocolError
from reference.handshake import Offer
from reference.state import State
from reference.tests.people import SECRET, alice, bob, mallory, shake_hands
from reference.tests.refusal import refused
from reference.vectors import flaws, forge

BOTH = pytest.mark.parametrize("secret", [SECRET, None], ids=["by a link", "by a request"])


def answer(offer: bytes, secret: bytes | None) -> State:
    """What Bob's page does with an offer, once the link verified or a person has accepted."""
    return handshake.answer_offer(bob(), handshake.read_offer(bob(), offer), secret)[1]


@BOTH
def test_both_sides_hold_one_root(secret: bytes | None) -> None:
    shaken = shake_hands(secret)
    guest, owner = shaken.guest, shaken.owner
    assert (guest.root, guest.session_id) == (owner.root, owner.session_id)
    assert (guest.role, owner.role) == ("initiator", "responder")
    assert (guest.peer_modulus, owner.peer_modulus) == (bob().modulus, alice().modulus)
    assert (guest.turn.whose, guest.turn.epoch) == ("mine", 0)
    assert (owner.turn.whose, owner.turn.epoch) == ("theirs", 0)
    assert guest.turn.key == kem.ek_of(owner.turn.key)
    for state in (guest, owner):
        assert (state.sending, state.receiving, state.sent, state.taken, state.seen) == (None, None, 0, 0, 0)


@BOTH
def test_the_offer_and_the_answer_have_their_lengths(secret: bytes | None) -> None:
    shaken = shake_hands(secret)
    assert (len(shaken.offer), len(shaken.answer)) == (2082, 2786)
    assert shaken.pending.session_id == primitives.sha256(b"quarter/1 session" + shaken.offer)


def test_two_handshakes_share_nothing() -> None:
    one, other = shake_hands(), shake_hands()
    assert one.guest.session_id != other.guest.session_id
    assert one.guest.root != other.guest.root


def test_an_invite_verifies_under_its_own_secret_alone() -> None:
    offer = handshake.read_offer(bob(), shake_hands().offer)
    assert handshake.invite_verifies(offer, SECRET)
    assert not handshake.invite_verifies(offer, bytes(16))
    assert not offer.is_request


def test_a_request_verifies_under_no_secret() -> None:
    offer = handshake.read_offer(bob(), shake_hands(None).offer)
    assert not handshake.invite_verifies(offer, SECRET)
    assert offer.is_request


# --- making an offer ------------------------------------------------------------------------------


def test_nobody_offers_to_talk_to_themselves() -> None:
    with refused("own"):
        handshake.make_offer(alice(), alice().hash, alice().modulus, SECRET)


def test_an_offer_to_a_key_that_is_not_the_hashs_is_not_made() -> None:
    with refused("thumbprint"):
        handshake.make_offer(alice(), bob().hash, mallory().modulus, SECRET)


def test_an_offer_to_a_modulus_of_another_kind_is_not_made() -> None:
    even = flaws.flipped(bob().modulus, -1)
    with refused("modulus"):
        handshake.make_offer(alice(), identity.thumbprint(even), even, SECRET)


# --- reading and answering an offer ----------------------------------------------------------------


@BOTH
def test_every_changed_byte_of_an_offer_is_refused(secret: bytes | None) -> None:
    offer = shake_hands(secret).offer
    for at in range(len(offer)):
        with pytest.raises(ProtocolError):
            answer(flaws.flipped(offer, at), secret)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""])
def test_an_offer_of_another_length_is_refused(change: Callable[[bytes], bytes]) -> None:
    with refused("length"):
        answer(change(shake_hands().offer), SECRET)


EVEN = flaws.flipped(b"\x80" + bytes(382) + b"\x01", -1)
OFFERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "another version": ("version", lambda: forge.offer(alice(), bob(), SECRET, version=2)),
    "another kind": ("kind", lambda: forge.offer(alice(), bob(), SECRET, kind=2)),
    "another responder": ("responder", lambda: forge.offer(alice(), mallory(), SECRET)),
    "an even modulus": (
        "modulus",
        lambda: forge.offer(alice(), bob(), SECRET, modulus=EVEN, initiator_hash=identity.thumbprint(EVEN)),
    ),
    "another's hash": (
        "thumbprint",
        lambda: forge.offer(alice(), bob(), SECRET, initiator_hash=mallory().hash),
    ),
    "another's key": ("thumbprint", lambda: forge.offer(alice(), bob(), SECRET, modulus=mallory().modulus)),
    "one's own hash": ("own", lambda: forge.offer(bob(), bob(), SECRET)),
    "another secret": ("invite", lambda: forge.offer(alice(), bob(), bytes(16))),
    "no invite": ("invite", lambda: forge.offer(alice(), bob(), None)),
    "an invite under no secret": ("invite", lambda: forge.offer(alice(), bob(), SECRET, psk=bytes(32))),
    "another label": ("rsa", lambda: forge.offer(alice(), bob(), SECRET, label=b"quarter/1 offer")),
    "a key that others can open": ("rsa", lambda: forge.offer(alice(), bob(), SECRET, to=mallory().modulus)),
    "s of 31 bytes": ("rsa", lambda: forge.offer(alice(), bob(), SECRET, s=bytes(31))),
    "s of 33 bytes": ("rsa", lambda: forge.offer(alice(), bob(), SECRET, s=bytes(33))),
    "a coefficient of q": (
        "kem",
        lambda: forge.offer(alice(), bob(), SECRET, ek=flaws.with_coefficient(kem.generate()[0], flaws.Q)),
    ),
    "a share of zero": (
        "kem",
        lambda: forge.offer(alice(), bob(), SECRET, ek=flaws.with_share(kem.generate()[0], bytes(32))),
    ),
}


@pytest.mark.parametrize(("code", "make"), OFFERS.values(), ids=OFFERS)
def test_an_offer_with_one_wrong_field_is_refused_by_name(code: str, make: Callable[[], bytes]) -> None:
    with refused(code):
        answer(make(), SECRET)


def test_a_forged_offer_with_nothing_wrong_is_answered() -> None:
    assert answer(forge.offer(alice(), bob(), SECRET), SECRET).peer_modulus == alice().modulus


def test_a_request_is_not_accepted_for_what_has_an_invite() -> None:
    with refused("invite"):
        answer(shake_hands().offer, None)


FIELDS = ["length", "version", "kind", "responder", "modulus", "thumbprint", "own", "invite", "rsa", "kem"]


@pytest.mark.parametrize("first", range(len(FIELDS)))
def test_checks_run_in_the_order_of_section_5(first: int) -> None:
    """An offer in which this field and all behind it are wrong is refused for this one."""
    wrong = set(FIELDS[first:])
    bad_modulus, other = "modulus" in wrong, "thumbprint" in wrong
    ek = kem.generate()[0]
    modulus = EVEN if bad_modulus else bob().modulus if "own" in wrong else alice().modulus
    data = forge.offer(
        alice(),
        bob(),
        bytes(16) if "invite" in wrong else SECRET,
        version=2 if "version" in wrong else 1,
        kind=2 if "kind" in wrong else 1,
        responder_hash=mallory().hash if "responder" in wrong else None,
        initiator_hash=mallory().hash if other else identity.thumbprint(modulus),
        modulus=modulus,
        label=b"wrong" if "rsa" in wrong else None,
        ek=flaws.with_coefficient(ek, flaws.Q),
    )
    with refused(FIELDS[first]):
        answer(data + (b"\0" if "length" in wrong else b""), SECRET)


# --- accepting an answer ---------------------------------------------------------------------------


@BOTH
def test_every_changed_byte_of_an_answer_is_refused(secret: bytes | None) -> None:
    shaken = shake_hands(secret)
    for at in range(len(shaken.answer)):
        with refused("answer"):
            handshake.accept_answer(alice(), shaken.pending, flaws.flipped(shaken.answer, at))


ANSWERS: dict[str, Callable[[Offer, bytes], bytes]] = {
    "another version": lambda offer, s_i: forge.answer(offer, s_i, SECRET, version=0),
    "another kind": lambda offer, s_i: forge.answer(offer, s_i, SECRET, kind=1),
    "another session": lambda offer, s_i: forge.answer(offer, s_i, SECRET, session_id=bytes(32)),
    "another label": lambda offer, s_i: forge.answer(offer, s_i, SECRET, label=b"quarter/1 answer"),
    "a secret for others": lambda offer, s_i: forge.answer(offer, s_i, SECRET, to=mallory().modulus),
    "s of 31 bytes": lambda offer, s_i: forge.answer(offer, s_i, SECRET, s=bytes(31)),
    "s of 33 bytes": lambda offer, s_i: forge.answer(offer, s_i, SECRET, s=bytes(33)),
    "a ciphertext to another key": lambda offer, s_i: forge.answer(
        offer, s_i, SECRET, ct=kem.encapsulate(kem.generate()[0])[0]
    ),
    "a ciphertext of low order": lambda offer, s_i: forge.answer(offer, s_i, SECRET, ct=bytes(1120)),
    "a key of low order": lambda offer, s_i: forge.answer(
        offer, s_i, SECRET, ek=flaws.with_share(kem.generate()[0], bytes(32))
    ),
    "a key with a coefficient of q": lambda offer, s_i: forge.answer(
        offer, s_i, SECRET, ek=flaws.with_coefficient(kem.generate()[0], flaws.Q)
    ),
    "confirmed with zeros": lambda offer, s_i: forge.answer(offer, s_i, SECRET, confirm=bytes(32)),
    "confirmed by another label": lambda offer, s_i: forge.answer(
        offer, s_i, SECRET, confirm_label=b"quarter/1 invite"
    ),
    "keyed from nothing": lambda offer, s_i: forge.answer(offer, s_i, SECRET, order=("zeros",)),
    "of one who does not know the link": lambda offer, s_i: forge.answer(offer, s_i, None),
    "of one who can not open the offer": lambda offer, s_i: forge.answer(offer, bytes(32), SECRET),
}


@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_with_one_wrong_field_is_refused(make: Callable[[Offer, bytes], bytes]) -> None:
    shaken = shake_hands()
    offer = handshake.read_offer(bob(), shaken.offer)
    with refused("answer"):
        handshake.accept_answer(alice(), shaken.pending, make(offer, shaken.pending.s))
    right = forge.answer(offer, shaken.pending.s, SECRET)
    assert handshake.accept_answer(alice(), shaken.pending, right).role == "initiator"


def test_other_bytes_than_an_answer_to_this_offer_are_refused() -> None:
    shaken = shake_hands()
    for bad in (b"", shaken.answer[:-1], shaken.answer + b"\0", shaken.offer, shake_hands().answer):
        with refused("answer"):
            handshake.accept_answer(alice(), shaken.pending, bad)


def test_a_guest_with_another_identity_can_not_accept() -> None:
    shaken = shake_hands()
    with refused("answer"):
        handshake.accept_answer(mallory(), shaken.pending, shaken.answer)


@pytest.mark.parametrize("name", ["dk", "s", "secret"])
def test_every_secret_of_the_guest_is_needed(name: str) -> None:
    shaken = shake_hands()
    length = 16 if name == "secret" else 32
    pending = dataclasses.replace(shaken.pending, **{name: bytes(length)})
    with refused("answer"):
        handshake.accept_answer(alice(), pending, shaken.answer)


def test_the_same_coins_make_the_same_keys() -> None:
    """All randomness that is the protocol's own comes from `random`; OAEP's and the KEM's can't."""
    drawn: list[int] = []

    def counted(length: int) -> bytes:
        drawn.append(length)
        return bytes([len(drawn)]) * length

    offer, pending = handshake.make_offer(alice(), bob().hash, bob().modulus, SECRET, counted)
    assert (pending.dk, pending.s) == (b"\x01" * 32, b"\x02" * 32)
    _, owner = handshake.answer_offer(bob(), handshake.read_offer(bob(), offer), SECRET, counted)
    assert owner.turn.key == b"\x03" * 32
    assert drawn == [32, 32, 32, 32]
