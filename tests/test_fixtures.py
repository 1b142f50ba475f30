"""The conformance corpus: every case of ``fixtures/cases``, run through the command line. See fixtures/README.md."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import unicodedata

import pytest
from report import runner

from fixtures.lib.cases import all_cases
from fixtures.lib.run import environment, filled, prepare, run

CASES = {case.name: case for case in all_cases()}
VARIANTS = [(case, variant) for case in CASES.values() for variant in case.variants.values()]

# What there has to be a case for, by section of the attack gallery; more is welcome.
GALLERY = {
    "anchor and reach": """
        intro-wrong-signer intro-unsigned intro-missing-object warm-cache-wrong-signer tip-is-ancestor-of-introduction
        tip-forked-before-introduction orphan-root-as-tip orphan-root-merged intro-as-tip ref-is-a-blob
        tip-is-annotated-tag dialect-switch""",
    "signatures": """
        unsigned-commit signed-by-unknown-key signed-by-listed-key-but-payload-changed signature-in-message
        duplicate-gpgsig gpgsig-and-gpgsig-sha256 mergetag-carrying-a-signature ssh-wrong-namespace ssh-rsa-sha1
        ssh-rsa-1024 ssh-sk-without-presence ssh-certificate ssh-trailing-bytes pgp-sha1 pgp-md5 pgp-rsa-1024
        pgp-two-signature-packets pgp-trailing-garbage pgp-signature-type-of-key-certification
        pgp-unknown-critical-subpacket pgp-issuer-mismatch pgp-subkey-without-back-signature
        pgp-subkey-of-another-primary pgp-expired-key pgp-hard-revoked-key pgp-bad-armor pgp-non-utf8-user-id
        user-id-with-forged-status-line x509-signature nul-in-header crlf-header commit-of-1-MiB""",
    "policy": """
        policy-removed policy-removed-as-tip policy-broken-yaml policy-duplicate-key policy-alias-bomb
        policy-digits-only-fingerprint policy-lockout policy-changed-by-non-editor self-grant
        grant-used-in-the-commit-that-gives-it key-removed-then-used key-added-then-used unknown-policy-version
        policy-is-a-symlink policy-file-other-case unprotected-root key-listed-for-two-people""",
    "paths": """
        granted-path ungranted-path prefix-lookalike directory-replaced-by-symlink directory-replaced-by-gitlink
        mode-only-change delete-only move-out-of-a-granted-path unsigned-in-unprotected unsigned-touching-both
        unsigned-empty-commit newline-and-quote-in-path non-utf8-path dot-git-entry duplicate-tree-entry empty-subtree
        unsorted-tree gitmodules-change""",
    "merges": """
        unsigned-clean-merge unsigned-evil-merge unsigned-theirs-merge unsigned-merge-of-unsigned-branch
        unsigned-merge-resurrects-removed-key unsigned-merge-swapped-parents unsigned-merge-both-changed-policy
        unsigned-merge-with-content-merge unsigned-merge-with-rename clean-merge-signed-by-a-removed-person
        limited-person-merges-a-removed-persons-branch both-changed-policy-to-the-same unsigned-criss-cross
        unsigned-octopus unsigned-merge-of-unrelated-history signed-merge-by-limited-person signed-merge-removed-person
        adopting-merge adopting-merge-outside-grants adopting-merge-drops-the-mark merge-driver-in-gitattributes
        merge-union-attribute side-branch-before-introduction""",
    "adoption and arrival": """
        removed-committer-adopts-todays-branch adopting-merge-fakes-a-merge-base adopting-merge-fakes-descent
        server-merges-an-abandoned-draft dropped-commit-as-a-parent-later loose-edge-in-a-warm-run
        skewed-dates-in-a-warm-run unsigned-squash-left-out""",
    "clone and state": """
        grafts-file replace-ref shallow-clone partial-clone-missing-policy corrupt-loose-object corrupt-pack alternates
        rollback-to-parent rollback-to-sibling rollback-allowed junk-commit-does-not-raise-the-floor behind-the-mark
        forged-commit-graph config-included-from-the-worktree first-run-has-no-mark state-truncated
        state-world-writable two-processes-at-once killed-between-verdict-and-mark disk-full-while-marking
        repository-owned-by-another-user worktree-modified worktree-untracked worktree-ignored-file
        sha256-repository""",
    "tags": """
        tag-by-a-removed-person tag-under-another-name tag-of-a-tag lightweight-tag tag-of-a-draft
        tag-with-two-signatures tag-with-text-after-its-signature tag-with-a-commits-signature
        tag-of-what-is-not-authentic""",
    "output": """
        control-characters-in-subject bidi-in-author workflow-command-in-subject broken-pipe interrupted""",
    "bad input": """
        not-a-repository unborn-head revision-does-not-exist option-value-wrong keyring-missing state-not-writable""",
}

# Another implementation keeps its marks where it likes: then only its report tells whether they moved.
OTHER = "GITVERIFY_COMMAND" in os.environ

# How git ends before version 2.38, which had no such merges yet.
NO_SUCH_OPTION = 129

# Characters that move the cursor, hide, or reorder what follows: never in a report, whatever is in the repository.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(("case", "variant"), VARIANTS, ids=[f"{case.name}-{v.name}" for case, v in VARIANTS])
def test_case(case, variant, tmp_path):
    is_root = os.geteuid() == 0
    if variant.needs in {"root", "not-root"} and is_root != (variant.needs == "root"):
        pytest.skip(f"needs {variant.needs}")
    scene = case.build(variant.name, tmp_path / "scene")
    assert scene.ids == case.ids[variant.name], "the recipe gives other objects than it did"
    check_clean_merges(scene)
    for number, step in enumerate(variant.steps):
        prepare(scene, step)
        before = marks(scene, tmp_path / f"before-{number}")
        outcome = run(scene, step)
        said = f"step {number}: exit {outcome.exit}\n{outcome.stdout}\n{outcome.stderr}"
        assert outcome.exit == step.exit, said
        assert "Traceback" not in outcome.stderr, said
        assert not unsafe(outcome.stdout + outcome.stderr), said
        assert not forged(outcome.stdout + outcome.stderr), said
        if outcome.exit != 0:
            check_refusal(scene, step, outcome, said)
            assert not moved(scene, before, marks(scene, tmp_path / f"after-{number}")), said
        if step.tip is not None:
            assert report(outcome)["tip"] == scene.ids[step.tip], said
        if step.mark is not None:
            expected = sorted(scene.ids[label] for label in step.mark)
            assert report(outcome)["mark"]["after"] == expected, said
            stored = marks(scene, tmp_path / f"stored-{number}")
            assert OTHER or all(commit in stored for commit in expected), "a mark is elsewhere than marks() looks"
        for text in step.shows:
            assert filled(scene, text) in outcome.stdout + outcome.stderr, said


def check_refusal(scene, step, outcome, said):
    """Whatever isn't accepted says so: a refusal in its report, an error in words too."""
    if step.by is None:
        assert (outcome.stdout + outcome.stderr).strip(), "not a word"
    if step.reason is None:
        return
    found = report(outcome)
    assert found["verdict"] == {1: "refused", 3: "undecided", 4: "error"}[step.exit], said
    assert found["reason"] == step.reason, said
    assert found["mark"]["before"] == found["mark"]["after"], said
    if step.commit or step.rule or step.path:
        first = found["refusals"][0]
        assert first["code"] == step.reason, said
        assert step.commit is None or first["commit"] == scene.ids[step.commit], said
        assert step.rule is None or first["rule"] == step.rule, said
        assert step.path is None or is_at_or_above(first["path"], step.path), said
    if step.refusals is not None:
        codes = {refusal["commit"]: refusal["code"] for refusal in found["refusals"]}
        assert codes == {scene.ids[label]: code for label, code in step.refusals.items()}, said
    assert all(refusal["message"] for refusal in found["refusals"]), said


def is_at_or_above(found, path):
    return found in {path, "/"} or (found is not None and found.endswith("/") and path.startswith(found))


def check_clean_merges(scene):
    """What a recipe takes for a clean merge is what git makes of it."""
    history = scene.history
    for label in history.clean:
        parents = [scene.ids[parent] for parent in history.parents[label]]
        command = ["git", "merge-tree", "--write-tree", "--allow-unrelated-histories", *parents]
        made = subprocess.run(
            command, cwd=scene.repository.path, capture_output=True, text=True, check=False, env=environment(scene)
        )
        if made.returncode != NO_SUCH_OPTION:
            _, commit = scene.repository.objects.written[scene.ids[label]]
            assert commit.startswith(f"tree {made.stdout}".encode()), f"git merges {label} otherwise"


def report(outcome):
    return json.loads(outcome.stdout)


def unsafe(text):
    return [character for character in text if character != "\n" and unicodedata.category(character) in _UNSAFE]


def forged(text):
    """Commands to a build server that are not ours: only ``--format github`` gives any, under our name."""
    return [each for each in runner.commands(text) if not each.properties.get("title", "").startswith("gitverify")]


def marks(scene, copy):
    """What the databases of the state directory hold, as text: read from a copy, since reading may mend them."""
    if not scene.state.is_dir():
        return None
    shutil.copytree(scene.state, copy)
    text = []
    for path in sorted(copy.glob("*.sqlite3")):
        connection = sqlite3.connect(path)
        try:
            text += connection.iterdump()
        except sqlite3.DatabaseError as error:
            text.append(str(error))
        finally:
            connection.close()
    return "\n".join(text).lower()


def moved(scene, before, after):
    """Whether there is a commit in the marks that was not there, or they changed otherwise."""
    if before is not None:
        return before != after
    return any(name in (after or "") for name in scene.ids.values())


def test_everything_in_the_gallery_has_its_case():
    missing = {name for names in GALLERY.values() for name in names.split()} - set(CASES)
    assert not missing


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_is_complete(case):
    readme = (case.directory / "README.md").read_text()
    assert readme.startswith(f"# {case.name}\n")
    assert len(readme.splitlines()) > 2
    assert set(case.ids) == set(case.variants)
    accepted = [variant for variant in case.variants.values() if variant.accepted]
    assert accepted, "a refusal without an accepted twin could have any reason"


def test_every_case_has_a_refusal():
    assert not [case.name for case in CASES.values() if all(variant.accepted for variant in case.variants.values())]
