"""The gate's answers about random small histories, against those of a verification of commits that are there."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import emit
import pytest
from asking import request_for
from histories import draw_case, seeded

from gitverify.gate.check import _Gate
from gitverify.gate.workshop import NotMade
from gitverify.imagined import unsigned_commit
from gitverify.objects.commit import parse_head
from gitverify.report.model import Report
from gitverify.request import Floor
from gitverify.verify import verify
from gitverify.walk import reaches

SEEDS = 60  # times the pairs of commits in each: a few seconds
FOUND = {0: (21145,)}  # in longer runs: BASE dated earlier than the side branch that it has merged


class NoGit:
    """A workshop that makes nothing: these repositories are no directories."""

    def objects(self):
        return None

    def _no(self, *arguments):
        raise NotMade("no git here", "")

    merged = picked = in_rebase_order = _no


class Session:
    """A question about a commit of an emitted history, as the command line would put it."""

    def __init__(self, repository, request):
        self.repository = repository
        self.revision = SimpleNamespace(commit=request.tip)
        self._request = request

    def request(self):
        return self._request

    def remembered(self, request):
        return Floor()

    def report(self, outcome, tips):
        return Report(outcome)


def answer(repository, request, base, head, *, given):
    """Return the verdict for each way, ``{}`` where BASE was refused."""
    session = Session(repository, replace(request, tip=base))
    report = _Gate(session, head, NoGit(), frozenset(["branch"]), None, None).run(base_authentic=given)
    return {route.name: route.verdict for route in report.routes}


def pairs(seed):
    """Yield a request, a repository, BASE that is authentic with the floor it leaves, and HEAD."""
    case = draw_case(seeded(seed), ("native",), 9, paths=True)
    emitted = emit.emit(case.history, case.dialect)
    asked = request_for(case.question, emitted)
    asked = replace(asked, floor=Floor(), contains=(), max_age=None, newest_authentic=False, now=2_000_000_000)
    for base in emitted.ids.values():
        outcome = verify(emitted.repository, replace(asked, tip=base))
        if outcome.verdict == "authentic":
            for head in emitted.ids.values():
                yield asked, emitted.repository, base, outcome.mark, head


def leads_down(repository, base, introduction):
    """Whether the first parents of BASE lead to the introduction."""
    commit = base
    while commit != introduction:
        parents = parse_head(repository.read(commit)[1]).parents
        if not parents:
            return False
        commit = parents[0]
    return True


def verdict(repository, request, tip, floor=None):
    return verify(repository, replace(request, tip=tip, floor=floor or Floor())).verdict


@pytest.mark.parametrize("block", range(6))
def test_the_gate_says_what_a_verification_says(block):
    """Of the branch as it is; and, where it is up to date, of the commits that a forge makes."""
    seen = Counter()
    for seed in range(block * SEEDS // 6, (block + 1) * SEEDS // 6):
        for request, repository, base, floor, head in pairs(seed):
            routes = answer(repository, request, base, head, given=False)
            if reaches(repository, base, head):
                continue  # there is nothing to bring in; with wrong dates that may not be seen, and it is judged
            forward = reaches(repository, head, base)
            expected = verdict(repository, request, head, floor if forward else None)
            assert routes["branch"] == expected, (seed, base.hex(), head.hex())
            seen[forward, expected] += 1
            if not forward or routes["merge"] == "undecided":
                continue
            tree = parse_head(repository.read(head)[1]).tree
            for way, parents in (("merge", (base, head)), ("squash", (base,))):
                made = repository.add("commit", unsigned_commit(tree, parents, request.now))
                assert routes[way] == verdict(repository, request, made, floor), (seed, way)
                seen[way, routes[way]] += 1
    assert len(seen) >= 6


@pytest.mark.parametrize("block", range(6))
def test_a_base_given_as_authentic_lets_nothing_more_in(block):
    """Less, at most: what BASE alone does not tell is undecided, or refused."""
    seen = Counter()
    for seed in (*FOUND.get(block, ()), *range(1000 + block * SEEDS // 6, 1000 + (block + 1) * SEEDS // 6)):
        for request, repository, base, _, head in pairs(seed):
            if not leads_down(repository, base, request.introduction):
                continue  # which is what is said with --base-authentic
            known = answer(repository, request, base, head, given=False)
            said = answer(repository, request, base, head, given=True)
            for way, verdict_ in said.items():
                if verdict_ == "authentic":
                    assert known[way] == "authentic", (seed, way, base.hex(), head.hex())
                seen[known[way], verdict_] += 1
    same = sum(count for (one, other), count in seen.items() if one == other)
    assert same > 0.9 * seen.total(), seen
