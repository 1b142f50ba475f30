"""Hooks are written where git looks for them, and no other hook is touched."""

import os
import subprocess
import sys

import pytest
from hooks.place import ROOT

NAMES = ["pre-push", "post-merge", "reference-transaction", "pre-receive", "update"]


def hooks(place, name):
    server = name in {"pre-receive", "update"}
    return (place.server if server else place.clone / ".git") / "hooks"


@pytest.mark.parametrize("name", NAMES)
def test_another_hook_is_left_alone(place, name):
    path = hooks(place, name) / name
    for content in (
        "#!/bin/sh\nexit 0\n",
        "",
        '#!/bin/sh\nexec gitverify hook x "$@"  # gitverify hook install\nrm x\n',
    ):
        path.write_text(content)
        for options in ([], ["--uninstall"]):
            done = place.install(name, *options)
            assert done.status == 2
            assert str(path) in done.error
            assert path.read_text() == content
    path.unlink()
    assert place.install(name).status == 0
    assert os.access(path, os.X_OK)


@pytest.mark.parametrize("name", NAMES)
def test_again_and_out_again(place, name):
    path = hooks(place, name) / name
    assert place.install(name).stdout.startswith(f"installed  {path}\n")
    text = path.read_text()
    assert text.count("\n") == 2
    assert sys.executable in text
    before = path.stat()
    assert place.install(name).stdout.startswith("unchanged  ")
    assert path.stat().st_ino == before.st_ino
    assert place.install(name, "--uninstall").stdout.startswith("removed  ")
    assert not path.exists()
    assert place.install(name, "--uninstall").stdout.startswith("not there  ")


def test_a_hook_of_ours_with_another_program_is_renewed(place, monkeypatch, tmp_path):
    path = hooks(place, "pre-push") / "pre-push"
    program = tmp_path / "it's here" / "gitverify"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(program)])
    assert f"runs       {program}" in place.install("pre-push").stdout
    assert """/it'"'"'s here/gitverify' hook pre-push -- "$@" """.strip() in path.read_text()
    monkeypatch.undo()
    assert place.install("pre-push").stdout.startswith("updated  ")
    assert sys.executable in path.read_text()
    path.chmod(0o644)
    assert place.install("pre-push").stdout.startswith("updated  ")
    assert os.access(path, os.X_OK)
    assert [each.name for each in path.parent.glob("pre-push*") if not each.name.endswith(".sample")] == ["pre-push"]


def test_a_link_is_not_written_through(place, tmp_path):
    path = hooks(place, "pre-push") / "pre-push"
    for target in (tmp_path / "nothing", tmp_path / "file"):
        path.symlink_to(target)
        assert place.install("pre-push").status == 2
        assert not (tmp_path / "nothing").exists()
        path.unlink()
        (tmp_path / "file").write_text("x")


def test_a_folder_in_its_place(place):
    path = hooks(place, "pre-push") / "pre-push"
    path.mkdir()
    assert place.install("pre-push").status == 2
    assert place.install("pre-push", "--uninstall").status == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written(place):  # pragma: no cover - not as root
    directory = hooks(place, "pre-push")
    directory.chmod(0o500)
    assert place.install("pre-push").status == 2
    directory.chmod(0o700)
    assert place.install("pre-push").status == 0


def test_a_file_in_the_place_of_the_directory(place):
    place.set(**{"core.hooksPath": str(place.place / "file")})
    (place.place / "file").write_text("x")
    assert place.install("pre-push").status == 2


# --- where git looks -------------------------------------------------------------------------------------------------


def test_hooks_path_absolute_and_from_home(place):
    place.set(**{"core.hooksPath": str(place.place / "shared")})
    done = place.install("pre-push")
    assert done.stdout.startswith(f"installed  {place.place / 'shared/pre-push'}\n")
    assert "every repository that takes its hooks from there" in done.stdout
    place.set(**{"core.hooksPath": "~/shared"})
    assert place.install("pre-push").stdout.startswith(f"installed  {place.place / 'home/shared/pre-push'}\n")
    place.set(**{"core.hooksPath": "%(prefix)/hooks"})
    assert place.install("pre-push").status == 2


def test_hooks_in_the_working_tree_only_when_told(place):
    """Whoever can commit would decide what the hook does."""
    place.set(**{"core.hooksPath": ".githooks"})
    path = place.clone / ".githooks/pre-push"
    done = place.install("pre-push")
    assert done.status == 2
    assert "--in-worktree" in done.error
    assert not path.parent.exists()
    assert place.install("pre-push", "--in-worktree").status == 0
    place.commit("Not signed", {"README": "mine\n"})
    assert place.push("main").status == 1
    assert place.push("main", cwd=place.clone / "pkgs").status == 1


def test_a_hooks_directory_that_is_a_link(place):
    """Into the working tree it is refused; elsewhere it is followed."""
    directory = hooks(place, "pre-push")
    directory.rename(place.place / "moved")
    (place.clone / "tracked").mkdir()
    directory.symlink_to("../tracked")
    assert place.install("pre-push").status == 2
    assert not list((place.clone / "tracked").iterdir())
    directory.unlink()
    directory.symlink_to(place.place / "moved")
    assert place.install("pre-push").status == 0
    assert (place.place / "moved/pre-push").exists()
    place.commit("Not signed", {"README": "mine\n"})
    assert place.push("main").status == 1


def test_a_servers_hooks_path_begins_in_the_git_directory(place):
    place.git("config", "core.hooksPath", "custom", cwd=place.server)
    assert place.install("pre-receive").status == 0
    assert (place.server / "custom/pre-receive").exists()
    place.commit("Not signed", {"README": "mine\n"})
    assert place.push("main").status == 1
    place.set(**{"core.hooksPath": "custom"})
    assert place.install("pre-receive", repo=place.clone).status == 0
    assert (place.clone / ".git/custom/pre-receive").exists()


def test_worktrees_share_their_hooks(place):
    tree = place.place / "tree"
    place.git("worktree", "add", "-q", str(tree), "-b", "side")
    assert place.install("pre-push", repo=tree).stdout.startswith(f"installed  {place.clone}/.git/hooks/pre-push\n")
    place.set(**{"core.hooksPath": str(place.clone / "tools")})
    assert place.install("pre-push", repo=tree).status == 2
    place.set(**{"core.hooksPath": str(tree / "tools")})
    assert place.install("pre-push", repo=tree).status == 2


def test_without_a_hooks_directory(place):
    directory = hooks(place, "pre-receive")
    for each in directory.iterdir():
        each.unlink()
    directory.rmdir()
    assert place.install("pre-receive").status == 0


def test_a_client_hook_in_a_bare_repository(place):
    assert place.install("pre-push", repo=place.server).status == 0
    assert (place.server / "hooks/pre-push").exists()


def test_no_repository_and_settings_in_the_working_tree(place, tmp_path):
    (tmp_path / "empty").mkdir()
    assert place.install("pre-push", repo=tmp_path / "empty").status == 2
    (place.clone / "config").write_text(f"[gitverify]\n\tintroduction = {place.introduction}\n")
    place.set(**{"include.path": "../config"})
    done = place.install("pre-push")
    assert done.status == 4
    assert "config-untrusted" in done.stdout


def test_it_says_what_is_missing(place):
    assert "gitverify trust" not in place.install("pre-push").stdout
    place.git("config", "--unset", "gitverify.introduction")
    assert "gitverify trust" in place.install("pre-push").stdout


# --- beside another hook ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pre-push", "pre-receive", "update"])
def test_the_lines_that_run_both(place, name):
    """The other hook still reads what git says, and still has its say; neither leaves a file behind."""
    path = hooks(place, name) / name
    log = place.place / "log"
    other = f'cat >>"{log}"; echo "$#" >>"{log}"; exit "$(cat "{place.place}/status")"\n'
    path.write_text("#!/bin/sh\n" + other)
    path.chmod(0o755)
    (place.place / "status").write_text("0")
    error = place.install(name).error
    lines = [line[2:] for line in error.splitlines() if line.startswith("  ")]
    assert len(lines) == (1 if name == "update" else 2)
    path.write_text("\n".join(["#!/bin/sh", *lines, other]))
    temporary = place.place / "tmp"
    temporary.mkdir()
    place.environment["TMPDIR"] = str(temporary)
    good = place.commit("Signed", {"README": "tidy\n"}, sign=True)
    place.commit("Not signed", {"README": "mine\n"})
    assert place.push("main").status == 1
    assert not log.exists()
    (place.place / "status").write_text("1")
    assert place.push(f"{good}:main").status == 1
    (place.place / "status").write_text("0")
    assert place.push(f"{good}:main").status == 0
    assert len(log.read_text().splitlines()) == (2 if name == "update" else 4)  # which has no standard input
    assert name == "update" or good in log.read_text()
    assert not list(temporary.iterdir())


# --- what the hook runs ----------------------------------------------------------------------------------------------


def test_modules_in_the_repository_are_not_taken(place):
    """A hook of a client runs where the repository's files are."""
    place.install("pre-push")
    for name in ("gitverify/__init__.py", "gitverify/__main__.py", "click.py"):
        path = place.clone / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise SystemExit(0)\n")
    place.commit("Not signed, and in the way", {"README": "mine\n"})
    assert "unsigned (R8)" in place.push("main").stderr


def test_a_program_that_has_gone_refuses(place):
    place.install("pre-receive")
    path = hooks(place, "pre-receive") / "pre-receive"
    path.write_text(path.read_text().replace(sys.executable, "/no/such/python"))
    place.commit("Signed", {"README": "tidy\n"}, sign=True)
    assert place.push("main").status == 1
    assert place.install("pre-receive").stdout.startswith("updated")
    assert place.push("main").status == 0


def test_help_and_hooks_of_no_such_name(place):
    assert "gitverify hook install pre-push" in place.call("hook", "--help").stdout
    assert place.call("hook", "install", "post-checkout").status == 2


def test_a_transaction_that_concerns_nobody_loads_no_git_library(place):
    """It is called for each move of any reference."""
    program = (
        "import sys; sys.argv[1:] = ['hook', 'reference-transaction', 'prepared']\n"
        "from gitverify.cli.main import cli\n"
        "cli.main(standalone_mode=False)\n"
        "print(sorted({'pygit2', 'cryptography', 'yaml', 'sqlite3'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=place.environment | {"PYTHONPATH": str(ROOT)},
        input=f"{'0' * 40} {place.introduction} refs/tags/x\n".encode(),
        capture_output=True,
        cwd=place.clone,
        check=True,
    )
    assert done.stdout.strip() == b"[]"


@pytest.mark.parametrize("method", ["read_bytes", "unlink"])
def test_a_hook_that_cannot_be_read_or_removed(place, monkeypatch, method):
    """As root every file can be, so the system's answer is made up."""
    place.install("pre-push")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(f"pathlib.Path.{method}", refuse)
        assert place.install("pre-push", "--uninstall").status == 2
    assert (hooks(place, "pre-push") / "pre-push").exists()
    assert place.install("pre-push", "--uninstall").status == 0
