"""What forges read: it parses, means something to the forge, hands values over as variables, and pins what it takes."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from forges.runner_of import ROOT

from gitverify.cli.main import COMMANDS
from tests import schemas

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
JOB = yaml.safe_load((ROOT / "forge/gitlab.yml").read_text())
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
SCRIPTS = sorted((ROOT / "forge").glob("*.sh"))
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs/ci.md").read_text(), re.MULTILINE | re.DOTALL)


def workflows():
    return [value for value in map(yaml.safe_load, EXAMPLES) if isinstance(value, dict) and "jobs" in value]


def test_the_action_is_an_action():
    schemas.validate(ACTION, schemas.GITHUB_ACTION)
    assert all(each["description"] for each in ACTION["inputs"].values())
    assert all("default" in each or each.get("required") for each in ACTION["inputs"].values())


def test_every_input_is_used_and_every_used_one_is_there():
    used = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_every_input_is_documented():
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", (ROOT / "docs/ci.md").read_text(), re.MULTILINE)
    assert {word for row in rows for word in re.findall("[a-z-]+", row)} == set(ACTION["inputs"])


def test_nothing_is_put_into_what_is_run():
    """What GitHub puts in there is run: a branch may be called $(id)."""
    steps = [
        *ACTION["runs"]["steps"],
        *(step for each in workflows() for job in each["jobs"].values() for step in job["steps"]),
    ]
    assert not [step for step in steps if "${{" in step.get("run", "")]
    assert not [step for step in ACTION["runs"]["steps"] if "${{" in step["shell"]]


def test_what_the_action_hands_over_is_what_the_script_reads():
    script = "".join(path.read_text() for path in SCRIPTS if path.name in {"github.sh", "lib.sh"})
    handed = set(ACTION["runs"]["steps"][1]["env"])
    read = set(re.findall(r"\$\{?((?:GITVERIFY|PULL|GROUP|PUSH)_[A-Z_]+)", script))
    to_gitverify = {f"GITVERIFY_{name}" for name in ("SIGNER", "MAX_AGE", "DIALECT", "POLICY_PATH", "KEYRING")}
    assert read - handed == set()
    assert handed - read <= to_gitverify


def test_the_job_is_a_job():
    schemas.validate(JOB, schemas.GITLAB_CI)
    job = JOB["gitverify"]
    assert {"GITVERIFY_INTRODUCTION", "GITVERIFY_SIGNER"}.isdisjoint(job["variables"])
    assert job["artifacts"]["reports"]["codequality"] == job["variables"]["GITVERIFY_REPORT"]
    assert re.fullmatch("[0-9a-f]{40}", job["variables"]["GITVERIFY_COMMIT"])
    assert job["variables"]["GIT_DEPTH"] == "0"
    named = re.findall(r"forge/([a-z]+\.sh)", "\n".join(job["script"]))
    assert named == ["install.sh", "gitlab.sh"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_pass_shellcheck(script):
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    if program is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([program, "-x", str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_examples_are_workflows():
    assert len(workflows()) >= 2
    for each in workflows():
        each["on"] = each.pop(True)  # YAML 1.1, which yaml reads, takes the word for a truth value
        schemas.validate(each, schemas.GITHUB_WORKFLOW)
        assert each["permissions"] == {"contents": "read"}


def test_examples_pin_what_they_take():
    used = [
        step["uses"] for each in workflows() for job in each["jobs"].values() for step in job["steps"] if "uses" in step
    ]
    assert used
    assert all(re.search("@[0-9a-f]{40}$", name) for name in used)


def test_no_example_checks_a_pull_request_out_where_it_has_rights():
    for each in workflows():
        if "pull_request_target" in (each.get(True) or {}):
            steps = [step for job in each["jobs"].values() for step in job["steps"]]
            assert not [step for step in steps if {"ref", "repository"} & set(step.get("with", {}))]
            assert {step["uses"].split("@")[0].split("/")[-1] for step in steps} == {"checkout", "gitverify"}


@pytest.mark.parametrize("version", [(3, 10), (3, 11)])
def test_installing(tmp_path, version):
    """With a Python that writes down how it is called."""
    python, asked, place = tmp_path / "python", tmp_path / "asked", tmp_path / "there"
    text = f"""#!/bin/sh
        printf '%s|' "$PWD" "$@" >>{asked}; echo >>{asked}
        case "$*" in
        *version_info*) exit {int(version < (3, 11))} ;;
        *venv*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
        esac
        """
    python.write_text(text)
    python.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "forge/install.sh"), str(place)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    calls = [line.split("|")[:-1] for line in asked.read_text().splitlines()]
    assert all(call[:2] == [str(ROOT), "-I"] for call in calls), "away from the checkout, and isolated"
    if version < (3, 11):
        assert done.returncode == 2
        assert "Python 3.11 or newer" in done.stderr
        assert len(calls) == 1
    else:
        assert done.returncode == 0, done.stderr
        assert [call[3] for call in calls[1:]] == ["venv", "pip"]
        assert calls[2][-1] == "."


# --- pre-commit --------------------------------------------------------------------------------------------------


def test_the_hook_is_a_hook():
    assert HOOK["stages"] == ["pre-push"]
    assert HOOK["always_run"] is True
    assert HOOK["pass_filenames"] is False
    assert {"id", "name", "description", "language", "entry"} <= set(HOOK)
    assert "hook" in COMMANDS


@pytest.fixture
def pushed(runner):
    """Runs the hook's entry as pre-commit does: split into words, in the clone, with its variables."""
    program = runner.place / "bin" / "gitverify"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {runner.python} -I -m gitverify "$@"\n')
    program.chmod(0o755)

    def run(branch, **more):
        environment = {
            **runner.project.environment,
            "PATH": f"{program.parent}:{runner.project.environment['PATH']}",
            "PRE_COMMIT_REMOTE_NAME": "origin",
            "PRE_COMMIT_REMOTE_URL": str(runner.project.server),
            "PRE_COMMIT_LOCAL_BRANCH": f"refs/heads/{branch}",
            "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main",
            "PRE_COMMIT_TO_REF": runner.project.head(branch),
            "PRE_COMMIT_FROM_REF": runner.base,
        }
        return subprocess.run(
            shlex.split(HOOK["entry"]),
            cwd=runner.project.clone,
            env={name: value for name, value in (environment | more).items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_pre_commit_refuses_a_push(pushed):
    done = pushed("pull-8")
    assert done.returncode == 1, done.stderr
    assert "unsigned" in done.stdout + done.stderr


def test_pre_commit_lets_a_push_go(pushed):
    done = pushed("pull-7")
    assert done.returncode == 0, done.stdout + done.stderr


def test_pre_commit_tells_no_id_of_a_first_push(pushed):
    """Then the branch is asked."""
    none = {"PRE_COMMIT_TO_REF": None, "PRE_COMMIT_FROM_REF": None}
    assert pushed("pull-8", **none).returncode == 1
    assert pushed("pull-7", **none).returncode == 0


@pytest.mark.parametrize("name", ["PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_REMOTE_URL"])
def test_a_remote_that_looks_like_an_option(pushed, name):
    """With --help there was nothing to refuse."""
    assert pushed("pull-8", **{name: "--help"}).returncode == 1
    assert pushed("pull-7", **{name: "--help"}).returncode == 0


def test_the_hook_by_hand_says_what_it_needs(pushed):
    done = pushed("pull-7", PRE_COMMIT_REMOTE_BRANCH=None)
    assert done.returncode != 0
    assert "run by git push" in done.stderr
