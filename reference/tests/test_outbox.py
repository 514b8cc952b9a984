"""Messages on their way."""

from reference import outbox
from reference.outbox import WINDOW, Outbox


def full(count: int) -> Outbox:
    return Outbox({n: bytes([n]) for n in range(count)})


def test_posts_go_out_in_order_and_a_few_at_a_time() -> None:
    after, posts = outbox.posted(full(40), 0.0)
    assert posts == list(range(WINDOW))
    assert outbox.posted(after, 0.0)[1] == []
    after, gone = outbox.stored(after, 1)
    assert gone == [0, 1]
    assert outbox.posted(after, 0.0)[1] == [WINDOW, WINDOW + 1]


def test_after_a_refusal_what_is_not_stored_is_posted_again_one_by_one_when_its_time_has_come() -> None:
    after, _ = outbox.posted(full(3), 0.0)
    after = outbox.refused(after, 1, 5.0)
    assert outbox.posted(after, 6.0)[1] == []  # 0 and 2 are not answered yet
    after, _ = outbox.stored(after, 0)
    after = outbox.refused(after, 2, 1.0)
    assert outbox.posted(after, 4.9)[1] == []
    after, posts = outbox.posted(after, 5.0)
    assert posts == [1]
    after, _ = outbox.stored(after, 1)
    assert outbox.posted(after, 5.0)[1] == [2]


def test_without_a_connection_all_is_in_doubt() -> None:
    after, _ = outbox.posted(full(2), 0.0)
    after = outbox.refused(after, 1, 1000.0)
    assert outbox.posted(outbox.offline(after), 0.0)[1] == [0, 1]


def test_what_is_stored_twice_is_gone_once() -> None:
    after, _ = outbox.stored(full(2), 0)
    assert outbox.stored(after, 0)[1] == []
    assert after.first == 1
    assert outbox.stored(after, 1)[0].first is None
