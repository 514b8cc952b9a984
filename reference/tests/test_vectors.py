"""Every value of docs/vectors, worked out again from the given ones.

The formulas stand here as PROTOCOL writes them, on the standard library and bare RSA, AES-GCM and X-Wing;
then this implementation's own functions must come to the same, or to the same refusal.
"""

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reference import b64u, content, handshake, kem, link, padding, ratchet, safety, volatile
from reference import identity as identities
from reference.content import Typing, Unreadable
from reference.identity import Identity
from reference.ratchet import Broken, Drop, Failed, Gap, Resend, Taken, Verdict
from reference.state import Chain, State, Turn
from reference.tests import vector_files
from reference.tests.refusal import refused
from reference.tests.vector_files import Vector, unhex

TRANSCRIPTS = [
    pytest.param(file, at, id=f"{file.removesuffix('.json')}, {how}")
    for file in ("transcripts-reference.json", "transcripts-page.json")
    for at, how in enumerate(("by a link", "by a request"))
]
REFUSALS, ENCODINGS = vector_files.load("refusals.json"), vector_files.load("encodings.json")


def named(vectors: list[Vector], key: str = "name") -> pytest.MarkDecorator:
    """A test for each of the vectors."""
    return pytest.mark.parametrize("vector", [pytest.param(one, id=str(one[key])[:60]) for one in vectors])


# --- the formulas --------------------------------------------------------------------------------------


def h(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    extracted, block, output = mac(salt or bytes(32), ikm), b"", b""
    for count in range(1, -(-length // 32) + 1):
        block = mac(extracted, block + info + bytes([count]))
        output += block
    return output[:length]


def oaep_open(someone: Identity, ciphertext: bytes, label: bytes) -> bytes:
    scheme = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
    return someone.private_key.decrypt(ciphertext, scheme)


def u32(number: int) -> bytes:
    return number.to_bytes(4)


class Values:
    """The bytes of a vector, by their names."""

    def __init__(self, vector: Vector) -> None:
        self._vector = vector

    def __getattr__(self, name: str) -> bytes:
        return bytes.fromhex(self._vector[name])

    def must_be(self, **expected: bytes | str) -> None:
        """Each of these must stand there, and no other value."""
        for name, value in expected.items():
            found = self._vector[name]
            assert (bytes.fromhex(found) if isinstance(value, bytes) else found) == value, name


class Transcript:
    """A transcript, and the identities of the two."""

    def __init__(self, file: str, at: int) -> None:
        self.vector: Vector = vector_files.load(file)["transcripts"][at]
        people = self.vector["people"]
        self.guest = vector_files.identity(people["initiator"]["pkcs8"])
        self.owner = vector_files.identity(people["responder"]["pkcs8"])
        self.people = (self.guest, self.owner)
        self.secret = unhex(self.vector["link"]["secret"])
        self.offer, self.answer = Values(self.vector["offer"]), Values(self.vector["answer"])

    def __getitem__(self, name: str) -> Any:
        return self.vector[name]


@pytest.fixture
def transcript(file: str, at: int) -> Transcript:
    """The transcript that a test is for."""
    return Transcript(file, at)


all_transcripts = pytest.mark.parametrize(("file", "at"), TRANSCRIPTS)


# --- transcripts ---------------------------------------------------------------------------------------


@all_transcripts
def test_people_have_the_hashes_of_their_keys(transcript: Transcript) -> None:
    for role, someone in zip(("initiator", "responder"), transcript.people, strict=True):
        person = transcript["people"][role]
        modulus = someone.private_key.public_key().public_numbers().n.to_bytes(384)
        jwk = f'{{"e":"AQAB","kty":"RSA","n":"{b64u.encode(modulus)}"}}'
        Values(person).must_be(modulus=modulus, jwk=jwk, hash=h(jwk.encode()))
        assert person["hash_text"] == b64u.encode(someone.hash)
        assert someone.hash.hex() == person["hash"]


@all_transcripts
def test_the_link_names_its_owner(transcript: Transcript) -> None:
    given, owner = transcript["link"], transcript.owner
    psk = hkdf(transcript.secret, owner.hash, b"quarter/1 psk", 32) if transcript.secret else bytes(32)
    text = f"{given['origin']}/#{b64u.encode(owner.hash)}"
    text += f".{b64u.encode(transcript.secret)}" if transcript.secret else ""
    Values(given).must_be(text=text, psk=psk)
    assert link.parse_address(text) == link.Address(owner.hash, transcript.secret)
    assert handshake.make_psk(owner.hash, transcript.secret) == psk


@all_transcripts
def test_the_login_is_proved(transcript: Transcript) -> None:
    given, guest = transcript["login"], transcript.guest
    values, label = Values(given), b"quarter/1 login" + given["origin"].encode()
    r = oaep_open(guest, values.c, label)
    values.must_be(label=label, r=r, proof=mac(r, b"quarter/1 login proof" + guest.hash))
    assert identities.prove_login(guest, given["origin"], values.c) == values.proof


@all_transcripts
def test_the_offer_follows_from_its_secrets(transcript: Transcript) -> None:
    given, guest, owner = transcript.offer, transcript.guest, transcript.owner
    ek = kem.ek_of(given.ek_seed)
    label = b"quarter/1 offer" + guest.hash + owner.hash + h(ek)
    head = b"\x01\x01" + guest.hash + owner.hash + guest.modulus + ek + given.c
    psk = bytes.fromhex(transcript["link"]["psk"])
    invite = mac(psk, b"quarter/1 invite" + head) if transcript.secret else bytes(32)
    session_id = h(b"quarter/1 session" + head + invite)
    given.must_be(
        ek=ek,
        label=label,
        s=oaep_open(owner, given.c, label),
        head=head,
        invite=invite,
        bytes=head + invite,
        session_id=session_id,
        session_text=b64u.encode(session_id),
    )


@all_transcripts
def test_the_answer_follows_from_its_secrets(transcript: Transcript) -> None:
    given, offer = transcript.answer, transcript.offer
    ek = kem.ek_of(given.ek_seed)
    label = b"quarter/1 answer" + offer.session_id + h(given.ct) + h(ek)
    s, ss = oaep_open(transcript.guest, given.c, label), kem.decapsulate(offer.ek_seed, given.ct)
    head = b"\x01\x02" + offer.session_id + given.c + given.ct + ek
    th = h(offer.bytes + head)
    ikm = ss + offer.s + s + bytes.fromhex(transcript["link"]["psk"])
    keys = hkdf(ikm, th, b"quarter/1 handshake", 64)
    confirm = mac(keys[32:], b"quarter/1 confirm" + th)
    given.must_be(
        ek=ek, label=label, s=s, ss=ss, th=th, ikm=ikm, root=keys[:32], confirm_key=keys[32:], confirm=confirm
    )
    given.must_be(bytes=head + confirm)


@all_transcripts
def test_the_safety_number_follows_from_the_hashes(transcript: Transcript) -> None:
    _check_safety(transcript.guest.hash, transcript.owner.hash, transcript["safety"])


@all_transcripts
def test_each_message_follows_from_its_secrets(transcript: Transcript) -> None:
    roots, chains, sent = [transcript.answer.root], [b"", b""], [0, 0]
    session_id, ek_seed, epoch = transcript.offer.session_id, transcript.answer.ek_seed, 0
    for given in transcript["messages"]:
        sender, values, step = given["sender"], Values(given), b""
        if given["step"]:
            epoch += 1
            step, chains[sender] = _check_step(transcript, given, epoch, ek_seed, roots)
            ek_seed = bytes.fromhex(given["step"]["ek_seed"])
        seed = mac(chains[sender], b"\x01")
        keys = hkdf(seed, values.salt, b"quarter/1 message", 44)
        packed = msgspec.msgpack.encode(given["content"])
        frame = u32(len(packed)) + packed
        frame += bytes(_padme(max(256, len(frame))) - len(frame))
        numbers = bytes([sender]) + u32(given["epoch"]) + u32(sent[sender])
        header = b"\x01\x03" + session_id + numbers + values.salt + (b"\x01" + step if step else b"\x00")
        body = AESGCM(keys[:32]).encrypt(keys[32:], frame, header)
        values.must_be(chain_key=chains[sender], seed=seed, key=keys[:32], nonce=keys[32:])
        values.must_be(packed=packed, frame=frame, header=header, body=body, bytes=header + body)
        chains[sender] = mac(chains[sender], b"\x02")
        values.must_be(next_chain_key=chains[sender], digest=h(header + body))
        assert given["n"] == sent[sender]
        sent[sender] += 1


def _check_step(
    transcript: Transcript, given: Vector, epoch: int, old_seed: bytes, roots: list[bytes]
) -> tuple[bytes, bytes]:
    """The bytes of a step and the key of its chain; its root is added to the roots."""
    values, session_id = Values(given["step"]), transcript.offer.session_id
    ss, ek = kem.decapsulate(old_seed, values.ct), kem.ek_of(values.ek_seed)
    label = b"quarter/1 step" + session_id + u32(epoch) + h(values.ct + ek)
    s = oaep_open(transcript.people[1 - given["sender"]], values.c, label)
    step = values.ct + ek + values.c
    info = b"quarter/1 ratchet" + session_id + u32(epoch) + h(step)
    keys = hkdf(ss + s, roots[-1], info, 64)
    values.must_be(ss=ss, ek=ek, label=label, s=s, info=info, ikm=ss + s, root=keys[:32], chain_key=keys[32:])
    assert given["epoch"] == epoch
    assert given["sender"] == 1 - epoch % 2
    roots.append(keys[:32])
    return step, keys[32:]


@all_transcripts
def test_the_handshake_is_taken_by_this_implementation(transcript: Transcript) -> None:
    guest, owner = _after_handshake(transcript)
    assert guest.root == owner.root == transcript.answer.root
    offer = handshake.read_offer(transcript.owner, transcript.offer.bytes)
    _, answered = handshake.answer_offer(transcript.owner, offer, transcript.secret)
    assert answered.session_id == transcript.offer.session_id


@all_transcripts
def test_each_message_is_taken_by_this_implementation(transcript: Transcript) -> None:
    """The states of both sides are followed, so that each one's `before` must be what it came to."""
    states = list(_after_handshake(transcript))
    for given in transcript["messages"]:
        sender, receiver, values = given["sender"], 1 - given["sender"], Values(given)
        assert vector_files.state(given["before"]) == states[receiver]
        verdict = ratchet.take(transcript.people[receiver], states[receiver], values.bytes, lambda n: None)
        assert isinstance(verdict, Taken)
        assert vector_files.known(verdict.content) == given["content"]
        assert (verdict.n, verdict.digest) == (given["n"], values.digest)
        assert verdict.key == values.key + values.nonce
        assert verdict.state == vector_files.state(given["after"])
        assert ratchet.open_again(values.bytes, verdict.key) == verdict.content
        states[receiver], states[sender] = verdict.state, _sent(states[sender], given)


@all_transcripts
def test_each_sign_follows_and_is_taken(transcript: Transcript) -> None:
    for given in transcript["volatile"]:
        values, so_far = Values(given), transcript["messages"][: given["after"]]
        last = [one for one in so_far if one["sender"] == given["sender"]][-1]
        key = hkdf(Values(last).next_chain_key, b"", b"quarter/1 volatile", 32)
        numbers = bytes([given["sender"]]) + u32(given["epoch"]) + u32(given["n"]) + u32(given["counter"])
        header = b"\x01\x04" + transcript.offer.session_id + numbers + values.nonce
        body = AESGCM(key).encrypt(values.nonce, values.frame, header)
        values.must_be(key=key, header=header, bytes=header + body)
        assert (given["epoch"], given["n"]) == (last["epoch"], last["n"] + 1)
        taker = vector_files.state(last["after"])
        typing = Typing(given["on"])
        assert volatile.take(taker, values.bytes) == (given["counter"], typing)
        assert content.read_typing(values.frame) == typing


@all_transcripts
def test_a_transcript_is_worth_its_name(transcript: Transcript) -> None:
    messages = transcript["messages"]
    assert len(messages) >= 12
    assert len(transcript["volatile"]) >= 2
    assert max(given["epoch"] for given in messages) >= 6
    assert {"hello", "ack", "text", "timer"} <= {given["content"]["t"] for given in messages}
    assert any("reply" in given["content"] for given in messages)
    assert any(not given["content"].get("text", "").isascii() for given in messages)


def _after_handshake(transcript: Transcript) -> tuple[State, State]:
    """The state of each side when the answer was made and accepted."""
    offer, answer = transcript.offer, transcript.answer
    secret = transcript["link"]["secret"]
    kept = {**transcript["offer"], "offer": transcript["offer"]["bytes"], "secret": secret}
    pending = vector_files.pending(kept, transcript.owner.modulus)
    guest = handshake.accept_answer(transcript.guest, pending, answer.bytes)
    turn = Turn("theirs", 0, answer.ek_seed)
    return guest, State("responder", offer.session_id, transcript.guest.modulus, answer.root, turn)


def _sent(before: State, given: Vector) -> State:
    """The sender's state after a message."""
    values = Values(given)
    if given["step"]:
        step = Values(given["step"])
        before = replace(before, root=step.root, turn=Turn("theirs", given["epoch"], step.ek_seed))
    return replace(before, sending=Chain(given["epoch"], values.next_chain_key), sent=before.sent + 1)


# --- refusals ------------------------------------------------------------------------------------------


def _person(role: str) -> Identity:
    return vector_files.identity(REFUSALS["people"][role]["pkcs8"])


@named(REFUSALS["offers"])
def test_an_offer_is_answered_or_refused_by_its_code(vector: Vector) -> None:
    owner, data = _person("responder"), bytes.fromhex(vector["bytes"])

    def answer() -> State:
        offer = handshake.read_offer(owner, data)
        return handshake.answer_offer(owner, offer, unhex(vector["secret"]))[1]

    if vector["code"]:
        with refused(vector["code"]):
            answer()
    else:
        assert answer().session_id == h(b"quarter/1 session" + data)


@named(REFUSALS["answers"])
def test_an_answer_is_accepted_or_refused(vector: Vector) -> None:
    guest, data = _person("initiator"), bytes.fromhex(vector["bytes"])
    pending = vector_files.pending(vector["pending"], _person("responder").modulus)
    if vector["code"]:
        with refused(vector["code"]):
            handshake.accept_answer(guest, pending, data)
    else:
        assert handshake.accept_answer(guest, pending, data).turn == Turn("mine", 0, data[1538:2754])


VERDICTS: dict[str, type[Verdict]] = {
    "taken": Taken,
    "drop": Drop,
    "resend": Resend,
    "gap": Gap,
    "failed": Failed,
    "broken": Broken,
}


@named(REFUSALS["messages"])
def test_a_message_gets_its_verdict(vector: Vector) -> None:
    before, digests = vector_files.state(vector["state"]), vector["taken"]
    verdict = ratchet.take(
        _person(before.role), before, bytes.fromhex(vector["bytes"]), lambda n: unhex(digests.get(str(n)))
    )
    assert isinstance(verdict, VERDICTS[vector["verdict"]])
    assert getattr(verdict, "code", None) == vector["code"]
    if isinstance(verdict, Taken):
        assert vector_files.known(verdict.content) == vector["content"]
        assert verdict.state.taken == before.taken + 1
        if isinstance(verdict.content, Unreadable):
            assert verdict.state.seen == before.seen
    if isinstance(verdict, Gap):
        assert verdict.expected == before.taken


@named(REFUSALS["sends"])
def test_a_content_is_sent_or_refused_by_its_code(vector: Vector) -> None:
    before = vector_files.state(vector["state"])
    said = vector_files.content(vector["content"])
    if vector["code"]:
        with refused(vector["code"]):
            ratchet.seal(before, said)
    else:
        assert ratchet.seal(before, said).content == said


def test_every_refusal_of_the_protocol_has_a_vector() -> None:
    """All of section 11's, in the file that is for it."""
    verdicts = {(vector["verdict"], vector["code"]) for vector in REFUSALS["messages"]}
    offers = {
        "length",
        "version",
        "kind",
        "responder",
        "modulus",
        "thumbprint",
        "own",
        "invite",
        "rsa",
        "kem",
    }
    assert _codes(REFUSALS, "offers") == {None, *offers}
    assert _codes(REFUSALS, "answers") == {None, "answer"}
    assert _codes(REFUSALS, "sends") == {None, "turn", "content", "too-long", "spent"}
    assert _codes(ENCODINGS, "keys") == {None, "jwk", "base64url", "modulus"}
    assert _codes(ENCODINGS, "b64u") == {None, "base64url"}
    assert _codes(ENCODINGS, "addresses") == {None, "address"}
    assert _codes(ENCODINGS, "texts") == {None, "content", "too-long"}
    assert _codes(ENCODINGS, "kem") == {None, "kem"}
    failed = {("failed", code) for code in ("epoch", "rsa", "kem", "aead")}
    broken = {("broken", code) for code in ("other-bytes", "hello", "seen")}
    assert verdicts == {(kind, None) for kind in ("taken", "drop", "resend", "gap")} | failed | broken


def _codes(file: Vector, kind: str) -> set[str | None]:
    return {vector["code"] for vector in file[kind]}


# --- encodings -----------------------------------------------------------------------------------------


@named(ENCODINGS["thumbprints"], "hash_text")
def test_a_thumbprint_is_that_of_its_key(vector: Vector) -> None:
    modulus = bytes.fromhex(vector["modulus"])
    jwk, hash = identities.canonical_jwk(modulus), identities.thumbprint(modulus)
    Values(vector).must_be(jwk=jwk, hash=h(jwk.encode()), hash_text=b64u.encode(hash))


@named(ENCODINGS["keys"])
def test_a_key_is_read_or_refused_by_its_code(vector: Vector) -> None:
    if vector["code"]:
        with refused(vector["code"]):
            identities.modulus_from_jwk(vector["jwk"])
    else:
        assert b64u.encode(identities.modulus_from_jwk(vector["jwk"])) == vector["jwk"]["n"]


@named(ENCODINGS["b64u"], "text")
def test_a_spelling_is_read_or_refused(vector: Vector) -> None:
    if vector["code"]:
        with refused(vector["code"]):
            b64u.decode(vector["text"])
    else:
        assert b64u.decode(vector["text"]) == bytes.fromhex(vector["bytes"])


@named(ENCODINGS["addresses"], "text")
def test_an_address_is_read_or_refused(vector: Vector) -> None:
    if vector["code"]:
        with refused(vector["code"]):
            link.parse_address(vector["text"])
    else:
        expected = link.Address(bytes.fromhex(vector["hash"]), unhex(vector["secret"]))
        assert link.parse_address(vector["text"]) == expected


@named(ENCODINGS["padme"], "length")
def test_a_length_is_padded(vector: Vector) -> None:
    assert padding.padme(vector["length"]) == _padme(vector["length"]) == vector["padded"]


@named(ENCODINGS["contents"])
def test_a_content_is_read_or_unreadable(vector: Vector) -> None:
    assert vector_files.known(content.read(bytes.fromhex(vector["frame"]))) == vector["content"]


@named(ENCODINGS["texts"])
def test_a_text_is_written_or_refused_by_its_code(vector: Vector) -> None:
    said = vector_files.content(vector["content"])
    if vector["code"]:
        with refused(vector["code"]):
            content.write(said)
    else:
        assert content.write(said).hex() == vector["frame"]


@named(ENCODINGS["typing"])
def test_a_sign_is_read_or_ignored(vector: Vector) -> None:
    typing = content.read_typing(bytes.fromhex(vector["frame"]))
    assert (typing and typing.on) == vector["on"]
    assert (typing is None) == (vector["on"] is None)


@named(ENCODINGS["kem"])
def test_a_key_or_ciphertext_of_x_wing_is_taken_or_refused(vector: Vector) -> None:
    """Without a seed the key is one to encapsulate to; else the ciphertext is to be opened with it."""
    seed, ek, ct = (unhex(vector[name]) for name in ("seed", "ek", "ct"))
    assert ek is not None

    def use() -> bytes | None:
        if seed is None or ct is None:
            kem.encapsulate(ek)
            return None
        assert kem.ek_of(seed) == ek
        return kem.decapsulate(seed, ct)

    if vector["code"]:
        with refused(vector["code"]):
            use()
    else:
        assert use() == unhex(vector["ss"])


@named(ENCODINGS["safety"], "code")
def test_a_safety_number_follows_from_its_hashes(vector: Vector) -> None:
    _check_safety(bytes.fromhex(vector["a"]), bytes.fromhex(vector["b"]), vector)


def _check_safety(a: bytes, b: bytes, given: Vector) -> None:
    pair = min(a, b) + max(a, b)
    x = h(b"quarter/1 safety" + pair)
    for _ in range(5199):
        x = h(x + pair)
    digits = hkdf(x, b"", b"quarter/1 safety digits", 60)
    groups = [f"{int.from_bytes(digits[at : at + 5]) % 100_000:05d}" for at in range(0, 60, 5)]
    assert given["groups"] == groups == list(safety.groups(a, b))
    assert given["code"] == "quarter/1 safety " + "".join(groups) == safety.code(safety.groups(a, b))


def _padme(length: int) -> int:
    exponent = length.bit_length() - 1
    unit = 1 << exponent - (exponent.bit_length() - 1) - 1
    return (length + unit - 1) // unit * unit
