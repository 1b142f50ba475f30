"""Every gitverify command line in the documentation is one that click takes."""

from pathlib import Path

import pytest
from commandlines import Unparsable, commands, in_blocks, inline, parse

ROOT = Path(__file__).parent.parent
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
