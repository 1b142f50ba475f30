"""Options that several commands share, and how they are filled: option, environment, git configuration, default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitverify.cli.output import FORMATS
from gitverify.cli.values import COMMIT_ID, DURATION, KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _option(name: str, **kwargs: Any) -> Decorator:
    """Make an option whose environment variable follows from its name."""
    variable = "GITVERIFY_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, **kwargs)


def stacked(*decorators: Decorator) -> Decorator:
    """Apply decorators so that the first listed option is shown first."""

    def apply(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


REPOSITORY = stacked(
    _option("--repo", metavar="DIR", default=None, help="The repository, or a directory in it (default: here)."),
)

INTRODUCTION = stacked(
    _option(
        "--introduction",
        type=COMMIT_ID,
        metavar="COMMIT",
        help="The trusted commit to start from, in full (git config gitverify.introduction).",
    ),
    _option(
        "--signer",
        type=KEY,
        metavar="KEY",
        help="The key that must have signed the introduction: OpenPGP fingerprint or SHA256:… (gitverify.signer).",
    ),
)

SOURCES = stacked(
    _option(
        "--keyring",
        metavar="REF",
        help="A branch or commit with OpenPGP certificates. Guix dialect: its .guix-channel's, or “keyring”. "
        "Native dialect: in addition to the policy's own (gitverify.keyring).",
    ),
    _option(
        "--policy-path",
        metavar="PATH",
        help="The policy file, where it is not in its usual place (gitverify.policyPath).",
    ),
    _option(
        "--dialect",
        type=click.Choice(["native", "guix", "openssh"]),
        help="What kind of policy it is (default: what the introduction's tree has; gitverify.dialect).",
    ),
    _option(
        "--historical-authorizations",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Guix dialect: the keys authorized before the history had a policy file.",
    ),
)

ANCHOR = stacked(INTRODUCTION, SOURCES)

STATE_DIRECTORY = _option("--state", type=click.Path(file_okay=False), metavar="DIR", help="Where marks are kept.")

BRANCH = stacked(
    _option("--ref", metavar="NAME", help="The branch whose mark this falls under (default: the one that REV names)."),
    _option("--name", metavar="REPOSITORY", help="The repository's name for marks (default: its remote's URL)."),
)

STATE = stacked(
    STATE_DIRECTORY,
    click.option("--no-state", is_flag=True, help="Neither read nor move a mark: nothing prevents a rollback."),
    BRANCH,
)

JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    envvar="GITVERIFY_JOBS",
    show_envvar=True,
    help="Processes that check signatures (default: one per core).",
)


def formats(names: Iterable[str]) -> Decorator:
    """Make the option that says how to report."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(list(names)),
        default="human",
        envvar="GITVERIFY_FORMAT",
        show_envvar=True,
        show_default=True,
        help="How to report.",
    )


FORMAT = formats(FORMATS)

CONTAINS = click.option(
    "--contains",
    multiple=True,
    metavar="COMMIT",
    help="Refuse a history without this commit, known to be good (repeatable): a floor for a first run.",
)

ALLOW_ROLLBACK = click.option(
    "--allow-rollback", is_flag=True, help="Accept, once, a history that lacks what was accepted before."
)

KEEP_GOING = click.option("--keep-going", is_flag=True, help="Report all refusals, not just the oldest.")

MAX_AGE = _option(
    "--max-age",
    type=DURATION,
    metavar="DURATION",
    help="Refuse a history in which no listed person has committed for so long, such as 14d (gitverify.maxAge).",
)

NEWEST_AUTHENTIC = click.option(
    "--newest-authentic",
    is_flag=True,
    help="Where what was asked for is refused, take the newest authentic commit on its first-parent line instead.",
)

# What is asked of a history, and whose it is.
QUESTION = stacked(ANCHOR, STATE, ALLOW_ROLLBACK, CONTAINS, MAX_AGE, NEWEST_AUTHENTIC, KEEP_GOING)

OUTPUT = click.option(
    "--output",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write the verified commit's files to DIR, which appears whole, or not at all where it is refused.",
)
