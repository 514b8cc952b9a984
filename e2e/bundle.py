"""Pages that Vite builds for tests and measurements alone, and a web server for them on loopback."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
BUILD_SECONDS = 120.0


@contextmanager
def served(config: Path) -> Iterator[str]:
    """Builds what a Vite configuration says, and serves it meanwhile; browsers take the URL for secure."""
    with TemporaryDirectory() as built:
        _build(config, built)
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=built)) as server:
            Thread(target=server.serve_forever).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()


def _build(config: Path, into: str) -> None:
    vite = str(FRONTEND / "node_modules/.bin/vite")
    subprocess.run(
        [vite, "build", "--logLevel", "warn", "--config", str(config), "--outDir", into, "--emptyOutDir"],
        cwd=FRONTEND,
        check=True,
        timeout=BUILD_SECONDS,
    )


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        """In isolation, Chromium's clock has steps of 5 µs instead of 100."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass
