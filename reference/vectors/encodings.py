"""All that has one right form: texts, keys, addresses, padding, contents, X-Wing's inputs, safety numbers."""

import json
from collections.abc import Iterator

from reference import b64u, content, identity, kem, padding, safety
from reference.content import Name, Text
from reference.errors import ProtocolError
from reference.identity import Identity
from reference.vectors import contents, flaws, shapes
from reference.vectors.shapes import Json

HASH, SECRET = bytes(range(32)), bytes(range(100, 116))
GREATEST, LEAST = b"\xff" * 384, b"\x80" + bytes(382) + b"\x01"


def make() -> Json:
    """All of them."""
    someone = Identity.generate().modulus
    return {
        "format": 1,
        "thumbprints": [shapes.public_key(modulus) for modulus in (someone, GREATEST, LEAST)],
        "keys": [{"name": name, "jwk": jwk, "code": code} for name, jwk, code in _keys(someone)],
        "b64u": list(_texts_of_bytes()),
        "addresses": list(_addresses()),
        "padme": [{"length": length, "padded": padding.padme(length)} for length in _lengths()],
        "contents": list(_contents()),
        "texts": list(_texts()),
        "typing": [{"name": name, "frame": frame.hex(), "on": on} for name, frame, on in contents.typing()],
        "kem": list(_kem()),
        "safety": list(_safety(someone)),
    }


def _keys(modulus: bytes) -> Iterator[tuple[str, Json, str | None]]:
    n = b64u.encode(modulus)
    right: dict[str, Json] = {"e": "AQAB", "kty": "RSA", "n": n}
    yield "right", right, None
    yield "in another order", {"n": n, "kty": "RSA", "e": "AQAB"}, None
    yield "the greatest modulus", {**right, "n": b64u.encode(GREATEST)}, None
    yield "the least modulus", {**right, "n": b64u.encode(LEAST)}, None
    others: list[tuple[str, Json]] = [
        ("null", None),
        ("true", True),
        ("its modulus alone", n),
        ("in a list", [right]),
        ("empty", {}),
        ("n in a list", {**right, "n": [n]}),
    ]
    for name, other in others:
        yield name, other, "jwk"
    for member in right:
        yield f"no {member}", {key: value for key, value in right.items() if key != member}, "jwk"
    more: list[tuple[str, Json]] = [("alg", "RSA-OAEP-256"), ("ext", True), ("key_ops", []), ("d", "AQAB")]
    for member, value in more:
        yield f"{member} beside it", {**right, member: value}, "jwk"
    changed: list[tuple[str, Json]] = [
        ("kty", "rsa"),
        ("kty", "EC"),
        ("kty", None),
        ("e", "Aw"),
        ("e", "AAEAAQ"),
        ("e", "AQAB="),
        ("e", "AQABAA"),
        ("e", 65537),
        ("n", 1),
        ("n", None),
    ]
    for member, value in changed:
        yield f"{member} is {json.dumps(value)}", {**right, member: value}, "jwk"
    for name, text in (
        ("padded", n + "="),
        ("with a blank", f"{n} "),
        ("with a +", "+" + n[1:]),
        ("cut off", n[:-3]),
    ):
        yield f"n {name}", {**right, "n": text}, "base64url"
    for name, bad in (
        ("empty", b""),
        ("of 2048 bits", modulus[:255] + b"\x01"),
        ("a byte short", modulus[1:]),
        ("a zero in front", b"\0" + modulus),
        ("a byte long", b"\x80" + modulus),
        ("even", flaws.flipped(modulus, -1)),
        ("its top bit clear", flaws.flipped(modulus, 0, 0x80)),
        ("zero", bytes(384)),
    ):
        yield f"n {name}", {**right, "n": b64u.encode(bad)}, "modulus"


def _texts_of_bytes() -> Iterator[Json]:
    right = ["", "AA", "AAA", "AAAA", "_-8", "-_-_", b64u.encode(HASH), b64u.encode(SECRET)]
    wrong = [
        "A",
        "AAAAA",
        "AA=",
        "AA==",
        "AAA=",
        "=",
        "AB",
        "Af",
        "A_",
        "AAB",
        "AA-",
        "+A",
        "/A",
        "A A",
        " AA",
        "AA\n",
    ]
    wrong += [
        "AA\0",
        "A.A",
        "A%41",
        "é",
        "АА",
        "\uff21\uff21",
        b64u.encode(HASH) + "=",
        b64u.encode(HASH)[:-1] + "9",
    ]
    for text in right:
        yield {"text": text, "bytes": b64u.decode(text).hex(), "code": None}
    for text in wrong:
        yield {"text": text, "bytes": None, "code": "base64url"}


def _addresses() -> Iterator[Json]:
    hash, secret = b64u.encode(HASH), b64u.encode(SECRET)
    for text in (
        f"https://quarter.example/#{hash}.{secret}",
        f"http://localhost:8000/#{hash}.{secret}",
        f"https://[::1]:8443/#{hash}.{secret}",
        f"#{hash}.{secret}",
        f"{hash}.{secret}",
        f"  {hash}.{secret}\n",
        f"\u00a0HTTPS://QUARTER.example/any?thing#{hash}.{secret}",
        f"https://quarter.example/#{hash[:20]}\n    {hash[20:]}.\t{secret[:9]} {secret[9:]}\r\n",
    ):
        yield {"text": text, "hash": HASH.hex(), "secret": SECRET.hex(), "code": None}
    for text in (f"https://quarter.example/#{hash}", f"#{hash}", hash, f"\t{hash} "):
        yield {"text": text, "hash": HASH.hex(), "secret": None, "code": None}
    for text in (
        "",
        " ",
        "#",
        ".",
        "hello",
        "https://quarter.example/",
        "https://quarter.example/#",
        f"https://quarter.example/{hash}.{secret}",
        hash[:-1],
        hash + "A",
        hash + "=",
        hash[:-1] + "9",
        "+" + hash[1:],
        f"##{hash}",
        f"#{hash}#{secret}",
        f"#{hash}.",
        f"#{hash}..{secret}",
        f"#{hash}.{secret}.",
        f"#{hash}.{secret}.{secret}",
        f"#{hash}.{secret}#",
        f"#{hash}.{secret[:-1]}",
        f"#{hash}.{secret}A",
        f"#{hash}.{secret}==",
        f"#{hash}.{secret[:-1]}x",
        f"#{hash}.{hash}",
        f"#{secret}.{hash}",
        f"#.{secret}",
        f"#{hash},{secret}",
        f"quarter.example/#{hash}.{secret}",
        f"ftp://quarter.example/#{hash}.{secret}",
        f"https://#{hash}.{secret}",
        f"\ufeff#{hash}.{secret}",
        f"#{hash}\u000b.{secret}",
        f"#{hash}\u2003.{secret}",
    ):
        yield {"text": text, "hash": None, "secret": None, "code": "address"}


def _lengths() -> Iterator[int]:
    for exponent in (8, 9, 10, 14, 15, 16, 17, 20, 24, 31, 32, 40):
        yield from (
            2**exponent,
            2**exponent + 1,
            2**exponent + 2 ** (exponent - 1) + 1,
            2 ** (exponent + 1) - 1,
        )
    yield from (25 * 2**20, 1_000_000)


def _contents() -> Iterator[Json]:
    for name, frame, members in contents.readable():
        yield {"name": name, "frame": frame.hex(), "content": shapes.jsonable(members)}
    for name, frame in contents.unreadable():
        yield {"name": name, "frame": frame.hex(), "content": None}


def _texts() -> Iterator[Json]:
    for name, one in (
        ("empty", Text(5, 2, text="")),
        ("a reply", Text(5, 2, text="hi", reply=Name(1, 7))),
        ("16,384 bytes", Text(5, 2, text="x" * 16_384)),
        ("8,192 characters of two bytes", Text(5, 2, text="é" * 8_192)),
        ("4,096 characters of four bytes", Text(5, 2, text="💬" * 4_096)),
        ("16,385 bytes", Text(5, 2, text="x" * 16_385)),
        ("8,193 characters of two bytes", Text(5, 2, text="é" * 8_193)),
        ("half of a surrogate pair", Text(5, 2, text="\udcac")),
        ("U+FEFF first", Text(5, 2, text="\ufeffhi")),
        ("U+FEFF later", Text(5, 2, text="hi\ufeff")),
    ):
        frame, code = None, None
        try:
            frame = content.write(one)
        except ProtocolError as error:
            code = error.code
        yield {"name": name, "content": shapes.members(one), "frame": shapes.optional(frame), "code": code}


def _kem() -> Iterator[Json]:
    def decapsulated(name: str, ct: bytes) -> Json:
        ss, code = None, None
        try:
            ss = kem.decapsulate(dk, ct)
        except ProtocolError as error:
            code = error.code
        return {
            "name": name,
            "seed": dk.hex(),
            "ek": ek.hex(),
            "ct": ct.hex(),
            "ss": shapes.optional(ss),
            "code": code,
        }

    def encapsulated(name: str, ek: bytes, code: str | None) -> Json:
        return {"name": name, "seed": None, "ek": ek.hex(), "ct": None, "ss": None, "code": code}

    ek, dk = kem.generate()
    ct, _ = kem.encapsulate(ek)
    two = (2).to_bytes(32, "little")
    yield decapsulated("right", ct)
    yield decapsulated("ct_M changed: implicit rejection", flaws.flipped(ct, 0))
    yield decapsulated("ct_X changed", flaws.flipped(ct, -32))
    yield decapsulated("ct_X with its top bit set", flaws.flipped(ct, -1, 0x80))
    yield decapsulated("ct_X = 2", flaws.with_share(ct, two))
    yield decapsulated("ct_X = p + 2, which is 2", flaws.with_share(ct, (2**255 - 17).to_bytes(32, "little")))
    for name, share in flaws.LOW_ORDER.items():
        yield decapsulated(f"ct_X of low order: {name}", flaws.with_share(ct, share))
    for length in (0, 1088, 1119):
        yield decapsulated(f"ct of {length} bytes", ct[:length])
    yield decapsulated("ct of 1121 bytes", ct + b"\0")
    yield encapsulated("to a right key", ek, None)
    yield encapsulated("to a coefficient of q - 1", flaws.with_coefficient(ek, flaws.Q - 1), None)
    yield encapsulated("to a share with its top bit set", flaws.flipped(ek, -1, 0x80), None)
    yield encapsulated("to a share of 2", flaws.with_share(ek, two), None)
    for value in (flaws.Q, 0xFFF):
        yield encapsulated(f"to a coefficient of {value}", flaws.with_coefficient(ek, value), "kem")
    for name, share in flaws.LOW_ORDER.items():
        yield encapsulated(f"to a low-order share: {name}", flaws.with_share(ek, share), "kem")
    for length in (0, 1184, 1215):
        yield encapsulated(f"to a key of {length} bytes", ek[:length], "kem")
    yield encapsulated("to a key of 1217 bytes", ek + b"\0", "kem")


def _safety(modulus: bytes) -> Iterator[Json]:
    someone = identity.thumbprint(modulus)
    for a, b in (
        (HASH, someone),
        (someone, HASH),
        (b"\x80" + bytes(31), b"\x7f" * 32),
        (bytes(32), b"\xff" * 32),
    ):
        groups = safety.groups(a, b)
        yield {"a": a.hex(), "b": b.hex(), "groups": groups, "code": safety.code(groups)}
