"""Certificates from trees: the key material that judges a commit (R12)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitverify.errors import KeyRefused, MalformedTree, OversizedMaterial, OversizedObject
from gitverify.limits import LIMITS
from gitverify.treepath import Trees, components

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitverify.objects.source import ObjectSource
    from gitverify.policies.model import Policy
    from gitverify.signatures.certificates import Certificate
    from gitverify.signatures.keyring import Keyring


class Material:
    """Answers the rules' questions about keys (the KeyMaterial of the rules) from certificates loaded when asked."""

    def __init__(self, load: Callable[[], Keyring]) -> None:
        """``load`` is called once, at the first question."""
        self._load = load
        self._keyring: Keyring | None = None

    @property
    def keyring(self) -> Keyring:
        """The certificates."""
        return self.load()

    def load(self) -> Keyring:
        """Read the certificates, once. Raises what reading them raises."""
        if self._keyring is None:
            self._keyring = self._load()
        return self._keyring

    def _certificates(self, key: str) -> list[Certificate]:
        return [certificate for certificate, _ in self.keyring.by_fingerprint(key)]

    def _own_certificates(self, key: str) -> list[Certificate]:
        """Return the certificates that may speak about a key: its own, and those that it has signed itself into.

        Anyone can put another's public key into a certificate of his own and revoke or renew it there.
        """
        return [c for c in self._certificates(key) if c.primary.fingerprint == key or c.signs_for_primary(key)]

    def primaries(self, key: str) -> Iterator[str]:
        """Yield the primary keys that a signing subkey is bound to, in both directions (R11)."""
        for certificate in self._own_certificates(key):
            if certificate.primary.fingerprint != key:
                yield certificate.primary.fingerprint

    def known(self, key: str) -> bool:
        """Whether a certificate has this key."""
        return bool(self._certificates(key))

    def revoked(self, key: str) -> bool:
        """Whether any of the key's own certificates carries a hard revocation of it."""
        return any(certificate.hard_revoked(key) for certificate in self._own_certificates(key))

    def expired(self, key: str, at: int) -> bool:
        """Whether the key had expired by all its own certificates: one that extends its life counts, it is signed too.

        Where none of them is its own, nothing says that it ever expires.
        """
        own = self._own_certificates(key)
        return bool(own) and all(certificate.expired(key, at) for certificate in own)


class CertificateStore:
    """Reads certificates below trees of one source; each blob is parsed once."""

    def __init__(self, source: ObjectSource, trees: Trees) -> None:
        """Read from ``source``."""
        self._source = source
        self._trees = trees
        self._files: dict[bytes, tuple[int, tuple[Certificate, ...]]] = {}
        self._directories: dict[tuple[bytes, bytes], tuple[Certificate, ...]] = {}

    def directory(self, tree: bytes, suffix: bytes = b"") -> tuple[Certificate, ...]:
        """Return the certificates in the files of a tree whose names end in ``suffix``; not of those below it.

        A file that holds no readable certificate counts for nothing: who put it there can refuse nobody's commit.
        Raises MalformedTree, MissingObject, and OversizedMaterial where there is more than is read: to read a part
        would let whoever adds files hide other people's certificates.
        """
        found = self._directories.get((tree, suffix))
        if found is None:
            entries = self._trees.entries(tree)
            files = [e.id for name, e in entries.items() if e.is_regular_file and name.endswith(suffix)]
            if len(files) > LIMITS.certificate_files:
                raise OversizedMaterial(
                    f"{len(files):,} files of certificates; the limit is {LIMITS.certificate_files:,}"
                )
            found = self._directories[tree, suffix] = self._all(files)
        return found

    def _all(self, files: list[bytes]) -> tuple[Certificate, ...]:
        certificates: list[Certificate] = []
        total = 0
        for blob in files:
            size, its = self._file(blob)
            total += size
            if total > LIMITS.certificate_bytes:
                raise OversizedMaterial(f"more than {LIMITS.certificate_bytes:,} bytes of certificates")
            certificates += its
        return tuple(certificates)

    def at(self, tree: bytes, path: bytes) -> tuple[Certificate, ...]:
        """Return the certificates in the directory at ``path`` below the tree; none where there is no such one."""
        first, *rest = components(path)
        return self.below(self._entry_id(tree, first), tuple(rest))

    def below(self, key_root: bytes | None, rest: tuple[bytes, ...]) -> tuple[Certificate, ...]:
        """Return the certificates in the directory ``rest`` below a tree already found."""
        if key_root is None:
            return ()
        try:
            for name in rest:
                entry = self._trees.find(key_root, (name,))[0]
                if entry is None or not entry.is_directory:
                    return ()
                key_root = entry.id
            return self.directory(key_root)
        except MalformedTree:
            return ()

    def _entry_id(self, tree: bytes, name: bytes) -> bytes | None:
        entry = self._trees.find(tree, (name,))[0]
        return entry.id if entry is not None and entry.is_directory else None

    def _file(self, blob: bytes) -> tuple[int, tuple[Certificate, ...]]:
        """Return the size of a file and the certificates in it."""
        found = self._files.get(blob)
        if found is None:
            from gitverify.signatures.certificates import parse_certificates  # noqa: PLC0415  (slow to load)

            size = 0
            certificates: tuple[Certificate, ...] = ()
            with suppress(KeyRefused, OversizedObject):
                kind, data = self._source.read(blob)
                size = len(data)
                certificates = tuple(parse_certificates(data)) if kind == "blob" else ()
            found = self._files[blob] = (size, certificates)
        return found


class Materials:
    """The material for each judging tree: its own, the introduction's and the caller's (R12)."""

    def __init__(self, store: CertificateStore, fixed: Callable[[], tuple[Certificate, ...]]) -> None:
        """Take the introduction's and the caller's certificates from ``fixed`` when they are asked for."""
        self._store = store
        self.certificates = fixed
        self._by_directory: dict[tuple[bytes | None, bytes], Material] = {}
        self.fixed = Material(lambda: keyring_of(fixed()))

    def judging(self, policy: Policy, root_entry: Callable[[bytes], bytes | None]) -> Material:
        """Return the material that goes with a policy.

        ``root_entry`` gives the tree id of a directory in the root of the tree that the policy stands in.
        """
        path = policy.openpgp_keys
        if path is None or not policy.lists_openpgp_keys:
            return self.fixed
        first, *rest = components(path)
        root = root_entry(first)
        material = self._by_directory.get((root, path))
        if material is None:
            material = Material(lambda: keyring_of(self.certificates() + self._store.below(root, tuple(rest))))
            self._by_directory[root, path] = material
        return material


def keyring_of(certificates: tuple[Certificate, ...]) -> Keyring:
    """Make a keyring."""
    from gitverify.signatures.keyring import Keyring  # noqa: PLC0415  (slow to load)

    return Keyring(certificates)
