"""`python -m bench.long_conversation`: how smooth the page stays with 10,000 messages in one conversation.

The real screens are filled without an engine (the server's own limit is 2,000 items), in headless Chromium,
and the time from frame to frame is taken while the list is scrolled from end to beginning, while a message
arrives in each frame, and while a letter is typed in each frame. 16.7 ms is a frame that came in time.
"""

import argparse
import json
import sys

from playwright.sync_api import Browser, sync_playwright

from bench.message_cost import laid_out
from e2e.bundle import FRONTEND, served
from e2e.conftest import ARGUMENTS, CHROMIUM

CONFIG = FRONTEND / "tests/demo/vite.config.ts"
WHAT = ("idle", "scrolling", "receiving", "typing")
HEAD = ["messages", "until shown", *(f"{what} {part}" for what in WHAT for part in ("median", "p95"))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.long_conversation", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 2_000, 10_000])
    rows: list[int] = parser.parse_args().rows
    with served(CONFIG) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        table = [HEAD, *(line(measured(browser, url, count), count) for count in rows)]
        sys.stdout.write(laid_out([["Milliseconds from frame to frame"], *table]))
        browser.close()


def measured(browser: Browser, url: str, rows: int) -> dict[str, list[float]]:
    """Milliseconds of each frame, by what was going on; SystemExit unless the list stayed at its end."""
    with browser.new_page() as page:
        page.goto(f"{url}?rows={rows}")
        root = page.locator("html[data-measured]")
        root.wait_for(state="attached", timeout=300_000)
        found = json.loads(root.get_attribute("data-measured") or "")
    if not found.pop("atEnd") or found.pop("shown") <= 0:
        raise SystemExit("the newest messages are not on the screen")
    return {str(name): list(map(float, times)) for name, times in found.items()}


def line(times: dict[str, list[float]], rows: int) -> list[str]:
    """A row of the table."""
    cells = [f"{quantile(times[what], part):.1f}" for what in WHAT for part in (0.5, 0.95)]
    return [str(rows), f"{times['filled'][0]:.0f}", *cells]


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[int(part * (len(values) - 1))]


if __name__ == "__main__":
    main()
