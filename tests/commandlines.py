"""The ``gitverify …`` command lines in the documentation, read as click would read them."""

from __future__ import annotations

import re
import shlex

import click

from gitverify.cli.main import cli

# What ends a command in a shell, and begins another.
_ENDS = {"|", "||", "&", "&&", ";", ")", "do", "then", "}", "2>&1"}
_BLOCK = re.compile(r"^ *```([a-z]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`((?:git )?gitverify [^`]+)`(?!`)")
_START = re.compile(r"(?:^|[\s;&|(\"'=/]|\$\()(?:git[- ])?gitverify (?=[a-z-])")


class Unparsable(Exception):
    """click would not take this command line."""


def in_blocks(page):
    """Return the command lines in a page's blocks, whole."""
    texts = []
    for language, block in _BLOCK.findall(page):
        # A session has commands behind its prompts; a block without a language and without a prompt is output.
        session = language in {"", "console"}
        texts += prompted(block) if session else _joined(block)
    for block in _INDENTED.findall(_BLOCK.sub("", page)):
        texts += _joined(block)
    return texts


def _joined(block):
    return block.replace("\\\n", " ").splitlines()


def prompted(block):
    """Return what stands behind the prompts of a session, with its continuation lines."""
    lines = re.findall(r"^ *\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)
    return [line.replace("\\\n", " ") for line in lines]


def inline(page):
    """Return the commands that a page's sentences name, perhaps without what they need."""
    return [" ".join(text.split()) for text in _INLINE.findall(_BLOCK.sub("", page))]


def commands(line):
    """Yield the words of each gitverify command in a line of shell, from its subcommand on."""
    for start in _START.finditer(line):
        yield _words(line[start.end() :])


def _words(rest):
    lexer = shlex.shlex(rest, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words = []
    try:
        for word in lexer:
            if word in _ENDS or set(word) <= set("();<>|&"):
                break
            words.append(word)
    except ValueError:  # a quote that the line began with ends in what follows
        words = rest.split("'")[0].split('"')[0].split()
    return words


def parse(words, *, whole):
    """Have click read the words. Raises Unparsable for what it does not know and, if ``whole``, what is missing."""
    context = click.Context(cli, info_name="gitverify")
    command = cli
    words = list(words)
    while isinstance(command, click.Group):
        if not words or words[0] in {"COMMAND", "…", "--help", "-h", "--version"}:
            return
        found = command.get_command(context, words[0])
        if found is None:
            raise Unparsable(f"no command “{words[0]}”")
        command, context = found, click.Context(found, info_name=words.pop(0), parent=context)
    words = [word for word in words if word not in {"…", "..."}]
    if not whole and words and words[-1].startswith("--"):
        words = with_value(command, words)
    try:
        values, rest, _ = command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        raise Unparsable(f"{context.command_path}: {error.format_message()}") from None
    if rest:
        raise Unparsable(f"{context.command_path}: too much: {rest}")
    missing = [
        parameter.name
        for parameter in command.params
        if parameter.required and parameter.nargs != -1 and not isinstance(values.get(parameter.name), str)
    ]
    if whole and missing:
        raise Unparsable(f"{context.command_path}: {missing} is missing")


def with_value(command, words):
    """Return the words with a value for an option at their end that takes one, which a sentence may leave out."""
    for option in command.params:
        if words[-1] in option.opts and not getattr(option, "is_flag", False):
            return [*words, *["VALUE"] * option.nargs]
    return words
