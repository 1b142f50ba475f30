"""The table of differences to ssh-keygen: every row is true of both programs, and the page says what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest
import ssh_differences
from ssh_differences import PAYLOAD, SIGNATURES
from sshkeygen import accepts

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


def test_the_page_is_the_table():
    assert PAGE.read_text() == ssh_differences.render()
