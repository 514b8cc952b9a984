"""Sealing and taking messages: each check of section 6, and that only what is taken changes a state."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reference import content, kem, message, ratchet
from reference.content import Ack, Bye, Hello, Name, Sendable, Text, Timer, Unknown, Unreadable
from reference.ratchet import Broken, Drop, Failed, Gap, Resend, Taken, Verdict
from reference.state import Chain, State, Turn
from reference.tests.people import alice, bob, mallory, none_taken, shake_hands, take, talk
from reference.tests.refusal import refused
from reference.vectors import flaws, forge

HI = Text(5, text="hi")


def frame(one: Sendable, seen: int = 0) -> bytes:
    """The frame of a content that says to have seen so much."""
    return content.write(replace(one, seen=seen))


def bob_takes(state: State, data: bytes) -> Verdict:
    """Bob's verdict, who has taken no message with a lower n."""
    return ratchet.take(bob(), state, data, none_taken)


# --- talking ---------------------------------------------------------------------------------------


def test_a_dialogue_opens_on_both_sides_with_everything_that_was_said() -> None:
    both = talk()
    dialogue: list[tuple[str, Sendable]] = [
        ("bob", Ack(2)),
        ("alice", Text(3, text="Grüße 👋", reply=Name(1, 0))),
        ("alice", Timer(4, seconds=600)),
        ("bob", Text(5, text="")),
        ("alice", HI),
        ("bob", Bye(6)),
    ]
    for sender, said in dialogue:
        sealed = both.say(sender, said)
        assert sealed.content == replace(said, seen=sealed.content.seen)
        assert ratchet.open_again(sealed.data, sealed.key) == sealed.content
    assert (both.alice.sent, both.alice.taken) == (both.bob.taken, both.bob.sent) == (4, 3)
    assert both.alice.root == both.bob.root


def test_the_turn_changes_when_the_other_side_answers_and_not_before() -> None:
    both = talk()
    epochs = []
    for sender in ("bob", "bob", "alice", "alice", "alice", "bob"):
        sealed = both.say(sender, HI)
        header = message.parse(sealed.data).header
        epochs.append((header.epoch, header.step is not None))
    assert epochs == [(2, True), (2, False), (3, True), (3, False), (3, False), (4, True)]


def test_messages_that_cross_are_taken() -> None:
    both = talk()
    from_bob = ratchet.seal(both.bob, HI)
    from_alice = ratchet.seal(both.alice, HI)
    both.bob = take(bob(), from_bob.state, from_alice.data).state
    both.alice = take(alice(), from_alice.state, from_bob.data).state
    assert both.say("alice", HI).content.seen == 1
    assert both.say("bob", HI).content.seen == 3


def test_seen_counts_what_was_taken_and_is_believed() -> None:
    both = talk()
    both.say("bob", HI)
    assert both.alice.seen == 1
    assert both.bob.seen == 0
    both.say("alice", Text(5, 99, text="a wrong seen is set right"))
    assert both.bob.seen == 1


def test_one_state_never_makes_one_key_twice() -> None:
    """A state that was restored from an older copy draws another salt."""
    both = talk()
    sealed = [ratchet.seal(both.alice, HI) for _ in range(5)]
    assert len({one.key for one in sealed}) == 5
    assert len({one.key[32:] for one in sealed}) == 5


def test_an_old_dk_opens_nothing_new() -> None:
    both = talk()
    before = both.alice
    both.say("bob", HI)
    both.say("alice", HI)
    sealed = ratchet.seal(both.bob, HI)
    assert isinstance(ratchet.take(alice(), replace(before, taken=1), sealed.data, none_taken), Failed)


# --- (1) what is dropped -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:59],
        lambda data: data[:60],
        lambda data: data[:-1],
        lambda data: data + bytes(32768),
        lambda data: flaws.flipped(data, 0),
        lambda data: flaws.flipped(data, 1),
        lambda data: flaws.flipped(data, 2),
        lambda data: flaws.flipped(data, 33),
        lambda data: flaws.flipped(data, 34),
        lambda data: flaws.flipped(data, 34, 2),
        lambda data: flaws.flipped(data, 59),
        lambda data: flaws.flipped(data, 59, 2),
    ],
)
def test_what_is_no_message_of_the_peers_here_is_dropped(change: Callable[[bytes], bytes]) -> None:
    both = talk()
    assert bob_takes(both.bob, change(ratchet.seal(both.alice, HI).data)) == Drop()


def test_a_message_that_comes_back_to_its_sender_is_dropped() -> None:
    both = talk()
    assert ratchet.take(alice(), both.alice, ratchet.seal(both.alice, HI).data, none_taken) == Drop()


def test_a_message_of_another_conversation_is_dropped() -> None:
    one, other = talk(), talk()
    assert bob_takes(one.bob, ratchet.seal(other.alice, HI).data) == Drop()


# --- (2), (3) n --------------------------------------------------------------------------------------


def test_the_same_bytes_again_are_a_resend_and_others_break() -> None:
    both = talk()
    first, second = ratchet.seal(both.alice, HI), ratchet.seal(both.alice, HI)
    taken = take(bob(), both.bob, first.data)

    def digest(n: int) -> bytes | None:
        return taken.digest if n == taken.n else None

    assert ratchet.take(bob(), taken.state, first.data, digest) == Resend(1)
    assert ratchet.take(bob(), taken.state, second.data, digest) == Broken("other-bytes")
    assert ratchet.take(bob(), taken.state, flaws.flipped(first.data, -1), digest) == Broken("other-bytes")
    assert bob_takes(taken.state, first.data) == Broken("other-bytes")


def test_a_message_too_early_names_the_one_that_is_missing() -> None:
    both = talk()
    first = ratchet.seal(both.alice, HI)
    second = ratchet.seal(first.state, HI)
    assert bob_takes(both.bob, second.data) == Gap(1)
    state = take(bob(), both.bob, first.data).state
    assert take(bob(), state, second.data).n == 2


# --- (4) what does not open ----------------------------------------------------------------------------


@pytest.mark.parametrize("turn", ["in its chain", "with a step"])
def test_every_changed_byte_is_noticed_and_changes_nothing(turn: str) -> None:
    both = talk()
    if turn == "with a step":
        both.say("bob", HI)
    sealed, before = ratchet.seal(both.alice, HI), both.bob.encode()
    for at in range(len(sealed.data)):
        verdict = bob_takes(both.bob, flaws.flipped(sealed.data, at, 1 << at % 8))
        assert isinstance(verdict, Drop | Gap | Failed | Broken), (at, verdict)
    assert both.bob.encode() == before
    assert isinstance(bob_takes(both.bob, sealed.data), Taken)


def test_a_body_cut_or_grown_does_not_open() -> None:
    both = talk()
    data = ratchet.seal(both.alice, Text(5, text="x" * 300)).data
    for bad in (data[:-1], data[:-16], data + b"\0", data + bytes(16)):
        assert bob_takes(both.bob, bad) == Failed("aead")


@pytest.mark.parametrize("epoch", [0, 2, 3, 2**32 - 1])
def test_a_message_of_another_epoch_without_a_step_fails(epoch: int) -> None:
    both = talk()
    assert both.alice.sending is not None
    chain = Chain(epoch, both.alice.sending.key)
    assert bob_takes(both.bob, forge.message(both.alice, frame(HI), chain=chain)) == Failed("epoch")


def test_a_first_message_without_a_step_fails() -> None:
    shaken = shake_hands()
    bad = forge.message(shaken.guest, frame(Hello(5)), chain=Chain(1, bytes(32)))
    assert bob_takes(shaken.owner, bad) == Failed("epoch")


def test_a_step_out_of_turn_fails() -> None:
    """Alice steps a second time before Bob has, with keys that she makes up."""
    both = talk()
    step, chain = forge.make_step(both.alice)
    assert bob_takes(both.bob, forge.message(both.alice, frame(HI), step=step, chain=chain)) == Failed(
        "epoch"
    )


@pytest.mark.parametrize("epoch", [0, 1, 2, 4, 5, 2**32 - 1])
def test_a_step_to_another_epoch_than_the_next_fails(epoch: int) -> None:
    both = talk()
    both.say("bob", HI)
    step, chain = forge.make_step(both.alice, epoch=epoch)
    assert bob_takes(both.bob, forge.message(both.alice, frame(HI), step=step, chain=chain)) == Failed(
        "epoch"
    )


STEPS: dict[str, tuple[str, Callable[[State], tuple[message.Step, Chain]]]] = {
    "a ciphertext to another key": (
        "aead",
        lambda state: forge.make_step(state, ct=kem.encapsulate(kem.generate()[0])[0]),
    ),
    "a ciphertext of low order": ("kem", lambda state: forge.make_step(state, ct=bytes(1120))),
    "a key of low order": (
        "kem",
        lambda state: forge.make_step(state, ek=flaws.with_share(kem.generate()[0], bytes(32))),
    ),
    "a key with a coefficient of q": (
        "kem",
        lambda state: forge.make_step(state, ek=flaws.with_coefficient(kem.generate()[0], flaws.Q)),
    ),
    "another label": ("rsa", lambda state: forge.make_step(state, label=b"quarter/1 step")),
    "a secret for others": ("rsa", lambda state: forge.make_step(state, to=mallory().modulus)),
    "a secret of zeros": ("rsa", lambda state: forge.make_step(state, c=bytes(384))),
    "s of 31 bytes": ("rsa", lambda state: forge.make_step(state, s=bytes(31))),
    "s of 33 bytes": ("rsa", lambda state: forge.make_step(state, s=bytes(33))),
    "another root": ("aead", lambda state: forge.make_step(state, root=bytes(32))),
    "another info": ("aead", lambda state: forge.make_step(state, info=b"quarter/1 ratchet")),
}


@pytest.mark.parametrize(("code", "make"), STEPS.values(), ids=STEPS)
def test_a_step_with_one_wrong_field_fails_by_name(
    code: str, make: Callable[[State], tuple[message.Step, Chain]]
) -> None:
    both = talk()
    both.say("bob", HI)
    step, chain = make(both.alice)
    verdict = bob_takes(both.bob, forge.message(both.alice, frame(HI), step=step, chain=chain))
    assert isinstance(verdict, Failed)
    assert verdict.code == code
    both.say("alice", HI)


@pytest.mark.parametrize("wrong", ["info", "nonce", "associated", "body"])
def test_a_message_sealed_otherwise_fails(wrong: str) -> None:
    both = talk()
    bad = forge.message(
        both.alice,
        frame(HI),
        info=b"quarter/1 volatile" if wrong == "info" else ratchet.MESSAGE_INFO,
        nonce=bytes(12) if wrong == "nonce" else None,
        associated=b"" if wrong == "associated" else None,
        body=bytes(272) if wrong == "body" else None,
    )
    assert bob_takes(both.bob, bad) == Failed("aead")
    assert isinstance(bob_takes(both.bob, forge.message(both.alice, frame(HI))), Taken)


def test_a_thief_of_the_keys_without_the_rsa_key_can_not_follow() -> None:
    """All of Bob's state is Mallory's, but not his identity: the next step does not open for her."""
    both = talk()
    both.say("bob", HI)
    stolen, sealed = both.bob, ratchet.seal(both.alice, HI)
    assert ratchet.take(mallory(), stolen, sealed.data, none_taken) == Failed("rsa")


# --- (5), (6) what it says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "framed", [bytes(256), b"\xff" * 256, frame(HI)[:-1] + b"\1", content.write(content.Typing(True))]
)
def test_a_content_that_can_not_be_read_is_taken_and_not_believed(framed: bytes) -> None:
    both = talk()
    both.say("bob", HI)
    verdict = bob_takes(both.bob, forge.message(both.alice, framed))
    assert isinstance(verdict, Taken)
    assert verdict.content == Unreadable()
    assert (verdict.state.taken, verdict.state.seen) == (2, 0)


@pytest.mark.parametrize("framed", [bytes(256), frame(HI), frame(Ack(5))])
def test_a_first_message_that_is_no_hello_breaks(framed: bytes) -> None:
    shaken = shake_hands()
    assert bob_takes(shaken.owner, forge.message(shaken.guest, framed)) == Broken("hello")
    assert isinstance(bob_takes(shaken.owner, forge.message(shaken.guest, frame(Hello(5)))), Taken)


def test_a_second_hello_breaks_from_either_side() -> None:
    both = talk()
    assert bob_takes(both.bob, forge.message(both.alice, frame(Hello(5)))) == Broken("hello")
    bad = forge.message(both.bob, frame(Hello(5)))
    assert ratchet.take(alice(), both.alice, bad, none_taken) == Broken("hello")


def test_a_seen_beyond_what_was_sent_breaks() -> None:
    both = talk()
    both.say("bob", HI)
    assert isinstance(bob_takes(both.bob, forge.message(both.alice, frame(HI, 1))), Taken)
    assert bob_takes(both.bob, forge.message(both.alice, frame(HI, 2))) == Broken("seen")


def test_a_seen_that_falls_breaks() -> None:
    both = talk()
    both.say("bob", HI)
    both.say("alice", HI)
    assert both.bob.seen == 1
    assert bob_takes(both.bob, forge.message(both.alice, frame(HI, 0))) == Broken("seen")


def test_a_seen_of_an_unknown_type_counts_too() -> None:
    both = talk()
    both.say("bob", HI)
    wave = frame(HI).replace(b"\xa4text", b"\xa4wave", 1)
    verdict = bob_takes(both.bob, forge.message(both.alice, wave))
    assert isinstance(verdict, Taken)
    assert verdict.content == Unknown(5, 0, t="wave")
    too_much = frame(HI, 9).replace(b"\xa4text", b"\xa4wave", 1)
    assert bob_takes(both.bob, forge.message(both.alice, too_much)) == Broken("seen")


# --- sending -------------------------------------------------------------------------------------------


def test_the_guest_says_hello_first_and_once() -> None:
    shaken = shake_hands()
    with refused("turn"):
        ratchet.seal(shaken.guest, HI)
    hello = ratchet.seal(shaken.guest, Hello(5))
    with refused("turn"):
        ratchet.seal(hello.state, Hello(5))
    assert ratchet.seal(hello.state, HI).n == 1


@pytest.mark.parametrize("said", [Hello(5), Ack(5), HI, Bye(5)])
def test_the_owner_waits_for_the_hello(said: Sendable) -> None:
    with refused("turn"):
        ratchet.seal(shake_hands().owner, said)


def test_the_owner_never_says_hello() -> None:
    with refused("turn"):
        ratchet.seal(talk().bob, Hello(5))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Text(5, text="x" * 16385), "too-long"),
        (Text(-5, text="x"), "content"),
        (Text(5, text="\ud800"), "content"),
    ],
)
def test_what_can_not_be_written_is_not_sent(said: Sendable, code: str) -> None:
    with refused(code):
        ratchet.seal(talk().alice, said)


def test_counters_end() -> None:
    both = talk()
    last = replace(both.alice, sent=2**32 - 2)
    assert ratchet.seal(last, HI).n == 2**32 - 2
    with refused("spent"):
        ratchet.seal(replace(both.alice, sent=2**32 - 1), HI)
    key = both.bob.turn.key
    assert ratchet.seal(replace(both.bob, turn=Turn("mine", 2**32 - 2, key)), HI).n == 0
    with refused("spent"):
        ratchet.seal(replace(both.bob, turn=Turn("mine", 2**32 - 1, key)), HI)


# --- reading again -------------------------------------------------------------------------------------


def test_a_record_opens_its_message_again_and_no_other() -> None:
    both = talk()
    first, second = both.say("alice", HI), both.say("alice", Text(6, text="again"))
    assert ratchet.open_again(first.data, first.key) == first.content
    for bad in (second.data, flaws.flipped(first.data, 50), flaws.flipped(first.data, -1)):
        with refused("aead"):
            ratchet.open_again(bad, first.key)
    with refused("length"):
        ratchet.open_again(first.data[:-1], first.key)
