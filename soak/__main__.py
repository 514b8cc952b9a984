"""`python -m soak`: people talk on a real plant while its parts are hurt; afterwards nothing may be missing.

The seeds run one after the other, or all at once. The exit code is 1 where a promise was broken; what is
printed then has the command that runs it again.
"""

import argparse
import asyncio
import sys
from contextlib import nullcontext
from typing import get_args

from messenger.stack import parts
from soak.faults import FAULTS
from soak.hosts import HERE, Host, Missing, two_hosts
from soak.plant import Database
from soak.run import Options, Verdict, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="SEED")
    parser.add_argument("--at-once", action="store_true", help="all seeds side by side")
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=40.0, help="messages a second, of all together")
    parser.add_argument("--database", choices=get_args(Database), default="sqlite")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--kind", choices=get_args(parts.ServerName), default="daphne")
    parser.add_argument("--fault", action="append", default=[], choices=[fault.name for fault in FAULTS])
    parser.add_argument("--disk", action="store_true", help="data on a small disk of its own (root)")
    parser.add_argument("--clock", action="store_true", help="servers with a clock that moves (libfaketime)")
    parser.add_argument("--loss", type=int, default=0, help="percent of packets lost between hosts (root)")
    given = parser.parse_args()
    runs = [
        Options(
            seed,
            given.conversations,
            given.seconds,
            given.rate,
            given.database,
            given.servers,
            given.kind,
            tuple(given.fault),
            given.disk,
            given.clock,
            given.loss,
        )
        for seed in given.seeds
    ]
    try:
        with two_hosts(given.loss) if given.loss else nullcontext(HERE) as host:
            verdicts = asyncio.run(_run_all(runs, host, given.at_once))
    except Missing as missing:
        sys.exit(str(missing))
    return 1 if any(verdict.wrongs for verdict in verdicts) else 0


async def _run_all(runs: list[Options], host: Host, at_once: bool) -> list[Verdict]:
    if at_once:
        verdicts = await asyncio.gather(*(run(options, host) for options in runs))
        for verdict in verdicts:
            _say(verdict)
        return list(verdicts)
    verdicts = []
    for options in runs:
        verdicts.append(await run(options, host))
        _say(verdicts[-1])
    return verdicts


def _say(verdict: Verdict) -> None:
    sys.stdout.write(f"{verdict}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
