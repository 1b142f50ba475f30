"""The native policy file: all of the format, each rule with what it accepts and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.lib.sshwriter import Ecdsa, Ed25519, Rsa, SkEd25519, certificate
from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies import native
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, OpenPgpKeySpec, PathPrefix, SshKeySpec
from gitverify.policies.native import parse

ALICE, BOB, CAROL = (Ed25519(name) for name in ("alice", "bob", "carol"))
FINGERPRINT = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"
FORMAT = Path(__file__).parents[3] / "shared" / "policy-format.md"

PEOPLE = f"""\
version: 1
people:
  alice: {{keys: [{ALICE.line}]}}
  bob: {{keys: [{BOB.line} bob@desk]}}
"""
ROOT = "grants: [{paths: [/], people: [alice]}]\n"
GOOD = PEOPLE + ROOT


def refusal(text):
    with pytest.raises(PolicyError) as refused:
        parse(text.encode())
    return refused.value


def test_the_example_of_the_format():
    text = f"""\
version: 1
people:
  alice:
    keys:
      - {ALICE.line} alice@laptop
      - {SkEd25519("alice").line} alice@token
      - openpgp: {FINGERPRINT}   # {{openpgp: …, subkeys: no}} for this key alone
  bob: {{keys: [{Ecdsa("bob").line}]}}
  carol: {{keys: [{{openpgp: 2841 9AC6 5038 7440 C7E9  2FFA 2208 D209 58C1 DEB0, subkeys: no}}]}}
groups:
  games: [bob, carol]
grants:
  - {{paths: [/], people: [alice]}}
  - {{paths: [pkgs/games/, nixos/tests/games.nix], people: ["@games"]}}
policy_editors: [alice]          # default: everyone granted /
unprotected: [pkgs/by-name/]     # anyone, unsigned
unsigned_merges: true            # default false
adopting_merges: false           # default false
expired_keys: ignore             # or refuse
security_keys: presence          # or verification: FIDO keys must have checked PIN or finger
tags: [alice]                    # who signs release tags; default: everyone granted /
openpgp_keys: .gitverify/keys/   # certificates in the same tree, armored or binary
"""
    policy = parse(text.encode())
    assert policy.dialect is Dialect.NATIVE
    assert list(policy.people) == ["alice", "bob", "carol"]
    alice = policy.people["alice"]
    assert alice.line == 3
    assert alice.keys == (
        SshKeySpec(ALICE.id, ALICE.blob, "alice@laptop"),
        SshKeySpec(SkEd25519("alice").id, SkEd25519("alice").blob, "alice@token"),
        OpenPgpKeySpec(FINGERPRINT, subkeys=True),
    )
    assert policy.people["carol"].keys == (OpenPgpKeySpec("28419AC650387440C7E92FFA2208D20958C1DEB0", subkeys=False),)
    games = frozenset({"bob", "carol"})
    assert policy.groups == {"games": games}
    assert policy.grants == (
        Grant((WHOLE_TREE,), frozenset({"alice"}), 13),
        Grant(
            (PathPrefix(b"pkgs/games", subtree=True), PathPrefix(b"nixos/tests/games.nix", subtree=False)), games, 14
        ),
    )
    assert policy.editors == policy.tags == policy.whole_tree == {"alice"}
    assert policy.unprotected == (PathPrefix(b"pkgs/by-name", subtree=True),)
    assert policy.unsigned_merges
    assert not policy.adopting_merges
    assert not policy.refuse_expired_keys
    assert not policy.require_user_verification
    assert policy.openpgp_keys == b".gitverify/keys"
    assert policy.by_key[FINGERPRINT] == ((alice, alice.keys[2]),)


@pytest.mark.skipif(not FORMAT.exists(), reason="the pages of the specification are not beside the repository")
def test_the_format_page_uses_no_key_that_is_not_known():
    example = FORMAT.read_text().split("```yaml\n")[1].split("```")[0]
    keys = [line.split(":")[0] for line in example.splitlines() if line[0].isalpha()]
    assert sorted(keys) == sorted(("version", "people", *native._OPTIONAL))


def test_defaults():
    policy = parse(GOOD.encode())
    assert policy.editors == policy.tags == {"alice"}
    assert policy.people["bob"].keys == (SshKeySpec(BOB.id, BOB.blob, "bob@desk"),)
    assert policy.unprotected == ()
    assert policy.groups == {}
    assert not policy.unsigned_merges
    assert not policy.adopting_merges
    assert not policy.refuse_expired_keys
    assert not policy.require_user_verification
    assert policy.openpgp_keys == b".gitverify/keys"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("policy_editors: [bob]", "editors", {"bob"}),
        ("policy_editors: [bob, alice]", "editors", {"alice", "bob"}),
        ('groups: {all: [alice, bob]}\npolicy_editors: ["@all"]', "editors", {"alice", "bob"}),
        ("tags: [bob]", "tags", {"bob"}),
        ("tags: []", "tags", set()),
        ("unprotected: []", "unprotected", ()),
        ("unsigned_merges: true", "unsigned_merges", True),
        ("unsigned_merges: yes", "unsigned_merges", True),
        ("unsigned_merges: false", "unsigned_merges", False),
        ("unsigned_merges: no", "unsigned_merges", False),
        ("adopting_merges: true", "adopting_merges", True),
        ("expired_keys: refuse", "refuse_expired_keys", True),
        ("expired_keys: ignore", "refuse_expired_keys", False),
        ("security_keys: verification", "require_user_verification", True),
        ("security_keys: presence", "require_user_verification", False),
        ("openpgp_keys: keys/of/people/", "openpgp_keys", b"keys/of/people"),
        ("groups: {nobody: []}", "groups", {"nobody": frozenset()}),
        ("groups: {alice: [bob]}", "groups", {"alice": {"bob"}}),
    ],
)
def test_settings(line, field, value):
    assert getattr(parse(f"{GOOD}{line}\n".encode()), field) == value


def test_a_version_may_be_quoted():
    assert parse(GOOD.replace("version: 1", "version: '1'").encode()) == parse(GOOD.encode())


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("- version: 1", 1, 1, "the policy must be a mapping .*, not a list"),
        ("version", 1, 1, "must be a mapping .*, not the text “version”"),
        ("people: {}", 1, 1, "must say “version: 1”"),
        ("version: 2\nnews: x", 1, 10, "reads version 1 .*, not version 2: update gitverify"),
        ("version: 1.0\npeople: {}", 1, 10, "not version 1.0"),
        ("version: 01\npeople: {}", 1, 10, "not version 01"),
        ("version: [1]\npeople: {}", 1, 10, "version must be text, not a list"),
        ("version: 1", 1, 1, "must have the key “people”"),
        (f"{GOOD}grant: []", 6, 1, r"no key “grant” \(did you mean “grants”\?\)"),
        (f"{GOOD}Zebra: []", 6, 1, "no key “Zebra”: known are version, people, groups"),
        (f"{GOOD}people: {{}}", 6, 1, "twice"),
    ],
)
def test_the_frame(text, line, column, message):
    with pytest.raises(PolicyError, match=message) as refused:
        parse(text.encode())
    assert (refused.value.code, refused.value.line, refused.value.column) == ("policy-invalid", line, column)


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "-", "...", "x" * 64, "0"])
def test_names(name):
    text = PEOPLE.replace("alice:", f"{name}:") + ROOT.replace("alice", name)
    assert name in parse(text.encode()).people


@pytest.mark.parametrize("name", ["''", "x" * 65, "a b", "caf\u00e9", "'@a'", "a/b", "'a:b'", "\u0661"])
def test_bad_names(name):
    assert "is no name of a person" in refusal(PEOPLE.replace("alice:", f"{name}:") + ROOT).message
    assert "is no name of a group" in refusal(f"{GOOD}groups: {{{name}: [alice]}}").message


def keys(*entries):
    lines = "".join(f"      - {entry}\n" for entry in entries)
    return f"version: 1\npeople:\n  alice:\n    keys:\n{lines}" + ROOT


@pytest.mark.parametrize(
    "entry",
    [
        f"openpgp: {FINGERPRINT}",
        f"openpgp: {FINGERPRINT.lower()}",
        f"{{openpgp: '{FINGERPRINT}', subkeys: yes}}",
        "openpgp: 3CE4 6455 8A84 FDC6 9DB4  0CFB 090B 1199 3D9A EBB5",
    ],
)
def test_openpgp_keys(entry):
    assert parse(keys(entry).encode()).people["alice"].keys == (OpenPgpKeySpec(FINGERPRINT, subkeys=True),)


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("true", True), ("no", False), ("false", False)])
def test_subkeys(word, value):
    policy = parse(keys(f"{{openpgp: {FINGERPRINT}, subkeys: {word}}}").encode())
    assert policy.people["alice"].keys[0].subkeys is value


def test_a_fingerprint_of_digits_stays_text():
    digits = "0123456789" * 4
    assert parse(keys(f"openpgp: {digits}").encode()).people["alice"].keys[0].key == digits
    assert parse(keys(f"openpgp: {'01' * 32}").encode()).people["alice"].keys[0].key == "01" * 32


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (f"openpgp: {FINGERPRINT[1:]}", "no full fingerprint"),
        (f"openpgp: {FINGERPRINT[-16:]}", "no full fingerprint"),
        (f"openpgp: 0x{FINGERPRINT[2:]}", "no full fingerprint"),
        (f"openpgp: {FINGERPRINT[:-1]}G", "no full fingerprint"),
        (f"openpgp: {FINGERPRINT[:-1]}\u0661", "no full fingerprint"),
        (f"openpgp: [{FINGERPRINT}]", "openpgp must be text, not a list"),
        (f"{{openpgp: {FINGERPRINT}, subkeys: maybe}}", r"subkeys must be true or false .*, not “maybe”"),
        (f"{{openpgp: {FINGERPRINT}, subkeys: 'True'}}", "subkeys must be true or false"),
        (f"{{openpgp: {FINGERPRINT}, subkeys: [no]}}", "subkeys must be text"),
        (f"{{openpgp: {FINGERPRINT}, subkey: no}}", "did you mean “subkeys”"),
        ("{ssh: x}", "an OpenPGP key has no key “ssh”"),
        ("{subkeys: no}", "must have the key “openpgp”"),
        ("[x]", "not an SSH public key line must be a mapping .*, not a list"),
        (FINGERPRINT, "is written as “openpgp: FINGERPRINT”"),
        ("ssh-ed25519", "is no SSH public key line"),
        (f"no-pty {ALICE.line}", "no options"),
        (Rsa("alice", bits=1024).line, "1024 bits is weak"),
        ("ssh-dss AAAA", "ssh-dss"),
        (
            f"{certificate(ALICE, BOB, b'x')[4:36].decode()} AAAA",
            "ssh-ed25519-cert-v01@openssh.com is a certificate",
        ),
    ],
)
def test_a_bad_key_is_an_error_at_its_line(entry, message):
    good = f"openpgp: {FINGERPRINT}"
    assert len(parse(keys(BOB.line, good).encode()).people["alice"].keys) == 2
    with pytest.raises(PolicyError, match=message) as refused:
        parse(keys(BOB.line, entry).encode())
    assert (refused.value.code, refused.value.line) == ("policy-invalid", 6)


@pytest.mark.parametrize("entry", [ALICE.line, f"openpgp: {FINGERPRINT}"])
def test_a_key_belongs_to_one_person_once(entry):
    again = f"{entry} again" if entry.startswith("ssh") else f"{{openpgp: {FINGERPRINT.lower()}, subkeys: no}}"
    assert parse(keys(entry).encode())
    assert "is listed for alice already" in refusal(keys(entry, BOB.line, again)).message
    text = keys(entry).replace("grants", f"  bob: {{keys: [{again}]}}\ngrants")
    found = refusal(text)
    assert "is listed for alice already" in found.message
    assert found.line == 6


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ("{}", "the person alice must have the key “keys”"),
        ("[x]", "the person alice must be a mapping"),
        ("{keys: x}", r"keys must be a list \(\[a, b\], or one “- a” a line\), not the text “x”"),
        ("{keys: [], mail: x}", "the person alice has no key “mail”"),
    ],
)
def test_people(person, message):
    with pytest.raises(PolicyError, match=message):
        parse(f"version: 1\npeople: {{alice: {person}}}\n{ROOT}".encode())


@pytest.mark.parametrize(
    ("written", "path", "subtree"),
    [
        ("/", b"", True),
        ("a", b"a", False),
        ("a/", b"a", True),
        ("a/b.nix", b"a/b.nix", False),
        ("pkgs/by-name/", b"pkgs/by-name", True),
        (".github/", b".github", True),
        ("..a/b..c/...", b"..a/b..c/...", False),
        ("caf\u00e9/\u00df/", "caf\u00e9/\u00df".encode(), True),
        ("app/'[id]'.tsx", b"app/'[id]'.tsx", False),
        ("a\\b", b"a\\b", False),
        ("a b/c", b"a b/c", False),
        ('"a\\nb"', b"a\nb", False),
        ("'-'", b"-", False),
    ],
)
def test_paths(written, path, subtree):
    policy = parse(f"{PEOPLE}grants:\n- people: [alice]\n  paths:\n  - /\n  - {written}\n".encode())
    assert policy.grants[0].paths[1] == PathPrefix(path, subtree)
    if path:
        assert parse(f"{GOOD}unprotected:\n- {written}\n".encode()).unprotected == (PathPrefix(path, subtree),)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('""', "it is empty"),
        ("/a", "without a slash"),
        ("//", "without a slash"),
        ("./a", "leave the leading “./” out"),
        ("./", "leave the leading “./” out"),
        (".", "“.” or “..”"),
        ("..", "“.” or “..”"),
        ("../a", "“.” or “..”"),
        ("a/..", "“.” or “..”"),
        ("a/../b", "“.” or “..”"),
        ("a/./b/", "“.” or “..”"),
        ("a//b", "empty component"),
        ("a//", "empty component"),
        ('"*.nix"', "no globs"),
        ("a/**", "no globs"),
        ("a?", "no globs"),
        ('"a\\0b"', "no NUL"),
    ],
)
def test_bad_paths(written, message):
    for text in (
        f"{PEOPLE}grants:\n- people: [alice]\n  paths:\n  - /\n  - {written}\n",
        f"{GOOD}unprotected:\n- {written}\n",
    ):
        found = refusal(text)
        assert message in found.message
        assert found.code == "policy-invalid"
        assert found.line == len(text.splitlines())
    assert message in refusal(f"{GOOD}openpgp_keys: {written}").message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("grants: {}", "grants must be a list"),
        ("grants: [[/]]", "a grant must be a mapping"),
        ("grants: [{paths: [/]}]", "a grant must have the key “people”"),
        ("grants: [{people: [alice]}]", "a grant must have the key “paths”"),
        ("grants: [{paths: /, people: [alice]}]", "paths must be a list"),
        ("grants: [{paths: [[/]], people: [alice]}]", "an entry of paths must be text, not a list"),
        ("grants: [{paths: [/], people: alice}]", "people must be a list"),
        ("grants: [{paths: [], people: [alice]}]", "at least one path and one name"),
        ("grants: [{paths: [/], people: []}]", "at least one path and one name"),
        ("grants: [{paths: [/], people: [alice], path: x}]", "did you mean “paths”"),
        ("grants: [{paths: [/], people: [alcie]}]", r"no person “alcie” \(did you mean “alice”\?\)"),
        ("grants: [{paths: [/], people: [zebra]}]", "no person “zebra”$"),
        ('grants: [{paths: [/], people: ["@all"]}]', "no group “all”$"),
        ('groups: {everyone: [bob]}\ngrants: [{paths: [/], people: ["@everyon"]}]', "did you mean “everyone”"),
        ("groups: [x]", "groups must be a mapping"),
        ("groups: {a: bob}", "the group a must be a list"),
        ("groups: {a: [bbo]}", r"no person “bbo” \(did you mean “bob”\?\)"),
        ('groups: {a: [bob], b: ["@a"]}', "a group lists people, not other groups"),
        ("policy_editors: alice", "policy_editors must be a list"),
        ("policy_editors: [mallory]", "no person “mallory”"),
        ("policy_editors: [{a: b}]", "an entry of policy_editors must be text, not a mapping"),
        ("tags: [mallory]", "no person “mallory”"),
        ("unprotected: x/", "unprotected must be a list"),
        ("unprotected: [a/, /]", "“/” can't be unprotected"),
        ("unsigned_merges: on", "unsigned_merges must be true or false .*, not “on”"),
        ("adopting_merges: 1", "adopting_merges must be true or false"),
        ("expired_keys: accept", "expired_keys must be ignore or refuse, not “accept”"),
        ("security_keys: touch", "security_keys must be presence or verification, not “touch”"),
        ("openpgp_keys: keys", "with its trailing slash"),
        ("openpgp_keys: /", "a directory below the root"),
        ("openpgp_keys: [keys/]", "openpgp_keys must be text"),
    ],
)
def test_what_else_is_wrong(lines, message):
    text = (PEOPLE if "grants" in lines else GOOD) + lines
    with pytest.raises(PolicyError, match=message) as refused:
        parse(text.encode())
    assert refused.value.code == "policy-invalid"
    assert refused.value.line == len(text.splitlines())


def test_what_an_attacker_wrote_is_escaped():
    found = refusal(f'{GOOD}"a\\e[31m\\u202e": x')
    assert "\\x1b[31m\\u202e" in str(found)
    assert "\x1b" not in str(found)


NO_KEYS = "version: 1\npeople: {alice: {keys: []}, bob: {keys: [" + BOB.line + "]}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PEOPLE, "nobody may change this policy"),
        (f"{PEOPLE}grants: []", "nobody may change this policy"),
        (f"{PEOPLE}grants: [{{paths: [a/], people: [alice]}}]", "nobody may change this policy"),
        (f"{GOOD}policy_editors: []", "nobody may change this policy"),
        (f'{GOOD}groups: {{none: []}}\npolicy_editors: ["@none"]', "nobody may change this policy"),
        (f"{NO_KEYS}{ROOT}", "nobody who may change this policy has a key"),
        ("version: 1\npeople: {}\n", "nobody may change this policy"),
    ],
)
def test_lockout(text, message):
    found = refusal(text)
    assert found.code == "policy-lockout"
    assert message in found.message
    assert found.line > 0


@pytest.mark.parametrize("lines", ["policy_editors: [bob]", f"{ROOT}policy_editors: [alice, bob]"])
def test_one_editor_with_a_key_is_enough(lines):
    assert parse(f"{NO_KEYS}{lines}".encode()).people["alice"].keys == ()


def test_groups_share_their_set():
    text = f'{GOOD}groups: {{all: [alice, bob]}}\ntags: ["@all"]\npolicy_editors: ["@all"]\n'
    policy = parse(text.encode())
    assert policy.tags is policy.editors is policy.groups["all"]


def test_lists_that_repeat_a_group_are_bounded(monkeypatch):
    text = f'{PEOPLE}groups: {{all: [alice, bob]}}\ngrants:\n- {{paths: [/], people: ["@all", alice]}}\n'
    again = '- {paths: [/], people: [alice, "@all"]}\n'
    monkeypatch.setattr(native, "LIMITS", replace(LIMITS, policy_nodes=3))
    assert len(parse(text.encode()).grants) == 1
    with pytest.raises(PolicyError, match="hold more than 3"):
        parse((text + again).encode())


def test_a_large_policy_is_read_whole():
    many = 1000
    lines = ["version: 1", "people:"]
    lines += [f"  user{n}: {{keys: [{{openpgp: '{n:040X}'}}]}}" for n in range(many)]
    lines += [f"groups: {{all: [{', '.join(f'user{n}' for n in range(many))}]}}", "grants:"]
    lines += [f"  - {{paths: [/, pkgs/{n}/, lib/{n}], people: ['@all']}}" for n in range(many)]
    policy = parse("\n".join(lines).encode())
    assert len(policy.people) == len(policy.editors) == len(policy.grants) == many


def test_sshpubkeys_and_cryptography_are_not_loaded_for_openpgp_keys():
    code = (
        "import sys; from gitverify.policies import native; native.parse(sys.stdin.buffer.read());"
        "print([name for name in ('cryptography', 'sshpubkeys') if name in sys.modules])"
    )
    text = keys(f"openpgp: {FINGERPRINT}").encode()
    done = subprocess.run([sys.executable, "-c", code], input=text, check=True, capture_output=True)
    assert done.stdout == b"[]\n"


@pytest.mark.parametrize(
    ("more", "compares"),
    [
        ("", False),
        ("unprotected: [docs/]\n", True),
        ("unsigned_merges: true\n", True),
        ("adopting_merges: true\n", True),
        ("  - {paths: [docs/], people: [alice]}\n", True),
        ("  - {paths: [/], people: [alice]}\n", False),
    ],
)
def test_trees_are_compared_where_paths_or_merges_have_rules(more, compares):
    people = f"people:\n  alice: {{keys: [{ALICE.line}]}}\n"
    policy = parse(f"version: 1\n{people}grants:\n  - {{paths: [/], people: [alice]}}\n{more}".encode())
    assert policy.compares_trees is compares
