"""Every expected difference between gitverify and ssh-keygen, with its reason.

``docs/ssh-differences.md`` is this table: ``python tests/signatures/ssh_differences.py > docs/ssh-differences.md``
writes it, and a test compares it and runs every row against both programs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fixtures.lib.sshwriter import (
    Ed25519,
    Rsa,
    SkEcdsa,
    SkEd25519,
    Writer,
    armor,
    certificate,
    envelope,
    mpint,
    rsa_with_exponent,
    sshsig,
    string,
    to_be_signed,
    webauthn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nhello\n"


_ALICE = Ed25519("alice")


@dataclass(frozen=True)
class SignatureDifference:
    """A signature that ``ssh-keygen -Y check-novalidate -n git`` takes; ``code`` is gitverify's refusal."""

    what: str
    code: str
    reason: str
    text: Callable[[], bytes]


@dataclass(frozen=True)
class SignersDifference:
    """An allowed signers file over which git (ssh-keygen) and gitverify disagree about a good signature.

    ``file`` is made for the signing key. ``git`` and ``gitverify``: whether each takes the signature, or ``"refused"``
    where the whole file is.
    """

    what: str
    git: str
    gitverify: str
    reason: str
    file: Callable[[Writer], bytes]
    key: Writer = _ALICE


def _long_exponent() -> bytes:
    public, made = rsa_with_exponent("alice", 2**80 + 7, to_be_signed(PAYLOAD))
    return sshsig(_ALICE, PAYLOAD, public=public, signature=made)


def _small_order() -> bytes:
    """With the neutral element as key and R, and S = 0, the equation of RFC 8032 §5.1.7 holds for every message."""
    neutral = b"\1" + b"\0" * 31
    made = string(b"ssh-ed25519") + string(neutral + b"\0" * 32)
    return sshsig(_ALICE, PAYLOAD, public=string(b"ssh-ed25519") + string(neutral), signature=made)


def _overlong_rsa() -> Rsa:
    key = Rsa("alice")
    numbers = key.private.public_key().public_numbers()
    overlong = replace(key)
    overlong.__dict__["blob"] = string(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n, zeros=1)
    return overlong


def _certificate() -> bytes:
    public = certificate(_ALICE, Ed25519("authority"), b"alice")
    return sshsig(_ALICE, PAYLOAD, public=public)


def _webauthn() -> bytes:
    key = SkEcdsa("alice")
    return sshsig(key, PAYLOAD, signature=webauthn(key, to_be_signed(PAYLOAD)))


SIGNATURES = [
    SignatureDifference(
        "a security key signed without its user being present",
        "bad-signature",
        "R9 asks for presence: malware on the machine could have asked the token silently. ssh-keygen leaves that "
        "check to its caller, and git does not make it.",
        lambda: sshsig(SkEd25519("alice", flags=0), PAYLOAD),
    ),
    SignatureDifference(
        "the same, with an ECDSA security key",
        "bad-signature",
        "As above.",
        lambda: sshsig(SkEcdsa("alice", flags=0), PAYLOAD),
    ),
    SignatureDifference(
        "an RSA key of 1024 bits",
        "weak-signature",
        "R9 asks for 2048 bits; OpenSSH's limit is 1024.",
        lambda: sshsig(Rsa("alice", bits=1024), PAYLOAD),
    ),
    SignatureDifference(
        "an RSA key with a public exponent of more than 64 bits",
        "unsupported-signature",
        "No tool makes one, and it makes every verification slow.",
        _long_exponent,
    ),
    SignatureDifference(
        "an Ed25519 key that is a point of small order",
        "weak-signature",
        "Anyone can sign anything with such a key.",
        _small_order,
    ),
    SignatureDifference(
        "an RSA public key with needless leading zeros",
        "unsupported-signature",
        "Keys are compared by their blob, so a key has one form only.",
        lambda: sshsig(_overlong_rsa(), PAYLOAD),
    ),
    SignatureDifference(
        "a signature made with a certificate",
        "unsupported-signature",
        "R9: certificates are not supported for now.",
        _certificate,
    ),
    SignatureDifference(
        "a security key's signature made in a web browser (webauthn)",
        "unsupported-signature",
        "R9 does not list it, and nothing signs commits that way.",
        _webauthn,
    ),
    SignatureDifference(
        "version 0 of the format",
        "unsupported-signature",
        "There is none; ssh-keygen only refuses versions above 1.",
        lambda: sshsig(_ALICE, PAYLOAD, version=0),
    ),
    SignatureDifference(
        "text after the END line",
        "bad-signature",
        "Nothing but the signature may stand in its header, or a second one could hide there.",
        lambda: sshsig(_ALICE, PAYLOAD) + b"more\n",
    ),
    SignatureDifference(
        "text on the END line",
        "bad-signature",
        "As above.",
        lambda: sshsig(_ALICE, PAYLOAD).rstrip(b"\n") + b"more\n",
    ),
    SignatureDifference(
        "spaces or tabs between the base64 characters",
        "bad-signature",
        "PROTOCOL.sshsig has line ends only.",
        lambda: armor(envelope(_ALICE, PAYLOAD), eol=b"\n ").replace(b"\n ----", b"\n----").rstrip(b" "),
    ),
    SignatureDifference(
        "more than 64 KiB",
        "unsupported-signature",
        "A limit: the longest real one is below 6 KiB.",
        lambda: sshsig(_ALICE, PAYLOAD).replace(b"\n", b"\n" * 70_000, 1),
    ),
]


def _late(key: Writer) -> bytes:
    return f'alice valid-after="20200101000000" {key.line}\n'.encode()


SIGNERS = [
    SignersDifference(
        "`valid-after` or `valid-before` without `Z`",
        "by the reader's time zone",
        "as UTC",
        "A verdict must not depend on the machine's time zone. Write the `Z`.",
        _late,
    ),
    SignersDifference(
        "an unknown or unreadable option",
        "the line counts as absent",
        "the file is refused",
        "It may be a restriction that this version does not know, and somebody should look at it.",
        lambda key: f"bob verify-required {key.line}\nalice {key.line}\n".encode(),
    ),
    SignersDifference(
        "a weak key (RSA below 2048 bits)",
        "the key may sign",
        "the line lists nobody",
        "R9. Its signatures would count as unsigned in any case.",
        lambda key: f"alice {key.line}\nbob {Ed25519('bob').line}\n".encode(),
        Rsa("alice", bits=1024),
    ),
    SignersDifference(
        "a key in a form that is not canonical",
        "the key may sign",
        "the line lists nobody",
        "Keys are compared by their blob.",
        lambda key: f"alice {key.line}\nbob {Ed25519('bob').line}\n".encode(),
        _overlong_rsa(),
    ),
    SignersDifference(
        "a security key whose application does not begin with `ssh:`",
        "the key may sign",
        "the line lists nobody",
        "Made for another purpose than SSH: ssh-keygen does not generate such a key.",
        lambda key: f"alice {key.line}\nbob {Ed25519('bob').line}\n".encode(),
        SkEd25519("alice", application=b"https://example.org"),
    ),
    SignersDifference(
        "`rsa-sha2-512` as the type of an RSA key",
        "the key may sign",
        "the line lists nobody",
        "That is the name of a signature algorithm; the type is `ssh-rsa`.",
        lambda key: f"alice {key.line.replace('ssh-rsa', 'rsa-sha2-512')}\nbob {Ed25519('bob').line}\n".encode(),
        Rsa("alice"),
    ),
    SignersDifference(
        "a key on two lines under different names, the first not for git",
        "the key may not sign",
        "the key may sign",
        "git asks ssh-keygen for the first line with the key, whatever its namespaces, and goes on with that line's "
        "names. Here each line counts for itself, as the manual page says.",
        lambda key: f'alice namespaces="file" {key.line}\nalison namespaces="git" {key.line}\n'.encode(),
    ),
]

_HEAD = """\
# Where gitverify and ssh-keygen differ

Both read the same signatures and `allowed_signers` files. This page lists every case that is known to end differently;
each row is a test against the real `ssh-keygen`. The page is written by `tests/signatures/ssh_differences.py`.

## Signatures

`ssh-keygen -Y verify` accepts all of these.

| signature | gitverify | why |
| --- | --- | --- |
"""

_MIDDLE = """
Certificates and web signatures may come; the others are meant. Where a line or number is merely unusual, the two agree
to take it: lines of any length, blank lines, CRLF line ends (in newer versions of ssh-keygen), leading zeros in an
ECDSA signature, an RSA signature whose leading zeros were left out, and bytes in the reserved field (both ignore it).

## `allowed_signers` files

| file | git | gitverify | why |
| --- | --- | --- | --- |
"""

_TAIL = """
`cert-authority` lines list nobody, since certificates are not supported. A line without a readable key lists nobody in
both programs; gitverify takes a file in which no line lists a key for git as `policy-lockout`.
"""


def render() -> str:
    """Return the page."""
    signatures = "".join(f"| {row.what} | `{row.code}` | {row.reason} |\n" for row in SIGNATURES)
    signers = "".join(f"| {row.what} | {row.git} | {row.gitverify} | {row.reason} |\n" for row in SIGNERS)
    return _HEAD + signatures + _MIDDLE + signers + _TAIL


if __name__ == "__main__":
    sys.stdout.write(render())
