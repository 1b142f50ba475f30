"""OpenPGP certificates from the user's own gpg keyring, as a policy's key directory holds them.

Gpg hands over bytes and nothing else: which certificate it is, and whether it can sign by R10, is what our own reader
finds in them. What gpg says beside (lists, status lines) is not used, because user IDs are part of it, and they are
anybody's words.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitverify.errors import KeyRefused
from gitverify.keysources.errors import KeyNotFound
from gitverify.signatures.armor import dearmor_certificates
from gitverify.signatures.certificates import Certificate, parse_certificates
from gitverify.signatures.packets import PUBLIC_KEY, SECRET_KEY, packets
from gitverify.signatures.profiles import NATIVE, SHA512
from gitverify.signatures.publickeys import parse_public_key
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gitverify.signatures.publickeys import PublicKey

_FINGERPRINT = re.compile("(?:[0-9A-F]{40}|[0-9A-F]{64})")
_KEY_ID = re.compile("[0-9A-F]{16}")
_ADDRESS = re.compile(r"[^\s<>\"@]+@[^\s<>\"@]+")
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class OpenPgpCertificate:
    """A certificate with a key that can sign by R10.

    ``fingerprint``: the primary key's, as a policy lists it. ``armored``: the certificate, for the key directory.
    ``user_ids``: as written in it, to be shown escaped. ``signing``: the fingerprints of the keys that can sign.
    """

    fingerprint: str
    armored: bytes
    user_ids: tuple[bytes, ...]
    signing: tuple[str, ...]

    @property
    def entry(self) -> str:
        """The key as a policy lists it."""
        return f"openpgp: {self.fingerprint}"


def find_certificate(
    wanted: str, environment: Mapping[str, str], *, now: int, program: str = "gpg"
) -> OpenPgpCertificate:
    """Return the one certificate in the user's keyring that ``wanted`` names: fingerprint, key id or e-mail address.

    ``program`` and ``environment`` (HOME, GNUPGHOME) say whose keyring; ``now``: seconds since 1970. Where an address
    has several, those that can't sign any more don't count. Raises KeyNotFound, also where more than one is left.
    """
    query, matches = _query(wanted)
    what = shown(wanted, 80)
    with _gpg(program, environment) as gpg:
        exported = gpg.export_keys([query], armor=False)
    found = [certificate for certificate in _parsed(exported, what) if matches(certificate)]
    if not found:
        raise KeyNotFound(f"gpg has no certificate for “{what}”: see gpg --list-keys, or gpg --import it first")
    usable = [certificate for certificate in found if not flaw(certificate, now)]
    if not usable:
        raise KeyNotFound(f"the certificate {found[0].primary.fingerprint} of “{what}” {flaw(found[0], now)}")
    if len(usable) > 1:
        listed = "; ".join(_described(certificate) for certificate in usable[:_MOST_SHOWN])
        raise KeyNotFound(f"gpg has {len(usable)} certificates for “{what}”, name one by its fingerprint: {listed}")
    return reduced(exported, usable[0].primary.fingerprint, environment, now=now, program=program)


def reduced(
    data: bytes, fingerprint: str, environment: Mapping[str, str], *, now: int, program: str = "gpg"
) -> OpenPgpCertificate:
    """Return the certificate with this fingerprint, without other people's signatures, as gpg reduces it.

    ``data`` are certificates that :func:`parse_certificates` has read. Gpg does it in a home of its own, which is gone
    afterwards. Raises KeyNotFound.
    """
    with tempfile.TemporaryDirectory(prefix="gitverify-") as home, _gpg(program, environment, home) as gpg:
        gpg.import_keys(_alone(data, fingerprint))
        armored = gpg.export_keys([fingerprint], minimal=True)
    return checked(armored.encode("ascii", "replace"), fingerprint, now=now)


def checked(armored: bytes, fingerprint: str, *, now: int) -> OpenPgpCertificate:
    """Prove that this certificate, and no other, is in ``armored``, and that it can sign by R10. Raises KeyNotFound."""
    try:
        certificates = parse_certificates(armored)
    except KeyRefused as refused:
        raise KeyNotFound(f"gpg gave no certificate for {fingerprint}: {refused}") from None
    if [certificate.primary.fingerprint for certificate in certificates] != [fingerprint]:
        raise KeyNotFound(f"gpg gave another certificate than {fingerprint}")
    wrong = flaw(certificates[0], now)
    if wrong:
        raise KeyNotFound(f"the certificate {fingerprint} {wrong}")
    signing = tuple(key.fingerprint for key in _in_use(certificates[0], now) if not _weakness(key))
    return OpenPgpCertificate(fingerprint, armored, certificates[0].user_ids, signing)


def flaw(certificate: Certificate, now: int) -> str:
    """Say what keeps a certificate from signing by R10: what follows its name in a sentence; ``""`` where nothing does.

    ``now``: seconds since 1970.
    """
    primary = certificate.primary.fingerprint
    if certificate.hard_revoked(primary):
        return "is revoked"
    reasons = [_weakness(key) for key in _in_use(certificate, now)]
    if "" not in reasons:
        return f"has no key that can sign: {reasons[0]}"
    if certificate.expired(primary, now):
        return "has expired: extend it (gpg --quick-set-expire), or make a new key"
    return ""


def _in_use(certificate: Certificate, now: int) -> list[PublicKey]:
    """Return the keys that gpg chooses from: the signing subkeys, and where there is none the primary key."""
    subkeys = [
        key
        for key in _matched(certificate)[1:]
        if not (certificate.hard_revoked(key.fingerprint) or certificate.expired(key.fingerprint, now))
    ]
    return subkeys or [certificate.primary]


def _matched(certificate: Certificate) -> list[PublicKey]:
    """Return the keys that a policy's entry for the primary key matches (R11), that one first."""
    subkeys = [key for key in certificate.subkeys if certificate.signs_for_primary(key.fingerprint)]
    return [certificate.primary, *subkeys]


def _weakness(key: PublicKey) -> str:
    """Say why R10 does not take a key; the strongest hash is assumed, as gpg takes a fitting one."""
    if key.algorithm not in NATIVE.algorithms:
        return f"public-key algorithm {key.algorithm} does not sign, or is not supported here"
    try:
        weakness = key.verifier.weakness(NATIVE, NATIVE.hashes[SHA512])
    except KeyRefused as refused:
        return str(refused)
    return f"it is {weakness}" if weakness else ""


def _described(certificate: Certificate) -> str:
    names = [shown(name, 80) for name in certificate.user_ids[:1]]
    return " ".join([certificate.primary.fingerprint, *names])


def _query(wanted: str) -> tuple[str, Callable[[Certificate], bool]]:
    """Return what gpg is asked for, and whether a certificate is what is wanted."""
    digits = wanted.strip().rstrip("!").removeprefix("0x").replace(" ", "").upper()
    if _FINGERPRINT.fullmatch(digits):
        return digits, lambda certificate: any(key.fingerprint == digits for key in _matched(certificate))
    if _KEY_ID.fullmatch(digits):
        return digits, lambda certificate: any(key.key_id.hex().upper() == digits for key in _matched(certificate))
    address = wanted.strip().removeprefix("<").removesuffix(">")
    if _ADDRESS.fullmatch(address) and address.isprintable():
        return f"<{address}>", lambda certificate: any(_has(name, address) for name in certificate.user_ids)
    raise KeyNotFound(
        f"“{shown(wanted, 80)}” names no certificate: give a fingerprint (40 digits), a key id of 16 digits or an "
        "e-mail address"
    )


def _has(user_id: bytes, address: str) -> bool:
    """Whether a user ID's address is this one."""
    text = user_id.decode("utf-8", "replace").strip().lower()
    return text == address.lower() or text.endswith(f"<{address.lower()}>")


def _parsed(data: bytes, what: str) -> list[Certificate]:
    if not data:
        return []
    try:
        return parse_certificates(data)
    except KeyRefused as refused:
        raise KeyNotFound(f"what gpg gave for “{what}” can't be read: {refused}") from None


def _alone(data: bytes, fingerprint: str) -> bytes:
    """Return the packets of one certificate: another one may hold its key as a subkey."""
    for part in dearmor_certificates(data):
        mine, start, here = b"", 0, False
        for tag, body, end in packets(part):
            if tag in {PUBLIC_KEY, SECRET_KEY}:
                if mine:
                    break
                here = tag == PUBLIC_KEY and _is(body, fingerprint)
            if here:
                mine += part[start:end]
            start = end
        if mine:
            return mine
    return b""


def _is(body: bytes, fingerprint: str) -> bool:
    try:
        return parse_public_key(body).fingerprint == fingerprint
    except KeyRefused:
        return False


@contextmanager
def _gpg(program: str, environment: Mapping[str, str], home: str | None = None) -> Iterator[Any]:
    """Make gpg available: on the user's keyring, or on an empty one in ``home``, without the user's options."""
    import gnupg  # noqa: PLC0415  (slow to load)

    alone = ["--no-options", "--no-autostart", "--no-auto-check-trustdb", "--trust-model", "always"]
    try:
        gpg = gnupg.GPG(gpgbinary=program, gnupghome=home, options=alone if home else [], env=dict(environment))
    except (OSError, ValueError) as error:
        raise KeyNotFound(f"gpg can't be run: {shown(str(error).splitlines()[0])}") from None
    gpg.result_map = {**gpg.result_map, "import": _Deaf, "export": _Deaf}
    yield gpg


class _Deaf:
    """Takes python-gnupg's place for what gpg says: data, but no status lines.

    It splits what gpg says where Unicode ends lines, so a user ID with a U+0085 in it begins lines of its own.
    """

    def __init__(self, gpg: Any) -> None:  # noqa: ARG002  (as it is called)
        self.data = b""

    def handle_status(self, key: str, value: str) -> None:
        """Believe none of it."""
