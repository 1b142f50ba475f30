"""What escapes a command becomes an exit status and one sentence."""

import os
import subprocess
import sys
from importlib import import_module

import click
import pytest
from gitrepo import ENVIRONMENT

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


# --- leaving the process -----------------------------------------------------------------------------------------


def python(*arguments, **kwargs):
    return subprocess.run(
        [sys.executable, *arguments], **{"capture_output": True, "text": True, **kwargs}, check=False, env=ENVIRONMENT
    )


@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["--nonsense"], 2), (["verify", "-h"], 0)])
def test_the_program_ends_as_the_command_line_says(arguments, status, tmp_path):
    done = python("-m", "gitverify", *arguments)
    assert done.returncode == status
    assert "gitverify" in done.stdout + done.stderr
    with (tmp_path / "output").open("w") as file:
        python("-m", "gitverify", *arguments, stdout=file, capture_output=False)
    assert (tmp_path / "output").read_text() == done.stdout


def test_the_program_ends_at_once_but_what_waits_for_the_end_is_called():
    program = "import atexit, gitverify.__main__ as m; atexit.register(print, 'end'); m.main(); print('more')"
    done = python("-c", program, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nend\n")


def test_as_a_part_of_something_else_it_does_not_end_the_process():
    program = "import runpy\ntry: runpy.run_module('gitverify', run_name='__main__')\nfinally: print('more')"
    done = python("-c", program, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nmore\n")


@pytest.mark.parametrize(("tip", "status"), [("second", 0), ("unsigned", 1)])
def test_a_reader_that_has_gone_changes_no_verdict(scene, tip, status):
    scene.history.commit("unsigned", {"x": "y"})
    reader, writer = os.pipe()
    os.close(reader)
    command = ["-m", "gitverify", "verify", "--introduction", scene.ids["introduction"], "--repo", str(scene.path)]
    done = python(*command, "--no-state", scene.ids[tip], stdout=writer, stderr=subprocess.PIPE, capture_output=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (status, "")


def test_a_bug_is_shown_whole_by_the_program_too():
    program = "import gitverify.cli.main as m, gitverify.__main__ as p; m.cli.main = lambda **_: 1 / 0; p.main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**ENVIRONMENT, "GITVERIFY_DEBUG": "1"},
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
