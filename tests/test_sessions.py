"""The commands of the documentation's pages work, and print what the pages show."""

import os
import re
import subprocess
from pathlib import Path

import program
import pytest
from test_docs import documented_codes

from manual import tutorial
from manual.sessions import Disagreement, Done, Step, run, steps

ROOT = Path(__file__).parent.parent

# A project of alice's and bob's on a server, and a clone of alice's. Who signs is who git is told to be.
SCENE = r"""
set -e
git config --global init.defaultBranch main
git config --global gpg.format ssh
git config --global commit.gpgSign true
for who in alice alice-backup alice-new bob carol; do ssh-keygen -q -t ed25519 -N '' -C $who -f ~/$who; done
cat > bin/as <<'END'
#!/bin/bash
git config --global user.name "${1^} Example"; git config --global user.email "$1@example.org"
git config --global user.signingKey ~/"${2-$1}.pub"
END
chmod +x bin/as; export PATH="$PWD/bin:$PATH"
as alice
git init -q --bare server.git
git clone -q server.git project 2> /dev/null
cd project
echo one > README; git add README; git commit -q -m 'Begin'
gitverify init --person alice --trust > ~/introduction
git push -q origin main
"""


class Place:
    """A home of its own, with gitverify, git and ssh-keygen on PATH."""

    def __init__(self, root):
        self.root = root
        self.environment = {
            "PATH": os.pathsep.join([str(program.install(root / "bin")), os.environ["PATH"]]),
            "HOME": str(root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def sh(self, script, where="."):
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.root / where,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def run(self, text, where="."):
        return run(steps(text), self.environment, self.root / where)


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.sh(SCENE)
    return place


def page(name, title=None):
    text = (ROOT / "docs" / name).read_text()
    if title is None:
        return text
    rank = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}$(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


# --- the runner ---------------------------------------------------------------------------------------------------


def test_sessions_are_read():
    text = "```console\n$ one \\\n    --two\nout\n\n$ three <<E\n> four\n> E\n```\n```\n$ not one\n```\n"
    assert steps(text) == [Step("one \\\n    --two", ("out",)), Step("three <<E\nfour\nE")]


def test_a_session_is_run(tmp_path):
    seen = []
    text = "$ cd / && x=1\n$ pwd; printf $x\n/\n$ cat\n$ false  # refused: …\n$ echo a bc 2026-01-02\na … 1999-12-31\n"
    done = run(steps(f"```console\n{text}```\n"), os.environ, tmp_path, seen.append)
    assert [step.status for step in done] == [0, 0, 0, 1, 0]
    assert done[1].output == ["/", "1"]
    assert [step.seconds for step in done] == sorted(step.seconds for step in done)
    assert seen[:3] == ["$ cd / && x=1", "$ pwd; printf $x", "  /"]


@pytest.mark.parametrize(
    "wrong",
    [
        "$ false",
        "$ true  # refused",
        "$ echo a\nb",
        "$ echo a; echo b\nb\na",
        "$ echo a\nb…",
        "$ echo 2026-01-02\n2026-1-2",
    ],
)
def test_what_a_page_has_wrong_is_seen(wrong, tmp_path):
    with pytest.raises(Disagreement):
        run(steps(f"```console\n{wrong}\n$ touch later\n```\n"), os.environ, tmp_path)


def test_a_command_that_goes_wrong_ends_the_session(tmp_path):
    with pytest.raises(Disagreement, match="exit status 1"):
        run(steps("```console\n$ false\n$ touch later\n```\n"), os.environ, tmp_path)
    assert not list(tmp_path.iterdir())


# --- users --------------------------------------------------------------------------------------------------------


def test_users(place):
    place.sh("gitverify policy add-key bob ~/bob.pub 2>/dev/null || true; git clone -q server.git clone")
    text = page("users.md")
    introduction, key = place.sh("sed -n 's/^  gitverify trust //p' introduction").split(" --signer ")
    example = re.search(r"gitverify trust ([0-9a-f]{40}) --signer (SHA256:\S+)", text)
    text = text.replace(example[1], introduction).replace(example[2], key)
    place.run(text, "clone")


def test_marks_can_be_taken_along(place):
    """To another machine: they hold for a clone of the same URL. Without them, an older state passes."""
    trust = place.sh("sed -n 's/^  \\(gitverify trust\\)/\\1/p' introduction")
    place.sh("git commit -q --allow-empty -m News && git push -q && gitverify verify", "project")
    place.sh("cp -a ~/.local/state/gitverify taken && git -C server.git update-ref refs/heads/main main~1")
    place.sh(f"git clone -q server.git other && cd other && {trust} --state ~/fresh")
    assert place.sh("gitverify verify --state ~/fresh", "other").startswith("authentic")
    assert "  behind (R23)" in place.sh("! gitverify verify --state ~/taken", "other")


# What the gate alone answers, which users do not ask.
OF_THE_GATE = {"route-undecided"}


def test_users_find_every_code():
    rows = re.findall(r"^\| (`.*?) \|", page("users.md", "## When it says no"), re.MULTILINE)
    named = [code for row in rows for code in re.findall("`([^`]+)`", row)]
    assert len(named) == len(set(named))
    assert set(named) == set(documented_codes()) - OF_THE_GATE


# --- maintainers --------------------------------------------------------------------------------------------------

LIST_BOB = """
gitverify policy add-key bob ~/bob.pub --new-person; gitverify policy grant bob /; git commit -q -a -m 'Bob works here'
as bob; echo bob > bob; git add bob; git commit -q -m 'Bob was here'; as alice
git push -q
"""
SQUASHED = """
git clone -q ~/server.git ~/other; cd ~/other
echo more >> README; git commit -q --no-gpg-sign -a -m 'Fix it (#12)'; git push -q
cd ~/project; git fetch -q
"""
ALLOW = "echo 'adopting_merges: true' >> .gitverify.yaml; git commit -q -a -m 'Allow adopting merges'; git push -q"
BRANCH = """
git switch -q -c fix; echo more >> README; git commit -q --no-gpg-sign -a -m 'Fix'; git push -q origin fix
git switch -q main; git fetch -q
"""

# What there is before the sessions of a section.
BEFORE = {
    "## Adding somebody": "",
    "## Removing somebody": LIST_BOB,
    "## Changing a key": "",
    "## A lost key": "gitverify policy add-key alice ~/alice-backup.pub --commit; git push -q",
    "## A leaked key": LIST_BOB,
    "## Somebody merged an unsigned commit": ALLOW + SQUASHED,
    "## A project that squashes": BRANCH,
    "## Handing the project over": "",
    "## A new introduction: the last resort": "echo bad >> README; git commit -q -a -m Bad",
}


@pytest.mark.parametrize("title", BEFORE)
def test_maintainers(title, place):
    place.sh("set -e\n" + BEFORE[title], "project")
    text = page("maintainers.md", title)
    if title == "## Somebody merged an unsigned commit":
        text, _ = text.split("[adopting.md]")
    place.run(text, "project")
    if title != "## A new introduction: the last resort":
        assert place.sh("gitverify verify --no-state origin/main", "project").startswith("authentic")


def test_maintainers_without_adopting_merges(place):
    place.sh("set -e\n" + SQUASHED + "git merge -q --ff-only", "project")
    _, text = page("maintainers.md", "## Somebody merged an unsigned commit").split("[adopting.md]")
    place.run(text, "project")
    assert place.sh("git fetch -q && git rev-parse main", "project") == place.sh("git -C ~/server.git rev-parse main")


def test_a_leaked_key(place):
    """What the page says of the thief, the mark, newcomers, and --contains."""
    place.sh(f"set -e\n{LIST_BOB}", "project")
    trust = place.sh("sed -n 's/^  \\(gitverify trust\\)/\\1/p' introduction")
    place.sh(f"git clone -q server.git user && cd user && {trust} && gitverify verify")
    place.sh("git clone -q server.git thief && cd thief && as bob && echo evil > bob && git commit -q -a -m Evil")
    place.sh("as alice && gitverify policy remove-key bob ~/bob.pub --commit && git push -q", "project")
    drop = place.sh("git rev-parse HEAD", "project")
    newer = f"gitverify trust {drop} --signer $(ssh-keygen -lf ~/alice.pub | cut -d ' ' -f 2)"

    place.sh(f"git fetch -q && gitverify verify origin/main --contains {drop}", "user")
    place.sh("git push -q --force origin HEAD:main", "thief")
    assert "  rollback (R23)" in place.sh("git fetch -q; ! gitverify verify origin/main", "user")
    place.environment["GITVERIFY_STATE"] = str(place.root / "nothing-remembered")
    place.sh(f"git clone -q server.git newcomer && cd newcomer && {trust} && git fetch -q ~/project main")
    assert "  not-contained (R23b)" in place.sh(
        f"git fetch -q ~/project main; ! gitverify verify --contains {drop}", "newcomer"
    )
    assert place.sh("gitverify verify", "newcomer").startswith("authentic")
    assert "  not-descendant (R2)" in place.sh(f"{newer} --force > /dev/null; ! gitverify verify", "newcomer")


def test_a_forced_push_mends_nothing(place):
    """Nor is it needed: what was accepted is missed, even where it is taken away to mend something."""
    place.sh("gitverify verify && git commit -q --allow-empty -m Good && git push -q && gitverify verify", "project")
    forced = "git reset -q --hard HEAD~1 && git push -q --force && git fetch -q && ! gitverify verify origin/main"
    assert "  behind (R23)" in place.sh(forced, "project")


def test_every_session_for_maintainers_is_run():
    everywhere = len(steps(page("maintainers.md")))
    assert everywhere == sum(len(steps(page("maintainers.md", title))) for title in BEFORE)


# --- the tutorial -------------------------------------------------------------------------------------------------


def test_tutorial(tmp_path):
    """All of it but pip, which takes the network: gitverify is on PATH already."""
    place = Place(tmp_path)
    install, rest = page("tutorial.md", "## 1. Install"), page("tutorial.md").partition("\n## 2. ")[2]
    assert "pip install" in install
    assert "pip install" not in rest
    done = place.run(rest)
    assert len([each for each in done if each.step.refused]) >= 5


def test_the_tutorials_script_takes_the_time(tmp_path, monkeypatch, capsys):
    short = tmp_path / "short.md"
    short.write_text(
        "```console\n$ pwd\n$ ls; : pip install\ngitverify\n$ echo $HOME; false  # refused\n/home\n$ true\n```\n"
    )
    monkeypatch.setattr(tutorial, "PAGE", short)
    monkeypatch.setenv("HOME", "/home")
    monkeypatch.setenv("GITVERIFY_FORMAT", "json")
    assert tutorial.main() == 1
    assert "this is not printed (there): /home" in capsys.readouterr().err
    short.write_text(short.read_text().replace("\n/home\n", "\n…gitverify-tutorial-…\n"))
    assert tutorial.main() == 0
    assert "all 4 commands" in capsys.readouterr().out.splitlines()[-1]


def test_what_the_tutorial_takes():
    ended = [
        Done(Step(name), seconds=at) for at, name in enumerate(["cd", "pip install", "false # refused", "ls", "pwd"])
    ]
    assert tutorial.times(ended) == (2, 4)
