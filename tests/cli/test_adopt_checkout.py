"""``gitverify adopt`` and the files that are checked out; git is kept to itself."""

import pytest
from cli.forge import parents

from fixtures.lib.keys import ALICE


@pytest.fixture
def parted(fix):
    """The target went on, so the branch's files will change."""
    fix.git("switch", "-q", "main")
    fix.commit("Meanwhile", {"new": "new\n"}, sign=True)
    fix.git("push", "-q")
    fix.git("switch", "-q", "fix")
    return fix


def test_changes_in_the_way(parted):
    (parted.clone / "new").write_text("mine\n")
    tip = parted.head()
    done = parted.run("adopt", "--yes")
    assert done.status == 2
    assert "new" in done.error
    assert (parted.clone / "new").read_text() == "mine\n"
    parted.git("add", "new")
    assert parted.run("adopt", "--yes").status == 2
    assert parted.head() == tip
    parted.git("rm", "-q", "--cached", "new")
    (parted.clone / "new").unlink()
    assert parted.run("adopt", "--yes").status == 0
    assert (parted.clone / "new").read_text() == "new\n"


def test_changes_elsewhere_stay(parted):
    (parted.clone / "pkgs/a").write_text("in the works\n")
    (parted.clone / "untracked").write_text("u\n")
    (parted.clone / "README").touch()  # no change, but git has to look
    assert parted.run("adopt", "--yes").status == 0
    assert parted.git("status", "--short").split("\n") == ["M pkgs/a", "?? untracked"]


def test_operations_under_way(parted):
    for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        (parted.clone / ".git" / name).write_text(parted.introduction + "\n")
        done = parted.run("adopt", "--yes")
        assert done.status == 2
        assert "is under way here" in done.error
        (parted.clone / ".git" / name).unlink()
    rebase = parted.clone / ".git/rebase-merge"
    rebase.mkdir()
    (rebase / "head-name").write_text("refs/heads/fix\n")
    assert "is being rebased" in parted.run("adopt", "--yes").error
    (rebase / "head-name").write_text("refs/heads/other\n")
    assert parted.run("adopt", "--yes").status == 0


def test_checked_out_in_another_worktree(parted):
    parted.git("switch", "-q", "main")
    other = parted.place / "other"
    parted.git("worktree", "add", "-q", str(other), "fix")
    done = parted.run("adopt", "fix", "--yes")
    assert done.status == 2
    assert f"fix is checked out in {other}" in done.error
    parted.git("worktree", "remove", str(other))
    assert parted.run("adopt", "fix", "--yes").status == 0


def test_in_a_linked_worktree(parted):
    parted.git("switch", "-q", "main")
    other = parted.place / "other"
    parted.git("worktree", "add", "-q", str(other), "fix")
    parted.clone = other
    assert parted.run("adopt", "--yes").status == 0
    assert (other / "new").read_text() == "new\n"
    assert not parted.git("status", "--short")


def test_a_bare_repository(parted):
    parted.sign_with(ALICE)
    settings = parted.git("config", "--get-regexp", "^(user|gpg)[.]").splitlines()
    parted.git("push", "-q", "origin", "fix")
    parted.clone = parted.server
    parted.set(**dict(line.split(" ", 1) for line in settings))
    done = parted.run("adopt", "fix", "--yes", "--onto", "main", "--introduction", parted.introduction)
    assert done.status == 0
    assert parted.verify("fix", "--introduction", parted.introduction)["verdict"] == "authentic"


def test_a_branch_that_moves_meanwhile(parted, monkeypatch):
    """While somebody looks at what would be signed, another process commits."""
    elsewhere = parted.head("main")

    def agreed(plan):
        parted.git("update-ref", "refs/heads/fix", elsewhere)
        return True

    monkeypatch.setattr("gitverify.cli.adopt._agreed", agreed)
    done = parted.run("adopt", answer="")
    assert done.status == 2
    assert "fix has moved meanwhile, so it was left alone" in done.error
    assert parted.head("fix") == elsewhere


def test_files_that_change_meanwhile(parted, monkeypatch):
    tip = parted.head()

    def agreed(plan):
        (parted.clone / "new").write_text("mine\n")
        return True

    monkeypatch.setattr("gitverify.cli.adopt._agreed", agreed)
    done = parted.run("adopt", answer="")
    assert done.status == 2
    assert "so the branch was left alone" in done.error
    assert parted.head() == tip
    assert (parted.clone / "new").read_text() == "mine\n"
    assert parted.git("status", "--short") == "?? new"


def test_no_hook_runs_and_the_environment_leads_nowhere(parted):
    trace = parted.place / "ran"
    hooks = parted.clone / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-index-change", "post-checkout", "pre-commit", "commit-msg"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {trace}\n")
        (hooks / name).chmod(0o755)
    nowhere = dict.fromkeys(("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"), "/nonexistent")
    assert parted.run("adopt", "--yes", env=nowhere).status == 0
    assert not trace.exists()
    assert not parted.git("status", "--short")


def test_replaced_objects_do_not_count(parted):
    """What git shows in a commit's place is not what is merged."""
    evil = parted.git("commit-tree", "-m", "evil", f"{parted.introduction}^{{tree}}")
    parted.git("replace", parted.head(), evil)
    assert parted.run("adopt", "--yes").status == 0
    assert parents(parted)[1] == parted.ids["Fix more"]
    assert parted.git("--no-replace-objects", "show", "HEAD:pkgs/a") == "better"


def test_without_git(fix):
    done = fix.run("adopt", "--yes", env={"PATH": str(fix.place)})
    assert done.status == 2
    assert "git can't be run" in done.error
