"""A call of ``fetchGitVerified``, as Nix reads it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def call(arguments: Mapping[str, str | None]) -> str:
    """Return the expression; what is None is left out."""
    lines = [f"  {name} = {string(value)};" for name, value in arguments.items() if value is not None]
    return "\n".join(["fetchGitVerified {", *lines, "}"])


def string(value: str) -> str:
    r"""Return a string of the Nix language: ``"``, ``\`` and ``${`` lose their meaning (Nix manual)."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return '"' + quoted.replace("\n", "\\n").replace("\r", "\\r") + '"'
