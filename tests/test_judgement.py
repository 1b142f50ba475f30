"""The judgement at close quarters: small stories, walked and examined, and what is asked of them one by one."""

from dataclasses import replace
from itertools import permutations
from unittest.mock import patch

import emit
import pytest
import reference
import signing
from stories import BROKEN, GONE, UNSIGNED, Story, limited, policy

from fixtures.lib import policies
from fixtures.lib.keys import EXPIRED
from gitverify import judgement as module
from gitverify.anchor import load_anchor
from gitverify.errors import MalformedCommit
from gitverify.examine import Examiner
from gitverify.inquiry import Inquiry
from gitverify.judgement import Judgement
from gitverify.limits import LIMITS
from gitverify.objects.tree import EMPTY_TREE, TreeEntry
from gitverify.order import parents_first
from gitverify.policies import guix
from gitverify.request import Floor, Request
from gitverify.rules.authority import Parent, Standing
from gitverify.rules.facts import CommitFacts, Examined, PolicyProblem, Refusal
from gitverify.walk import Fence, Walk

ALICE, BOB, MALLORY, PGP = "ssh0", "ssh1", "ssh2", "pgp0"
KEYS = b".gitverify/keys/"
MAIN, SIDE, GIVEN = Standing.MAIN, Standing.SIDE, Standing.GIVEN


class Source(emit.Repository):
    """Notes what is read."""

    def __init__(self, objects):
        super().__init__(objects)
        self.asked = []

    def read(self, object_id):
        self.asked.append(object_id)
        return super().read(object_id)


class Case:
    """A story's commits up to the tip, by default the last one, examined and to be judged; commits go by name.

    ``mark`` and ``aside``, ``fences``: the names in the floor. ``each``: every commit is examined by itself.
    """

    def __init__(self, story, tip=None, *, mark=(), aside=(), fences=None, keyring=False, each=False, **asked):
        emitted = emit.emit(story.history, story.dialect)
        self.ids, self.names = emitted.ids, emitted.names
        self.source = Source(emitted.repository.objects)
        edges = {(self.ids[child], self.ids[parent]): fence for (child, parent), fence in (fences or {}).items()}
        floor = Floor(tuple(self.ids[c] for c in mark), fences=edges, aside=frozenset(self.ids[c] for c in aside))
        if keyring:
            asked["keyring"] = bytes.fromhex(self.source.read(emitted.keyring)[1][5:45].decode())
        request = Request(
            tip=self.ids[tip or list(story.history)[-1]], introduction=self.ids["intro"], floor=floor, **asked
        )
        self.anchor = load_anchor(self.source, request)
        self.walk = Walk(self.source, request.tip, request.introduction, floor.commits, edges, floor.aside)
        self.examined = {}
        self._likely = self.anchor.likely_keyring(self.tree(self.names[request.tip]))
        self._examiner = None if each else self._new_examiner()
        self.walk.run(self._visit)
        self.walk.exhaust()  # all stories have the same date, which tells nothing apart
        malformed = {c for c, facts in self.examined.items() if facts.examined.malformed}
        self.make = lambda: Judgement(self.source, request, self.anchor, self.walk, self.examined, floor, malformed)
        self.judgement = self.make()
        self.judged = []

    def _new_examiner(self):
        return Examiner(self.source, self.anchor.examination, self._likely)

    def _visit(self, commit, raw, head, date):
        if isinstance(head, MalformedCommit):
            facts = CommitFacts(commit, b"", (), date, Examined(malformed=("malformed-commit", str(head))))
        else:
            examined = (self._examiner or self._new_examiner())([raw])[0]
            facts = CommitFacts(commit, head.tree, head.parents, date, examined)
        self.examined[commit] = facts

    def run(self, pool=None):
        """Judge; return the case. ``judged`` has those that were judged themselves, and not as one alike."""

        def judge(case, inquiry):
            self.judged.append(self.names[case.commit.id])
            return decide(case, inquiry)

        decide = module.judge
        with patch.object(module, "judge", judge):
            self.judgement.run(pool)
        return self

    @property
    def answers(self):
        """The rule by which each commit is authentic, or the code with which it is refused."""
        return {
            self.names[commit]: found.code if isinstance(found, Refusal) else found.rule
            for commit, found in self.judgement.decisions.items()
        }

    @property
    def refused(self):
        return {name: answer for name, answer in self.answers.items() if not answer.startswith("R")}

    def ordered(self):
        return [self.names[commit] for commit in self.judgement.order]

    def standings(self, *names):
        return [self.judgement.standing(self.ids[name]) for name in names]

    def authentic(self, *names):
        return [self.judgement.is_authentic(self.ids[name]) for name in names]

    def facts(self, name):
        return self.judgement.facts(self.ids[name])

    def parent(self, name):
        return self.judgement.parent(self.ids[name])

    def tree(self, name):
        return bytes.fromhex(self.source.read(self.ids[name])[1][5:45].decode())


def line(story, *names, start="intro", **options):
    """Put commits in a row, each with a change of its own."""
    for before, name in zip((start, *names), names, strict=False):
        story.add(name, before, **{"by": ALICE, **options, name: name.encode()})
    return story


def text(people, *more, **options):
    """A native policy with real keys, as text."""
    listed = {name: [emit._native_key(key) for key in keys] for name, keys in people.items()}
    return policies.native(listed, *more, **options).encode()


BOTH = policy(ALICE, BOB)


# --- where a commit stands, and whether it is authentic -----------------------------------------------------------


@pytest.fixture
def warm():
    """Above a mark on ``m``, which merged a branch from below the introduction, and one that it adopted, with a draft.

    ``given`` - ``intro`` - ``a`` - ``m``, ``draft`` beside ``a``, ``side`` from ``given``, ``lost`` from ``intro``.
    """
    story = Story(None)
    story.add("given", by=ALICE, policy=BOTH)
    story.add("intro", "given", by=ALICE)
    for name, parent in (("a", "intro"), ("draft", "intro"), ("side", "given"), ("lost", "intro")):
        story.add(name, parent, by=ALICE, **{name: b"1"})
    story.add("m", "a", "draft", "side", "lost", by=ALICE)
    story.add("aside", "side", by=ALICE, x=b"1")
    story.add("strange", "m", by=MALLORY, x=b"2")
    story.add("tip", "m", "aside", "strange", by=ALICE)
    fences = {("m", "draft"): Fence.LOOSE, ("m", "side"): Fence.SIDE, ("m", "lost"): Fence.DROPPED}
    return Case(story, mark=["m"], fences=fences)


def test_what_earlier_runs_accepted_is_authentic_and_stands_where_it_did(warm):
    assert warm.authentic("given", "intro", "a", "m", "draft", "side") == [True] * 6
    assert warm.standings("intro", "a", "m", "draft") == [MAIN] * 4
    assert warm.standings("given", "side", "aside") == [GIVEN, SIDE, SIDE]
    assert warm.standings("lost") != [MAIN]


def test_what_descends_over_raw_edges(warm):
    def descends(*names):
        return [warm.judgement.descends_raw(warm.ids[name]) for name in names]

    before = descends("intro", "a", "m", "draft", "strange", "tip", "given", "side", "aside")
    assert before == [True] * 6 + [False] * 3
    warm.run()
    assert descends("tip", "strange", "aside") == [True, True, False]


def test_what_it_is_about(warm):
    judgement = warm.judgement
    assert (judgement.introduction, judgement.policy_path) == (warm.ids["intro"], b".gitverify.yaml")
    assert judgement.floor.commits == (warm.ids["m"],)
    assert judgement.is_native
    assert not Case(Story(BOTH, "openssh")).judgement.is_native


def test_what_was_dropped_is_not_authentic_and_what_is_new_not_before_it_was_judged(warm):
    assert warm.authentic("lost", "aside", "strange", "tip") == [False] * 4
    warm.run()
    assert warm.authentic("lost", "aside", "strange", "tip") == [False, True, False, False]
    assert warm.answers == {"aside": "R21", "strange": "unauthorized-key", "tip": "parent-not-authentic"}
    assert [facts.id for facts in warm.judgement.accepted()] == [warm.ids["aside"]]


def test_what_the_walk_came_by(warm):
    def met(*names):
        return warm.judgement.has_in_reach(tuple(warm.ids[name] for name in names))

    assert met()
    assert met("tip", "aside", "strange", "m", "side")
    assert not met("a")
    assert not met("m", "lost")


def test_the_tip_may_be_what_the_mark_stands_on():
    made = Case(line(Story(policy(ALICE)), "a"), mark=["a"])
    assert made.judgement.order == []
    assert made.judgement.has_in_reach((made.ids["a"],))
    assert not made.judgement.has_in_reach((made.ids["intro"],))


ADOPTING = policy(ALICE, adopting_merges=True)


def test_to_adopt_what_descends_from_the_introduction_is_no_descent():
    story = Story(None).add("given", by=ALICE, policy=ADOPTING).add("intro", "given", by=ALICE)
    story.add("side", "given", by=ALICE, x=b"1").add("junk", "intro", by=UNSIGNED, y=b"1")
    story.add("fake", "side", "junk", by=ALICE).add("next", "fake", by=ALICE)
    made = Case(story)
    assert made.judgement.descends_raw(made.ids["next"])
    assert made.run().refused == {"junk": "unsigned"}
    assert made.standings("junk", "fake", "next") == [MAIN, SIDE, SIDE]
    assert made.judgement.descends_raw(made.ids["next"])
    assert not made.judgement.descends_raw(made.ids["side"])


def test_below_a_refused_commit_raw_edges_tell_where_one_stands():
    story = Story(policy(ALICE)).add("one", "intro", by=UNSIGNED).add("two", "one", by=ALICE)
    story.add("root", by=UNSIGNED).add("child", "root", by=ALICE).add("tip", "two", "child", by=ALICE)
    made = Case(story).run()
    assert made.standings("one", "two", "tip", "root", "child") == [MAIN, MAIN, MAIN, SIDE, SIDE]


# --- which commits, and in which order ----------------------------------------------------------------------------


def test_parents_come_first_and_each_once_whatever_the_dates():
    parents = {"a": "i", "b": "a", "c": "ab", "d": "b", "e": "dc"}
    for order in permutations(parents):
        new = {commit: tuple(parents[commit]) for commit in order}
        found = list(parents_first(new))
        assert sorted(found) == sorted(new)
        for at, commit in enumerate(found):
            assert set(parents[commit]) - {"i"} <= set(found[:at])


def test_of_a_malformed_commit_nothing_is_believed():
    story = line(Story(policy(ALICE)), "a", "b").spoil("b", malformed="malformed-commit")
    made = Case(line(story, "c", start="b"))
    assert made.judgement.interrupted
    assert made.judgement.parents_of == {made.ids["b"]: (), made.ids["c"]: (made.ids["b"],)}
    assert made.run().answers == {"b": "malformed-commit", "c": "parent-not-authentic"}
    both = Case(story.add("m", "c", "a", by=ALICE))
    assert set(both.ordered()) == {"a", "b", "c", "m"}  # there is another way to a


def test_of_a_malformed_tree_the_commits_parents_are_believed():
    story = line(Story(policy(ALICE)), "a", "b").spoil("b", malformed="malformed-tree")
    made = Case(story).run()
    assert not made.judgement.interrupted
    assert made.answers == {"a": "R17", "b": "malformed-tree"}


def test_a_malformed_commit_that_turned_out_to_be_covered_interrupts_nothing():
    made = Case(line(Story(policy(ALICE)), "a"))
    covered = b"x" * 20
    made.examined[covered] = CommitFacts(covered, b"", (), 0, Examined(malformed=("malformed-commit", "")))
    floor = made.judgement.floor
    request = Request(tip=made.ids["a"], introduction=made.ids["intro"])
    arguments = made.source, request, made.anchor, made.walk, made.examined, floor
    assert not Judgement(*arguments, {covered}).interrupted


class Late:
    """Examines two more commits whenever one is waited for, oldest first; ``held``: how many were there each time."""

    def __init__(self, case):
        self._examined = case.examined
        self._left = [(commit, case.examined.pop(commit)) for commit in reversed(case.judgement.order)]
        self.held = []

    def until(self, there):
        while not there():
            self._examined.update([self._left.pop() for _ in self._left[-2:]])
        assert there()
        self.held.append(len(self._examined))


def test_each_stretch_waits_for_what_it_judges_and_for_nothing_else(monkeypatch):
    story = line(Story(BOTH), "a", "b", "c", "d", "e", "f", "g")
    for stretch, held in ((1, [2, 2, 4, 4, 6, 6, 7]), (2, [2, 4, 6, 7]), (3, [4, 6, 7])):
        monkeypatch.setattr(module, "STRETCH", stretch)
        made = Case(story)
        pool = Late(made)
        assert set(made.run(pool).answers.values()) == {"R17"}
        assert pool.held == held


def test_nothing_is_asked_about_what_may_not_have_been_examined():
    made = Case(line(Story(BOTH), "a", "b"))
    facts = made.examined.pop(made.ids["b"])
    with pytest.raises(AssertionError, match="may not have been examined"):
        made.facts("b")
    made.examined[facts.id] = facts
    assert made.facts("b") is facts


def diamonds(story, start, count):
    """Branches that part and join again: twice as many ways through each time."""
    for number in range(count):
        for name, parents in (("l", [start]), ("r", [start]), ("m", [f"l{number}", f"r{number}"])):
            story.add(f"{name}{number}", *parents, by=UNSIGNED)
        start = f"m{number}"
    return story


def test_many_ways_through_what_is_refused_are_gone_once():
    made = Case(diamonds(Story(policy(ALICE)), "intro", 40)).run()
    refusals = made.judgement.refusals
    assert [made.names[refusal.commit] for refusal in refusals] == made.ordered()
    assert len(refusals) == 120


def test_many_ways_to_a_malformed_commit_are_gone_once():
    story = Story(policy(ALICE)).add("bad", "intro", malformed="malformed-commit")
    assert len(Case(diamonds(story, "bad", 40)).judgement.order) == 121


def test_refusals_that_the_tip_rests_on():
    story = line(Story(ADOPTING), "a").add("strange", "a", by=MALLORY).add("other", "intro", by=MALLORY)
    story.add("m", "a", "other", by=ALICE).add("tip", "m", "strange", by=UNSIGNED)
    made = Case(story).run()
    assert made.refused == {
        "strange": "unauthorized-key",
        "other": "unauthorized-key",
        "tip": "parent-not-authentic",
    }
    # What the merge adopted is not among them.
    assert [made.names[refusal.commit] for refusal in made.judgement.refusals] == ["strange", "tip"]
    assert made.judgement.refusals_of(made.ids["m"]) == []
    assert made.judgement.refusals_of(made.ids["intro"]) == []


# --- one decision for many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", [False, True])
def test_those_alike_are_judged_once(each):
    made = Case(line(Story(BOTH), "a", "b", "c", "d"), each=each).run()
    assert made.judged == ["a", "b"]  # the introduction was not judged, so nothing is like its child
    assert set(made.answers.values()) == {"R17"}
    assert made.standings("d") == [MAIN]


def test_each_that_differs_in_what_counts_is_judged_itself():
    story = line(Story(BOTH), "a1", "a2", "a3")
    line(story, "b1", "b2", start="a3", by=BOB)
    line(story, "a4", start="b2")
    story.add("policy", "a4", by=ALICE, policy=replace(BOTH, note=1))
    line(story, "new1", "new2", "new3", start="policy")
    story.add("merge", "new3", "a2", by=ALICE).add("after", "merge", by=ALICE)
    made = Case(story).run()
    assert made.judged == ["a1", "a2", "b1", "policy", "new1", "merge"]
    assert not made.refused


def test_certificates_below_the_root_entry_that_is_looked_at():
    law = text({"p": [PGP], "a": [ALICE]}, policies.OPENPGP_KEYS)
    story = Story(None).add("intro", by=ALICE, policy=law, **{".gitverify/keys/p": signing.certificate(PGP)})
    line(story, "a", "b", "c", by=PGP)
    story.add("more", "c", by=PGP, **{".gitverify/keys/q": b"x"})
    line(story, "d", "e", start="more", by=PGP)
    made = Case(story).run()
    assert made.judged == ["a", "b", "more", "d"]
    assert not made.refused


def test_certificates_below_another_root_entry():
    """Those of the tip are likely, so the signatures prove; which of them count is another matter."""
    own, certificate = {"p": [PGP], "a": [ALICE]}, signing.certificate(PGP)
    story = Story(None).add("intro", by=ALICE, policy=text(own, policies.OPENPGP_KEYS))
    moved = {".gitverify/keys/p": certificate, "elsewhere/p": certificate}
    story.add("moved", "intro", by=ALICE, policy=text(own, "openpgp_keys: elsewhere/"), **moved)
    line(story, "one", start="moved", by=PGP)
    story.add("gone", "one", by=PGP, **{"elsewhere/p": GONE})
    assert not Case(story).run().refused
    made = Case(line(story, "two", start="gone", by=PGP)).run()
    assert made.refused == {"two": "unknown-key"}
    assert made.judged == ["moved", "one", "gone", "two"]


def test_a_stranger_in_what_is_unprotected_vouches_for_nothing_else():
    story = Story(policy(ALICE, unprotected=(b"free/",)))
    for number, before in enumerate(("intro", "free0", "free1")):
        story.add(f"free{number}", before, by=MALLORY, **{f"free/{number}": b"x"})
    assert not Case(story).run().refused
    story.add("evil", "free2", by=MALLORY, x=b"1")
    assert Case(story).run().refused == {"evil": "unauthorized-key"}


@pytest.mark.parametrize("by", [UNSIGNED, PGP])
def test_a_signature_that_only_the_judges_certificates_prove_is_none_of_the_others(by):
    """Before it is proved it is as if there were none: what it vouches for must not pass for those without any."""
    law = text({"p": [PGP], "a": [ALICE]}, policies.OPENPGP_KEYS)
    story = Story(None).add("intro", by=ALICE, policy=law)
    story.add("brought", "intro", by=ALICE, **{".gitverify/keys/p": signing.certificate(PGP)})
    line(story, "one", "two", start="brought", by=PGP)
    story.add("last", "two", by=by, x=b"1").add("gone", "last", by=ALICE, **{".gitverify/keys/p": GONE})
    made = Case(story).run()
    assert made.examined[made.ids["one"]].examined.unproven.code == "unknown-key"
    assert made.refused == ({} if by == PGP else {"last": "unsigned", "gone": "parent-not-authentic"})


def test_a_limited_person_is_judged_each_time():
    story = Story(policy(ALICE, limited(BOB, "b/")))
    for number, before in enumerate(("intro", "b0", "b1")):
        story.add(f"b{number}", before, by=BOB, **{f"b/{number}": b"x"})
    story.add("evil", "b2", by=BOB, x=b"1")
    made = Case(story).run()
    assert made.judged == ["b0", "b1", "b2", "evil"]
    assert made.refused == {"evil": "unauthorized-path"}


@pytest.mark.parametrize("other", ["", 'namespaces="file" '])
def test_a_key_with_two_entries_of_which_one_ends(other):
    """OpenSSH's file may list a key twice: the entry that vouched may be the one that ends."""
    key = signing.ssh_line(ALICE)
    law = f'a@example.org valid-before="19700101000020Z" {key}\na@example.org {other}{key}\n'.encode()
    story = Story(None, "openssh").add("intro", by=ALICE, policy=law)
    line(story, "a", "b", date=10)
    line(story, "c", start="b", date=30)
    made = Case(story).run()
    assert made.refused == ({"c": "expired-key"} if other else {})
    assert made.judged == ["a", "b", "c"]


# --- what judges the children -------------------------------------------------------------------------------------


def test_what_judges_a_root_to_the_side():
    story = line(Story(policy(ALICE)), "a").add("root", by=ALICE).add("tip", "a", "root", by=ALICE)
    made = Case(story)
    here, fixed = made.ids["intro"], made.anchor.materials.fixed
    case = made.judgement.case(made.facts("root"), SIDE)
    assert case.parents == ()
    assert case.side_judge == Parent(here, EMPTY_TREE, None, True, made.anchor.policy, fixed, here, SIDE)
    assert made.run().answers["root"] == "R21"


def guix_list(*keys):
    return guix.parse(emit.policy_text("guix", policy(*keys)))


@pytest.mark.parametrize(
    ("historical", "refused"),
    [
        ((), {"root": "unauthorized-key", "tip": "parent-not-authentic"}),
        (("pgp0",), {"root": "unauthorized-key", "tip": "parent-not-authentic"}),
        (("pgp1",), {"tip": "unauthorized-key"}),
        (("pgp0", "pgp1"), {}),
    ],
)
def test_in_guixs_dialect_the_historical_list_judges_to_the_side_and_not_the_introduction(historical, refused):
    story = Story(policy("pgp0", "pgp1"), "guix").spoil("intro", signature=reference.RefSignature("good", "pgp0"))
    story.add("root", by="pgp1").add("tip", "intro", "root", by="pgp0")
    told = {"historical": guix_list(*historical)} if historical else {}
    assert Case(story, keyring=True, **told).run().refused == refused


@pytest.mark.parametrize("code", ["malformed-commit", "malformed-tree", "policy-missing", "policy-invalid"])
def test_in_guixs_dialect_what_was_given_judges_by_what_is_in_it(code):
    """It is trusted, but where its own policy can't be used nobody can come after it but the introduction."""
    story = Story(None, "guix").add("older", by="pgp0", policy=policy("pgp0"))
    story.add(
        "given", "older", by="pgp0", policy={"policy-missing": None, "policy-invalid": BROKEN}.get(code, policy("pgp0"))
    )
    story.add("intro", "given", by="pgp0", policy=policy("pgp0"))
    story.add("side", "given", by="pgp0", policy=policy("pgp0")).add("tip", "intro", "side", by="pgp0")
    assert not Case(story, "intro", keyring=True).run().refused
    if code.startswith("malformed"):
        story.spoil("given", malformed=code)
    made = Case(story, keyring=True).run()
    assert made.refused == {"side": code, "tip": "parent-not-authentic"}


def test_a_refused_parent_lends_nothing():
    story = Story(policy(ALICE)).add("bad", "intro", by=UNSIGNED).add("tip", "bad", by=ALICE)
    made = Case(story).run()
    problem = PolicyProblem("parent-not-authentic", "the parent is not authentic")
    bad, fixed = made.ids["bad"], made.anchor.materials.fixed
    assert made.parent("bad") == Parent(bad, made.tree("bad"), None, False, problem, fixed, bad)


def test_to_the_side_the_introductions_policy_is_lent():
    story = line(Story(BOTH), "a").add("root", by=ALICE, policy=policy(BOB)).add("tip", "a", by=ALICE)
    made = Case(line(story, "x").add("m", "tip", "root", "x", by=ALICE)).run()
    assert made.refused == {"root": "policy-unauthorized", "m": "parent-not-authentic"}
    story = Story(None).add("given", by=ALICE, policy=policy(BOB)).add("intro", "given", by=ALICE, policy=BOTH)
    made = Case(story.add("side", "given", by=ALICE).add("m", "intro", "side", by=ALICE)).run()
    given = made.parent("given")
    here, fixed = made.ids["intro"], made.anchor.materials.fixed
    entry = made.facts("given").examined.entry
    assert given == Parent(made.ids["given"], made.tree("given"), entry, True, made.anchor.policy, fixed, here, GIVEN)
    assert made.parent("side") == Parent(
        made.ids["side"], made.tree("side"), entry, True, made.anchor.policy, fixed, here, SIDE
    )


def keys_at(*, mark=(), changes=None):
    """A policy whose certificates come after the introduction, and a tip above them."""
    law = text({"p": [PGP], "a": [ALICE]}, policies.OPENPGP_KEYS)
    story = Story(None).add("intro", by=ALICE, policy=law)
    story.add("brought", "intro", by=ALICE, **(changes or {".gitverify/keys/p": signing.certificate(PGP)}))
    return Case(line(story, "tip", start="brought"), mark=mark)


@pytest.mark.parametrize("mark", [(), ("brought",)])
def test_a_commits_own_certificates_judge_its_children_also_where_an_earlier_run_accepted_it(mark):
    made = keys_at(mark=mark).run()
    assert not made.parent("intro").material.known(signing.key_id(PGP))
    for name in ("brought", "tip"):
        assert made.parent(name).material.known(signing.key_id(PGP))


@pytest.mark.parametrize("mark", [(), ("brought",)])
@pytest.mark.parametrize("mode", ["100644", "120000", "160000"])
def test_no_certificates_lie_below_what_is_no_directory(mark, mode):
    made = keys_at(mark=mark, changes={".gitverify": reference.Entry(b"x", mode)}).run()
    assert not made.refused
    for name in ("brought", "tip"):
        assert not made.parent(name).material.known(signing.key_id(PGP))


@pytest.mark.parametrize(("files", "code"), [(1, None), (2, None), (3, "policy-invalid")])
def test_a_key_directory_that_grew_too_large_is_refused_where_it_did(files, code, monkeypatch):
    monkeypatch.setattr("gitverify.material.LIMITS", replace(LIMITS, certificate_files=2))
    changes = {f".gitverify/keys/{number}": b"x" for number in range(files)}
    made = keys_at(changes=changes).run()
    decision = made.judgement.decisions[made.ids["brought"]]
    if code is None:
        assert not made.refused
        assert made.judgement.own_policy(made.facts("brought"))[0] is made.parent("brought").policy
        return
    assert (decision.rule, decision.code) == ("R14", code)
    assert decision.message == "its key directory has 3 files of certificates; the limit is 2"
    assert made.refused == {"brought": code, "tip": "parent-not-authentic"}


def test_a_key_directory_that_nobody_uses_may_be_of_any_size(monkeypatch):
    monkeypatch.setattr("gitverify.material.LIMITS", replace(LIMITS, certificate_files=2))
    story = Story(None).add("intro", by=ALICE, policy=text({"a": [ALICE]}, policies.OPENPGP_KEYS))
    story.add("grown", "intro", by=ALICE, **{f".gitverify/keys/{number}": b"x" for number in range(3)})
    made = Case(line(story, "tip", start="grown")).run()
    assert not made.refused
    assert made.parent("grown").material is made.anchor.materials.fixed


def test_a_policy_that_is_broken_or_gone_judges_nobody():
    story = line(Story(policy(ALICE)), "a").add("broken", "a", by=ALICE, policy=BROKEN)
    assert Case(story).run().refused == {"broken": "policy-invalid"}
    story.add("gone", "a", by=ALICE, policy=None).add("other", "gone", by=ALICE, **{".allowed_signers": b"x"})
    assert Case(story, "gone").run().refused == {"gone": "policy-missing"}
    assert Case(story).run().refused == {"gone": "policy-missing", "other": "parent-not-authentic"}
    story.add("switched", "a", by=ALICE, policy=None, **{".allowed_signers": b"x"})
    assert Case(story).run().refused == {"switched": "dialect-changed"}


# --- what a merge adopted -----------------------------------------------------------------------------------------


def adopting(merge=True, by=ALICE):
    story = line(Story(ADOPTING), "a").add("bad", "intro", by=UNSIGNED, x=b"1")
    return story.add("tip", "a", "bad", by=by) if merge else story.add("tip", "bad", "a", by=by)


@pytest.mark.parametrize(
    ("story", "adopts"), [(adopting(), True), (adopting(by=MALLORY), False), (adopting(False), False)]
)
def test_whether_a_merge_adopted_something(story, adopts):
    made = Case(story)
    assert not made.judgement.adopts
    made.run()
    assert made.judgement.adopts is adopts
    assert made.authentic("tip") == [adopts]


def test_where_nothing_is_refused_nothing_is_adopted():
    story = line(Story(ADOPTING), "a").add("b", "intro", by=ALICE).add("m", "a", "b", by=ALICE)
    made = Case(story).run()
    assert made.authentic("m") == [True]
    assert not made.judgement.adopts


@pytest.mark.parametrize(("fence", "adopts"), [(Fence.DROPPED, True), (Fence.LOOSE, False), (Fence.SIDE, False)])
def test_what_an_earlier_run_saw_adopted(fence, adopts):
    story = adopting()
    made = Case(line(story, "more", start="tip"), mark=["tip"], fences={("tip", "bad"): fence})
    assert made.judgement.adopts is adopts


def test_to_suppose_that_all_is_authentic_changes_nothing_here():
    made = Case(adopting(False), each=True)

    class Asked(Inquiry):
        pass

    supposed = made.judgement.supposing_authentic(Asked)
    assert type(supposed.inquiry) is Asked
    assert supposed.order == made.judgement.order
    assert all(supposed.is_authentic(commit) for commit in supposed.order)
    assert supposed.standing(made.ids["tip"]) is MAIN
    assert supposed.decide(made.ids["tip"]).rule == "R18"
    assert supposed.parent(made.ids["bad"]).authentic
    assert made.judgement.decisions == {}
    assert made.run().refused == {"bad": "unsigned", "tip": "parent-not-authentic"}
    assert not made.parent("bad").authentic


# --- reading what is not judged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["malformed-commit", "malformed-tree"])
def test_of_what_is_malformed_below_the_introduction_nothing_is_believed(what):
    story = Story(None).add("older", by=ALICE, policy=policy(ALICE)).add("given", "older", by=ALICE, date=5)
    story.add("intro", "given", by=ALICE).spoil("given", malformed=what)
    made = Case(story.add("side", "given", by=ALICE).add("tip", "intro", "side", by=ALICE))
    facts = made.facts("given")
    code, message = facts.examined.malformed
    assert code == what
    assert message
    assert facts == CommitFacts(made.ids["given"], b"", (), 0, Examined(malformed=(code, message)))
    assert made.judgement.own_policy(facts) == (None, None)


def test_what_is_not_judged_is_read_once_and_examined_once():
    story = Story(None).add("given", by=ALICE, policy=policy(ALICE), date=5).add("intro", "given", by=ALICE)
    made = Case(line(story, "tip"))
    given = made.facts("given")
    assert given.examined == Examined(TreeEntry(b"100644", given.examined.entry.id))
    assert (given.tree, given.parents, given.date) == (made.tree("given"), (), 5)
    asked = len(made.source.asked)
    assert made.facts("given") is given
    assert made.facts("intro") is made.anchor.facts
    assert made.facts("tip") is made.examined[made.ids["tip"]]
    assert len(made.source.asked) == asked
    again = made.judgement.examined(made.ids["given"])
    assert again.examined.key == signing.key_id(ALICE)
    assert again == given._replace(examined=again.examined)
    asked = len(made.source.asked)
    assert made.judgement.examined(made.ids["given"]) is again
    assert made.judgement.examined(made.ids["tip"]) is made.facts("tip")
    assert len(made.source.asked) == asked


# --- a commit that is not there -----------------------------------------------------------------------------------


@pytest.fixture
def imagined():
    """What may be imagined upon ``tip``: the trees of other commits, and what they do."""
    story = line(Story(policy(ALICE, limited(BOB, "b/"))), "tip")
    story.add("fine", "tip", by=ALICE, **{"b/x": b"1"}).add("evil", "tip", by=ALICE, x=b"1")
    story.add("gone", "tip", by=ALICE, policy=None).add("swapped", "gone", by=ALICE, **{".allowed_signers": b"x"})
    story.add("broken", "tip", by=ALICE, policy=BROKEN).add("malformed", "tip", by=ALICE, malformed="malformed-tree")
    made = Case(story, "tip").run()

    def ask(tree, by, *parents):
        ids = tuple(made.ids[parent] for parent in parents or ("tip",))
        return made.judgement.imagine(made.tree(tree), ids, signing.key_id(by), 7)

    return ask


@pytest.mark.parametrize(
    ("tree", "by", "answer"),
    [
        ("fine", ALICE, "R17"),
        ("fine", BOB, "R17"),
        ("evil", ALICE, "R17"),
        ("evil", BOB, ("R17", "unauthorized-path")),
        ("fine", MALLORY, ("R8", "unauthorized-key")),
        ("gone", ALICE, ("R14", "policy-missing")),
        ("swapped", ALICE, ("R3", "dialect-changed")),
        ("broken", ALICE, ("R14", "policy-invalid")),
        ("malformed", ALICE, ("R7", "malformed-tree")),
    ],
)
def test_what_would_be_decided(imagined, tree, by, answer):
    found = imagined(tree, by)
    if isinstance(answer, str):
        assert found.rule == answer
    else:
        assert (found.rule, found.code) == answer
        assert found.commit == bytes(20)
        assert found.message


def test_what_would_be_decided_on_a_merge(imagined):
    assert imagined("tip", ALICE, "tip", "intro").rule == "R18"
    assert imagined("evil", BOB, "tip", "intro").code == "unauthorized-path"


@pytest.mark.parametrize(("at", "code"), [(1_675_209_600, None), (1_900_000_000, "expired-key")])
def test_what_would_be_decided_hangs_on_when_it_would_be_signed(at, code):
    law = policies.native(
        {"alice": [emit._native_key(ALICE)], "e": [EXPIRED]}, policies.OPENPGP_KEYS, "expired_keys: refuse"
    )
    story = Story(None).add("intro", by=ALICE, policy=law.encode(), **policies.certificates(EXPIRED))
    made = Case(line(story, "tip")).run()
    found = made.judgement.imagine(made.tree("intro"), (made.ids["tip"],), EXPIRED.primary.name, at)
    assert getattr(found, "code", None) == code


def test_a_window_is_of_the_date_that_is_imagined():
    law = f'a@example.org valid-before="19700101000020Z" {signing.ssh_line(ALICE)}\n'.encode()
    made = Case(line(Story(None, "openssh").add("intro", by=ALICE, policy=law), "tip")).run()
    for at, code in ((20, None), (21, "expired-key")):
        found = made.judgement.imagine(made.tree("intro"), (made.ids["tip"],), signing.key_id(ALICE), at)
        assert getattr(found, "code", None) == code
