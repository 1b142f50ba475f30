"""``gitverify adopt`` refuses before anything is signed: grants, policies, keys, conflicts, and what is no branch."""

from cli.forge import FIX, MALLORY, OPTIONS, Forge, policy

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB
from fixtures.lib.keys import MALLORY as MALLORYS_KEY


def test_paths_that_the_signer_has_no_grant_for(fix):
    fix.sign_with(BOB)
    before, tip = fix.objects(), fix.head()
    done = fix.run("adopt", "--yes")
    assert done.status == 1
    assert "not authentic: unauthorized-path (R20)\n" in done.stdout
    assert "bob has no grant on 1 path:\n    ./: alice\n      modified  README\n" in done.stdout
    assert "who may sign all of it: alice\n" in done.stdout
    assert (fix.objects(), fix.head()) == (before, tip)
    fix.git("reset", "-q", "--hard", "HEAD~1")
    assert fix.run("adopt", "--yes").status == 0


def test_the_policy_file(forge):
    changed = policy(*OPTIONS, people={"alice": [ALICE], "bob": [BOB], "mallory": [MALLORYS_KEY]})
    forge.branch("fix")
    forge.commit("List me", {policies.NATIVE: changed}, author=MALLORY)
    forge.sign_with(BOB)
    done = forge.run("adopt", "--yes")
    assert done.status == 1
    assert "policy-unauthorized (R15)" in done.stdout
    assert "./: the policy's editors, alice\n" in done.stdout
    forge.sign_with(ALICE)
    done = forge.run("adopt", "--yes")
    assert "./: the policy's editors, alice\n             modified  .gitverify.yaml" in done.stdout
    assert "policy     the policy file is among them: .gitverify.yaml will be another one\n" in done.stdout
    assert done.status == 0


def test_a_broken_policy(forge):
    forge.branch("fix")
    forge.commit("Break it", {policies.NATIVE: "version: 9\n"}, author=MALLORY)
    before = forge.objects()
    done = forge.run("adopt", "--yes")
    assert done.status == 1
    assert "policy-invalid (R14)" in done.stdout
    assert forge.objects() == before


def test_a_policy_without_adopting_merges(tmp_path):
    forge = Forge(tmp_path, options=[option for option in OPTIONS if not option.startswith("adopting_merges")])
    forge.branch("fix")
    forge.commit("Fix it", FIX, author=MALLORY)
    done = forge.run("adopt", "--yes")
    assert done.status == 1
    assert "parent-not-authentic (R20)" in done.stdout
    assert "One of its editors (alice) adds the line “adopting_merges: true” to .gitverify.yaml" in " ".join(
        done.stdout.split()
    )


def test_another_dialect(tmp_path):
    forge = Forge(tmp_path)
    forge.git("switch", "-q", "--orphan", "signers")
    introduction = forge.commit("signers", {policies.OPENSSH: policies.openssh((ALICE, ""))}, sign=True)
    forge.branch("fix", "signers")
    forge.commit("Fix it", FIX, author=MALLORY)
    done = forge.run("adopt", "--yes", "--onto", "signers", "--introduction", introduction)
    assert done.status == 2
    assert "openssh dialect have no adopting merges" in done.error


def test_a_revision_that_is_no_branch(fix):
    fix.git("switch", "-q", "--detach")
    for name in ("HEAD", "origin/fix", fix.ids["Fix it"], "fix~1"):
        done = fix.run("adopt", name, "--yes")
        assert done.status == 2
        assert "names no local branch" in done.error
    assert fix.run("adopt", "fix", "--yes").status == 0


def test_no_target(fix):
    fix.git("remote", "set-head", "origin", "--delete")
    done = fix.run("adopt", "--yes")
    assert done.status == 2
    assert "--onto" in done.error
    assert fix.run("adopt", "--yes", "--onto", "origin/main").status == 0


def test_a_target_that_is_not_authentic_itself(fix):
    fix.git("switch", "-q", "-c", "other", "origin/main")
    fix.commit("Unsigned", {"new": "\n"}, author=MALLORY)
    fix.git("switch", "-q", "fix")
    done = fix.run("adopt", "--yes", "--onto", "other")
    assert done.status == 1
    assert "other itself is not authentic: seal it first" in done.stdout


def test_objects_are_missing(fix):
    blob = fix.git("rev-parse", f"{fix.introduction}:.gitverify.yaml")
    path = fix.clone / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.unlink()
    done = fix.run("adopt", "--yes")
    assert done.status == 3
    assert "missing-object" in done.stdout


def test_no_introduction(fix):
    fix.git("config", "--unset", "gitverify.introduction")
    assert fix.run("adopt", "--yes").status == 4


def test_a_symbolic_branch(fix):
    fix.git("symbolic-ref", "refs/heads/alias", "refs/heads/fix")
    done = fix.run("adopt", "alias", "--yes")
    assert done.status == 2
    assert "name the branch itself" in done.error


def test_a_tip_that_is_malformed(fix):
    raw = fix.git("cat-file", "commit", "HEAD") + "\n"
    fix.git("update-ref", "refs/heads/fix", fix.write("commit", raw.replace("author ", "writer ", 1).encode()))
    done = fix.run("adopt", "fix", "--yes")
    assert done.status == 2
    assert "malformed commit" in done.error


def test_a_tree_that_is_malformed(fix):
    """Its signer may change everything, so no rule reads it; but nobody can see what such a tree has."""
    blob, inner = (bytes.fromhex(fix.git("rev-parse", f"HEAD:{path}")) for path in ("README", "pkgs"))
    bad = fix.write("tree", b"100644 .git\0" + blob)
    root = fix.git("ls-tree", "HEAD").replace(inner.hex(), bad)
    tree = fix.git("mktree", "--missing", stdin=root + "\n")
    fix.git("update-ref", "refs/heads/fix", fix.git("commit-tree", "-p", "HEAD", "-m", "Bad", tree))
    fix.git("switch", "-q", "--discard-changes", "main")
    done = fix.run("adopt", "fix", "--yes")
    assert done.status == 1
    assert "malformed-tree (R7)" in done.stdout
