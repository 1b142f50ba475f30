"""Every gitverify command line in the documentation is one that click takes, and every setting is one that is read."""

import ast
import re
from pathlib import Path

import click
import pytest
from commandlines import Unparsable, commands, in_blocks, inline, parse

from gitverify.cli.main import cli
from gitverify.settings import KEYS

ROOT = Path(__file__).parent.parent
# Variables of the forges' jobs, which stand for what the forge's settings hold.
OF_JOBS = ROOT / "forge"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_command_lines_parse(name):
    page = (ROOT / name).read_text()
    for line in in_blocks(page):
        for words in commands(line):
            parse(words, whole=True)
    for line in inline(page):
        for words in commands(line):
            parse(words, whole=False)


def test_they_are_found():
    found = [words for name in PAGES for line in in_blocks((ROOT / name).read_text()) for words in commands(line)]
    assert len(found) > 20
    assert ["verify", "--keep-going"] in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gitverify verify --worktree   # and nothing else", [["verify", "--worktree"]]),
        ("git fetch && git gitverify verify origin/main || exit 1", [["verify", "origin/main"]]),
        ("report=$(gitverify verify --format json) || true", [["verify", "--format", "json"]]),
        ('sh -c "gitverify status" | less', [["status"]]),
        ("ExecStart=/usr/bin/gitverify verify", [["verify"]]),
        ("- run: git-gitverify verify > out", [["verify"]]),
        ("git config gitverify.introduction COMMIT", []),
        ("pip install gitverify", []),
        ("gitverify trust A; gitverify verify", [["trust", "A"], ["verify"]]),
    ],
)
def test_commands_in_a_line(line, expected):
    assert list(commands(line)) == expected


@pytest.mark.parametrize(
    "block",
    [
        "```console\n$ gitverify verify \\\n    --keep-going\nauthentic: gitverify status\n```\n",
        "```bash\ngitverify verify --keep-going\n```\n",
        "```yaml\n- run: gitverify verify --keep-going\n```\n",
        "Text.\n\n    gitverify verify --keep-going\n\n```\ngitverify nonsense, but no command\n```\n",
    ],
)
def test_blocks(block):
    assert [words for line in in_blocks(block) for words in commands(line)] == [["verify", "--keep-going"]]


@pytest.mark.parametrize(
    "line", ["verify --nonsense", "verify A B", "nonsense", "explain", "hook nonsense", "verify --jobs"]
)
def test_what_click_refuses_is_refused(line):
    with pytest.raises(Unparsable):
        parse(line.split(), whole=True)


@pytest.mark.parametrize("line", ["explain", "verify --contains", "verify …", "COMMAND --help", "hook install"])
def test_a_sentence_may_leave_out_what_is_needed(line):
    parse(line.split(), whole=False)


@pytest.mark.parametrize("line", ["explain --nonsense", "verify --contains-all", "status all"])
def test_a_sentence_may_not_make_up_options(line):
    with pytest.raises(Unparsable):
        parse(line.split(), whole=False)


def strings():
    """Return every string in the sources, and the variables that options read."""
    found = set()
    for path in (ROOT / "gitverify").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.fixture(scope="module")
def settings():
    """The names of git's settings that the sources have: in full, or as one word with capitals in it."""
    full = {text.removeprefix("gitverify.") for text in strings() if text.startswith("gitverify.")}
    return {text.lower() for text in full | set(filter(re.compile("[a-z]+([A-Z][a-z]+)+").fullmatch, strings()))} | set(
        KEYS
    )


def named_settings(page):
    named = re.findall(r"git (?:-C \S+ )?config (?:--\S+ )*'?gitverify\.([A-Za-z]+)", page)
    named += re.findall(r"`gitverify\.([A-Za-z]+)`", page)
    return {key.lower() for key in named}


@pytest.mark.parametrize("name", PAGES)
def test_settings_exist(name, settings):
    assert not named_settings((ROOT / name).read_text()) - settings - {"branch", "url", "input"}


def test_settings_are_found():
    text = "`git config --global gitverify.maxAge 3d`, `gitverify.nonsense`, git -C x config gitverify.url:U.signer K"
    assert named_settings(text) == {"maxage", "nonsense", "url"}


@pytest.mark.parametrize("name", PAGES)
def test_environment_variables_exist(name):
    read = {option.envvar for option in options(cli)} | {text for text in strings() if text.startswith("GITVERIFY_")}
    jobs = "".join(path.read_text() for path in [ROOT / "action.yml", *OF_JOBS.rglob("*")] if path.is_file())
    read |= set(re.findall(r"\bGITVERIFY_[A-Z_]+", jobs)) | {"GITVERIFY_COMPLETE"}
    assert not set(re.findall(r"\bGITVERIFY_[A-Z]+(?:_[A-Z]+)*", (ROOT / name).read_text())) - read


def options(command):
    """Yield every parameter of a command and of those below it."""
    yield from command.params
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from options(command.get_command(context, name))
