"""The gate's answers about branches that have parted, against verifications of what a real git makes of them."""

import subprocess
from collections import Counter
from dataclasses import replace

import pytest
from gate.test_random_histories import Session, leads_down, pairs, verdict
from gate.test_ways import GIT, WHO

from gitverify.gate.check import _Gate
from gitverify.gate.ways import METHODS
from gitverify.gate.workshop import Workshop
from gitverify.source import Repository

BLOCKS = 4
SEEDS = 10  # each: a few seconds
MOST = 24  # pairs of commits of one history
DATES = {f"GIT_{role}_DATE": "2000000000 +0000" for role in ("AUTHOR", "COMMITTER")}


def git(place, *arguments):
    """Return what git says; None where it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=place, env=GIT | WHO | DATES, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def answer(repository, request, base, head, *, given):
    session = Session(repository, replace(request, tip=base))
    with Workshop(repository, GIT) as workshop:
        report = _Gate(session, head, workshop, frozenset(METHODS), None, None).run(base_authentic=given)
    return {route.name: route.verdict for route in report.routes}


def made(place, base, head):
    """Return the commit that each way in leads to, without those that git does not make."""
    found = {}
    tree = git(place, "merge-tree", "--write-tree", base, head)
    if tree:
        found["merge"] = git(place, "commit-tree", tree, "-p", base, "-p", head, "-m", "merge")
        found["squash"] = git(place, "commit-tree", tree, "-p", base, "-m", "squash")
    there = place / "checkout"
    if git(place, "worktree", "add", "-q", "--detach", str(there), head) is not None:
        if git(there, "rebase", "-q", "--force-rebase", "--empty=drop", base) is not None:
            found["rebase"] = git(there, "rev-parse", "HEAD")
        git(place, "worktree", "remove", "--force", str(there))
    return {way: bytes.fromhex(commit) for way, commit in found.items()}


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_way_in_is_what_a_verification_makes_of_it(block, tmp_path):
    seen = Counter()
    for seed in range(9000 + block * SEEDS, 9000 + (block + 1) * SEEDS):
        place, taken = tmp_path / str(seed), 0
        for request, repository, base, floor, head in pairs(seed):
            if not place.exists():
                repository.write_to(place, {})
            ids = base.hex(), head.hex()
            if git(place, "merge-base", *ids) in {None, *ids} or taken == MOST:
                continue  # unrelated, or nothing has parted: see test_random_histories
            taken += 1
            disk = Repository(place)
            routes = answer(disk, request, base, head, given=False)
            for way, tip in made(place, *ids).items():
                # On top of BASE's mark, as whoever follows the branch sees it; and for the first time.
                expected = verdict(disk, request, tip, floor)
                if routes[way] == "undecided":
                    continue
                assert routes[way] == expected, (seed, way, *ids)
                assert routes[way] != "authentic" or verdict(disk, request, tip) == "authentic", (seed, way, *ids)
                seen[way, expected] += 1
            if leads_down(disk, base, request.introduction):
                for way, said in answer(disk, request, base, head, given=True).items():
                    assert said != "authentic" or routes[way] == "authentic", (seed, way, *ids)
    assert seen["merge", "authentic"], seen
    assert seen["merge", "refused"], seen
    assert seen["squash", "refused"], seen
