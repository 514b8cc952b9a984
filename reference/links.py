"""The owner's links, and what becomes of an offer under one (PROTOCOL §4, §5). No I/O.

A link lives until it is spent by a hello, withdrawn, or a day old. A spent one is remembered for the rest of
its day, so that whoever tries it again is told, and its owner too.
"""

import secrets
from collections.abc import Mapping
from typing import Literal

import msgspec

from reference import handshake, link
from reference.clock import DAY_SECONDS, Moment
from reference.handshake import Offer
from reference.store import Delete, Put

ANSWERS_MAX = 4

Verdict = Literal["answer", "used", "drop"]


class Link(msgspec.Struct, frozen=True):
    """One link: its secret (16 bytes), the owner's name for it, and whom it was answered to."""

    secret: bytes
    made_at: float
    name: str = ""
    spent: bool = False
    answered: tuple[str, ...] = ()

    def is_live(self, now: Moment) -> bool:
        """Whether a hello under it may be taken."""
        return not self.spent and not self.is_old(now)

    def is_old(self, now: Moment) -> bool:
        """Whether its day is over."""
        return now.wall >= self.made_at + DAY_SECONDS


def make(name: str, now: Moment) -> tuple[str, Link]:
    """A new link, under a random key that tells nothing of it."""
    return secrets.token_hex(8), Link(link.make_secret(), now.wall, name)


def judge(links: Mapping[str, Link], offer: Offer, now: Moment) -> tuple[Verdict, str | None]:
    """What becomes of an offer with an invite, and the key of the link that it was made with."""
    for key, each in links.items():
        if each.is_old(now) or not handshake.invite_verifies(offer, each.secret):
            continue
        if each.spent:
            return "used", key
        is_new = offer.initiator.hex() not in each.answered and len(each.answered) < ANSWERS_MAX
        return ("answer", key) if is_new else ("drop", key)
    return "drop", None


def answered(each: Link, offer: Offer) -> Link:
    """The link, after an offer under it was answered."""
    return msgspec.structs.replace(each, answered=(*each.answered, offer.initiator.hex()))


def spent(each: Link) -> Link:
    """The link, after a hello under it was taken."""
    return msgspec.structs.replace(each, spent=True)


def put(key: str, each: Link) -> Put:
    """Write a link down."""
    return Put("link", key, msgspec.msgpack.encode(each))


def delete(key: str) -> Delete:
    """Withdraw a link, or forget an old one."""
    return Delete("link", key)


def decode(data: bytes) -> Link:
    """The link that was written down."""
    return msgspec.msgpack.decode(data, type=Link)
