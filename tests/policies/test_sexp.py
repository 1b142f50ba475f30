"""The reader of s-expressions, with Guile as the oracle where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest

from gitverify.errors import PolicyError
from gitverify.limits import LIMITS
from gitverify.policies import sexp
from gitverify.policies.sexp import Dotted, List, Other, Symbol, read_first


def lst(*items):
    return List(items)


A, B, C = Symbol("a"), Symbol("b"), Symbol("c")

READ = {
    "nothing": ("", None),
    "white space and comments": (" \t\r\n\f; x\n#| y |# #;z #! w !# ", None),
    "a comment without an end of line": ("; x", None),
    "an empty list": ("()", lst()),
    "a list": ("(a b)", lst(A, B)),
    "brackets": ("[a (b) [c]]", lst(A, lst(B), lst(C))),
    "only the first datum": ("(a) (b", lst(A)),
    "a line comment": ("(a ; b )\n c)", lst(A, C)),
    "a block comment": ("(a #| b |# c)", lst(A, C)),
    "nested block comments": ("(a #| b #| c |# d |# c)", lst(A, C)),
    "overlapping edges": ("(a #||# #|#|x|#|# #|||# c)", lst(A, C)),
    "a datum comment": ("(a #;(b c) c)", lst(A, C)),
    "a datum comment at the end": ("(a #;b)", lst(A)),
    "datum comments nested": ("(a #; #; b c c)", lst(A, C)),
    "datum comments in a row": ("(#;a #;b #;c)", lst()),
    "a datum comment with a comment": ("(a #; ; x\n b c)", lst(A, C)),
    "a script comment": ("#!/bin/guile -s\n!#\n(a)", lst(A)),
    "a script comment with exclamation marks": ("#!!!# (a)", lst(A)),
    "a string": ('"abc"', "abc"),
    "an empty string": ('""', ""),
    "a string on two lines": ('"a\nb"', "a\nb"),
    "escapes": (r'"\"\\\|\(\0\a\b\f\n\r\t\v"', '"\\|(\0\a\b\f\n\r\t\v'),
    "hexadecimal escapes": (r'"\x41\u00e9\U01F600\x7f"', "A\u00e9\U0001f600\x7f"),
    "an escaped end of line": ('"a\\\n  b"', "a  b"),
    "a semicolon in a string": ('("a;b" c)', lst("a;b", C)),
    "adjacent strings": ('("a""b")', lst("a", "b")),
    "bytes are Latin-1": ('"\xe9\xff"', "\xe9\xff"),
    "a symbol": ("hello-World!?*/<=>:$%^&~_", Symbol("hello-World!?*/<=>:$%^&~_")),
    "a symbol in bars keeps them": ("(|a| |b)", lst(Symbol("|a|"), Symbol("|b"))),
    "braces are symbols": ("({a} b)", lst(Symbol("{a}"), B)),
    "quotes inside a symbol": ("(a'b a#b)", lst(Symbol("a'b"), Symbol("a#b"))),
    "a vertical tab is no space": ("(a\vb)", lst(Symbol("a\vb"))),
    "integers": ("(0 -1 +2 007 -0)", lst(0, -1, 2, 7, 0)),
    "other numbers": ("(1.5 1/2 1e3 .5)", lst(Other("1.5"), Other("1/2"), Other("1e3"), Other(".5"))),
    "a long integer": ("1234567890123456789", Other("1234567890123456789")),
    "signs and dots alone": ("(+ - ... ..)", lst(Symbol("+"), Symbol("-"), Symbol("..."), Symbol(".."))),
    "booleans": ("(#t #f #true #false #T #F #TRUE #False)", lst(True, False, True, False, True, False, True, False)),
    "true and something": ("(#tru #truex)", lst(True, Symbol("ru"), True, Symbol("x"))),
    "false and something": ("(#fals #f1)", lst(False, Symbol("als"), False, 1)),
    "nil": ("#nil", Other("#nil")),
    "keywords": ("(#:a #: b)", lst(Other("#:a"), Other("#: b"))),
    "characters": (r"(#\a #\space #\x41 a)", lst(Other(r"#\a"), Other(r"#\space"), Other(r"#\x41"), A)),
    "delimiters as characters": (r"(#\( #\)a #\;)", lst(Other(r"#\("), Other(r"#\)"), A, Other(r"#\;"))),
    "a blank as character": ("(#\\ a)", lst(Other("#\\ "), A)),
    "a vector": ("(#(a (b) 1) c)", lst(Other("#(a (b) 1)"), C)),
    "quote": ("'a", lst(Symbol("quote"), A)),
    "quasiquote": ("`a", lst(Symbol("quasiquote"), A)),
    "unquote": (",a", lst(Symbol("unquote"), A)),
    "unquote-splicing": (",@a", lst(Symbol("unquote-splicing"), A)),
    "quote and a space": ("' a", lst(Symbol("quote"), A)),
    "syntax": ("#'a", lst(Symbol("syntax"), A)),
    "quasisyntax": ("#`a", lst(Symbol("quasisyntax"), A)),
    "unsyntax": ("#,a", lst(Symbol("unsyntax"), A)),
    "unsyntax-splicing": ("#,@a", lst(Symbol("unsyntax-splicing"), A)),
    "a dotted pair": ("(a . b)", Dotted((A,), B)),
    "a dotted list": ("(a b . c)", Dotted((A, B), C)),
    "a dot before a list": ("(a . (b c))", lst(A, B, C)),
    "a dot before a dotted list": ("(a . (b . c))", Dotted((A, B), C)),
    "a dot before nothing": ("(a . ())", lst(A)),
    "a dot at the beginning": ("(. a)", A),
    "a dot with comments": ("(a . #;x b #| y |#)", Dotted((A,), B)),
    "a dot as a datum": (".", Symbol(".")),
}

REFUSED = {
    "an open list": ("(a", 1, 1, "no end"),
    "an open list below": ("(a\n (b", 2, 2, "no end"),
    "a closing parenthesis": (")", 1, 1, "unexpected"),
    "a closing bracket": ("]", 1, 1, "unexpected"),
    "mismatched": ("(a]", 1, 3, "unexpected"),
    "mismatched the other way": ("[a)", 1, 3, "unexpected"),
    "an open string": ('("a', 1, 2, "a string has no end"),
    "an open string after an escape": ('"a\\"', 1, 1, "a string has no end"),
    "a backslash at the end": ('"a\\', 1, None, "no escape"),
    "an unknown escape": (r'"\q"', 1, None, "no escape “.q”"),
    "a short escape": (r'"\x4"', 1, None, "needs 2 hexadecimal digits"),
    "a sign in an escape": (r'"\u-0e9"', 1, None, "needs 4 hexadecimal digits"),
    "a surrogate": (r'"\ud800"', 1, None, "no character"),
    "beyond Unicode": (r'"\U110000"', 1, None, "no character"),
    "an open block comment": ("a #|", None, None, None),
    "an open block comment first": ("#| #| |#", 1, 1, "comment has no end"),
    "an open script comment": ("#! a", 1, 1, "comment has no end"),
    "a datum comment of nothing": ("(a) #;", None, None, None),
    "a datum comment of nothing first": ("#;", 1, 3, "ends within a #; comment"),
    "a datum comment before the end of a list": ("(#;)", 1, 4, "unexpected"),
    "a dot before the end": ("(a .)", 1, 5, "unexpected"),
    "two after a dot": ("(a . b c)", 1, 8, "must follow the tail"),
    "an open tail": ("(a . b", 1, 7, "must follow the tail"),
    "a dot at the end": ("(a .", 1, 5, "ends within the tail"),
    "a quote of nothing": ("'", 1, 2, "ends within a quoted"),
    "a sharp at the end": ("#", 1, 1, "not supported"),
    "a character at the end": ("#\\", 1, 3, "ends within a character"),
    "a keyword that is a number": ("#:1", 1, 1, "must be followed by a symbol"),
}

# Guile reads these; nothing that matters here needs them.
UNSUPPORTED = [
    "#vu8(1)", "#u8(1)", "#f32(1)", "#f64(1)", "#*101", "#x10", "#e1", "#{a}#", "#2((1))", "#!fold-case a", "#!r6rs a"
]  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_read(name):
    text, expected = READ[name]
    found = read_first(text.encode("latin-1"))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_a_place(name):
    text, line, column, message = REFUSED[name]
    if message is None:  # what follows the first datum is not looked at
        assert read_first(text.encode("latin-1")) is not None
        return
    with pytest.raises(PolicyError, match=message) as refused:
        read_first(text.encode("latin-1"))
    assert refused.value.line == line
    assert column in {None, refused.value.column}


@pytest.mark.parametrize("text", UNSUPPORTED)
def test_what_is_unsupported(text):
    with pytest.raises(PolicyError, match="not supported"):
        read_first(text.encode())


@pytest.mark.parametrize("unit", ["(", "[", "'", "#;", "(a . ", "#(", ",@", "#'", "#:"])
def test_depth_has_a_limit(unit):
    with pytest.raises(PolicyError, match=f"more than {LIMITS.sexp_depth} deep"):
        read_first(unit.encode() * (LIMITS.policy_size // len(unit)))


def test_the_limit_of_depth_is_inside():
    depth = LIMITS.sexp_depth
    assert read_first(b"(" * depth + b")" * depth)
    with pytest.raises(PolicyError, match="deep"):
        read_first(b"(" * (depth + 1) + b")" * (depth + 1))


def test_size_has_a_limit():
    assert read_first(b"a" + b" " * (LIMITS.policy_size - 1)) == A
    with pytest.raises(PolicyError, match=f"more than {LIMITS.policy_size}"):
        read_first(b"a" + b" " * LIMITS.policy_size)


def test_the_number_of_expressions_has_a_limit(monkeypatch):
    monkeypatch.setattr(sexp, "LIMITS", replace(LIMITS, policy_nodes=3))
    assert read_first(b"(a #;b)") == lst(A)
    with pytest.raises(PolicyError, match="more than 3 expressions"):
        read_first(b"(a #;b c)")


def test_a_list_knows_where_it_begins():
    outer = read_first(b" ; x\n (a\n  (b))")
    assert outer.start == 6
    assert outer.items[1].start == 11


WRITE_ALL = r"""
(use-modules (ice-9 rdelim) (rnrs bytevectors) (rnrs io ports))
(let loop ()
  (let ((line (read-line)))
    (unless (eof-object? line)
      (let ((bytes (u8-list->bytevector (map string->number (string-tokenize line)))))
        (write (catch #t
          (lambda () (let ((datum (read (open-bytevector-input-port bytes)))) (if (eof-object? datum) 'end datum)))
          (lambda _ 'failed)))
        (newline)
        (loop)))))
"""


@pytest.mark.skipif(shutil.which("guile") is None, reason="Guile is not installed")
def test_guile_takes_and_refuses_the_same():
    texts = [text for text, *_ in [*READ.values(), *REFUSED.values()]]
    # One byte more, so that no line is empty; it comes after the first datum, or is white space.
    lines = "".join(" ".join(str(octet) for octet in text.encode("latin-1")) + " 10\n" for text in texts)
    command = ["guile", "--no-auto-compile", "-c", WRITE_ALL]
    done = subprocess.run(command, input=lines.encode(), check=True, capture_output=True)
    answers = done.stdout.decode().splitlines()
    assert len(answers) == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        try:
            found = read_first(text.encode("latin-1") + b"\n")
        except PolicyError:
            assert answer == "failed", text
        else:
            assert (answer == "end") == (found is None), text
            assert answer != "failed", text
