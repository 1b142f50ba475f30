"""A commit's tree, also where what is in it is broken."""

import pytest

from fixtures.lib import policies
from fixtures.lib.history import History
from fixtures.lib.keys import ALICE, CAROL
from fixtures.lib.repository import Repository as Files
from gitverify.errors import OversizedMaterial
from gitverify.material import CertificateStore
from gitverify.policies import native
from gitverify.policies.model import Dialect
from gitverify.policyedit.place import CommittedTree, PolicyName
from gitverify.report.policy import excerpt
from gitverify.session import UsageProblem
from gitverify.source import Repository

NAME = PolicyName(b".gitverify.yaml", Dialect.NATIVE)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "repo")


def opened(files, commit):
    return CommittedTree(Repository(files.path), bytes.fromhex(commit))


def test_what_is_where(files):
    history = History(files)
    text = policies.native({"alice": [ALICE]})
    tree = opened(files, history.commit("one", {policies.NATIVE: text, "a/b": "b\n"}, sign=ALICE))
    assert [tree.kind(path) for path in (b"a", b"a/b", b"a/b/c", b"x")] == ["directory", "file", "nothing", "nothing"]
    assert tree.policy_files() == [b".gitverify.yaml"]
    assert tree.data(b".gitverify.yaml") == text.encode()
    assert tree.data(b"a") is None
    assert tree.policy(NAME).editors == {"alice"}
    assert tree.policy(PolicyName(b"x", Dialect.NATIVE)) is None
    assert not tree.material(native.parse(text.encode())).known(CAROL.id)


def test_more_certificates_than_are_read(files, monkeypatch):
    def refuse(*arguments):
        raise OversizedMaterial("too many")

    monkeypatch.setattr(CertificateStore, "at", refuse)
    text = policies.native({"alice": [ALICE, CAROL]})
    tree = opened(files, History(files).commit("one", {policies.NATIVE: text}, sign=ALICE))
    with pytest.raises(UsageProblem, match="too many"):
        tree.material(native.parse(text.encode()))


def test_excerpts_of_what_is_not_there():
    assert excerpt(b"a\n", 3, 1) == []
    assert excerpt(b"a\n", 0, 0) == []
    assert excerpt(b"a\tb\r\n", 1, 99) == ["  a\\x09b", "        ^"]
    (line, caret) = excerpt(b"x" * 500 + b"!" + b"y" * 500, 1, 501)
    assert len(line) < 120
    assert line[caret.index("^")] == "!"


def test_a_malformed_tree_and_commit(files):
    entry = b"100644 .git\0" + bytes(20)
    broken = files.objects.write("tree", entry)
    commit = files.objects.write(
        "commit", f"tree {broken}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx\n".encode()
    )
    with pytest.raises(UsageProblem, match=r"the tree of .* is malformed"):
        opened(files, commit).kind(b"a")
    with pytest.raises(UsageProblem, match=" is malformed: "):
        opened(files, files.objects.write("commit", b"nothing\n"))
