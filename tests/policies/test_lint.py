"""What is legal but likely wrong: each warning, and the policy that has none."""

from __future__ import annotations

import pytest

from fixtures.lib.sshwriter import Ed25519
from gitverify.policies import guix, native, openssh
from gitverify.policies.lint import FORGE_KEYS, Warning, warnings  # noqa: A004

ALICE, BOB, CAROL = (Ed25519(name).line for name in ("alice", "bob", "carol"))
FORGE = "5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23"

PEOPLE = f"""\
version: 1
people:
  alice: {{keys: [{ALICE}]}}
  bob: {{keys: [{BOB}]}}
"""
GRANTS = """\
grants:
  - {paths: [/], people: [alice, bob]}
"""
CLEAN = PEOPLE + GRANTS


def found(text):
    return [(warning.line, warning.message) for warning in warnings(native.parse(text.encode()))]


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "groups: {both: [alice, bob]}",
        "unprotected: [pkgs/by-name/]",
        "policy_editors: [alice, bob]\ntags: []",
        "openpgp_keys: keys/",
    ],
)
def test_nothing_to_say(lines):
    assert found(CLEAN + lines) == []


def test_grants_that_overlap_for_other_people_are_fine():
    text = PEOPLE + (
        "policy_editors: [alice, bob]\n"
        "grants:\n"
        "  - {paths: [/], people: [alice]}\n"
        "  - {paths: [pkgs/, pkgs, lib/a], people: [bob]}\n"
        "  - {paths: [lib, lib/ab], people: [bob, alice]}\n"
    )
    assert found(text) == []


def test_forge_keys():
    text = PEOPLE.replace(f"bob: {{keys: [{BOB}]}}", f"bob: {{keys: [{{openpgp: {FORGE}}}]}}") + GRANTS
    assert found(text) == [
        (4, "“bob” has the key of GitHub (web-flow, until 2024): anyone with an account there can have it sign")
    ]
    assert len(FORGE_KEYS) == 3


def test_gitlabs_key():
    line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIADOCCUoN3Q1UPQqUvp845fKy7haJH17qsSkVXzWXilW"
    text = PEOPLE.replace(BOB, line) + GRANTS
    assert found(text) == [
        (4, "“bob” has the key of GitLab.com (web commits): anyone with an account there can have it sign")
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("policy_editors: [alice]", "only one key may change the policy"),
        ("groups: {one: [bob]}\npolicy_editors: ['@one']", "only one key may change the policy"),
    ],
)
def test_a_single_key(lines, message):
    ((line, text),) = found(CLEAN + lines)
    assert line == 0
    assert text.startswith(message)


def test_a_single_person_with_two_keys():
    text = CLEAN.replace(BOB, f"{BOB}, {CAROL}") + "policy_editors: [bob]\n"
    assert found(text) == [(0, "only one person may change the policy")]


def test_people_who_may_do_nothing():
    text = CLEAN.replace("grants", f"  carol: {{keys: [{CAROL}]}}\n  dave: {{keys: []}}\ngrants")
    text += "groups: {unused: [dave], empty: []}\n"
    assert found(text) == [
        (0, "the group empty is empty"),
        (5, "carol may do nothing: the name stands in no grant and no group"),
        (6, "dave has no key"),
        (6, "dave may do nothing: the name stands only in groups that nothing names"),
    ]
    assert found(text + "tags: [alice, bob, carol, dave]\n") == [
        (0, "the group empty is empty"),
        (6, "dave has no key"),
    ]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        (["[/] [bob, alice]", "[a/] [bob]"], [(7, "a/", "/", 6)]),
        (["[a/] [bob]", "[/] [bob, alice]"], [(6, "a/", "/", 7)]),
        (["[/, a/b] [bob, alice]"], [(6, "a/b", "/", 6)]),
        (["[/] [bob, alice]", "[/] [bob]"], [(7, "/", "/", 6)]),
        (["[/] [bob, alice]", "[/] [alice, bob]"], [(7, "/", "/", 6)]),
        (["[/] [bob]", "[/] [bob, alice]"], []),
        (["[a/b/] [alice]", "[a/b/c/d] [alice]"], [(7, "a/b/c/d", "a/b/", 6)]),
        (["[a/b] [alice]", "[a/b/c, a/b/, a/bc] [alice]"], [(7, "a/b/c", "a/b/", 7)]),
        (["[a/b] [alice]", "[a/b/c, a/bc] [alice]"], []),
    ],
)
def test_grants_that_another_one_covers(grants, expected):
    lines = "".join(f"  - {{paths: {grant.replace('] [', '], people: [')}}}\n" for grant in grants)
    text = f"{PEOPLE}grants:\n{lines}policy_editors: [alice, bob]\ntags: [alice, bob]\n"
    assert found(text) == [
        (line, f"“{path}” is granted to these people by “{cover}” already (line {at})")
        for line, path, cover, at in expected
    ]


def test_a_path_twice_in_a_grant():
    assert found(CLEAN.replace("[/]", "[/, /]")) == [(6, "the grant names “/” twice")]


def test_the_policy_file_among_the_paths():
    text = CLEAN.replace("[/]", "[/, lib/]").replace("lib/", ".gitverify.yaml") + "unprotected: [.gitverify.yaml]\n"
    assert (0, "“.gitverify.yaml” is never unprotected") in found(text)
    assert (6, "granting “.gitverify.yaml” has no effect: name policy_editors") in found(text)


def test_characters_that_look_like_globs():
    text = CLEAN.replace("[/]", "[/, 'app/[id]']") + "unprotected: ['a\\b']\n"
    assert (0, "“a\\\\b”: “[” and “\\” stand for themselves, there are no globs or escapes") in found(text)
    assert (6, "“app/[id]”: “[” and “\\” stand for themselves, there are no globs or escapes") in found(text)


def test_a_grant_at_any_depth_ends_soon():
    deep = "/".join("a" * 20_000)
    text = CLEAN.replace("[/]", f"[/, {deep}]")
    ((line, message),) = found(text)
    assert line == 6
    assert "is granted to these people by “/” already" in message


def test_many_grants_on_one_path_end_soon():
    lines = "".join(f"  - {{paths: [a/], people: [{name}]}}\n" for name in ["alice", "bob"] * 2000)
    text = f"{PEOPLE}grants:\n{lines}policy_editors: [alice, bob]\n"
    assert len(found(text)) == 3998


ONE = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (f'("{ONE}") ("{FORGE[::-1]}")', []),
        ("", [(0, "nobody is listed: no commit can follow")]),
        (f'("{ONE}" (name "x"))', [(0, "only one key may change the policy")]),
        (f'("{ONE}")\n ("{FORGE}" (name "\\x1b[31m"))', [(2, "“\\x1b[31m” has the key of GitHub")]),
    ],
)
def test_the_guix_dialect(entries, expected):
    policy = guix.parse(f"(authorizations (version 0) ({entries}))".encode())
    assert [(line, text[: len(expected[0][1])]) for line, text, _ in warnings(policy)] == expected


def test_the_openssh_dialect():
    assert warnings(openssh.parse(f"a {ALICE}\nb {BOB}\n".encode())) == []
    (warning,) = warnings(openssh.parse(f"a {ALICE}\na {BOB}\n".encode()))
    assert warning == Warning(0, "only one person may change the policy")
