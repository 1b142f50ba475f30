"""Line ends, compared with what git checks out."""

import pytest
from gitrepo import GitRepository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitverify.worktree.lineends import LineEnds, checked_out, line_ends, same_but_for_line_ends

CONTENT = st.lists(
    st.sampled_from([b"a", b"\n", b"\r\n", b"\r", b"\0", b"\x1a", b"\x01", b"\x7f", b"x" * 130, b"\t", b"\xff"]),
    max_size=8,
).map(b"".join)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    return GitRepository(tmp_path_factory.mktemp("lineends"))


@pytest.mark.parametrize("text", ["text", "text=auto", ""])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(CONTENT, min_size=1, max_size=20, unique=True))
def test_as_git_checks_out(checkout, text, contents):
    (checkout.path / ".gitattributes").write_text(f"* {text} eol=crlf\n")
    for content in contents:
        blob = checkout.git("hash-object", "-w", "--stdin", "--no-filters", stdin=content)
        made = checkout.raw("cat-file", "--filters", "--path=f", blob)
        ends = line_ends({b"text": {"text": True, "text=auto": b"auto"}.get(text), b"eol": b"crlf"})
        assert checked_out(content, ends) == made


@pytest.mark.parametrize(
    ("attributes", "ends"),
    [
        ({}, LineEnds.LOCAL),
        ({b"text": True}, LineEnds.LOCAL),
        ({b"text": b"auto"}, LineEnds.LOCAL),
        ({b"crlf": True}, LineEnds.LOCAL),
        ({b"text": None, b"eol": b"crlf"}, LineEnds.CRLF),
        ({b"text": False, b"eol": b"crlf"}, LineEnds.AS_STORED),
        ({b"crlf": False, b"eol": b"crlf"}, LineEnds.AS_STORED),
        ({b"text": True, b"crlf": False, b"eol": b"crlf"}, LineEnds.CRLF),
        ({b"text": b"auto", b"eol": b"crlf"}, LineEnds.CRLF_IF_TEXT),
        ({b"text": b"input"}, LineEnds.AS_STORED),
        ({b"crlf": b"input"}, LineEnds.AS_STORED),
        ({b"text": b"input", b"eol": b"crlf"}, LineEnds.CRLF),
        ({b"eol": b"lf"}, LineEnds.AS_STORED),
        ({b"eol": b"nonsense"}, LineEnds.LOCAL),
        ({b"eol": True}, LineEnds.LOCAL),
    ],
)
def test_attributes(attributes, ends):
    assert line_ends(attributes) is ends


@pytest.mark.parametrize("ends", [LineEnds.LOCAL, LineEnds.AS_STORED])
def test_what_the_commit_does_not_ask_for_is_not_done(ends):
    assert checked_out(b"a\nb\r\n", ends) == b"a\nb\r\n"


def test_same_but_for_line_ends():
    assert same_but_for_line_ends(b"a\r\nb\n", b"a\nb\r\n")
    assert not same_but_for_line_ends(b"a\r\nb\n", b"a\nb\r")
