"""The owner's side of a beginning: offers, by a link or as a request, and the hello that spends a link.

Whatever is wrong with an offer, nothing of it is answered, kept or shown (PROTOCOL §5). The exceptions are a
link that was used, and a person's own "no".
"""

from typing import TYPE_CHECKING

from reference import b64u, beginning, clock, handshake, link, links, taking, wire
from reference.clock import Moment
from reference.errors import ProtocolError
from reference.handshake import Offer
from reference.links import Link
from reference.notices import LinkTried, Request, RequestGone
from reference.talk import Talk

if TYPE_CHECKING:
    from reference.engine import Engine


class Door:
    """Links, requests, and offers that were answered and not yet greeted."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._requests: dict[str, Request] = {}
        self._links = {key: links.decode(data) for key, data in engine.store.read_all("link").items()}

    # --- links --------------------------------------------------------------------------------------

    def make_link(self, name: str) -> str:
        """A new link, as text."""
        key, made = links.make(name, clock.now())
        self._engine.store.commit([links.put(key, made)])
        self._links[key] = made
        return self._text(made)

    def open_links(self) -> list[str]:
        """The links that nobody has used yet, as text."""
        now = clock.now()
        return [self._text(each) for each in self._links.values() if each.is_live(now)]

    def withdraw(self, text: str) -> None:
        """Take a link back: nobody comes in by it any more."""
        for key in [key for key, each in self._links.items() if self._text(each) == text]:
            self._forget_link(key)

    def forget_old_links(self, now: Moment) -> None:
        """Forget those whose day is over."""
        for key in [key for key, each in self._links.items() if each.is_old(now)]:
            self._forget_link(key)

    def _forget_link(self, key: str) -> None:
        del self._links[key]
        self._engine.store.commit([links.delete(key)])
        for talk in self._not_greeted(key):
            self._engine.forget(talk.session)

    def _text(self, each: Link) -> str:
        return link.format_link(self._engine.origin, self._engine.identity.hash, each.secret)

    # --- offers -------------------------------------------------------------------------------------

    def take_offer(self, item: wire.Item) -> None:
        """An offer has come; one that was processed before never is again."""
        if item.session in self._engine.processed or item.session in self._requests:
            return
        try:
            offer = handshake.read_offer(self._engine.identity, item.body)
        except ProtocolError:
            self._leave_unread(item.session)
            return
        if b64u.encode(offer.session_id) != item.session:
            self._leave_unread(item.session)
            return
        if offer.is_request:
            self._ask_person(offer, item.session)
        else:
            self._take_invite(offer, item.session)

    def hear_end(self, session: str) -> None:
        """The server says that a session is over: perhaps it was a request."""
        if self._requests.pop(session, None):
            self._engine.notices.put(RequestGone(session))

    def _ask_person(self, offer: Offer, session: str) -> None:
        def accept() -> None:
            if self._requests.pop(session, None):
                self._answer(offer, None)

        def decline() -> None:
            if self._requests.pop(session, None):
                self._turn_away(session, "declined")

        request = self._requests[session] = Request(offer, accept, decline)
        self._engine.notices.put(request)

    def _take_invite(self, offer: Offer, session: str) -> None:
        verdict, key = links.judge(self._links, offer, clock.now())
        if verdict == "answer":
            self._answer(offer, key)
        elif verdict == "used" and key is not None:
            self._turn_away(session, "used")
            self._engine.notices.put(LinkTried(self._links[key].name))
        else:
            self._leave_unread(session)

    def _answer(self, offer: Offer, key: str | None) -> None:
        """Answer under the link of this key, or without one, by the person's consent."""
        engine, session = self._engine, b64u.encode(offer.session_id)
        info = engine.infos.get(session)
        if info is None:
            return  # over already
        engine.store.unlock(session, offer.session_id, info.half)
        used = self._links[key] if key else None
        secret, name = (used.secret, used.name) if used else (None, "")
        ttl_seconds = engine.limits.ttl_seconds
        try:
            step = beginning.answered(
                engine.identity, offer, secret, ttl_seconds, clock.now(), link=key, name=name
            )
        except ProtocolError:
            self._leave_unread(session)
            return
        if used and key:
            self._links[key] = links.answered(used, offer)
            step.writes.append(links.put(key, self._links[key]))
        engine.add(step)

    # --- hellos -------------------------------------------------------------------------------------

    def take_hello(self, talk: Talk, item: wire.Item) -> None:
        """The first valid hello under a link spends it; under a link that is no more, none is ever taken."""
        engine, key = self._engine, talk.state.head.link
        used = self._links.get(key) if key else None
        if key and not (used and used.is_live(clock.now())):
            self._turn_away(talk.session, "used" if used and used.spent else None)
            return
        step = taking.took(talk.state, item, engine.limits, clock.now())
        is_greeted = step.conversation.head.phase == "open"
        if key and used and is_greeted:
            self._links[key] = links.spent(used)
            step.writes.append(links.put(key, self._links[key]))
        engine.apply(talk, step)
        if key and is_greeted:
            for other in self._not_greeted(key):
                self._turn_away(other.session, "used")

    def _not_greeted(self, key: str) -> list[Talk]:
        """The others that were answered under a link."""
        talks = self._engine.talks.values()
        return [talk for talk in talks if talk.state.head.phase == "answered" and talk.state.head.link == key]

    def _leave_unread(self, session: str) -> None:
        """The server need keep no place for it; its sender hears nothing."""
        self._engine.say(session, wire.Decline(0, session, "unread"))

    def _turn_away(self, session: str, why: wire.DeclineWhy | None) -> None:
        self._engine.forget(session)
        if why is not None:
            self._engine.say(session, wire.Decline(0, session, why))
