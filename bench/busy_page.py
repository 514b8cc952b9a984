"""`python -m bench.busy_page`: the page while 200 messages a second arrive, and its heap after 10,000.

The page as it is, with its engine, vault and screens, in headless Chromium; its network and whoever it talks
with are a worker in the same browser (frontend/tests/busy).
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

from bench.long_conversation import quantile
from bench.message_cost import laid_out
from e2e.bundle import FRONTEND, served
from e2e.conftest import ARGUMENTS, CHROMIUM
from e2e.person import Person

CONFIG = FRONTEND / "tests/busy/vite.config.ts"
#: What a browser calls a long task.
LONG_MS = 50.0
#: Before a look at the heap: timers and caches come to rest.
REST_MS = 2_000
#: Two turns, as one collection may leave what the one before it has let go.
COLLECTIONS = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.busy_page", description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="messages a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--messages", type=int, nargs="+", default=[1_000, 5_000, 10_000])
    options = parser.parse_args()
    with served(CONFIG) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tables = (
            arriving(browser, url, options.rate, options.seconds),
            heap(browser, url, options.messages),
        )
        for table in tables:
            sys.stdout.write(f"{laid_out(table)}\n")
        sys.stdout.write(f"Chromium {browser.version}\n")
        browser.close()


@contextmanager
def talking(browser: Browser, url: str) -> Iterator[tuple[Person, CDPSession]]:
    """Somebody at a page with one conversation, and Chromium's view of it. SystemExit for trouble there."""
    person = Person("Alice", browser, url.rstrip("/"))
    person.page.goto(url)
    person.join_button.click()
    person.is_let_in()
    yield person, person.context.new_cdp_session(person.page)
    if person.trouble:
        raise SystemExit("\n".join(person.trouble))
    person.leaves_the_machine()


def arriving(browser: Browser, url: str, rate: int, seconds: int) -> list[list[str]]:
    """What the page's main thread did while messages arrived."""
    count = rate * seconds
    with talking(browser, url) as (person, session), traced(person, session) as tasks:
        flooded: dict[str, Any] = person.page.evaluate(f"flood({count}, {rate})")
    rows = {
        "from frame to frame": flooded["frames"],
        "a task, by the clock": [wall for wall, _ in tasks],
        "a task, the CPU's time": [cpu for _, cpu in tasks],
        "from the network to taken": flooded["taken"],
    }
    return [
        [
            f"{count} messages at {rate} a second, taken in {flooded['seconds']:.1f} s; for each "
            f"{sum(cpu for _, cpu in tasks) / count:.2f} ms of the main thread's CPU time"
        ],
        ["milliseconds", "median", "p95", "longest", f"above {LONG_MS:.0f}"],
        *([what, *summed(times)] for what, times in rows.items()),
    ]


def summed(times: list[float]) -> list[str]:
    above = sum(time > LONG_MS for time in times)
    return [*(f"{quantile(times, part):.1f}" for part in (0.5, 0.95, 1)), str(above)]


@contextmanager
def traced(person: Person, session: CDPSession) -> Iterator[list[tuple[float, float]]]:
    """The tasks of the page's main thread meanwhile: ms by the clock, and ms of CPU time."""
    events: list[dict[str, Any]] = []
    ended: list[object] = []
    tasks: list[tuple[float, float]] = []
    session.on("Tracing.dataCollected", lambda found: events.extend(found["value"]))
    session.on("Tracing.tracingComplete", lambda end: ended.append(end))
    config = {"includedCategories": ["toplevel"]}
    session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
    yield tasks
    session.send("Tracing.end")
    while not ended:
        person.page.wait_for_timeout(100)
    tasks.extend(tasks_in(events))


def tasks_in(events: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Of a trace, the tasks of the page's main thread: of those that are called so, the busiest."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: dict[tuple[int, int], list[tuple[float, float]]] = {main: [] for main in mains}
    for event in events:
        thread = (event["pid"], event["tid"])
        if thread in mains and event["name"] == "ThreadControllerImpl::RunTask" and "tdur" in event:
            tasks[thread].append((event["dur"] / 1000, event["tdur"] / 1000))
    return max(tasks.values(), key=len)


def heap(browser: Browser, url: str, messages: list[int]) -> list[list[str]]:
    """What the page holds after so many messages, as fast as it takes them, and after leaving."""
    with talking(browser, url) as (person, session):
        rows = [["0", *weighed(person, session)]]
        for before, count in pairwise([0, *messages]):
            person.page.evaluate(f"flood({count - before}, 0)")
            rows.append([str(count), *weighed(person, session)])
        person.leaves()
        person.closes()
        rows.append(["left", *weighed(person, session)])
    return [
        ["One conversation, from beginning to end"],
        ["messages", "JavaScript MiB", "buffers MiB", "DOM MiB", "nodes"],
        *rows,
    ]


def weighed(person: Person, session: CDPSession) -> list[str]:
    """A row of what is in use once all garbage is collected."""
    person.page.wait_for_timeout(REST_MS)
    for _ in range(COLLECTIONS):
        session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    sizes = [usage[name] / 2**20 for name in ("usedSize", "backingStorageSize", "embedderHeapUsedSize")]
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    return [*(f"{size:.2f}" for size in sizes), str(nodes)]


if __name__ == "__main__":
    main()
