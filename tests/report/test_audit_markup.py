"""No text gets into a page unescaped, whoever wrote it."""

import html
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitverify.report.audit_markup import Markup, join, row, table, tag, text
from gitverify.text import shown


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.data = [], []

    def handle_starttag(self, name, attributes):
        self.tags.append((name, dict(attributes)))

    def handle_data(self, data):
        self.data.append(data)


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader.tags, "".join(reader.data)


@given(st.text(), st.binary())
def test_content_comes_out_as_text(words, raw):
    tags, data = read(tag("p", words, raw))
    assert [name for name, _ in tags] == ["p", "bdi"]
    # Carriage returns and NUL are for the reader to normalise; bytes have none of them left.
    assert data.replace("\0", "").replace("\r", "") == (words + shown(raw)).replace("\0", "").replace("\r", "")


@given(st.text(), st.binary())
def test_attributes_come_out_as_attributes(words, raw):
    (one,), data = read(tag("p", title=words, lang=raw))
    assert one == ("p", {"title": html.unescape(html.escape(words)), "lang": shown(raw)})
    assert data == ""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (tag("p", hidden=True, lang=None, id_="x"), '<p hidden id="x"></p>'),
        (tag("p", hidden=False), "<p></p>"),
        (tag("meta", charset="utf-8"), '<meta charset="utf-8">'),
        (tag("div", aria_label="a"), '<div aria-label="a"></div>'),
        (tag("p", 1234567), "<p>1,234,567</p>"),
        (text(b"\xff\x1b"), '<bdi dir="ltr">\\xff\\x1b</bdi>'),
        (join(["<", Markup("<b>"), "&"]), "&lt;<b>&amp;"),
    ],
)
def test_forms(made, expected):
    assert made == expected
    assert isinstance(made, Markup)


def test_a_table_says_what_its_cells_are():
    made = table("Folders", ("folder", "commits", "what"), [row(b"a/", 3, tag("b", "x"))], note="so", left=(2,))
    tags, data = read(made)
    names = [name for name, _ in tags]
    assert names.count("caption") == names.count("thead") == names.count("tbody") == 1
    assert [one["scope"] for name, one in tags if name == "th"] == ["col", "col", "col", "row"]
    assert [one["class"] for name, one in tags if name == "td"] == ["n", "left"]
    assert ("div", {"class": "wide", "tabindex": "0", "role": "region", "aria-label": "Folders"}) in tags
    assert data == "Foldersfoldercommitswhata/3xso"
