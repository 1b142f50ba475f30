"""An audit as text, JSON and a page: what it shows of hostile names, and that each holds to its form."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from gitverify.audit.model import (
    Audit,
    Author,
    Counts,
    Folder,
    KeyUse,
    Merge,
    Part,
    Person,
    Reason,
    Stranger,
    Suggestion,
)
from gitverify.policies.native import parse
from gitverify.report.audit_html import write_audit_html
from gitverify.report.audit_json import write_audit_json
from gitverify.report.audit_model import AuditReport, percent, rows
from gitverify.report.audit_text import write_audit_text
from gitverify.report.model import CommitLine
from tests.signing import ssh_line

SCHEMA = json.loads((Path(__file__).parents[2] / "gitverify/report/audit.schema.json").read_text())
COMMIT = bytes(range(20))
HOSTILE = [
    b"<script>alert(1)</script>",
    b"</style><script>alert(1)</script>",
    b"</title><img src=x onerror=alert(1)>",
    b"\"' onmouseover=alert(1) x='\"",
    b"--></details><!-- <![CDATA[",
    b"&lt;b&gt;&#60;",
    b"\x1b[2J\x00\x07\r\n",
    b"\xff\xfe\xe2\x80",
    "\u202egnp.exe\u2066 \u05d0\u05d1".encode(),
    b"{left:0}} * {display:none",
    b"a" * 5000,
]
POLICY = f"version: 1\npeople:\n  alice:\n    keys: [{ssh_line('ssh0')}]\ngrants: [{{paths: [/], people: [alice]}}]\n"
UNDEFINED = {"link", "script", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "a", "input"}


def report(name=b"dir", *, proposed=True, **more):
    """An audit in which everything that somebody else can write is ``name``."""
    path = name.replace(b"/", b"|") + b"/"
    counts = Counts(commits=9, authentic=3, listed=2, unlisted=3, unsigned=3, void=1)
    below = Folder(path + path, counts, 1, 2.5, 0.5, 4, unprotected=True)
    values = {
        "tip": COMMIT,
        "newest": 1_700_000_000,
        "oldest": 10**20,
        "proposed": parse(POLICY.encode()) if proposed else None,
        "policy_path": name,
        "introduction": COMMIT,
        "total": counts,
        "changes": Part(5, 7),
        "paths": Part(0, 6),
        "folders": [
            Folder(b"", counts, 0, 9.0, 3.0, 20),
            Folder(path, counts, 2, 6.0, 1.0, 10),
            below,
            Folder(b"\xff\xff/", counts, 1, 2.0, 2.0, 9),
        ],
        "people": [Person(name.decode("latin-1"), 3, 2, [KeyUse("SHA256:a", 3, 1)]), Person("nobody")],
        "strangers": [
            Stranger(KeyUse("SHA256:b", 2, 5), True, name, 2, COMMIT, line="ssh-ed25519 AAAA"),
            Stranger(KeyUse("5DE3E0509C47EA3C", 2, 5), False, name, 2, COMMIT, forge="GitHub"),
            Stranger(KeyUse("0" * 40, 1, 5), False, name, 0, COMMIT, line="openpgp: 0", listed=name.decode("latin-1")),
        ],
        "authors": [Author(name, counts)],
        "reasons": [Reason("unsigned", "R8", 6, COMMIT)],
        "merges": {Merge.MECHANICAL: counts, Merge.OTHERWISE: counts, Merge.UNSUPPORTED: Counts()},
        "mergeable": 4,
        "suggestions": [Suggestion(path, 2, 5, 10)],
        "files": 20,
        "immeasurable": 1,
    }
    words = name.decode("utf-8", "surrogateescape")
    lines = {COMMIT: CommitLine(name, name, 0)}
    return AuditReport(
        audit=Audit(**(values | more)), repository=words, rev=words, policy=words, lines=lines, seconds=1.5
    )


def empty():
    nothing = {"folders": [], "people": [], "strangers": [], "authors": [], "reasons": [], "suggestions": []}
    none = {
        "total": Counts(),
        "changes": Part(0, 0),
        "paths": Part(0, 0),
        "mergeable": 0,
        "files": 0,
        "immeasurable": 0,
    }
    return report(
        proposed=False, introduction=None, merges={kind: Counts() for kind in Merge}, **nothing, **none
    )  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and the text outside of style."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.style, self._open = [], "", "", []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name != "meta":
            self._open.append(name)

    def handle_endtag(self, name):
        assert self._open.pop() == name

    def handle_data(self, data):
        if self._open[-1:] == ["style"]:
            self.style += data
        else:
            self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_has_the_same_elements_whoever_wrote_its_text(name):
    found, plain = Page(write_audit_html(report(name))), Page(write_audit_html(report()))
    assert [element for element, _ in found.elements] == [element for element, _ in plain.elements]
    assert [set(a) for _, a in found.elements] == [set(a) for _, a in plain.elements]
    assert found.style == plain.style
    assert not UNDEFINED & {element for element, _ in found.elements}
    assert not any(key.startswith("on") or key == "style" for _, attributes in found.elements for key in attributes)


@pytest.mark.parametrize("write", [write_audit_html, write_audit_text, write_audit_json])
@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_moves_a_cursor_or_reorders_text_gets_through(name, write):
    made = write(report(name))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", made)
    made.encode()


def test_a_page_allows_itself_its_own_style_and_nothing_else():
    page = Page(write_audit_html(report()))
    (security,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert security.split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert not any("src" in a or "href" in a for _, a in page.elements)


def test_a_page_says_it_without_colours_too():
    page = Page(write_audit_html(report()))
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(identifiers) == len(set(identifiers)) > 3
    assert all(f"#{identifier} {{" in page.style for identifier in identifiers)
    (drawn,) = [a for _, a in page.elements if a.get("role") == "img"]
    assert "Map of the folders" in drawn["aria-label"]
    assert "dir/dir/: work of 2.5 commits, 20.0 % authentic, unprotected" in [a.get("title") for _, a in page.elements]
    for words in ("Coverage", "Folders", "33.3 %", "dir/", "(unprotected)", "+2", "4 more merges", "ssh-ed25519 AAAA"):
        assert words in page.text
    assert "prefers-color-scheme: dark" in page.style


@pytest.mark.parametrize("made", [report(), report(proposed=False), empty(), *map(report, HOSTILE)])
def test_json_keeps_its_schema(made):
    found = json.loads(write_audit_json(made))
    jsonschema.validate(found, SCHEMA)
    assert write_audit_json(made).isascii()


def test_json_in_full():
    found = json.loads(write_audit_json(report()))
    assert found["coverage"]["commits"] == {"authentic": 3, "total": 9}
    assert found["folders"][0]["path"] == "/"
    assert found["folders"][2] == {
        "path": "dir/dir/",
        "commits": 9,
        "authentic": 3,
        "listed": 2,
        "unlisted": 3,
        "unsigned": 3,
        "void": 1,
        "unblocks": 1,
        "weight": 2.5,
        "authentic_weight": 0.5,
        "files": 4,
        "unprotected": True,
    }
    assert found["suggestions"] == {
        "unprotected": [{"prefix": "dir/", "gained": 2, "authentic": 5, "files": 10}],
        "unsigned_merges": 4,
    }
    assert [key["listed"] for key in found["keys"]] == [None, None, "dir"]


def test_every_field_of_the_json_is_documented():
    page = (Path(__file__).parents[2] / "docs/adoption.md").read_text().partition("## JSON")[2]
    documented = set(re.findall("`([a-z_]+)`", page))

    def fields(part):
        for key, value in part.get("properties", {}).items():
            yield key
            yield from fields(value)
        for inner in (*([part["items"]] if "items" in part else []), *part.get("anyOf", ())):
            yield from fields(inner)

    expected = set(fields(SCHEMA))
    for part in SCHEMA["$defs"].values():
        expected |= set(fields(part))
    assert not expected - documented


def test_text():
    text = write_audit_text(report())
    for words in (
        "judged by  the proposed policy dir; each commit on its own",
        "33.3 %          3 of         9 commits",
        "6  unsigned (R8)",
        "such as 000102030405 “dir”",
        "dir/ *",
        "dir/                                    +2     55.6 %    10 files (50.0 %)",
        "“unsigned_merges: true” would give          +4 merges",
        "GitHub: never list it, last 1970-01-01, by name only",
        "2 commits are refused for want of it",
        "listed for dir: its certificate is missing",
        "note: 1 of the commits change more than can be looked at",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100


def test_nothing_to_show():
    assert "the range is empty" in write_audit_text(empty())
    page = Page(write_audit_html(empty()))
    assert "No commit changes anything." in page.text
    assert "All of them would be." in page.text
    assert "policies as they are" in page.text


def test_a_history_from_before_there_was_a_policy_says_so():
    reasons = [Reason("policy-missing", "R14", 1, COMMIT)]
    assert "before there was a policy" in "".join(report(proposed=False, reasons=reasons).notes)
    assert "before there was a policy" not in "".join(report(reasons=reasons).notes)


def test_long_lists_end():
    counts = Counts(1, 0, 0, 0, 1, 0)
    many = [Folder(b"%04d/" % number, counts, 0, 1.0) for number in range(3000)]
    made = report(
        folders=[Folder(b"", counts, 0, 3000.0), *many],
        authors=[Author(b"%d" % number, counts) for number in range(300)],
        people=[Person(f"p{number}") for number in range(300)],
        strangers=[Stranger(KeyUse(f"SHA256:{n}", 1, 1), True, b"a", 1, COMMIT) for n in range(300)],
    )
    found = json.loads(write_audit_json(made))
    assert (len(found["folders"]), len(found["authors"]), len(found["keys"])) == (2000, 200, 200)
    assert len(write_audit_text(made).splitlines()) < 200
    assert "290 more" in write_audit_text(made)
    assert len(write_audit_html(made)) < 500_000


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, "-"),
        (0, 5, "0.0 %"),
        (1, 5000, "<0.1 %"),
        (5, 10, "50.0 %"),
        (99_999, 100_000, "99.9 %"),
        (7, 7, "100.0 %"),
    ],
)
def test_only_all_is_all_and_only_nothing_is_nothing(part, whole, expected):
    assert percent(part, whole) == expected
    assert percent(part, whole, decimals=0) == expected.replace(".0", "").replace("<0.1", "<1").replace("99.9", "99")


def test_rows_stand_below_what_holds_them():
    counts = [Counts(commits=n) for n in (9, 5, 4, 3, 1)]
    paths = [b"", b"a/", b"a/b/c/", b"d/", b"z/"]
    found = rows([Folder(path, count) for path, count in zip(paths, counts, strict=True)], 3)
    assert [(row.name, row.depth) for row in found] == [(b"a/", 0), (b"b/c/", 1), (b"d/", 0)]
