"""Makes one ProVerif file for each query from a template and a set of flags, and runs it.

    python docs/formal/prove.py handshake NAME FLAG,FLAG|- QUERY,QUERY|all [seconds]
    python docs/formal/prove.py ratchet   NAME FLAG,FLAG|- QUERY,QUERY|all [seconds]

PROVERIF names the program (2.05). A template's line with (*+F*) in front stands only where flag F is on,
one with (*-F*) only where it is off. README.md, beside this file, says what each query and flag means.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

HERE = Path(__file__).parent
FLAG = re.compile(r"^(\s*)\(\*([+-])(\w+)\*\)(.*)$")

SESSION = "hI: bitstring, hR: bitstring, sid: bitstring, root: bitstring, psk: bitstring"
OTHER = "hI2: bitstring, hR2: bitstring, sid2: bitstring, psk2: bitstring"
MESSAGE = "hI: bitstring, hR: bitstring, sid: bitstring, psk: bitstring, m: bitstring"
TIMES = "i: time, j: time, k: time"

ACCEPTED_I = "event(IAccept(hI,hR,sid,root,psk))"
ACCEPTED_R = "event(RAccept(hI,hR,sid,root,psk))"
ACCEPTED_R2 = "event(RAccept(hI2,hR2,sid2,root,psk2))"
ANSWERED_R = "event(RAnswer(hI,hR,sid,root,psk))"
BOTH_RSA = "event(CompRSA(hR))@j && event(CompRSA(hI))@k"


def query(body: str, *variables: str) -> str:
    return f"query {', '.join(variables)};\n  {body}."


def stolen(who: str) -> str:
    """That side's RSA key was stolen before, and the link's secret too where there was one."""
    rsa = f"event(CompRSA({who}))@j"
    secret = "event(CompSecret(psk))@k"
    return f"({rsa} && psk = zero && j < i) || ({rsa} && {secret} && j < i && k < i)"


SECRET_STOLEN = "event(CompSecret(psk))@k && k < i"
ALL_STOLEN = f"({BOTH_RSA} && psk = zero) || ({BOTH_RSA} && event(CompSecret(psk))@l)"

HANDSHAKE = {
    "reach_IAccept": query(ACCEPTED_I, SESSION),
    "reach_RAccept": query(ACCEPTED_R, SESSION),
    "reach_RGot": query("event(RGot(hI,hR,sid,psk,m))", MESSAGE),
    "reach_IGot": query("event(IGot(hI,hR,sid,psk,m))", MESSAGE),
    "A_owner_auth_inj": query(
        f"inj-{ACCEPTED_I}@i && event(User(hR)) ==> inj-{ANSWERED_R} || {stolen('hR')}", SESSION, TIMES
    ),
    "B_guest_auth_inj": query(
        f"inj-{ACCEPTED_R}@i && event(User(hI)) ==> inj-{ACCEPTED_I} || {stolen('hI')}", SESSION, TIMES
    ),
    "C_invite_only_holder": query(
        f"inj-{ACCEPTED_R}@i && event(Link(psk))"
        f" ==> (inj-{ACCEPTED_I} && event(User(hI))) || ({SECRET_STOLEN})",
        SESSION,
        TIMES,
    ),
    "D_root_secret_I": query(
        f"attacker(root) phase 1 && {ACCEPTED_I}@i && event(User(hR)) ==> {stolen('hR')}", SESSION, TIMES
    ),
    "E_root_secret_R": query(
        f"attacker(root) phase 1 && {ACCEPTED_R}@i && event(User(hI)) ==> {stolen('hI')}", SESSION, TIMES
    ),
    "E2_root_secret_R_invite": query(
        f"attacker(root) phase 1 && {ACCEPTED_R}@i && event(Link(psk)) ==> {SECRET_STOLEN}", SESSION, TIMES
    ),
    "F1_m1_secret": query(
        f"attacker(m) phase 1 && event(M1(m,hI,hR,psk,sid))@i && event(User(hR)) ==> {stolen('hR')}",
        MESSAGE,
        TIMES,
    ),
    "F2_m2_secret": query(
        f"attacker(m) phase 1 && event(M2(m,hI,hR,psk,sid))@i && event(User(hI)) ==> {stolen('hI')}",
        MESSAGE,
        TIMES,
    ),
    "G_no_UKS": query(
        f"{ACCEPTED_I} && {ACCEPTED_R2} ==> hI = hI2 && hR = hR2 && sid = sid2 && psk = psk2", SESSION, OTHER
    ),
    "H_root_once": query(f"{ACCEPTED_R}@i && {ACCEPTED_R2}@j ==> i = j", SESSION, OTHER, "i: time, j: time"),
    "J1_m1_auth_inj": query(
        "inj-event(RGot(hI,hR,sid,psk,m))@i && event(User(hI)) ==> inj-event(ISent(sid,m)) || "
        + stolen("hI"),
        MESSAGE,
        TIMES,
    ),
    "J2_m2_auth_inj": query(
        "inj-event(IGot(hI,hR,sid,psk,m))@i && event(User(hR)) ==> inj-event(RSent(sid,m)) || "
        + stolen("hR"),
        MESSAGE,
        TIMES,
    ),
    "K_kem_broken_I": query(
        f"attacker(root) && {ACCEPTED_I}@i && event(User(hR)) ==> {stolen('hR')} || {ALL_STOLEN}",
        SESSION,
        TIMES,
        "l: time",
    ),
    "K_kem_broken_R": query(
        f"attacker(root) && {ACCEPTED_R}@i && event(User(hI)) ==> {stolen('hI')} || {ALL_STOLEN}",
        SESSION,
        TIMES,
        "l: time",
    ),
    "N_offer_answered_once": query(
        f"inj-{ANSWERED_R}@i && event(User(hI))"
        " ==> inj-event(IOffer(hI,hR,sid)) || (event(CompRSA(hI))@j && j < i)",
        SESSION,
        TIMES,
    ),
    "O_invite_answer_from_holder": query(
        f"inj-{ANSWERED_R}@i && event(Link(psk)) ==> inj-event(IOffer(hI,hR,sid)) || ({SECRET_STOLEN})",
        SESSION,
        TIMES,
    ),
}

RATCHET = {
    **{f"secret_{m}": f"query attacker({m})." for m in ("m1", "m1b", "m1c", "m2", "m3", "m4")},
    "agree_all": query(
        "inj-event(Got(f,n,m)) ==> inj-event(Sent(f,n,m))", "f: bitstring, n: bitstring, m: bitstring"
    ),
    "reach_m4": "query event(Got(fromR,n1,m4)).",
}

MODELS = {"handshake": HANDSHAKE, "ratchet": RATCHET}


def render(model: str, flags: Collection[str], query: str) -> str:
    """The ProVerif source of one query in one variant of a model."""
    template = (HERE / f"{model}.tpl").read_text()
    lines = (_reduce(line, flags) for line in template.split("\n"))
    return "\n".join(line for line in lines if line is not None).replace("(*QUERIES*)", query)


def _reduce(line: str, flags: Collection[str]) -> str | None:
    """The line without the flags in front of it; None where one of them leaves it out."""
    while match := FLAG.match(line):
        indent, sign, flag, rest = match.groups()
        if (flag in flags) != (sign == "+"):
            return None
        line = indent + rest
    return line


def prove(model: str, flags: Collection[str], name: str, seconds: float) -> Iterator[str]:
    """ProVerif's result lines for the query of this name."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / f"{name}.pv"
        source.write_text(render(model, flags, MODELS[model][name]))
        command = [os.environ.get("PROVERIF", "proverif"), str(source)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            yield f"TIMEOUT after {seconds:.0f}s"
            return
    results = [line for line in done.stdout.split("\n") if line.startswith("RESULT")]
    yield from results or [f"NO RESULT {(done.stdout + done.stderr)[-200:]}"]


def main(model: str, name: str, flags: str, queries: str, seconds: str = "300") -> None:
    chosen = MODELS[model] if queries == "all" else queries.split(",")
    for query_name in chosen:
        began = time.monotonic()
        for line in prove(model, set(flags.split(",")) - {"-"}, query_name, float(seconds)):
            print(f"[{name}] {query_name} ({time.monotonic() - began:.1f}s): {line}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6) or sys.argv[1] not in MODELS:
        sys.exit(__doc__)
    main(*sys.argv[1:])
