"""What a commit's own bytes say, before any policy is asked: form, policy entry, signature (R5 to R10).

This is where nearly all the time of a cold verification goes, so it runs in several processes; each commit is
examined alone and the result is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

from gitverify.errors import MalformedCommit, MalformedTree
from gitverify.objects.commit import split_commit
from gitverify.policies.model import Dialect
from gitverify.rules.facts import Examined, Unproven
from gitverify.signatures.result import SignatureRefused
from gitverify.treepath import Trees, components

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.signatures.keyring import Keyring
    from gitverify.signatures.result import Signed

    Check = Callable[[bytes], Signed]

_SSH = b"-----BEGIN SSH SIGNATURE-----"
_PGP = b"-----BEGIN PGP SIGNATURE-----"
_X509 = b"-----BEGIN SIGNED MESSAGE-----"


@dataclass(frozen=True, slots=True)
class Examination:
    """What to look at: fixed for one run by its introduction.

    ``key_root`` is the name of the root entry below which the certificates are expected.
    """

    dialect: Dialect
    policy_path: bytes
    key_root: bytes


class Examiner:
    """Examines commits of one source, with the key material that is likely to be needed."""

    def __init__(
        self, source: ObjectSource, examination: Examination, keyring: Keyring | None, trees: Trees | None = None
    ) -> None:
        """``keyring`` None: no OpenPGP material at all. ``trees``: of the same source, where there are some."""
        self._trees = trees or Trees(source, keeps=False)
        self._what = examination
        self._keyring = keyring
        path = components(examination.policy_path)
        self._names = (path[0], examination.key_root)
        self._below = path[1:]
        self._strings: dict[str, str] = {}
        self._entries: dict[TreeEntry, TreeEntry] = {}

    def __call__(
        self, raws: Sequence[bytes], heads: Iterable[tuple[bytes, int] | None] = repeat(None)
    ) -> list[Examined]:
        """Examine commits' raw contents; return the results in their order.

        ``heads``: for each, its tree's id and where its fixed first fields end, if the walk has read them. Raises
        MissingObject where a root tree can't be read. All are taken apart before the first signature is checked: the
        code for each step then stays in the processor's caches, which big-number arithmetic empties.
        """
        return [self._checked(read) for read in list(map(self._read, raws, heads))]

    def _read(self, raw: bytes, head: tuple[bytes, int] | None) -> _Read | Examined:
        """Take a commit and its root tree apart, and its signature where it is an OpenPGP one."""
        try:
            tree, signature, payload, _ = split_commit(raw, head)
        except MalformedCommit as error:
            return Examined(malformed=("malformed-commit", str(error)))
        try:
            entry, key_root = self._trees.find(tree, self._names)
            if self._below:
                entry = self._trees.walk(entry, self._below)
        except MalformedTree as error:
            return Examined(malformed=("malformed-tree", str(error)))
        if entry is not None:
            entry = self._entries.setdefault(entry, entry)
        root = key_root.id if key_root is not None and key_root.is_directory else None
        try:
            check = self._prepared(signature, historic=entry is None)
        except SignatureRefused as error:
            return Examined(entry, root, unproven=Unproven(error.code, error.message, error.keys))
        return _Read(entry, root, check, payload)

    def _checked(self, read: _Read | Examined) -> Examined:
        if isinstance(read, Examined):
            return read
        entry, root, check, payload = read
        try:
            signed = check(payload)
        except SignatureRefused as error:
            return Examined(entry, root, unproven=Unproven(error.code, error.message, error.keys))
        # The same text object for the same key: results cross process borders in batches, where it counts once.
        key = self._strings.setdefault(signed.key, signed.key)
        return Examined(entry, root, key, signed.made_at, signed.user_verified)

    def signer(self, signature: bytes | None, payload: bytes, *, historic: bool) -> Signed:
        """Return who signed; raise SignatureRefused.

        ``historic``: the commit's own tree has no policy file, which in the Guix dialect means that SHA-1 passes.
        """
        return self._prepared(signature, historic=historic)(payload)

    def _prepared(self, signature: bytes | None, *, historic: bool) -> Check:
        """Read a signature as far as goes without its payload; return what checks it."""
        if signature is None:
            raise SignatureRefused("unsigned", "the commit has no signature")
        if signature.startswith(_PGP) and self._what.dialect is not Dialect.OPENSSH:
            return self._openpgp(signature, self._keyring, historic=historic)
        if signature.startswith(_SSH) and self._what.dialect is not Dialect.GUIX:
            return partial(_ssh_signer(), signature)
        raise SignatureRefused("unsupported-signature", _kind(signature, self._what.dialect))

    @cached_property
    def _openpgp(self) -> Callable[..., Check]:
        # Like _ssh_signer loaded when the first signature of the format comes: both take time to load.
        from gitverify.signatures.keyring import Keyring, read_candidate, verify_candidate  # noqa: PLC0415
        from gitverify.signatures.openpgp import GUIX, GUIX_HISTORIC, NATIVE  # noqa: PLC0415
        from gitverify.signatures.similar import SimilarSignatures  # noqa: PLC0415

        native = self._what.dialect is Dialect.NATIVE
        nothing = Keyring([])
        parse = SimilarSignatures().parse

        def prepare(signature: bytes, keyring: Keyring | None, *, historic: bool) -> Check:
            candidate = read_candidate(signature, keyring if keyring is not None else nothing, parse)
            profile = NATIVE if native else GUIX_HISTORIC if historic else GUIX
            return lambda payload: verify_candidate(candidate, payload, profile)

        return prepare


class _Read(NamedTuple):
    """A commit taken apart; ``check`` says of the payload who signed it."""

    entry: TreeEntry | None
    key_root: bytes | None
    check: Check
    payload: bytes


@cache
def _ssh_signer() -> Callable[[bytes, bytes], Signed]:
    from gitverify.signatures.sshsig import ssh_signer  # noqa: PLC0415

    return ssh_signer


def _kind(signature: bytes, dialect: Dialect) -> str:
    if signature.startswith(_X509):
        return "the signature is an X.509 one, which is not supported"
    if signature.startswith(_SSH):
        return f"the signature is an SSH one, which the {dialect} dialect does not take"
    if signature.startswith(_PGP):
        return f"the signature is an OpenPGP one, which the {dialect} dialect does not take"
    return "the signature is of no known kind"
