"""``gitverify policy add-key``, ``remove-key``, ``grant`` and ``revoke``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitverify.policies.edit.result import Edited
    from gitverify.policyedit.change import Change, PolicyFile

STAYS = (
    "note: commits already accepted stay valid; on branches that are not merged yet, commits are judged by their own "
    "parents' policies (docs/policy.md, “Changing it”)"
)

_common = options.stacked(
    click.option("--dry-run", is_flag=True, help="Print the change as a diff and write nothing."),
    click.option("--commit", is_flag=True, help="Make a signed commit of it; refused where you may not sign it."),
    click.option("--message", "-m", metavar="TEXT", help="The commit's message."),
    options.REPOSITORY,
    click.option(
        "--policy-path", metavar="PATH", envvar="GITVERIFY_POLICY_PATH", show_envvar=True,
        help="The policy file, where it is not in its usual place (gitverify.policyPath).",
    ),
)  # fmt: skip
_roles = options.stacked(
    click.option("--editor", is_flag=True, help="Changing the policy file (policy_editors)."),
    click.option("--tags", is_flag=True, help="Signing release tags (tags)."),
)


def _run(
    make: Callable[[PolicyFile], Change], *, dry_run: bool, commit: bool, message: str | None, **asked: Any
) -> int:
    from gitverify.cli.verify import answered, query  # noqa: PLC0415  (loads git)
    from gitverify.git import GitError  # noqa: PLC0415
    from gitverify.keysources.errors import KeyNotFound  # noqa: PLC0415
    from gitverify.policies.edit.result import EditRefused  # noqa: PLC0415
    from gitverify.policyedit import change  # noqa: PLC0415
    from gitverify.session import Session, UsageProblem  # noqa: PLC0415
    from gitverify.signingkey import CannotSign  # noqa: PLC0415

    def run() -> int:
        try:
            file = change.policy_file(Session(query("HEAD", no_state=True, **asked)))
            for line in change.make(file, make(file), dry_run=dry_run, commit=commit, message=message):
                out(line)
        except (KeyNotFound, EditRefused, GitError, CannotSign) as error:
            raise UsageProblem(str(error)) from None
        return 0

    if commit and dry_run:
        raise click.UsageError("--dry-run writes nothing, so there is nothing to --commit")
    return answered(run)


@click.command("add-key")
@click.argument("person")
@click.argument("key", metavar="KEY")
@click.option("--agent", is_flag=True, help="KEY is the comment or SHA256:… id of a key that ssh-agent has.")
@click.option("--new-person", is_flag=True, help="PERSON is not listed yet.")
@_common
def add_key(person: str, key: str, agent: bool, new_person: bool, **asked: Any) -> int:
    """List KEY for PERSON.

    KEY is an SSH public key file, a public key's line, SHA256:… of a key in ssh-agent, or, from your gpg keyring, an
    OpenPGP fingerprint or e-mail address. An OpenPGP certificate is written to the directory that openpgp_keys names.

    \b
      gitverify policy add-key alice ~/.ssh/id_ed25519.pub
      gitverify policy add-key bob bob@example.org --new-person
    """

    def make(file: PolicyFile) -> Change:
        from gitverify.policies.edit import keys  # noqa: PLC0415
        from gitverify.policyedit.change import Change  # noqa: PLC0415
        from gitverify.policyedit.keysource import find_key  # noqa: PLC0415

        found = find_key(file.git, key, agent=agent, now=int(time.time()))
        return Change(
            edit=lambda data: keys.add_key(
                data, person, found.key, new_person=new_person, directory=found.certificate is not None
            ),
            subject=f"Add a key of {person} to the policy",
            person=person,
            fingerprint=found.key.id,
            certificate=found.certificate,
        )

    return _run(make, **asked)


@click.command("remove-key")
@click.argument("person")
@click.argument("key", required=False, metavar="[KEY]")
@click.option("--all", "everything", is_flag=True, help="Remove the person: keys, groups, grants, roles.")
@_common
def remove_key(person: str, key: str | None, everything: bool, **asked: Any) -> int:
    """Take a key of PERSON off the list: its id, its comment, or the public key file. With --all, the whole person.

    \b
      gitverify policy remove-key alice alice@old-laptop
      gitverify policy remove-key bob --all
    """
    if (key is None) != everything:
        raise click.UsageError("name a KEY, or say --all to remove the person")

    def make(file: PolicyFile) -> Change:
        from gitverify.policies.edit import keys  # noqa: PLC0415
        from gitverify.policyedit.change import Change  # noqa: PLC0415

        del file
        if key is None:
            return Change(
                edit=lambda data: keys.remove_person(data, person),
                subject=f"Remove {person} from the policy",
                consequences=(STAYS,),
            )
        named = _id(key)
        return Change(
            edit=lambda data: keys.remove_key(data, person, named),
            subject=f"Remove a key of {person} from the policy",
            consequences=(STAYS,),
        )

    return _run(make, **asked)


def _id(named: str) -> str:
    """Return the id of a key that is named by its file, its line or its spaced fingerprint; else what was written."""
    from pathlib import Path  # noqa: PLC0415

    from gitverify.keysources import ssh  # noqa: PLC0415

    digits = named.replace(" ", "").upper()
    if len(digits) in (40, 64) and set(digits) <= set("0123456789ABCDEF"):
        return digits
    if named.startswith("SHA256:"):
        return named.rstrip("=")
    if named.startswith(("ssh-", "sk-", "ecdsa-")) and " " in named:
        return ssh.from_line(named).key.fingerprint
    path = Path(named).expanduser()
    return ssh.from_file(path).key.fingerprint if path.is_file() else named


@click.command("grant")
@click.argument("name", metavar="PERSON|@GROUP")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@_roles
@_common
def grant(name: str, paths: tuple[str, ...], editor: bool, tags: bool, **asked: Any) -> int:
    """Let a person or a group change PATHs, the policy itself, or sign tags.

    A PATH is relative to the repository's root. “/” is everything; with a trailing slash, all that is below.

    \b
      gitverify policy grant bob pkgs/games/ nixos/tests/games.nix
      gitverify policy grant carol --editor
    """
    return _rights(name, paths, editor, tags, asked, give=True)


@click.command("revoke")
@click.argument("name", metavar="PERSON|@GROUP")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@_roles
@_common
def revoke(name: str, paths: tuple[str, ...], editor: bool, tags: bool, **asked: Any) -> int:
    """Take back what was granted: PATHs as they stand in the policy, changing the policy, signing tags.

    \b
      gitverify policy revoke bob pkgs/games/
      gitverify policy revoke carol --editor
    """
    return _rights(name, paths, editor, tags, asked, give=False)


def _rights(name: str, paths: tuple[str, ...], editor: bool, tags: bool, asked: dict[str, Any], *, give: bool) -> int:
    if not (paths or editor or tags):
        raise click.UsageError("name a PATH, or say --editor or --tags")
    written = tuple(os.fsdecode(path) for path in paths)

    def edit(data: bytes) -> Edited:
        from gitverify.policies.edit import grants, roles  # noqa: PLC0415
        from gitverify.policies.edit.result import Edited  # noqa: PLC0415

        change_paths, change_role = (grants.grant, roles.add_role) if give else (grants.revoke, roles.remove_role)
        edited = change_paths(data, name, written) if written else Edited(data)
        notes = list(edited.notes)
        if editor:
            edited = change_role(edited.data, name, "policy_editors")
            notes += edited.notes
        if tags:
            edited = change_role(edited.data, name, "tags")
            notes += edited.notes
        return Edited(edited.data, tuple(notes))

    def make(file: PolicyFile) -> Change:
        from gitverify.policyedit.change import Change  # noqa: PLC0415

        del file
        what = "Grant {} rights in the policy" if give else "Revoke rights of {} in the policy"
        return Change(edit=edit, subject=what.format(name), consequences=() if give else (STAYS,))

    return _run(make, **asked)


COMMANDS = (add_key, remove_key, grant, revoke)
