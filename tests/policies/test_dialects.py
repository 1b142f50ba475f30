"""Which parser a dialect has, and that asking for one does not load the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fixtures.lib.sshwriter import Ed25519
from gitverify.errors import PolicyError
from gitverify.policies.dialects import POLICY_FILES, parse
from gitverify.policies.model import Dialect

KEY = Ed25519("alice").line
FILES = {
    Dialect.NATIVE: f"version: 1\npeople: {{alice: {{keys: [{KEY}]}}}}\ngrants: [{{paths: [/], people: [alice]}}]\n",
    Dialect.GUIX: '(authorizations (version 0) (("3CE464558A84FDC69DB40CFB090B11993D9AEBB5" (name "alice"))))',
    Dialect.OPENSSH: f"alice {KEY}\n",
}


@pytest.mark.parametrize("dialect", Dialect)
def test_a_dialect_has_its_parser(dialect):
    policy = parse(dialect, FILES[dialect].encode())
    assert policy.dialect is dialect
    assert list(policy.people) == ["alice"]
    for other in set(Dialect) - {dialect}:
        with pytest.raises(PolicyError):
            parse(dialect, FILES[other].encode())


def test_every_dialect_has_a_file():
    assert set(POLICY_FILES.values()) == set(Dialect)
    assert POLICY_FILES[b".gitverify.yaml"] is Dialect.NATIVE
    assert POLICY_FILES[b".guix-authorizations"] is Dialect.GUIX
    assert {name for name, dialect in POLICY_FILES.items() if dialect is Dialect.OPENSSH} == {
        b".allowed_signers",
        b".gitsigners",
    }


def test_a_dialect_loads_what_it_needs():
    code = (
        "import sys; from gitverify.policies.dialects import POLICY_FILES;"
        "print([name for name in ('cryptography', 'yaml', 'gitverify.policies.guix') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout == b"[]\n"
