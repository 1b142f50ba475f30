"""Policy files made of anything: a policy or a PolicyError, nothing else, in time and memory that the size bounds."""

from __future__ import annotations

import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.lib.sshwriter import Ecdsa, Ed25519, Rsa, SkEd25519
from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies import guix, lint
from gitverify.policies.dialects import parse
from gitverify.policies.model import Dialect

FINGERPRINT = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"
NATIVE = f"""\
version: 1
people:
  alice:
    keys:
      - {Ed25519("alice").line} alice@laptop
      - {SkEd25519("alice").line}
      - openpgp: {FINGERPRINT}
  bob: {{keys: [{Ecdsa("bob").line}, {{openpgp: '{FINGERPRINT[::-1]}', subkeys: no}}]}}
groups:
  games: [bob, alice]
grants:
  - {{paths: [/, "lib/[a]"], people: [alice]}}
  - {{paths: [pkgs/games/, nixos/games.nix], people: ["@games", bob]}}
policy_editors: [alice]
unprotected: [pkgs/by-name/]
unsigned_merges: true
adopting_merges: no
expired_keys: refuse
security_keys: verification
tags: ["@games"]
openpgp_keys: .gitverify/keys/
"""
GUIX = f""";; -*- Scheme -*-
(authorizations #| nested #| comment |# |#
 (version 0)
 ((;; primary
   "3CE4 6455 8A84 FDC6 9DB4  0CFB 090B 1199 3D9A EBB5" (name "civodul") #;(gone))
  ["{FINGERPRINT[::-1]}" (name "ab\\x63\\u2713") 'x #\\( #t 1.5 #(v) (a . b)])
 . ((more)))
"""
CHANNEL = '(channel (version 0) (url "https://example.org") (keyring-reference "keyring"))'
OPENSSH = f"""\
# The team
alice@example.org,*@x.org namespaces="git,!file",valid-after="20200101Z",valid-before="20300101" {Ed25519("a").line} a
"bob smith" {Rsa("bob").line}
carol cert-authority {Ecdsa("carol").line}
!dave,d* {SkEd25519("dave").line}
"""
FILES = {Dialect.NATIVE: NATIVE, Dialect.GUIX: GUIX, Dialect.OPENSSH: OPENSSH}
MARKS = [
    *" \n\t\"'#;:,-?|>&*!%@`=~<()[]{}./\\\0\r0aé",
    *("\n  ", "- ", ": ", "<<: ", "&a ", "*a", "!!x ", "---\n", "#|", "|#", "#;", "\\x", "\ufeff"),
]


def is_safe(text):
    """Whether nothing in a message can move the cursor, hide or reorder text."""
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in text)


def attempt(dialect, data):
    """What a file says, and what refuses it; anything else that is raised fails the test."""
    try:
        return parse(dialect, data), None
    except PolicyError as refused:
        return None, refused


def policy_or_none(dialect, data):
    """What a file says, and that what it says can be used."""
    policy, refused = attempt(dialect, data)
    if policy is None:
        assert refused.code in {"policy-invalid", "policy-lockout"}
        assert refused.line >= 0
        assert is_safe(str(refused))
        return None
    assert policy.dialect is dialect
    assert policy.editors <= policy.people.keys()
    assert policy.tags <= policy.people.keys()
    assert all(grant.people <= policy.people.keys() for grant in policy.grants)
    assert all(str(path) for grant in policy.grants for path in grant.paths)
    assert all(is_safe(warning.message) for warning in lint.warnings(policy))
    return policy


@st.composite
def mutated(draw, original):
    """A valid file with a few changes."""
    text = original
    for _ in range(draw(st.integers(1, 4))):
        at, to = sorted(draw(st.integers(0, len(text))) for _ in range(2))
        match draw(st.sampled_from(["cut", "double", "insert", "insert", "any"])):
            case "cut":
                text = text[:at] + text[to:]
            case "double":
                text = text[:to] + text[at:]
            case "insert":
                text = text[:at] + draw(st.sampled_from(MARKS)) + text[at:]
            case "any":
                text = text[:at] + draw(st.text(max_size=3)) + text[at:]
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("dialect", Dialect)
def test_the_files_are_good_to_begin_with(dialect):
    assert policy_or_none(dialect, FILES[dialect].encode()) is not None


@settings(max_examples=300, deadline=None)
@given(mutated(NATIVE))
def test_changed_native_files(data):
    policy_or_none(Dialect.NATIVE, data)


@settings(max_examples=300, deadline=None)
@given(mutated(GUIX))
def test_changed_guix_files(data):
    policy_or_none(Dialect.GUIX, data)


@settings(max_examples=300, deadline=None)
@given(mutated(OPENSSH))
def test_changed_openssh_files(data):
    policy_or_none(Dialect.OPENSSH, data)


@settings(max_examples=150, deadline=None)
@given(mutated(CHANNEL))
def test_changed_channel_files(data):
    assert isinstance(guix.keyring_reference(data), str | None)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbfversion: 1")
def test_any_bytes(data):
    for dialect in Dialect:
        assert policy_or_none(dialect, data) is None or dialect is Dialect.GUIX
    assert isinstance(guix.keyring_reference(data), str | None)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*MARKS, "a", "0", "version: 1", "people", "(", "authorizations", "version"]), max_size=40)
)
def test_any_marks(parts):
    data = "".join(parts).encode()
    for dialect in Dialect:
        policy_or_none(dialect, data)


def repeated(unit, size=LIMITS.policy_size):
    return unit * (size // len(unit))


UNITS = [
    *(b"[", b"{", b"{a: ", b"[a, ", b"- ", b"? ", b"- - ", b"[[{{"),
    *(b"(", b"'", b"#;", b"#|", b"#(", b",@", b"(a . ", b"#!"),
    *(b"\0", b" ", b"\n", b"a", b'"', b"\\", b"#", b"!", b"&a ", b"*a ", b": ", b"---\n", b"- a\n", b"a\n", b"\r\n"),
]
LONG = [
    b"a: &a [x]\n" + repeated(b"b: *a\n")[:-10],
    b'{"' + repeated(b"\\u0041")[:-2],
    b"(" + repeated(b"() ")[:-1],
    b'(authorizations (version 0) (("' + repeated(b" ")[:-40] + b'")))',
    b"version: 1\npeople: {" + b", ".join(b"p%d: {keys: []}" % n for n in range(40_000)) + b"}",
    b"version: 1\npeople: {a: {keys: [" + repeated(b"ssh-ed25519 ")[:-40] + b"]}}",
    b"a namespaces=" + repeated(b'"')[:-20],
    b"a " + repeated(b"b,")[:-20] + b" ssh-ed25519 AAAA",
    b"a ssh-rsa " + repeated(b"A")[:-10],
    b"!" + repeated(b"*a,!")[:-200] + b" " + Ed25519("alice").line.encode(),
    repeated(b"!a,*b," * 30 + b"!*b " + Ed25519("alice").line.encode() + b"\n"),
]


@pytest.mark.parametrize("number", range(len(UNITS) + len(LONG)))
def test_a_mebibyte_ends_soon_and_needs_little(number):
    data = repeated(UNITS[number]) if number < len(UNITS) else LONG[number - len(UNITS)]
    assert len(data) <= LIMITS.policy_size
    for dialect in Dialect:
        policy_or_none(dialect, data)


def crowd():
    """A group of thousands in thousands of grants, each list another one: expanded, four million names."""
    many = range(2000)
    people = "".join(f"  u{n}: {{keys: []}}\n" for n in many)
    grants = "".join(f'  - {{paths: [a], people: ["@all", u{n}]}}\n' for n in many)
    return f"version: 1\npeople:\n{people}groups: {{all: [{', '.join(f'u{n}' for n in many)}]}}\ngrants:\n{grants}"


def bomb():
    """Aliases that would stand for two to the power of three thousand."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 3000)]
    return "\n".join(lines)


SIXTEENTH = LIMITS.policy_size // 16
GREEDY = {
    "aliases": (Dialect.NATIVE, bomb().encode()),
    "groups": (Dialect.NATIVE, crowd().encode()),
    "nested lists": (Dialect.NATIVE, repeated(b"[", SIXTEENTH)),
    "short items": (Dialect.NATIVE, repeated(b"- a\n", SIXTEENTH)),
    "nested expressions": (Dialect.GUIX, repeated(b"(", SIXTEENTH)),
    "empty expressions": (Dialect.GUIX, b"(" + repeated(b"() ", SIXTEENTH)),
    "short lines": (Dialect.OPENSSH, repeated(b"a\n", SIXTEENTH)),
}


@pytest.mark.parametrize("name", GREEDY)
def test_memory_is_a_small_multiple_of_the_size(name):
    dialect, data = GREEDY[name]
    tracemalloc.start()
    try:
        policy_or_none(dialect, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500 * SIXTEENTH
