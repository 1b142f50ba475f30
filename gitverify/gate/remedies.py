"""Who could make it authentic, by signing what? Asked of the rules, person by person; said in sentences.

The names come from the policies that judge. All of it is escaped.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gitverify.errors import MalformedTree, TooMuch
from gitverify.policies.model import Dialect, Policy
from gitverify.policies.rights import Register
from gitverify.rules.authority import Standing
from gitverify.rules.authorize import judge_under
from gitverify.rules.facts import Authorized, Refusal
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gitverify.gate.span import Span
    from gitverify.judgement import Judgement

MOST_COMMITS = 5  # of which it is said who could sign them
_MOST_CIRCLES = 24  # of people with the same rights, of each of which one is asked about
_MOST_KEYS = 4
_MOST_NAMES = 6
_MOST_PATHS = 1000
_MOST_GRANTS = 3
_PARENT = "parent-not-authentic"
# Refused for what their signature is, or for lacking one; not for what they are.
_FOR_WANT_OF_A_SIGNATURE = frozenset(
    {
        "unsigned",
        "unauthorized-key",
        "unknown-key",
        "expired-key",
        "revoked-key",
        "weak-signature",
        "unsupported-signature",
        "bad-signature",
        "unauthorized-path",
        "policy-unauthorized",
        "merge-not-mechanical",
        "merge-policy-conflict",
        "merge-revoked-side",
        "merge-unsupported",
    }
)


class Advice:
    """Answers for one judgement."""

    def __init__(self, judgement: Judgement, span: Span, now: int) -> None:
        """``now``: when something would be signed, in seconds since 1970."""
        self._judgement = judgement
        self._span = span
        self._now = now

    def for_branch(self, refusals: Iterable[Refusal]) -> Iterator[str]:
        """Say who could sign the commits that are refused themselves."""
        refusals = list(refusals)
        own = [each for each in refusals if each.commit in self._span.parents and _is_own(each)]
        if not own:
            return
        for refusal in own[:MOST_COMMITS]:
            yield self._for_commit(refusal.commit)
        if len(own) > MOST_COMMITS:
            yield f"and so on for {len(own) - MOST_COMMITS:,} more commits"
        yield from self._after(refusals)
        yield f"to sign commits again: git rebase --force-rebase --gpg-sign {self._short(self._span.base)}"

    def _after(self, refusals: Iterable[Refusal]) -> Iterator[str]:
        """Say which commits, refused for their parents, would be refused for themselves, too, by BASE's policy.

        By no policy that came with the branch: nobody has vouched for it.
        """
        judgement, law = self._judgement, self._judgement.parent(self._span.base)
        found: dict[str, list[bytes]] = {}
        for refusal in islice((each for each in refusals if each.code == _PARENT), _MOST_PATHS):
            parents = self._span.parents.get(refusal.commit, ())
            if len(parents) != 1 or not judgement.is_native or not isinstance(law.policy, Policy):
                continue
            case = judgement.case(judgement.facts(refusal.commit), Standing.MAIN, parents=parents)
            case = case._replace(parents=tuple([parent._replace(authentic=True) for parent in case.parents]))
            decision = judge_under(case, law, judgement.inquiry)
            if isinstance(decision, Refusal):
                found.setdefault(decision.code, []).append(refusal.commit)
        for code, commits in found.items():
            named = ", ".join(self._short(commit) for commit in commits[:MOST_COMMITS])
            more = f" and {len(commits) - MOST_COMMITS:,} more" if len(commits) > MOST_COMMITS else ""
            yield f"after that, by the policy of BASE, these are refused for themselves, too: {named}{more} ({code})"

    def _for_commit(self, commit: bytes) -> str:
        judgement = self._judgement
        facts, parents = judgement.facts(commit), self._span.parents[commit]
        people = self._who(facts.tree, parents) if parents else ()
        short = self._short(commit)
        if not people:
            return f"nobody alone may sign all that commit {short} changes: split it, or grant somebody all of it first"
        return f"{_any_of(people)}{self._granted(commit, people)} can sign commit {short}"

    def _granted(self, commit: bytes, people: Collection[str]) -> str:
        """Say by which grants, where a commit with one parent is asked about."""
        judgement = self._judgement
        parents = self._span.parents[commit]
        policy = judgement.parent(parents[0]).policy
        if len(parents) != 1 or not isinstance(policy, Policy) or policy.dialect is not Dialect.NATIVE:
            return ""
        register = Register(policy, judgement.policy_path)
        trees = judgement.facts(parents[0]).tree, judgement.facts(commit).tree
        try:
            changed = [change.path for change in islice(judgement.inquiry.changes(*trees), _MOST_PATHS)]
        except (MalformedTree, TooMuch):
            return ""
        if any(register.rights(path).policy_file for path in changed):
            return " (an editor of the policy)" if len(people) == 1 else " (editors of the policy)"
        granted = {
            str(prefix): None
            for grant in policy.grants
            if not grant.people.isdisjoint(people)
            for prefix in grant.paths
            if any(_covers(prefix.path, path, subtree=prefix.subtree) for path in changed)
        }
        named = ", ".join(shown(prefix) for prefix in islice(granted, _MOST_GRANTS))
        more = ", …" if len(granted) > _MOST_GRANTS else ""
        return f" (granted {named}{more})" if granted else ""

    def for_merge(self, tree: bytes) -> Iterator[str]:
        """Say who could merge with a signature, so that it is authentic."""
        span = self._span
        base, head = self._short(span.base), self._short(span.head)
        people = self._who(tree, (span.base, span.head))
        if self._judgement.is_authentic(span.head):
            if people:
                yield (
                    f"{_any_of(people)} can merge it with a signed merge commit, and push that: "
                    f"git switch --detach {base} && git merge --no-ff -S {head}"
                )
            policy = self._judgement.parent(span.base).policy
            if isinstance(policy, Policy) and policy.dialect is Dialect.NATIVE and not policy.unsigned_merges:
                editors = _any_of(policy.editors)
                yield f"an editor of the policy ({editors}) can let machines merge: unsigned_merges: true"
        elif people:
            yield f"{_any_of(people)} can vouch for the branch as it is: gitverify adopt, on the branch"
        else:
            yield "the branch has to be authentic first"

    def for_squash(self, tree: bytes) -> Iterator[str]:
        """Say who could sign the one commit."""
        people = self._who(tree, (self._span.base,))
        if people:
            base, head = self._short(self._span.base), self._short(self._span.head)
            yield (
                f"{_any_of(people)} can squash it with a signature, and push that: "
                f"git switch --detach {base} && git merge --squash {head} && git commit -S"
            )

    def for_rebase(self, refused: bytes) -> Iterator[str]:
        """Say who could sign the commit that was made anew and is refused first."""
        parents = self._judgement.parents_of[refused]
        people = self._who(self._judgement.facts(refused).tree, parents)
        if people:
            base = self._short(self._span.base)
            yield f"{_any_of(people)} can rebase it with signatures, and push that: git rebase --gpg-sign {base}"

    def _who(self, tree: bytes, parents: tuple[bytes, ...]) -> tuple[str, ...]:
        """Return the people who could sign a commit with this tree: those the rules say yes to, asked one by one."""
        judgement = self._judgement
        policies = [judgement.parent(parent).policy for parent in parents if judgement.is_authentic(parent)]
        found: list[str] = []
        asked: set[str] = set()
        for policy in policies:
            if not isinstance(policy, Policy):
                continue
            for circle in islice(_circles(policy), _MOST_CIRCLES):
                names = [name for name in circle if name not in asked]
                asked.update(names)
                if names and self._may_sign(policy, names[0], tree, parents):
                    found += names
        return tuple(sorted(found))

    def _may_sign(self, policy: Policy, name: str, tree: bytes, parents: tuple[bytes, ...]) -> bool:
        keys = [spec.key for spec in policy.people[name].keys[:_MOST_KEYS]]
        return any(isinstance(self._judgement.imagine(tree, parents, key, self._now), Authorized) for key in keys)

    @staticmethod
    def _short(commit: bytes) -> str:
        return commit.hex()[:12]


def _is_own(refusal: Refusal) -> bool:
    if refusal.code == _PARENT:
        return refusal.rule == "R20"
    return refusal.code in _FOR_WANT_OF_A_SIGNATURE


def _circles(policy: Policy) -> Iterator[list[str]]:
    """Yield people with the same rights, those who may change most first."""
    grants: dict[str, list[int]] = {name: [] for name in policy.people}
    for at, grant in enumerate(policy.grants):
        for name in grant.people:
            grants[name].append(at)
    alike: dict[tuple[bool, bool, tuple[int, ...]], list[str]] = {}
    for name, its in grants.items():
        key = name not in policy.whole_tree, name not in policy.editors, tuple(its)
        alike.setdefault(key, []).append(name)
    for key in sorted(alike):
        yield alike[key]


def _covers(prefix: bytes, path: bytes, *, subtree: bool) -> bool:
    return (not prefix or path.startswith(prefix + b"/")) if subtree else path == prefix


def _any_of(people: Collection[str]) -> str:
    """Return names as a choice; of many the first ones, and how many there are."""
    names = [shown(name) for name in sorted(people)]
    if len(names) > _MOST_NAMES:
        names[_MOST_NAMES:] = [f"{len(names) - _MOST_NAMES} more"]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
