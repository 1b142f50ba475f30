"""From where the inputs of a flake are judged, and where their histories are.

Options come before git's configuration (``gitverify.input:NAME.introduction``, ``.signer``, ``.mirror``), which is that
of the flake's clone, and of the user. Nothing of the flake itself says any of it: whoever changes ``flake.lock`` could
change a file beside it, too. So there is no such file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitverify.session import Unanswerable, UsageProblem
from gitverify.text import shown
from gitverify.values import parse_commit_id, parse_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gitverify.settings import Settings

_T = TypeVar("_T")

INTRODUCTION, SIGNER, MIRROR = "introduction", "signer", "mirror"


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the user said about one input: raw id, key id, and a clone or mirror of it."""

    introduction: bytes | None = None
    signer: str | None = None
    mirror: Path | None = None


def anchors(
    settings: Settings,
    introductions: Iterable[str],
    signers: Iterable[str],
    mirrors: Iterable[str],
    root: Path,
) -> dict[str, Anchor]:
    """Return what is said about each input, by its name; options are ``NAME=VALUE``.

    A relative path in git's configuration begins at ``root``, wherever the command is run.
    Raises UsageProblem, Unanswerable.
    """
    of_introductions = _Values(settings, INTRODUCTION, introductions)
    of_signers = _Values(settings, SIGNER, signers)
    of_mirrors = _Values(settings, MIRROR, mirrors)
    names = {*settings.inputs(), *of_introductions.given, *of_signers.given, *of_mirrors.given}
    return {
        name: Anchor(
            of_introductions.read(name, parse_commit_id),
            of_signers.read(name, parse_key),
            of_mirrors.read(name, Path, lambda text: root / Path(text).expanduser()),
        )
        for name in sorted(names)
    }


class _Values:
    """One thing that may be said about each input."""

    def __init__(self, settings: Settings, key: str, options: Iterable[str]) -> None:
        self._settings = settings
        self._key = key
        self.given = _given(f"--{key}", options)

    def read(
        self, name: str, parse: Callable[[str], _T], parse_setting: Callable[[str], _T] | None = None
    ) -> _T | None:
        """Return what is said about an input; None where nothing is. Raises UsageProblem, Unanswerable."""
        if name in self.given:
            try:
                return parse(self.given[name])
            except (ValueError, RuntimeError) as error:
                quoted = f"--{self._key} {shown(name)}: “{shown(self.given[name], 80)}”"
                raise UsageProblem(f"{quoted} is {error}") from None
        setting = f"gitverify.input:{name}.{self._key}"
        value = self._settings.get(setting)
        try:
            return None if value is None else (parse_setting or parse)(value)
        except (ValueError, RuntimeError) as error:
            message = f"git config {shown(setting)}: “{shown(value or '', 80)}” is {error}"
            raise Unanswerable("introduction-not-configured", message) from None


def _given(option: str, values: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageProblem(f"{option} “{shown(text)}”: write the input's name before it, as in {option} nixpkgs=…")
        if name in found:
            raise UsageProblem(f"{option} is given twice for “{shown(name)}”")
        found[name] = value
    return found
