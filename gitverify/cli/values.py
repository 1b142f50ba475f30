"""Option values for click; :mod:`gitverify.values` says what they mean. An unreadable one is a usage error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitverify.values import parse_commit_id, parse_duration, parse_key, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable


class _Value(click.ParamType[object]):
    """A click type around one of the functions above."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            from gitverify.text import shown  # noqa: PLC0415

            self.fail(f"“{shown(value, 80)}” is {error}", param, ctx)


COMMIT_ID = _Value("commit", parse_commit_id)
KEY = _Value("key", parse_key)
DURATION = _Value("duration", parse_duration)
SIZE = _Value("size", parse_size)
