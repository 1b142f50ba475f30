"""Names that are taken for .git (R7), and their harmless neighbours."""

import pytest

from gitverify.export.names import looks_like_git

EVERYWHERE = [b".git", b".GIT", b".Git"]  # R7 refuses these in every tree that is read

ALIKE = [
    b"git~1",
    b"GIT~1",
    b"Git~23",
    b".git ",
    b".git.",
    b".git. . ..",
    b"GIT~1 ",
    b".git::$INDEX_ALLOCATION",
    b".git:x",
    b".git ::$INDEX_ALLOCATION",
    b"git~1:",
    b"a\\.git\\config",
    b".git\\config",
    b"a\\GIT~1",
    ".g\u200cit".encode(),
    "\u200d.git".encode(),
    ".git\u200e".encode(),
    ".\u202agi\u202et".encode(),
    ".gi\u206ft".encode(),
    "\ufeff.git".encode(),
    ".GI\u200bT".encode(),
    ".g\u00adit".encode(),
    ".gi\ufe0ft".encode(),
    ".g\u034fit".encode(),
    ".gi\U000e0074t".encode(),
    "g\u200cit~1".encode(),
    ".git\u200b .".encode(),
    ".\uff47\uff49\uff54".encode(),
    "\uff0egit".encode(),
    ".g\u0131t".encode(),
    ".G\u0130T".encode(),
    "\u200c.git:x".encode(),
    "ä\\.git".encode(),
]

OTHER = [
    b".gitignore",
    b".gitattributes",
    b".gitmodules",
    b".github",
    b".gitverify.yaml",
    b".git-blame-ignore-revs",
    b".git~1",
    b"git",
    b"git~",
    b"git~x",
    b"git~1x",
    b"gitk~1",
    b"x.git",
    b"..git",
    b". git",
    b" .git",
    b".gi t",
    b".gi",
    b".gitt",
    b"...",
    b"a:b",
    b"a\\b",
    b"a.git:x",
    "digit\u00e4t".encode(),
    ".g\u00edt".encode(),
    ".gi\u0301t".encode(),
    "\u200c".encode(),
    b"\xff",
    b".gi\xfft",
]


@pytest.mark.parametrize("name", EVERYWHERE + ALIKE, ids=ascii)
def test_refused(name):
    assert looks_like_git(name)


@pytest.mark.parametrize("name", OTHER, ids=ascii)
def test_taken(name):
    assert not looks_like_git(name)
