"""Edits of policy files as people write them, byte for byte, and what is refused."""

from __future__ import annotations

import pytest
from policies.styled import SPARE, ids, line

from gitverify.errors import PolicyError
from gitverify.policies.edit import grants, keys, roles
from gitverify.policies.edit.document import Document
from gitverify.policies.edit.result import EditRefused
from gitverify.policies.edit.splices import Splice, apply
from gitverify.policies.edit.writing import one_line

A, B, C, NEW = (line(name) for name in ("ssh0", "ssh1", "ssh2", SPARE))
PGP = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"
TEXT = f"""\
# The policy of this project.
version: 1
people:
  alice:            # the maintainer
    keys:
      - {A}  # laptop
      # - the token that was lost
      - openpgp: 3CE4 6455 8A84 FDC6 9DB4 0CFB 090B 1199 3D9A EBB5
  bob: {{keys: ['{B}']}}
  carol:
    keys: [
      {C},   # at work
    ]

groups:
  games: [bob, carol]  # who plays
grants:
  - {{paths: [/], people: [alice]}}   # everything
  - paths:
      # games
      - pkgs/games/
      - "c d/"
    people: ["@games", 'bob']

  - {{paths: [doc/], people: [bob]}}
policy_editors: [alice]
"""
DATA = TEXT.encode()


def changed(data, before=TEXT):
    """The lines that went and those that came."""
    old, new = before.split("\n"), data.decode().split("\n")
    return [each for each in old if each not in new], [each for each in new if each not in old]


def refusal(edit, *arguments, **more):
    with pytest.raises(EditRefused) as refused:
        edit(*arguments, **more)
    return refused.value


def test_a_key_goes_below_the_last_one_in_lines():
    data = keys.add_key(DATA, "alice", keys.ssh_key(NEW)).data
    assert data.decode() == TEXT.replace("EBB5\n", f"EBB5\n      - {NEW}\n")


def test_a_key_goes_beside_the_last_one_in_brackets():
    data = keys.add_key(DATA, "bob", keys.openpgp_key("AB" * 20)).data
    assert data.decode() == TEXT.replace(f"'{B}']", f"'{B}', {{openpgp: {'AB' * 20}}}]")


def test_a_key_takes_a_line_of_its_own_where_the_others_do():
    data = keys.add_key(DATA, "carol", keys.ssh_key(NEW)).data
    assert changed(data) == ([], [f"      {NEW},"])


def test_a_file_without_a_last_line_end_stays_so():
    data = roles.add_role(DATA.rstrip(b"\n"), "bob", "tags").data
    assert data.decode() == TEXT + "tags: [alice, bob]"
    assert roles.remove_role(data, "alice", "tags").data.decode() == TEXT + "tags: [bob]"
    assert keys.add_key(data, "dave", keys.ssh_key(NEW), new_person=True).data.endswith(b"tags: [alice, bob]")


def test_crlf():
    crlf = TEXT.replace("\n", "\r\n").encode()
    data = keys.add_key(crlf, "alice", keys.ssh_key(NEW)).data
    assert data == keys.add_key(DATA, "alice", keys.ssh_key(NEW)).data.replace(b"\n", b"\r\n")
    assert keys.remove_key(data, "alice", ids(SPARE)).data == crlf


def test_a_new_person_is_written_as_the_last_one():
    data = keys.add_key(DATA, "dave", keys.ssh_key(NEW), new_person=True).data
    assert changed(data) == ([], ["  dave:", f"    keys: [{NEW}]"])
    lines = DATA.replace(f"    keys: [\n      {C},   # at work\n    ]".encode(), f"    keys:\n    -   {C}".encode())
    data = keys.add_key(lines, "dave", keys.openpgp_key("AB" * 20), new_person=True).data
    assert changed(data, lines.decode()) == ([], ["  dave:", f"    - openpgp: {'AB' * 20}"])


def test_the_setting_for_certificates_is_added_where_it_is_missing():
    data = keys.add_key(DATA, "bob", keys.openpgp_key("AB" * 20), directory=True).data
    assert data.endswith(b"policy_editors: [alice]\nopenpgp_keys: .gitverify/keys/\n")
    again = keys.add_key(data, "bob", keys.openpgp_key("CD" * 20), directory=True).data
    assert again.count(b"openpgp_keys") == 1


def test_what_is_there_is_said_and_nothing_changes():
    edited = keys.add_key(DATA, "alice", keys.ssh_key(A + " other comment"))
    assert (edited.data, edited.notes) == (DATA, (f"alice has the key {ids('ssh0')} already (line 4)",))
    edited = grants.grant(DATA, "carol", ("pkgs/games/chess/", "c d/"))
    assert edited.data == DATA
    assert edited.notes[0] == (
        "carol may change “pkgs/games/chess/” already: the grant of “pkgs/games/” to @games, bob in line 19"
    )
    assert roles.add_role(DATA, "alice", "policy_editors").data == DATA
    assert roles.add_role(DATA, "alice", "tags").notes == (
        "alice is in tags already: there is no tags, so it is everyone who is granted “/”",
    )
    assert roles.remove_role(DATA, "bob", "tags").notes == ("bob is not in tags",)


def test_a_key_of_somebody_else():
    error = refusal(keys.add_key, DATA, "bob", keys.ssh_key(A))
    assert error.message == f"alice has the key {ids('ssh0')} already: a key belongs to one person"
    assert error.line == 4


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: keys.add_key(DATA, "alcie", keys.ssh_key(NEW)), "there is no person “alcie” (did you mean “alice”?)"),
        (lambda: keys.add_key(DATA, "a b", keys.ssh_key(NEW), new_person=True), "“a b” is no name of a person"),
        (lambda: keys.add_key(DATA, "bob", keys.ssh_key(NEW), new_person=True), "line 9: bob is listed already"),
        (lambda: keys.remove_key(DATA, "bobb", "x"), "there is no person “bobb” (did you mean “bob”?)"),
        (lambda: keys.remove_key(DATA, "bob", "x"), "line 9: bob has no key “x”; listed are: ssh1-test-key SHA256:"),
        (lambda: keys.remove_key(DATA, "bob", ids("ssh0")), "line 4: not bob, but alice has the key SHA256:"),
        (lambda: keys.remove_person(DATA, "\x1b[31m"), "there is no person “\\x1b[31m”"),
        (lambda: grants.grant(DATA, "@gmaes", ("a",)), "there is no group “@gmaes” (did you mean “games”?)"),
        (lambda: grants.grant(DATA, "bob", ("*.py",)), "“*.py” is no path here: there are no globs"),
        (lambda: grants.grant(DATA, "bob", ("a/../b",)), "“a/../b” is no path here: it has a component"),
        (lambda: grants.grant(DATA, "bob", ("/a",)), "“/a” is no path here: paths begin at the root"),
        (lambda: grants.grant(DATA, "bob", ("\udcff/",)), "“\\xff/” is not UTF-8"),
        (lambda: grants.grant(DATA, "bob", (".gitverify.yaml",)), "only policy_editors may change the policy file"),
        (
            lambda: grants.revoke(DATA, "alice", ("doc/",)),
            "alice may change “doc/” by another grant: the grant of “/” in",
        ),
        (
            lambda: grants.revoke(DATA, "carol", ("c d/",)),
            "carol may change “c d/” by another grant: the grant of “c d/” to",
        ),
        (lambda: keys.ssh_key("ssh-rsa AAAA"), ""),
        (lambda: keys.openpgp_key("ABCD"), "“ABCD” is no full fingerprint"),
    ],
)
def test_refused(edit, message):
    assert str(refusal(edit)).startswith(message)


def test_several_keys_of_one_comment():
    data = DATA.replace(b"ssh2-test-key", b"same").replace(b"   # at work", f"\n      {NEW}".encode())
    data = data.replace(f"{SPARE}-test-key".encode(), b"same")
    assert "several keys of carol are called “same”" in str(refusal(keys.remove_key, data, "carol", "same"))


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: keys.remove_person(data, "alice"),
        lambda data: roles.remove_role(data, "alice", "policy_editors"),
        lambda data: keys.remove_key(keys.remove_key(data, "alice", PGP).data, "alice", ids("ssh0")),
    ],
)
def test_nobody_left_to_change_the_policy(edit):
    error = refusal(edit, DATA)
    assert error.lockout
    assert "gitverify policy grant PERSON --editor" in str(error)
    more = roles.add_role(DATA, "bob", "policy_editors").data
    assert edit(more).data != more


def test_the_only_editor_by_a_grant():
    data = DATA.replace(b"policy_editors: [alice]\n", b"")
    assert refusal(grants.revoke, data, "alice", ("/",)).lockout
    edited = grants.grant(data, "bob", ("/",))
    assert edited.notes[1] == "the file has no “policy_editors”, so these are all who are granted “/”: now bob, too"
    assert grants.revoke(edited.data, "alice", ("/",)).data


def test_a_key_removed_with_its_comment():
    data = keys.remove_key(DATA, "alice", ids("ssh0")).data
    assert changed(data) == ([f"      - {A}  # laptop"], [])
    edited = keys.remove_key(data.replace(b"policy_editors: [alice]", b"policy_editors: [bob]"), "alice", PGP)
    assert b"    keys: []\n      # - the token that was lost\n  bob" in edited.data
    assert "alice has no key left" in edited.notes[1]


def test_the_last_key_in_brackets_over_several_lines():
    assert b"    keys: [\n    ]\n" in keys.remove_key(DATA, "carol", "ssh2-test-key").data


def test_a_person_removed_from_everywhere():
    data = keys.remove_person(DATA, "bob").data
    gone, came = changed(data)
    assert came == ["  games: [carol]  # who plays", '    people: ["@games"]']
    assert f"  bob: {{keys: ['{B}']}}" in gone
    assert "  - {paths: [doc/], people: [bob]}" in gone
    assert len(gone) == 4


def test_a_person_who_has_no_grant_of_their_own():
    gone, came = changed(keys.remove_person(DATA, "carol").data)
    assert gone == ["  carol:", "    keys: [", f"      {C},   # at work", "    ]", "  games: [bob, carol]  # who plays"]
    assert came == ["  games: [bob]  # who plays"]


def test_grants_join_a_grant_of_the_same_paths_or_the_same_person():
    assert changed(grants.grant(DATA, "@games", ("/",)).data)[1] == [
        '  - {paths: [/], people: [alice, "@games"]}   # everything'
    ]
    assert changed(grants.grant(DATA, "bob", ("lib/x", "lib/y/")).data)[1] == [
        "  - {paths: [doc/, lib/x, lib/y/], people: [bob]}"
    ]
    assert changed(grants.grant(DATA, "carol", ("a/", "a/b")).data)[1] == ["  - {paths: [a/], people: [carol]}"]
    block = DATA.replace(b"\n  - {paths: [doc/], people: [bob]}", b"")
    assert changed(grants.grant(block, "carol", ("a/", "#b/")).data, block.decode())[1] == [
        "      - a/",
        '      - "#b/"',
        "    people: [carol]",
    ]


def test_the_first_grant():
    data = DATA[: DATA.index(b"grants:")] + b"policy_editors: [alice]\n"
    assert grants.grant(data, "bob", ("a\u00e9/",)).data.endswith(
        'grants:\n  - {paths: ["a\u00e9/"], people: [bob]}\n'.encode()
    )
    assert grants.revoke(data, "bob", ("a/",)).notes == ("there is no grant of “a/” for bob",)
    empty = data + b"grants: [ ]\n"
    assert grants.grant(empty, "bob", ("a/",)).data.endswith(b"grants: [{paths: [a/], people: [bob]} ]\n")
    flow = f"{{version: 1, people: {{alice: {{keys: [{A}]}}}}, policy_editors: [alice]}}".encode()
    assert grants.grant(flow, "alice", ("/",)).data.endswith(
        b"policy_editors: [alice], grants: [{paths: [/], people: [alice]}]}"
    )


def test_what_somebody_keeps_of_a_shared_grant_is_a_grant_of_its_own():
    edited = grants.revoke(DATA, "bob", ("c d/",))
    assert edited.notes[0] == "revoked “c d/” for bob"
    assert edited.notes[1] == "bob may still change it: the grant of “c d/” to @games, bob in line 19"
    assert b'    people: ["@games"]\n  - paths:\n      - pkgs/games/\n    people: [bob]\n' in edited.data


def test_what_is_left_after_revoking_is_said():
    data = grants.grant(DATA, "alice", ("/",)).data.replace(b"policy_editors: [alice]", b"policy_editors: [alice, bob]")
    many = b"".join(b"  - {paths: [p%d/], people: [alice]}\n" % number for number in range(7))
    data = data.replace(b"policy_editors", many + b"policy_editors")
    assert grants.revoke(data, "alice", ("/",)).notes[1] == (
        "alice may still change what is granted below it: “p0/”, “p1/”, “p2/”, “p3/”, “p4/”, …"
    )


def test_an_editor_through_a_group_is_not_taken_out_of_it():
    data = DATA.replace(b"policy_editors: [alice]", b'policy_editors: [alice, "@games"]')
    assert "through @games" in str(refusal(roles.remove_role, data, "bob", "policy_editors"))
    assert b"policy_editors: [alice]" in roles.remove_role(data, "@games", "policy_editors").data


def test_neighbours_quoting_is_kept():
    data = DATA.replace(b"policy_editors: [alice]", b"policy_editors: ['alice']\ntags: [\"alice\"]")
    assert b"policy_editors: ['alice', 'bob']" in roles.add_role(data, "bob", "policy_editors").data
    assert b'tags: ["alice", "bob"]' in roles.add_role(data, "bob", "tags").data
    quoted = DATA.replace(b"[doc/], people: [bob]", b"['doc/'], people: [bob]")
    assert b"""['doc/', "it's/"]""" in grants.grant(quoted, "bob", ("it's/",)).data


@pytest.mark.parametrize("path", ["a\tb/", "a\nb/", "\x85/", "\u2028x/", "a\\b/", 'a"b/', "\U000e0001/", "\x01/"])
def test_paths_that_need_escapes(path):
    data = grants.grant(DATA, "carol", (path,)).data
    assert grants.grant(data, "carol", (path,)).data == data
    assert grants.revoke(data, "carol", (path,)).data == DATA


def test_comments_of_keys_that_yaml_would_take_for_something_else():
    for comment in ("a: b", "#1", "x #y", "[a]", "it's", "\u00e9\u202e"):
        added = keys.add_key(DATA, "bob", keys.ssh_key(" ".join([*NEW.split()[:2], comment])))
        assert keys.remove_key(added.data, "bob", ids(SPARE)).data == DATA


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a1, # one\n  b1, c1]", "[ # one\n  b1, c1]"),
        ("[a1\n  , b1\n  , c1\n  ]", "[b1\n  , c1\n  ]"),
        ("[\n  a1, b1, # both\n  c1\n  ]", "[\n  b1, # both\n  c1\n  ]"),
    ],
)
def test_the_first_of_several_lines(before, after):
    data = f"{THREE}policy_editors: {before}\n".encode()
    assert roles.remove_role(data, "a1", "policy_editors").data.decode() == f"{THREE}policy_editors: {after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a1, b1\n  , c1\n  ]", "[a1, b1\n   \n  ]"),
        ("[a1, b1,\n  c1]", "[a1, b1\n  ]"),
        ("[a1, b1,\n  c1,\n  ]", "[a1, b1,\n  ]"),
        ("\n-\n  a1\n- # two\n\n  # more\n  c1\n- b1", "\n-\n  a1\n- b1"),
    ],
)
def test_the_last_of_several_lines(before, after):
    data = f"{THREE}policy_editors: {before}\n".encode()
    assert roles.remove_role(data, "c1", "policy_editors").data.decode() == f"{THREE}policy_editors: {after}\n"


THREE = "version: 1\npeople:\n" + "".join(
    f"  {name}: {{keys: [{key}]}}\n" for name, key in zip(("a1", "b1", "c1"), (A, B, C), strict=True)
)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_name_that_stands_several_times_at_the_end(end):
    data = f"{THREE}policy_editors:\n- a1\n- b1\n- b1{end}".encode()
    assert roles.remove_role(data, "b1", "policy_editors").data.decode() == f"{THREE}policy_editors:\n- a1{end}"
    assert keys.remove_person(data, "b1").data.decode().endswith(f"policy_editors:\n- a1{end}")
    data = f"{THREE}policy_editors: [b1, b1, a1]{end}".encode()
    assert roles.remove_role(data, "b1", "policy_editors").data.decode() == f"{THREE}policy_editors: [a1]{end}"
    data = f"{THREE}policy_editors: [a1]\ntags:\n  - b1\n  - b1{end}".encode()
    assert roles.remove_role(data, "b1", "tags").data.decode() == f"{THREE}policy_editors: [a1]\ntags: []{end}"


def test_names_appended_in_lines_of_their_own():
    data = f"{THREE}policy_editors: [\n  a1,\n  b1  # last\n  ]\n".encode()
    assert roles.add_role(data, "c1", "policy_editors").data.decode().endswith("  a1,\n  b1,  # last\n  c1\n  ]\n")
    data = f"{THREE}policy_editors:\n  -   # first\n    a1\n".encode()
    assert roles.add_role(data, "c1", "policy_editors").data.decode().endswith("    a1\n  - c1\n")


def test_a_new_person_beside_people_in_braces():
    data = f"{THREE}policy_editors: [a1]\n".encode()
    after = keys.add_key(data, "dave", keys.ssh_key(NEW), new_person=True).data
    assert after == data.replace(b"policy", f"  dave: {{keys: [{NEW}]}}\npolicy".encode())
    block = data.replace(f"c1: {{keys: [{C}]}}".encode(), f"c1:\n    keys: [{C}]".encode())
    after = keys.add_key(block, "dave", keys.ssh_key(NEW), new_person=True).data
    assert after == block.replace(b"policy", f"  dave:\n    keys: [{NEW}]\npolicy".encode())


def test_one_path_of_several():
    data = grants.grant(DATA, "bob", ("lib/x", "lib/y/")).data
    assert b"{paths: [doc/, lib/y/], people: [bob]}" in grants.revoke(data, "bob", ("lib/x",)).data


def test_a_role_that_was_held_by_a_grant():
    assert roles.remove_role(DATA, "alice", "tags").data == DATA + b"tags: []\n"


def test_lines_that_are_not_understood_are_left_to_their_writer():
    text = TEXT.replace("  bob: {", "  ? bob\n  : {")
    error = refusal(keys.remove_person, text.encode(), "bob")
    assert error.line == 9
    assert "by hand" in error.message


def test_what_would_say_something_else_is_not_written():
    document = Document(DATA)
    document.append_texts(document.sequence("policy_editors"), "bob")
    with pytest.raises(EditRefused, match=r"line 26: .* by hand: it would change more than was asked"):
        document.done()
    document = Document(DATA)
    document.insert(document.sequence("policy_editors"), one_line("]"))
    with pytest.raises(EditRefused, match=r"line 26: .* by hand: the file would then be wrong in line 26: "):
        document.done()


def test_two_changes_that_meet():
    assert refusal(apply, "a\nbc", [Splice(2, 4), Splice(3, 4)]).line == 2


@pytest.mark.parametrize(
    "broken", [b"", b"\xff", b"version: 1\n", DATA + b"more: 1\n", DATA.replace(b"bob:", b"&a bob:")]
)
def test_what_is_no_policy_is_not_edited(broken):
    for edit in (
        lambda data: keys.add_key(data, "bob", keys.ssh_key(NEW)),
        lambda data: keys.remove_person(data, "bob"),
        lambda data: grants.grant(data, "bob", ("a",)),
        lambda data: roles.add_role(data, "bob", "tags"),
    ):
        with pytest.raises(PolicyError):
            edit(broken)
