"""``gitverify mirror``: update and status."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.transfers import BOUNDS, at_work, bounds, branch_of, source_of, user_settings
from gitverify.cli.verify import answered, cores, pools, query
from gitverify.mirror import memory as memories
from gitverify.mirror.memory import Memory
from gitverify.remote.choice import BadChoice, choose
from gitverify.report.mirror import status_json, status_text, update_json, update_text
from gitverify.session import Unanswerable, UsageProblem
from gitverify.text import shown
from gitverify.transfer.store import Store

if TYPE_CHECKING:
    from gitverify.cli.progress import Progress
    from gitverify.mirror.update import Result
    from gitverify.session import Query

_FORMAT = options.formats(["human", "json"])
_DIRECTORY = click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))


@click.group("mirror")
def command() -> None:
    """Keep a bare mirror that only ever holds what was verified.

    What is fetched goes to a quarantine. Only what an authentic tip reaches gets from there into the mirror, which can
    be used like any other repository: cloned, pulled from, built from (git+file://DIR). A branch that is refused stays
    where it was.

    \b
      gitverify mirror update /srv/app.git --url https://example.org/app.git --branch main --introduction COMMIT
      gitverify mirror update /srv/app.git     from then on, by a timer
      gitverify mirror status /srv/app.git
    """


@command.command("update")
@_DIRECTORY
@click.option("--url", metavar="URL", help="Where it is fetched from (the first time; remembered).")
@click.option(
    "--branch", "branches", metavar="BRANCH", multiple=True, help="A branch to have (repeatable; remembered)."
)
@options.INTRODUCTION
@click.option(
    "--keyring",
    metavar="REF",
    envvar="GITVERIFY_KEYRING",
    show_envvar=True,
    help="A branch with OpenPGP certificates, which is fetched, too (remembered).",
)
@click.option(
    "--policy-path",
    metavar="PATH",
    envvar="GITVERIFY_POLICY_PATH",
    show_envvar=True,
    help="The policy file, where it is not in its usual place (remembered).",
)
@click.option(
    "--dialect",
    type=click.Choice(["native", "guix", "openssh"]),
    envvar="GITVERIFY_DIALECT",
    show_envvar=True,
    help="What kind of policy it is (remembered).",
)
@options.STATE_DIRECTORY
@click.option("--name", metavar="REPOSITORY", help="The repository's name for marks (default: its URL; remembered).")
@options.ALLOW_ROLLBACK
@options.CONTAINS
@options.MAX_AGE
@options.NEWEST_AUTHENTIC
@BOUNDS
@options.JOBS
@_FORMAT
def update(directory: str, jobs: int | None, format_: str, **asked: Any) -> int:
    """Bring the mirror in DIR up to date, as far as it is authentic; make it the first time.

    It may be killed at any moment, and run twice at once. Exit status: the highest of its branches'.

    \b
      gitverify mirror update /srv/app.git --url https://example.org/app.git --branch main --branch stable \\
          --introduction COMMIT --signer KEY
      gitverify mirror update /srv/app.git --newest-authentic
    """

    def run() -> int:
        job = MirrorJob(Path(directory), jobs, **asked)
        with at_work() as progress:
            results = job.update(progress)
        write = update_json if format_ == "json" else update_text
        out(write(job.store.directory, results), end="")
        return int(max(result.report.exit_status for result in results))

    return answered(run, "human" if format_ == "human" else "json")


@command.command("status")
@_DIRECTORY
@options.STATE_DIRECTORY
@_FORMAT
def status(directory: str, state: str | None, format_: str) -> int:
    """Show what the mirror in DIR has: of each branch the verified commit, its age, the mark, and the last run.

    Nothing is fetched or verified, and nothing changes.

    \b
      gitverify mirror status /srv/app.git
    """

    def run() -> int:
        from gitverify.mirror.status import look  # noqa: PLC0415  (one command's)

        with at_work():
            found = look(Store(Path(directory).absolute(), os.environ), query("", repo=None, state=state))
        write = status_json if format_ == "json" else status_text
        out(write(found, int(time.time())), end="")
        return 0

    return answered(run, "human" if format_ == "human" else "json")


class MirrorJob:
    """One run over a mirror: what was asked for now, and what it remembers."""

    def __init__(self, directory: Path, jobs: int | None, **asked: Any) -> None:
        """Nothing is looked at yet. Raises UsageProblem."""
        self.store = Store(directory.absolute(), os.environ)
        self._bounds = bounds(asked.pop("max_size", None), asked.pop("timeout", None))
        self._jobs = jobs or cores()
        self._url = asked.pop("url")
        self._branches = [branch_of(name) for name in asked.pop("branches")]
        self._query: Query = query("", repo=None, **asked)

    def update(self, progress: Progress) -> list[Result]:
        """Bring it up to date. Raises UsageProblem, Unanswerable, and what Update does."""
        from gitverify.mirror.update import Update  # noqa: PLC0415  (loads what verifying needs)

        known = memories.read(self.store.home)
        memory = self._first() if known is None else known
        with self.store.locked(f"refs/heads/{memory.branches[0]}") as quarantine:
            memory = memories.read(self.store.home) or memory  # another run may have made it meanwhile
            self._agree(memory)
            memories.write(self.store.home, memory)
            job = Update(
                self.store,
                memory,
                self._asked(memory),
                pools=lambda repository: pools(repository, self._jobs),
                observer=progress,
                said=progress.said,
            )
            return job.run(quarantine, source_of(memory.url), self._bounds)

    def _first(self) -> Memory:
        """Return what a new mirror remembers."""
        if self._url is None:
            message = f"{self.store.named} is no mirror yet: say where it is to be fetched from, with --url"
            raise UsageProblem(message)
        if not self._branches:
            raise UsageProblem("say which branch the mirror is to have, with --branch (repeatable)")
        source = source_of(self._url)
        asked = self._query
        given = {"GITVERIFY_INTRODUCTION": asked.introduction.hex()} if asked.introduction is not None else {}
        try:
            configured = choose(source.url, user_settings(), given)
        except BadChoice as error:
            raise Unanswerable("introduction-not-configured", str(error)) from None
        return Memory(
            url=source.url,
            introduction=configured.introduction.hex(),
            branches=list(dict.fromkeys(self._branches)),
            signer=asked.signer or configured.signer,
            name=asked.name,
            keyring=asked.keyring or configured.keyring,
            policy_path=asked.policy_path or configured.policy_path,
            dialect=asked.dialect or configured.dialect,
        )

    def _agree(self, memory: Memory) -> None:
        """Take further branches; refuse what would have the mirror hold what another question was answered with."""
        asked = {name: getattr(self._query, name, None) for name in memories.FIXED} | {"url": self._url}
        asked["introduction"] = self._query.introduction.hex() if self._query.introduction is not None else None
        for name, value in asked.items():
            if value is not None and value != getattr(memory, name):
                option = f"--{name.replace('_', '-')}"
                raise UsageProblem(
                    f"{self.store.named} was made with {option} {shown(str(getattr(memory, name)))}, and holds what "
                    f"was verified so: leave {option} out, or make another mirror"
                )
        memory.branches += [name for name in dict.fromkeys(self._branches) if name not in memory.branches]

    def _asked(self, memory: Memory) -> Query:
        asked = self._query
        asked.introduction = bytes.fromhex(memory.introduction)
        asked.signer, asked.name, asked.keyring = memory.signer, memory.name, memory.keyring
        asked.policy_path, asked.dialect = memory.policy_path, memory.dialect
        return asked
