"""What a remote is judged by: the environment, else git's configuration. Nothing of it comes from the remote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gitverify.errors import GitverifyError
from gitverify.settings import without_credentials
from gitverify.text import shown
from gitverify.transfer.url import BadSource, parse_branch
from gitverify.values import parse_commit_id, parse_duration, parse_key, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitverify.settings import Settings

_T = TypeVar("_T")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


class BadChoice(GitverifyError):
    """A variable or a setting can't be understood, or the introduction is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is asked of a remote.

    ``branches``: short names, none for the remote's default. ``strict``: fail where something is refused, rather than
    serve what was verified before. ``max_size`` (bytes) and ``timeout`` (seconds) limit a fetch.
    """

    introduction: bytes
    signer: str | None
    keyring: str | None
    policy_path: str | None
    dialect: str | None
    max_age: int | None
    branches: tuple[str, ...]
    strict: bool
    max_size: int | None
    timeout: int | None

    def digest(self, url: str) -> str:
        """Name the mirror: another introduction, or another way to judge, has another one."""
        parts = [url, self.introduction.hex(), self.signer, self.keyring, self.policy_path, self.dialect]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def choose(url: str, settings: Settings, environ: Mapping[str, str]) -> Choice:
    """Find out what a URL is judged by. Raises BadChoice."""
    place = without_credentials(url)

    def found(variable: str, setting: str, parse: Callable[[str], _T]) -> _T | None:
        value, named = environ.get(variable), f"${variable}"
        if not value:
            value, named = (
                settings.option(setting.lower().removeprefix("gitverify."), None, place),
                f"git config {setting}",
            )
        if not value:
            return None
        try:
            return parse(value)
        except (ValueError, BadSource) as error:
            raise BadChoice(f"{named}: “{shown(value, 80)}” is {error}") from None

    introduction = found("GITVERIFY_INTRODUCTION", "gitverify.introduction", parse_commit_id)
    if introduction is None:
        raise BadChoice(
            f"no introduction is configured for {shown(place)}. Take it from the project's own pages, and store it "
            f"with: git config --global gitverify.url:{shown(place)}.introduction COMMIT"
        )
    return Choice(
        introduction=introduction,
        signer=found("GITVERIFY_SIGNER", "gitverify.signer", parse_key),
        keyring=found("GITVERIFY_KEYRING", "gitverify.keyring", str),
        policy_path=found("GITVERIFY_POLICY_PATH", "gitverify.policyPath", str),
        dialect=found("GITVERIFY_DIALECT", "gitverify.dialect", _dialect),
        max_age=found("GITVERIFY_MAX_AGE", "gitverify.maxAge", parse_duration),
        branches=found("GITVERIFY_BRANCHES", "gitverify.branches", _branches) or (),
        strict=found("GITVERIFY_STRICT", "gitverify.strict", _is_true) or False,
        max_size=found("GITVERIFY_MAX_SIZE", "gitverify.maxSize", parse_size),
        timeout=found("GITVERIFY_TIMEOUT", "gitverify.timeout", parse_duration),
    )


def _dialect(text: str) -> str:
    if text not in {"native", "guix", "openssh"}:
        raise ValueError("no dialect: write native, guix or openssh")
    return text


def _branches(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_branch(name) for name in text.split()))


def _is_true(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError("neither true nor false")
    return text.lower() in _YES
