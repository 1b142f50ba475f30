"""The reference by hand: for each rule a history that is refused, and its twin that is not.

Paths, the native dialect's merges and the floor are in the other ``test_reference_*.py``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from reference import Entry, Listing, RefPerson, RefSignature
from stories import ALICE, ALICE_BOB, AUTHENTIC, BROKEN, FILES, STANDINGS, Story, person, policy, refused

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


def test_r8_bad_signature_of_a_merge_names_a_key_that_the_governing_policy_lists():
    story = Story(ALICE_BOB).add("a", "intro", policy=ALICE).add("b", "intro").add("m", "a", "b")
    assert story.ask() == AUTHENTIC
    for kind, key, code in [
        ("good", "bob", "unauthorized-key"),
        ("bad", "bob", "unauthorized-key"),
        ("bad", "alice", "bad-signature"),
        ("bad", "mallory", "unauthorized-key"),
    ]:
        assert story.spoil("m", signature=RefSignature(kind, key)).ask() == refused(m=code)


def test_r8_bad_signature_of_a_merge_that_nobody_governs_names_a_key_that_any_parent_lists():
    story = Story(ALICE_BOB).add("a", "intro", policy=ALICE).add("b", "intro", policy=policy("alice", "carol"))
    story.add("m", "a", "b")
    assert story.ask() == AUTHENTIC
    for key, code in [("carol", "bad-signature"), ("bob", "unauthorized-key"), ("alice", "bad-signature")]:
        assert story.spoil("m", signature=RefSignature("bad", key)).ask() == refused(m=code)


# --- 4: policies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"policy": None}, "policy-missing"),
        ({"policy": BROKEN}, "policy-invalid"),
        ({"policy": ALICE, "mode": "120000"}, "policy-invalid"),
        ({"policy": ALICE, "mode": "160000"}, "policy-invalid"),
        ({"policy": policy("alice", unprotected=(b"/",))}, "policy-invalid"),
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


def test_r17_empty_contribution_needs_a_voucher_and_no_grant():
    listed = policy("alice", person("guest", granted=False, editor=False))
    assert Story(listed).add("a", "intro", by="guest").ask() == AUTHENTIC
    assert Story(listed).add("a", "intro", by="mallory").ask() == refused(a="unauthorized-key")
    assert Story(listed).add("a", "intro", by=RefSignature()).ask() == refused(a="unsigned")
    assert Story(listed).add("a", "intro", by="guest", x=b"1\n").ask() == refused(a="unauthorized-path")


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
def test_r18_r22_voucher_of_a_merge(dialect, swapped):
    """Under the policy that changed or, in the other dialects, under both: bob, who is gone, is not enough."""
    story = Story(ALICE_BOB, dialect).add("a", "intro", policy=ALICE).add("b", "intro", x=b"1\n", by="bob")
    parents = ("b", "a") if swapped else ("a", "b")
    story.add("m", *parents, by="alice", policy=ALICE, x=b"1\n")
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "bob"))
    assert story.ask() == refused(m="unauthorized-key")


@pytest.mark.parametrize("dialect", ["guix", "openssh"])
def test_r22_octopus_is_judged_like_any_merge(dialect):
    story = Story(ALICE_BOB, dialect).add("a", "intro").add("b", "intro").add("c", "intro", policy=ALICE)
    story.add("m", "a", "b", "c")
    assert story.ask() == AUTHENTIC
    story.spoil("m", signature=RefSignature("good", "bob"))
    assert story.ask() == refused(m="unauthorized-key")


def test_r18_merge_with_a_parent_that_is_not_authentic():
    story = Story().add("a", "intro").add("b", "intro").add("m", "a", "b")
    assert story.ask() == AUTHENTIC
    story.spoil("b", signature=RefSignature())
    assert story.ask() == refused("unsigned", b="unsigned", m="parent-not-authentic")
