"""S-expressions as Guile's ``read`` takes them, as far as Guix's files need (Guile 3.0, ``module/ice-9/read.scm``).

Lists with ``()`` or ``[]``, dotted pairs, strings with all escapes, symbols, integers, booleans, keywords, characters,
vectors, the quote forms; comments with ``;``, nested ``#| |#``, ``#! !#`` and ``#;``. Anything else that Guile reads
(arrays, bit vectors, ``#{}#`` symbols, reader directives) is refused as unsupported rather than misread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.text import shown

_BLANK = re.compile(r"(?:[ \t\n\r\f]+|;[^\n]*)+")
_TOKEN = re.compile(r"[^()\[\]; \t\n\r\f\"]*")
_PLAIN = re.compile(r'[^"\\]*')
_COMMENT_EDGE = re.compile(r"\|#|#\|")
_DIRECTIVE = re.compile(r"[A-Za-z0-9-]*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\.?[0-9].*", re.ASCII | re.DOTALL)
_OPEN = {"(": ")", "[": "]"}
_QUOTES = {"'": "quote", "`": "quasiquote", ",": "unquote", ",@": "unquote-splicing"}
_SYNTAX = {"'": "syntax", "`": "quasisyntax", ",": "unsyntax", ",@": "unsyntax-splicing"}
_ESCAPES = {
    "\\": "\\",
    '"': '"',
    "|": "|",
    "(": "(",
    "\n": "",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_HEXADECIMAL = {"x": 2, "u": 4, "U": 6}
_DIRECTIVES = frozenset({"r6rs", "fold-case", "no-fold-case", "curly-infix", "curly-infix-and-bracket-lists"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Dotted:
    """An improper list: ``(a b . tail)``."""

    items: tuple[Datum, ...]
    tail: Datum


@dataclass(frozen=True, slots=True)
class Other:
    """A datum whose value nobody asks for: a character, a keyword, a vector, a number that is no small integer."""

    text: str


@dataclass(frozen=True, slots=True)
class List:
    """A proper list; ``start`` is the offset of its first octet in the file."""

    items: tuple[Datum, ...]
    start: int = field(default=0, compare=False)


Datum = Symbol | Dotted | Other | str | int | bool | List
_DOT = Symbol(".")


def read_first(data: bytes) -> Datum | None:
    """Return the first datum of the file, None where there is only white space and comments.

    The bytes are Latin-1 characters, as in Guix. What follows the first datum is not looked at, as in Guix. Raises
    PolicyError for what Guile's reader refuses, what this one does not support, and for more than
    the limits of depth, size and number.
    """
    if len(data) > LIMITS.policy_size:
        raise PolicyError(f"the file has {len(data)} bytes, more than {LIMITS.policy_size}")
    reader = _Reader(data.decode("latin-1"))
    reader.skip(0)
    return reader.datum(0) if reader.position < len(reader.text) else None


class _Reader:
    """A recursive reader; ``depth`` counts whatever it recurses into."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.read = 0

    def error(self, message: str, position: int | None = None) -> PolicyError:
        before = self.text[: self.position if position is None else position]
        return PolicyError(message, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))

    def deeper(self, depth: int) -> int:
        if depth >= LIMITS.sexp_depth:
            raise self.error(f"expressions are nested more than {LIMITS.sexp_depth} deep")
        return depth + 1

    def looking_at(self, text: str) -> bool:
        return self.text.startswith(text, self.position)

    def matched(self, pattern: re.Pattern[str]) -> str:
        """Return what the pattern matches here (perhaps nothing), and step over it."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def skip(self, depth: int) -> None:
        """Step over white space and comments."""
        while True:
            self.matched(_BLANK)
            if self.looking_at("#|"):
                self.block_comment()
            elif self.looking_at("#;"):
                self.position += 2
                self.subexpression("a #; comment", depth)
            elif self.looking_at("#!"):
                self.script_comment()
            else:
                return

    def block_comment(self) -> None:
        start = self.position
        self.position += 2
        nested = 1
        while nested:
            edge = _COMMENT_EDGE.search(self.text, self.position)
            if edge is None:
                raise self.error("a #| comment has no end", start)
            self.position = edge.end()
            nested += 1 if edge[0] == "#|" else -1

    def script_comment(self) -> None:
        start = self.position
        self.position += 2
        if self.matched(_DIRECTIVE) in _DIRECTIVES:
            raise self.error("reader directives (#!…) are not supported", start)
        end = self.text.find("!#", self.position)
        if end < 0:
            raise self.error("a #! comment has no end", start)
        self.position = end + 2

    def subexpression(self, what: str, depth: int) -> Datum:
        depth = self.deeper(depth)
        self.skip(depth)
        if self.position == len(self.text):
            raise self.error(f"the file ends within {what}")
        return self.datum(depth)

    def datum(self, depth: int) -> Datum:
        """Read what begins here: not white space, not a comment, not the end."""
        self.read += 1
        if self.read > LIMITS.policy_nodes:
            raise self.error(f"the file has more than {LIMITS.policy_nodes} expressions")
        character = self.text[self.position]
        if character in _OPEN:
            self.position += 1
            return self.list_until(_OPEN[character], depth)
        if character in ")]":
            raise self.error(f"unexpected “{character}”")
        if character == '"':
            return self.string()
        if character in "'`,":
            self.position += 2 if self.looking_at(",@") else 1
            name = _QUOTES[",@" if self.text[self.position - 1] == "@" else character]
            return List((Symbol(name), self.subexpression("a quoted expression", depth)))
        if character == "#":
            return self.sharp(depth)
        return self.atom()

    def list_until(self, close: str, depth: int) -> Datum:
        start = self.position - 1
        depth = self.deeper(depth)
        items: list[Datum] = []
        while True:
            self.skip(depth)
            if self.position == len(self.text):
                raise self.error("a list has no end", start)
            if self.looking_at(close):
                self.position += 1
                return List(tuple(items), start)
            item = self.datum(depth)
            if item == _DOT:
                return self.tail(start, items, close, depth)
            items.append(item)

    def tail(self, start: int, items: list[Datum], close: str, depth: int) -> Datum:
        """Read what follows a dot; the tail may itself be a list."""
        tail = self.subexpression("the tail of a list", depth)
        self.skip(depth)
        if not self.looking_at(close):
            raise self.error(f"“{close}” must follow the tail of a list")
        self.position += 1
        if isinstance(tail, List):
            return List((*items, *tail.items), start)
        if isinstance(tail, Dotted):
            return Dotted((*items, *tail.items), tail.tail)
        return Dotted(tuple(items), tail) if items else tail

    def string(self) -> str:
        start = self.position
        self.position += 1
        parts = []
        while True:
            parts.append(self.matched(_PLAIN))
            if self.position == len(self.text):
                raise self.error("a string has no end", start)
            self.position += 1
            if self.text[self.position - 1] == '"':
                return "".join(parts)
            parts.append(self.escape())

    def escape(self) -> str:
        """Read what follows a backslash."""
        letter = self.text[self.position : self.position + 1]
        self.position += 1
        if letter not in _HEXADECIMAL:
            if letter not in _ESCAPES:
                raise self.error(f"a string has no escape “\\{shown(letter)}”")
            return _ESCAPES[letter]
        digits = self.text[self.position : self.position + _HEXADECIMAL[letter]]
        if not re.fullmatch(f"[0-9A-Fa-f]{{{_HEXADECIMAL[letter]}}}", digits):
            raise self.error(f"“\\{letter}” needs {_HEXADECIMAL[letter]} hexadecimal digits")
        number = int(digits, 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise self.error("an escape stands for no character")
        self.position += len(digits)
        return chr(number)

    def sharp(self, depth: int) -> Datum:
        """Read what begins with ``#`` and is no comment."""
        start = self.position
        self.position += 1
        following = self.text[self.position : self.position + 1]
        if following == "(":
            self.position += 1
            self.list_until(")", depth)
        elif following == "\\":
            self.character()
        elif following and following in "'`,":
            self.position += 2 if self.looking_at(",@") else 1
            name = _SYNTAX[",@" if self.text[self.position - 1] == "@" else following]
            return List((Symbol(name), self.subexpression("a syntax expression", depth)))
        elif following == ":":
            self.position += 1
            if not isinstance(self.subexpression("a keyword", depth), Symbol):
                raise self.error("“#:” must be followed by a symbol", start)
        elif following and following in "tTfF":
            return self.boolean(following)
        elif self.matched(_TOKEN) != "nil":
            raise self.error("this kind of “#” expression is not supported", start)
        return Other(self.text[start : self.position])

    def character(self) -> None:
        r"""Step over a character, or its name; it may be a delimiter: ``#\(``."""
        self.position += 1
        if self.position == len(self.text):
            raise self.error("the file ends within a character")
        if not self.matched(_TOKEN):
            self.position += 1

    def boolean(self, letter: str) -> bool:
        """Read ``#t`` or ``#f``; Guile takes them for whole whatever follows, but ``#true`` and ``#false`` too."""
        rest = "rue" if letter in "tT" else "alse"
        if self.looking_at("f3") or self.looking_at("f6"):
            raise self.error("arrays of numbers are not supported")
        self.position += 1
        if self.text[self.position : self.position + len(rest)].lower() == rest:
            self.position += len(rest)
        return rest == "rue"

    def atom(self) -> Datum:
        """Read a symbol or a number."""
        token = self.matched(_TOKEN)
        if _INTEGER.fullmatch(token):
            return int(token)
        return Other(token) if _NUMBER.fullmatch(token) else Symbol(token)
