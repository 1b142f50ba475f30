"""What an audit stands on: for policies as they are the introduction, for a proposed one the tip and that policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitverify.anchor import DEFAULT_KEY_ROOT, Anchor, load_anchor, stop
from gitverify.audit.lenders import Proposed, Recorded
from gitverify.errors import MalformedCommit, MalformedTree, OversizedMaterial
from gitverify.examine import Examination
from gitverify.material import CertificateStore, Materials
from gitverify.objects.commit import parse_commit
from gitverify.policies.model import Dialect, Policy
from gitverify.policybook import PolicyBook
from gitverify.rules.facts import CommitFacts, Examined
from gitverify.treepath import Trees, components
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.audit.history import History
    from gitverify.audit.lenders import Lenders
    from gitverify.audit.model import Question
    from gitverify.objects.source import ObjectSource
    from gitverify.request import Request
    from gitverify.signatures.certificates import Certificate

_DEFAULT_PATH = b".gitverify.yaml"


def stand(source: ObjectSource, question: Question, history: History) -> tuple[Anchor, Lenders, Policy | None]:
    """Return the anchor, what judges the commits, and the policy that holds at the tip, where there is one.

    Raises Stop where the tip, the introduction or the keyring can't be used, and MissingObject.
    """
    request, introduction = question.request, question.introduction
    if introduction is not None and introduction not in history.parents:
        raise stop("refused", request.tip, "R2", "not-descendant", "the tip does not descend from the introduction")
    if question.policy is not None:
        anchor = _proposed(source, request, question.policy)
        return anchor, Proposed(question.policy, anchor.materials.fixed, request.tip), question.policy
    if introduction is None:  # the tip says which dialect it is; there is no signer to ask for
        request = replace(request, introduction=request.tip, signer=None)
    anchor = load_anchor(source, request)
    main = None if introduction is None else history.descendants(introduction)
    return anchor, Recorded(anchor, main, request.historical), _at_tip(source, anchor, request.tip)


def _at_tip(source: ObjectSource, anchor: Anchor, tip: bytes) -> Policy | None:
    try:
        tree = parse_commit(read_commit(source, tip)).tree
        first, *rest = components(anchor.examination.policy_path)
        entry = anchor.trees.walk(anchor.trees.find(tree, (first,))[0], tuple(rest))
    except (MalformedCommit, MalformedTree):
        return None
    policy = anchor.book.policy(entry) if entry is not None else None
    return policy if isinstance(policy, Policy) else None


def _proposed(source: ObjectSource, request: Request, policy: Policy) -> Anchor:
    """Return the tip in the place of an introduction: certificates come from its tree and the caller's keyring."""
    tip, path = request.tip, request.policy_path or _DEFAULT_PATH
    trees = Trees(source)
    try:
        commit = parse_commit(read_commit(source, tip))
        first, *rest = components(path)
        entry = trees.walk(trees.find(commit.tree, (first,))[0], tuple(rest))
    except MalformedCommit as error:
        raise stop("refused", tip, "R6", "malformed-commit", str(error)) from None
    except MalformedTree as error:
        raise stop("refused", tip, "R7", "malformed-tree", str(error)) from None
    store = CertificateStore(source, trees)

    def fixed() -> tuple[Certificate, ...]:
        try:
            called = store.directory(request.keyring) if request.keyring is not None else ()
            return called + (store.at(commit.tree, policy.openpgp_keys) if policy.openpgp_keys is not None else ())
        except (MalformedTree, OversizedMaterial) as error:
            raise stop("error", tip, "R12", "keyring-missing", f"the certificates can't be read: {error}") from None

    key_root = components(policy.openpgp_keys)[0] if policy.openpgp_keys else DEFAULT_KEY_ROOT
    return Anchor(
        facts=CommitFacts(tip, commit.tree, commit.parents, commit.date, Examined(entry)),
        commit=commit,
        policy=policy,
        examination=Examination(Dialect.NATIVE, path, key_root),
        book=PolicyBook(source, Dialect.NATIVE, path),
        trees=trees,
        store=store,
        materials=Materials(store, fixed),
    )
