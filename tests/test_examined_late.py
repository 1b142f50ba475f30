"""What has been examined when judging begins hangs on how fast processes are, and no answer may hang on that."""

from dataclasses import replace

import emit
import pytest
from lookingahead import LookingAhead, Reluctant
from reference import RefSignature
from stories import UNSIGNED, Story, limited, policy

from gitverify import foresight, judgement
from gitverify.limits import LIMITS
from gitverify.pool import Inline
from gitverify.request import Request
from gitverify.trees import mechanical
from gitverify.verify import verify

ALICE, BOB, MALLORY = "ssh0", "ssh1", "ssh2"


@pytest.fixture(autouse=True)
def _however_small(monkeypatch):
    monkeypatch.setattr(judgement, "STRETCH", 1)
    monkeypatch.setattr(foresight, "WORTH_LOOKING", 0)
    monkeypatch.setattr(foresight, "BLOCK", 1)


class Told(Reluctant):
    """Notes what is examined, in order."""

    examined = ()

    def put(self, commit, raw, head):
        Told.examined = ()
        super().put(commit, raw, head)

    def until(self, there):
        def noting():
            found = there()
            Told.examined += (found,)
            return found

        super().until(noting)


def both(story, gone=(), **settings):
    """Ask where all is examined before it is judged, and where that is as late as can be; return what both answer.

    ``gone``: objects that the repository has not, functions of what was emitted.
    """
    emitted = emit.emit(story.history, story.dialect)
    for which in gone:
        del emitted.repository.objects[which(emitted)]
    tip = emitted.ids[list(story.history)[-1]]
    if settings.get("keyring") == "broken":
        settings["keyring"] = emitted.repository.add("tree", b"100644 .git\0" + bytes(20))
    request = Request(tip=tip, introduction=emitted.ids["intro"], now=2_000_000_000, **settings)
    early = verify(emitted.repository, request)
    late = verify(emitted.repository, request, make_pool=lambda prepare, sink: Told(prepare(emitted.repository), sink))
    assert late == early
    return early, emitted


def tree(name):
    return lambda emitted: bytes.fromhex(emitted.repository.objects[emitted.ids[name]][1][5:45].decode())


def line(count=6, **changes):
    """A story of commits by alice, each on the one before."""
    story = Story(policy(ALICE))
    last = "intro"
    for number in range(count):
        name = f"c{number}"
        story.add(name, last, by=ALICE, **{f"n{number}": b"x"}, **changes.get(name, {}))
        last = name
    return story


def test_the_oldest_are_judged_before_the_newest_are_examined():
    outcome, _ = both(line())
    assert outcome.verdict == "authentic"
    assert outcome.checked == 6
    assert Told.examined.count(True) >= 5  # each time the next one was there, and the rest was not yet


@pytest.mark.parametrize("kind", ["malformed-commit", "malformed-tree"])
@pytest.mark.parametrize("where", ["c0", "c3", "c5"])
def test_a_malformed_commit_that_is_met_when_others_are_decided_on(where, kind):
    story = line().spoil(where, malformed=kind)
    outcome, emitted = both(story, keep_going=True, newest_authentic=True)
    assert (outcome.verdict, outcome.reason) == ("refused", kind)
    below = {"c0": "intro", "c3": "c2", "c5": "c4"}[where]
    assert outcome.fallback in {emitted.ids[below], None}


def test_what_only_a_malformed_commit_leads_to_counts_as_not_there():
    """Before it is known to be malformed, its side branch is judged, and refused for what a stranger did there."""
    story = line(2)
    story.add("stranger", "c1", by=MALLORY, s=b"x")
    story.add("odd", "stranger", by=ALICE, malformed="malformed-commit", o=b"x")
    story.add("merge", "c1", "odd", by=ALICE)
    outcome, emitted = both(story, keep_going=True)
    assert (outcome.verdict, outcome.reason) == ("refused", "malformed-commit")
    assert emitted.ids["stranger"] not in {refusal.commit for refusal in outcome.refusals}
    assert outcome.checked == 4
    outcome, _ = both(story.spoil("odd", malformed=""), keep_going=True)
    assert outcome.reason == "unauthorized-key"
    assert outcome.checked == 5


@pytest.mark.parametrize("malformed", [True, False])
def test_a_tip_beside_the_introduction(malformed):
    """It is ``not-descendant`` where all can be read, and not where a malformed commit may have led there."""
    story = Story(policy(ALICE)).add("other", by=ALICE, policy=policy(ALICE))
    story.add("tip", "other", by=ALICE, t=b"x")
    if malformed:
        story.spoil("other", malformed="malformed-commit")
    outcome, _ = both(story)
    assert (outcome.verdict, outcome.reason) == ("refused", "malformed-commit" if malformed else "not-descendant")


def test_a_missing_tree_comes_before_every_refusal():
    story = line().add("stranger", "c5", by=MALLORY, s=b"x").add("tip", "stranger", by=ALICE, t=b"x")
    refused, _ = both(story)
    assert (refused.verdict, refused.reason) == ("refused", "unauthorized-key")
    story.history = {**line().history, **{name: story.history[name] for name in ("stranger", "tip")}}
    outcome, emitted = both(story, gone=[tree("tip")])
    assert (outcome.verdict, outcome.reason) == ("undecided", "missing-object")
    assert tree("tip")(emitted).hex() in outcome.refusals[0].message


def test_a_missing_tree_comes_before_a_policy_that_is_missing_further_down():
    story = line(1).add("second", "c0", by=ALICE, policy=policy(ALICE, limited(BOB, "b/"))).add("third", "second")
    story.spoil("third", signature=story.history["c0"].signature)
    story.add("tip", "third", by=ALICE, t=b"x")

    def blob(emitted):
        name = story.path
        content = emitted.repository.objects[tree("second")(emitted)][1]
        at = content.index(b" " + name + b"\0") + len(name) + 2
        return content[at : at + 20]

    outcome, emitted = both(story, gone=[blob])
    assert blob(emitted).hex() in outcome.refusals[0].message
    outcome, emitted = both(story, gone=[blob, tree("tip")])
    assert tree("tip")(emitted).hex() in outcome.refusals[0].message
    assert outcome.verdict == "undecided"


def test_a_missing_tree_below_a_malformed_commit():
    """What is lacking is found first, then that another commit is malformed: still nothing can be decided."""
    story = line().spoil("c4", malformed="malformed-commit")
    outcome, emitted = both(story, gone=[tree("c2")])
    assert (outcome.verdict, outcome.reason) == ("undecided", "missing-object")
    assert tree("c2")(emitted).hex() in outcome.refusals[0].message


@pytest.mark.parametrize("malformed", ["", "malformed-commit"])
@pytest.mark.parametrize("lacks", [True, False])
def test_a_keyring_that_can_not_be_read_is_met_while_judging(lacks, malformed):
    """In a dialect without OpenPGP it is looked into where a signature can't be proved otherwise."""
    story = Story(policy(ALICE), "openssh").add("main", "intro", by=ALICE, m=b"x")
    story.add("odd", "main", by=RefSignature("unsupported"), o=b"x")
    story.add("above", "odd", by=ALICE, a=b"x", malformed=malformed)
    story.add("tip", "main", "above", by=ALICE, t=b"x")
    outcome, _ = both(story, gone=[tree("tip")] if lacks else [], keyring="broken")
    if lacks:
        assert (outcome.verdict, outcome.reason) == ("undecided", "missing-object")
    elif malformed:
        assert (outcome.verdict, outcome.reason) == ("refused", "malformed-commit")
    else:
        assert (outcome.verdict, outcome.reason) == ("error", "keyring-missing")


def test_a_missing_tree_of_a_commit_that_turns_out_to_be_given():
    """By its date it is new, and it is examined before another commit is known to be malformed."""
    story = Story(None).add("oldest", by=ALICE, date=2000, policy=policy(ALICE))
    story.add("old", "oldest", by=ALICE, date=1999, n=b"x").add("intro", "old", by=ALICE, date=10)
    story.add("root", by=ALICE, date=5, r=b"x")  # so that the walk goes on, down to the introduction's parents
    story.add("side", "old", "root", by=ALICE, date=20).add("main", "intro", by=ALICE, date=30)
    story.add("odd", "main", by=ALICE, date=40, malformed="malformed-commit")
    story.add("tip", "odd", "side", by=ALICE, date=50)
    outcome, _ = both(story)
    assert outcome.verdict == "refused"
    outcome, emitted = both(story, gone=[tree("oldest")])
    assert (outcome.verdict, outcome.reason) == ("undecided", "missing-object")
    assert tree("oldest")(emitted).hex() in outcome.refusals[0].message


def test_a_policy_that_is_missing_above_a_malformed_commit():
    """The malformed one is found later, and it alone decides: what rests on it is not asked for any more."""
    story = line(1).add("second", "c0", by=ALICE, policy=policy(ALICE, limited(BOB, "b/")))
    story.add("third", "second", by=ALICE, t=b"x").add("tip", "third", by=ALICE, malformed="malformed-commit")

    def blob(emitted):
        content = emitted.repository.objects[tree("second")(emitted)][1]
        at = content.index(b" " + story.path + b"\0") + len(story.path) + 2
        return content[at : at + 20]

    both(story, gone=[blob])


def test_what_a_merge_takes_does_not_hang_on_who_has_read_its_trees(monkeypatch):
    """Trees that were examined here are remembered, and those that other processes examine are not."""
    story = Story(policy(ALICE, unsigned_merges=True))
    story.add("base", "intro", by=ALICE, **{f"n{number}": b"x" for number in range(20)})
    story.add("ours", "base", by=ALICE, o=b"x").add("theirs", "base", by=ALICE, t=b"x")
    story.add("merge", "ours", "theirs", by=UNSIGNED, t=b"x")
    emitted = emit.emit(story.history, story.dialect)
    request = Request(tip=emitted.ids["merge"], introduction=emitted.ids["intro"], now=2_000_000_000)
    elsewhere = emit.Repository(emitted.repository.objects)
    answers = []
    for most in range(0, 4000, 100):
        monkeypatch.setattr(mechanical, "LIMITS", replace(LIMITS, merge_tree_bytes=most))
        outcomes = [verify(emitted.repository, request)]
        for kind, source in ((Reluctant, emitted.repository), (Inline, elsewhere), (LookingAhead, elsewhere)):
            make = lambda prepare, sink, kind=kind, source=source: kind(prepare(source), sink)  # noqa: E731
            outcomes.append(verify(emitted.repository, request, make_pool=make))
        assert outcomes[1:] == outcomes[:-1]
        answers.append((outcomes[0].verdict, outcomes[0].reason))
    assert answers[0] == ("refused", "merge-not-mechanical")
    assert answers[-1] == ("authentic", None)
