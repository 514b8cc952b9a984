"""Offer and answer: how two people who share a link, or a hash, come to have a conversation (PROTOCOL §5).

    offer   version 1  kind 1  initiator 32  responder 32  n_I 384  ek_I 1216  c_R 384  invite 32   2082 bytes
    answer  version 1  kind 1  session id 32  c_I 384  ct 1120  ek_R 1216  confirm_R 32             2786 bytes

What the responder has to remember, which sessions it has processed and which secrets live, and whom it asks
for consent, is the client's: `read_offer` and `answer_offer` are the checks before and after that.
"""

import os
from dataclasses import dataclass, field
from typing import Final

from reference import identity as identities
from reference import kem, primitives
from reference.errors import ProtocolError
from reference.identity import Identity
from reference.primitives import KEY_BYTES, Random
from reference.state import OFFER_BYTES, Pending, State, Turn, session_id_of

VERSION: Final = 0x01
OFFER_KIND: Final = 0x01
ANSWER_KIND: Final = 0x02
ANSWER_BYTES: Final = 2786
INVITE_BYTES: Final = 32
CONFIRM_BYTES: Final = 32
NO_SECRET: Final = bytes(32)
"""Where a link has no secret, both psk and invite are these."""

OFFER_LABEL: Final = b"quarter/1 offer"
ANSWER_LABEL: Final = b"quarter/1 answer"
INVITE_LABEL: Final = b"quarter/1 invite"
CONFIRM_LABEL: Final = b"quarter/1 confirm"
PSK_INFO: Final = b"quarter/1 psk"
HANDSHAKE_INFO: Final = b"quarter/1 handshake"


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that was read: all of it is checked but invite, c and ek."""

    data: bytes = field(repr=False)
    initiator: bytes
    responder: bytes
    modulus: bytes = field(repr=False)
    ek: bytes = field(repr=False)
    c: bytes = field(repr=False)
    invite: bytes = field(repr=False)

    @property
    def session_id(self) -> bytes:
        """The id (32 bytes) of the session that it asks for."""
        return session_id_of(self.data)

    @property
    def is_request(self) -> bool:
        """Whether it says to have been made without a secret."""
        return self.invite == NO_SECRET


def make_offer(
    identity: Identity,
    responder_hash: bytes,
    responder_modulus: bytes,
    secret: bytes | None,
    random: Random = os.urandom,
) -> tuple[bytes, Pending]:
    """The initiator's offer (2082 bytes), and what it keeps until the answer.

    Raises ProtocolError `own` for its own hash; `modulus` and `thumbprint` for a key that is not the hash's.
    """
    if responder_hash == identity.hash:
        raise ProtocolError("own")
    identities.check_modulus(responder_modulus)
    if identities.thumbprint(responder_modulus) != responder_hash:
        raise ProtocolError("thumbprint")
    ek, dk = kem.generate(random)
    s = random(KEY_BYTES)
    c = primitives.oaep_seal(responder_modulus, s, offer_label(identity.hash, responder_hash, ek))
    head = bytes([VERSION, OFFER_KIND]) + identity.hash + responder_hash + identity.modulus + ek + c
    offer = head + make_invite(responder_hash, secret, head)
    return offer, Pending(offer, dk, s, secret, responder_modulus)


def read_offer(identity: Identity, data: bytes) -> Offer:
    """The responder's checks that need nothing but the offer and its own identity.

    In this order, as ProtocolErrors: `length`, `version`, `kind`, `responder`, `modulus`, `thumbprint`,
    `own`.
    """
    if len(data) != OFFER_BYTES:
        raise ProtocolError("length")
    _check_kind(data, OFFER_KIND)
    offer = Offer(
        data=data,
        initiator=data[2:34],
        responder=data[34:66],
        modulus=data[66:450],
        ek=data[450:1666],
        c=data[1666:2050],
        invite=data[2050:],
    )
    if offer.responder != identity.hash:
        raise ProtocolError("responder")
    identities.check_modulus(offer.modulus)
    if identities.thumbprint(offer.modulus) != offer.initiator:
        raise ProtocolError("thumbprint")
    if offer.initiator == identity.hash:
        raise ProtocolError("own")
    return offer


def invite_verifies(offer: Offer, secret: bytes) -> bool:
    """Whether the offer was made with this secret; compared in constant time."""
    psk = make_psk(offer.responder, secret)
    return primitives.hmac_verifies(psk, INVITE_LABEL + offer.data[:-INVITE_BYTES], offer.invite)


def answer_offer(
    identity: Identity, offer: Offer, secret: bytes | None, random: Random = os.urandom
) -> tuple[bytes, State]:
    """The responder's answer (2786 bytes), and its state before the hello.

    `secret` is that of the link which verified; None accepts a request, which a person has consented to.
    Raises ProtocolError `invite` for the other kind or another secret, then `rsa` and `kem`.
    """
    if not (offer.is_request if secret is None else invite_verifies(offer, secret)):
        raise ProtocolError("invite")
    s_i = identity.open(offer.c, offer_label(offer.initiator, offer.responder, offer.ek))
    ct, ss = kem.encapsulate(offer.ek)
    ek, dk = kem.generate(random)
    s_r = random(KEY_BYTES)
    c = primitives.oaep_seal(offer.modulus, s_r, answer_label(offer.session_id, ct, ek))
    head = bytes([VERSION, ANSWER_KIND]) + offer.session_id + c + ct + ek
    th = primitives.sha256(offer.data + head)
    root, confirm_key = handshake_keys(ss, s_i, s_r, make_psk(offer.responder, secret), th)
    answer = head + primitives.hmac_sha256(confirm_key, CONFIRM_LABEL + th)
    return answer, State("responder", offer.session_id, offer.modulus, root, Turn("theirs", 0, dk))


def accept_answer(identity: Identity, pending: Pending, answer: bytes) -> State:
    """The initiator's state before its hello, which it sends at once.

    Raises ProtocolError `answer` whatever is wrong: the attempt is over.
    """
    try:
        return _accept(identity, pending, answer)
    except ProtocolError:
        raise ProtocolError("answer") from None


def _accept(identity: Identity, pending: Pending, answer: bytes) -> State:
    if len(answer) != ANSWER_BYTES:
        raise ProtocolError("length")
    _check_kind(answer, ANSWER_KIND)
    session_id, c, ct, ek = answer[2:34], answer[34:418], answer[418:1538], answer[1538:2754]
    if session_id != pending.session_id:
        raise ProtocolError("answer")
    s_r = identity.open(c, answer_label(session_id, ct, ek))
    ss = kem.decapsulate(pending.dk, ct)
    th = primitives.sha256(pending.offer + answer[:-CONFIRM_BYTES])
    psk = make_psk(pending.offer[34:66], pending.secret)
    root, confirm_key = handshake_keys(ss, pending.s, s_r, psk, th)
    if not primitives.hmac_verifies(confirm_key, CONFIRM_LABEL + th, answer[-CONFIRM_BYTES:]):
        raise ProtocolError("answer")
    kem.encapsulate(ek)  # so that the hello can't fail
    return State("initiator", session_id, pending.peer_modulus, root, Turn("mine", 0, ek))


def make_psk(responder_hash: bytes, secret: bytes | None) -> bytes:
    """psk: 32 bytes of the link's secret, or zeros where there is none."""
    return NO_SECRET if secret is None else primitives.hkdf(secret, responder_hash, PSK_INFO, KEY_BYTES)


def make_invite(responder_hash: bytes, secret: bytes | None, head: bytes) -> bytes:
    """The invite (32 bytes) at the end of an offer, over all before it."""
    if secret is None:
        return NO_SECRET
    return primitives.hmac_sha256(make_psk(responder_hash, secret), INVITE_LABEL + head)


def offer_label(initiator: bytes, responder: bytes, ek: bytes) -> bytes:
    """The OAEP label of c_R."""
    return OFFER_LABEL + initiator + responder + primitives.sha256(ek)


def answer_label(session_id: bytes, ct: bytes, ek: bytes) -> bytes:
    """The OAEP label of c_I."""
    return ANSWER_LABEL + session_id + primitives.sha256(ct) + primitives.sha256(ek)


def handshake_keys(ss: bytes, s_i: bytes, s_r: bytes, psk: bytes, th: bytes) -> tuple[bytes, bytes]:
    """root and k_R, 32 bytes each."""
    keys = primitives.hkdf(ss + s_i + s_r + psk, th, HANDSHAKE_INFO, 2 * KEY_BYTES)
    return keys[:KEY_BYTES], keys[KEY_BYTES:]


def _check_kind(data: bytes, kind: int) -> None:
    if data[0] != VERSION:
        raise ProtocolError("version")
    if data[1] != kind:
        raise ProtocolError("kind")
