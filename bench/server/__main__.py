"""`python -m bench.server [WORKLOAD …]`: what the started server costs, in messages, memory and time.

Each workload starts servers of its own by the command lines of `make run`, pinned to the last core; the
generator, the database and Valkey are pinned to the first. Limits that would end a measurement are raised.
Figures are medians of several rounds. A row with a target of issue 5 says whether it was held; the exit code
is 1 only where something could not be measured.
"""

import argparse
import signal
import sys
import time
from collections.abc import Mapping

from bench.server import generator, machine, plant
from bench.server.logins import logins
from bench.server.options import Options, Workload
from bench.server.others import others
from bench.server.pages import idle, reconnect, restore
from bench.server.rivals import rivals
from bench.server.talking import crowd, dialogue, pace, processes, saturation, stock

ALL = (dialogue, saturation, crowd, rivals, idle, reconnect, restore, others, logins, pace, stock, processes)
WORKLOADS: Mapping[str, Workload] = {each.__name__: each for each in ALL}


def main() -> None:
    summaries = "\n".join(f"  {name:12} {(work.__doc__ or '').strip()}" for name, work in WORKLOADS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench.server",
        description=__doc__,
        epilog=f"workloads:\n{summaries}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which; all without one")
    parser.add_argument("--kind", choices=plant.KINDS, action="append", help="only this server")
    parser.add_argument("--database", choices=plant.DATABASES, action="append", help="only this database")
    parser.add_argument("--quick", action="store_true", help="a few seconds each, to try it out")
    parser.add_argument(
        "--taken-each", action="store_true", help="`taken` of each item, not once of what came at once"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 5")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long a round counts, instead of 5")
    given = parser.parse_args()
    unknown = set(given.workloads) - WORKLOADS.keys()
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    options = Options(
        given.kind or plant.KINDS,
        given.database or plant.DATABASES,
        given.quick,
        given.taken_each,
        given.rounds or (1 if given.quick else 5),
        given.seconds or (1.5 if given.quick else 5.0),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that all that was started ends
    generator.raise_file_limit()
    sys.stdout.write(f"{' '.join(['python -m bench.server', *sys.argv[1:]])}\n{machine.described()}\n\n")
    sys.stdout.flush()
    whole = [_measure(name, options) for name in given.workloads or WORKLOADS]
    sys.exit(0 if all(whole) else 1)


def _measure(name: str, options: Options) -> bool:
    """Prints a workload's tables; whether they are whole."""
    began, is_whole = time.monotonic(), True
    for table in WORKLOADS[name](options):
        sys.stdout.write(f"{table}\n")
        is_whole = is_whole and table.is_whole
    sys.stdout.write(f"({name}: {time.monotonic() - began:.0f} s)\n\n")
    sys.stdout.flush()
    return is_whole


if __name__ == "__main__":
    main()
