"""What an audit foretells comes true when the policy is changed that way."""

from __future__ import annotations

from dataclasses import replace

import emit
import histories
import pytest
import signing
from asked import freeing, judged, proposing
from asking import request_for
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from gitverify.errors import MissingObject
from gitverify.policies.native import parse
from gitverify.request import Stop

compared = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


KEYS = ("ssh0", "ssh1", "pgp0")
PREFIXES = ("/", "dir/", "dir/sub/", "free/", "a", "dir/x")


def listing(key):
    return f"{{openpgp: {signing.key_id(key)}}}" if signing.is_openpgp(key) else signing.ssh_line(key)


@st.composite
def policies(draw):
    """Somebody who signs nothing edits the policy; the others may change some paths, and some are free."""
    prefixes = st.sets(st.sampled_from(PREFIXES), max_size=3)
    lines = ["version: 1", "people:", f"  editor: {{keys: [{listing('ssh9')}]}}"]
    lines += [f"  {key}: {{keys: [{listing(key)}]}}" for key in KEYS]
    lines += ["policy_editors: [editor]", "grants:", "  - {paths: [/], people: [editor]}"]
    for key in KEYS:
        granted = sorted(draw(prefixes))
        if granted:
            lines.append(f"  - {{paths: [{', '.join(granted)}], people: [{key}]}}")
    lines.append(f"unprotected: [{', '.join(sorted(draw(prefixes) - {'/'}))}]")
    lines.append(f"unsigned_merges: {'yes' if draw(st.booleans()) else 'no'}")
    return parse("\n".join([*lines, ""]).encode())


@st.composite
def proposals(draw):
    """A history, and a policy as if it had always been there."""
    case = draw(histories.cases(("native",), paths=True))
    emitted = emit.emit(case.history, case.dialect)
    policy = draw(policies())
    request = request_for(case.question, emitted)
    try:
        judged(emitted.repository, proposing(request, policy, most=1))
    except (Stop, MissingObject):  # a malformed tip, or one that is not there
        assume(False)
    return emitted.repository, request, policy


@compared
@given(proposal=proposals())
def test_a_folder_that_is_freed_lets_as_many_commits_pass(proposal):
    source, request, policy = proposal
    found, _ = judged(source, proposing(request, policy))
    for folder in found.folders:
        if folder.path:
            then, _ = judged(source, proposing(request, freeing(policy, folder.path)))
            event(f"{folder.unblocks} more")
            assert then.total.authentic == found.total.authentic + folder.unblocks, folder.path


@compared
@given(proposal=proposals())
def test_suggestions_give_what_they_say_and_come_in_a_good_order(proposal):
    source, request, policy = proposal
    found, _ = judged(source, proposing(request, policy))
    event(f"{len(found.suggestions)} suggestions")
    authentic = found.total.authentic
    for count, suggestion in enumerate(found.suggestions, 1):
        prefixes = [one.prefix for one in found.suggestions[:count]]
        then, _ = judged(source, proposing(request, freeing(policy, *prefixes)))
        authentic += suggestion.gained
        assert then.total.authentic == suggestion.authentic == authentic
        assert suggestion.files > 0


@compared
@given(proposal=proposals())
def test_unsigned_merges_let_as_many_pass(proposal):
    source, request, policy = proposal
    found, _ = judged(source, proposing(request, policy))
    then, _ = judged(source, proposing(request, replace(policy, unsigned_merges=True)))
    event(f"{found.mergeable} more")
    assert then.total.authentic == found.total.authentic + found.mergeable


@compared
@given(proposal=proposals(), most=st.integers(1, 12))
def test_the_sums_hold(proposal, most):
    source, request, policy = proposal
    found, each = judged(source, proposing(request, policy, most=most))
    total = found.total
    assert total.commits == len(each) <= most
    assert total.authentic == sum(one.code is None for one in each.values())
    assert total.listed + total.unlisted + total.unsigned + total.void == total.commits
    assert sum(reason.commits for reason in found.reasons) == total.commits - total.authentic
    assert sum(author.counts.commits for author in found.authors) == total.commits
    merges = [one for one in each.values() if one.merge is not None]
    assert sum(counts.commits for counts in found.merges.values()) == len(merges)
    assert found.changes.whole == sum(len(one.paths) for one in each.values())
    assert found.paths.whole == len({path for one in each.values() for path in one.paths})
    assert sum(person.commits for person in found.people) == total.listed
    root = found.folders[0] if found.folders else None
    assert root is None or root.weight == pytest.approx(sum(bool(one.paths) for one in each.values()))
