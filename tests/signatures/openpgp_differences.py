"""Every expected difference between gitverify, GnuPG and Sequoia, with its reason.

``docs/openpgp-differences.md`` is these tables: ``python tests/signatures/openpgp_differences.py >
docs/openpgp-differences.md`` writes it, and a test compares it and runs every row against all three.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from openpgp_certificate_differences import CERTIFICATES
from openpgp_signature_differences import SIGNATURES

if TYPE_CHECKING:
    from openpgp_difference import Difference

_HEAD = """\
# Where gitverify, GnuPG and Sequoia differ

All three read the same OpenPGP signatures and certificates. This page lists every case that is known to end
differently; each row is a test against the real GnuPG (2.2, of Debian 12) and Sequoia (pysequoia, by its standard
policy). The page is written by `tests/signatures/openpgp_differences.py`.

## Signatures

Over a commit, by a key whose certificate is at hand. Git shows a signature as good where gpg says just "good".

| signature | gitverify | GnuPG | Sequoia | why |
| --- | --- | --- | --- | --- |
"""

_MIDDLE = """
The Guix dialect takes keys of every size, and SHA-224; on commits from before the channel had its file also SHA-1. Like
Guix it does not take text signatures, ECDSA, version 6, or SHA-3. What is said above of form holds in it too, where
Guix is less strict: it looks at the first packet only, takes version 3 and RIPEMD-160, and does not ask for a creation
time. It would refuse an armor without a checksum, which we take.

## Certificates

Of a good signature, by a policy that lists the primary key and says `expired_keys: refuse`. Without that, expiry is not
asked for. The Guix dialect asks none of this (R12).

| certificate | gitverify | GnuPG | Sequoia | why |
| --- | --- | --- | --- | --- |
"""

_TAIL = """
Signatures by others count for nothing, so there are no designated revokers. What takes away (a revocation, an expiry)
counts with SHA-1 and with a weak key; a reason for revocation that is not known counts as a hard one.
"""


def render() -> str:
    """The whole page."""
    return _HEAD + _rows(SIGNATURES) + _MIDDLE + _rows(CERTIFICATES) + _TAIL


def _rows(differences: list[Difference]) -> str:
    def code(answer: str) -> str:
        return f"`{answer}`" if answer.endswith("-signature") else answer

    return "".join(
        f"| {row.what} | {code(row.gitverify)} | {row.gpg} | {row.sequoia} | {row.reason} |\n" for row in differences
    )


if __name__ == "__main__":
    sys.stdout.write(render())
