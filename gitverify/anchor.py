"""The trust anchor: the introduction, its policy and its signer (R1, R3). Checked on every run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitverify.errors import MalformedCommit, MalformedTree, MissingObject, OversizedMaterial, OversizedObject
from gitverify.examine import Examination, Examiner
from gitverify.material import CertificateStore, Materials, keyring_of
from gitverify.objects.commit import parse_commit
from gitverify.policies.dialects import POLICY_FILES
from gitverify.policies.model import Dialect, Policy
from gitverify.policybook import PolicyBook
from gitverify.request import Stop
from gitverify.rules.facts import CommitFacts, Examined, PolicyProblem, Refusal
from gitverify.rules.hints import HINTS
from gitverify.signatures.result import SignatureRefused
from gitverify.text import shown
from gitverify.treepath import Trees, components
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.objects.commit import Commit
    from gitverify.objects.source import ObjectSource
    from gitverify.objects.tree import TreeEntry
    from gitverify.request import Request, Verdict
    from gitverify.signatures.certificates import Certificate
    from gitverify.signatures.keyring import Keyring

DEFAULT_KEY_ROOT = b".gitverify"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The introduction with all that follows from it for the run."""

    facts: CommitFacts
    commit: Commit
    policy: Policy
    examination: Examination
    book: PolicyBook
    trees: Trees
    store: CertificateStore
    materials: Materials

    def likely_keyring(self, tip_tree: bytes | None) -> Keyring | None:
        """Return the certificates that signatures are likely to be made with; None where there are none.

        Only speed depends on it: which certificates judge a commit is decided per commit (R12).
        """
        if self.examination.dialect is Dialect.OPENSSH:
            return None
        certificates = self.materials.certificates()
        path = self.policy.openpgp_keys
        if path is not None and tip_tree is not None and self.examination.dialect is Dialect.NATIVE:
            with suppress(MissingObject, MalformedTree, OversizedMaterial):
                certificates += self.store.at(tip_tree, path)
        return keyring_of(certificates) if certificates else None

    def signing_key(self, source: ObjectSource) -> str:
        """Return the key id that signed the introduction; ``""`` where no signature of it can be shown to hold."""
        examiner = Examiner(source, self.examination, self.likely_keyring(None))
        with suppress(SignatureRefused):
            historic = self.facts.examined.entry is None
            return examiner.signer(self.commit.signature, self.commit.payload, historic=historic).key
        return ""


def stop(verdict: Verdict, commit: bytes, rule: str, code: str, message: str, key: str | None = None) -> Stop:
    """Make the answer that ends the run."""
    return Stop(verdict, (Refusal(commit, rule, code, message, HINTS.get(code, ""), key=key),))


def load_anchor(source: ObjectSource, request: Request) -> Anchor:
    """Read the introduction and check it (R1).

    Proves: the commit is here and well formed, has the policy file of one dialect that parses, and, where a signer
    was given, was signed by exactly that key. Raises Stop.
    """
    introduction = request.introduction
    trees = Trees(source)
    try:
        kind, raw = source.read(introduction)
        if kind != "commit":
            message = f"the introduction {introduction.hex()} is a {kind}, not a commit"
            raise stop("error", introduction, "R1", "introduction-missing", message)
        commit = parse_commit(raw)
        dialect, path = _dialect(trees, commit.tree, request)
        facts = _facts(trees, introduction, commit, path)
    except MissingObject as error:
        if error.object_id == introduction and error.absent:
            message = f"the introduction {introduction.hex()} is not in this repository"
            raise stop("error", introduction, "R1", "introduction-missing", message) from None
        raise
    except (MalformedCommit, OversizedObject) as error:
        raise stop("refused", introduction, "R6", "malformed-commit", str(error)) from None
    except MalformedTree as error:
        raise stop("refused", introduction, "R7", "malformed-tree", str(error)) from None
    book = PolicyBook(source, dialect, path)
    policy = _policy(book, facts)
    store = CertificateStore(source, trees)

    def fixed() -> tuple[Certificate, ...]:
        suffix = b".key" if dialect is Dialect.GUIX else b""
        try:
            called = store.directory(request.keyring, suffix) if request.keyring is not None else ()
        except (MalformedTree, OversizedMaterial) as error:
            raise stop("error", introduction, "R12", "keyring-missing", f"the keyring can't be read: {error}") from None
        try:
            native = dialect is Dialect.NATIVE and policy.openpgp_keys is not None
            return called + (store.at(commit.tree, policy.openpgp_keys or b"") if native else ())
        except OversizedMaterial as error:
            raise stop("error", introduction, "R14", "introduction-policy", f"its key directory has {error}") from None

    key_root = components(policy.openpgp_keys)[0] if policy.openpgp_keys else DEFAULT_KEY_ROOT
    anchor = Anchor(
        facts=facts,
        commit=commit,
        policy=policy,
        examination=Examination(dialect, path, key_root),
        book=book,
        trees=trees,
        store=store,
        materials=Materials(store, fixed),
    )
    if request.signer is not None:
        _check_signer(source, anchor, request.signer)
    return anchor


def detect_dialect(source: ObjectSource, request: Request) -> Dialect | None:
    """Return the dialect that the run will have; None where :func:`load_anchor` will say what is wrong."""
    try:
        commit = parse_commit(read_commit(source, request.introduction))
        return _dialect(Trees(source), commit.tree, request)[0]
    except (MissingObject, MalformedCommit, MalformedTree, Stop):
        return None


def _dialect(trees: Trees, tree: bytes, request: Request) -> tuple[Dialect, bytes]:
    """R3: the caller names dialect and file, or the introduction's tree has the file of exactly one."""
    if request.dialect is not None and request.policy_path is not None:
        return request.dialect, request.policy_path
    if request.policy_path is not None:
        name = request.policy_path.rpartition(b"/")[2]
        return POLICY_FILES.get(name, Dialect.NATIVE), request.policy_path
    names = tuple(name for name, its in POLICY_FILES.items() if request.dialect in {None, its})
    found = [name for name, entry in zip(names, trees.find(tree, names), strict=True) if entry is not None]
    if len(found) == 1:
        return POLICY_FILES[found[0]], found[0]
    if request.dialect is not None and not found:
        return request.dialect, names[0]
    message = "its tree has no policy file (" + ", ".join(shown(name) for name in names) + ")"
    if found:
        several = " and ".join(shown(name) for name in found)
        message = f"its tree has {several}; name the one that counts with --dialect or --policy-path"
    raise stop("error", request.introduction, "R3", "introduction-policy", message)


def _facts(trees: Trees, introduction: bytes, commit: Commit, path: bytes) -> CommitFacts:
    first, *rest = components(path)
    entry = trees.walk(trees.find(commit.tree, (first,))[0], tuple(rest))
    return CommitFacts(introduction, commit.tree, commit.parents, commit.date, Examined(entry))


def _policy(book: PolicyBook, facts: CommitFacts) -> Policy:
    """R14: the introduction's own policy must be there and sound, whatever historical list there is besides."""
    entry: TreeEntry | None = facts.examined.entry
    if entry is None:
        message = f"its tree has no policy file at {shown(book.path)}"
        raise stop("error", facts.id, "R3", "introduction-policy", message)
    policy = book.policy(entry)
    if isinstance(policy, PolicyProblem):
        raise stop("error", facts.id, "R14", "introduction-policy", policy.message)
    return policy


def _check_signer(source: ObjectSource, anchor: Anchor, signer: str) -> None:
    """R1: the introduction is signed by exactly this key."""
    commit = anchor.commit
    keyring = None if signer.startswith("SHA256:") else anchor.materials.fixed.keyring
    examiner = Examiner(source, anchor.examination, keyring)
    historic = anchor.facts.examined.entry is None
    wrong = "introduction-signer"
    try:
        signed = examiner.signer(commit.signature, commit.payload, historic=historic)
    except SignatureRefused as error:
        message = f"it should be signed by {signer}, but: {error.message}"
        raise stop("refused", anchor.facts.id, "R1", wrong, message, signer) from None
    if signed.key != signer:
        message = f"it should be signed by {signer}, but {signed.key} signed it"
        raise stop("refused", anchor.facts.id, "R1", wrong, message, signed.key)
    native = anchor.examination.dialect is Dialect.NATIVE and not signer.startswith("SHA256:")
    if native and anchor.materials.fixed.revoked(signer):
        message = f"it is signed by {signer}, which is revoked as compromised"
        raise stop("refused", anchor.facts.id, "R12", wrong, message, signer)
