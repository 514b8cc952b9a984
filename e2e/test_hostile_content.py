"""A peer who holds the keys may seal anything: it is shown as text or refused, and breaks nothing."""

import math
import re
import struct
from collections.abc import Callable, Iterator

import msgspec
import pytest

from e2e.conftest import MakePerson
from e2e.hostile import Hostile, content
from e2e.person import Person
from e2e.stack import Stack
from e2e.terminal import Terminal
from reference import padding

#: Shown letter by letter, and no more than that.
TEXTS = {
    "an override": "invoice \u202egnp.exe",
    "isolates that never end": "\u2066\u2067\u2068" * 200 + "left open",
    "embeddings that never end": "\u202a\u202b\u202d\u202e" * 200 + "left open",
    "marks of direction": "\u200e\u200f\u061c" * 100 + "x",
    "nothing that can be seen": "\u200b\u200c\u200d\u2060\u180e\u00ad\u2800\u3164",
    "16 KiB without a space": "W" * 16384,
    "16 KiB that joins": "\u200d".join("😀" * 2340)[:4600],
    "the most emoji that fit": "😀" * 4096,
    "a tower": "Z" + "\u0300\u0489\u20dd\u0335" * 1700,
    "many towers": "".join(letter + "\u030d\u0316" * 30 for letter in "ZALGO IS HERE ") * 8,
    "right to left": "שלום עולם مرحبا بالعالم " * 20,
    "both ways in one": "abc שלום 123 (مرحبا) [x] <y> " * 20,
    "a script": "<script>document.title='hit'</script><img src=x onerror=\"document.title='hit'\">",
    "an end of all": "</p></article></div></main></template><iframe src=//mallory.example></iframe>"
    "<style>*{display:none}</style>",
    "a template": "{{constructor.constructor('document.title=1')()}} ${7*7} <%= 1 %> &lt;b&gt; &#60;",
    "markdown": "[your bank](https://mallory.example/) ![x](https://mallory.example/x.png) **b** `c` # d",
    "javascript": "javascript:document.title='hit' JAVASCRIPT&colon;alert(1) java\tscript:alert(1)",
    "other schemes": "data:text/html,<b>x</b> file:///etc/passwd blob:x about:blank vbscript:x intent://x#Intent;end",
    "another address than it looks": "https://bank.example@mallory.example/ https://bank.example\u2215login.mallory.example",
    "an address that turns": "https://mallory.example/\u202egpj.knab",
    "an address without end": "https://mallory.example/" + "a" * 4000,
    "a homograph": "https://www.\u0430\u0440\u0440\u04cf\u0435.com/login",
    "escape sequences": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;https://mallory.example\x07x\x9b1m",
    "every control character": "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 127, *range(128, 160)))),
    "NUL": "before\0after",
    "no characters": "\ufffe\uffff\U0010ffff\ue000",
    "line breaks of all kinds": "a\rb\r\nc\u2028d\u2029e\x0bf\x0cg\x85h",
    "many lines": "\n" * 300 + "x",
    "spaces": "\u3000\u2003 \t" * 300 + "x",
    "a word that is code": "__proto__ constructor toString then",
}
#: Where a link leads, if it looks otherwise.
SPELT_OUT = {
    "another address than it looks": " (bank.xn--examplelogin-ni5g.mallory.example)",
    "a homograph": " (www.xn--80ak6aa92e.com)",
}
LONGEST = 2**32 - 1
TRUE = content(text="x")

#: Not understood, and said to be so.
UNREADABLE = {
    "no UTF-8": TRUE[:-1] + b"\xff",
    "half of a pair": content(text="xyz").replace(b"xyz", b"\xed\xa0\x80"),
    "an overlong letter": content(text="xy").replace(b"xy", b"\xc0\xaf"),
    "a byte order mark": content(text="\ufeffx"),
    "a text of one byte too many": content(text="W" * 16385),
    "an emoji too many": content(text="😀" * 4097),
    "bytes for a text": content(text=b"x"),
    "no text": content(),
    "a list for a text": content(text=["x"]),
    "nothing for a text": content(text=None),
    "no bytes at all": b"",
    "no map": b"\xc0",
    "a list": b"\x93\x01\x02\x03",
    "cut off": TRUE[:-1],
    "more than all": TRUE + b"\xc0",
    "an unused byte": b"\xc1" * 20,
    "a map without end": b"\xdf\xff\xff\xff\xff" + TRUE,
    "a text without end": TRUE[:-2] + b"\xdb\xff\xff\xff\xffx",
    "a longer form": TRUE[:-2] + b"\xd9\x01x",
    "a member twice": b"\x85" + TRUE[1:] + b"\xa4text\xa1y",
    "an extension": content(more=msgspec.msgpack.Ext(5, b"x")),
    "a time": content(more=msgspec.msgpack.Ext(-1, bytes(4))),
    "a fraction": content(more=1.5),
    "no number": content(more=math.nan),
    "too deep": content(more=[[[[1]]]]),
    "far too deep": content()[:-1] + b"\x91" * 20_000 + b"\xc0",
    "a prototype": content(__proto__={"x": 1}),
    "a number for a name": b"\x85" + TRUE[1:] + b"\x01\x02",
    "a time before all": content(at=-1),
    "a time beyond all": content(at=2**53),
    "a negative count": content(seen=-1),
    "a reply to a third side": content(text="x", reply=[2, 0]),
    "a reply to half a name": content(text="x", reply=[0]),
    "a timer beyond all": content(t="timer", seconds=LONGEST + 1),
    "a timer backwards": content(t="timer", seconds=-1),
    "typing that is stored": msgspec.msgpack.encode({"t": "typing", "on": True}),
    "a kind that is no text": content(t=1),
}
FRAMES = {
    "a length that lies": struct.pack(">I", LONGEST) + TRUE.ljust(252, b"\0"),
    "padding that speaks": padding.frame(TRUE)[:-1] + b"x",
    "too much padding": padding.frame(TRUE) + bytes(256),
    "only zeros": bytes(256),
    "only ones": b"\xff" * 16384,
}

#: Of a kind that this version does not know.
NEWER = {
    kind: content(t=kind)
    for kind in (
        "poll",
        "file",
        "edit",
        "delete",
        "react",
        "call",
        "",
        "<b>x</b>",
        "\u202e\0\x1b[2J",
        "k" * 9000,
    )
}
#: Shown by their texts, which are the names.
MISLEADING = {
    "reply to nothing": content(text="reply to nothing", reply=[1, LONGEST]),
    "reply to itself": content(text="reply to itself", reply=[0, 3]),
    "the beginning of time": content(text="the beginning of time", at=0),
    "the end of time": content(text="the end of time", at=2**53 - 1),
}
TIMERS = (0, 1, LONGEST, 3600)

SIZES = {
    "phone": {"viewport": {"width": 360, "height": 640}, "color_scheme": "light"},
    "desktop": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
}
#: What a message is made of on the screen.
TAGS = {"ARTICLE", "DIV", "SPAN", "P", "A", "BDI", "TIME", "svg", "path"}

Open = Callable[[], Hostile]


@pytest.fixture
def mallory(stack: Stack) -> Iterator[Hostile]:
    hostile = Hostile(stack.url)
    yield hostile
    hostile.close()


def fire(mallory: Hostile) -> None:
    """All that there is, with something harmless at the end."""
    for text in TEXTS.values():
        mallory.sends(content(text=text))
    for sealed in (*UNREADABLE.values(), *NEWER.values(), *MISLEADING.values()):
        mallory.sends(sealed)
    for frame in FRAMES.values():
        mallory.seals(frame)
    for seconds in TIMERS:
        mallory.sends(content(t="timer", seconds=seconds))
    mallory.says("still here")


@pytest.mark.parametrize("size", SIZES)
def test_whatever_a_peer_seals_is_shown_as_text_or_refused(
    make_person: MakePerson, stack: Stack, mallory: Hostile, size: str
) -> None:
    alice = make_person("Alice", stack, **SIZES[size]).open()
    mallory.joins(alice.link())
    mallory.says("hello")
    alice.enters()
    fire(mallory)
    alice.hears("still here")
    check(alice)
    alice.reload()
    alice.enters()
    alice.hears("still here")
    assert alice.tallest_message() < 2 * alice.window_height
    check(alice)
    alice.says("and I")
    mallory.hears("and I")


def check(alice: Person) -> None:
    """Every text stands there letter by letter, the rest is said to be unreadable, all is in its place."""
    assert alice.out_of_place() == []
    alice.unfolds_all()
    shown = alice.message_texts()
    expected = [
        "hello",
        *(text + SPELT_OUT.get(what, "") for what, text in TEXTS.items()),
        *["A message arrived that can’t be read."] * len(UNREADABLE),
        *["This message needs a newer version of Quarter."] * len(NEWER),
        *MISLEADING,
        *["A message arrived that can’t be read."] * len(FRAMES),
        "still here",
    ]
    assert shown == expected
    assert alice.message_tags() <= TAGS
    assert [link for link in alice.message_links() if not link.startswith("https://")] == []
    assert alice.out_of_place() == []
    assert alice.page.title() == "Quarter"


def test_a_text_that_is_too_long_is_refused_by_both_sides(
    talking: tuple[Person, Person], mallory: Hostile, stack: Stack
) -> None:
    """By the sender's page, the other implementation, and the receiver where it was sealed all the same."""
    alice, _ = talking
    emoji = "😀" * 100_000
    alice.writes(emoji)
    assert not alice.may_send
    assert "Too long by 383,616 bytes" in alice.text() or "Too long by 383616 bytes" in alice.text()
    alice.goes_home()
    mallory.joins(alice.link())
    with pytest.raises(ValueError, match="too long"):
        mallory.says(emoji)
    mallory.sends(content(text="😀" * 4097))
    mallory.says("😀" * 4096)
    alice.unfolds()
    alice.hears("😀" * 4096)
    assert alice.message_texts() == ["A message arrived that can’t be read.", "😀" * 4096]


@pytest.mark.parametrize("lie", [{"seen": LONGEST, "text": "x"}, {"t": "hello"}], ids=["seen", "hello"])
def test_a_peer_that_lies_about_the_conversation_ends_it_in_plain_words(
    alice: Person, mallory: Hostile, lie: dict[str, object]
) -> None:
    mallory.joins(alice.link())
    mallory.says("hello")
    alice.hears("hello")
    mallory.sends(content(**lie))
    alice.reads("This conversation broke off.")
    assert "Start a new conversation." in alice.text()
    assert "hello" not in alice.text()


# --- the terminal -----------------------------------------------------------------------------------

#: Escape sequences, other controls, and what turns or hides letters.
HARMFUL = re.compile(
    "[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u061c\\u202a-\\u202e\\u2066-\\u2069\\u2028\\u2029\\ufeff]"
)


def test_nothing_that_a_peer_seals_moves_a_terminal(stack: Stack, mallory: Hostile) -> None:
    alice = Terminal(stack.url, "link", "--name", "Mallory")
    try:
        mallory.joins(alice.link())
        fire(mallory)
        printed = wait_for(alice)
    finally:
        alice.close()
    assert HARMFUL.findall(printed) == []
    assert printed.count("[unreadable]") == len(UNREADABLE) + len(FRAMES)
    assert printed.count("this needs a newer version") == len(NEWER)
    for text in ("invoice", "<script>", "javascript:", "reply to nothing", "the end of time"):
        assert text in printed
    # No line of Mallory's looks like one of the terminal's own.
    assert [line for line in printed.splitlines() if line and not re.match(LINE, line)] == []


LINE = r"— |\d\d:\d\d Mallory: |--:-- Mallory: | {6}|http|[ \w]"


def wait_for(alice: Terminal) -> str:
    alice.sees("Mallory: still here")
    return alice.printed
