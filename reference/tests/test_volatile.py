"""The typing sign."""

from reference import content, primitives, volatile
from reference.content import Text, Typing
from reference.tests.people import shake_hands, talk
from reference.tests.refusal import refused
from reference.vectors.flaws import flipped

ON = Typing(True)


def test_a_sign_opens_before_the_next_message_and_never_after() -> None:
    both = talk()
    sign = volatile.seal(both.alice, 0, ON)
    assert volatile.take(both.bob, sign) == (0, ON)
    both.say("alice", Text(5, text="hi"))
    assert volatile.take(both.bob, sign) is None


def test_either_side_may_send_one_once_it_has_sent_a_message() -> None:
    both = talk()
    with refused("turn"):
        volatile.seal(both.bob, 0, ON)
    with refused("turn"):
        volatile.seal(shake_hands().guest, 0, ON)
    both.say("bob", Text(5, text="hi"))
    assert volatile.take(both.alice, volatile.seal(both.bob, 3, Typing(False))) == (3, Typing(False))


def test_the_chain_that_was_last_used_is_the_one_even_when_the_turn_is_over() -> None:
    both = talk()
    both.say("bob", Text(5, text="hi"))
    assert both.alice.turn.whose == "mine"
    assert volatile.take(both.bob, volatile.seal(both.alice, 0, ON)) == (0, ON)


def test_a_counter_that_opened_opens_no_more() -> None:
    both = talk()
    sign = volatile.seal(both.alice, 7, ON)
    assert volatile.take(both.bob, sign, above=6) == (7, ON)
    assert volatile.take(both.bob, sign, above=7) is None
    assert volatile.take(both.bob, sign, above=8) is None


def test_every_changed_byte_is_noticed() -> None:
    both = talk()
    sign = volatile.seal(both.alice, 7, ON)
    assert len(sign) == 59 + 256 + 16
    assert not any(volatile.take(both.bob, flipped(sign, at)) for at in range(len(sign)))


def test_other_lengths_senders_and_sessions_are_ignored() -> None:
    both, other = talk(), talk()
    sign = volatile.seal(both.alice, 0, ON)
    assert volatile.take(both.bob, sign[:-1]) is None
    assert volatile.take(both.bob, sign + b"\0") is None
    assert volatile.take(both.bob, b"") is None
    assert volatile.take(both.alice, sign) is None
    assert volatile.take(other.bob, sign) is None
    assert volatile.take(shake_hands().owner, sign) is None


def test_no_other_content_is_believed() -> None:
    both = talk()
    sending = both.alice.sending
    assert sending is not None
    header = volatile.seal(both.alice, 0, ON)[: volatile.HEADER_BYTES]
    frame = content.write(Text(5, text="hi"))
    sealed = primitives.seal(volatile.frame_key(sending), header[47:], frame, header)
    assert volatile.take(both.bob, header + sealed) is None


def test_a_counter_has_an_end() -> None:
    both = talk()
    assert volatile.take(both.bob, volatile.seal(both.alice, 2**32 - 1, ON)) == (2**32 - 1, ON)
    with refused("spent"):
        volatile.seal(both.alice, 2**32, ON)
