"""Certificates of imported OpenPGP keys, from the branch that a Guix channel keeps them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import KeyRefused, MalformedObject, MissingObject
from gitverify.objects.commit import parse_commit
from gitverify.revisions import BadRevision, resolve_commit
from gitverify.session import UsageProblem
from gitverify.signatures.certificates import Certificate, parse_certificates
from gitverify.text import shown
from gitverify.treepath import Trees
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.source import Repository


class Kept(NamedTuple):
    """A certificate, and the file of a keyring that has it, as it is there."""

    certificate: Certificate
    file: bytes


def read_keyring(repository: Repository, name: str) -> dict[str, Kept]:
    """Return the certificates in the ``*.key`` files of a branch or commit, by the fingerprints of all their keys.

    A file that holds none counts for nothing, as when a Guix history is judged (R22). Raises UsageProblem.
    """
    try:
        tree = parse_commit(read_commit(repository, resolve_commit(repository, name))).tree
        entries = Trees(repository).entries(tree)
        ids = [e.id for path, e in sorted(entries.items()) if e.is_regular_file and path.endswith(b".key")]
        files = [repository.read(each)[1] for each in ids]
    except (BadRevision, MissingObject, MalformedObject) as error:
        raise UsageProblem(f"the keyring “{shown(name)}” can't be read: {error}") from None
    found: dict[str, Kept] = {}
    for file in files:
        for certificate in _certificates(file):
            own = certificate.primary.fingerprint
            # Anyone can put another's key below his own; the certificate of a primary key is its own.
            if found.get(own) is None or found[own].certificate.primary.fingerprint != own:
                found[own] = Kept(certificate, file)
            for key in certificate.subkeys:
                found.setdefault(key.fingerprint, Kept(certificate, file))
    return found


def _certificates(data: bytes) -> list[Certificate]:
    try:
        return parse_certificates(data)
    except KeyRefused:
        return []
