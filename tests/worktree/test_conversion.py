"""Files that git changes on checkout: line ends that the commit asks for, and everything else."""

import pytest
from worktree.checkout import Checkout, kinds


def test_line_ends_that_the_commit_asks_for(tmp_path):
    made = Checkout(
        tmp_path / "checkout",
        **{
            ".gitattributes": "*.bat eol=crlf\n*.txt text\n*.auto text=auto eol=crlf\n",
            "a.bat": "a\nb\n",
            "a.txt": "a\n",
            "lib/.gitattributes": "kept.bat -text\n",
            "lib/kept.bat": "a\n",
            "a.auto": "a\n",
            "binary.auto": b"\0\n",
        },
    )
    made.again()
    assert (made.path / "a.bat").read_bytes() == b"a\r\nb\r\n"
    found = made.compare()
    assert not found.differences
    assert found.converted == [b"a.auto", b"a.bat"]
    made.put({"a.bat": b"a\r\nc\r\n"})
    assert made.differences() == {"a.bat": "modified: other content than in the commit"}
    made.put({"a.bat": b"a\r\nb\n"})
    assert made.differences() == {
        "a.bat": "modified: only the line ends are others than in the commit, and not as its .gitattributes asks either"
    }
    made.again()
    (made.path / "a.bat").chmod(0o755)
    assert "executable" in made.differences()["a.bat"]
    made.put({"lib/kept.bat": "a\r\n"})
    assert "only the line ends" in made.differences()["lib/kept.bat"]


@pytest.mark.parametrize(("name", "value"), [("core.autocrlf", "true"), ("core.eol", "crlf")])
def test_line_ends_that_the_clone_asks_for(tmp_path, name, value):
    made = Checkout(tmp_path / "checkout", **{".gitattributes": "README text\n"})
    made.git("config", name, value)
    made.again()
    assert made.differences()["README"] == (
        f"modified: only the line ends are others than in the commit; this clone has {name} = {value}"
    )


def test_the_clones_own_attributes_do_not_count(tmp_path):
    made = Checkout(tmp_path / "checkout", **{".gitattributes": "*.bat eol=crlf\n", "a.bat": "a\n", "alone": "b\n"})
    made.again()
    (made.path / ".git" / "info").mkdir(exist_ok=True)
    (made.path / ".git" / "info" / "attributes").write_text("*.bat -text\nalone eol=crlf\n")
    assert not made.differences()
    made.again()
    assert (made.path / "alone").read_bytes() == b"b\r\n"
    assert made.differences() == {"alone": "modified: only the line ends are others than in the commit"}


def test_attributes_that_the_commit_lacks_do_not_count(tmp_path):
    made = Checkout(tmp_path / "checkout", **{".gitattributes": "", "b": "b\n"})
    made.put({".gitattributes": "* eol=crlf\n", "b": b"b\r\n"})
    assert kinds(made.differences()) == {".gitattributes": "modified", "b": "modified"}


@pytest.mark.parametrize(
    ("attribute", "content", "word"),
    [
        ("filter=upper", "a\n", "filter “upper”"),
        ("filter=upper eol=crlf", "a\n", "filter “upper”"),
        ("working-tree-encoding=UTF-16LE", "a\n", "UTF-16LE"),
        ("ident", "$Id$\n", "ident"),
    ],
)
def test_files_that_git_changes_on_checkout_are_refused(tmp_path, attribute, content, word):
    made = Checkout(tmp_path / "checkout", **{"odd": content, ".gitattributes": ""})
    made.put({".gitattributes": f"odd {attribute}\n"})
    made.git("add", ".gitattributes")
    made.git("commit", "-q", "-m", "attributes")
    made.git("config", "filter.upper.smudge", "tr a-z A-Z")
    made.again()
    (message,) = made.differences().values()
    assert word in message
    made.put({"odd": content})
    assert not made.differences(), "these are the bytes that were signed"
