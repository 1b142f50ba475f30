"""The completion files complete, in the shells they are for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import program
import pytest

from manual import completions

ROOT = Path(__file__).parent.parent
GIT = Path("/usr/share/bash-completion/completions/git")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What ``make completions`` runs."""
    directory = tmp_path_factory.mktemp("completions")
    done = subprocess.run(
        [sys.executable, "-m", "manual.completions", directory], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert not done.stderr
    return directory


@pytest.fixture(scope="module")
def environment(tmp_path_factory, written):
    home = tmp_path_factory.mktemp("home")
    programs = program.install(home / "bin")
    (home / "fish").mkdir()
    (home / "fish/completions").symlink_to(written / "fish")
    return {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }


def run(shell, script, environment, *arguments):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = [shell, *arguments, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


def test_the_script_writes_the_files(written):
    files = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert files == set(completions.files())
    assert {name.partition("/")[0] for name in files} == {"bash", "zsh", "fish"}
    assert len(files) == 3 * len(program.NAMES)


WORDS = [("ver", "verify"), ("verify --work", "--worktree"), ("explain --form", "--format"), ("policy add", "add-key")]


@pytest.mark.parametrize("name", program.NAMES)
@pytest.mark.parametrize(("typed", "expected"), WORDS)
def test_bash(name, typed, expected, written, environment):
    words = [name, *typed.split()]
    function = f"_{name.replace('-', '_')}_completion"
    script = f"""
        . '{written}/bash/{name}'
        complete -p {name} | grep -q -- '-F {function} ' || exit 1
        COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}
        {function} {name}
        echo "${{COMPREPLY[*]}}"
    """
    assert expected in run("bash", script, environment, "--norc")


def test_bash_completes_nothing_that_is_not_there(written, environment):
    script = f". '{written}/bash/gitverify'; COMP_WORDS=(gitverify nothing); COMP_CWORD=1; "
    assert run("bash", script + '_gitverify_completion gitverify; echo "${COMPREPLY[*]}"', environment) == []


@pytest.mark.skipif(not GIT.exists(), reason="git's own completion for bash is not installed")
@pytest.mark.parametrize("before", ["git", "git -C /", "git --no-pager"])
@pytest.mark.parametrize(("typed", "expected"), WORDS)
def test_bash_for_git(before, typed, expected, written, environment):
    """git's completion finds the function; _completion_loader stands in for bash-completion's, which loads the file."""
    line = f"{before} gitverify {typed}"
    script = f"""
        _completion_loader() {{ . '{written}/bash/'"$1"; }}
        . {GIT}
        COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}
        cur={typed.rpartition(" ")[2]}; COMP_LINE='{line}'; COMP_POINT={len(line)}
        __git_wrap__git_main
        echo "${{COMPREPLY[*]}}"
    """
    assert expected in run("bash", script, environment, "--norc")


@pytest.mark.parametrize("name", program.NAMES)
@pytest.mark.parametrize(("typed", "expected"), WORDS)
def test_zsh_completes_each_time(name, typed, expected, written, environment):
    """As zsh calls it: a function of that name, loaded from fpath. What would be offered is printed."""
    words = [name, *typed.split()]
    script = f"""
        fpath=('{written}/zsh' $fpath); autoload -Uz _{name}
        _describe() {{ print -r -- ${{completions_with_descriptions%%:*}} }}
        compadd() {{ print -r -- $completions }}
        compdef() {{ print -r -u 2 compdef }}
        words=({" ".join(words)}); CURRENT={len(words)}
        _{name}; _{name}
    """
    assert run("zsh", script, environment, "-f").count(expected) == 2


@pytest.mark.parametrize("name", program.NAMES)
@pytest.mark.parametrize(("typed", "expected"), WORDS)
def test_fish(name, typed, expected, environment):
    assert expected in run("fish", f"complete -C '{name} {typed}'", environment)
