"""A person at a browser of their own. Every selector of the browser tests is in this file.

What goes wrong in the page is collected in `trouble`: console errors, exceptions, violations of the
Content-Security-Policy, and requests to any other origin than the stack's. conftest.py asserts that it
is empty after each test. `network` tells what was asked and answered; a failed test prints its end.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Locator, Page, Request, WebSocket, expect

#: So long takes only what never comes, also on two cores that do other work.
WAIT_MS = 60_000
#: The browser makes RSA keys first, which takes as long as it takes.
KEYS_MS = 180_000
AXE = Path(__file__).resolve().parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

#: Runs in every page before its own code.
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`))"""

#: Boxes, to the pixel; a letter's own ink is cut off at its row by its containment.
OUT_OF_PLACE = """(() => {
  const log = document.querySelector('[role=log]')
  const within = (inner, outer) =>
    inner.left >= outer.left - 1 && inner.right <= outer.right + 1 &&
    inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1
  const found = [document.documentElement, log]
    .filter((el) => el.scrollWidth > el.clientWidth)
    .map((el) => `${el.tagName} ${el.scrollWidth} > ${el.clientWidth}`)
  for (const article of log.querySelectorAll('article')) {
    if (getComputedStyle(article).contentVisibility !== 'auto') found.push('not contained')
    article.style.contentVisibility = 'visible' // what is out of sight has no boxes else
    const bubble = article.querySelector('div').getBoundingClientRect()
    const row = article.getBoundingClientRect()
    const parts = [...article.querySelectorAll('div *:not(.sr-only)')]
    const strays = parts.flatMap((el) => [...el.getClientRects()])
    if (!within(bubble, row) || !strays.every((rect) => within(rect, bubble)))
      found.push(article.textContent.slice(0, 60))
    const text = article.querySelector('p')
    if (text.scrollWidth > text.clientWidth && getComputedStyle(text).overflowX !== 'clip')
      found.push('not cut off')
    article.style.contentVisibility = ''
  }
  return found
})()"""

#: Writes less and less until nothing more can be written; answers why.
FILL_STORAGE = """(async () => {
  const open = indexedDB.open('something else')
  open.onupgradeneeded = () => open.result.createObjectStore('all', { autoIncrement: true })
  await new Promise((resolve) => { open.onsuccess = resolve })
  const write = (bytes) => new Promise((resolve) => {
    const tx = open.result.transaction('all', 'readwrite')
    tx.objectStore('all').put(crypto.getRandomValues(new Uint8Array(bytes)))
    tx.oncomplete = () => resolve(null)
    tx.onabort = () => resolve(tx.error.name)
  })
  let why = null
  for (let bytes = 65536; bytes >= 64; bytes /= 4) while (!(why = await write(bytes)));
  open.result.close()
  return why
})()"""
EMPTY_STORAGE = """new Promise((resolve) => {
  indexedDB.deleteDatabase('something else').onsuccess = () => resolve()
})"""

#: What the browser itself says about a connection that we took away, or a server that we ended.
NO_NETWORK = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_CONNECTION_REFUSED", "WebSocket connection to")

expect.set_options(timeout=WAIT_MS)


class Person:
    """One browser context, one page at a time. Methods are what a person does, or sees."""

    def __init__(self, name: str, browser: Browser, url: str, **context: Any) -> None:
        self.name = name
        self.url = url
        self.trouble: list[str] = []
        self.network: list[str] = []
        self._sockets: list[WebSocket] = []
        self.expects_no_network = False
        self._quota: CDPSession | None = None
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(WAIT_MS)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        self.context.add_init_script(TELL_VIOLATIONS)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda error: self.trouble.append(f"{name}: {error.error}"))
        self.context.on("request", self._note_request)
        self.context.on("response", lambda response: self._note(response.status, response.url))
        self.context.on("requestfailed", lambda request: self._note(request.failure, request.url))
        self.page: Page = self.context.new_page()
        self.page.on("websocket", self._note_socket)

    # --- coming and going ---------------------------------------------------------------------------------

    def open(self) -> "Person":
        """Opens the home page and waits until it is ready."""
        self.page.goto(self.url)
        self.waits_for_home()
        return self

    def waits_for_home(self) -> None:
        """The page has its keys, a link, and a connection."""
        expect(self._copy_link).to_be_visible(timeout=KEYS_MS)
        self.waits_for_connection()

    def waits_for_connection(self) -> None:
        expect(self.page.get_by_test_id("connection").first).to_have_attribute("data-state", "online")

    def reload(self) -> None:
        self.page.reload()

    def goes_offline(self) -> None:
        self.expects_no_network = True
        self.context.set_offline(True)

    def comes_online(self) -> None:
        self.context.set_offline(False)

    def leaves_the_machine(self) -> None:
        """Closes the browser."""
        self.context.close()

    def goes_home(self) -> None:
        """Back to the home page, where one is not there already."""
        for name in ("Back to all conversations", "New conversation"):
            button = self.page.get_by_role("button", name=name)
            if button.is_visible():
                button.click()
                break

    def duplicates_tab(self) -> "Person":
        """The same person with a copy of this tab: session storage is copied, locks are not."""
        copy = object.__new__(Person)
        copy.__dict__.update(self.__dict__)
        with self.context.expect_page() as opened:
            self.evaluate("void open(location.href, '_blank')")
        copy.page = opened.value
        copy.waits_for_home()
        return copy

    def wakes(self, sign: str) -> None:
        """The browser gives the page that sign of life: an event's name."""
        self.evaluate(f"(dispatchEvent(new Event('{sign}')), document.dispatchEvent(new Event('{sign}')))")

    def has_a_clock_to_turn(self) -> None:
        """From the next load on the page's clocks are ours to turn forward."""
        self.page.clock.install()

    def turns_clock(self, seconds: int) -> None:
        """So much time passes for the page in no time: what is due meanwhile happens once, at its end."""
        self.page.clock.fast_forward(seconds * 1000)

    def holds_sockets(self, *paths: str) -> None:
        """The page has these open, and no others."""
        for _ in range(WAIT_MS // 20):
            held = [urlsplit(socket.url).path for socket in self._sockets if not socket.is_closed()]
            if sorted(held) == sorted(paths):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"{self.name} holds {held}")

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """The page runs no task and draws nothing meanwhile: headless Chromium freezes no tab by itself."""
        session = self.context.new_cdp_session(self.page)
        for command in ("Debugger.enable", "Debugger.pause"):
            session.send(command)
        yield
        session.send("Debugger.resume")
        session.detach()

    def has_little_room(self) -> None:
        """The browser lets the page keep a few megabytes; to be said before it is opened."""
        # Ends with its session, and must come first: Chromium remembers for half a minute what was free.
        self._quota = self.context.new_cdp_session(self.page)
        self._quota.send("Storage.overrideQuotaForOrigin", {"origin": self.url, "quotaSize": 8 << 20})

    def runs_out_of_room(self) -> None:
        """Something else fills what the browser lets this site keep."""
        assert self.evaluate(FILL_STORAGE) == "QuotaExceededError"

    def makes_room(self) -> None:
        self.evaluate(EMPTY_STORAGE)

    def closes_tab(self) -> dict[str, str]:
        """Closes the tab; what its session storage held, which a browser may bring back."""
        storage: dict[str, str] = json.loads(self.evaluate("JSON.stringify(sessionStorage)"))
        self.page.close()
        return storage

    def opens_tab(self, storage: Mapping[str, str]) -> None:
        """Opens a tab in the same browser, with such a session storage."""
        self.page = self.context.new_page()
        self.page.add_init_script(f"Object.assign(sessionStorage, {json.dumps(dict(storage))})")
        self.page.goto(self.url)

    # --- links and codes ----------------------------------------------------------------------------------

    def link(self) -> str:
        """Copies the one-time link."""
        self._copy_link.click()
        return self._clipboard()

    def code(self) -> str:
        """One's own code, without the spaces of its groups."""
        return "".join(self.page.get_by_test_id("own-code").inner_text().split())

    def follows(self, link: str) -> None:
        """Opens a link; joins nothing."""
        self.page.goto(link)
        expect(self.join_button).to_be_visible(timeout=KEYS_MS)
        self.waits_for_connection()

    def joins(self, link: str) -> None:
        """Opens a link and joins."""
        self.follows(link)
        self.join_button.click()

    def asks(self, code: str) -> None:
        """Asks to talk with the owner of a code."""
        self.pastes(code)
        self.page.get_by_role("button", name="Ask to talk").click()

    def pastes(self, text: str) -> None:
        """Pastes a link or a code into the field on the home page."""
        self.page.get_by_label("Paste a link or a code").fill(text)
        self.page.get_by_role("button", name="Continue").click()

    def accepts(self) -> None:
        self.page.get_by_role("button", name="Accept").click()

    def declines(self) -> None:
        self.page.get_by_role("button", name="Decline").click()

    @property
    def join_button(self) -> Locator:
        return self.page.get_by_role("button", name="Join (uses up this link)")

    @property
    def address_field(self) -> Locator:
        return self.page.get_by_label("Paste a link or a code")

    # --- a conversation -----------------------------------------------------------------------------------

    def enters(self) -> None:
        """Opens the newest conversation, unless the page has done so already (it does where one waits)."""
        expect(self.conversations.or_(self.page.get_by_role("log")).first).to_be_visible()
        if self.conversations.first.is_visible():
            self.conversations.first.click()

    def says(self, text: str) -> None:
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.get_by_role("button", name="Send").click()

    def writes(self, text: str) -> None:
        """Puts a text into the field, and sends nothing."""
        self.page.get_by_role("textbox", name="Message").fill(text)

    @property
    def may_send(self) -> bool:
        return self.page.get_by_role("button", name="Send").is_enabled()

    def types(self, text: str) -> None:
        """Writes something, and thinks better of it."""
        field = self.page.get_by_role("textbox", name="Message")
        field.press_sequentially(text)
        field.fill("")

    def is_let_in(self) -> None:
        """The conversation that one joined by a link is open."""
        expect(self.page.get_by_role("button", name="Met by a one-time link. Safety number")).to_be_visible()

    def hears(self, text: str) -> None:
        """The conversation has this text, and so all that was said before it."""
        expect(self._message(text)).to_be_visible()

    def has_in_sight(self, text: str) -> None:
        """The newest that reads so is on the screen, the whole of it, and stays there."""
        found = self.page.get_by_role("log").get_by_text(text, exact=True).last
        expect(found).to_be_in_viewport(ratio=1)
        self.page.wait_for_timeout(300)
        expect(found).to_be_in_viewport(ratio=1)

    def top_of_newest(self) -> float:
        """Where the newest message begins, in CSS pixels from the window's top."""
        return [float(top) for top in self._of_messages("one.getBoundingClientRect().top")][-1]

    def shows_newest(self) -> None:
        self.page.get_by_role("button", name="Show newest messages").click()

    def shows(self, text: str) -> bool:
        """Whether the conversation has this text now."""
        return self._message(text).is_visible()

    def sees(self, *texts: str) -> None:
        """The conversation consists of these texts, in this order."""
        expect(self.messages.locator("p[dir=auto]")).to_have_text(list(texts))
        expect(self.messages).to_have_count(len(texts))

    def sees_delivered(self, text: str) -> None:
        """One's own message has been taken by the other side."""
        expect(self._message(text)).to_have_attribute("data-delivery", "taken")

    def sees_stored(self, text: str) -> None:
        """One's own message is on the server, and nobody has taken it."""
        expect(self._message(text)).to_have_attribute("data-delivery", "stored")

    def sees_waiting(self, text: str) -> None:
        """One's own message is still in this browser only."""
        expect(self._message(text)).to_have_attribute("data-delivery", "waiting")

    def sees_writing(self) -> None:
        """The other one is writing."""
        expect(self.page.get_by_role("log").get_by_text("writing…")).to_be_visible()

    def reads(self, heading: str) -> None:
        """A screen with such a heading is shown."""
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible()

    def reads_notice(self, text: str) -> None:
        expect(self.page.get_by_role("region", name="Notices")).to_contain_text(text)

    def reads_alert(self, text: str) -> None:
        expect(self.page.get_by_role("alert").filter(has_text=text)).to_be_visible()

    def reads_text(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_be_visible()

    def loads_again(self) -> None:
        """Presses the button of a page that can't go on."""
        self.page.get_by_role("button", name="Load again").click()

    def draft(self) -> str:
        """What stands in the field."""
        return self.page.get_by_role("textbox", name="Message").input_value()

    def sends_draft(self) -> None:
        self.page.get_by_role("button", name="Send").click()

    def takes_trouble(self) -> list[str]:
        """What went wrong so far, for a test that expects it."""
        taken, self.trouble[:] = self.trouble[:], []
        return taken

    def reads_no_alert(self, text: str) -> None:
        expect(self.page.get_by_role("alert").filter(has_text=text)).not_to_be_visible()

    def leaves(self) -> None:
        """Leaves the conversation that is shown."""
        self._menu("Leave conversation")
        self.page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()

    def closes(self) -> None:
        """Puts an ended conversation away."""
        self.page.get_by_role("main").get_by_role("button", name="Close").click()

    def keeps(self) -> None:
        """Keeps the conversation on, from its menu."""
        self._menu("Keep for another")

    def compares(self) -> str:
        """Opens the safety number."""
        self._menu("Safety number")
        number = self.page.get_by_test_id("safety-number")
        expect(number).to_be_visible()
        return " ".join(number.inner_text().split())

    def closes_dialog(self) -> None:
        self.page.keyboard.press("Escape")

    @property
    def conversations(self) -> Locator:
        return (
            self.page.get_by_role("navigation", name="Conversations")
            .get_by_role("listitem")
            .get_by_role("button")
        )

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("log").get_by_role("article")

    def message_texts(self) -> list[str]:
        """What stands in each message, letter by letter, without its time."""
        return [str(text) for text in self._of_messages("one.querySelector('p').textContent")]

    def message_tags(self) -> set[str]:
        """The elements that messages are made of."""
        found = self._of_messages("[one, ...one.querySelectorAll('*')].map(({ tagName }) => tagName)")
        return {str(tag) for tags in found for tag in tags}

    def message_links(self) -> list[str]:
        """Where the links in messages lead."""
        found = self._of_messages("[...one.querySelectorAll('[href]')].map(({ href }) => href)")
        return [str(href) for links in found for href in links]

    def unfolds(self) -> None:
        """Asks for the whole of a text of which the head is shown."""
        self._unfold.first.click()

    def unfolds_all(self) -> None:
        while self._unfold.count():
            self.unfolds()

    def tallest_message(self) -> float:
        """The height of the tallest one, in CSS pixels."""
        return max(float(height) for height in self._of_messages("one.getBoundingClientRect().height"))

    @property
    def window_height(self) -> int:
        return int(self.evaluate("innerHeight"))

    def out_of_place(self) -> list[str]:
        """What is wider than the window, or reaches out of its message's bubble."""
        return [str(what) for what in self.evaluate(OUT_OF_PLACE)]

    def _of_messages(self, expression: str) -> list[Any]:
        """An expression of JavaScript for each message, which is `one`."""
        every = "[...document.querySelectorAll('[role=log] article')]"
        return list(self.evaluate(f"{every}.map((one) => {expression})"))

    # --- erasing ------------------------------------------------------------------------------------------

    def asks_to_erase(self) -> None:
        """Presses the button; the question is open."""
        self.page.get_by_role("button", name="Erase everything", exact=True).click()
        expect(self.page.get_by_role("alertdialog")).to_be_visible()

    def erases(self) -> list[str]:
        """Erases everything; the lines of the receipt."""
        self.asks_to_erase()
        self.page.get_by_role("button", name="Yes, erase everything").click()
        self.reads("All erased.")
        return [line.strip() for line in self.page.get_by_role("listitem").all_inner_texts()]

    def sees_erase_banner(self) -> None:
        """The erasing failed; the page keeps saying so."""
        expect(self.page.get_by_role("alert").filter(has_text="Not erased yet.")).to_be_visible()

    # --- looking at the page itself -----------------------------------------------------------------------

    def evaluate(self, expression: str) -> Any:
        """Evaluates an expression in an isolated world, where the page's own policy forbids nothing."""
        session = self.context.new_cdp_session(self.page)
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "tests"})
        answer = session.send(
            "Runtime.evaluate",
            {
                "expression": expression,
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
                "userGesture": True,
            },
        )
        session.detach()
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def axe(self) -> list[str]:
        """What axe-core finds on the screen as it is: rule, and the elements that break it."""
        run = f"{AXE.read_text()};axe.run(document, {{resultTypes: ['violations']}}).then(JSON.stringify)"
        found = json.loads(self.evaluate(run))
        return [
            f"{one['id']}: {', '.join(str(node['target']) for node in one['nodes'])}"
            for one in found["violations"]
        ]

    def history(self) -> list[str]:
        """The addresses of this tab's history, as back and forward would go to them."""
        session = self.context.new_cdp_session(self.page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        return [entry["url"] for entry in entries]

    def databases(self) -> set[str]:
        """The names of this browser's vaults."""
        names = self.evaluate("indexedDB.databases().then((all) => all.map(({ name }) => name))")
        return {name for name in names if name != "quarter"}

    def text(self) -> str:
        """All that stands on the page."""
        return self.page.locator("body").inner_text()

    # --- own affairs --------------------------------------------------------------------------------------

    @property
    def _copy_link(self) -> Locator:
        return self.page.get_by_role("button", name="Copy one-time link")

    def _clipboard(self) -> str:
        return str(self.evaluate("navigator.clipboard.readText()"))

    @property
    def _unfold(self) -> Locator:
        return self.page.get_by_role("button", name="Show all")

    def _message(self, text: str) -> Locator:
        return self.messages.filter(has=self.page.get_by_text(text, exact=True))

    def _menu(self, item: str) -> None:
        self.page.get_by_role("button", name="More").click()
        self.page.get_by_role("menuitem", name=item).click()

    def _note_console(self, message: ConsoleMessage) -> None:
        expected = self.expects_no_network and any(words in message.text for words in NO_NETWORK)
        if message.type == "error" and not expected:
            self.trouble.append(f"{self.name}: {message.text}")

    def _note(self, what: object, url: str) -> None:
        self.network.append(f"{time.strftime('%H:%M:%S')} {self.name}: {what} {urlsplit(url).path}")

    def _note_socket(self, socket: WebSocket) -> None:
        self._sockets.append(socket)
        self._note("opened", socket.url)
        socket.on("close", lambda closed: self._note("closed", closed.url))
        socket.on("socketerror", lambda error: self._note(error, socket.url))

    def _note_request(self, request: Request) -> None:
        if request.is_navigation_request():
            self._sockets.clear()  # those of the page that was left die with it, and nobody tells
        if not request.url.startswith(("data:", "blob:")) and _origin(request.url) != self.url:
            self.trouble.append(f"{self.name}: request to {_origin(request.url)}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
