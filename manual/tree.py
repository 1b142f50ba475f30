"""The commands as they are installed: the lazy group and what is below it, with a context for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitverify.cli.main import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "gitverify"


def contexts() -> Iterator[click.Context]:
    """Yield a context for each command that is not hidden, the program itself first, each before what is below it."""
    yield from _below(click.Context(cli, info_name=PROGRAM, color=False, **cli.context_settings))


def _below(context: click.Context) -> Iterator[click.Context]:
    yield context
    for name, command in children(context):
        yield from _below(click.Context(command, info_name=name, parent=context, color=False))


def children(context: click.Context) -> list[tuple[str, click.Command]]:
    """Return the commands of a group with their names; nothing for a command that has none."""
    group = context.command
    if not isinstance(group, click.Group):
        return []
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [(name, command) for name, command in found if command is not None and not command.hidden]


def summary(context: click.Context) -> str:
    """Return the sentence that a command is introduced with, without its full stop."""
    if context.parent is None:
        sentence = context.command.get_short_help_str(limit=200)
    elif context.parent.parent is None:
        sentence = COMMANDS[context.info_name or ""]
    else:
        sentence = context.command.get_short_help_str(limit=200)
    return sentence.rstrip(".")


def options(context: click.Context) -> list[click.Option]:
    """Return a command's options that are not hidden, ``--help`` among them."""
    return [
        parameter
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]


def page(context: click.Context) -> str:
    """Return the name of a command's man page, such as ``gitverify-policy-check``."""
    return context.command_path.replace(" ", "-")
