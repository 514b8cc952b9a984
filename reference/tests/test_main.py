"""The command line, as somebody at a terminal or a script has it."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from reference import __main__ as command
from reference.tests.shell import Shell, shells

Run = Callable[..., Awaitable[Shell]]


@pytest_asyncio.fixture
async def run(url: str) -> AsyncIterator[Run]:
    """await run("link") starts `python -m reference link` with this server."""
    async with shells() as started:

        async def start(*arguments: str, module: str = "reference") -> Shell:
            started.append(await Shell.start(module, *arguments, "--server", url))
            return started[-1]

        yield start


async def test_link_join_talk_erase(run: Run) -> None:
    alice = await run("link", "--name", "Bob")
    bob = await run("join", await alice.link())
    await alice.sees("Bob is here. You met by a link")
    await bob.sees("is here")
    await bob.types("hello, Alice")
    await alice.sees("Bob: hello, Alice")
    await alice.types("hello yourself")
    await bob.sees(": hello yourself")
    await alice.sees("✓ delivered")
    await alice.types("/safety")
    await bob.types("/safety")
    await alice.sees("Safety number with Bob (verified)")
    await alice.types("/keep 3600")
    await bob.sees("lets this live 1 hour after each message")
    await alice.types("/erase")
    assert await alice.ends() == 0
    assert "Erased, on the server and here: 1 conversations" in alice.printed
    assert "Of 1 others, the server told" in alice.printed
    assert await bob.ends() == 0
    assert "The other one has left" in bob.printed
    numbers = [line for line in alice.printed.splitlines() if line.strip().replace(" ", "").isdigit()]
    assert len(numbers) == 3
    assert all(line in bob.printed for line in numbers)


def test_a_code_may_begin_like_an_option() -> None:
    code = "-" + "A" * 42
    given = command.parse(["ask", code, "--server", "http://localhost:8000"])
    assert command._address(given) == code
    assert given.server == "http://localhost:8000"


async def test_a_request_is_accepted_and_shown_as_unverified(run: Run) -> None:
    alice = await run("link")
    await alice.link()
    code = alice.printed.split("without it: ")[1].split()[0]
    bob = await run("ask", code)
    await bob.sees("they don't know that it is you")
    await alice.sees("asks to talk, without your link")
    await alice.types("/accept")
    await alice.sees("unverified")
    await bob.sees("unverified")
    await bob.types("it is me")
    await alice.sees(": it is me")
    await alice.types("/verified")
    await alice.sees("is verified")


async def test_a_declined_request_has_an_exit_code_of_its_own(run: Run) -> None:
    alice = await run("link")
    await alice.link()
    bob = await run("ask", alice.printed.split("without it: ")[1].split()[0])
    await alice.sees("asks to talk")
    await alice.types("/decline")
    assert await bob.ends() == 4
    assert "declined" in bob.printed


async def test_a_used_link_says_what_to_do(run: Run) -> None:
    alice = await run("link")
    link = await alice.link()
    bob = await run("join", link)
    await bob.sees("is here")
    mallory = await run("join", link)
    assert await mallory.ends() == 5
    assert "used already. Ask for a new one" in mallory.printed
    await alice.sees("Somebody tried your link")


async def test_what_was_piped_in_is_sent_before_it_leaves(run: Run) -> None:
    alice = await run("link", "--name", "Bob")
    link = await alice.link()
    bob = await run("join", link)
    await bob.types("one")
    await bob.types("//two")
    bob.close_input()
    assert await bob.ends() == 0
    assert await alice.ends() == 0
    assert "Bob: one" in alice.printed
    assert "Bob: /two" in alice.printed
    assert "has left" in alice.printed


async def test_what_was_piped_in_is_sent_before_a_client_with_a_state_goes_away(
    run: Run, tmp_path: Path
) -> None:
    alice = await run("link", "--name", "Bob")
    bob = await run("join", await alice.link(), "--state", str(tmp_path))
    for number in range(40):  # more than is under way at once
        await bob.types(f"line {number}")
    bob.close_input()
    assert await bob.ends() == 0
    assert "To come back" in bob.printed
    await alice.sees("Bob: line 39")


async def test_ctrl_c_says_bye(run: Run) -> None:
    alice = await run("link")
    bob = await run("join", await alice.link())
    await bob.sees("is here")
    bob.interrupt(signal.SIGINT)
    assert await bob.ends() == 0
    assert await alice.ends() == 0
    assert "The other one has left" in alice.printed
    assert "Traceback" not in bob.printed


async def test_with_a_state_ctrl_c_goes_away_and_both_come_back(run: Run, tmp_path: Path) -> None:
    alice = await run("link", "--name", "Bob", "--state", str(tmp_path / "alice"))
    bob = await run("join", await alice.link(), "--state", str(tmp_path / "bob"))
    await bob.sees("is here")
    await bob.types("first")
    await alice.sees("Bob: first")
    for shell, number in ((alice, signal.SIGINT), (bob, signal.SIGTERM)):
        shell.interrupt(number)
        assert await shell.ends() == 0
        assert "To come back" in shell.printed
    alice = await run("link", "--state", str(tmp_path / "alice"))
    await alice.sees("Here again, with Bob:")
    await alice.sees("Bob: first")
    await alice.types("are you back?")
    await alice.sees("✓ sent")
    bob = await run("resume", "--state", str(tmp_path / "bob"))
    await bob.sees("you: first")
    await bob.sees(": are you back?")
    await bob.types("I am")
    await alice.sees("Bob: I am")
    assert bob.printed.index("you: first") < bob.printed.index("are you back?")
    assert bob.printed.count("are you back?") == 1
    await bob.types("/erase")
    assert await bob.ends() == 0
    bob = await run("erase", "--state", str(tmp_path / "bob"))
    assert await bob.ends() == 0
    assert "Nothing is kept in" in bob.printed


async def test_what_a_peer_writes_cannot_steer_the_terminal(run: Run) -> None:
    alice = await run("link", "--name", "Bob")
    bob = await run("join", await alice.link())
    await bob.sees("is here")
    await bob.types("\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m end")
    await alice.sees("end")
    assert not set(alice.printed) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["join", "nonsense"], 2, "neither a link nor a code"),
        (["join", "A" * 43], 2, "This is a code, not a link"),
        (["link", "--server", "localhost:8000"], 2, "not a server's address"),
        (["link", "--server", "http://localhost:1"], 3, "can't be reached"),
        (["ask", "A" * 43], 6, "Nobody has this code"),
        (["resume"], 9, "--state"),
        (["resume", "--state", "/nowhere/at/all"], 9, "Nothing is kept in"),
    ],
)
def test_what_goes_wrong_is_said_with_a_code(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    server = [] if "--server" in arguments else ["--server", url]
    assert command.main([*arguments, *server]) == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err


async def test_a_state_is_held_by_one_process(run: Run, tmp_path: Path) -> None:
    alice = await run("link", "--state", str(tmp_path))
    await alice.link()
    other = await run("link", "--state", str(tmp_path))
    assert await other.ends() == 9
    assert "held by another process" in other.printed


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        command.main(["--help"])
    assert exit.value.code == os.EX_OK
    printed = capsys.readouterr().out
    for word in ("link", "join", "ask", "resume", "erase", "exit codes", "--state"):
        assert word in printed


# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["say:Post:1", "say:Post:2"])
async def test_a_guest_that_was_killed_comes_back_with_nothing_lost_or_doubled(
    run: Run, tmp_path: Path, point: str
) -> None:
    alice = await run("link", "--name", "Bob")
    link = await alice.link()
    bob = await run(point, "join", link, "--state", str(tmp_path), module="reference.tests.dying")
    await bob.types("from bob")
    assert await bob.ends() == -signal.SIGKILL
    bob = await run("join", link, "--state", str(tmp_path))
    await alice.sees("Bob is here")
    await alice.types("from alice")
    await bob.sees(": from alice")
    if "you: from bob" not in bob.printed:  # killed before it was said
        await bob.types("from bob")
    await alice.sees("Bob: from bob")
    await bob.types("the end")
    await alice.sees("Bob: the end")
    assert alice.printed.count("Bob: from bob") == 1
    assert bob.printed.count(": from alice") == 1


@pytest.mark.parametrize("point", ["say:Answer:1"])
async def test_an_owner_that_was_killed_comes_back_with_nothing_lost_or_doubled(
    run: Run, tmp_path: Path, point: str
) -> None:
    alice = await run(
        point, "link", "--name", "Bob", "--state", str(tmp_path), module="reference.tests.dying"
    )
    bob = await run("join", await alice.link())
    assert await alice.ends() == -signal.SIGKILL
    await bob.types("are you there?")
    alice = await run("link", "--name", "Bob", "--state", str(tmp_path))
    await bob.sees("is here")
    await alice.sees("Bob: are you there?")
    await alice.types("again")
    await bob.sees(": again")
    assert alice.printed.count("are you there?") == 1
