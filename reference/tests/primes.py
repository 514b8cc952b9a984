"""Many RSA keys for little: the primes of a few, in all pairs. For tests alone: such keys are no secrets."""

import itertools
import threading
from collections.abc import Iterator
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from reference.identity import Identity
from reference.primitives import EXPONENT

KEYS = 8

_lock = threading.Lock()  # a client makes its key in a thread


def unsafe_identity() -> Identity:
    """An identity that nobody else has in this run; after a hundred and twenty of them an honest one."""
    with _lock:
        return next(_pairs()) or Identity.generate()


def unsafe_identities(keys: int = KEYS) -> Iterator[Identity]:
    """Identities of the primes of so many honest keys: all (2 · keys)(2 · keys − 1) / 2 pairs of them."""
    made = [rsa.generate_private_key(EXPONENT, 3072).private_numbers() for _ in range(keys)]
    primes = [prime for key in made for prime in (key.p, key.q)]
    return (_identity(p, q) for p, q in itertools.combinations(primes, 2))


@cache
def _pairs() -> Iterator[Identity | None]:
    return itertools.chain(unsafe_identities(), itertools.repeat(None))


def _identity(p: int, q: int) -> Identity:
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return Identity._of(numbers.private_key(unsafe_skip_rsa_key_validation=True))
