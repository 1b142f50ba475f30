"""``gitverify policy``: look at the policy, and change it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options, policyedits
from gitverify.cli.output import out

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.policies.model import Policy
    from gitverify.policyedit.findings import Checked
    from gitverify.policyedit.place import CommittedTree, PolicyName
    from gitverify.session import Session

_FORMAT = options.formats(["human", "json"])
_NAMED = options.stacked(
    click.option(
        "--policy-path",
        metavar="PATH",
        envvar="GITVERIFY_POLICY_PATH",
        show_envvar=True,
        help="The policy file, where it is not in its usual place (gitverify.policyPath).",
    ),
    click.option(
        "--dialect",
        type=click.Choice(["native", "guix", "openssh"]),
        envvar="GITVERIFY_DIALECT",
        show_envvar=True,
        help="What kind of policy it is (default: what its name says).",
    ),
)


@click.group("policy")
def command() -> None:
    """Look at the policy and change it: who is listed with which keys, and who may change what.

    Changes are made to the file in the working tree, where comments and order stay as they are. They count from the
    commit after the one that has them, which an editor signs.

    \b
      gitverify policy check                             is it in order, and is it what was meant?
      gitverify policy show HEAD pkgs/games/             who may change this?
      gitverify policy add-key bob bob.pub --new-person
      gitverify policy grant bob pkgs/games/
    """


for _each in policyedits.COMMANDS:
    command.add_command(_each)


@command.command("check")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--rev", metavar="REV", help="Check the policy of this commit, not that of the working tree.")
@click.option("--strict", is_flag=True, help="End with status 1 for warnings, too.")
@options.REPOSITORY
@_NAMED
@_FORMAT
def check(file: str | None, rev: str | None, strict: bool, format_: str, **asked: Any) -> int:
    """Is the policy in order, and likely what was meant?

    Looks at FILE (default: the working tree's policy file). Errors, for which a commit would be refused, end with
    status 1; warnings are about what is legal but likely a mistake. Paths are looked up in HEAD's tree.

    \b
      gitverify policy check                    before a change is committed
      gitverify policy check --rev HEAD~3       as it was
      gitverify policy check --strict draft.yaml
    """
    if file is not None and rev is not None:
        raise click.UsageError("FILE and --rev are two places: name one")

    def run() -> int:
        name, data, checked = _checked(file, rev, asked)
        return _report(name, data, checked, strict=strict, format_=format_)

    return _answered(run)


def _answered(run: Callable[[], int]) -> int:
    from gitverify.cli.verify import answered  # noqa: PLC0415  (loads git)
    from gitverify.git import GitError  # noqa: PLC0415
    from gitverify.session import UsageProblem  # noqa: PLC0415

    def checked() -> int:
        try:
            return run()
        except GitError as error:
            raise UsageProblem(str(error)) from None

    return answered(checked)


def _checked(file: str | None, rev: str | None, asked: dict[str, Any]) -> tuple[str, bytes, Checked]:
    """Read and check what was named; return its name, its bytes, and what was found."""
    from gitverify.policies.dialects import POLICY_FILES  # noqa: PLC0415
    from gitverify.policies.model import Dialect  # noqa: PLC0415
    from gitverify.policyedit.change import policy_file  # noqa: PLC0415
    from gitverify.policyedit.file import fingerprints_in, read_file  # noqa: PLC0415
    from gitverify.policyedit.findings import check as look  # noqa: PLC0415
    from gitverify.policyedit.place import CommittedTree, PolicyName  # noqa: PLC0415

    session = _session(rev or "HEAD", asked, needed=file is None)
    tree = CommittedTree(session.repository, session.revision.commit) if session is not None else None
    if session is not None and tree is not None and rev is not None:
        name = _name_in(session, tree)
        data = tree.data(name.path)
        if data is not None:
            return os.fsdecode(name.path), data, look(data, name.dialect, tree, lambda p: tree.material(p).known)
        raise click.UsageError("the policy file is no regular file")
    if file is not None:
        path = Path(file)
        dialect = asked["dialect"] or POLICY_FILES.get(os.fsencode(path.name), Dialect.NATIVE)
        name = PolicyName(os.fsencode(asked["policy_path"] or ".gitverify.yaml"), Dialect(dialect))
    else:
        assert session is not None  # noqa: S101 - needed
        found = policy_file(session)
        name, path, file = found.name, found.path, os.fsdecode(found.name.path)
    data = read_file(path)
    worktree = session.repository.worktree if session is not None else None

    def known(policy: Policy) -> Callable[[str], bool]:
        if worktree is None:
            return lambda _: True
        return fingerprints_in(worktree, policy.openpgp_keys).__contains__

    checked = look(data, name.dialect, tree, known)
    return file, data, _compared(checked, data, name, session, tree)


def _compared(
    checked: Checked, data: bytes, name: PolicyName, session: Session | None, tree: CommittedTree | None
) -> Checked:
    """Add what stands against committing it, where it differs from HEAD's."""
    from dataclasses import replace  # noqa: PLC0415

    from gitverify.git import Git, GitError  # noqa: PLC0415
    from gitverify.policyedit.findings import changes  # noqa: PLC0415
    from gitverify.signingkey import CannotSign, signing_keys  # noqa: PLC0415

    if session is None or tree is None or checked.policy is None or tree.data(name.path) == data:
        return checked
    try:
        signers = signing_keys(Git(session.repository.path, session.repository.worktree, os.environ))
    except (CannotSign, GitError):
        signers = ()
    more = tuple(changes(checked.policy, name, tree, signers))
    return replace(checked, findings=(*more, *checked.findings))


def _session(rev: str, asked: dict[str, Any], *, needed: bool) -> Session | None:
    """Open the repository; a file can be looked at without one."""
    from gitverify.cli.verify import query  # noqa: PLC0415  (loads git)
    from gitverify.session import Session, UsageProblem  # noqa: PLC0415

    try:
        return Session(query(rev, no_state=True, **asked))
    except UsageProblem:
        if needed or asked["repo"] is not None:
            raise
        return None


def _report(file: str, data: bytes, checked: Checked, *, strict: bool, format_: str) -> int:
    from gitverify.report import policy as writing  # noqa: PLC0415
    from gitverify.report.human import number  # noqa: PLC0415
    from gitverify.text import shown  # noqa: PLC0415

    if format_ == "json":
        out(writing.findings_json(shown(file, 4096), checked.dialect, checked.verdict, checked.findings))
    else:
        for finding in checked.findings:
            out(writing.finding_line(file, finding))
            for line in writing.excerpt(data, finding.line, finding.column):
                out(line)
        errors = sum(finding.severity == "error" for finding in checked.findings)
        count = f"{number(errors, 'error')}, {number(len(checked.findings) - errors, 'warning')}"
        what = f": {writing.summary(checked.policy)}" if checked.policy is not None else ""
        out(f"{shown(file)}: {count if checked.findings else 'in order'}{what}")
        if checked.dialect != "native":
            out(f"in the {checked.dialect} dialect everyone who is listed may change everything: there are no paths")
    return int(checked.verdict == "errors" or (strict and checked.verdict == "warnings"))


@command.command("show")
@click.argument("words", nargs=-1, metavar="[REV] [PATH]…")
@click.option("--person", metavar="NAME", help="Show what this person may do.")
@options.REPOSITORY
@_NAMED
@_FORMAT
def show(words: tuple[str, ...], person: str | None, format_: str, **asked: Any) -> int:
    """Who may do what, by the policy of REV (default: HEAD)?

    Without PATH: every path of the policy with the people who may change it, the editors, the tag signers, and all
    keys. With PATHs: exactly who may change them. Whether REV is authentic is for “gitverify verify” to say.

    \b
      gitverify policy show
      gitverify policy show origin/main pkgs/games/ README
      gitverify policy show --person bob --format json
    """
    if person is not None and words[1:]:
        raise click.UsageError("--person and PATH are two questions: ask one after the other")

    def run() -> int:
        from gitverify.policyedit.overview import overview  # noqa: PLC0415
        from gitverify.policyedit.place import CommittedTree  # noqa: PLC0415
        from gitverify.policyedit.showing import as_json, as_text  # noqa: PLC0415

        rev, paths = _split(words, asked)
        session = _session(rev, asked, needed=True)
        assert session is not None  # noqa: S101 - needed
        tree = CommittedTree(session.repository, session.revision.commit)
        name, policy = _policy_in(session, tree)
        _check_person(policy, person)
        found = overview(tree, name, policy, paths, person)
        if format_ == "json":
            out(json.dumps(as_json(found)))
        else:
            for line in as_text(found, session):
                out(line)
        return 0

    return _answered(run)


def _split(words: tuple[str, ...], asked: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Tell the revision from the paths: the first word is one if the repository has a revision of this name."""
    from gitverify.policyedit.place import CommittedTree  # noqa: PLC0415
    from gitverify.revisions import BadRevision, resolve  # noqa: PLC0415
    from gitverify.session import UsageProblem  # noqa: PLC0415
    from gitverify.text import shown  # noqa: PLC0415

    if not words:
        return "HEAD", ()
    session = _session("HEAD", asked, needed=True)
    assert session is not None  # noqa: S101 - needed
    try:
        resolve(session.repository, words[0])
    except BadRevision:
        return "HEAD", words
    tree = CommittedTree(session.repository, session.revision.commit)
    if words[0] != "HEAD" and tree.entry(os.fsencode(words[0])) is not None:
        raise UsageProblem(f"“{shown(words[0])}” is a revision and a path: write the revision first, such as HEAD")
    return words[0], words[1:]


def _name_in(session: Session, tree: CommittedTree) -> PolicyName:
    from gitverify.policyedit.place import named  # noqa: PLC0415
    from gitverify.session import UsageProblem  # noqa: PLC0415

    name = named(session, tree.policy_files())
    if name is None or tree.entry(name.path) is None:
        raise UsageProblem(f"{tree.commit.hex()} has no policy file: “gitverify init” writes a first one")
    return name


def _policy_in(session: Session, tree: CommittedTree) -> tuple[PolicyName, Policy]:
    from gitverify.policies.model import Policy  # noqa: PLC0415
    from gitverify.session import UsageProblem  # noqa: PLC0415

    name = _name_in(session, tree)
    policy = tree.policy(name)
    if not isinstance(policy, Policy):
        why = f": {policy.message}" if policy is not None else ""
        raise UsageProblem(f"the policy of {tree.commit.hex()} can't be used{why}")
    return name, policy


def _check_person(policy: Policy, person: str | None) -> None:
    from gitverify.policies.shape import did_you_mean  # noqa: PLC0415
    from gitverify.session import UsageProblem  # noqa: PLC0415
    from gitverify.text import shown  # noqa: PLC0415

    if person is not None and person not in policy.people:
        raise UsageProblem(f"there is no person “{shown(person, 80)}”{did_you_mean(person, policy.people)}")
