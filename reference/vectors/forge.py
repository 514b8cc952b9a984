"""Offers, answers and messages with one thing wrong, and all else as an honest sender makes it.

Whatever is not named is computed from what is: a wrong field is hashed, labelled, keyed and sealed as if
it were right, so that the receiver comes as far as the wrong field. Nothing here is used outside of vectors
and tests.
"""

from reference import handshake, kem, primitives, ratchet
from reference import message as messages
from reference.handshake import Offer
from reference.identity import Identity
from reference.message import Step
from reference.primitives import KEY_BYTES
from reference.state import Chain, State, Turn

KNOWN_SECRET = bytes(range(32))
"""s wherever a forger needs to know it and nothing says which it is."""


def offer(
    initiator: Identity,
    responder: Identity,
    secret: bytes | None,
    *,
    version: int = handshake.VERSION,
    kind: int = handshake.OFFER_KIND,
    initiator_hash: bytes | None = None,
    responder_hash: bytes | None = None,
    modulus: bytes | None = None,
    ek: bytes | None = None,
    to: bytes | None = None,
    s: bytes = KNOWN_SECRET,
    label: bytes | None = None,
    c: bytes | None = None,
    psk: bytes | None = None,
) -> bytes:
    """An offer; `to` is the modulus that c_R is sealed to. A `psk` makes an invite, whatever the secret."""
    initiator_hash = initiator_hash or initiator.hash
    responder_hash = responder_hash or responder.hash
    ek = ek or kem.generate()[0]
    label = label or handshake.offer_label(initiator_hash, responder_hash, ek)
    c = c or primitives.oaep_seal(to or responder.modulus, s, label)
    head = bytes([version, kind]) + initiator_hash + responder_hash + (modulus or initiator.modulus) + ek + c
    if psk is not None:
        return head + primitives.hmac_sha256(psk, handshake.INVITE_LABEL + head)
    return head + handshake.make_invite(responder_hash, secret, head)


def answer(
    offer: Offer,
    s_i: bytes,
    secret: bytes | None,
    *,
    version: int = handshake.VERSION,
    kind: int = handshake.ANSWER_KIND,
    session_id: bytes | None = None,
    to: bytes | None = None,
    s: bytes = KNOWN_SECRET,
    label: bytes | None = None,
    c: bytes | None = None,
    encapsulated: tuple[bytes, bytes] | None = None,
    ct: bytes | None = None,
    ek: bytes | None = None,
    th: bytes | None = None,
    order: tuple[str, ...] = ("ss", "s_i", "s", "psk"),
    confirm_label: bytes = handshake.CONFIRM_LABEL,
    confirm: bytes | None = None,
) -> bytes:
    """An answer to an offer whose s_I is known; `order` names the parts of ikm.

    `encapsulated` is an honest ct with its ss. A `ct` is sent in its place, and keyed as if it held that ss.
    """
    session_id = session_id or offer.session_id
    honest_ct, ss = encapsulated or kem.encapsulate(offer.ek)
    ct, ek = ct or honest_ct, ek or kem.generate()[0]
    label = label or handshake.answer_label(session_id, ct, ek)
    c = c or primitives.oaep_seal(to or offer.modulus, s, label)
    head = bytes([version, kind]) + session_id + c + ct + ek
    th = th or primitives.sha256(offer.data + head)
    parts = {
        "ss": ss,
        "s_i": s_i,
        "s": s,
        "psk": handshake.make_psk(offer.responder, secret),
        "zeros": bytes(32),
    }
    ikm = b"".join(parts[name] for name in order)
    key = primitives.hkdf(ikm, th, handshake.HANDSHAKE_INFO, 64)[KEY_BYTES:]
    return head + (confirm or primitives.hmac_sha256(key, confirm_label + th))


def message(
    sender: State,
    frame: bytes,
    *,
    version: int = messages.VERSION,
    kind: int = messages.KIND,
    session_id: bytes | None = None,
    sender_byte: int | None = None,
    n: int | None = None,
    step: Step | None = None,
    step_byte: int | None = None,
    chain: Chain | None = None,
    info: bytes = ratchet.MESSAGE_INFO,
    nonce: bytes | None = None,
    associated: bytes | None = None,
    body: bytes | None = None,
) -> bytes:
    """A message of a sender whose state is `sender`; where a step is due and none is given, an honest one.

    With a `step` goes the `chain` that it gives.
    """
    if step is None and chain is None and sender.turn.whose == "mine":
        step, chain = make_step(sender)
    chain = chain or sender.sending or Chain(0, bytes(KEY_BYTES))
    salt = bytes(messages.SALT_BYTES)
    step_byte = (1 if step else 0) if step_byte is None else step_byte
    header = (
        bytes([version, kind])
        + (session_id or sender.session_id)
        + bytes([sender.sender if sender_byte is None else sender_byte])
        + chain.epoch.to_bytes(4)
        + (sender.sent if n is None else n).to_bytes(4)
        + salt
        + bytes([step_byte])
        + (step.encode() if step else b"")
    )
    seed = primitives.hmac_sha256(chain.key, b"\x01")
    key = primitives.hkdf(seed, salt, info, 44)
    sealed = primitives.seal(key[:32], nonce or key[32:], frame, header if associated is None else associated)
    return header + (sealed if body is None else body)


def make_step(
    sender: State,
    *,
    epoch: int | None = None,
    encapsulated: tuple[bytes, bytes] | None = None,
    ct: bytes | None = None,
    ek: bytes | None = None,
    to: bytes | None = None,
    s: bytes = KNOWN_SECRET,
    label: bytes | None = None,
    c: bytes | None = None,
    root: bytes | None = None,
    info: bytes | None = None,
) -> tuple[Step, Chain]:
    """A step of a sender, and the chain that it gives; `encapsulated` and `ct` as in an answer."""
    turn = sender.turn if sender.turn.whose == "mine" else Turn("mine", sender.turn.epoch, kem.generate()[0])
    epoch = turn.epoch + 1 if epoch is None else epoch
    honest_ct, ss = encapsulated or kem.encapsulate(turn.key)
    ct, ek = ct or honest_ct, ek or kem.generate()[0]
    label = label or ratchet.step_label(sender.session_id, epoch, ct, ek)
    step = Step(ct, ek, c or primitives.oaep_seal(to or sender.peer_modulus, s, label))
    info = info or (
        ratchet.RATCHET_INFO + sender.session_id + epoch.to_bytes(4) + primitives.sha256(step.encode())
    )
    keys = primitives.hkdf(ss + s, root or sender.root, info, 64)
    return step, Chain(epoch, keys[32:])
