"""Keys and shares that X-Wing or section 3 must refuse."""

from typing import Final

LOW_ORDER: Final = {
    "zero": bytes(32),
    "one": b"\x01" + bytes(31),
    "of order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "also of order 8": bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    "p - 1": bytes.fromhex("ec" + "ff" * 30 + "7f"),
    "p": bytes.fromhex("ed" + "ff" * 30 + "7f"),
    "p + 1": bytes.fromhex("ee" + "ff" * 30 + "7f"),
    "zero, its top bit set": bytes(31) + b"\x80",
}
"""X25519 shares that give zero with every private key (RFC 7748 §6.1; the list is Bernstein's)."""

Q: Final = 3329


def with_coefficient(ek: bytes, value: int) -> bytes:
    """The encapsulation key with another first ML-KEM coefficient: 12 bits, little end first (FIPS 203)."""
    first = int.from_bytes(ek[:2], "little") & 0xF000 | value
    return first.to_bytes(2, "little") + ek[2:]


def with_share(joined: bytes, share: bytes) -> bytes:
    """An encapsulation key or ciphertext with another X25519 share, its last 32 bytes."""
    return joined[:-32] + share


def flipped(data: bytes, at: int, mask: int = 0x01) -> bytes:
    """The same bytes but for one, in which the bits of the mask are flipped."""
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)
