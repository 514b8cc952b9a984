"""The development key: made on first use, kept in the data directory, readable by its owner only."""

import os
import secrets
from pathlib import Path

NAME = "secret-key"


def read_or_make(directory: Path) -> str:
    """The key's text (86 characters).

    Several processes may start at once: the first to link its file wins.
    """
    path = directory / NAME
    if not path.exists():
        _make(path)
    return path.read_text().strip()


def _make(path: Path) -> None:
    draft = path.with_name(f"{NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
