"""RSA keys of four primes (RFC 8017 §3.2), because they sign three times as fast as those of two.

Their public keys are like any other, and checking a signature takes as long. OpenSSL's exponentiation is called
directly, as ``cryptography`` has no such keys; where there is no such library, Python's own takes its place.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
from math import prod
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # From a number to its powers modulo two primes.
    PairOfPowers = Callable[[int], tuple[int, int]]

EXPONENT = 65537
BITS = 4096
_PRIME_SIZE = BITS // 4 // 8  # octets

# RFC 8017 §9.2, note 1: what stands before the digest.
_DIGEST_INFO = {
    "SHA256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "SHA512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


def make_primes() -> list[int]:
    """Return four primes whose product has 4096 bits."""
    while True:
        pairs = [rsa.generate_private_key(EXPONENT, BITS // 2).private_numbers() for _ in range(2)]
        primes = [prime for pair in pairs for prime in (pair.p, pair.q)]
        if prod(primes).bit_length() == BITS:
            return primes


class MultiPrimeKey:
    """A private key of four primes."""

    def __init__(self, primes: Sequence[int]) -> None:
        self.modulus = prod(primes)
        others = [self.modulus // prime for prime in primes]
        self._shares = [other * pow(other, -1, prime) for other, prime in zip(others, primes, strict=True)]
        self._powers = [pair_of_powers(*primes[:2]), pair_of_powers(*primes[2:])]

    def sign(self, data: bytes, digest: str) -> int:
        """Sign as RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.1), by the Chinese remainder theorem."""
        info = _DIGEST_INFO[digest] + hashlib.new(digest, data).digest()
        block = int.from_bytes(b"\0\1" + b"\xff" * (BITS // 8 - 3 - len(info)) + b"\0" + info, "big")
        parts = [part for powers in self._powers for part in powers(block)]
        return sum(part * share for part, share in zip(parts, self._shares, strict=True)) % self.modulus


def pair_of_powers(p: int, q: int) -> PairOfPowers:
    """Return what raises a number to the private exponent modulo both primes at once, which makes OpenSSL fast."""
    d, e = pow(EXPONENT, -1, p - 1), pow(EXPONENT, -1, q - 1)
    library = _library()
    if library is None:
        return lambda number: (pow(number, d, p), pow(number, e, q))

    def big(number: int) -> int:
        return library.BN_bin2bn(number.to_bytes(_PRIME_SIZE, "big"), _PRIME_SIZE, None)

    context, left, right = library.BN_CTX_new(), library.BN_new(), library.BN_new()
    modulo_p, modulo_q = (big(d), big(p), None), (big(e), big(q), None)
    out = ctypes.create_string_buffer(_PRIME_SIZE)

    def small(result: int) -> int:
        library.BN_bn2binpad(result, out, _PRIME_SIZE)
        return int.from_bytes(out.raw, "big")

    def powers(number: int) -> tuple[int, int]:
        base_p, base_q = big(number % p), big(number % q)
        library.BN_mod_exp_mont_consttime_x2(left, base_p, *modulo_p, right, base_q, *modulo_q, context)
        library.BN_free(base_p)
        library.BN_free(base_q)
        return small(left), small(right)

    return powers


def _library() -> Any:
    """Load OpenSSL's library, if there is one that has what is wanted: since version 3.0."""
    name = ctypes.util.find_library("crypto")
    try:
        library = ctypes.CDLL(name) if name else None
        both = library.BN_mod_exp_mont_consttime_x2
    except (OSError, AttributeError):
        return None
    number, octets = ctypes.c_void_p, ctypes.c_char_p
    for function in (library.BN_new, library.BN_CTX_new, library.BN_bin2bn):
        function.restype = number
    library.BN_bin2bn.argtypes = [octets, ctypes.c_int, number]
    library.BN_bn2binpad.argtypes = [number, octets, ctypes.c_int]
    library.BN_free.argtypes = [number]
    both.argtypes = [number] * 11
    return library
