"""What a revision names (R4), without libgit2's help in following parents."""

import pytest

from gitverify.revisions import BadRevision, resolve
from gitverify.source import Repository
from tests.gitrepo import GitRepository


@pytest.fixture
def made(tmp_path):
    made = GitRepository(tmp_path / "r")
    made.a = made.commit("a", f="1")
    made.b = made.commit("b", f="2")
    made.git("checkout", "-q", "-b", "side", made.a.hex())
    made.s = made.commit("s", g="1")
    made.git("checkout", "-q", "main")
    made.git("merge", "-q", "--no-ff", "-m", "m", "side")
    made.m = bytes.fromhex(made.git("rev-parse", "HEAD"))
    made.git("tag", "light")
    made.git("tag", "-a", "-m", "t", "heavy")
    made.git("tag", "-a", "-m", "t", "nested", "heavy")
    return made


def test_names_and_the_reference_that_owns_the_mark(made):
    repository = Repository(made.path)
    main = "refs/heads/main"
    for text, commit, reference in [
        ("HEAD", made.m, main),
        ("@", made.m, main),
        ("main", made.m, main),
        ("heads/main", made.m, main),
        ("refs/heads/main", made.m, main),
        ("HEAD^{commit}", made.m, main),
        ("HEAD^{}", made.m, main),
        ("side", made.s, "refs/heads/side"),
        ("light", made.m, None),
        ("heavy", made.m, None),
        ("nested^{}", made.m, None),
        ("HEAD~", made.b, None),
        ("HEAD~2", made.a, None),
        ("HEAD^2", made.s, None),
        ("HEAD^2~1^0", made.a, None),
        ("~1", made.b, None),
        (made.b.hex(), made.b, None),
        (made.b.hex().upper(), made.b, None),
        (made.b.hex()[:12], made.b, None),
        ("main@{1}", made.b, None),
        (":/^b", made.b, None),
    ]:
        found = resolve(repository, text)
        assert (found.commit, found.reference) == (commit, reference), text


def test_agrees_with_git(made):
    repository = Repository(made.path)
    for text in ["HEAD~1", "side~1", "heavy~1", "HEAD^2^{commit}", "HEAD^1~1", "light"]:
        assert resolve(repository, text).commit.hex() == made.git("rev-parse", text + "^{commit}")


def test_a_tag_wins_over_a_branch_of_the_same_name_as_in_git(made):
    made.git("tag", "side", made.b.hex())
    found = resolve(Repository(made.path), "side")
    assert (found.commit, found.reference) == (made.b, None)


def test_parents_are_raw(made):
    made.git("replace", made.m.hex(), made.b.hex())
    (made.path / ".git/info/grafts").write_text(f"{made.m.hex()} {made.s.hex()}\n")
    assert resolve(Repository(made.path), "HEAD~1").commit == made.b


def test_a_remotes_head_stands_for_the_branch_it_points_to_and_else_for_none(made):
    made.git("remote", "add", "origin", "https://example.org/r")
    made.git("update-ref", "refs/remotes/origin/main", made.b.hex())
    made.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    found = resolve(Repository(made.path), "origin")
    assert (found.commit, found.reference) == (made.b, "refs/remotes/origin/main")
    made.git("symbolic-ref", "-d", "refs/remotes/origin/HEAD")
    made.git("update-ref", "refs/remotes/origin/HEAD", made.a.hex())
    found = resolve(Repository(made.path), "origin")
    assert (found.commit, found.reference) == (made.a, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing", "names no commit"),
        ("HEAD~9", "has no parent number 1"),
        ("HEAD^3", "has no parent number 3"),
        ("HEAD:f", "is a blob"),
        ("HEAD^{tree}", "names no commit|is a tree"),
        ("bad name\x1b[31m", "names no commit"),
        ("0123456789", "names no commit"),
        ("", None),
    ],
)
def test_what_names_no_commit(made, text, reason):
    repository = Repository(made.path)
    if reason is None:
        assert resolve(repository, text).commit == made.m
        return
    with pytest.raises(BadRevision, match=reason) as caught:
        resolve(repository, text)
    assert "\x1b" not in str(caught.value)


def test_a_blob_by_its_id_or_through_a_tag(made):
    blob = made.git("rev-parse", "HEAD:f")
    made.git("tag", "-a", "-m", "t", "blob-tag", blob)
    for text in (blob, "blob-tag"):
        with pytest.raises(BadRevision, match="is a blob, not a commit"):
            resolve(Repository(made.path), text)


def test_tags_of_tags_without_end(made):
    name = "heavy"
    for depth in range(8):
        made.git("tag", "-a", "-m", "t", f"deep{depth}", name)
        name = f"deep{depth}"
    with pytest.raises(BadRevision, match="tag of a tag"):
        resolve(Repository(made.path), name)


def test_a_malformed_tag(made):
    tag = made.git("mktag", "--no-strict", stdin=f"object {made.m.hex()}\ntype commit\ntag x\nextra y\n\nm\n".encode())
    made.git("update-ref", "refs/tags/odd", tag)
    with pytest.raises(BadRevision, match="malformed tag"):
        resolve(Repository(made.path), "odd")


def test_an_unborn_branch_and_a_detached_head(made, tmp_path):
    made.git("checkout", "-q", "--detach")
    assert resolve(Repository(made.path), "HEAD").reference is None
    empty = GitRepository(tmp_path / "empty")
    with pytest.raises(BadRevision, match="refs/heads/main, which has no commit yet"):
        resolve(Repository(empty.path), "HEAD")
