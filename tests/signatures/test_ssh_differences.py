"""The table of differences to ssh-keygen: every row is true of both programs, and the page says what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest
import ssh_differences
from ssh_differences import PAYLOAD, SIGNATURES, SIGNERS
from sshkeygen import accepts, git_accepts

from fixtures.lib.sshwriter import sshsig
from gitverify.errors import PolicyError
from gitverify.policies.openssh import parse
from gitverify.signatures.result import SignatureRefused
from gitverify.signatures.sshsig import ssh_signer

PAGE = Path(__file__).parents[2] / "docs" / "ssh-differences.md"


@pytest.mark.parametrize("row", SIGNATURES, ids=lambda row: row.what)
def test_ssh_keygen_accepts_the_signature_and_gitverify_does_not(row, tmp_path):
    text = row.text()
    assert accepts(text, PAYLOAD, tmp_path)
    with pytest.raises(SignatureRefused) as refused:
        ssh_signer(text, PAYLOAD)
    assert refused.value.code == row.code


WINTER = 1_577_836_800  # 2020-01-01 00:00:00 UTC


def gitverify_accepts(row, date):
    """Whether the policy lets the row's key sign for git at the date; ``"refused"`` for no policy."""
    try:
        policy = parse(row.file(row.key))
    except PolicyError:
        return "refused"
    return any(spec.for_git and (spec.valid_after or 0) <= date for _, spec in policy.by_key.get(row.key.id, ()))


OURS = {"the file is refused": "refused", "the line lists nobody": False, "the key may sign": True, "as UTC": True}


@pytest.mark.parametrize("row", SIGNERS, ids=lambda row: row.what)
def test_git_and_gitverify_read_the_file_differently(row, tmp_path):
    text = sshsig(row.key, PAYLOAD)
    file = row.file(row.key)
    utc, eastern = (git_accepts(file, text, PAYLOAD, tmp_path, date=WINTER, zone=zone) for zone in ("UTC", "EST5"))
    if row.git == "by the reader's time zone":
        assert (utc, eastern) == (True, False)
    else:
        assert utc == eastern == (row.git != "the key may not sign")
    assert gitverify_accepts(row, WINTER) == OURS[row.gitverify]


def test_the_page_is_the_table():
    assert PAGE.read_text() == ssh_differences.render()
