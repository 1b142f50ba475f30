"""The progress line: on a terminal only, with rate and remaining time, and gone at the end."""

import io
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from cli.scene import ALICE
from gitrepo import ENVIRONMENT

from gitverify.cli import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_rate_share_and_remaining_time(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = progress.Progress()
    shown.span(oldest=1000, newest=2000)
    shown.examined(100, 1900)
    assert terminal.getvalue() == ""  # nothing for what takes but a moment
    clock.now += 2
    shown.examined(100, 1800)
    assert "200 commits, 100/s" in terminal.getvalue()
    assert "20%, about 8 s left" in terminal.getvalue()
    length = len(terminal.getvalue())
    shown.examined(1, 1700)
    assert len(terminal.getvalue()) == length  # redrawn now and then
    shown.end()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_is_decided(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = progress.Progress()
    clock.now += 3
    shown.judged(0, 4000)
    assert terminal.getvalue() == ""  # nobody knows yet how long it takes
    clock.now += 2
    shown.judged(1000, 4000)
    assert terminal.getvalue().endswith("judging: 1,000 of 4,000 commits,  25%, about 6 s left")
    length = len(terminal.getvalue())
    shown.judged(1256, 4000)
    assert len(terminal.getvalue()) == length  # redrawn now and then
    shown.judged(0, 10)  # once more, from the beginning
    clock.now += 1
    shown.judged(5, 10)
    assert terminal.getvalue().endswith(" 50%, about 1 s left")


def test_what_is_written(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = progress.Progress()
    shown.exported(2_000_000)
    assert terminal.getvalue() == ""
    clock.now += 2
    shown.exported(1_200_000)
    assert terminal.getvalue().endswith("writing: 2 files, 3 MB")


def test_what_git_says_while_it_fetches(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = progress.Progress()
    shown.said("too early")
    clock.now += 1
    shown.said("Receiving objects:  10% " + "x" * 200)
    assert "too early" not in terminal.getvalue()
    assert "fetching: Receiving objects:  10% xxx" in terminal.getvalue()
    assert len(terminal.getvalue()) < 150


def test_without_a_span_there_is_no_guess(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    shown = progress.Progress()
    clock.now += 2
    shown.examined(10, 5)
    assert "10 commits, 5/s" in terminal.getvalue()
    assert "left" not in terminal.getvalue()


def test_silent_where_nobody_watches(monkeypatch, clock):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    shown = progress.Progress()
    clock.now += 2
    shown.examined(10, 5)
    shown.end()
    assert stream.getvalue() == ""


def test_on_a_real_terminal_the_report_stays_alone_on_stdout(scene):
    """Stderr is a terminal and stdout is not: what is seen is the line, and what a script reads is the report."""
    for number in range(40):
        scene.history.commit(f"c{number}", {"n": str(number)}, sign=ALICE)
    ours, theirs = os.openpty()
    program = (
        "import gitverify.cli.progress as p; p.DELAY = p.INTERVAL = 0; from gitverify.cli.main import main; main()"
    )
    arguments = ["verify", "--introduction", scene.ids["introduction"], "--repo", str(scene.path), "--no-state"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=theirs, check=True, env=ENVIRONMENT
    )
    os.close(theirs)
    seen = os.read(ours, 1 << 20).decode()
    os.close(ours)
    assert "verifying: 42 commits" in seen
    assert re.search(r"\[#+\.*\] +[0-9]+%, about 0 s left", seen)
    assert seen.endswith("\r\x1b[K")
    assert done.stdout.startswith(b"authentic: ")
    assert b"\x1b" not in done.stdout


def test_both_names_are_installed():
    scripts = {e.name: e.value for e in entry_points(group="console_scripts") if "gitverify" in e.name}
    assert scripts == dict.fromkeys(("gitverify", "git-gitverify"), "gitverify.__main__:main")
