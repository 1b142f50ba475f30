"""The documentation says what the code does: codes, rules, options, keys, examples and links, both ways."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import codes
import jsonschema
import pytest

from gitverify.cli.main import COMMANDS, INTERNAL_ERROR, INTERRUPTED, USAGE
from gitverify.policies import native, openssh
from gitverify.report.model import EXIT_STATUS
from gitverify.rules.hints import HINTS
from gitverify.settings import KEYS

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "fetcher/README.md", ROOT / "fixtures/README.md"]
)
NAMED = [str(page.relative_to(ROOT)) for page in PAGES]


def text(name):
    return (ROOT / name).read_text()


def section(name, title):
    """Return what stands under a heading, to the next one of its rank or above."""
    rank = title.split(" ")[0]
    found = re.search(rf"^{re.escape(title)}$(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section “{title}”"
    return found[1]


def first_cells(table):
    """Return the words in backquotes in the first column."""
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    return [word for row in rows for word in re.findall("`([^`]+)`", row)]


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.MULTILINE | re.DOTALL)


# --- reason codes ------------------------------------------------------------------------------------------------

REASONS = {
    1: [
        "## Exit status 1: a commit is not authentic",
        "## Exit status 1: the tip is not authentic",
        "## Exit status 1: the tag is not authentic",
        "## Exit status 1: the lock file is not in order",
    ],
    3: ["## Exit status 3: cannot decide"],
    4: ["## Exit status 4: the question cannot be put"],
}


def documented_codes():
    return {
        code: status
        for status, titles in REASONS.items()
        for title in titles
        for code in first_cells(section("docs/reasons.md", title))
    }


# Version 1 of the policy has nothing that this version lacks.
NOT_YET = {"policy-unsupported"}


def test_every_code_is_documented():
    assert len(codes.emitted()) > 30
    assert not codes.emitted() - set(documented_codes())


def test_every_documented_code_is_emitted():
    assert set(documented_codes()) - codes.emitted() == NOT_YET


def test_every_hint_is_for_a_code():
    assert not set(HINTS) - set(documented_codes())


def test_every_code_has_a_cause_and_a_cure():
    for titles in REASONS.values():
        for title in titles:
            table = section("docs/reasons.md", title)
            rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
            assert rows
            assert not [row for row in rows if len(row) != 3 or not all(row)]


def test_codes_have_the_exit_status_that_is_documented():
    """As far as the corpus of attacks tells."""
    seen = set()
    for expected in (ROOT / "fixtures/cases").glob("*/expected.json"):
        seen |= set(answers(json.loads(expected.read_text())))
    documented = documented_codes()
    assert len(seen) > 20
    assert not {(code, status) for code, status in seen if documented.get(code) != status}


def answers(value):
    """Yield (reason, exit) wherever both are expected."""
    if isinstance(value, dict):
        if value.get("reason") and "exit" in value:
            yield value["reason"], value["exit"]
        for inner in value.values():
            yield from answers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from answers(inner)


def test_every_code_has_a_way_out():
    """Either a hint of its own, or a message that always has one."""
    in_the_message = {
        "introduction-not-configured",
        "keyring-missing",
        "config-untrusted",
        "repository-owner",
        "state-unsafe",
        "state-corrupt",
    }
    assert set(documented_codes()) == set(HINTS) | in_the_message


# --- rules -------------------------------------------------------------------------------------------------------


def test_every_rule_that_is_cited_is_written_up():
    cited = set()
    for path in (ROOT / "gitverify").rglob("*.py"):
        cited |= set(re.findall(r"\bR[0-9]+b?\b", path.read_text()))
    assert not cited - set(re.findall(r"\bR[0-9]+b?\b", text("docs/rules.md")))


def test_refusals_cite_rules_that_have_a_paragraph():
    cited = set()
    for path in (ROOT / "gitverify").rglob("*.py"):
        cited |= set(re.findall(r'"(R[0-9]+b?)"', path.read_text()))
    assert cited
    assert not cited - set(re.findall(r"\*\*(R[0-9]+b?)\.", text("docs/rules.md")))


# --- options, settings, exit statuses ----------------------------------------------------------------------------


def options(command):
    module = import_module(f"gitverify.cli.{command}")
    return [parameter for parameter in module.command.params if isinstance(parameter, click.Option)]


def test_every_option_of_verify_is_in_the_readme():
    readme = text("README.md")
    assert not [option.opts[0] for option in options("verify") if option.opts[0] not in readme]


def test_the_table_of_settings_is_that_of_the_options():
    table = section("README.md", "## Configuration")
    rows = re.findall(
        r"^\| `(--[a-z-]+)[^|]*?(?:\\\|[^|]*?)*` \| `(\w+)` \| (?:`gitverify\.(\w+)`)? ?\|$", table, re.MULTILINE
    )
    assert {(option, variable) for option, variable, _ in rows} == {
        (option.opts[0], option.envvar) for option in options("verify") if option.envvar
    }
    assert {key.lower() for _, _, key in rows if key} == set(KEYS)


def test_every_command_is_in_the_readme():
    readme = text("README.md")
    assert not [command for command in COMMANDS if f"gitverify {command}" not in readme]


@pytest.mark.parametrize("page", ["README.md", "docs/reasons.md"])
def test_exit_statuses(page):
    statuses = {*EXIT_STATUS.values(), INTERNAL_ERROR, INTERRUPTED, USAGE}
    title = "## Exit status" if page == "README.md" else "## Exit statuses without a code"
    documented = {int(number) for number in re.findall(r"^\| ([0-9]+) \|", section(page, title), re.MULTILINE)}
    assert documented == statuses - (set() if page == "README.md" else set(REASONS))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    line = next(line for line in text("README.md").splitlines() if f"{shell}_source" in line)
    variable = re.search(r"(\w+)=" + shell, line)[1]
    environment = {**os.environ, variable: f"{shell}_source", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gitverify"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "_gitverify_completion" in done.stdout
    asking = {
        variable: f"{shell}_complete",
        "COMP_WORDS": "gitverify ver",
        "COMP_CWORD": "1" if shell != "fish" else "ver",
    }
    done = subprocess.run(command, env=environment | asking, capture_output=True, text=True, check=False)
    assert "verify" in done.stdout


# --- policies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["README.md", "docs/policy.md"])
def test_example_policies_are_sound(page):
    (example,) = blocks(page, "yaml")
    policy = native.parse(example.encode())
    assert len(policy.by_key) >= 3


def test_every_key_of_the_policy_is_documented():
    documented = first_cells(section("docs/policy.md", "## Every key"))
    assert len(documented) == len(set(documented))
    example = blocks("docs/policy.md", "yaml")[0].replace("version: 1\n", "")
    with pytest.raises(native.PolicyError) as refused:
        native.parse(f"{example}version: 1\nnone-of-the-known-keys: 1\n".encode())
    assert set(documented) == set(re.findall(r"\w+", refused.value.message.partition(": known are ")[2]))


def test_example_allowed_signers_are_sound():
    example = next(block for block in blocks("docs/dialects.md", "") if "valid-before" in block)
    policy, skipped = openssh.read(example.encode())
    assert len(policy.people) == 2
    assert not skipped


# --- JSON --------------------------------------------------------------------------------------------------------


def schema():
    return json.loads(text("gitverify/report/report.schema.json"))


def test_example_report_is_valid():
    (example,) = blocks("docs/json.md", "json")
    jsonschema.validate(json.loads(example), schema())


def test_every_field_is_documented():
    fields = schema()["properties"]
    nested = ("commits", "mark", "output", "tag", "worktree")
    inner = {f"{name}.{key}" for name in nested for key in fields[name]["properties"]}
    expected = set(fields) - {"commits", "mark"} | inner | set(schema()["$defs"]["refusal"]["properties"])
    introduction, _, _ = text("docs/json.md").partition("## jsonl")
    assert set(first_cells(introduction)) == expected


# --- layers ---------------------------------------------------------------------------------------------------------


def test_every_layer_is_in_the_picture():
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    (picture,) = blocks("docs/architecture.md", "")
    drawn = [re.findall(r"[a-z]+", line.partition("   ")[0]) for line in picture.splitlines() if line[0] != "─"]
    assert drawn == [re.findall("[a-z]+", layer) for layer in layers]


# --- links -------------------------------------------------------------------------------------------------------


def anchors(page):
    """Return the names that headings have on a forge."""
    without_blocks = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", without_blocks, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", NAMED)
def test_links_lead_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match("https?:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_pages_are_linked():
    """From the README, directly or through another page."""
    linked, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for path in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text()):
            there = (page.parent / path).resolve()
            if there.suffix == ".md" and there.exists() and there not in linked:
                linked.add(there)
                waiting.append(there)
    assert not [page for page in ROOT.glob("docs/**/*.md") if page not in linked]


@pytest.mark.parametrize("name", [name for name in NAMED if not name.startswith("fixtures")])
def test_targets_of_make_exist(name):
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    assert not set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:#|`|$))", text(name), re.MULTILINE)) - targets
