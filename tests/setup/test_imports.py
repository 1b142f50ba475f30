"""Lists that other programs keep: whoever wrote into them can't write into our policy."""

import base64
import json

import pytest

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB, CAROL, DAVE, ECDSA256, KEYS, RSA1024, TOKEN
from gitverify.policies.lint import warnings
from gitverify.policies.model import OpenPgpKeySpec, SshKeySpec
from gitverify.policies.native import parse
from gitverify.policies.plain import plain_names
from gitverify.setup.draft import DraftPerson, draft
from gitverify.setup.imports import ImportRefused, read

NOW = 1_750_000_000
DSA = (KEYS / "ssh" / "dsa.pub").read_text().strip()
CERTIFIED = (KEYS / "ssh" / "alice-cert.pub").read_text().strip()
HOSTILE = [
    "mallory\n  eve:\n    keys: []",
    "mallory\r\n%YAML 1.1",
    "mallory\u2028policy_editors: [mallory]",
    "mallory\x85grants: []",
    "\x1b[2Jmallory",
    "\u202ecilA",
    "&a *b !!python/object:os.system {x: [y, z]} # ' \" \\ | > %",
    "- - - : ? @ `",
    "...",
    "---",
    "~",
    "",
    "../../etc/passwd",
    "\U0001f980",
    "\x00",
    "a" * 5000,
]


def policy_of(imported):
    """What is written for the imported people, as the loader reads it."""
    names = plain_names(imported.people)
    people = [DraftPerson(names[label], keys, label) for label, keys in imported.people.items()]
    text = draft(people, source="a list")
    return text, parse(text.encode())


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("comment", ["x", "a\u2028b: &c", "\x1b[2J # \\", "\u202e - *"])
def test_names_and_comments_cannot_write_yaml(name, comment):
    committers = {
        name: {"email": name, "publicKey": f"{ALICE.line} {comment}"},
        "Bob": {"publicKey": BOB.line.split()[1]},
    }
    imported = read("committers-json", json.dumps({"committers": committers}).encode(), name="x", now=NOW)
    text, policy = policy_of(imported)
    assert {key.key for person in policy.people.values() for key in person.keys} == {ALICE.id, BOB.id}
    assert len(policy.people) == 2
    assert "Bob" in policy.people
    assert policy.editors == policy.whole_tree == set(policy.people)
    assert not policy.unprotected
    assert not policy.unsigned_merges
    assert not [line for line in text.splitlines() if not line.isprintable()]
    assert all(character.isprintable() for note in imported.notes for character in note)


@pytest.mark.parametrize("name", HOSTILE)
def test_nor_in_the_other_formats(name):
    saved = [{"login": name, "keys": [{"key": f"{ALICE.line} {name}"}, {"key": BOB.line}]}]
    imported = read("github-keys", json.dumps(saved).encode(), name="x", now=NOW)
    assert len(policy_of(imported)[1].people) == 1
    quoted = name.replace("\n", " ").replace('"', "").replace("\0", "")
    line = f'"{quoted or "x"}" {ALICE.line} {quoted}\n'.encode()
    imported = read("allowed-signers", line, name="x", now=NOW)
    assert len(policy_of(imported)[1].people) == 1
    label = name.replace("\\", "\\\\").replace('"', '\\"')
    file = f'(authorizations (version 0) (("{CAROL.id}" (name "{label}"))))'.encode()
    imported = read("guix", file, name="x", now=NOW)
    assert len(policy_of(imported)[1].people) == 1


def test_names_do_not_collide():
    names = plain_names(["Zoë", "Zoe", "zoe!", "a@x.org", "a@y.org", "b@x.org", "*@x.org", "\u202e", ""], ["Zoe"])
    assert names == {
        "Zoë": "Zoe-2",
        "Zoe": "Zoe-3",
        "zoe!": "zoe",
        "a@x.org": "a-x.org",
        "a@y.org": "a-y.org",
        "b@x.org": "b",
        "*@x.org": "x.org",
        "\u202e": "person",
        "": "person-2",
    }
    long = plain_names(["a" * 70, "a" * 71])
    assert sorted(map(len, long.values())) == [64, 64]
    assert len(set(long.values())) == 2


def test_the_name_as_it_was_stays_as_a_comment():
    data = json.dumps({"committers": {"Jürgen Ж": {"publicKey": ALICE.line}}}).encode()
    text, policy = policy_of(read("committers-json", data, name="x", now=NOW))
    assert "  # Jürgen Ж\n  Jurgen:\n" in text
    assert list(policy.people) == ["Jurgen"]


# --- committers.json -----------------------------------------------------------------------------------------------


def committers(people, **more):
    data = json.dumps({"committers": {name: {"publicKey": key} for name, key in people.items()}, **more})
    return read("committers-json", data.encode(), name="committers", now=NOW)


def blob(line):
    return line.split()[1]


def test_committers():
    found = committers({"Alice": blob(ALICE.line), "Bob": f"{BOB.line} bob@laptop", "Token": blob(TOKEN.line)})
    assert {name: keys[0].key for name, keys in found.people.items()} == {
        "Alice": ALICE.id,
        "Bob": BOB.id,
        "Token": TOKEN.id,
    }
    assert found.people["Bob"][0].comment == "bob@laptop"
    assert found.notes == ()


def test_committers_whose_keys_do_not_count():
    found = committers(
        {
            "Alice": blob(ALICE.line),
            "dsa": blob(DSA),
            "rsa": blob(RSA1024.line),
            "cert": blob(CERTIFIED),
            "text": "nonsense",
            "none": "!",
            "cut": blob(ALICE.line)[:20],
            "number": 5,
        }
    )
    assert list(found.people) == ["Alice"]
    notes = "\n".join(found.notes)
    for name, why in {
        "dsa": "ssh-dss",
        "rsa": "1024 bits is weak",
        "cert": "certificate",
        "text": "no SSH public key line",
        "none": "no SSH public key line",
        "cut": "missing or extra fields",
        "number": 'no "publicKey"',
    }.items():
        assert any(f"“{name}”" in note and why in note for note in found.notes), notes


@pytest.mark.parametrize("prefixes", [None, [], [""], ["/"], ["/", "src/"]])
def test_a_list_that_protects_everything(prefixes):
    assert committers({"Alice": ALICE.line}, protectedPrefixes=prefixes).notes == ()


@pytest.mark.parametrize("prefixes", [["src/", "lib/"], "src/", [{"a": 1}], list("abcdefgh")])
def test_a_list_that_leaves_paths_open_protects_everything_here(prefixes):
    found = committers({"Alice": ALICE.line}, protectedPrefixes=prefixes)
    (note,) = found.notes
    assert "this policy protects everything" in note
    assert policy_of(found)[1].unprotected == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JSON"),
        (b"[]", "must be an object"),
        (b'{"committers": []}', "must be an object"),
        (b'{"committers": {}}', "no key that can be listed"),
        (b'{"committers": {"A": {"publicKey": "x"}, "A": {}}}', "twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b"\xff", "UTF-8"),
        (b" " * 2_000_000, "bytes"),
    ],
)
def test_files_that_are_no_committers(data, why):
    with pytest.raises(ImportRefused, match=why):
        read("committers-json", data, name="x", now=NOW)


def test_a_key_of_two_lines():
    found = committers({"Alice": ALICE.line, "Bob": f"{BOB.line} bob\ngrants: []"})
    assert list(found.people) == ["Alice"]
    assert found.notes[0].isprintable()


def test_a_key_of_two_people():
    with pytest.raises(ImportRefused, match="two people, “Alice” and “Bob”") as error:
        committers({"Alice": ALICE.line, "Bob": blob(ALICE.line)})
    assert ALICE.id in str(error.value)


# --- allowed_signers -----------------------------------------------------------------------------------------------


def signers(text):
    return read("allowed-signers", text.encode(), name="allowed_signers", now=NOW)


def test_several_keys_of_a_person():
    found = signers(f"a@x {ALICE.line}\na@x {ECDSA256.line} token\nb@x,bob@y {BOB.line}\na@x {ALICE.line} again\n")
    assert {name: [key.key for key in keys] for name, keys in found.people.items()} == {
        "a@x": [ALICE.id, ECDSA256.id],
        "b@x,bob@y": [BOB.id],
    }
    assert list(policy_of(found)[1].people) == ["a", "b"]


def test_lines_that_list_nobody_here():
    found = signers(
        f"a@x {ALICE.line}\n"
        f"b@x cert-authority {BOB.line}\n"
        f'c@x valid-before="20200101" {ECDSA256.line}\n'
        f"d@x {DSA}\n"
        f"e@x {RSA1024.line}\n"
        f'f@x namespaces="file" {TOKEN.line}\n'
        f'g@x valid-after="20990101" {BOB.line}\n'
        f"h@x nonsense\n"
    )
    assert list(found.people) == ["a@x"]
    for why in ("line 2: cert-auth", "“c@x”: valid-before 2020-01-01", "line 4: ssh-dss", "line 5: an RSA key",
                "“f@x”: its namespaces", "“g@x”: valid-after 2099-01-01", "line 8: "):  # fmt: skip
        assert any(why in note for note in found.notes), (why, found.notes)


def test_an_end_that_has_not_come_is_told():
    found = signers(f'a@x valid-before="20990101" {ALICE.line}\n')
    assert list(found.people) == ["a@x"]
    assert "was valid before 2099-01-01 only" in found.notes[0]


def test_a_list_without_a_key():
    with pytest.raises(ImportRefused, match="no line of the file lists a key"):
        signers("# nothing\n")
    with pytest.raises(ImportRefused, match="no key that can be listed; left out"):
        signers(f'a@x valid-before="20200101" {ALICE.line}\n')


# --- a forge's listing ---------------------------------------------------------------------------------------------


def listing(data, name="alice"):
    data = data.encode() if isinstance(data, str) else json.dumps(data).encode()
    return read("github-keys", data, name=name, now=NOW)


def test_lines_are_the_keys_of_whom_the_file_is_named_after():
    found = listing(f"# saved\n{ALICE.line}\n{DSA}\n\n{BOB.line}\n")
    assert {name: [key.key for key in keys] for name, keys in found.people.items()} == {"alice": [ALICE.id, BOB.id]}
    assert "ssh-dss" in found.notes[0]
    assert "ask each person" in found.notes[-1]


@pytest.mark.parametrize(
    "saved",
    [
        [{"login": "alice", "keys": [{"id": 1, "key": ALICE.line}]}],
        [{"user": "alice", "keys": [ALICE.line]}],
        {"login": "alice", "keys": [{"key": ALICE.line}]},
        [{"id": 1, "key": ALICE.line}],
        [ALICE.line],
    ],
)
def test_forms_of_the_answer_of_an_api(saved):
    assert {name: [key.key for key in keys] for name, keys in listing(saved).people.items()} == {"alice": [ALICE.id]}


def test_users_without_keys_and_keys_that_are_none():
    users = [{"login": "alice", "keys": [ALICE.line, {"key": 5}, 7]}, {"login": "bob", "keys": []}]
    found = listing(users)
    assert list(found.people) == ["alice"]
    assert "“bob”: no keys" in found.notes[-2]
    assert sum("it is no text" in note for note in found.notes) == 1  # the same is said once


@pytest.mark.parametrize("saved", [[5], [{}], [{"keys": []}], [{"login": 5, "keys": []}], {"message": "Not Found"}])
def test_other_json(saved):
    with pytest.raises(ImportRefused, match="expected is"):
        listing(saved)


# --- Guix ----------------------------------------------------------------------------------------------------------


def test_guix_lists_the_very_key():
    found = read("guix", policies.guix(CAROL, DAVE).encode(), name="x", now=NOW)
    keys = [key for keys in found.people.values() for key in keys]
    assert keys == [OpenPgpKeySpec(CAROL.id, subkeys=False), OpenPgpKeySpec(DAVE.id, subkeys=False)]
    text, policy = policy_of(found)
    assert f"- {{openpgp: {CAROL.id}, subkeys: no}}" in text
    assert policy.openpgp_keys == b".gitverify/keys"
    with pytest.raises(ImportRefused, match="authorizations"):
        read("guix", b"(channel)", name="x", now=NOW)


def test_notes_are_bounded():
    text = f"a@x {ALICE.line}\n" + "".join(f"x{number} {DSA}\n" for number in range(500))
    found = signers(text)
    assert len(found.notes) == 51
    assert found.notes[-1] == "450 more notes like these"


# --- the file itself -----------------------------------------------------------------------------------------------


def test_a_draft_for_one_person_and_for_many():
    one = draft([DraftPerson("alice", (SshKeySpec(ALICE.id, ALICE.blob, "alice@laptop"),))])
    assert f"      - {ALICE.line} alice@laptop\n" in one
    assert "openpgp_keys" not in one
    assert parse(one.encode()).editors == {"alice"}
    many = [DraftPerson(f"p{number}", (OpenPgpKeySpec(f"{number:040X}", subkeys=True),)) for number in range(20)]
    policy = parse(draft(many).encode())
    assert len(policy.editors) == 20
    assert policy.groups["everyone"] == policy.whole_tree
    assert not warnings(policy)


def test_what_is_commented_out_is_right_as_it_stands():
    """Removing the mark of comment makes a policy that loads."""
    text = draft([DraftPerson("alice", (SshKeySpec(ALICE.id, ALICE.blob),))])
    for line in ("unprotected: [examples/]", "unsigned_merges: true", "adopting_merges: true"):
        assert f"# {line}\n" in text
        text = text.replace(f"# {line}\n", f"{line}\n")
    policy = parse(text.encode())
    assert policy.unprotected
    assert policy.unsigned_merges
    assert policy.adopting_merges
    limited = text.replace("grants:\n", "grants:\n  - {paths: [docs/], people: [alice]}\n")
    assert len(parse(limited.encode()).grants) == 2


def test_a_blob_in_another_form_is_no_second_key():
    """Base64 with stray bits would give one key two names."""
    text = base64.b64encode(ALICE.blob).decode()
    with pytest.raises(ImportRefused):
        committers({"Alice": text[:-1] + "=" if not text.endswith("=") else text + "="})
