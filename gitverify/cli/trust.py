"""``gitverify trust``."""

from __future__ import annotations

from typing import Any

import click

from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.values import KEY
from gitverify.cli.verify import answered, query
from gitverify.introduce import introduce
from gitverify.report.human import day, number
from gitverify.session import Session, UsageProblem
from gitverify.text import shown


@click.command("trust")
@click.argument("commit")
@options.REPOSITORY
@click.option("--signer", type=KEY, metavar="KEY", help="The key that must have signed it (fingerprint or SHA256:…).")
@click.option("--branch", metavar="B", help="For this branch alone (default: for every branch of this clone).")
@click.option("--force", is_flag=True, help="Even if that gives up what earlier runs remember of this repository.")
@options.SOURCES
@options.STATE_DIRECTORY
def command(commit: str, signer: str | None, branch: str | None, force: bool, **asked: Any) -> int:
    """Trust COMMIT as the introduction of this clone.

    Everything is judged from the introduction, so take COMMIT and KEY from a place that the git server does not
    control: the project's own pages, a person you know. They are stored in this clone's git configuration; nothing in
    the repository's files can change them.
    """

    def run() -> int:
        session = Session(query("HEAD", no_state=True, ref=branch, **asked))
        found = session.resolve(commit).commit
        session.query.introduction = found
        session.signer = signer
        trusted = introduce(session, found, branch)
        out(f"introduction  {found.hex()} “{shown(trusted.line.subject, 80)}”")
        out(f"              by {shown(trusted.line.author.rpartition(b'>')[0] + b'>')}, {day(trusted.line.date)}")
        out(f"signed by     {trusted.signing_key or 'nobody whose signature can be checked'}")
        people = number(len(trusted.people), "person", "people")
        out(f"policy        {shown(trusted.policy_path)} ({trusted.dialect}), {people}")
        for name in trusted.people[:20]:
            out(f"              {shown(name)}")
        if trusted.given_up and not force:
            marks = ", ".join(f"{shown(key.ref)} at {m.commits[0].hex()[:12]}" for key, m in trusted.given_up)
            raise UsageProblem(
                f"an earlier introduction of this repository has marks ({marks}); a new one starts without them, so an "
                "older state could be shown to you again. If that is meant: --force",
            )
        prefix = f"gitverify.branch:{branch}" if branch else "gitverify"
        session.store_config(f"{prefix}.introduction", found.hex())
        for key, value in _stored(signer or trusted.signing_key, asked).items():
            session.store_config(f"{prefix}.{key}", value)
        out(f"stored as     {prefix}.introduction in {shown(str(session.repository.common_directory / 'config'))}")
        out("next          gitverify verify")
        return 0

    return answered(run)


def _stored(signer: str, asked: dict[str, Any]) -> dict[str, str | None]:
    """Return what goes with the introduction: an option that was not given is taken out of the configuration.

    Without ``--signer`` it is the key whose signature on the introduction was found to hold, so that an earlier
    introduction's signer is not asked of this one.
    """
    return {
        "signer": signer or None,
        "keyring": asked["keyring"],
        "policyPath": asked["policy_path"],
        "dialect": asked["dialect"],
    }
