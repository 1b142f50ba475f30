"""The man pages: every command and option has its place, and roff reads text as text."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from test_docs import documented_codes

from gitverify.cli.main import COMMANDS, INTERNAL_ERROR, INTERRUPTED, USAGE
from gitverify.report.model import EXIT_STATUS
from manual import man, roff, tree

ROOT = Path(__file__).parent.parent


def commands():
    """Return every command by its words, found in another way than the pages are: by the modules they live in."""
    found = {(): None}
    waiting = [((name,), import_module(f"gitverify.cli.{name.replace('-', '_')}").command) for name in COMMANDS]
    while waiting:
        words, command = waiting.pop()
        found[words] = command
        if isinstance(command, click.Group):
            context = click.Context(command)
            below = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
            waiting += [((*words, name), inner) for name, inner in below]
    return {words: command for words, command in found.items() if command is None or not command.hidden}


@pytest.fixture(scope="module")
def pages():
    return man.pages()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What ``make man`` runs."""
    directory = tmp_path_factory.mktemp("man")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "86400"}
    done = subprocess.run(
        [sys.executable, "-m", "manual.man", directory],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    return directory


def test_every_command_has_a_page(pages):
    expected = {"man1/" + "-".join(("gitverify", *words)) + ".1" for words in commands()}
    assert set(pages) == expected | {"man7/gitverify-reasons.7"}


def test_every_option_is_on_its_page(pages):
    for words, command in commands().items():
        text = pages["man1/" + "-".join(("gitverify", *words)) + ".1"]
        named = [
            name
            for option in getattr(command, "params", [])
            if isinstance(option, click.Option) and not option.hidden
            for name in option.opts
        ]
        assert not [name for name in [*named, "--help"] if roff.escaped(name) not in text]


def test_every_page_is_pointed_to(pages):
    """From that of the command above it, in the end from gitverify(1)."""
    for words in commands():
        if words:
            above = pages["man1/" + "-".join(("gitverify", *words[:-1])) + ".1"]
            assert roff.bold("-".join(("gitverify", *words))) + "(1)" in above


def test_exit_statuses_are_those_of_the_readme(pages):
    statuses = re.findall(r"^\\fB([0-9]+)\\fP$", pages["man1/gitverify.1"], re.MULTILINE)
    assert [int(number) for number in statuses] == sorted({*EXIT_STATUS.values(), INTERNAL_ERROR, INTERRUPTED, USAGE})


def test_every_code_is_on_the_page_of_reasons(pages):
    page = pages["man7/gitverify-reasons.7"]
    assert not [code for code in documented_codes() if f".TP\n{roff.bold(code)}\n" not in page]
    assert "](" not in page
    assert "*authentic*" not in page


def test_the_script_writes_the_pages(written, pages):
    files = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert files == set(pages)
    assert '"1970\\-01\\-02"' in (written / "man1/gitverify.1").read_text()


def test_the_same_twice(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert man.pages() == man.pages()


def rendered(path, *options):
    environment = {**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "GROFF_NO_SGR": "1"}
    return subprocess.run(
        ["man", "-P", "cat", "-E", "UTF-8", *options, "-l", *path],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


needs_man = pytest.mark.skipif(
    shutil.which("man") is None or shutil.which("groff") is None, reason="man and groff are not installed"
)


@needs_man
def test_roff_has_no_complaint(written):
    done = rendered(sorted(written.rglob("*.[17]")), "--warnings")
    assert not done.stderr
    assert "gitverify verify --worktree   " in done.stdout


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_has_no_complaint(written):
    pages = sorted(written.rglob("*.[17]"))
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *pages], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


HOSTILE = [".so /etc/passwd", "'br", r"\fB\n(.z", "--force ~ ^ ` ' \"", "…“”", "a\n.TH X 1\nb"]


@needs_man
@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text, tmp_path):
    page = tmp_path / "page.1"
    page.write_text("\n".join([roff.title("page", 1, "", "", ""), ".SH A", ".nf", roff.escaped(text), ""]))
    done = rendered([page], "--warnings")
    assert not done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert [line for line in text.splitlines() if line not in lines] == []


def test_examples_keep_their_lines():
    lines = roff.paragraphs("One\n    two.\n\n    \b\n    first:\n      a   b\n")
    assert lines == [".PP", "One two.", ".PP", ".nf", "first:\n  a   b", ".fi"]


def test_a_hidden_command_has_no_page():
    group = click.Group("g", {"seen": click.Command("seen"), "hidden": click.Command("hidden", hidden=True)})
    assert [name for name, _ in tree.children(click.Context(group))] == ["seen"]
