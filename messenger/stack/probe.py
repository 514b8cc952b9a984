"""`python -m messenger.stack.probe [PORT]`: exit code 0 when the server on this machine is ready.

It imports nothing of Django, as a container runs it every few seconds.
"""

import http.client
import os
import sys
from collections.abc import Mapping

TIMEOUT_SECONDS = 3.0


def is_ready(host: str, port: int, environment: Mapping[str, str]) -> bool:
    """Asks GET /readyz, under the first host name that the settings allow."""
    name = environment.get("QUARTER_HOSTS", "").split(",")[0].strip() or "localhost"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz", headers={"Host": name})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    sys.exit(0 if is_ready("127.0.0.1", port, os.environ) else 1)
