"""SSH keys from files and ssh-agent; the comment beside a key is anybody's words."""

import os
import subprocess
from pathlib import Path

import pytest
from keyplaces import CLEAN, key_file, ssh_agent

from fixtures.lib.keys import ALICE, BOB, KEYS, TOKEN
from gitverify.keysources import ssh
from gitverify.keysources.errors import KeyNotFound
from gitverify.policies.native import parse

HOSTILE = [
    "alice\u2028grants:",
    "x: {y",
    "# comment",
    "a\rb",
    "a\x85b",
    "\u202eevil",
    "- &anchor *alias !tag",
    '"quoted\\',
    "a\tb",
    "\x1b]0;title\x07",
    "\U000e0041tag",
]


@pytest.mark.parametrize("comment", HOSTILE)
def test_a_comment_cannot_write_yaml(comment):
    entry = ssh.from_line(f"{ALICE.line} {comment}").entry
    people = parse(
        f"version: 1\npeople:\n  a:\n    keys:\n      - {entry}\ngrants: [{{paths: [/], people: [a]}}]\n".encode()
    )
    (spec,) = people.people["a"].keys
    assert spec.key == ALICE.id
    assert entry.isascii()
    assert entry.isprintable()


def test_an_honest_comment_stays():
    assert ssh.from_line(f"{ALICE.line} alice@laptop").entry == f"{ALICE.line} alice@laptop"
    assert ssh.from_line(f"{ALICE.line} Jürgens Schlüssel").entry == f"{ALICE.line} Jurgens Schlussel"
    assert ssh.from_line(ALICE.line).entry == ALICE.line


def test_from_a_public_keys_file_or_the_private_keys(tmp_path):
    path = key_file(tmp_path, "alice", comment="alice@laptop")
    for named in (path, tmp_path / "alice.pub"):
        found = ssh.from_file(named)
        assert (found.key.fingerprint, found.comment) == (ALICE.id, "alice@laptop")


def test_a_security_key(tmp_path):
    (tmp_path / "token.pub").write_text(TOKEN.line + "\n")
    assert ssh.from_file(tmp_path / "token.pub").key.is_security_key


@pytest.mark.parametrize(
    ("name", "why"),
    [("rsa1024", "1024 bits is weak"), ("dsa", "ssh-dss"), ("alice-cert", "certificate")],
)
def test_keys_that_do_not_count(name, why):
    with pytest.raises(KeyNotFound, match=why):
        ssh.from_file(KEYS / "ssh" / f"{name}.pub")


def test_files_that_are_none(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "two").write_text(f"{ALICE.line}\n{BOB.line}\n")
    (tmp_path / "none").write_text("# nothing\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"#" * 70_000)
    (tmp_path / "alone").write_bytes((KEYS / "ssh" / "alice").read_bytes())
    expected = {
        "fifo": "no file",
        "two": "has 2 lines",
        "none": "has 0 lines",
        "binary": "no text",
        "large": "too large",
        "alone": "ssh-keygen -y -f",
        "missing": "No such file",
    }
    for name, why in expected.items():
        with pytest.raises(KeyNotFound, match=why):
            ssh.from_file(tmp_path / name)


def test_from_the_agent():
    with ssh_agent("alice", "rsa1024", "bob") as socket:
        listed = ssh.from_agent(CLEAN | {"SSH_AUTH_SOCK": socket})
    assert [key.key.fingerprint for key in listed.keys] == [ALICE.id, BOB.id]
    (left_out,) = listed.left_out
    assert "1024 bits is weak" in left_out


def test_an_agent_without_keys_and_none():
    with ssh_agent() as socket:
        assert ssh.from_agent(CLEAN | {"SSH_AUTH_SOCK": socket}) == ssh.Listed(())
    with pytest.raises(KeyNotFound, match="no ssh-agent"):
        ssh.from_agent(CLEAN)


def test_ssh_add_is_not_there_or_hangs(tmp_path, monkeypatch):
    with pytest.raises(KeyNotFound, match="can't be run"):
        ssh.from_agent({"PATH": str(tmp_path)})

    def hang(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(KeyNotFound, match="does not answer"):
        ssh.from_agent(CLEAN)


def test_several_lines():
    text = f"# keys\n\n{ALICE.line} a\n{ALICE.line} again\nnonsense\n"
    listed = ssh.from_lines(text)
    assert [key.comment for key in listed.keys] == ["a"]
    assert listed.left_out == ("“nonsense” is no SSH public key line: a type and base64, no options",)


def test_a_name_that_would_move_the_cursor(tmp_path):
    with pytest.raises(KeyNotFound) as error:
        ssh.from_file(Path(tmp_path, "\x1b[2J"))
    assert "\x1b" not in str(error.value)
