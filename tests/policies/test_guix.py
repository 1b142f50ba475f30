"""The Guix dialect: what Guix takes, with Guile and Guix's own pattern as the oracle where Guile is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from gitverify.errors import PolicyError
from gitverify.policies.guix import keyring_reference, parse, parse_historical
from gitverify.policies.model import WHOLE_TREE, Dialect, Grant, OpenPgpKeySpec, Person

ONE = "3CE464558A84FDC69DB40CFB090B11993D9AEBB5"
TWO = "28419AC650387440C7E92FFA2208D20958C1DEB0"
SPACED = "3CE4 6455 8A84 FDC6 9DB4  0CFB 090B 1199 3D9A EBB5"


def listed(text):
    return [key.key for person in parse(text).people.values() for key in person.keys]


def test_a_file_as_guix_has_it():
    policy = parse(
        f""";; -*- Scheme -*-
(authorizations
 (version 0)

 (;; primary: "D963 A5A3 8A80 3D52 4461  F914 7483 0A27 6C32 8EC2"
  ("{SPACED}"
   (name "civodul"))
  ("2841 9AC6 5038 7440 C7E9  2FFA 2208 D209 58C1 DEB0"
   (name "abcdw"))))
""".encode()
    )
    civodul = Person("civodul", (OpenPgpKeySpec(ONE, subkeys=False),), 6)
    abcdw = Person("abcdw", (OpenPgpKeySpec(TWO, subkeys=False),), 8)
    everyone = frozenset({"civodul", "abcdw"})
    assert policy.dialect is Dialect.GUIX
    assert policy.people == {"civodul": civodul, "abcdw": abcdw}
    assert policy.grants == (Grant((WHOLE_TREE,), everyone),)
    assert policy.editors == policy.tags == policy.whole_tree == everyone
    assert policy.openpgp_keys is None


def entries(text):
    return f"(authorizations (version 0) ({text}))"


# Files that Guix takes, and the fingerprints of 40 digits that it takes from them.
TAKEN = {
    "plain": (entries(f'("{ONE}")'), [ONE]),
    "lower case": (entries(f'("{ONE.lower()}")'), [ONE]),
    "spaces": (entries(f'("{SPACED}")'), [ONE]),
    "tabs and newlines": (entries(f'(" {ONE[:20]}\t\n\r\v\f{ONE[20:]}\0")'), [ONE]),
    "escaped blanks": (entries(f'("{ONE[:20]}\\n\\t\\x1b{ONE[20:]}")'), [ONE]),
    "an escaped letter": (entries(f'("{ONE[:-2]}\\x42{ONE[-1]}")'), [ONE[:-2] + "B5"]),
    "a no-break space": (entries(f'("{ONE[:20]}\xa0\xad{ONE[20:]}")'), [ONE]),
    "nobody": (entries(""), []),
    "two": (entries(f'("{ONE}") ("{TWO}")'), [ONE, TWO]),
    "one twice": (entries(f'("{ONE}") ("{ONE}")'), [ONE, ONE]),
    "options": (entries(f'("{ONE}" (name "x") (email "y") z 1 #t "w" ())'), [ONE]),
    "more after the list": (f'(authorizations (version 0) (("{ONE}")) (more) stuff 1)', [ONE]),
    "more after the file": (entries(f'("{ONE}")') + " (authorizations", [ONE]),
    "brackets": (f'[authorizations [version 0] [["{ONE}"]]]', [ONE]),
    "dots that make lists": (f'(authorizations . ((version . (0)) . ((("{ONE}" . ())))))', [ONE]),
    "comments": (f'#| x |# (authorizations #;y (version 0) ; z\n (("{ONE}")))', [ONE]),
    "a key id": (entries('("090B11993D9AEBB5")'), []),
    "a fingerprint of 64 digits": (entries(f'("{ONE}{ONE[:24]}")'), []),
    "an empty fingerprint": (entries('("")'), []),
    "minus zero": (f'(authorizations (version -0) (("{ONE}")))', [ONE]),
    "zeros": (f'(authorizations (version 000) (("{ONE}")))', [ONE]),
}

REFUSED = {
    "nothing": "",
    "a comment": "; x",
    "another form": f'(authorisations (version 0) (("{ONE}")))',
    "the name as text": f'("authorizations" (version 0) (("{ONE}")))',
    "the name in bars": f'(|authorizations| (version 0) (("{ONE}")))',
    "no list": "authorizations",
    "an empty list": "()",
    "no version": f'(authorizations (("{ONE}")))',
    "version 1": f'(authorizations (version 1) (("{ONE}")))',
    "version #f": f'(authorizations (version #f) (("{ONE}")))',
    "version 0.0": f'(authorizations (version 0.0) (("{ONE}")))',
    "version as text": f'(authorizations (version "0") (("{ONE}")))',
    "two versions": f'(authorizations (version 0 0) (("{ONE}")))',
    "a bare version": f'(authorizations version (("{ONE}")))',
    "another word for version": f'(authorizations (edition 0) (("{ONE}")))',
    "no authorizations": "(authorizations (version 0))",
    "authorizations as text": f'(authorizations (version 0) "{ONE}")',
    "a dotted file": f'(authorizations (version 0) (("{ONE}")) . x)',
    "a dotted list": f'(authorizations (version 0) (("{ONE}") . x))',
    "a dotted entry": f'(authorizations (version 0) (("{ONE}" . x)))',
    "an entry that is text": entries(f'"{ONE}"'),
    "an empty entry": entries("()"),
    "an entry without text": entries(f"({ONE})"),
    "a quoted entry": entries(f'\'("{ONE}")'),
    "an odd number of digits": entries(f'("{ONE[1:]}")'),
    "no hexadecimal digit": entries(f'("{ONE[:-1]}G")'),
    "a prefix": entries(f'("0x{ONE}")'),
    "dashes": entries(f'("{ONE[:20]}-{ONE[20:]}")'),
    "a letter of Latin-1": entries(f'("{ONE}\xe9\xe9")'),
    "a wide digit": entries(f'("{ONE[:-1]}\\uff11")'),
    "an open list": f'(authorizations (version 0) (("{ONE}"))',
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_guix_takes(name):
    text, fingerprints = TAKEN[name]
    assert listed(text.encode("latin-1")) == fingerprints


@pytest.mark.parametrize("name", REFUSED)
def test_what_guix_does_not_read(name):
    with pytest.raises(PolicyError) as refused:
        parse(REFUSED[name].encode("latin-1"))
    assert refused.value.code == "policy-invalid"


# The pattern and the reading of digits are those of read-authorizations in guix/git-authenticate.scm and of
# base16-string->bytevector in guix/base16.scm, restated.
ORACLE = r"""
(use-modules (ice-9 match) (ice-9 rdelim) (rnrs bytevectors) (rnrs io ports))
(define (digits text)
  (let ((kept (string-downcase (string-filter char-set:graphic text))))
    (unless (and (even? (string-length kept))
                 (string-every (string->char-set "0123456789abcdef") kept))
      (error "not hexadecimal"))
    (string-upcase kept)))
(define (answer bytes)
  (match (read (open-bytevector-input-port bytes))
    (('authorizations ('version 0) (((? string? texts) _ ...) ...) _ ...)
     (map digits texts))))
(let loop ()
  (let ((line (read-line)))
    (unless (eof-object? line)
      (let ((bytes (u8-list->bytevector (map string->number (string-tokenize line)))))
        (format #t "~a~%" (catch #t (lambda () (string-join (answer bytes))) (lambda _ "failed")))
        (loop)))))
"""


@pytest.mark.skipif(shutil.which("guile") is None, reason="Guile is not installed")
def test_guile_answers_the_same():
    texts = {name: text for name, (text, _) in TAKEN.items()} | REFUSED
    lines = "".join(" ".join(str(octet) for octet in text.encode("latin-1")) + " 10\n" for text in texts.values())
    command = ["guile", "--no-auto-compile", "-c", ORACLE]
    done = subprocess.run(command, input=lines.encode(), check=True, capture_output=True)
    answers = dict(zip(texts, done.stdout.decode().splitlines(), strict=True))
    for name, answer in answers.items():
        if name in REFUSED:
            assert answer == "failed", name
        else:
            assert [digits for digits in answer.split() if len(digits) == 40] == TAKEN[name][1], name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f'("{ONE}" (name "a")) ("{TWO}" (name "a"))', ["a", "a (2)"]),
        (f'("{ONE}" (name "a")) ("{TWO}" (name "a (2)")) ("{ONE}" (name "a"))', ["a", "a (2)", "a (3)"]),
        (f'("{ONE}") ("{TWO}" (name ""))', [ONE, TWO]),
        (f'("{ONE}" (name)) ("{TWO}" (name 1))', [ONE, TWO]),
        (f'("{ONE}" name) ("{TWO}" (names "b"))', [ONE, TWO]),
        (f'("{ONE}" (email "x") (name "a" "b") (name "c"))', ["a"]),
        (f'("{ONE}" (name "caf\u00e9"))', ["caf\u00e9"]),
        (f'("{ONE}" (name "\\u2713"))', ["\u2713"]),
        (f'("{ONE}" (name "\\xff"))', ["\xff"]),
    ],
)
def test_labels_are_unique(text, names):
    assert list(parse(entries(text).encode()).people) == names


@pytest.mark.parametrize(
    ("text", "line"), [(f'("{ONE}")\n\n("{ONE}x")', 3), (f'("{ONE}")\n\n(a)', 3), ("\n\na", 1), ('\n"\n\n"', 1)]
)
def test_an_error_has_its_line(text, line):
    with pytest.raises(PolicyError) as refused:
        parse(entries(text).encode())
    assert refused.value.line == line


def test_historical_authorizations_have_the_same_format():
    text = entries(f'("{ONE}" (name "x"))').encode()
    assert parse_historical(text) == parse(text)


def channel(text):
    return f"(channel (version 0) {text})"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (channel('(keyring-reference "keys")'), "keys"),
        (channel('(url "https://example.org") [keyring-reference "keys"] (news-file "news")'), "keys"),
        ("; x\n" + channel('(keyring-reference "keys")') + "(", "keys"),
        (channel(""), None),
        (channel("(keyring-reference)"), None),
        (channel("(keyring-reference keys)"), None),
        (channel("keyring-reference"), None),
        ('(channel (version 1) (keyring-reference "keys"))', None),
        ('(channel (keyring-reference "keys"))', None),
        ('(channels (version 0) (keyring-reference "keys"))', None),
        ("(channel)", None),
        ("channel", None),
        ("", None),
        ('(channel (version 0) (keyring-reference "keys"', None),
    ],
)
def test_keyring_reference(text, reference):
    assert keyring_reference(text.encode()) == reference


def test_reading_it_loads_neither_cryptography_nor_yaml():
    code = (
        "import sys; from gitverify.policies import guix; guix.parse(sys.stdin.buffer.read());"
        "print([name for name in ('cryptography', 'sshpubkeys', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=entries("").encode(), check=True, capture_output=True)
    assert done.stdout == b"[]\n"
