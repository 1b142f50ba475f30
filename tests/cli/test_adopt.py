"""``gitverify adopt``: somebody's unsigned branch, and the forge's merge button then does."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from cli.forge import FIX, MALLORY, OPTIONS, Forge, parents

from fixtures.lib.keys import ALICE

ROOT = Path(__file__).parents[2]


def test_adopted_then_merged_by_the_forge(fix):
    tip, base = fix.head(), fix.head("origin/main")
    done = fix.run("adopt", "--yes")
    assert done.status == 0
    assert parents(fix) == [base, tip]
    assert fix.git("rev-parse", "HEAD^{tree}") == fix.git("rev-parse", f"{tip}^{{tree}}")
    assert not fix.git("status", "--short")
    fix.git("push", "-q", "origin", "fix")  # not forced
    fix.merge_button("fix")
    report = fix.verify("origin/main")
    assert report["verdict"] == "authentic"
    text = fix.run("explain", "origin/main").stdout
    assert "authentic by rule R19, and nobody has to vouch for it" in text


def test_the_same_without_adopting_is_refused(fix):
    fix.merge_button("fix")
    assert fix.verify("origin/main", "--no-state")["reason"] == "unsigned"


def test_what_is_shown_before_it_is_signed(fix):
    base = fix.head("origin/main")
    done = fix.run("adopt", answer="y\n")
    assert done.status == 0
    shown, _, after = done.stdout.partition("Sign it, and vouch for these commits?")
    for part in (
        f"adopt      fix: {fix.ids['Fix more'][:12]} “Fix more”\n",
        f"onto       origin/main: {base[:12]} “introduction”, authentic\n",
        "vouch for  2 commits that are not authentic:\n",
        f"{fix.ids['Fix it'][:12]} “Fix it”, Mallory Example <mallory@example.org>, ",
        ": unsigned\n",
        "2  Mallory Example <mallory@example.org>\n",
        "changes    3 paths, +3 \N{MINUS SIGN}2 lines",
        "./: alice\n             modified  README  +1 \N{MINUS SIGN}1\n",
        "open/: anyone, unprotected\n",
        "pkgs/: alice, bob\n",
        f"all of it: git diff {base[:12]} {fix.git('rev-parse', 'HEAD^{tree}')[:12]}\n",
        f"signer     alice, key {ALICE.id}\n",
    ):
        assert part in shown
    assert "policy  " not in shown
    assert f"adopted    fix is now at {fix.head()}, which is authentic (R20)\n" in after
    assert "next       git push origin fix\n" in after
    assert "neither squashed nor rebased" in after
    assert "or         git push origin fix:main\n" in after


def test_many_commits_are_cut_and_counted(forge):
    forge.branch("fix")
    for at in range(25):
        forge.commit(f"Fix {at}", {f"pkgs/{at}": "\n"}, author=(f"Person {at % 14}", "p@example.org"))
    done = forge.run("adopt", "--yes")
    assert done.status == 0
    assert "vouch for  25 commits that are not authentic:\n" in done.stdout
    assert "           and 5 more commits\n" in done.stdout
    assert "authors    14, by the commits' own account:\n" in done.stdout
    assert "           and 2 more authors\n" in done.stdout


def test_the_message_says_what_it_is(fix):
    tip, base = fix.head(), fix.head("origin/main")
    fix.run("adopt", "--yes")
    message = fix.git("show", "-s", "--format=%B")
    assert message.startswith("Adopt fix onto origin/main\n\nThe 2 commits up to")
    assert tip in message
    assert base in message


def test_no_is_an_answer(fix):
    tip = fix.head()
    done = fix.run("adopt", answer="n\n")
    assert done.status == 130
    assert "nothing was signed" in done.stdout
    assert fix.head() == tip


def test_nobody_there_to_be_asked(fix):
    done = fix.run("adopt")
    assert done.status == 2
    assert "--yes" in done.error
    assert not done.stdout


def test_hidden_characters_are_escaped(forge):
    forge.branch("fix")
    forge.commit("odd \x1b[2J\u202e", {"pkgs/\x1b[31m\u202ex": "x\n"}, author=("M\u202e", "m@example.org"))
    done = forge.run("adopt", "--yes")
    assert done.status == 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "odd \\x1b[2J\\u202e" in done.stdout
    assert "\\x1b[31m\\u202ex" in done.stdout
    assert "M\\u202e <m@example.org>" in done.stdout


def test_above_a_mark(fix):
    """What an earlier run accepted is built on; the branch parted before it."""
    fix.git("switch", "-q", "main")
    fix.commit("Meanwhile", {"new": "\n"}, sign=True)
    fix.git("push", "-q")
    assert fix.verify("origin/main")["mark"]["after"] == [fix.head("origin/main")]
    fix.git("switch", "-q", "fix")
    assert fix.run("adopt", "--yes").status == 0
    fix.git("push", "-q", "origin", "fix")
    adopted = fix.head()
    fix.merge_button("fix")
    report = fix.verify("origin/main")
    assert report["verdict"] == "authentic"
    assert report["mark"]["after"] == [adopted]


def test_onto_a_target_behind_the_mark(fix):
    """The server shows an older state than before: nobody signs on top of that."""
    fix.git("switch", "-q", "main")
    fix.commit("Newer", {"new": "\n"}, sign=True)
    fix.git("push", "-q")
    fix.verify("origin/main")
    fix.git("update-ref", "refs/remotes/origin/main", fix.introduction)
    fix.git("switch", "-q", "fix")
    done = fix.run("adopt", "--yes")
    assert done.status == 1
    assert "behind (R23)" in done.stdout
    assert "itself is not authentic" not in done.stdout


def test_a_fast_forward_where_the_button_may_not_merge(tmp_path):
    forge = Forge(tmp_path, options=[option for option in OPTIONS if not option.startswith("unsigned_merges")])
    forge.branch("fix")
    forge.commit("Fix it", FIX, author=MALLORY)
    done = forge.run("adopt", "--yes")
    assert done.stdout.endswith("next       git push origin fix:main\n")
    forge.git("push", "-q", "origin", "fix:main")
    assert forge.verify("origin/main")["verdict"] == "authentic"


def test_onto_a_local_branch(fix):
    done = fix.run("adopt", "--yes", "--onto", "main")
    assert done.status == 0
    assert "git switch main && git merge --ff-only fix\n" in done.stdout
    fix.git("switch", "-q", "main")
    fix.git("merge", "-q", "--ff-only", "fix")
    assert fix.verify("main")["verdict"] == "authentic"


def test_another_branch_than_the_one_checked_out(fix):
    fix.git("switch", "-q", "main")
    assert fix.run("adopt", "fix", "--yes").status == 0
    assert parents(fix, "fix")[1] == fix.ids["Fix more"]
    assert fix.head() == fix.introduction
    assert not fix.git("status", "--short")


def test_some_of_it_is_authentic(forge):
    forge.branch("mixed")
    forge.commit("Signed", {"pkgs/s": "s\n"}, sign=True)
    forge.commit("Unsigned", {"pkgs/u": "u\n"}, author=MALLORY)
    done = forge.run("adopt", "--yes")
    assert "vouch for  1 commit that is not authentic:\n" in done.stdout
    assert "and what 1 authentic commit beside them changed\n" in done.stdout
    assert done.status == 0


def test_a_terminal_is_asked(fix):
    """In a process of its own, on a pseudo-terminal."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "gitverify", "adopt", "--repo", str(fix.clone)]
    environment = fix.environment | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
    os.close(there)
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(here, 4096)
    os.write(here, b"y\n")
    while chunk := _rest(here):
        seen += chunk
    os.close(here)
    assert process.wait() == 0, seen.decode()
    assert f"fix is now at {fix.head()}" in seen.decode()


def _rest(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_an_authentic_branch(forge):
    forge.branch("good")
    tip = forge.commit("Good", {"pkgs/a": "good\n"}, sign=True)
    done = forge.run("adopt", "--yes")
    assert (done.status, forge.head()) == (0, tip)
    assert "nothing to adopt: every commit of good is authentic" in done.stdout


def test_a_branch_that_the_target_has_already(forge):
    forge.branch("old")
    done = forge.run("adopt", "--yes")
    assert done.status == 0
    assert "nothing to adopt: old has nothing that origin/main does not have" in done.stdout


def test_twice(fix):
    fix.run("adopt", "--yes")
    tip = fix.head()
    done = fix.run("adopt", "--yes")
    assert done.status == 0
    assert "nothing to adopt" in done.stdout
    assert fix.head() == tip
