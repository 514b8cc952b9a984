"""python -m reference: Quarter in a terminal."""

import argparse
import asyncio
import re
import signal
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from reference import link, login, plain, screen, store, terminal, trouble
from reference.client import SERVER, Client
from reference.errors import ProtocolError
from reference.screen import Screen
from reference.terminal import Terminal

EPILOG = """\
examples:
  python -m reference link                          print a one-time link, and wait for whoever opens it
  python -m reference join 'http://localhost:8000/#...'
  python -m reference link --state ~/.quarter       may be ended, and begun again where it was

Lines that you type are sent; /help, once you are in, shows what else there is. Without --state everything
is in memory and gone at the end; with it, identity and conversations are kept in that directory, sealed.
Standard input and output may be pipes.

exit codes:
  0 all is well, or somebody left   1 a bug   2 wrong use   3 no server   4 declined   5 the link is used
  6 nobody has this code   7 its time is over   8 broken, or removed   9 the state can't be used
"""
INTERRUPTED = 130
#: A code in base64url that begins as options do.
DASHED_CODE = re.compile(r"-[0-9A-Za-z_-]{42}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--server", metavar="URL", help=f"where Quarter is (default: the link's server, or {SERVER})"
    )
    common.add_argument("--state", metavar="DIR", type=Path, help="keep everything there, sealed")
    whole = argparse.ArgumentParser(
        "python -m reference",
        description="Quarter in a terminal: a private conversation between two, gone a quarter of an hour"
        " after its last message.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = commands.add_parser(
        "link", parents=[common], help="print a link for one person, and wait for them"
    )
    made.add_argument("--name", default="", help="what you call them")
    joined = commands.add_parser("join", parents=[common], help="join by a link")
    joined.add_argument("address", metavar="LINK")
    asked = commands.add_parser("ask", parents=[common], help="ask to talk, by somebody's code")
    asked.add_argument("address", metavar="CODE")
    commands.add_parser("resume", parents=[common], help="go on with what --state holds")
    commands.add_parser(
        "erase", parents=[common], help="erase everything that --state holds, and on the server"
    )
    return whole


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for. With a space before it a code that begins with `-` is no option to argparse."""
    return parser().parse_args([f" {each}" if DASHED_CODE.fullmatch(each) else each for each in arguments])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    given = parse(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        with screen.opened() as opened:
            return asyncio.run(_run(given, opened))
    except trouble.Trouble as error:
        print(plain.line(str(error)), file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(given: argparse.Namespace, opened: Screen) -> int:
    if given.command in ("resume", "erase"):
        if given.state is None:
            raise trouble.Unusable("Which state? Name its directory with --state.")
        if not store.is_kept(given.state):
            opened.show(f"Nothing is kept in {given.state}.")
            return 0 if given.command == "erase" else trouble.Unusable.exit_code
    address = _address(given)
    client = Client(given.server or _server_of(address) or SERVER, given.state)
    async with client:
        if given.command == "erase":
            opened.show(terminal.erased(await client.erase()))
            return 0
        chat = Terminal(client, opened, given.command == "link")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, chat.stop)
        await _begin(given, address, client, chat, opened)
        code = await chat.run()
        if given.state and client.talks():
            opened.show(f"— Gone away. To come back: python -m reference resume --state {given.state}")
        return code


async def _begin(
    given: argparse.Namespace, address: str, client: Client, chat: Terminal, opened: Screen
) -> None:
    """What each command does before the chat."""
    match given.command:
        case "link" if all(talk.state.head.phase == "answered" for talk in client.talks()):
            links = client.open_links() or [await client.link(given.name)]
            opened.show(f"Your link, for one person, good for a day:\n\n  {links[0]}\n")
            opened.show(f"Your code, for those who ask without it: {client.code}\nWaiting. Ctrl-C ends it.")
        case "join" | "ask":
            await _join(given.command, address, client, chat, opened)
        case "resume" if not client.talks() and not client.open_links():
            raise trouble.Expired("There is no conversation to go on with.")


async def _join(command: str, address: str, client: Client, chat: Terminal, opened: Screen) -> None:
    known = [talk for talk in client.talks() if _is_with(talk.peer, address)]
    if not known:
        if command == "ask":
            opened.show("You ask without a link: they don't know that it is you, nor you that it is they.")
        chat.follow(await client.offer(address))
        opened.show("Waiting for the other one. Ctrl-C ends it.")


def _address(given: argparse.Namespace) -> str:
    """The link or code, in its form; BadLink. A link that is asked with is a link all the same."""
    text = str(getattr(given, "address", "")).strip()
    if text:
        try:
            parsed = link.parse_address(text)
        except ProtocolError:
            raise trouble.BadLink from None
        if given.command == "join" and parsed.secret is None:
            raise trouble.BadLink("This is a code, not a link. To ask: python -m reference ask CODE")
    return text


def _is_with(peer: str, address: str) -> bool:
    return link.parse_address(address).hash == link.parse_address(peer).hash


def _server_of(address: str) -> str | None:
    """The server that a link names."""
    parts = urllib.parse.urlsplit("".join(address.split()))
    return login.origin_of(f"{parts.scheme}://{parts.netloc}") if parts.scheme and parts.netloc else None


if __name__ == "__main__":
    sys.exit(main())
