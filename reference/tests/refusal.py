"""What a test says of a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference.errors import ProtocolError


@contextmanager
def refused(code: str) -> Iterator[None]:
    """This is refused, under this name."""
    with pytest.raises(ProtocolError) as refusal:
        yield
    assert refusal.value.code == code
