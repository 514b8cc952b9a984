"""Messages with one field wrong, and the verdict on each; contents that can't be sent. Right ones come first.

They come at three points of one conversation, of which each has the sender's state and the receiver's:

    hello   the owner waits for the guest's first message
    turn    the owner has sent two messages, and the guest's next one, n = 1, carries a step to epoch 3
    run     that message was taken, and the guest's next one, n = 2, is the second of epoch 3
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from reference import content, handshake, kem, link, message, ratchet
from reference.content import Ack, Hello, Name, Sendable, Text, Timer, Typing
from reference.identity import Identity
from reference.ratchet import Taken
from reference.state import MAX_UINT32, Chain, State, Turn
from reference.vectors import contents, flaws, forge, shapes
from reference.vectors.handshakes import Trio, bad_ciphertexts, bad_keys, wrong_secrets
from reference.vectors.shapes import Json

HI = Text(5, text="hi")


class Point(NamedTuple):
    """A point of the conversation: the guest's state, who sends, and the owner's, who takes."""

    guest: State
    owner: State


class Case(NamedTuple):
    """Bytes that a side takes, what is wrong with them, and the verdict."""

    name: str
    field: str
    taker: State
    data: bytes
    verdict: str
    code: str | None = None
    taken: Mapping[int, bytes] = {}
    content: Json = None


def messages(trio: Trio) -> list[Json]:
    """Messages, each to be taken by the side of its state."""
    hello, turn, run, last = _conversation(trio.guest, trio.owner)
    said = shapes.members(replace(HI, seen=2))
    cases = [
        Case("a hello", "", hello.owner, _from(hello, Hello(1)), "taken", content=shapes.members(Hello(1))),
        Case("a text in its chain", "", run.owner, _from(run, HI, 2), "taken", content=said),
        Case("a text with a step", "", turn.owner, _from(turn, HI, 2), "taken", content=said),
        *_dropped(trio, turn, run),
        *_numbered(run, last),
        *_epochs(hello, turn, run),
        *_steps(trio, turn),
        *_sealed_otherwise(turn, run),
        *_hellos(hello, run),
        *_seen(turn, run),
        *_unreadable(run),
    ]
    return [_json(case) for case in cases]


def sends(trio: Trio) -> list[Json]:
    """Contents that a side can't send at all, or not now."""
    hello, _, run, _ = _conversation(trio.guest, trio.owner)
    key = kem.generate()[0]
    cases: list[tuple[str, State, Sendable | Typing, str | None]] = [
        ("the hello", hello.guest, Hello(5), None),
        ("a text", run.guest, HI, None),
        ("a text of the initiator's before its hello", hello.guest, HI, "turn"),
        ("an ack of the initiator's before its hello", hello.guest, Ack(5), "turn"),
        ("a second hello", run.guest, Hello(5), "turn"),
        ("a hello of the responder's", run.owner, Hello(5), "turn"),
        ("a text of the responder's before the hello", hello.owner, HI, "turn"),
        ("an ack of the responder's before the hello", hello.owner, Ack(5), "turn"),
        ("a time below zero", run.guest, Text(-1, text="hi"), "content"),
        ("a time of 2^53", run.guest, Text(2**53, text="hi"), "content"),
        ("half of a surrogate pair", run.guest, Text(5, text="a\ud83d"), "content"),
        ("a text that begins with U+FEFF", run.guest, Text(5, text="\ufeffhi"), "content"),
        ("a reply to a third side", run.guest, Text(5, text="hi", reply=Name(2, 0)), "content"),
        ("a reply to a message below zero", run.guest, Text(5, text="hi", reply=Name(0, -1)), "content"),
        ("a timer below zero", run.guest, Timer(5, seconds=-1), "content"),
        ("a timer of 2^32", run.guest, Timer(5, seconds=2**32), "content"),
        ("a text of 16,385 bytes", run.guest, Text(5, text="x" * 16_385), "too-long"),
        ("a text of 8,193 characters of two bytes", run.guest, Text(5, text="é" * 8_193), "too-long"),
        ("the last number", replace(run.guest, sent=MAX_UINT32 - 1), HI, None),
        ("no number left", replace(run.guest, sent=MAX_UINT32), HI, "spent"),
        ("the last epoch", replace(run.guest, turn=Turn("mine", MAX_UINT32 - 1, key)), HI, None),
        ("no epoch left", replace(run.guest, turn=Turn("mine", MAX_UINT32, key)), HI, "spent"),
    ]
    return [
        {
            "name": name,
            "state": shapes.state(state),
            "content": shapes.members(said if isinstance(said, Typing) else replace(said, seen=state.taken)),
            "code": code,
        }
        for name, state, said, code in cases
    ]


# --- the conversation ----------------------------------------------------------------------------------


def _conversation(guest: Identity, owner: Identity) -> tuple[Point, Point, Point, bytes]:
    """The three points, and the message that was taken between the last two."""
    secret = link.make_secret()
    offer, pending = handshake.make_offer(guest, owner.hash, owner.modulus, secret)
    answer, waiting = handshake.answer_offer(owner, handshake.read_offer(owner, offer), secret)
    hello = Point(handshake.accept_answer(guest, pending, answer), waiting)
    guest_state, owner_state, _ = _say(hello.guest, owner, hello.owner, Hello(1))
    owner_state, guest_state, _ = _say(owner_state, guest, guest_state, Text(2, text="come in"))
    owner_state, guest_state, _ = _say(owner_state, guest, guest_state, Text(3, text="sit down"))
    turn = Point(guest_state, owner_state)
    guest_state, owner_state, data = _say(turn.guest, owner, turn.owner, Text(4, text="thank you"))
    return hello, turn, Point(guest_state, owner_state), data


def _say(sender: State, receiver: Identity, taker: State, said: Sendable) -> tuple[State, State, bytes]:
    """Both states after an honest message, and its bytes."""
    sealed = ratchet.seal(sender, said)
    verdict = ratchet.take(receiver, taker, sealed.data, lambda n: None)
    if not isinstance(verdict, Taken):
        raise TypeError(f"an honest message was not taken: {verdict}")
    return sealed.state, verdict.state, sealed.data


def _from(point: Point, said: Sendable, seen: int = 0) -> bytes:
    """The guest's next message with a content that says to have seen so much."""
    return forge.message(point.guest, content.write(replace(said, seen=seen)))


# --- what is wrong with them ---------------------------------------------------------------------------


def _dropped(trio: Trio, turn: Point, run: Point) -> Iterator[Case]:
    def case(name: str, field: str, data: bytes, point: Point = run) -> Case:
        return Case(name, field, point.owner, data, "drop")

    frame = content.write(replace(HI, seen=2))
    right, stepping = forge.message(run.guest, frame), forge.message(turn.guest, frame)
    for length in (0, 1, 59, 60, 60 + 16, 60 + 255 + 16):
        yield case(f"{length} bytes", "length", right[:length])
    for length in (2779, 2780, 2780 + 255 + 16):
        yield case(f"{length} bytes, with a step", "length", stepping[:length], turn)
    yield case("a body above 32 KiB", "length", right[:60] + bytes(32_768 + 17))
    for version in (0, 2):
        yield case(f"version {version}", "version", forge.message(run.guest, frame, version=version))
    for kind in (1, 2, 4):
        yield case(f"kind {kind}", "kind", forge.message(run.guest, frame, kind=kind))
    yield case("another session's id", "session_id", forge.message(run.guest, frame, session_id=bytes(32)))
    other = _conversation(trio.guest, trio.owner)[2]
    yield case("from another session", "session_id", forge.message(other.guest, frame))
    yield case("the reader's own sender byte", "sender", forge.message(run.guest, frame, sender_byte=1))
    yield case("sender byte 2", "sender", forge.message(run.guest, frame, sender_byte=2))
    own = forge.message(run.owner, content.write(replace(HI, seen=2)))
    yield case("reflected: the reader's own next message", "sender", own)
    for byte in (2, 0xFF):
        yield case(f"step byte {byte}", "step", forge.message(run.guest, frame, step_byte=byte))
    yield case("step byte 1 without a step", "step", forge.message(run.guest, frame, step_byte=1))


def _numbered(run: Point, last: bytes) -> Iterator[Case]:
    frame = content.write(replace(HI, seen=2))
    digest = message.digest(last)
    resent = Case("the message before, again", "n", run.owner, last, "resend", taken={1: digest})
    yield resent
    yield resent._replace(
        name="the message before, of which no record has a digest",
        verdict="broken",
        code="other-bytes",
        taken={},
    )
    for name, data in (
        ("its last byte changed", flaws.flipped(last, -1)),
        ("its salt changed", flaws.flipped(last, 43)),
        ("its epoch changed", flaws.flipped(last, 38)),
        ("another message under its n", forge.message(run.guest, frame, n=1)),
    ):
        yield resent._replace(
            name=f"the message before, {name}", data=data, verdict="broken", code="other-bytes"
        )
    beyond = forge.message(run.guest, frame, n=0)
    yield resent._replace(
        name="n = 0, of which no record has a digest", data=beyond, verdict="broken", code="other-bytes"
    )
    for n in (3, MAX_UINT32):
        yield Case(f"n = {n}", "n", run.owner, forge.message(run.guest, frame, n=n), "gap")


def _epochs(hello: Point, turn: Point, run: Point) -> Iterator[Case]:
    def case(name: str, point: Point, data: bytes) -> Case:
        return Case(name, "epoch", point.owner, data, "failed", "epoch")

    first, frame = content.write(Hello(1)), content.write(replace(HI, seen=2))
    yield case(
        "the hello without a step", hello, forge.message(hello.guest, first, chain=Chain(1, bytes(32)))
    )
    for epoch in (0, 2, 3, MAX_UINT32):
        step, chain = forge.make_step(hello.guest, epoch=epoch)
        yield case(
            f"the hello with a step to epoch {epoch}",
            hello,
            forge.message(hello.guest, first, step=step, chain=chain),
        )
    for epoch in (1, 2, 4, 5, MAX_UINT32):
        step, chain = forge.make_step(turn.guest, epoch=epoch)
        yield case(
            f"a step to epoch {epoch} for 3", turn, forge.message(turn.guest, frame, step=step, chain=chain)
        )
    if turn.guest.sending is None or run.guest.sending is None:
        raise TypeError("the guest has spoken")
    for epoch in (0, 2, 3):
        chain = Chain(epoch, turn.guest.sending.key)
        yield case(
            f"epoch {epoch} for 1, without a step", turn, forge.message(turn.guest, frame, chain=chain)
        )
    for epoch in (1, 2, 4, 5, MAX_UINT32):
        chain = Chain(epoch, run.guest.sending.key)
        yield case(f"epoch {epoch} for 3, without a step", run, forge.message(run.guest, frame, chain=chain))
    step, chain = forge.make_step(run.guest)
    yield case("a second step in one turn", run, forge.message(run.guest, frame, step=step, chain=chain))
    hidden = forge.message(turn.guest, frame, step_byte=0)
    yield case("a step behind the step byte 0", turn, hidden)


def _steps(trio: Trio, turn: Point) -> Iterator[Case]:
    frame = content.write(replace(HI, seen=2))

    def case(name: str, field: str, made: tuple[message.Step, Chain], code: str) -> Case:
        data = forge.message(turn.guest, frame, step=made[0], chain=made[1])
        return Case(name, field, turn.owner, data, "failed", code)

    sender = turn.guest
    (ct, ss), ek = kem.encapsulate(sender.turn.key), kem.generate()[0]
    changed = flaws.flipped(ct, 9)
    yield case("ct: a bit flipped, and c labelled for it", "ct", forge.make_step(sender, ct=changed), "aead")
    label = ratchet.step_label(sender.session_id, 3, ct, ek)
    for name, s, c in wrong_secrets(label, trio.owner.modulus, trio.stranger.modulus):
        made = forge.make_step(sender, s=s, c=c, encapsulated=(ct, ss), ek=ek)
        yield case(f"c: {name}", "c", made, "rsa")
    other = ratchet.step_label(sender.session_id, 5, ct, ek)
    made = forge.make_step(sender, encapsulated=(ct, ss), ek=ek, label=other)
    yield case("c: the label of another epoch", "c", made, "rsa")
    for name, bad in bad_ciphertexts(ct):
        yield case(f"ct: {name}", "ct", forge.make_step(sender, ct=bad), "kem")
    for name, bad in bad_keys(ek):
        yield case(f"ek: {name}", "ek", forge.make_step(sender, ek=bad), "kem")
    yield case("keyed from another root", "body", forge.make_step(sender, root=bytes(32)), "aead")
    info = ratchet.RATCHET_INFO + sender.session_id + (3).to_bytes(4)
    yield case("keyed without the step's hash", "body", forge.make_step(sender, info=info), "aead")


def _sealed_otherwise(turn: Point, run: Point) -> Iterator[Case]:
    frame = content.write(replace(HI, seen=2))
    right, stepping = forge.message(run.guest, frame), forge.message(turn.guest, frame)

    def case(name: str, field: str, data: bytes, point: Point = run, code: str = "aead") -> Case:
        return Case(name, field, point.owner, data, "failed", code)

    yield case("a bit of the salt flipped", "salt", flaws.flipped(right, 43))
    yield case("a bit of the body flipped", "body", flaws.flipped(right, 60))
    yield case("a bit of the tag flipped", "body", flaws.flipped(right, -1))
    yield case("a byte more", "body", right + b"\0")
    yield case("the body of another message", "body", right[:60] + stepping[2780:])
    yield case(
        "sealed under another info", "body", forge.message(run.guest, frame, info=b"quarter/1 volatile")
    )
    yield case("sealed under a nonce of zeros", "body", forge.message(run.guest, frame, nonce=bytes(12)))
    yield case("sealed without associated data", "body", forge.message(run.guest, frame, associated=b""))
    short = forge.message(turn.guest, frame, associated=stepping[:60])
    yield case("sealed for a header without its step", "body", short, turn)
    for field, at, code in (("ct", 60, "rsa"), ("ek", 1200, "rsa"), ("c", 2779, "rsa")):
        yield case(f"a bit of {field} flipped", field, flaws.flipped(stepping, at), turn, code)


def _hellos(hello: Point, run: Point) -> Iterator[Case]:
    def case(name: str, point: Point, data: bytes) -> Case:
        return Case(name, "content", point.owner, data, "broken", "hello")

    yield case("a text as the first message", hello, _from(hello, HI))
    yield case("an ack as the first message", hello, _from(hello, Ack(5)))
    name, frame = next(contents.defects())
    yield case(f"{name}, as the first message", hello, forge.message(hello.guest, frame))
    yield case("an unknown type as the first message", hello, forge.message(hello.guest, contents.unknown(0)))
    yield case("a second hello", run, _from(run, Hello(5), 2))
    greeting = forge.message(run.owner, content.write(Hello(5, 2)))
    yield Case("a hello of the responder's", "content", run.guest, greeting, "broken", "hello")


def _seen(turn: Point, run: Point) -> Iterator[Case]:
    def case(name: str, point: Point, data: bytes) -> Case:
        return Case(name, "seen", point.owner, data, "broken", "seen")

    yield case("more than was sent", turn, _from(turn, HI, 3))
    yield case("the greatest count", turn, _from(turn, HI, MAX_UINT32))
    yield case("fallen by one", run, _from(run, HI, 1))
    yield case("fallen to none", run, _from(run, Ack(5), 0))
    yield case("an unknown type's, more than was sent", run, forge.message(run.guest, contents.unknown(3)))
    said = shapes.members(replace(HI, seen=0))
    yield Case("still none", "", turn.owner, _from(turn, HI, 0), "taken", content=said)


def _unreadable(run: Point) -> Iterator[Case]:
    for name, frame in contents.defects():
        yield Case(name, "content", run.owner, forge.message(run.guest, frame), "taken")


def _json(case: Case) -> Json:
    judged: dict[str, Json] = {
        "name": case.name,
        "field": case.field,
        "state": shapes.state(case.taker),
        "taken": {str(n): digest.hex() for n, digest in case.taken.items()},
        "bytes": case.data.hex(),
        "verdict": case.verdict,
        "code": case.code,
    }
    return {**judged, "content": case.content} if case.verdict == "taken" else judged
