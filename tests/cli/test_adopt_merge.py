"""``gitverify adopt`` where both branches went on: git merges, and no tracked file has a say in how."""

from cli.forge import FILES, MALLORY, parents


def test_the_target_went_on(fix):
    """Then git merges; the result is what is signed, and the files here follow."""
    tip = fix.head()
    fix.git("switch", "-q", "main")
    fix.commit("Meanwhile", {"README": FILES["README"].replace("1", "one")}, sign=True)
    fix.git("push", "-q")
    fix.git("switch", "-q", "fix")
    assert fix.run("adopt", "--yes").status == 0
    assert parents(fix) == [fix.head("origin/main"), tip]
    assert (fix.clone / "README").read_text() == "one\n2\n3\n4\nfive\n"
    assert not fix.git("status", "--short")
    fix.git("push", "-q", "origin", "fix")
    fix.merge_button("fix")
    assert fix.verify("origin/main")["verdict"] == "authentic"


def test_conflicts_are_merged_by_hand(fix):
    fix.git("switch", "-q", "main")
    fix.commit("Meanwhile", {"pkgs/a": "other\n"}, sign=True)
    fix.git("push", "-q")
    fix.git("switch", "-q", "fix")
    done = fix.run("adopt", "--yes")
    assert done.status == 2
    assert "conflicts in pkgs/a" in done.error
    assert "git merge origin/main" in done.error
    fix.git("merge", "origin/main", check=False)
    (fix.clone / "pkgs/a").write_text("both\n")
    fix.git("commit", "-q", "-a", "--no-edit")
    assert fix.run("adopt", "--yes").status == 0
    assert (fix.clone / "pkgs/a").read_text() == "both\n"
    assert parents(fix)[0] == fix.head("origin/main")


def test_branches_without_a_common_history(forge):
    forge.git("switch", "-q", "--orphan", "other")
    forge.commit("Other", {"x": "x\n"}, author=MALLORY)
    done = forge.run("adopt", "--yes", "--onto", "origin/main")
    assert done.status == 2
    assert "unrelated histories" in done.error


def test_attributes_of_tracked_files_have_no_say_in_the_merge(forge):
    forge.branch("fix")
    forge.commit("Fix", {"README": FILES["README"].replace("3", "three"), ".gitattributes": "* merge=union\n"})
    forge.git("switch", "-q", "main")
    forge.commit("Meanwhile", {"README": FILES["README"].replace("3", "drei")}, sign=True)
    forge.git("push", "-q")
    forge.git("switch", "-q", "fix")
    assert "conflicts in README" in forge.run("adopt", "--yes").error


def test_a_branch_that_was_brought_up_to_date(fix):
    """Its owner merged the target into it, unsigned: only what the branch changed is vouched for."""
    fix.git("switch", "-q", "main")
    fix.commit("Meanwhile", {"new": "\n"}, sign=True)
    fix.git("push", "-q")
    fix.git("switch", "-q", "fix")
    fix.git("merge", "-q", "--no-edit", "origin/main")
    done = fix.run("adopt", "--yes")
    assert done.status == 0
    assert "vouch for  3 commits that are not authentic:\n" in done.stdout
    assert "changes    3 paths" in done.stdout
    assert "new" not in done.stdout.partition("changes")[2].partition("signer")[0]
