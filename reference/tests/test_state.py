"""States in a store: what comes back, and what is refused."""

import dataclasses

import msgspec
import pytest

from reference.state import Chain, Pending, State, Turn
from reference.tests.people import shake_hands, talk


def test_states_come_back_at_any_point() -> None:
    shaken, open_talk = shake_hands(), talk()
    for state in (shaken.guest, shaken.owner, open_talk.alice, open_talk.bob):
        assert State.decode(state.encode()) == state
    for pending in (shaken.pending, shake_hands(None).pending):
        assert Pending.decode(pending.encode()) == pending


def _changes(members: dict[str, object]) -> list[dict[str, object]]:
    """Each member left out, and with a value of no type that it could have; and one member more."""
    without = [{k: v for k, v in members.items() if k != name} for name in members]
    mistyped = [{**members, name: -1.5} for name in members]
    return [*without, *mistyped, {**members, "more": 0}]


def test_anything_else_is_refused() -> None:
    state = talk().bob
    members = msgspec.msgpack.decode(state.encode())
    turned = [{**members, "turn": turn} for turn in _changes(members["turn"])]
    chained = [{**members, "receiving": chain} for chain in _changes(members["receiving"])]
    for bad in (*_changes(members), *turned, *chained):
        with pytest.raises(ValueError, match=r"."):
            State.decode(msgspec.msgpack.encode(bad))
    for junk in (b"", b"\xc0", state.encode()[:-1], state.encode() + b"\0", shake_hands().pending.encode()):
        with pytest.raises(ValueError, match=r"."):
            State.decode(junk)


def test_a_pending_offer_of_another_shape_is_refused() -> None:
    pending = shake_hands().pending
    for bad in _changes(msgspec.msgpack.decode(pending.encode())):
        with pytest.raises(ValueError, match=r"."):
            Pending.decode(msgspec.msgpack.encode(bad))


def test_lengths_and_ranges_are_checked() -> None:
    state = talk().bob
    for bad in (
        dataclasses.replace(state, root=bytes(31)),
        dataclasses.replace(state, session_id=bytes(33)),
        dataclasses.replace(state, peer_modulus=bytes(383)),
        dataclasses.replace(state, receiving=Chain(1, bytes(31))),
        dataclasses.replace(state, receiving=Chain(2**32, bytes(32))),
        dataclasses.replace(state, sent=-1),
        dataclasses.replace(state, taken=2**32),
    ):
        with pytest.raises(ValueError, match=r"."):
            State.decode(bad.encode())
    with pytest.raises(ValueError, match="length"):
        Turn("mine", 0, bytes(32))
    with pytest.raises(ValueError, match="length"):
        Turn("theirs", 0, bytes(1216))


def test_nothing_secret_is_printed() -> None:
    shaken, state = shake_hands(), talk().bob
    for secret in (state.root, state.turn.key, shaken.pending.dk, shaken.pending.s, shaken.pending.secret):
        assert repr(secret) not in repr(state) + repr(shaken.pending)
    assert "key=" not in repr(state)
