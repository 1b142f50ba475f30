"""The OpenSSH dialect, with ssh-keygen, asked as git asks it, as the oracle."""

from __future__ import annotations

import calendar

import pytest
from signatures.sshkeygen import git_accepts

from fixtures.lib.sshwriter import Ecdsa, Ed25519, Rsa, SkEd25519, certificate, sshsig
from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, Person, SshKeySpec
from gitverify.policies.openssh import Skipped, parse, read

ALICE, BOB = Ed25519("alice"), Ed25519("bob")
KEY = ALICE.line
PAYLOAD = b"a commit\n"
DATE = calendar.timegm((2023, 3, 2, 12, 0, 0))
SAFE = f"bob@example.org {BOB.line}\n"  # so that the file lists somebody


def may_sign(text, date=DATE):
    """Whether the policy lets Alice's key sign for git at the date (seconds since 1970)."""
    return any(
        spec.for_git
        and (spec.valid_after is None or date >= spec.valid_after)
        and (spec.valid_before is None or date <= spec.valid_before)
        for _, spec in parse(text).by_key.get(ALICE.id, ())
    )


def test_a_file():
    text = f"""\
# The team
alice@example.org namespaces="git,file",valid-after="20230101Z" {KEY} alice@laptop, her first

  "bob smith,b@example.org"\t{BOB.line}
carol@example.org
alice@example.org {Ecdsa("alice").line}
"""
    policy, skipped = read(text.encode())
    alice = Person(
        "alice@example.org",
        (
            SshKeySpec(ALICE.id, ALICE.blob, "alice@laptop, her first", calendar.timegm((2023, 1, 1, 0, 0, 0))),
            SshKeySpec(Ecdsa("alice").id, Ecdsa("alice").blob),
        ),
        2,
    )
    bob = Person("bob smith,b@example.org", (SshKeySpec(BOB.id, BOB.blob),), 4)
    everyone = frozenset({alice.name, bob.name})
    assert skipped == (Skipped(5, "there is no key"),)
    assert policy.dialect is Dialect.OPENSSH
    assert policy.people == {alice.name: alice, bob.name: bob}
    assert policy.grants == (Grant((WHOLE_TREE,), everyone),)
    assert policy.editors == policy.tags == everyone


# Lines about Alice's key that list it for git on the date, and lines that don't; ssh-keygen agrees.
LISTS = {
    "plain": f"alice {KEY}",
    "a comment": f"alice {KEY} alice@laptop namespaces=nothing",
    "two names": f"alice,alison {KEY}",
    "a pattern": f"*@example.org {KEY}",
    "a quoted name": f'"alice" {KEY}',
    "a quoted name with a space": f'"alice a" {KEY}',
    "a quote inside a name": f'al"ice a" {KEY}',
    "nothing after the quote": f'"alice"{KEY}',
    "tabs": f"alice\t{KEY}",
    "blanks around": f" \t alice  {KEY}  ",
    "CR": f"alice {KEY}\r",
    "CR and a comment": f"alice {KEY} x\r",
    "an empty name": f"alice,,bob {KEY}",
    "a negated name": f"*@example.org,!bob@example.org {KEY}",
    "namespaces git": f'alice namespaces="git" {KEY}',
    "namespaces with git": f'alice namespaces="file,git" {KEY}',
    "namespaces pattern": f'alice namespaces="g*" {KEY}',
    "namespaces all but": f'alice namespaces="*,!file" {KEY}',
    "an option in capitals": f'alice NameSpaces="git" {KEY}',
    "valid after": f'alice valid-after="20230302Z" {KEY}',
    "valid after a minute": f'alice valid-after="202303021200Z" {KEY}',
    "valid after a second": f'alice valid-after="20230302120000Z" {KEY}',
    "valid after UTC": f'alice valid-after="20230302120000utc" {KEY}',
    "valid before": f'alice valid-before="20230303Z" {KEY}',
    "valid before, that very second": f'alice valid-before="20230302120000Z" {KEY}',
    "valid before a day that is not": f'alice valid-before="20230231Z" {KEY}',
    "valid between": f'alice valid-before="20230303Z",valid-after="20230301Z" {KEY}',
    "all options": f'alice valid-before="20230303Z",namespaces="git",valid-after="20230301Z" {KEY}',
    "another line before": f"alice {BOB.line}\nalice {KEY}",
    "an unreadable line before": f"alice ssh-ed25519 AAAAbad\nalice {KEY}",
    "a line without a key before": f"alice\nalice {KEY}",
    "an unknown type before": f"alice ssh-new AAAA\nalice {KEY}",
    "an open quote before": f'"alice {BOB.line}\nalice {KEY}',
    "open options before": f'alice namespaces="git {BOB.line}\nalice {KEY}',
    "a certificate before": f"alice ssh-ed25519-cert-v01@openssh.com AAAA\nalice {KEY}",
    "a line for another time before": f'alice valid-before="20200101Z" {KEY}\nalice {KEY}',
    "a line for files before": f'alice namespaces="file" {KEY}\nalice {KEY}',
    "bytes that are not UTF-8": b"al\xe9ce " + KEY.encode(),
}
LISTS_NOT = {
    "another key": f"alice {BOB.line}",
    "a comment": f"# alice {KEY}",
    "a comment after blanks": f" # alice {KEY}",
    "no name": KEY,
    "an empty quoted name": f'"" {KEY}',
    "no key": "alice",
    "only names and a type": "alice ssh-ed25519",
    "no type": f"alice {KEY.split()[1]}",
    "no type and a comment": f"alice {KEY.split()[1]} nixos ci",
    "a CR inside": f"alice {KEY[:-9]}\r {KEY[-9:]}",
    "the key cut": f"alice {KEY[:-4]}",
    "the key with more": f"alice {KEY}AAAA",
    "another type's name": f"alice ssh-rsa {KEY.split()[1]}",
    "a no-break space after the key": f"alice {KEY}\u00a0x",
    "a no-break space before the key": f"alice {KEY.replace(' ', chr(0xA0))}",
    "a NUL before the key": f"alice\0 {KEY}",
    "only a negated name": f"!alice {KEY}",
    "a name and its negation": f"alice,!alice {KEY}",
    "nobody": f"!* {KEY}",
    "cert-authority": f"alice cert-authority {KEY}",
    "cert-authority and options": f'alice namespaces="git",CERT-authority {KEY}',
    "namespaces file": f'alice namespaces="file" {KEY}',
    "namespaces all but git": f'alice namespaces="*,!git" {KEY}',
    "namespaces empty": f'alice namespaces="" {KEY}',
    "namespaces git in quotes": f'alice namespaces="\\"git\\"" {KEY}',
    "valid after": f'alice valid-after="20230302120001Z" {KEY}',
    "valid before": f'alice valid-before="20230302115959Z" {KEY}',
    "valid before a day": f'alice valid-before="20230302Z" {KEY}',
    "its certificate": f"alice ssh-ed25519-cert-v01@openssh.com {KEY.split()[1]}",
}
SIGNATURE = sshsig(ALICE, PAYLOAD)


@pytest.mark.parametrize("name", LISTS)
def test_a_line_that_lists_a_key(name, tmp_path):
    line = LISTS[name]
    text = (line if isinstance(line, bytes) else line.encode()) + b"\n" + SAFE.encode()
    assert may_sign(text)
    assert git_accepts(text, SIGNATURE, PAYLOAD, tmp_path, date=DATE)


@pytest.mark.parametrize("name", LISTS_NOT)
def test_a_line_that_does_not_list_a_key(name, tmp_path):
    text = f"{LISTS_NOT[name]}\n{SAFE}".encode()
    assert not may_sign(text)
    assert not git_accepts(text, SIGNATURE, PAYLOAD, tmp_path, date=DATE)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("verify-required", "unknown option “verify-required”"),
        ('principals="x"', "unknown option “principals”"),
        ("cert-authorityx", "unknown option “cert-authorityx”"),
        ("namespaces=git", "can't be read"),
        ("namespaces", "has no value in quotes"),
        ('cert-authority="x"', "has no value in quotes"),
        ('namespaces="git",', "can't be read"),
        (',namespaces="git"', "can't be read"),
        ('namespaces="git",,cert-authority', "can't be read"),
        ('namespaces="git"cert-authority', "can't be read"),
        ('namespaces="git",namespaces="git"', "stands twice"),
        ('valid-after="20230101Z",valid-after="20230101Z"', "stands twice"),
        ('valid-after="2023"', "is no time"),
        ('valid-after="20231301Z"', "is no time"),
        ('valid-after="20230132Z"', "is no time"),
        ('valid-after="20230100Z"', "is no time"),
        ('valid-after="202301012400Z"', "is no time"),
        ('valid-after="202301012360Z"', "is no time"),
        ('valid-after="20230101235961Z"', "is no time"),
        ('valid-after="2023-01-01"', "is no time"),
        ('valid-after="20230101+01"', "is no time"),
        ('valid-after="19691231Z"', "is no time"),
        ('valid-after="19700101Z"', "is no time"),
        ('valid-after=""', "is no time"),
        ('valid-after="20230102Z",valid-before="20230102Z"', "valid-before is not after valid-after"),
        ("\x1b[31m", r"“\\x1b\[31m” can't be read"),
    ],
)
def test_an_option_that_is_not_understood_refuses_the_file(option, message):
    with pytest.raises(PolicyError, match=message) as refused:
        parse(f"{SAFE}alice {option} {KEY}\n".encode())
    assert (refused.value.code, refused.value.line) == ("policy-invalid", 2)
    # Where the key can't be read either, the line is none, as for ssh-keygen.
    assert read(f"{SAFE}alice {option} {KEY[:-4]}\n".encode())[1][0].line == 2


@pytest.mark.parametrize(
    ("option", "after", "before"),
    [
        ('valid-after="20230302"', (2023, 3, 2, 0, 0, 0), None),
        ('valid-before="20230302115900"', None, (2023, 3, 2, 11, 59, 0)),
        ('valid-before="202303021159Z"', None, (2023, 3, 2, 11, 59, 0)),
        ('valid-before="20240230Z"', None, (2024, 3, 1, 0, 0, 0)),
        ('valid-before="99991231235960Z"', None, (9999, 12, 31, 23, 59, 60)),
    ],
)
def test_times_are_utc(option, after, before):
    (spec,) = parse(f"alice {option} {KEY}\n".encode()).people["alice"].keys
    assert spec.valid_after == (after and calendar.timegm(after))
    assert spec.valid_before == (before and calendar.timegm(before))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("alice", "there is no key"),
        ("alice ssh-ed25519", "there is no key"),
        ("alice ssh-ed25519 AAAA", "cut off"),
        ('alice"', "a quote has no end"),
        (f"alice\0 {KEY}", "NUL"),
        (f'"" {KEY}', "names nobody"),
        (f", {KEY}", "matches nobody"),
        (f"!alice {KEY}", "matches nobody"),
        (f"{'!a,' * 100}alice {KEY}", "matches nobody"),
        (f"alice cert-authority {KEY}", "cert-authority"),
        (f"alice {Rsa('alice', bits=1024).line}", "1024 bits is weak"),
        ("alice ssh-dss AAAA", "ssh-dss"),
        ("alice ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        (f"alice {SkEd25519('alice', application=b'web').line}", "not accepted"),
    ],
)
def test_a_line_that_lists_nobody_is_reported(line, reason):
    policy, skipped = read(f"\n{SAFE}{line}\n".encode())
    assert list(policy.people) == ["bob@example.org"]
    assert skipped[0].line == 3
    assert reason in skipped[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nobody\n",
        "alice\n",
        f'alice namespaces="file" {KEY}\n',
        f"alice cert-authority {KEY}\n",
        f"alice {Rsa('alice', bits=1024).line}\n",
        certificate(ALICE, BOB, b"x"),
    ],
)
def test_somebody_must_be_able_to_sign(text):
    with pytest.raises(PolicyError) as refused:
        parse(text if isinstance(text, bytes) else text.encode())
    assert refused.value.code == "policy-lockout"
    assert parse(f'alice namespaces="file" {KEY}\n{SAFE}'.encode()).by_key[ALICE.id][0][1].for_git is False


def test_a_key_may_stand_on_several_lines():
    policy = parse(f'alice valid-before="20200101Z" {KEY}\nalison {KEY} new\nalice {KEY}\n'.encode())
    assert [(person.name, spec.valid_before is None) for person, spec in policy.by_key[ALICE.id]] == [
        ("alice", False),
        ("alice", True),
        ("alison", True),
    ]
    assert [person.line for person in policy.people.values()] == [1, 2]


def test_names_that_are_not_utf_8_stay_apart():
    policy = parse(b"\xe9 %s\n\xe8 %s\n" % (KEY.encode(), BOB.line.encode()))
    assert list(policy.people) == ["\\xe9", "\\xe8"]


def test_the_number_of_lines_has_a_limit():
    text = SAFE.encode()
    assert parse(text + b"\n" * (LIMITS.policy_nodes - 1))
    with pytest.raises(PolicyError, match=f"more than {LIMITS.policy_nodes} lines"):
        parse(text + b"\n" * LIMITS.policy_nodes)


def test_size_has_a_limit():
    text = SAFE.encode()
    assert parse(text + b"#" * (LIMITS.policy_size - len(text)))
    with pytest.raises(PolicyError, match=f"more than {LIMITS.policy_size}"):
        parse(text + b"#" * (LIMITS.policy_size - len(text) + 1))
