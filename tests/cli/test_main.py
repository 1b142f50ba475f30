"""What escapes a command becomes an exit status and one sentence."""

import sys
from importlib import import_module

import click
import pytest

from gitverify.cli.main import main


def ended(monkeypatch, error):
    """Run ``gitverify verify`` where the command raises this; return the exit status."""

    def fail(**_):
        raise error

    monkeypatch.delenv("GITVERIFY_DEBUG", raising=False)
    monkeypatch.setattr(sys, "argv", ["gitverify", "verify"])
    monkeypatch.setattr(import_module("gitverify.cli.verify").command, "callback", fail)
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption(monkeypatch, capsys, error):
    assert ended(monkeypatch, error) == 130
    assert "interrupted; no mark was moved" in capsys.readouterr().err


@pytest.mark.parametrize("error", [EOFError("of a pipe"), RuntimeError("of ours"), MemoryError()])
def test_a_bug_is_no_interruption(monkeypatch, capsys, error):
    """Click takes an EOFError for somebody who has typed the end of his input."""
    assert ended(monkeypatch, error) == 70
    said = capsys.readouterr().err
    assert f"internal error: {type(error).__name__}: {error}" in said
    assert "no mark was moved" in said


def test_a_bug_is_shown_whole_if_asked_for(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gitverify", "verify"])

    def fail(**_):
        raise EOFError("of a pipe")

    monkeypatch.setattr(import_module("gitverify.cli.verify").command, "callback", fail)
    monkeypatch.setenv("GITVERIFY_DEBUG", "1")
    with pytest.raises(EOFError, match="of a pipe"):
        main()


@pytest.mark.parametrize(("error", "status"), [(click.UsageError("no"), 2), (BrokenPipeError(), 0)])
def test_what_is_no_bug(monkeypatch, error, status):
    assert ended(monkeypatch, error) == status
