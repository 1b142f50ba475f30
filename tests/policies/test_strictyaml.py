"""The strict subset of YAML: what is in it, what is not, and that both of PyYAML's parsers say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies import strictyaml
from gitverify.policies.strictyaml import PARSERS, Mapping, Sequence, Text, read

BY_NAME = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)


def plain(node):
    """The node without its places."""
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert list(node.keys) == list(node.values)
    return {key: plain(value) for key, value in node.values.items()}


@BY_NAME
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b", {"a": "b"}),
        ("a: b\n", {"a": "b"}),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("---\na: b\n...\n", {"a": "b"}),
        ("# comment\na: b # more\n", {"a": "b"}),
        ("- a\n- b\n", ["a", "b"]),
        ("[a, b]", ["a", "b"]),
        ("{a: b, c: [d, {e: f}]}", {"a": "b", "c": ["d", {"e": "f"}]}),
        ("just text", "just text"),
        ("[]", []),
        ("{}", {}),
        ("[a, b,]", ["a", "b"]),
        ("a:\n- b\n", {"a": ["b"]}),
        ("a:\n  b: c\n  d:\n    - e: f\n      g: h\n", {"a": {"b": "c", "d": [{"e": "f", "g": "h"}]}}),
        # Every scalar is text, whatever YAML makes of it.
        ("[yes, no, null, ~, true, 1, 0x1f]", ["yes", "no", "null", "~", "true", "1", "0x1f"]),
        ("[1.5, 1e3, .inf, 1_0]", ["1.5", "1e3", ".inf", "1_0"]),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 0123456789012345678901234567890123456789", {"a": "0123456789012345678901234567890123456789"}),
        ("1: 2", {"1": "2"}),
        ("yes: no\nno: yes", {"yes": "no", "no": "yes"}),
        ("a: =", {"a": "="}),
        # Quotes.
        ("""a: 'it''s'\nb: "x\\ty\\u00e9\\"\"""", {"a": "it's", "b": 'x\ty\u00e9"'}),
        ('a: ""', {"a": ""}),
        ("['a: b', \"c?\"]", ["a: b", "c?"]),
        ("a: b:c", {"a": "b:c"}),
        ("a: what?", {"a": "what?"}),
        ("a: pkgs/caf\u00e9/\U0001f600/", {"a": "pkgs/caf\u00e9/\U0001f600/"}),
        ("? a\n: b", {"a": "b"}),
        ("a: 'b\u200dc'", {"a": "b\u200dc"}),
    ],
)
def test_the_subset(parser, text, expected):
    assert plain(read(text.encode(), parser)) == expected


REFUSED = {
    "nothing": ("", 1, 1, "empty"),
    "only a comment": ("# a\n\n", 1, 1, "empty"),
    "a second document": ("a: b\n---\na: b\n", 2, 1, "second document"),
    "an anchor": ("a: &x b", 1, 4, "anchors"),
    "an anchor on a list": ("a: &x [b]", 1, 4, "anchors"),
    "an alias": ("a: b\nc: *x", 2, 4, "aliases"),
    "a tag": ("a: !!str b", 1, 4, "tags"),
    "a local tag": ("a: !x [b]", 1, 4, "tags"),
    "a bare tag": ("a: ! b", 1, 4, "tags"),
    "a python tag": ("!!python/object/apply:os.system [x]", 1, 1, "tags"),
    "a merge key": ("a:\n  <<: {b: c}", 2, 3, "merge keys"),
    "a quoted merge key": ("'<<': b", 1, 1, "merge keys"),
    "a key twice": ("a: b\nc: d\na: b\n", 3, 1, "“a” stands here twice, first in line 1"),
    "a key twice, quoted": ("a: b\n'a': c\n", 2, 1, "twice"),
    "a key twice in brackets": ("{a: b, a: b}", 1, 8, "twice"),
    "a list as key": ("[a]: b", 1, 1, "a key must be text"),
    "a mapping as key": ("? {a: b}\n: c", 1, 3, "a key must be text"),
    "a directive": ("%YAML 1.1\n---\na: b", 1, 1, "directives"),
    "an unknown directive": ("# x\n%X y\n---\na: b", 2, 1, "directives"),
    "literal text": ("a: |\n  b\n", 1, 4, "block text"),
    "folded text": ("a: >-\n  b\n", 1, 4, "block text"),
    "text on two lines": ("a: b\n  c\n", 1, 4, "end on the line"),
    "quoted text on two lines": ("a: 'b\n  c'\n", 1, 4, "end on the line"),
    "no value": ("a:\nb: c", None, None, "a value is missing"),
    "no item": ("- a\n-\n- b", None, None, "a value is missing"),
    "no value in brackets": ("{a, b: c}", None, None, "a value is missing"),
    "a colon in brackets": ("[a:b]", 1, 2, "in quotes"),
    "a question mark in brackets": ("[a?]", 1, None, "in quotes|this is not YAML"),
    "no space after the colon": ("{'a':'b'}", 1, 6, "a space must follow the colon"),
    "no space before a list": ("{'a':[b]}", 1, 6, "a space must follow the colon"),
    "a tab": ("a:\n\tb: c", 2, 1, "a tab"),
    "a tab in text": ("a: b\tc", 1, 5, "a tab"),
    "a lone CR": ("a: b\rc: d", 1, 5, r"\\x0d"),
    "a control character": ("a: b\x1b[31m", 1, 5, r"\\x1b"),
    "a NUL": ("a: b\0", 1, 5, r"\\x00"),
    "a next line character": ("a: b\x85c: d", 1, 5, r"\\x85"),
    "a line separator": ("a: b\u2028c: d", 1, 5, r"\\u2028"),
    "a byte order mark": ("\ufeffa: b", 1, 1, r"\\ufeff"),
    "a noncharacter": ("a: b\uffff", 1, 5, r"\\uffff"),
    "an escaped surrogate": ('a: "\\ud800"', 1, None, "YAML|no character"),
    "an escape beyond Unicode": ('a: "\\UFFFFFFFF"', None, None, "this is not YAML"),
    "an unknown escape": ('a: "\\q"', 1, None, "this is not YAML"),
    "an open list": ("a: [b", 1, None, "this is not YAML"),
    "an open quote": ("a: 'b", 1, None, "this is not YAML"),
    "two values": ("a: b: c", 1, 5, "mapping values are not allowed"),
    "bad indentation": ("a:\n    b: c\n  d: e\n", 3, 3, "this is not YAML"),
    "an at sign": ("people: [@games]", 1, 10, "must stand in quotes"),
    "text after the document": ("[a] b", 1, 5, "this is not YAML"),
}


@BY_NAME
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_in_the_subset_has_a_place(parser, name):
    text, line, column, message = REFUSED[name]
    with pytest.raises(PolicyError, match=message) as refused:
        read(text.encode(), parser)
    assert refused.value.code == "policy-invalid"
    assert line in {None, refused.value.line}
    assert column in {None, refused.value.column}


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"\xff", 1, 1), (b"a: b\nc: \xc3\xa9\xe9\n", 2, 5), (b"a: \xed\xa0\x80", 1, 4), ("a: b".encode("utf-16"), 1, 1)],
)
def test_bytes_that_are_not_utf_8_have_a_place(data, line, column):
    with pytest.raises(PolicyError, match="not UTF-8") as refused:
        read(data)
    assert (refused.value.line, refused.value.column) == (line, column)


@BY_NAME
def test_places_count_from_one(parser):
    node = read("a: b\n\u00e9:\n  - [c, \u00e9, d]\n".encode(), parser)
    assert (node.line, node.column) == (1, 1)
    assert node.keys["\u00e9"] == Text("\u00e9", 2, 1)
    inner = node.values["\u00e9"].items[0]
    assert inner == Sequence((Text("c", 3, 6), Text("\u00e9", 3, 9), Text("d", 3, 12)), 3, 5)


@BY_NAME
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_depth_has_a_limit(parser, opening, closing):
    depth = LIMITS.policy_depth
    assert read((opening * depth + "x" + closing * depth).encode(), parser)
    with pytest.raises(PolicyError, match=f"nested more than {depth} deep"):
        read((opening * (depth + 1) + "x" + closing * (depth + 1)).encode(), parser)


@BY_NAME
def test_the_number_of_nodes_has_a_limit(parser, monkeypatch):
    monkeypatch.setattr(strictyaml, "LIMITS", replace(LIMITS, policy_nodes=20))
    assert len(read(b"- a\n" * 15, parser).items) == 15
    with pytest.raises(PolicyError, match="more than 20 entries"):
        read(b"- a\n" * 20, parser)


def test_size_has_a_limit():
    filler = b"#" * (LIMITS.policy_size - 5)
    assert read(b"a: b\n" + filler)
    with pytest.raises(PolicyError, match=f"more than {LIMITS.policy_size}"):
        read(b"a: b\n#" + filler)


def test_an_alias_bomb_does_not_grow():
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(PolicyError, match="anchors"):
        read(bomb.encode())


UNITS = ["[", "{", "- ", "? ", "a: ", "{a: ", "[a, ", '"', "!", "&a ", "*a ", "---\n", "#"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_mebibyte_of_the_same_ends_soon(unit):
    with pytest.raises(PolicyError):
        read((unit * (LIMITS.policy_size // len(unit))).encode())


@pytest.mark.parametrize("mark", [None, yaml.Mark("file", 9, 7, 0, None, None)])
def test_an_error_has_a_place_that_the_file_has(monkeypatch, mark):
    def parse(*_args, **_more):
        raise yaml.MarkedYAMLError(problem="\x1b", context_mark=mark)

    monkeypatch.setattr(yaml, "parse", parse)
    with pytest.raises(PolicyError, match=r"this is not YAML: \\x1b") as refused:
        read(b"a\nbc")
    assert (refused.value.line, refused.value.column) == ((2, 3) if mark else (0, 0))


CHARACTERS = list(":,-?[]{}#'\"\\|>&*!%@`=~a1")
SPACED = [" ", "  ", "\n", "\n  ", "\n- ", "- ", ": ", ", ", " #", "\r\n", "\\\n", "[a: b]", "a: b", "---", "..."]
OTHERS = ["\\x41", "\\ud800", "\\/", "<<", "::", "-:", "?:", ":a", "?a", "-a", "'a':", '"a":', "\u00e9", "\U0001f600"]
TOKENS = st.sampled_from([*CHARACTERS, *SPACED, *OTHERS])


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=14), st.sampled_from(["{}", "k: {}", "k:\n  - {}", "{{k: [{}]}}"]))
def test_both_parsers_read_the_same(tokens, frame):
    answers = []
    for parser in PARSERS:
        try:
            answers.append(read(frame.format("".join(tokens)).encode(), parser))
        except PolicyError:
            answers.append(None)
    assert answers.count(answers[0]) == len(answers)


def test_there_are_two_parsers_to_compare():
    # Without libyaml the tests above compare nothing.
    assert [parser.__name__ for parser in PARSERS] == ["CSafeLoader", "SafeLoader"]


def test_a_mapping_keeps_its_order():
    assert isinstance(read(b"b: 1\na: 2\n"), Mapping)
    assert list(read(b"b: 1\na: 2\n").values) == ["b", "a"]


@pytest.mark.parametrize("parser", PARSERS)
def test_where_nodes_stand(parser):
    text = "a:\r\n- \u00e9 \U0001f600  # c\r\n- [x: 'y' , {z: \"1\"} ]\r\nb:\r\n    c: d   # e\r\n\r\n# end\r\n"
    located = strictyaml.locate(text.encode(), parser)

    def piece(node):
        span = located.span(node)
        return located.text[span.start : span.end], span.flow

    top = located.document
    first, second = top.values["a"].items
    assert piece(top) == (text[: text.index("   # e")], False)
    assert piece(top.values["a"]) == (text[4 : text.index("\r\nb:")], False)
    assert piece(first) == ("\u00e9 \U0001f600", False)
    assert piece(second) == ("[x: 'y' , {z: \"1\"} ]", True)
    assert piece(second.items[0]) == ("x: 'y'", True)
    assert piece(second.items[0].values["x"]) == ("'y'", False)
    assert piece(second.items[1]) == ('{z: "1"}', True)
    assert piece(top.values["b"]) == ("c: d", False)
    assert piece(top.keys["b"]) == ("b", False)
