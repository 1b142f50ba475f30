"""``gitverify hook``: git's hooks, on a client and on a server.

Whatever goes wrong in a hook, it must not end with 0: then git would go on.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gitverify.cli import options
from gitverify.cli.main import INTERNAL_ERROR, USAGE
from gitverify.cli.output import out

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.hooks.lines import Change

CANNOT_DECIDE = 3
CONFIGURATION = 4
NAMES = ("pre-push", "post-merge", "reference-transaction", "pre-receive", "update")

PUSHED = "Nothing was pushed. Without this check: git push --no-verify"
RECEIVED = "Nothing of this push was accepted."
UPDATED = "This reference was left as it was."
FETCHED = "No reference was moved. What was fetched is in no branch."


@click.group("hook")
def command() -> None:
    """Git hooks: refuse what is not authentic before it is pushed, received, fetched or used.

    “gitverify hook install NAME” puts one in place; git then calls the others. Judged are the default branch and what
    “git config --add gitverify.protected PATTERN” names (full names of references; * stands for anything).

    \b
      gitverify hook install pre-push                         refuse to push what would not be authentic
      gitverify hook install pre-receive --repo project.git   on a server: refuse the whole push
    """


@command.command("install")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--uninstall", is_flag=True, help="Remove it; only a hook that this command has written.")
@click.option("--in-worktree", is_flag=True, help="Even where git takes hooks from a directory in the working tree.")
@options.REPOSITORY
def install(name: str, uninstall: bool, in_worktree: bool, repo: str | None) -> int:
    """Write the hook NAME: one line that runs this gitverify.

    A hook that is there already is left alone; what to add to it is printed.

    \b
    On a client:
      pre-push               refuses to push what would not be authentic
      post-merge             says whether what was merged or pulled is authentic (not after pull --rebase)
      reference-transaction  refuses what a fetch brings, before any branch points to it
    On a server:
      pre-receive            refuses a push as a whole
      update                 refuses single references of a push
    """
    from gitverify.cli.hookwork import read_settings  # noqa: PLC0415  (hooks start without all this)
    from gitverify.cli.verify import answered, query  # noqa: PLC0415
    from gitverify.hooks import install as hooks  # noqa: PLC0415
    from gitverify.session import UsageProblem, open_repository  # noqa: PLC0415
    from gitverify.text import shown  # noqa: PLC0415

    def run() -> int:
        repository = open_repository(query("HEAD", repo=repo))
        settings = read_settings(repository)
        named = settings.get("core.hookspath")
        try:
            directory = hooks.hooks_directory(
                repository,
                os.path.expanduser(named) if named else None,  # noqa: PTH111  (leaves an unknown user be)
                name,
                in_worktree=in_worktree,
            )
            path = directory / name
            if uninstall:
                out(f"{'removed' if hooks.uninstall(path) else 'not there'}  {shown(str(path), 1000)}")
                return 0
            program = _program()
            done = hooks.install(path, hooks.script(program, name), hooks.chained(program, name))
        except hooks.NotInstalled as error:
            raise UsageProblem(str(error)) from None
        out(f"{done}  {shown(str(path), 1000)}")
        out(f"runs       {shown(' '.join(program), 1000)}")
        if named:
            out("note       core.hooksPath is set: the hook serves every repository that takes its hooks from there")
        if settings.get("gitverify.introduction") is None:
            out("next       gitverify trust COMMIT --signer KEY: without an introduction the hook refuses everything")
        return 0

    return answered(run)


@command.command("pre-push")
@click.argument("remote")
@click.argument("url")
def pre_push(remote: str, url: str) -> int:
    """Refuse to push what would not be authentic in the remote. Called by git; see “gitverify hook install”."""

    def work() -> None:
        from gitverify.cli.hookwork import judging  # noqa: PLC0415
        from gitverify.hooks.client import push  # noqa: PLC0415
        from gitverify.hooks.lines import pushed  # noqa: PLC0415

        changes = pushed(_input())
        if changes:
            with judging(any_age=True) as judge:
                push(judge, remote, url, changes)

    return _guarded(work, PUSHED)


@command.command("reference-transaction")
@click.argument("state")
def reference_transaction(state: str) -> int:
    """Refuse to move remote-tracking branches to what is not authentic. Called by git; see “gitverify hook install”."""

    def work() -> None:
        from gitverify.hooks.lines import moves_branches, received  # noqa: PLC0415

        changes = received(_input())
        if moves_branches(changes):
            from gitverify.cli.hookwork import judging  # noqa: PLC0415
            from gitverify.hooks.client import transaction  # noqa: PLC0415  (and all of git and cryptography)

            with judging() as judge:
                transaction(judge, changes)

    return _guarded(work, FETCHED) if state == "prepared" else 0


@command.command("pre-receive")
def pre_receive() -> int:
    """Refuse a push that would make a protected branch not authentic. Called by git; see “gitverify hook install”."""

    def work() -> None:
        from gitverify.hooks.lines import received  # noqa: PLC0415

        _receive(received(_input()))

    return _guarded(work, RECEIVED)


@command.command("update")
@click.argument("ref", type=click.Path())
@click.argument("old")
@click.argument("new")
def update(ref: str, old: str, new: str) -> int:
    """Refuse to move one protected branch to what is not authentic. Called by git; see “gitverify hook install”."""

    def work() -> None:
        from gitverify.hooks.lines import change  # noqa: PLC0415

        _receive([change(os.fsencode(ref), os.fsencode(old), os.fsencode(new))])

    return _guarded(work, UPDATED)


@command.command("post-merge")
@click.argument("squash", required=False)
def post_merge(squash: str | None) -> int:  # noqa: ARG001  (git says whether nothing was committed: the same is asked)
    """Say whether what was merged is authentic. Called by git, which goes on in any case."""

    def work() -> None:
        from gitverify.cli.hookwork import judging  # noqa: PLC0415
        from gitverify.hooks.merged import verify_merged  # noqa: PLC0415

        with judging() as judge:
            verify_merged(judge)

    return _guarded(work, "The merge is done. Do not build or run what is checked out.")


def _receive(changes: list[Change]) -> None:
    from gitverify.cli.hookwork import judging  # noqa: PLC0415
    from gitverify.hooks.protected import BadSetting  # noqa: PLC0415
    from gitverify.hooks.server import receive  # noqa: PLC0415

    if os.environ.get("GIT_NAMESPACE"):
        raise BadSetting("GIT_NAMESPACE is set: references of a namespace can't be judged")
    if changes:
        with judging(arriving=True, any_age=True) as judge:
            receive(judge, changes)


def _guarded(work: Callable[[], None], ending: str) -> int:
    """Call ``work``; say why it did not return, and answer with its status, which is never 0 then."""
    try:
        work()
    except BrokenPipeError:  # whoever listened has gone, which makes nothing authentic
        return INTERNAL_ERROR
    except Exception as error:  # noqa: BLE001  (what is not known here goes on up)
        lines, status = _explained(error, ending)
        _say(lines)
        return status
    return 0


def _explained(error: Exception, ending: str) -> tuple[list[str], int]:
    """Return what to say of an error, and the exit status. Raises any that is a bug."""
    from gitverify.cli.hookwork import TooSlow  # noqa: PLC0415
    from gitverify.errors import MissingObject  # noqa: PLC0415
    from gitverify.hooks.judge import Refused  # noqa: PLC0415
    from gitverify.hooks.lines import BadInput  # noqa: PLC0415
    from gitverify.hooks.message import problem_lines, refusal_lines  # noqa: PLC0415
    from gitverify.hooks.protected import BadSetting  # noqa: PLC0415
    from gitverify.session import Unanswerable, UsageProblem, unanswered  # noqa: PLC0415

    if isinstance(error, (Unanswerable, MissingObject)):
        error = Refused("this", unanswered(error))
    if isinstance(error, Refused):
        return refusal_lines(error, ending), error.report.exit_status
    statuses = {BadInput: USAGE, UsageProblem: USAGE, BadSetting: CONFIGURATION, TooSlow: CANNOT_DECIDE}
    for kind, status in statuses.items():
        if isinstance(error, kind):
            return problem_lines(str(error), ending), status
    raise error


def _say(lines: list[str]) -> None:
    encoding = sys.stderr.encoding or "ascii"
    from gitverify.text import commandless  # noqa: PLC0415

    text = commandless("\n".join(lines)) + "\n"
    with suppress(OSError):
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


def _input() -> bytes:
    return sys.stdin.buffer.read()


def _program() -> list[str]:
    """Return the words that run this gitverify again, from any directory, whatever PATH is then.

    A hook runs where the repository's files are, so Python must not look for modules there (-P).
    """
    called = os.path.abspath(sys.argv[0])  # noqa: PTH100  (a link stays one: what it leads to may be replaced)
    if os.path.basename(called) in {"gitverify", "git-gitverify"} and os.access(called, os.X_OK):  # noqa: PTH119
        return [called]
    return [sys.executable, "-P", "-m", "gitverify"]
