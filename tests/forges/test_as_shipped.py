"""``action.yml`` and ``forge/gitlab.yml`` as a runner takes them: their expressions filled in, their steps run."""

import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest
import yaml
from forges.runner_of import ROOT
from report.runner import commands

# What installs nothing: the environment that it is asked for runs this gitverify.
INSTALLER = """#!/bin/sh
case "$*" in
*"-m venv "*) mkdir -p "$4/bin" && cp {python} "$4/bin/python" && echo made >>{made} ;;
*"-m pip "*) exit 1 ;;
esac
"""


def installer(runner):
    """A Python for install.sh, whose pip is never asked, since the environment's own is."""
    path = runner.place / "installer"
    python = runner.place / "both"
    python.write_text(f'#!/bin/sh\n[ "$3" = pip ] && exit 0\nexec {runner.python} "$@"\n')
    python.chmod(0o755)
    path.write_text(INSTALLER.format(python=python, made=runner.place / "made"))
    path.chmod(0o755)
    return path


def filled(text, context):
    """Return what GitHub makes of ``${{ a.b.c }}``: the value, and nothing where there is none."""

    def value(match):
        found = context
        for name in match[1].split("."):
            found = (found or {}).get(name)
        return "" if found is None else str(found)

    return re.sub(r"\$\{\{ ([a-z_.-]+) \}\}", value, text)


def act(runner, event, payload, **inputs):
    """Run the steps of action.yml; return how the last one ended that was run."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    defaults = {name: each.get("default", "") for name, each in action["inputs"].items()}
    given = {"introduction": runner.introduction, "python": str(installer(runner)), **inputs}
    assert set(given) <= set(defaults)
    temp = runner.place / "temp"
    temp.mkdir(exist_ok=True)
    context = {"inputs": defaults | given, "github": {"event": payload}, "runner": {"temp": temp}}
    surroundings = {
        **runner.project.environment,
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_EVENT_NAME": event,
        "GITHUB_STEP_SUMMARY": str(runner.place / "summary.md"),
        "RUNNER_TEMP": str(temp),
    }
    if "pull_request" in payload:
        surroundings["GITHUB_BASE_REF"] = payload["pull_request"]["base"]["ref"]
    for step in action["runs"]["steps"]:
        environment = {name: filled(str(value), context) for name, value in step["env"].items()}
        done = subprocess.run(
            ["sh", "-e", "-c", filled(step["run"], context)],
            cwd=runner.checkout,
            env=surroundings | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            break
    return SimpleNamespace(status=done.returncode, out=done.stdout, error=done.stderr)


def pull_request(runner, number, head, branch="main"):
    """Of the event's payload, as GitHub documents it, what matters here, and some of what an attacker chooses."""
    evil = "$(touch${IFS}pwned)"
    return {
        "action": "synchronize",
        "before": "0" * 40,
        "after": head,
        "pull_request": {
            "number": number,
            "title": f"::error::{evil}",
            "head": {"sha": head, "ref": evil, "repo": {"fork": True, "full_name": f"mallory/{evil}"}},
            "base": {"sha": runner.second, "ref": branch},
        },
    }


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_the_action_gates_a_pull_request_from_a_fork(runner, event):
    runner.clone("--depth=1")
    done = act(runner, event, pull_request(runner, 8, runner.unsigned))
    assert done.status == 1, done.out + done.error
    assert [command.name for command in commands(done.out)] == ["error"]
    assert "gitverify: not authentic" in (runner.place / "summary.md").read_text()
    assert act(runner, event, pull_request(runner, 7, runner.head)).status == 0
    assert (runner.place / "made").exists()
    assert not list(runner.place.rglob("pwned"))


def test_the_action_takes_its_inputs(runner):
    runner.clone()
    asked = pull_request(runner, 7, runner.head)
    assert act(runner, "pull_request", asked, fetch="false").status == 3
    assert act(runner, "pull_request", asked, methods="branch squash").status == 1, "the forge signs nothing"
    assert act(runner, "pull_request", asked, introduction="").status == 4
    assert act(runner, "pull_request", asked, signer="SHA256:" + "A" * 43).status == 1
    assert act(runner, "pull_request", asked, **{"base-authentic": "true"}).status == 0
    sarif = runner.place / "a report.sarif"
    assert act(runner, "pull_request", asked, format="human", sarif=str(sarif)).status == 0
    assert '"results": []' in sarif.read_text()


def test_the_action_judges_a_merge_group(runner):
    runner.project.git("push", "-q", "origin", f"{runner.head}:refs/heads/gh-readonly-queue/main/pr-7")
    runner.clone("--depth=1")
    payload = {"merge_group": {"base_sha": runner.base, "head_sha": runner.head}}
    assert act(runner, "merge_group", payload).status == 0
    runner.project.git("push", "-q", "origin", f"{runner.unsigned}:refs/heads/gh-readonly-queue/main/pr-8")
    payload["merge_group"]["head_sha"] = runner.unsigned
    assert act(runner, "merge_group", payload).status == 1


def test_the_action_verifies_a_push(runner):
    runner.clone("--depth=1")
    payload = {"before": "0" * 40, "after": runner.base, "created": True}
    assert act(runner, "push", payload).status == 0
    assert act(runner, "push", payload | {"after": "0" * 40, "deleted": True}).status == 0
    assert act(runner, "push", payload, contains=runner.head).status == 1


def gitlab(runner, **variables):
    """Run the job's script, with gitverify's source in a repository of its own."""
    source = runner.place / "source"
    if not source.exists():
        shutil.copytree(ROOT / "forge", source / "forge")
        runner.project.git("init", "-q", cwd=source)
        runner.project.git("add", "-A", cwd=source)
        runner.project.git("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "x", cwd=source)
        runner.project.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=source)
    job = yaml.safe_load((ROOT / "forge/gitlab.yml").read_text())["gitverify"]
    given = {
        "GITVERIFY_SOURCE": source.as_uri(),
        "GITVERIFY_COMMIT": runner.project.git("rev-parse", "HEAD", cwd=source),
        "GITVERIFY_INTRODUCTION": runner.introduction,
        "PYTHON": str(installer(runner)),
        "TMPDIR": str(runner.place),
        "CI_PROJECT_PATH": "group/project",
        "CI_MERGE_REQUEST_PROJECT_PATH": "group/project",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join(job["script"])],
        cwd=runner.checkout,
        env=runner.project.environment | job["variables"] | given | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_job_gates_a_merge_request(runner):
    runner.clone()
    more = {"CI_PIPELINE_SOURCE": "merge_request_event"}
    done = gitlab(runner, CI_COMMIT_SHA=runner.unsigned, **more)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "unsigned" in (runner.checkout / "gl-code-quality-report.json").read_text()
    done = gitlab(runner, CI_COMMIT_SHA=runner.head, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (runner.checkout / "gl-code-quality-report.json").read_text() == "[]\n"


def test_the_job_verifies_a_push(runner):
    runner.clone()
    assert gitlab(runner, CI_COMMIT_SHA=runner.base, CI_PIPELINE_SOURCE="push").returncode == 0
    assert gitlab(runner, CI_COMMIT_SHA=runner.unsigned, CI_PIPELINE_SOURCE="push").returncode == 1
