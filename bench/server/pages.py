"""Pages that wait, come back, and read all again: what an open page costs, and how soon all are there."""

import time
from collections.abc import Iterator
from statistics import median

from bench.server import cpu, page_rounds, rounds
from bench.server.figures import Table, Target, quantile
from bench.server.generator import generator, raise_file_limit
from bench.server.options import Options
from bench.server.plant import plant

#: Files that the server and the generator have beside their sockets.
OTHER_FILES = 200


def idle(options: Options) -> Iterator[Table]:
    """The server's memory with 2,000 and 5,000 idle pairs: for the receive socket, and for the other."""
    table = Table(
        "Idle users: the server's memory in KiB for each; a page opens its send socket while it writes",
        ("", "server, MiB", "receive socket", "send socket", "target", ""),
    )
    limit = raise_file_limit() - OTHER_FILES
    for kind in options.kinds:
        for pairs in (200, 500) if options.quick else (2_000, 5_000):
            with table.attempt(kind), plant(kind, options.databases[0]) as running, generator() as ask:
                load = rounds.Pages(running.people(pairs))
                senders = min(2 * pairs, limit - 2 * pairs)
                found = ask(page_rounds.idle, load, running.processes[0].pid, senders)
                table.add(
                    f"{kind}: {pairs:,} pairs",
                    found.before / 1024,
                    found.receiving / (2 * pairs),
                    found.sending / senders,
                    target=Target(most=30.0),
                    value=found.receiving / (2 * pairs),
                )
                if senders < 2 * pairs:
                    table.notes.append(
                        f"{kind}: {senders:,} send sockets; a process may open {limit:,} files."
                    )
    yield table


def reconnect(options: Options) -> Iterator[Table]:
    """A restart of the server under 2,000 and 5,000 pages: time until all are caught up."""
    table = Table(
        "A restart of the server with SIGTERM; each page comes back with its receive socket, as who has "
        "nothing to say does (pauses of 0.25 to 4 s): seconds from the signal",
        ("", "server ready", "half are back", "99 %", "all", "tries", "server's CPU s", "target", ""),
    )
    for kind, database in options.setups:
        for pages in (200, 500) if options.quick else (2_000, 5_000):
            with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
                load = rounds.Pages(running.people(pages // 2))
                returning = ask.soon(page_rounds.reconnect, load, running.processes[0].pid)
                running.wait_for_end(returning.done)
                running.start()
                ready_at = time.monotonic()
                found = returning.result()
                back = [at - found.ended_at for at in found.back_at]
                table.add(
                    f"{kind}, {database}: {pages:,} pages",
                    ready_at - found.ended_at,
                    median(back),
                    quantile(back, 0.99),
                    max(back),
                    found.tries,
                    cpu.of_family(running.processes[0].pid),
                    target=Target(most=10.0),
                    value=max(back),
                )
    yield table


def restore(options: Options) -> Iterator[Table]:
    """A page that reads a conversation of 2,000 messages again."""
    items = 2_000
    table = Table(
        f"A page reads {items:,} messages of 1 KiB again, taking each as it comes",
        ("", "seconds", "messages/s", "server's CPU-ms"),
    )
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            [talk] = running.people(1)
            running.write("fill", talk.session, str(items))
            load = rounds.Pages([talk], options.taken_each)
            found = [ask(page_rounds.restore, load, running.families, items) for _ in range(options.rounds)]
            seconds = median(each.seconds for each in found)
            used = 1000 * median(each.cpu["server"] for each in found)
            table.add(f"{kind}, {database}", seconds, items / seconds, used)
    yield table
