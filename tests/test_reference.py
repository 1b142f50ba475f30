"""The reference by hand: for each rule a history that is refused, and its twin that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reference import (
    DAY,
    DIALECT_FILES,
    Entry,
    Listing,
    Question,
    RefCommit,
    RefPerson,
    RefPolicy,
    RefSignature,
    judge,
    newest_authentic,
)

FILES = {dialect: paths[0] for dialect, paths in DIALECT_FILES.items()}
AUTHENTIC = ("authentic", frozenset(), {})
BROKEN = b"{[ not a policy\n"
INHERITED = object()


def person(name, *, granted=True, editor=True, **window):
    return RefPerson(name, (Listing(name, **window),), granted, editor)


def policy(*people, **options):
    return RefPolicy(tuple(person(one) if isinstance(one, str) else one for one in people), **options)


ALICE = policy("alice")
ALICE_BOB = policy("alice", "bob")
STANDINGS = policy("alice", person("grantee", editor=False), person("editor", granted=False))


class Story:
    """A history being told: a commit takes its first parent's tree, changed; a person's key has his name."""

    def __init__(self, first_policy=ALICE, dialect="native"):
        self.dialect = dialect
        self.path = FILES[dialect]
        self.history = {}
        if first_policy is not None:
            self.add("intro", policy=first_policy)

    def add(self, name, *parents, by="alice", policy=INHERITED, mode="100644", date=0, malformed="", **files):
        tree = dict(self.history[parents[0]].tree) if parents else {b"keep": Entry(b"1\n")}
        tree |= {path.encode(): Entry(content) for path, content in files.items()}
        if policy is None:
            del tree[self.path]
        elif policy is not INHERITED:
            tree[self.path] = Entry(policy, mode)
        signature = RefSignature("good", by) if isinstance(by, str) else by
        self.history[name] = RefCommit(name, parents, tree, signature, date, malformed)
        return self

    def spoil(self, name, **changes):
        self.history[name] = replace(self.history[name], **changes)
        return self

    def ask(self, tip=None, introduction="intro", **options):
        report = judge(self.history, Question(introduction, tip or list(self.history)[-1], **options))
        return report.verdict, report.reasons, report.codes


def refused(*reasons, **codes):
    return "refused", frozenset(reasons or codes.values()), codes


# --- 1: the anchor --------------------------------------------------------------------------------------------


def test_r1_introduction_is_there():
    assert Story().ask() == AUTHENTIC
    assert Story().ask(introduction="nowhere") == ("error", {"introduction-missing"}, {})


@pytest.mark.parametrize(
    ("signature", "signer", "answer"),
    [
        (RefSignature("good", "alice"), "alice", AUTHENTIC),
        (RefSignature("good", "mallory"), "alice", refused("introduction-signer")),
        (RefSignature("good", "mallory"), "mallory", AUTHENTIC),  # R1 asks nothing of the policy
        (RefSignature("bad", "alice"), "alice", refused("introduction-signer")),
        (RefSignature("weak", "alice"), "alice", refused("introduction-signer")),
        (RefSignature("unknown-key", "alice"), "alice", refused("introduction-signer")),
        (RefSignature(), "alice", refused("introduction-signer")),
        (RefSignature(), None, AUTHENTIC),
    ],
)
def test_r1_introduction_is_signed_by_exactly_the_signer(signature, signer, answer):
    story = Story().add("a", "intro").spoil("intro", signature=signature)
    assert story.ask(signer=signer) == answer


def test_r2_tip_descends_from_the_introduction():
    story = Story(None).add("old").add("intro", "old", policy=ALICE).add("a", "intro").add("fork", "old")
    assert story.ask("a") == AUTHENTIC
    assert story.ask("intro") == AUTHENTIC
    for tip in ("old", "fork"):
        assert story.ask(tip) == refused("not-descendant")


def test_r3_dialect_is_the_one_found_or_named():
    story = Story()
    assert story.ask(dialect="native") == AUTHENTIC
    assert story.ask(dialect="guix") == ("error", {"introduction-policy"}, {})
    story.history["intro"].tree[b".guix-authorizations"] = Entry(policy("bob"))
    assert story.ask() == ("error", {"introduction-policy"}, {})
    assert story.ask(dialect="native") == AUTHENTIC
    assert story.add("a", "intro", by="bob").ask(dialect="guix") == AUTHENTIC
    assert story.ask(dialect="native") == refused(a="unauthorized-key")


def test_r3_two_files_of_one_dialect_are_too_many():
    story = Story(dialect="openssh")
    assert story.ask(dialect="openssh") == AUTHENTIC
    story.history["intro"].tree[b".gitsigners"] = Entry(ALICE)
    assert story.ask(dialect="openssh") == ("error", {"introduction-policy"}, {})


@pytest.mark.parametrize("dialect", FILES)
def test_r3_later_commit_does_not_switch(dialect):
    other = FILES["guix" if dialect == "native" else "native"].decode()
    story = Story(dialect=dialect).add("a", "intro", **{other: b"1\n"})
    assert story.ask() == AUTHENTIC
    story.add("b", "a", policy=None).add("c", "b")
    assert story.ask() == refused("dialect-changed", b="dialect-changed", c="parent-not-authentic")


# --- 2: malformed objects -------------------------------------------------------------------------------------


def test_r6_malformed_commit_hides_what_is_behind_it():
    story = Story().add("a", "intro").add("b", "a").add("c", "b")
    assert story.ask() == AUTHENTIC
    story.spoil("a", signature=RefSignature()).spoil("b", malformed="malformed-commit")
    assert story.ask() == refused("malformed-commit", b="malformed-commit", c="parent-not-authentic")
    assert story.ask("b") == refused(b="malformed-commit")


def test_r6_malformed_commit_before_the_introduction_does_not_make_a_descendant():
    story = Story(None).add("old", malformed="malformed-commit").add("intro", "old", policy=ALICE)
    assert story.ask() == AUTHENTIC
    assert story.ask("old") == refused("not-descendant")


def test_r7_malformed_tree_comes_before_everything():
    story = Story().add("a", "intro", by=RefSignature()).add("b", "a", malformed="malformed-tree").add("c", "a")
    assert story.ask("b") == refused("unsigned", a="unsigned", b="malformed-tree")
    assert story.ask("c") == refused("unsigned", a="unsigned", c="parent-not-authentic")


# --- 3: signatures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (RefSignature(), "unsigned"),
        (RefSignature("good", "mallory"), "unauthorized-key"),
        (RefSignature("bad", "alice"), "bad-signature"),
        (RefSignature("bad", "mallory"), "unauthorized-key"),
        (RefSignature("weak", "alice"), "weak-signature"),
        (RefSignature("unsupported"), "unsupported-signature"),
        (RefSignature("unknown-key", "alice"), "unknown-key"),
    ],
)
def test_r8_signature_that_proves_nothing_has_a_telling_code(dialect, signature, code):
    story = Story(dialect=dialect).add("a", "intro").add("b", "a")
    assert story.ask() == AUTHENTIC
    story.spoil("a", signature=signature)
    assert story.ask() == refused(code, a=code, b="parent-not-authentic")


def test_r8_bad_signature_of_a_merge_names_a_key_that_any_parent_lists():
    story = Story(ALICE_BOB).add("a", "intro", policy=ALICE).add("b", "intro").add("m", "a", "b")
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "bob"))
    assert story.ask() == refused(m="unauthorized-key")
    story.spoil("m", signature=RefSignature("bad", "bob"))
    assert story.ask() == refused(m="bad-signature")
    story.spoil("m", signature=RefSignature("bad", "mallory"))
    assert story.ask() == refused(m="unauthorized-key")


# --- 4: policies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"policy": None}, "policy-missing"),
        ({"policy": BROKEN}, "policy-invalid"),
        ({"policy": ALICE, "mode": "120000"}, "policy-invalid"),
        ({"policy": ALICE, "mode": "160000"}, "policy-invalid"),
        ({"policy": policy("alice", unsupported=frozenset({"unprotected"}))}, "policy-unsupported"),
    ],
)
def test_r14_commit_without_a_usable_policy_is_refused_itself(dialect, file, code):
    story = Story(dialect=dialect).add("a", "intro").add("b", "a", **file)
    assert story.ask("a") == AUTHENTIC
    assert story.ask("b") == refused(b=code)
    assert story.add("c", "b", policy=ALICE).ask() == refused(code, b=code, c="parent-not-authentic")


@pytest.mark.parametrize("dialect", FILES)
def test_r14_policy_that_is_a_directory_is_refused(dialect):
    story = Story(dialect=dialect).add("a", "intro", policy=ALICE, mode="100755")
    assert story.ask() == AUTHENTIC
    story.add("b", "a", policy=None, **{f"{FILES[dialect].decode()}/x": b"1\n"})
    assert story.ask() == refused(b="policy-invalid")


@pytest.mark.parametrize("dialect", ["native", "openssh"])
def test_r14_file_that_lists_nobody_is_a_lockout(dialect):
    assert Story(dialect=dialect).add("a", "intro", policy=policy()).ask() == refused(a="policy-lockout")


def test_r22_file_that_lists_nobody_has_no_children():
    story = Story(dialect="guix").add("a", "intro", policy=policy())
    assert story.ask() == AUTHENTIC
    story.add("b", "a", policy=ALICE)
    assert story.ask() == refused(b="unauthorized-key")


@pytest.mark.parametrize("file", [{"policy": BROKEN}, {"policy": policy()}, {"policy": ALICE, "mode": "120000"}])
def test_r14_introduction_without_a_usable_policy_is_an_error(file):
    story = Story(None).add("intro", **file)
    assert story.ask() == ("error", {"introduction-policy"}, {})
    assert Story(None).add("intro").ask() == ("error", {"introduction-policy"}, {})
    assert Story(None).add("intro", policy=ALICE).ask() == AUTHENTIC


def test_introduction_that_asks_too_much_is_refused():
    story = Story(policy("alice", unsupported=frozenset({"path-grant"})))
    assert story.ask() == refused(intro="policy-unsupported")


def test_r14_somebody_must_be_able_to_change_the_native_policy():
    nobody = policy(person("alice", editor=False), person("bob", granted=False, editor=False))
    assert Story().add("a", "intro", policy=nobody).ask() == refused(a="policy-lockout")
    assert Story().add("a", "intro", policy=replace(nobody, default_editors=True)).ask() == AUTHENTIC
    limited = policy(person("alice", granted=False), default_editors=True)
    assert Story().add("a", "intro", policy=limited).ask() == refused(a="policy-lockout")
    assert Story().add("a", "intro", policy=replace(limited, default_editors=False)).ask() == AUTHENTIC


def test_r14_somebody_without_a_key_is_not_able():
    keyless = RefPerson("carol", ())
    alone = policy(person("alice", editor=False), keyless)
    assert Story().add("a", "intro", policy=alone).ask() == refused(a="policy-lockout")
    assert Story().add("a", "intro", policy=policy("alice", keyless)).ask() == AUTHENTIC


def test_a_key_belongs_to_one_person_in_the_native_dialect_alone():
    twice = policy("alice", RefPerson("twin", (Listing("alice"),)))
    for dialect, answer in {"native": refused(a="policy-invalid"), "guix": AUTHENTIC, "openssh": AUTHENTIC}.items():
        assert Story(dialect=dialect).add("a", "intro", policy=twice).ask() == answer


def test_own_policy_comes_before_the_signature():
    story = Story().add("a", "intro", policy=BROKEN, by=RefSignature())
    assert story.ask() == refused(a="policy-invalid")
    assert story.add("b", "a", policy=None, by=RefSignature()).ask("b")[2]["b"] == "parent-not-authentic"


# --- 5: linear ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FILES)
def test_r17_judged_by_the_parents_policy(dialect):
    story = Story(dialect=dialect).add("a", "intro", policy=ALICE_BOB).add("b", "a", by="bob")
    assert story.ask() == AUTHENTIC
    early = Story(dialect=dialect).add("a", "intro", by="bob", policy=ALICE_BOB)
    assert early.ask() == refused(a="unauthorized-key")
    late = story.add("c", "b", by="bob", policy=ALICE).add("d", "c", by="bob")
    assert late.ask("c") == AUTHENTIC
    assert late.ask("d") == refused(d="unauthorized-key")
    again = late.add("e", "c", policy=ALICE_BOB).add("f", "e", by="bob")
    assert again.ask("f") == AUTHENTIC


def test_r17_any_key_of_a_person_will_do():
    both = policy(RefPerson("alice", (Listing("laptop"), Listing("token"))))
    for key in ("laptop", "token"):
        assert Story(both).add("a", "intro", by=key).ask() == AUTHENTIC
    assert Story(both).add("a", "intro").ask() == refused(a="unauthorized-key")


@pytest.mark.parametrize(
    ("by", "files", "answer"),
    [
        ("grantee", {"x": b"1\n"}, AUTHENTIC),
        ("editor", {"x": b"1\n"}, refused(a="unauthorized-path")),
        ("grantee", {"policy": ALICE}, refused(a="policy-unauthorized")),
        ("editor", {"policy": ALICE}, AUTHENTIC),
        ("editor", {"policy": STANDINGS, "mode": "100755"}, AUTHENTIC),
        ("grantee", {"policy": STANDINGS, "mode": "100755"}, refused(a="policy-unauthorized")),
        ("editor", {"policy": ALICE, "x": b"1\n"}, refused(a="unauthorized-path")),
        ("grantee", {"policy": ALICE, "x": b"1\n"}, refused(a="policy-unauthorized")),
        ("alice", {"policy": ALICE, "x": b"1\n"}, AUTHENTIC),
        ("grantee", {}, AUTHENTIC),
        ("editor", {}, AUTHENTIC),
    ],
)
def test_r15_r17_what_a_grant_and_what_an_editor_may(by, files, answer):
    assert Story(STANDINGS).add("a", "intro", by=by, **files).ask() == answer


def test_r15_standing_counts_in_the_native_dialect_alone():
    for dialect in ("guix", "openssh"):
        for by in ("grantee", "editor"):
            assert Story(STANDINGS, dialect).add("a", "intro", by=by, policy=ALICE, x=b"1\n").ask() == AUTHENTIC


def test_r17_empty_contribution_needs_a_voucher_with_some_standing():
    listed = policy("alice", person("guest", granted=False, editor=False))
    assert Story(listed).add("a", "intro").ask() == AUTHENTIC
    assert Story(listed).add("a", "intro", by="guest").ask() == refused(a="unauthorized-path")
    assert Story(listed).add("a", "intro", by=RefSignature()).ask() == refused(a="unsigned")


def test_removing_a_file_and_changing_a_mode_are_changes():
    story = Story(STANDINGS).add("a", "intro", by="editor")
    assert story.ask() == AUTHENTIC
    kept = story.history["a"].tree
    story.spoil("a", tree={path: entry for path, entry in kept.items() if path != b"keep"})
    assert story.ask() == refused(a="unauthorized-path")
    story.spoil("a", tree={**kept, b"keep": Entry(b"1\n", "100755")})
    assert story.ask() == refused(a="unauthorized-path")


def test_oldest_refusals_are_the_reasons():
    unsigned = RefSignature()
    story = Story().add("a", "intro", by=unsigned).add("b", "intro", by="mallory").add("m", "a", "b", by=unsigned)
    codes = {"a": "unsigned", "b": "unauthorized-key", "m": "parent-not-authentic"}
    assert story.ask() == refused("unsigned", "unauthorized-key", **codes)
    story.spoil("a", signature=RefSignature("good", "alice")).spoil("b", signature=RefSignature("good", "alice"))
    assert story.ask() == refused(m="unsigned")


# --- 5: merges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize("swapped", [False, True])
def test_r18_r22_every_parents_policy_lists_the_voucher(dialect, swapped):
    story = Story(ALICE_BOB, dialect).add("a", "intro", policy=ALICE).add("b", "intro", x=b"1\n", by="bob")
    parents = ("b", "a") if swapped else ("a", "b")
    story.add("m", *parents, by="alice")
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "bob"))
    assert story.ask() == refused(m="unauthorized-key")


def test_r18_octopus_is_judged_like_any_merge():
    story = Story(ALICE_BOB).add("a", "intro").add("b", "intro").add("c", "intro", policy=ALICE)
    story.add("m", "a", "b", "c")
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "bob"))
    assert story.ask() == refused(m="unauthorized-key")


def test_r18_merge_with_a_parent_that_is_not_authentic():
    story = Story().add("a", "intro").add("b", "intro").add("m", "a", "b")
    assert story.ask() == AUTHENTIC
    story.spoil("b", signature=RefSignature())
    assert story.ask() == refused("unsigned", b="unsigned", m="parent-not-authentic")


def test_policy_file_of_a_merge_needs_an_editor_of_each_parent_that_has_another():
    mine, theirs = replace(STANDINGS, note=1), policy(person("editor"), person("alice", editor=False))
    story = Story(STANDINGS).add("a", "intro", policy=mine).add("b", "intro", policy=theirs).add("m", "a", "b")
    assert story.ask() == refused(m="policy-unauthorized")  # alice is no editor under b's policy
    story.spoil("m", tree=story.history["b"].tree)  # b's file: only a has another
    assert story.ask() == AUTHENTIC
    story.spoil("b", tree={**story.history["b"].tree, FILES["native"]: Entry(policy("alice"))}).add("n", "a", "b")
    assert story.ask() == AUTHENTIC


def test_editor_without_a_grant_merges_only_what_changes_nothing_else():
    story = Story(STANDINGS).add("a", "intro", policy=replace(STANDINGS, note=1)).add("b", "intro")
    story.add("m", "a", "b", by="editor")
    assert story.ask() == AUTHENTIC
    story.spoil("b", tree={**story.history["b"].tree, b"x": Entry(b"1\n")})
    assert story.ask() == refused(m="unauthorized-path")
    story.spoil("m", signature=RefSignature("good", "alice"))
    assert story.ask() == AUTHENTIC


def test_r18_whole_difference_counts_under_every_parents_policy():
    """The merge takes b as it is; under b's policy its signer may still not bring in the difference to a."""
    demoted = policy("alice", person("bob", granted=False))
    story = Story(policy("alice", "bob")).add("a", "intro", x=b"1\n").add("b", "intro", policy=demoted)
    story.add("m", "b", "a", by="bob")
    assert story.ask() == refused(m="unauthorized-path")
    story.spoil("a", tree=story.history["intro"].tree)
    assert story.ask() == AUTHENTIC


def test_a_merge_refused_for_the_key_first_then_the_policy_then_the_path():
    story = Story(STANDINGS).add("a", "intro", policy=replace(STANDINGS, note=1), x=b"1\n")
    story.add("b", "intro", policy=policy("alice", "grantee"))
    story.add("m", "a", "b", policy=ALICE, by="editor")
    assert story.ask() == refused(m="unauthorized-key")
    story.spoil("m", signature=RefSignature("good", "grantee"))
    assert story.ask() == refused(m="policy-unauthorized")


# --- R21: beside the introduction -----------------------------------------------------------------------------


def beside(**options):
    """A history with a side commit ``s`` that was forked off before the introduction, merged into ``m``."""
    story = Story(None).add("old", by=RefSignature()).add("intro", "old", policy=ALICE)
    return story.add("s", "old", x=b"1\n", **options).add("m", "intro", "s")


def test_r21_side_commit_is_judged_by_the_introductions_policy():
    assert beside().ask() == AUTHENTIC
    assert beside(by=RefSignature()).ask() == refused("unsigned", s="unsigned", m="parent-not-authentic")
    assert beside(by="bob").ask() == refused("unauthorized-key", s="unauthorized-key", m="parent-not-authentic")
    assert beside(policy=ALICE).ask() == refused(
        "policy-unauthorized", s="policy-unauthorized", m="parent-not-authentic"
    )


def test_r21_side_commit_keeps_the_policy_file_that_it_found():
    def told(policy):
        story = Story(None).add("old", policy=BROKEN).add("intro", "old", policy=ALICE)
        return story.add("s", "old", policy=policy).add("m", "intro", "s").ask()

    bad = refused("policy-unauthorized", s="policy-unauthorized", m="parent-not-authentic")
    assert told(BROKEN) == AUTHENTIC
    assert told(None) == bad
    assert told(ALICE) == bad


def test_r21_side_merge_keeps_one_of_the_files_that_it_found():
    story = Story(None).add("one", policy=BROKEN).add("other").add("intro", "one", "other", policy=ALICE)
    story.add("s", "one", "other").add("m", "intro", "s")
    assert story.ask() == AUTHENTIC
    story.spoil("s", tree=story.history["other"].tree)
    assert story.ask() == AUTHENTIC
    story.spoil("s", tree=story.history["intro"].tree)
    assert story.ask()[2] == {"s": "policy-unauthorized", "m": "parent-not-authentic"}


def test_r21_standing_on_the_side_is_the_introductions():
    story = Story(None).add("old").add("intro", "old", policy=STANDINGS).add("s", "old", by="editor")
    story.add("m", "intro", "s")
    assert story.ask() == AUTHENTIC  # nothing changed on the side
    story.spoil("s", tree={b"x": Entry(b"1\n")})
    assert story.ask()[2] == {"s": "unauthorized-path", "m": "parent-not-authentic"}
    story.spoil("s", signature=RefSignature("good", "grantee"))
    assert story.ask() == AUTHENTIC


def test_r21_editor_without_a_grant_merges_policy_files_alone_on_the_side():
    story = Story(None).add("one").add("other").add("intro", "one", "other", policy=STANDINGS)
    story.add("s", "one", "other", by="editor").add("m", "intro", "s")
    assert story.ask() == AUTHENTIC
    below = FILES["native"] + b"/x"
    story.spoil("other", tree={**story.history["other"].tree, below: Entry(b"1\n")})
    assert story.ask() == AUTHENTIC
    story.spoil("other", tree={**story.history["other"].tree, b"x": Entry(b"1\n")})
    assert story.ask()[2] == {"s": "unauthorized-path", "m": "parent-not-authentic"}


@pytest.mark.parametrize("dialect", ["native", "openssh"])
def test_r21_root_commit_on_the_side(dialect):
    story = Story(dialect=dialect).add("root").add("m", "intro", "root")
    assert story.ask() == AUTHENTIC
    assert story.ask("root") == refused("not-descendant")
    story.spoil("root", tree=story.history["intro"].tree)
    assert story.ask()[2] == {"root": "policy-unauthorized", "m": "parent-not-authentic"}
    story.spoil("root", tree={b"keep": Entry(b"1\n")}, signature=RefSignature())
    assert story.ask()[2] == {"root": "unsigned", "m": "parent-not-authentic"}


def test_r21_root_commit_changes_all_that_it_holds():
    story = Story(STANDINGS).add("root", by="grantee").add("m", "intro", "root")
    assert story.ask() == AUTHENTIC
    story.spoil("root", signature=RefSignature("good", "editor"))
    assert story.ask()[2] == {"root": "unauthorized-path", "m": "parent-not-authentic"}


def test_r21_side_parent_of_a_merge_stands_under_the_introductions_policy():
    story = (
        Story(None).add("old").add("intro", "old", policy=ALICE_BOB).add("a", "intro", policy=policy("carol", "bob"))
    )
    story.add("m", "a", "old", by="bob")  # an ancestor of the introduction as a parent
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "carol"))
    assert story.ask() == refused(m="unauthorized-key")
    story.spoil("m", parents=("a",))
    assert story.ask() == AUTHENTIC


def test_r21_file_of_a_side_parent_is_its_own():
    first = policy("alice", person("grantee", editor=False))
    story = Story(None).add("old").add("intro", "old", policy=first).add("m", "intro", "old", by="grantee")
    assert story.ask() == refused(m="policy-unauthorized")  # for old has no file
    story.spoil("m", signature=RefSignature("good", "alice"))
    assert story.ask() == AUTHENTIC


# --- R22: the Guix dialect ------------------------------------------------------------------------------------


def guix_beside(old_policy, historical=(), **options):
    story = Story(None, "guix").add("root").add("old", "root", policy=old_policy or INHERITED)
    story.add("intro", "old", policy=policy("alice", "bob")).add("s", "old", **options).add("m", "intro", "s")
    return story.ask(historical=frozenset(historical))


def test_r22_side_commit_is_judged_by_its_parents_files():
    assert guix_beside(policy("alice", "carol")) == AUTHENTIC
    assert guix_beside(policy("alice", "carol"), by="carol") == AUTHENTIC
    assert guix_beside(policy("alice", "carol"), by="bob")[2]["s"] == "unauthorized-key"
    assert guix_beside(policy("alice", "carol"), by="carol", policy=policy("alice", "mallory")) == AUTHENTIC


def test_r22_side_commit_without_a_file_is_judged_by_the_historical_list():
    assert guix_beside(None)[2]["s"] == "unauthorized-key"
    assert guix_beside(None, {"alice"}) == AUTHENTIC
    assert guix_beside(None, {"carol"})[2]["s"] == "unauthorized-key"


def test_r22_side_commit_may_not_remove_or_break_the_file():
    assert guix_beside(ALICE, {"alice"}, policy=None)[2]["s"] == "policy-missing"
    assert guix_beside(ALICE, {"alice"}, policy=None, **{".gitsigners": b"1\n"})[2]["s"] == "dialect-changed"
    assert guix_beside(ALICE, {"alice"}, policy=BROKEN)[2]["s"] == "policy-invalid"
    assert guix_beside(BROKEN, {"alice"}, policy=ALICE)[2]["s"] == "policy-invalid"


def test_r22_side_merge_may_not_drop_the_file_of_any_parent():
    story = Story(None, "guix").add("one", policy=ALICE).add("other").add("intro", "one", "other", policy=ALICE)
    story.add("s", "one", "other").add("m", "intro", "s")
    historical = frozenset({"alice"})
    assert story.ask(historical=historical) == AUTHENTIC
    story.spoil("s", tree=story.history["other"].tree)
    assert story.ask(historical=historical)[2] == {"s": "policy-missing", "m": "parent-not-authentic"}


def test_r22_root_commit_on_the_side_is_judged_by_the_historical_list():
    story = Story(dialect="guix").add("root", policy=ALICE).add("m", "intro", "root")
    assert story.ask(historical=frozenset({"alice"})) == AUTHENTIC
    assert story.ask()[2] == {"root": "unauthorized-key", "m": "parent-not-authentic"}


def test_r22_merge_with_a_side_parent_is_judged_by_that_parents_file():
    def told(old_policy, historical):
        story = Story(None, "guix").add("old", policy=old_policy).add("intro", "old", policy=ALICE_BOB)
        return story.add("m", "intro", "old").ask(historical=frozenset(historical))

    assert told(INHERITED, {"alice"}) == AUTHENTIC
    assert told(INHERITED, {"bob"}) == refused(m="unauthorized-key")
    assert told(ALICE, ()) == AUTHENTIC
    assert told(policy("bob"), ()) == refused(m="unauthorized-key")


def test_r22_parent_without_the_file_whose_own_parent_had_it():
    story = Story(None, "guix").add("older", policy=ALICE).add("old", "older", policy=None)
    story.add("intro", "old", policy=ALICE).add("m", "intro", "old")
    historical = frozenset({"alice"})
    assert story.ask(historical=historical) == refused(m="policy-missing")
    story.spoil("older", tree=story.history["old"].tree)
    assert story.ask(historical=historical) == AUTHENTIC


# --- R22b: the OpenSSH dialect --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({}, ""),
        ({"after": 100}, ""),
        ({"after": 101}, "unauthorized-key"),
        ({"before": 100}, ""),
        ({"before": 99}, "expired-key"),
        ({"after": 99, "before": 101}, ""),
        ({"for_git": False}, "unauthorized-key"),
    ],
)
def test_r22b_entry_in_force_at_the_committer_date(window, code):
    story = Story(policy("alice", person("bob", **window)), "openssh").add("a", "intro", by="bob", date=100)
    assert story.ask() == (refused(a=code) if code else AUTHENTIC)
    story.spoil("a", signature=RefSignature("bad", "bob"))
    assert story.ask() == refused(a="bad-signature")


def test_r22b_any_of_the_people_who_list_a_key_may_vouch():
    lapsed, valid = person("bob", before=50), RefPerson("robert", (Listing("bob", after=50),))
    told = {people: Story(policy("alice", *people), "openssh") for people in [(lapsed,), (lapsed, valid)]}
    answers = [story.add("a", "intro", by="bob", date=100).ask() for story in told.values()]
    assert answers == [refused(a="expired-key"), AUTHENTIC]


@pytest.mark.parametrize(("window", "answer"), [((5, 6), AUTHENTIC), ((5, 5), "policy-invalid")])
def test_r22b_window_that_is_empty_breaks_the_file(window, answer):
    later = policy("alice", person("bob", after=window[0], before=window[1]))
    told = Story(dialect="openssh").add("a", "intro", policy=later).ask()
    assert told == (answer if answer is AUTHENTIC else refused(a=answer))


def test_r22b_file_with_no_entry_for_git_is_a_lockout():
    for_files = policy(person("alice", for_git=False))
    assert Story(dialect="openssh").add("a", "intro", policy=for_files).ask() == refused(a="policy-lockout")
    both = policy(RefPerson("alice", (Listing("alice", for_git=False), Listing("laptop"))))
    assert Story(dialect="openssh").add("a", "intro", policy=both).ask() == AUTHENTIC


# --- 7: the floor ---------------------------------------------------------------------------------------------


def forked():
    return Story(None).add("old").add("intro", "old", policy=ALICE).add("a", "intro").add("b", "a").add("c", "a")


@pytest.mark.parametrize(
    ("tip", "marks", "answer"),
    [
        ("b", {"a"}, AUTHENTIC),
        ("b", {"b"}, AUTHENTIC),
        ("b", {"intro", "a"}, AUTHENTIC),
        ("a", {"b"}, refused("behind")),
        ("intro", {"b", "c"}, refused("behind")),
        ("c", {"b"}, refused("rollback")),
        ("c", {"a", "b"}, refused("rollback")),
        ("c", {"elsewhere"}, refused("rollback")),
        ("a", {"b", "elsewhere"}, refused("behind")),
    ],
)
def test_r23_tip_reaches_the_marks(tip, marks, answer):
    assert forked().ask(tip, marks=frozenset(marks)) == answer


@pytest.mark.parametrize(
    ("tip", "contains", "answer"),
    [
        ("b", {"a"}, AUTHENTIC),
        ("b", {"old"}, AUTHENTIC),
        ("b", {"old", "intro", "a", "b"}, AUTHENTIC),
        ("b", {"a", "c"}, refused("not-contained")),
        ("b", {"elsewhere"}, refused("not-contained")),
    ],
)
def test_r23b_tip_contains_what_is_known_to_be_good(tip, contains, answer):
    assert forked().ask(tip, contains=frozenset(contains)) == answer


def test_commit_refusals_come_before_the_floor():
    story = forked().spoil("c", signature=RefSignature())
    assert story.ask("c", marks=frozenset({"b"}), contains=frozenset({"b"}), max_age=0) == refused(c="unsigned")
    told = forked().ask("c", marks=frozenset({"b"}), contains=frozenset({"b"}), max_age=0, now=9)
    assert told == refused("rollback", "not-contained", "stale")


@pytest.mark.parametrize(
    ("dates", "max_age", "answer"),
    [
        ((0, 90), 10, AUTHENTIC),
        ((0, 89), 10, refused("stale")),
        ((95, 0), 10, AUTHENTIC),  # any accepted commit counts, not the tip alone
        ((0, 100 + DAY), 10, AUTHENTIC),
        ((0, 101 + DAY), 10, refused("stale")),  # from the future
        ((0, 101 + DAY), None, AUTHENTIC),
    ],
)
def test_r26_age_of_the_newest_commit(dates, max_age, answer):
    story = Story().add("a", "intro", date=dates[0]).add("b", "a", date=dates[1])
    assert story.ask(max_age=max_age, now=100) == answer


def test_r26_signer_must_be_a_person_of_the_tips_policy():
    story = Story(ALICE_BOB).add("a", "intro", by="bob", date=100).add("b", "a", policy=ALICE)
    assert story.ask("a", max_age=10, now=100) == AUTHENTIC
    assert story.ask("b", max_age=10, now=100) == refused("stale")


def test_r26_introduction_counts_and_what_it_reaches_does_not():
    story = Story(None).add("old", date=100).add("intro", "old", policy=ALICE, date=50)
    assert story.ask(max_age=50, now=100) == AUTHENTIC
    assert story.ask(max_age=49, now=100) == refused("stale")


def test_r26_without_a_signed_commit_is_stale():
    story = Story().spoil("intro", signature=RefSignature(), date=100)
    assert story.ask() == AUTHENTIC
    assert story.ask(max_age=10, now=100) == refused("stale")


def test_r27_newest_authentic_commit_on_the_first_parent_line():
    story = Story().add("a", "intro").add("b", "a").add("side", "a").add("c", "b", "side", by=RefSignature())
    story.add("d", "c")
    question = Question("intro", "d")
    assert newest_authentic(story.history, question) == "b"
    assert newest_authentic(story.history, replace(question, marks=frozenset({"a"}))) == "b"
    assert newest_authentic(story.history, replace(question, marks=frozenset({"side"}))) is None
    assert newest_authentic(story.history, replace(question, tip="side")) == "side"
