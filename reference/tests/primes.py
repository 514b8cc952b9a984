"""Many RSA keys for little: eight keys' primes, in all their pairs. For tests alone: such keys are no secrets."""

import itertools
from collections.abc import Iterator
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from reference.identity import Identity
from reference.primitives import EXPONENT

KEYS = 8


@cache
def _primes() -> list[int]:
    keys = [rsa.generate_private_key(EXPONENT, 3072).private_numbers() for _ in range(KEYS)]
    return [prime for key in keys for prime in (key.p, key.q)]


def _key(p: int, q: int) -> Identity:
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return Identity._of(numbers.private_key(unsafe_skip_rsa_key_validation=True))


@cache
def unsafe_identities() -> Iterator[Identity]:
    """A hundred and twenty identities, and then fresh ones. Each comes once in a run."""
    pairs = (_key(p, q) for p, q in itertools.combinations(_primes(), 2))
    fresh = (Identity.generate() for _ in itertools.count())
    return itertools.chain(pairs, fresh)
