"""Chatting in a terminal: what is shown, and what the commands do.

Nothing that came from elsewhere is printed before `plain` has made it safe.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from reference import plain, trouble, wire
from reference.client import Client
from reference.conversation import Changed, Ended, Event, Held, Opened, Received, Restored, TimerSet
from reference.notices import EndedAway, LinkTried, Online, Request, RequestGone, Told
from reference.screen import Screen
from reference.stream import Stream
from reference.talk import Talk
from reference.transcript import Message

HELP = """\
  /safety          the safety number, to compare with theirs over another channel
  /verified        you have compared it, and it is the same
  /keep [seconds]  let the conversation live on, perhaps for another time after each message
  /leave           end this conversation for both, and delete it
  /erase           erase everything: identity, conversations, messages, here and on the server
  /accept, /decline  answer who asks to talk without your link
  /to [name]       talk to another one, where there are several
  /help            this text
  //text           say a line that begins with a slash"""
INDENT = " " * 6
SETTLE_SECONDS = 5.0
WHY_HELD = {"full": "The server has no more room for this now. It is tried again."}


class Terminal:
    """One client on one screen. `run` returns the exit code when all is over."""

    def __init__(self, client: Client, screen: Screen, waits_for_guests: bool) -> None:
        self._client = client
        self._screen = screen
        self._waits_for_guests = waits_for_guests
        self._talks: list[Talk] = []
        self._followed: set[str] = set()
        self._orders: Stream[str] = Stream()
        self._requests: list[Request] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._changed = asyncio.Event()
        self._was_online = True
        self._means_erase = False
        self._exit_code = 0

    async def run(self) -> int:
        """Until the last conversation is over, the input ends, or `stop` is called."""
        for talk in self._client.talks():
            if talk.state.head.phase != "answered":  # nobody has come yet
                self.follow(talk)
        for work in (self._hear(), self._type(), self._work()):
            self._start(work)
        try:
            return await self._finished
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self, code: int = 0) -> None:
        """Go away."""
        if not self._finished.done():
            self._finished.set_result(code)

    def follow(self, talk: Talk) -> None:
        """Show what happens in a conversation, from its beginning."""
        if talk.session not in self._followed:
            self._followed.add(talk.session)
            self._talks.append(talk)
            self._start(self._watch(talk))

    # --- what happens -------------------------------------------------------------------------------

    async def _hear(self) -> None:
        async for notice in self._client.notices():
            self._show_notice(notice)

    def _show_notice(self, notice: Told | Talk) -> None:
        match notice:
            case Talk():
                self.follow(notice)
            case Online(on) if on != self._was_online:
                self._was_online = on
                self._say(
                    "Connected again." if on else "No connection. What you write is kept, and sent later."
                )
            case LinkTried(name):
                whose = f" for {plain.line(name)}" if name else ""
                self._say(f"Somebody tried your link{whose} again. It is used up, so they were turned away.")
            case Request():
                self._requests.append(notice)
                self._say(
                    f"Somebody who gives the code {notice.peer} asks to talk, without your link."
                    " Nothing shows who they are. /accept or /decline"
                )
            case RequestGone(session):
                self._requests = [each for each in self._requests if each.session != session]
                self._say("A request is gone: they have given up, or its time is over.")
            case EndedAway(session, over) if session not in self._followed:
                self._say("A conversation has ended while you were away.")
                self._exit_code = over.exit_code
            case _:
                pass

    async def _watch(self, talk: Talk) -> None:
        async for event in talk.events():
            self._show_event(talk, event)
            if isinstance(event, Ended):
                self._exit_code = event.over.exit_code
        self._talks.remove(talk)
        self._changed.set()
        if not self._talks and not (self._waits_for_guests and self._client.open_links()):
            self.stop(self._exit_code)

    def _show_event(self, talk: Talk, event: Event) -> None:
        match event:
            case Opened():
                self._changed.set()
                self._say(_greeting(talk))
            case Restored(messages) if talk.state.head.phase == "open":
                self._changed.set()
                self._say(f"Here again, with {plain.line(talk.name)}:")
                for message in messages:
                    self._show_message(talk, message)
            case Received(message):
                self._show_message(talk, message)
            case Changed(status, numbers) if (last := _last_own(talk)) and last.n in numbers:
                if talk.status(last) == status:  # and no better meanwhile
                    self._screen.show(f"{INDENT}✓ {status}")
            case TimerSet(seconds, mine):
                who = "You let" if mine else f"{plain.line(talk.name)} lets"
                self._say(f"{who} this live {span(seconds)} after each message.")
            case Held(code):
                self._say(WHY_HELD.get(code, "The server asks to wait a little. It is tried again."))
            case Ended(over, undelivered):
                self._show_end(talk, over, undelivered)
            case _:
                pass

    def _show_message(self, talk: Talk, message: Message) -> None:
        who = "you" if message.mine else plain.line(talk.name)
        self._screen.show(f"{_clock(message.at)} {who}: {_body(message)}")

    def _show_end(self, talk: Talk, over: trouble.Over, undelivered: tuple[Message, ...]) -> None:
        self._say(str(over))
        if undelivered:
            self._say(f"Not delivered, as far as {plain.line(talk.name)} has said:")
            for message in undelivered:
                self._show_message(talk, message)

    def _say(self, text: str) -> None:
        self._screen.show(f"— {text}")

    # --- what is typed ------------------------------------------------------------------------------

    async def _type(self) -> None:
        """Answers to requests are given at once; all else waits for its turn, and in a pipe for somebody."""
        async for line in self._screen.lines():
            if action := URGENT.get(line.strip()):
                action(self)
            elif line.strip():
                self._orders.put(line)
        self._orders.end()

    async def _work(self) -> None:
        async for line in self._orders:
            try:
                await self._obey(line)
            except trouble.Over:
                self._say("It is over; this was not done.")
        if not self._screen.is_terminal:
            await self._settle()
        self.stop(self._exit_code)

    async def _settle(self) -> None:
        """A pipe has ended: what it said is on its way, and should arrive before we go."""
        talk = await self._until_open()
        if talk is not None:
            with contextlib.suppress(TimeoutError, trouble.Trouble):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await talk.wait(lambda: not talk.state.outbox.waiting)

    async def _obey(self, line: str) -> None:
        command, _, rest = line.strip().partition(" ")
        if not line.startswith("/") or line.startswith("//"):
            await self._speak(line[1:] if line.startswith("//") else line)
        elif action := self._commands().get(command):
            await action(rest.strip())
        else:
            self._say(
                f"{plain.line(command)} is no command. /help shows them; //{plain.line(command[1:])} says it."
            )

    def _commands(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return {
            "/safety": self._safety,
            "/verified": self._verified,
            "/keep": self._keep,
            "/leave": self._leave,
            "/erase": self._erase,
            "/to": self._to,
        }

    async def _until_open(self) -> Talk | None:
        """The conversation that is talked in, when there is one; a pipe waits for it."""
        while not (self._talks and self._talks[-1].is_open):
            if self._screen.is_terminal:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._talks[-1]

    async def _speak(self, line: str) -> None:
        talk = await self._until_open()
        if talk is None:
            self._say("Nobody is here yet. This was not sent.")
            return
        try:
            message = await talk.say(line)
        except ValueError as error:
            self._say(f"{error} It was not sent.")
        else:
            if not self._screen.is_terminal:
                self._show_message(talk, message)

    async def _safety(self, rest: str) -> None:
        if talk := await self._until_open():
            groups = talk.safety_number()
            rows = (" ".join(groups[start : start + 4]) for start in range(0, len(groups), 4))
            self._say(
                f"Safety number with {plain.line(talk.name)} ({'' if talk.is_verified else 'un'}verified):"
            )
            for row in rows:
                self._screen.show(INDENT + row)

    async def _verified(self, rest: str) -> None:
        if talk := await self._until_open():
            talk.compared()
            self._say(f"{plain.line(talk.name)} is verified, until this conversation ends.")

    async def _keep(self, rest: str) -> None:
        if rest and not (rest.isascii() and rest.isdigit()):
            self._say("How many seconds? For example: /keep 3600")
        elif talk := await self._until_open():
            await talk.keep(int(rest) if rest else None)

    async def _leave(self, rest: str) -> None:
        if self._talks:
            await self._talks[-1].leave()

    async def _erase(self, rest: str) -> None:
        if self._screen.is_terminal and not self._means_erase:
            self._means_erase = True
            self._say("This erases everything, here and on the server, for both. Type /erase again to do it.")
            return
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        self._say(erased(await self._client.erase()))
        self.stop()

    def accept(self) -> None:
        """Let in whoever has asked first."""
        if self._requests:
            self._requests.pop(0).accept()

    def decline(self) -> None:
        """Turn away whoever has asked first."""
        if self._requests:
            self._requests.pop(0).decline()
            self._say("Declined.")

    def help(self) -> None:
        """Show the commands."""
        self._screen.show(HELP)

    async def _to(self, rest: str) -> None:
        for talk in self._talks:
            if rest and talk.name.startswith(rest):
                self._talks.remove(talk)
                self._talks.append(talk)
                break
        names = ", ".join(plain.line(talk.name) for talk in reversed(self._talks))
        self._say(f"You talk to: {names or 'nobody'}")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._finished.done():
            self._finished.set_exception(error)


def span(seconds: int) -> str:
    """A time to live in words."""
    for size, name in ((3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"


def erased(counts: wire.Erased) -> str:
    """What the server says to have erased."""
    return (
        f"Erased, on the server and here: {counts.sessions} conversations, {counts.messages} messages,"
        f" {counts.files} files. Of {counts.peers} others, the server told {counts.told} at once."
    )


def _greeting(talk: Talk) -> str:
    name = plain.line(talk.name)
    if talk.is_verified:
        return f"{name} is here. You met by a link: nothing needs to be compared. /help shows the commands."
    return f"{name} is here, unverified: compare /safety over another channel. /help shows the commands."


def _body(message: Message) -> str:
    match message.kind:
        case "text":
            return plain.lines(message.text, INDENT)
        case "unknown":
            return f"[{plain.line(message.text)}: this needs a newer version]"
        case "unreadable":
            return "[unreadable]"


def _clock(at: float) -> str:
    """A peer's clock may say anything."""
    try:
        return time.strftime("%H:%M", time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return "--:--"


def _last_own(talk: Talk) -> Message | None:
    return next((message for message in reversed(talk.messages) if message.mine), None)


URGENT: dict[str, Callable[[Terminal], None]] = {
    "/accept": Terminal.accept,
    "/decline": Terminal.decline,
    "/help": Terminal.help,
}
