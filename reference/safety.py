"""The safety number that two people compare (PROTOCOL §8)."""

from typing import Final

from reference import primitives

ROUNDS: Final = 5200

_GROUP_BYTES: Final = 5


def groups(one: bytes, other: bytes) -> tuple[str, ...]:
    """Twelve groups of five digits for two user hashes (32 bytes each), the same in either order."""
    hashes = b"".join(sorted((one, other)))
    x = primitives.sha256(b"quarter/1 safety" + hashes)
    for _ in range(ROUNDS - 1):
        x = primitives.sha256(x + hashes)
    digits = primitives.hkdf(x, b"", b"quarter/1 safety digits", 60)
    return tuple(
        f"{int.from_bytes(digits[at : at + _GROUP_BYTES]) % 100_000:05}"
        for at in range(0, len(digits), _GROUP_BYTES)
    )


def code(groups: tuple[str, ...]) -> str:
    """What the QR code says: "quarter/1 safety " and the 60 digits."""
    return "quarter/1 safety " + "".join(groups)
