"""The rules about tags (T1 to T6), on values."""

import pytest
from world import Keys, policy, ssh

from gitverify.policies.model import Dialect, SshKeySpec
from gitverify.rules.facts import Examined, Unproven
from gitverify.rules.hints import HINTS
from gitverify.rules.tags import TAG_HINTS, Law, Lies, TagRefused, counting, read_tag, signed_by

TAG, COMMIT = b"\7" * 20, b"\1" * 20
OLDER, NEWER, ASIDE = Lies.OLDER, Lies.NEWER, Lies.ASIDE


def raw(name=b"v1", kind=b"commit", extra=b""):
    head = b"object " + COMMIT.hex().encode() + b"\ntype " + kind + b"\ntag " + name + b"\n"
    return head + b"tagger T <t@u> 1 +0000\n" + extra + b"\nrelease\n"


def refusal(function, *arguments):
    with pytest.raises(TagRefused) as caught:
        function(*arguments)
    found = caught.value.refusal
    assert found.commit == TAG
    assert found.hint
    assert str(caught.value) == found.message
    return found


def code(found):
    return found.code, found.rule


# --- T1 to T3 -------------------------------------------------------------------------------------------------------


def test_a_tag_of_a_commit():
    tag = read_tag(TAG, "tag", raw(), b"v1")
    assert (tag.name, tag.target) == (b"v1", COMMIT)


@pytest.mark.parametrize("kind", ["commit", "tree", "blob"])
def test_no_tag_object(kind):
    found = refusal(read_tag, TAG, kind, raw(), b"v1")
    assert code(found) == ("tag-not-annotated", "T1")
    assert f"a {kind}" in found.message


def test_a_malformed_tag():
    assert code(refusal(read_tag, TAG, "tag", raw(extra=b"more x\n"), b"v1")) == ("malformed-tag", "T1")


@pytest.mark.parametrize("said", [b"v2", b"V1", b"v1 ", b" v1", b"v1\r", b"x/v1", b"refs/tags/v1", b"v\xcc\x811"])
def test_another_name(said):
    found = refusal(read_tag, TAG, "tag", raw(said), b"v1")
    assert code(found) == ("tag-name", "T2")
    assert found.message.isprintable()
    assert read_tag(TAG, "tag", raw(said), said).name == said


@pytest.mark.parametrize(
    ("kind", "expected"), [(b"tag", "tag-nested"), (b"tree", "tag-target"), (b"blob", "tag-target")]
)
def test_a_tag_of_something_else(kind, expected):
    found = refusal(read_tag, TAG, "tag", raw(kind=kind), b"v1")
    assert code(found) == (expected, "T3")
    assert COMMIT.hex() in found.message


# --- T4 and T6: which marks count -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "asked"),
    [
        ([], []),
        ([OLDER], []),
        ([NEWER], [0]),
        ([ASIDE, NEWER], [1]),
        ([ASIDE, OLDER], []),
        ([NEWER, ASIDE, NEWER, OLDER], [0, 2]),
    ],
)
def test_newer_marks_are_asked(marks, asked):
    assert counting(TAG, marks) == asked


@pytest.mark.parametrize("marks", [[ASIDE], [ASIDE, ASIDE]])
def test_a_commit_that_no_mark_knows(marks):
    assert code(refusal(counting, TAG, marks)) == ("tag-aside", "T4")


# --- T5 and T6: who signed ------------------------------------------------------------------------------------------


def law(*names, tags=None, later=False, **more):
    keys = more.pop("keys", Keys())
    which = frozenset(names if tags is None else tags)
    return Law(policy(*names, tags=which, **more), keys, COMMIT, later)


def signed(name):
    return Examined(key=ssh(name))


def test_somebody_listed_for_tags():
    (voucher,) = signed_by(TAG, 0, signed("alice"), law("alice", "bob", tags=["alice"]))
    assert (voucher.person, voucher.key) == ("alice", ssh("alice"))


@pytest.mark.parametrize(("later", "rule"), [(False, "T5"), (True, "T6")])
def test_somebody_listed_for_other_things(later, rule):
    found = refusal(signed_by, TAG, 0, signed("bob"), law("alice", "bob", tags=["alice"], later=later))
    assert code(found) == ("unauthorized-key", rule)
    assert (found.person, found.key, found.judged_by) == ("bob", ssh("bob"), COMMIT)
    assert found.message.startswith("since then" if later else "the policy lists")


@pytest.mark.parametrize(("later", "rule"), [(False, "R8"), (True, "T6")])
def test_somebody_who_is_not_listed(later, rule):
    found = refusal(signed_by, TAG, 0, signed("mallory"), law("alice", later=later))
    assert code(found) == ("unauthorized-key", rule)
    assert (found.key, found.judged_by) == (ssh("mallory"), COMMIT)
    assert found.message.startswith("since then") is later


def test_nobody_is_listed_for_tags():
    assert code(refusal(signed_by, TAG, 0, signed("alice"), law("alice", tags=[]))) == ("unauthorized-key", "T5")


@pytest.mark.parametrize("problem", ["unsigned", "weak-signature", "unsupported-signature", "unknown-key"])
def test_a_signature_that_proves_nothing(problem):
    found = refusal(signed_by, TAG, 0, Examined(unproven=Unproven(problem, "so it is")), law("alice"))
    assert code(found) == (problem, "R8")


def test_a_signature_that_names_a_listed_key_and_fails():
    examined = Examined(unproven=Unproven("bad-signature", "so it is", (ssh("alice"),)))
    found = refusal(signed_by, TAG, 0, examined, law("alice"))
    assert code(found) == ("bad-signature", "R8")
    assert "The tag was changed" in found.hint


def test_of_two_people_with_the_key_the_one_for_tags():
    shared = (SshKeySpec(ssh("shared"), b""),)
    both = law("alice", "bob", tags=["bob"], dialect=Dialect.OPENSSH, specs={"alice": shared, "bob": shared})
    (voucher,) = signed_by(TAG, 0, signed("shared"), both)
    assert voucher.person == "bob"


@pytest.mark.parametrize(("date", "passes"), [(10, True), (11, False)])
def test_the_date_counts_where_the_policy_has_dates(date, passes):
    specs = {"alice": (SshKeySpec(ssh("alice"), b"", valid_before=10),)}
    dated = law("alice", dialect=Dialect.OPENSSH, specs=specs)
    if passes:
        assert signed_by(TAG, date, signed("alice"), dated)
    else:
        assert code(refusal(signed_by, TAG, date, signed("alice"), dated)) == ("expired-key", "R22b")


def test_a_hint_of_its_own_replaces_one_that_is_there():
    assert TAG_HINTS.keys() <= HINTS.keys()
    assert all(TAG_HINTS.values())


def test_a_law_is_the_tagged_commits_unless_it_is_said_to_be_later():
    found = refusal(signed_by, TAG, 1, Examined(key=ssh("mallory")), Law(policy("alice"), Keys(), COMMIT))
    assert found.rule != "T6"
