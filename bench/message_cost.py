"""`python -m bench.message_cost`: opens bench/message-cost in headless Chromium and prints what it shows."""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from e2e.bundle import served
from e2e.conftest import ARGUMENTS, CHROMIUM

CONFIG = Path(__file__).parent / "message-cost/vite.config.mts"
SECONDS_PER_ROUND = 10

READ_TABLES = """tables => tables.map((table) => [
  [table.caption.textContent],
  ...Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.textContent)),
])"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.message_cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="how often each way carries each text")
    rounds: int = parser.parse_args().rounds
    with served(CONFIG) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{url}?rounds={rounds}")
        sys.stdout.write(f"{measured(page, rounds)}\nChromium {browser.version}\n")
        browser.close()


def measured(page: Page, rounds: int) -> str:
    """The page's tables as text, and its last word, once it has finished; SystemExit if it went badly."""
    finished = page.locator("[data-finished]")
    finished.wait_for(state="attached", timeout=rounds * SECONDS_PER_ROUND * 1000)
    last_word = page.locator("#state").inner_text()
    if finished.get_attribute("data-finished") != "well":
        raise SystemExit(last_word)
    tables: list[list[list[str]]] = page.locator("table").evaluate_all(READ_TABLES)
    return "".join(f"{laid_out(table)}\n" for table in tables) + last_word


def laid_out(table: list[list[str]]) -> str:
    """A caption and rows of cells, in columns: the first to the left, the others to the right."""
    [caption], *rows = table
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    ]
    return "\n".join([caption, *lines, ""])


if __name__ == "__main__":
    main()
