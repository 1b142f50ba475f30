"""A strict subset of YAML 1.1: mappings, lists and text on one line each, in one UTF-8 document.

No anchors, aliases, tags, merge keys, directives, block scalars, tabs or duplicate keys; every scalar is text, whatever
it looks like. Nothing is built before it has been checked, so that aliases can't grow and depth can't overflow.

PyYAML tokenizes: libyaml where PyYAML has it (16 times as fast), else PyYAML's own parser. What the two read
differently is refused here, so that a verdict does not depend on which one a machine has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import yaml

from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

PARSERS: tuple[Any, ...] = tuple(getattr(yaml, name) for name in ("CSafeLoader", "SafeLoader") if hasattr(yaml, name))

# Everything but LF, CRLF, printable ASCII and characters that both parsers take as such; NEL and the Unicode line and
# paragraph separators would be line ends, and a byte order mark is for files of unknown encoding.
_FOREIGN = re.compile(
    "[^\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_PLAIN_IN_FLOW = frozenset(":?")
_SURROGATE = frozenset(map(chr, range(0xD800, 0xE000)))
_DIRECTIVE = re.compile("^%", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. ``line`` and ``column`` count from 1, here and below."""

    value: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: its values by key, and where each key stands."""

    values: dict[str, Node]
    keys: dict[str, Text]
    line: int
    column: int


Node = Text | Sequence | Mapping


class Span(NamedTuple):
    """Where a node stands in the text, in characters: the last one is before ``end``.

    ``flow``: it is written in brackets or braces. Otherwise a list or mapping ends where its last entry does.
    """

    start: int
    end: int
    flow: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """A document, its text, and where each of its nodes stands."""

    text: str
    document: Node
    spans: dict[int, Span]

    def span(self, node: Node) -> Span:
        """Return where a node of this document stands."""
        return self.spans[id(node)]


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    column: int
    is_mapping: bool
    is_flow: bool
    start: int = 0
    items: list[Node] = field(default_factory=list)
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Text] = field(default_factory=dict)
    key: Text | None = None

    def add(self, node: Node) -> None:
        """Take the next key, value or item."""
        if not self.is_mapping:
            self.items.append(node)
        elif self.key is None:
            self.key = self._new_key(node)
        else:
            self.values[self.key.value] = node
            self.key = None

    def _new_key(self, node: Node) -> Text:
        if not isinstance(node, Text):
            raise fail(node, "a key must be text, not a list or a mapping")
        if node.value == "<<":
            raise fail(node, "merge keys (<<) are not allowed: write the entries out")
        if node.value in self.keys:
            first = self.keys[node.value].line
            raise fail(node, f"the key “{shown(node.value, 64)}” stands here twice, first in line {first}")
        self.keys[node.value] = node
        return node

    def close(self) -> Node:
        if self.is_mapping:
            return Mapping(self.values, self.keys, self.line, self.column)
        return Sequence(tuple(self.items), self.line, self.column)


class _Reading:
    """Builds nodes from events."""

    def __init__(self, text: str, spans: dict[int, Span] | None = None) -> None:
        """With ``spans``, note there by ``id`` where each node stands."""
        self.document: Node | None = None
        self._text = text
        self._spans = spans
        self._end = 0  # of the last scalar, bracket or brace
        self._stack: list[_Open] = []

    def take(self, event: Any) -> None:
        match event:
            case yaml.ScalarEvent():
                scalar = _scalar(event, in_flow=self._check_place(event))
                self._note(scalar, event)
                self._add(scalar)
            case yaml.CollectionStartEvent():
                _check_plain(event)
                self._check_place(event)
                if len(self._stack) == LIMITS.policy_depth:
                    _refuse(event, f"lists and mappings are nested more than {LIMITS.policy_depth} deep")
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._stack.append(_Open(*_place(event), is_mapping, bool(event.flow_style), _start(event)))
            case yaml.CollectionEndEvent():
                opened = self._stack.pop()
                node = opened.close()
                self._note(node, event, opened)
                self._add(node)
            case yaml.AliasEvent():
                _refuse(event, "aliases (*) are not allowed: write the value out")
            case yaml.DocumentStartEvent() if self.document is not None:
                _refuse(event, "there is a second document: one file, one document")

    def _note(self, node: Node, event: Any, opened: _Open | None = None) -> None:
        """Remember where a node stands; a list or mapping without brackets has no end of its own."""
        if self._spans is None:
            return
        end = event.end_mark.index
        if opened is None or (opened.is_flow and self._text[end - 1] in "]}"):  # in brackets, “a: b” needs no braces
            self._end = end
        start = _start(event) if opened is None else opened.start
        self._spans[id(node)] = Span(start, self._end, opened is not None and opened.is_flow)

    def _check_place(self, event: Any) -> bool:
        """Return whether a node stands inside brackets."""
        in_flow = bool(self._stack) and self._stack[-1].is_flow
        if in_flow and self._text[event.start_mark.index - 1] == ":":
            _refuse(event, "a space must follow the colon")
        return in_flow

    def _add(self, node: Node) -> None:
        if self._stack:
            self._stack[-1].add(node)
        else:
            self.document = node


def fail(node: Node, message: str) -> PolicyError:
    """Return the error that something is wrong at this place."""
    return PolicyError(message, line=node.line, column=node.column)


def read(data: bytes, parser: Any = PARSERS[0]) -> Node:
    """Return the document in ``data``.

    ``parser`` is one of :data:`PARSERS`; all of them give the same answer. Raises :class:`PolicyError` for anything
    that is not in the subset, or beyond the limits of size, depth and number of nodes.
    """
    return _read(_decode(data), parser, None)


def locate(data: bytes, parser: Any = PARSERS[0]) -> Located:
    """Return the document with the place of every node, for who edits the text; raises as :func:`read`."""
    text = _decode(data)
    spans: dict[int, Span] = {}
    return Located(text, _read(text, parser, spans), spans)


def _read(text: str, parser: Any, spans: dict[int, Span] | None) -> Node:
    reading = _Reading(text, spans)
    for count, event in enumerate(_events(text, parser)):
        if count > LIMITS.policy_nodes:
            _refuse(event, f"the file has more than {LIMITS.policy_nodes} entries")
        reading.take(event)
    if reading.document is None:
        raise PolicyError("the file is empty", line=1, column=1)
    return reading.document


def _decode(data: bytes) -> str:
    """Return the text, with nothing in it that parsers could take for different things."""
    if len(data) > LIMITS.policy_size:
        raise PolicyError(f"the file has {len(data)} bytes, more than {LIMITS.policy_size}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise _error_after(before, f"the file is not UTF-8: byte 0x{data[error.start]:02x}") from None
    found = _FOREIGN.search(text)
    if found is not None:
        what = "a tab" if found[0] == "\t" else f"the character {shown(found[0])}"
        raise _error_after(text[: found.start()], f"{what} is not allowed here")
    found = _DIRECTIVE.search(text)
    if found is not None:
        raise _error_after(text[: found.start()], "directives (a line that begins with %) are not allowed")
    return text


def _error_after(before: str, message: str) -> PolicyError:
    line = before.count("\n") + 1
    return PolicyError(message, line=line, column=len(before) - before.rfind("\n"))


def _events(text: str, parser: Any) -> Iterator[yaml.Event]:
    """Yield PyYAML's events, with its errors turned into ours."""
    try:
        yield from yaml.parse(text, Loader=parser)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(text, error) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: escapes of impossible characters
        raise PolicyError(f"this is not YAML: {shown(str(error))}") from None


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> PolicyError:
    """Return an error of PyYAML as ours, at a place that the file has."""
    what = " ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return PolicyError(f"this is not YAML: {shown(what)}")
    lines = text.split("\n")
    if mark.line >= len(lines):  # libyaml counts one line more than a file without a last line end has
        return PolicyError(f"this is not YAML: {shown(what)}", line=len(lines), column=len(lines[-1]) + 1)
    if lines[mark.line][mark.column : mark.column + 1] == "@":
        what = 'the name of a group must stand in quotes ("@name")'
    return PolicyError(f"this is not YAML: {shown(what)}", line=mark.line + 1, column=mark.column + 1)


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _start(event: Any) -> int:
    return int(event.start_mark.index)


def _refuse(event: Any, message: str) -> NoReturn:
    line, column = _place(event)
    raise PolicyError(message, line=line, column=column)


def _check_plain(event: Any) -> None:
    if event.anchor is not None:
        _refuse(event, "anchors (&) are not allowed")
    if event.tag is not None:
        _refuse(event, "tags (!) are not allowed: every value is text, a list or a mapping")


def _scalar(event: Any, *, in_flow: bool) -> Text:
    _check_plain(event)
    if event.style in {"|", ">"}:
        _refuse(event, "block text (| or >) is not allowed: write it on one line")
    if event.start_mark.line != event.end_mark.line:
        _refuse(event, "text must end on the line on which it begins")
    is_plain = event.implicit[0]
    if is_plain and not event.value:
        _refuse(event, "a value is missing here")
    if is_plain and in_flow and not _PLAIN_IN_FLOW.isdisjoint(event.value):
        _refuse(event, "inside [] and {}, text with : or ? must stand in quotes")
    if event.style == '"' and not _SURROGATE.isdisjoint(event.value):
        _refuse(event, "an escape stands for no character")
    return Text(event.value, *_place(event))
