"""What the rules ask of the repository: each answer from the smallest world that gives it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from rules.world import ENTRY, OTHER_ENTRY, Keys, case, commit, parent, policy, ssh

from gitverify import inquiry as module
from gitverify.errors import MalformedTree, MissingObject, OversizedObject, TooMuch
from gitverify.inquiry import Inquiry
from gitverify.limits import LIMITS
from gitverify.policies.coverage import NOTHING
from gitverify.policies.model import Dialect
from gitverify.request import Floor
from gitverify.rules.authority import Base, Standing
from gitverify.rules.facts import Authorized, Refusal, Unproven
from gitverify.trees.difference import Change
from gitverify.walk import Colour, Fence

REFUSAL = Refusal(b"x", "R8", "unsigned", "")
HEAD = b"tree %s\n%sauthor A <a> 1 +0000\ncommitter A <a> %d +0000\n\n"


class WalkOf:
    exhausted = False

    def __init__(self, world):
        self.world = world

    def find(self, name):
        self.world.found.append(name)
        return self.colour(name)

    def colour(self, name):
        return self.world.colours.get(name)

    def exhaust(self):
        self.exhausted = True
        self.world.colours = dict.fromkeys(self.world.colours, Colour.GIVEN)


class World:
    """A judgement under way, its walk, its anchor, and the repository; commits are letters, ``i`` the introduction."""

    policy_path = b".gitverify.yaml"
    adopts = False

    def __init__(self, parents_of=None, *, by=None, decisions=None, floor=None, colours=None, dialect=Dialect.NATIVE):
        self.parents_of = parents_of or {}
        self.order = list(self.parents_of)
        self.by = by or {}
        self.decisions = decisions or {}
        self.floor = floor or Floor()
        self.colours = {b"i": Colour.GIVEN, **(colours or {})}
        self.main = {b"i"}
        self.objects = {}
        self.found = []
        self.asked = []
        examination = SimpleNamespace(dialect=dialect, policy_path=self.policy_path)
        self.walk, self.source = WalkOf(self), SimpleNamespace(read=self.read)
        anchor = SimpleNamespace(facts=SimpleNamespace(id=b"i"), examination=examination, trees="trees")
        self.examination = examination
        self.inquiry = Inquiry(self.source, anchor, self.walk, self)
        self.known = self.inquiry._known

    def read(self, object_id):
        found = self.objects.get(object_id)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise MissingObject(object_id)
        return found

    def put(self, name, parents, date):
        lines = b"".join(b"parent %s\n" % (p * 20).hex().encode() for p in parents)
        self.objects[name] = "commit", HEAD % (b"0" * 40, lines, date)

    def is_authentic(self, name):
        return not isinstance(self.decisions.get(name), Refusal)

    def standing(self, name):
        return Standing.MAIN if name in self.main else Standing.SIDE

    def facts(self, name):
        entry = OTHER_ENTRY if name == b"o" else ENTRY
        return commit(self.by.get(name, ""), entry=entry, tree=name)._replace(id=name)

    examined = facts

    def case(self, facts, standing, *, parents):
        self.asked.append((facts.id, parents))
        return case(facts, parent(policy("alice"), tree=facts.id), standing=standing)


@pytest.fixture
def beyond(monkeypatch):
    """Three commits that only the other side reaches, the newest first."""
    parents_of = {b"a": (b"i",), b"b": (b"a",), b"c": (b"b", b"x")}

    def make(by, decisions=None):
        world = World(parents_of, by=dict(zip((b"a", b"b", b"c"), by, strict=True)), decisions=decisions)
        monkeypatch.setattr(
            world.inquiry, "beyond", lambda *asked: (b"c", b"b", b"a") if asked == (b"c", b"g" * 20) else ()
        )
        return world

    return make


class TestAuthorisedBeyond:
    """R19 (e)."""

    LAW = parent(policy("alice"), name=b"g")

    @pytest.mark.parametrize(
        ("by", "found"),
        [
            (("alice", "alice", "alice"), None),
            (("alice", "alice", "bob"), b"c"),
            (("alice", "bob", "bob"), b"b"),
            (("bob", "alice", "bob"), b"a"),
        ],
    )
    def test_the_oldest_that_the_policy_does_not_allow(self, beyond, by, found):
        assert beyond(by).inquiry.authorised_beyond(b"c", self.LAW) == found

    def test_what_was_judged_by_this_very_policy_is_not_judged_again(self, beyond):
        law = self.LAW
        others = policy("alice"), Keys()
        for authority, found in (
            ((law.policy, law.material), None),
            ((others[0], law.material), b"b"),
            ((law.policy, others[1]), b"b"),
            (None, b"b"),
        ):
            world = beyond(("alice", "bob", "alice"), {b"b": Authorized("R17", (), authority)})
            assert world.inquiry.authorised_beyond(b"c", law) == found
            assert ((b"b", (b"a",)) in world.asked) is (found is not None)

    def test_a_refusal_says_nothing_of_another_policy(self, beyond):
        world = beyond(("alice", "alice", "alice"), {b"b": REFUSAL})
        assert world.inquiry.authorised_beyond(b"c", self.LAW) is None

    def test_each_is_judged_once_under_one_policy_and_certificates(self, beyond):
        world = beyond(("alice", "alice", "alice"))
        for _ in range(2):
            world.inquiry.authorised_beyond(b"c", self.LAW)
        assert world.asked == [(b"a", (b"i",)), (b"b", (b"a",)), (b"c", (b"b", b"x"))]
        world.inquiry.authorised_beyond(b"c", self.LAW._replace(material=Keys()))
        assert len(world.asked) == 6
        assert world.inquiry.authorised_beyond(b"c", self.LAW._replace(policy=policy("bob"))) == b"a"

    def test_where_they_stand_is_known_first(self, beyond):
        world = beyond(("alice", "alice", "alice"))
        del world.parents_of[b"b"]
        world.put(b"b", [b"y"], 1)
        world.inquiry._known.ranks.pop(b"b")
        world.inquiry.authorised_beyond(b"c", self.LAW)
        assert {b"b", b"y" * 20} <= set(world.found)


class TestKnown:
    def test_parents_of_new_commits_are_those_that_are_authentic(self):
        world = World({b"a": (b"r",), b"m": (b"a", b"r", b"b")}, decisions={b"r": REFUSAL})
        assert world.known.authentic_parents(b"m") == (b"a", b"b")
        assert world.known.raw_parents(b"m") == (b"a", b"r", b"b")
        assert world.known.authentic_parents(b"a") == (b"r",)  # it would not be authentic

    def test_parents_of_older_commits_are_those_that_were_not_dropped(self):
        p, q, r = (letter * 20 for letter in (b"p", b"q", b"r"))
        fences = {(b"m", p): Fence.SIDE, (b"m", q): Fence.DROPPED, (b"m", r): Fence.LOOSE, (b"n", p): Fence.DROPPED}
        for floor, parents in ((Floor(fences=fences), (p, r)), (Floor(), (p, q, r))):
            world = World(floor=floor)
            world.put(b"m", [b"p", b"q", b"r"], 7)
            assert world.known.authentic_parents(b"m") == parents
            assert world.known.raw_parents(b"m") == (p, q, r)
            assert world.known.date(b"m") == 7

    def test_an_older_commit_is_read_once(self):
        world = World()
        world.put(b"m", [], 7)
        assert world.known.date(b"m") == 7
        del world.objects[b"m"]
        assert world.known.date(b"m") == 7

    def test_of_what_is_no_commit_nothing_is_believed(self):
        world = World()
        world.objects[b"m"] = "blob", b"x"
        assert (world.known.raw_parents(b"m"), world.known.date(b"m")) == ((), 0)

    def test_the_line_is_the_tips_first_parents(self):
        world = World({b"a": (b"i",), b"s": (), b"b": (b"a", b"s"), b"t": (b"b", b"s")})
        assert world.known.line() == [b"a", b"b", b"t"]
        assert World({b"s": (), b"t": (b"s",)}).known.line() == [b"s", b"t"]
        assert World().known.line() == []
        assert world.known.ranks == {b"a": 0, b"s": 1, b"b": 2, b"t": 3}

    def test_what_is_given(self):
        colours = {b"a": Colour.GIVEN, b"o": Colour.ACCEPTED, b"l": Colour.LOOSE, b"s": Colour.ASIDE}
        world = World({b"a": (b"i",)}, colours=colours)
        assert [world.known.given(c) for c in (b"a", b"i", b"o", b"l", b"?")] == [False, True, False, False, False]
        assert not world.walk.exhausted
        assert world.known.given(b"s")  # which takes the whole walk to see
        assert world.walk.exhausted
        world.colours[b"s"] = Colour.ASIDE
        assert not world.known.given(b"s")

    def test_what_descends(self):
        world = World({b"a": (b"i",)})
        assert [world.known.descends(c) for c in (b"a", b"i", b"?")] == [False, True, False]
        assert world.found == [b"i", b"?"]

    def test_skew_is_the_marks(self):
        assert World(floor=Floor(skew=3)).known.skew == 3


class TestExamine:
    """R12."""

    @pytest.fixture
    def world(self, monkeypatch):
        def make(dialect=Dialect.NATIVE):
            world = World(dialect=dialect)
            world.put(b"c" * 20, [], 1)

            def examiner(source, examination, keyring):
                assert (source, examination) == (world.source, world.examination)
                world.asked.append(keyring)
                return lambda raws: [(keyring, raws)]

            monkeypatch.setattr(module, "Examiner", examiner)
            return world

        return make

    FAILED = Unproven("unknown-key", "no certificate", ("A" * 40,))

    def test_a_signature_that_could_not_be_proved_is_tried_with_the_judges_certificates(self, world):
        world = world()
        judges = [parent(policy("alice"), material=SimpleNamespace(keyring=keyring)) for keyring in ("one", "two")]
        facts = commit("", unproven=self.FAILED)
        raw = world.objects[facts.id][1]
        assert world.inquiry.examine(facts, judges[0]) == ("one", [raw])
        assert world.inquiry.examine(facts, judges[1]) == ("two", [raw])
        assert world.inquiry.examine(facts, judges[0]) == ("one", [raw])
        assert world.asked == ["one", "two"]

    @pytest.mark.parametrize(
        ("facts", "dialect"),
        [
            (commit("alice"), Dialect.NATIVE),
            (commit(""), Dialect.NATIVE),
            (commit("", unproven=FAILED), Dialect.GUIX),
            (commit("", unproven=FAILED._replace(keys=("A" * 40, ssh("alice")))), Dialect.NATIVE),
        ],
    )
    def test_nothing_else_is(self, world, facts, dialect):
        world = world(dialect)
        assert world.inquiry.examine(facts, parent(policy("alice"))) is facts.examined
        assert world.asked == []


class TestTrees:
    def test_paths_are_judged_by_the_policy_file_that_is_asked_for(self):
        world = World()
        law = policy("alice")
        for said in (True, False):
            found = world.inquiry.cover(law, frozenset({"alice"}), policy_file=said)
            assert (found.leaf(World.policy_path), found.leaf(b"x")) == (said, True)
        assert not world.inquiry.cover(law, frozenset(), policy_file=True).leaf(b"x")

    def test_trees_are_compared_as_asked(self, monkeypatch):
        monkeypatch.setattr(module, "uncovered", lambda *asked: asked)
        monkeypatch.setattr(module, "changes", lambda *asked: iter([Change(b"x", *asked[1:])]))
        assert World().inquiry.uncovered(b"1", b"2", "cover") == ("trees", b"1", b"2", "cover")
        assert list(World().inquiry.changes(b"1", b"2")) == [(b"x", b"1", b"2")]

    def test_the_mechanical_merge_is_asked_for_as_it_is(self, monkeypatch):
        monkeypatch.setattr("gitverify.trees.mechanical.unsettled", lambda *asked, **_: asked)
        monkeypatch.setattr("gitverify.trees.mechanical.unsettled_paths", lambda *asked: asked)
        inquiry = World().inquiry
        trees = ("trees", inquiry._blob, b"1", b"2", b"3", b"4")
        assert inquiry.unsettled(b"1", (b"2", b"3"), b"4", "cover") == (*trees, "cover")
        assert inquiry.unsettled_paths(b"1", (b"2", b"3"), b"4") == trees

    def test_a_blob(self):
        world = World()
        world.objects = {b"b": ("blob", b"data"), b"t": ("tree", b""), b"h": OversizedObject("blob", 5000, 10)}
        assert world.inquiry._blob(b"b") == b"data"
        with pytest.raises(MalformedTree, match="is a tree"):
            world.inquiry._blob(b"t")
        with pytest.raises(OversizedObject, match="5,000 bytes"):
            world.inquiry._blob(b"h")

    def test_what_many_merges_take_together(self, monkeypatch):
        def costly(*_, work, **__):
            work.steps, work.bytes = 60, 160
            return b"path"

        monkeypatch.setattr("gitverify.trees.mechanical.unsettled", costly)
        limits = replace(LIMITS, merge_run_steps=100, merge_run_steps_per_commit=50)
        monkeypatch.setattr("gitverify.inquiry.LIMITS", limits)
        inquiry = World({b"a": (b"i",)}).inquiry
        asked = (b"b", (b"o", b"t"), b"r", NOTHING)
        for _ in range(3):
            assert inquiry.unsettled(*asked) == b"path"
        with pytest.raises(TooMuch, match="too long"):
            inquiry.unsettled(*asked)

    def test_bases_have_their_tree_and_their_policy_file(self, monkeypatch):
        world = World()
        monkeypatch.setattr(world.inquiry, "base_commits", lambda *asked: asked)
        assert world.inquiry.bases(b"o", b"p") == [Base(b"o" * 20, OTHER_ENTRY), Base(b"p" * 20, ENTRY)]

    def test_ancestry_is_asked_once_for_all(self):
        world = World({b"a": (b"i",), b"b": (b"a",), b"c": (b"a",), b"d": (b"b", b"c")})
        world.main |= set(world.order)
        assert world.inquiry.base_commits(b"b", b"c") == (b"a",)
        assert world.inquiry.beyond(b"c", b"b") == (b"c",)
        assert world.inquiry.beyond(b"d", b"b") == (b"d", b"c")
        assert world.inquiry._ancestry is world.inquiry._ancestry
