"""What children find out ahead of the judgement spares work and changes no answer."""

from types import SimpleNamespace

import pytest
from cli.scene import ALICE, BOB, Scene, policies
from gitrepo import GitRepository
from lookingahead import LookingAhead

from gitverify import ahead, foresight, judgement, policybook
from gitverify.answers import Answers, Asked
from gitverify.foresight import Foresight
from gitverify.objects.tree import TreeEntry
from gitverify.policies.coverage import cover
from gitverify.policies.model import Dialect, Grant, PathPrefix, Person, Policy
from gitverify.request import Request, Silent
from gitverify.source import Repository
from gitverify.verify import verify

PATHS = policies.native(
    {"alice": [ALICE], "bob": [BOB]}, "unprotected: [free/]", "unsigned_merges: true", limited={"bob": ["b/"]}
)


@pytest.fixture(autouse=True)
def _however_small(monkeypatch):
    monkeypatch.setattr(foresight, "WORTH_LOOKING", 0)
    monkeypatch.setattr(foresight, "BLOCK", 2)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Commits in folders, clean merges of both sides, and an ``evil`` one on top that only its place makes wrong."""
    made = Scene(tmp_path_factory.mktemp("foresight"))
    history = made.history
    history.commit("paths", {policies.NATIVE: PATHS}, sign=ALICE)
    last = "paths"
    for number in range(12):
        history.commit(f"bob{number}", {f"b/{number}": "x"}, parents=[last], sign=BOB)
        history.commit(f"free{number}", {f"free/{number}": "x"}, parents=[last])
        history.commit(f"alice{number}", {f"a/{number}": "x"}, parents=[f"free{number}"], sign=ALICE)
        last = f"merge{number}"
        history.merge(last, f"bob{number}", f"alice{number}")
    history.commit("evil", {"a/1": "other"}, parents=[last], sign=BOB)
    history.commit("after", {"b/1": "y"}, parents=["evil"], sign=BOB)
    history.merge("not-clean", last, "bob0", changes={"a/2": "other"})
    return made


def ask(scene, tip, looks=LookingAhead, **settings):
    """Verify; return the outcome, and how many questions were answered ahead and how many here."""
    counted = {"ahead": 0, "here": 0}

    class Counting(Answers):
        def answer(self, trees, cover, find):
            def here():
                counted["here"] += 1
                return find()

            answer = super().answer(trees, cover, here)
            counted["ahead"] += 1
            return answer

    source = Repository(scene.path)
    request = Request(
        tip=bytes.fromhex(scene.ids[tip]), introduction=bytes.fromhex(scene.ids["introduction"]), **settings
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "Answers", Counting)
        outcome = verify(source, request, make_pool=looks and (lambda prepare, sink: looks(prepare(source), sink)))
    counted["ahead"] -= counted["here"]
    return outcome, counted


@pytest.mark.parametrize("tip", ["merge11", "evil", "after", "not-clean"])
def test_the_same_answer_as_without(scene, tip):
    alone, asked = ask(scene, tip, None, keep_going=True)
    assert asked == {"ahead": 0, "here": 0}
    found, asked = ask(scene, tip, keep_going=True)
    assert found == alone
    assert found.verdict == ("authentic" if tip == "merge11" else "refused")
    assert asked["ahead"] > 30


def test_everything_is_answered_ahead_where_all_is_well(scene):
    assert ask(scene, "merge11")[1]["here"] == 0


@pytest.mark.parametrize("jobs", ["2", "3"])
@pytest.mark.parametrize("tip", ["merge11", "evil", "not-clean"])
def test_the_same_answer_of_the_command(scene, tip, jobs, monkeypatch):
    monkeypatch.setattr(ahead, "STRETCH", 2)
    arguments = ["verify", f"{{{tip}}}", "--introduction", "{introduction}", "--no-state", "--keep-going", "--jobs"]
    several, alone = scene.json(*arguments, jobs), scene.json(*arguments, "1")
    assert {**several, "seconds": 0} == {**alone, "seconds": 0}
    assert alone["exit"] == (tip != "merge11")


def test_what_is_supposed_stays_in_the_copy(scene):
    """No decision of a child counts: here one that supposes all to be well has seen everything before."""
    outcome, _ = ask(scene, "after", keep_going=True)
    assert [refusal.code for refusal in outcome.refusals] == ["unauthorized-path", "parent-not-authentic"]
    assert outcome.refusals[0].path == b"a/"


class Lying(LookingAhead):
    """Answers for other blocks than it was asked about."""

    def ahead(self, blocks, prepare, take):
        return super().ahead(blocks, prepare, lambda block, answer: take((block + 3) % blocks, answer))


def test_an_answer_is_found_by_its_question_alone(scene):
    outcome, asked = ask(scene, "after", Lying, keep_going=True)
    assert outcome == ask(scene, "after", None, keep_going=True)[0]
    assert asked["here"] > 30


class Mute(LookingAhead):
    """Never answers."""

    def ahead(self, blocks, prepare, take):
        assert prepare()(blocks) == ([], [])  # nothing was asked in a block beyond the last
        return super().ahead(0, prepare, take)


def test_without_answers_all_is_found_here(scene):
    outcome, asked = ask(scene, "merge11", Mute)
    assert outcome.verdict == "authentic"
    assert asked["ahead"] == 0
    assert asked["here"] > 30


def test_a_tree_that_is_missing_ends_the_child_and_decides_nothing(tmp_path):
    made = Scene(tmp_path)
    below = policies.native({"alice": [ALICE], "bob": [BOB]}, limited={"bob": ["b/c/"]})
    made.history.commit("paths", {policies.NATIVE: below}, sign=ALICE)
    for number in range(6):
        made.history.commit(f"bob{number}", {f"b/c/{number}": str(number)}, sign=BOB)
    tree = GitRepository(made.path).git("rev-parse", f"{made.ids['bob3']}:b")
    (made.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    for looks in (None, LookingAhead):
        outcome, _ = ask(made, "bob5", looks)
        assert (outcome.verdict, outcome.reason) == ("undecided", "missing-object")
        assert tree in outcome.refusals[0].message


@pytest.mark.parametrize("most", [0, 8 << 20])
def test_a_child_reads_few_policies_that_nobody_may_have_signed(tmp_path, monkeypatch, most):
    """On top of what is authentic anyone can put commits with policies as large as they may be."""
    monkeypatch.setattr(foresight, "MOST_POLICIES", most)
    made = Scene(tmp_path)
    made.history.commit("paths", {policies.NATIVE: PATHS}, sign=ALICE)
    for number in range(9):
        made.history.commit(f"large{number}", {policies.NATIVE: PATHS + f"# {number}\n"})
    read = []
    parsed = policybook.parse
    monkeypatch.setattr(policybook, "parse", lambda *about: read.append(about[1]) or parsed(*about))
    outcome, _ = ask(made, "large8", keep_going=True)
    assert outcome.refusals[0].code == "unsigned"
    assert outcome == ask(made, "large8", None, keep_going=True)[0]
    large = [data for data in read if b"# " in data]
    assert (len(large) > 5) == (most > 0)


def test_the_judgement_reads_no_policy_ahead(tmp_path):
    """The file of a policy above a refused commit is missing, which nobody has to notice."""
    made = Scene(tmp_path)
    made.history.commit("paths", {policies.NATIVE: PATHS}, sign=ALICE)
    made.history.commit("evil", {"a/1": "x"}, sign=BOB)
    made.history.commit("policy", {policies.NATIVE: PATHS + "# other\n"}, sign=ALICE)
    blob = GitRepository(made.path).git("rev-parse", f"{made.ids['policy']}:{policies.NATIVE}")
    (made.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for looks in (None, LookingAhead):
        outcome, _ = ask(made, "policy", looks, keep_going=True)
        assert [refusal.code for refusal in outcome.refusals] == ["unauthorized-path", "parent-not-authentic"]


def test_no_process_where_no_tree_is_compared(scene):
    outcome, asked = ask(scene, "third")
    assert outcome.verdict == "authentic"
    assert asked == {"ahead": 0, "here": 0}


def test_no_process_for_a_few_commits(scene, monkeypatch):
    monkeypatch.setattr(foresight, "WORTH_LOOKING", 1000)
    assert ask(scene, "merge11")[1] == {"ahead": 0, "here": 0}


def test_the_observer_hears_how_far_the_judgement_is(scene, monkeypatch):
    monkeypatch.setattr(judgement, "STRETCH", 20)
    heard = []

    class Hearing(Silent):
        def judged(self, count, total):
            heard.append((count, total))

    request = Request(tip=bytes.fromhex(scene.ids["merge11"]), introduction=bytes.fromhex(scene.ids["introduction"]))
    outcome = verify(Repository(scene.path), request, observer=Hearing())
    assert heard == [(0, outcome.checked), (20, outcome.checked), (40, outcome.checked)]


# --- when the processes are started, and ended -------------------------------------------------------------------


class Watched:
    """A judgement, a book and a pool of which only is seen what is asked of them."""

    def __init__(self, count, *, compares_trees=True, processes=True):
        self.order = [b"%d" % number for number in range(count)]
        self.inquiry = SimpleNamespace(answers=None)
        self.compares_trees = compares_trees
        self.processes = processes
        self.seen = []
        self.foresight = Foresight(self, self, self)

    def ahead(self, blocks, prepare, take):
        self.seen.append(("started", blocks))
        return self if self.processes else None

    def reached(self, block):
        self.seen.append(("reached", block))

    def close(self):
        self.seen.append("closed")


def test_processes_are_started_once_told_each_block_and_ended():
    watched = Watched(5)
    for place in range(5):
        watched.foresight.reached(place)
    watched.foresight.close()
    assert watched.seen == [("started", 3), ("reached", 0), ("reached", 1), ("reached", 2), "closed"]
    assert watched.inquiry.answers is not None


def test_processes_are_started_when_a_policy_has_trees_compared():
    watched = Watched(6, compares_trees=False)
    watched.foresight.reached(0)
    watched.compares_trees = True
    watched.foresight.reached(1)  # in the middle of a block
    assert watched.seen == []
    watched.foresight.reached(2)
    assert watched.seen == [("started", 3), ("reached", 1)]


@pytest.mark.parametrize(("left", "started"), [(10, True), (9, False)])
def test_processes_are_started_for_as_many_commits_as_that_is_worth(monkeypatch, left, started):
    monkeypatch.setattr(foresight, "WORTH_LOOKING", 10)
    watched = Watched(left + 2)
    watched.foresight.reached(2)
    assert bool(watched.seen) == started


def test_where_there_are_no_processes_nobody_is_asked_again():
    watched = Watched(6, processes=False)
    watched.foresight.reached(0)
    watched.foresight.reached(2)
    watched.foresight.close()
    assert watched.seen == [("started", 3)]
    assert watched.inquiry.answers is None


def test_processes_are_ended_however_the_judgement_ends(scene, monkeypatch):
    closed = []

    class Ending(LookingAhead):
        def ahead(self, blocks, prepare, take):
            ahead = super().ahead(blocks, prepare, take)
            ahead.close = lambda: closed.append(True)
            return ahead

    assert ask(scene, "merge11", Ending)[0].verdict == "authentic"
    assert closed == [True]
    monkeypatch.setattr(judgement.Judgement, "decide", lambda *_: 1 / 0)
    monkeypatch.setattr(Foresight, "close", lambda _: closed.append(False))
    with pytest.raises(ZeroDivisionError):
        ask(scene, "merge11")
    assert closed == [True, False]


# --- what an answer is found by ----------------------------------------------------------------------------------


def policy(*paths):
    prefixes = tuple(PathPrefix(path, subtree=True) for path in paths)
    people = {name: Person(name, ()) for name in ("ann", "ben")}
    return Policy(Dialect.NATIVE, people, (Grant(prefixes, frozenset({"ann"})),), frozenset())


ONE, OTHER = policy(b"a"), policy(b"b")
TREES = b"1" * 20, b"2" * 20


def asked_of(answers, its, people=("ann",), policy_file=True, trees=TREES):
    """Ask as the judgement does; return None where the answer was not known."""
    covered = cover(its, frozenset(people), b".gitverify.yaml", policy_file=policy_file)
    answers.covers(covered, its, frozenset(people), policy_file=policy_file)
    return answers.answer(trees, covered, lambda: None)


class Book:
    """What was read from two files."""

    def file_of(self, policy):
        return {id(ONE): TreeEntry(b"100644", b"1" * 20), id(OTHER): TreeEntry(b"100644", b"2" * 20)}.get(id(policy))


@pytest.fixture
def answers():
    asked = Asked(Book())
    covered = cover(ONE, frozenset({"ann"}), b".gitverify.yaml", policy_file=True)
    asked.covers(covered, ONE, frozenset({"ann"}), policy_file=True)
    assert asked.answer(TREES, covered, lambda: (b"a path", 7)) == (b"a path", 7)
    found = Answers(Book())
    found.take(4, asked.hand_over())
    assert asked.hand_over() == ([], [])
    found.reached(4)
    return found


def test_the_same_question_has_the_same_answer(answers):
    assert asked_of(answers, ONE) == (b"a path", 7)
    assert asked_of(answers, ONE) == (b"a path", 7)


@pytest.mark.parametrize(
    "other",
    [
        {"its": OTHER},
        {"its": policy(b"a")},  # the same, but nobody knows that
        {"people": ("ben",)},
        {"people": ()},
        {"policy_file": False},
        {"trees": TREES[::-1]},
        {"trees": (*TREES, *TREES)},
        {"trees": TREES[:1]},
    ],
)
def test_another_question_has_no_answer(answers, other):
    assert asked_of(answers, **{"its": ONE, **other}) is None


def test_a_cover_that_was_not_just_named_has_no_answer(answers):
    mine = cover(ONE, frozenset({"ann"}), b".gitverify.yaml", policy_file=True)
    answers.covers(mine, ONE, frozenset({"ann"}), policy_file=True)
    theirs = cover(OTHER, frozenset({"ann"}), b".gitverify.yaml", policy_file=True)
    assert answers.answer(TREES, theirs, lambda: None) is None
    assert answers.answer(TREES, mine, lambda: None) == (b"a path", 7)


def test_another_block_has_other_answers(answers):
    answers.reached(5)
    assert asked_of(answers, ONE) is None
    answers.reached(4)  # it is asked about once
    assert asked_of(answers, ONE) is None


def test_a_cover_that_was_not_just_named_is_not_handed_over():
    asked = Asked(Book())
    mine = cover(ONE, frozenset({"ann"}), b".gitverify.yaml", policy_file=True)
    asked.covers(mine, ONE, frozenset({"ann"}), policy_file=True)
    theirs = cover(OTHER, frozenset({"ann"}), b".gitverify.yaml", policy_file=True)
    assert asked.answer(TREES, theirs, lambda: (b"their path", 1)) == (b"their path", 1)
    assert asked.hand_over() == ([], [])
    assert asked.answer(TREES, mine, lambda: (None, 2)) == (None, 2)
    assert asked.hand_over() == ([((b"100644", b"1" * 20), frozenset({"ann"}), True)], [(0, TREES, (None, 2))])


def test_unnamed_covers_are_not_handed_over():
    asked = Asked(Book())
    asked_of(asked, policy(b"a"))
    assert asked.hand_over() == ([], [])
