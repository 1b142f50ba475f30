"""The merge itself: signed by git, verified by the engine, and only then what the branch points to."""

from __future__ import annotations

import re
import textwrap
from binascii import unhexlify
from typing import TYPE_CHECKING

from gitverify.git import GitError
from gitverify.objects.commit import parse_commit
from gitverify.session import UsageProblem
from gitverify.walk import read_commit

if TYPE_CHECKING:
    from gitverify.adopt.ask import Asking
    from gitverify.adopt.plan import Plan
    from gitverify.git import Git

_ID = re.compile(rb"[0-9a-f]{40}\n")


def signed_merge(asking: Asking, git: Git, plan: Plan) -> bytes:
    """Have git make and sign the merge, and verify it as ``verify`` would; return its id.

    On return it is authentic on top of what earlier runs accepted of the target branch; no reference points to it yet.
    Raises NotAdopted where it is not authentic, UsageProblem where git could not sign.
    """
    parents = [argument for parent in plan.parents for argument in ("-p", parent.hex())]
    try:
        done = git.run("commit-tree", "-S", *parents, "-F", "-", plan.tree.hex(), stdin=_message(plan))
    except GitError as error:
        raise UsageProblem(f"git could not make a signed commit: {'; '.join(error.output) or error}") from None
    if not _ID.fullmatch(done.output):
        raise UsageProblem("git did not say which commit it made")
    new = unhexlify(done.output.strip())
    made = parse_commit(read_commit(asking.session.repository, new))
    if (made.tree, made.parents) != (plan.tree, plan.parents):
        raise UsageProblem(f"git made another commit than it was asked for, {new.hex()}; nothing points to it")
    outcome = asking.verify(new)
    if outcome.verdict != "authentic":
        raise asking.refused(outcome, f"the signed commit is {new.hex()}; nothing points to it, no branch was moved")
    return new


def _message(plan: Plan) -> bytes:
    """Return the message: what is adopted, and what that means."""
    name, count = plan.branch.name, len(plan.strangers)
    subject = f"Seal {name}" if plan.seals else f"Adopt {name} onto {plan.target}"
    what = f"The {count:,} commits up to" if count > 1 else "The commit"
    are = "are" if count > 1 else "is"
    body = (
        f"{what} {plan.branch.tip.hex()} {are} not authentic. This merge vouches for all that changed since "
        f"{plan.first.hex()}."
    )
    filled = textwrap.fill(body, 72, break_long_words=False, break_on_hyphens=False)
    return f"{subject}\n\n{filled}\n".encode("utf-8", "surrogateescape")
