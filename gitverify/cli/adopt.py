"""``gitverify adopt``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from gitverify.adopt.ask import Asking, NotAdopted, NothingToAdopt
from gitverify.adopt.branch import default_target, find_branch
from gitverify.adopt.checkout import Checkout
from gitverify.adopt.commit import signed_merge
from gitverify.adopt.plan import make_plan
from gitverify.adopt.show import next_steps, overview
from gitverify.adopt.survey import check_signer, survey
from gitverify.cli import options
from gitverify.cli.main import INTERRUPTED
from gitverify.cli.output import out, show
from gitverify.cli.verify import answered, query, working
from gitverify.git import Git, GitError
from gitverify.session import Session, UsageProblem
from gitverify.signingkey import CannotSign, signing_keys
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.adopt.branch import Branch
    from gitverify.adopt.plan import Plan


@click.command("adopt")
@click.argument("branch", default="HEAD", metavar="[REF]")
@click.option("--onto", metavar="BASE", help="The branch to adopt onto (default: what REF follows, else origin/HEAD).")
@click.option("--yes", is_flag=True, help="Sign without asking.")
@options.REPOSITORY
@options.ANCHOR
@options.STATE
@options.JOBS
def command(branch: str, onto: str | None, yes: bool, jobs: int | None, **asked: Any) -> int:
    """Vouch for the branch REF (default: HEAD's) with one signed merge, an adopting merge.

    Where BASE is authentic, REF is merged onto it: BASE becomes the first parent, REF's tip the second. Where BASE is
    not, and REF has all of it, REF is sealed: the newest authentic commit below becomes the first parent, and no file
    changes. Either way REF moves ahead, so no push is forced; the forge's merge button or a fast-forward does the rest.

    Shows what the signature would vouch for (commits, authors, paths), and asks. The merge is verified, as “gitverify
    verify” would, before REF moves to it. Needs “adopting_merges: true” in the policy, and grants on all that changes.

    \b
      gitverify adopt                            what is checked out, onto the branch that it follows
      gitverify adopt fix --onto origin/main     somebody's branch, onto another
    """

    def run() -> int:
        try:
            return _adopt(branch, onto, yes, jobs, asked)
        except NothingToAdopt as nothing:
            out(f"nothing to adopt: {nothing}")
            return 0
        except NotAdopted as error:
            show(error.report, "human")
            for line in error.details:
                out(f"  {line}")
            out("nothing was adopted")
            return error.report.exit_status
        except (CannotSign, GitError) as error:
            raise UsageProblem(str(error)) from None

    return answered(run)


def _adopt(name: str, onto: str | None, yes: bool, jobs: int | None, asked: dict[str, Any]) -> int:
    if not yes and not _somebody_is_there():
        raise UsageProblem("nobody is there to be asked: look at what would be signed in a terminal, or say --yes")
    own = dict.fromkeys(("state", "name", "ref")) | {"no_state": True}
    session = Session(query(name, **(asked | own)))
    git = Git(session.repository.path, session.repository.worktree, os.environ)
    branch = find_branch(session, git, name)
    with working(query(onto or default_target(session, branch), **asked), jobs) as (target, make_pool, progress):
        asking = Asking(target, make_pool, progress)
        plan = make_plan(asking, git, branch)
        checkout = Checkout(git, branch, asking.tree(branch.tip), plan.tree)
        checkout.check()
        signer = check_signer(asking, plan, signing_keys(git))
        lines = overview(target, plan, survey(asking, git, plan), signer)
        progress.end()
        for line in lines:
            out(line)
        if not yes and not _agreed(plan):
            out("nothing was signed")
            return INTERRUPTED
        new = signed_merge(asking, git, plan)
        checkout.move(new, "gitverify adopt: " + ("sealed" if plan.seals else "adopted"))
    _done(branch, plan, new)
    for line in next_steps(target, plan):
        out(line)
    return 0


def _done(branch: Branch, plan: Plan, new: bytes) -> None:
    what = "sealed" if plan.seals else "adopted"
    out(f"{what:<10} {shown(branch.name)} is now at {new.hex()}, which is authentic (R20)")


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _agreed(plan: Plan) -> bool:
    count = len(plan.strangers)
    return click.confirm(f"Sign it, and vouch for {'this commit' if count == 1 else 'these commits'}?")
