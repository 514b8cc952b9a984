"""The HTTP interface keeps to docs/openapi.json, whatever it is asked: schemathesis with all of its checks.

It makes valid and invalid calls from the document alone, sends them to the started server, and judges each
answer by the document. `FUZZ_RUNS=2000 pytest accounts/tests/test_fuzz_api.py` is the large run.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Challenge, Identity, Token
from chat.tests import servers
from messenger.stack import parts
from messenger.tests import fuzz

FEW = 10
#: What stands before Django differs little, so the small run asks one of them.
SERVERS = ["daphne", "uvicorn"] if fuzz.RUNS else ["daphne"]
SEED = "4"
ROOMY = {"QUARTER_LIMIT_LOGINS_PER_MINUTE": "1000000", "QUARTER_LIMIT_IDENTITIES_PER_MINUTE": "1000000"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SERVERS)
def test_every_answer_is_one_that_the_document_names(
    name: parts.ServerName, redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with servers.start(name, redis_url, tmp_path / "data", **ROOMY) as server:
        said = schemathesis(server.url.replace("ws", "http", 1), tmp_path)
    assert re.search(r"(\d+) generated, \1 passed", said), said
    logged = capfd.readouterr().err
    assert re.search(r"\[(error|critical)|Traceback|error=", logged) is None, logged
    assert not Identity.objects.exists()
    assert not Token.objects.exists()
    assert Challenge.objects.exists(), "some calls were good ones"


def schemathesis(url: str, directory: Path) -> str:
    """What it says of the server at `url`; a failure has its seed in it."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", str(settings.BASE_DIR / "docs" / "openapi.json"), "--url", url, "--no-color"),
        *("--header", f"Origin: {servers.ORIGIN}", "--checks", "all", "--continue-on-failure"),
        *("--max-examples", str(fuzz.RUNS or FEW), "--seed", SEED, "--workers", "4"),
    ]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr
