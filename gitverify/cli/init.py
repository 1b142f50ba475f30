"""``gitverify init``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitverify.cli import options
from gitverify.cli.output import out
from gitverify.cli.verify import answered, query
from gitverify.errors import MalformedObject, PolicyError
from gitverify.git import Git, GitError
from gitverify.introduce import introduce
from gitverify.limits import LIMITS
from gitverify.policies import lint, native
from gitverify.policies.model import SshKeySpec
from gitverify.session import Session, Unanswerable, UsageProblem, open_repository
from gitverify.settings import ConfigUntrusted, Settings
from gitverify.setup import people as cast_
from gitverify.setup.certificates import read_keyring
from gitverify.setup.commit import put_in_place, signed_commit
from gitverify.setup.draft import KEY_DIRECTORY, POLICY_FILE, draft
from gitverify.setup.place import find_place
from gitverify.setup.signer import another_key, signing_key
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.policies.model import Policy
    from gitverify.setup.commit import Made
    from gitverify.setup.people import Cast
    from gitverify.setup.place import Place
    from gitverify.setup.signer import FoundKey
    from gitverify.source import Repository

_FORMATS = ["guix", "allowed-signers", "committers-json", "github-keys"]
_INDENT = " " * 14
_MOST_SHOWN = 20


@click.command("init")
@click.option("--person", metavar="NAME", help="What to call you in the policy (default: git's user.name, made plain).")
@click.option(
    "--backup-key",
    multiple=True,
    metavar="KEY",
    help="Another key of yours (repeatable): a .pub file, SHA256:… of ssh-agent, or a fingerprint or e-mail address "
    "that gpg knows.",
)
@click.option(
    "--from",
    "from_",
    type=(click.Choice(_FORMATS), click.Path()),
    metavar="FORMAT FILE",
    help="List the people of FILE as well; FORMAT is one of " + ", ".join(_FORMATS) + ".",
)
@click.option("--keyring", metavar="REF", help="With --from guix: the branch that has the certificates, *.key files.")
@click.option("--trust", is_flag=True, help="Store the introduction for this clone as well, as “gitverify trust” does.")
@click.option("--dry-run", is_flag=True, help="Print the policy file, and change nothing.")
@options.REPOSITORY
@options.STATE_DIRECTORY
def command(**asked: Any) -> int:
    """Write a first policy, sign and commit it, and print the introduction to hand out.

    The policy, .gitverify.yaml, lists you with the key that git signs with (gpg.format, user.signingKey). It is
    committed on the branch that is checked out, alone; changes that are not staged stay as they are, and no hooks run.
    The commit is verified before anything changes, and it is the introduction: from it on, every commit must be signed
    by somebody whom the policy lists. Users of the project get its id, and your key's, from you.

    \b
      gitverify init                                            you, with git's signing key
      gitverify init --backup-key ~/.ssh/token.pub              and another key, should that one be lost
      gitverify init --from allowed-signers .allowed_signers    and everybody of a list that you have
      gitverify init --dry-run                                  what the file would say
    """

    def run() -> int:
        try:
            return _init(asked)
        except (GitError, MalformedObject) as error:
            raise UsageProblem(str(error)) from None

    return answered(run)


def _init(asked: dict[str, Any]) -> int:
    now = int(time.time())
    if asked["keyring"] and (asked["from_"] or [""])[0] != "guix":
        raise UsageProblem("--keyring says where the certificates of --from guix are: it goes with that option")
    repository = open_repository(query("HEAD", repo=asked["repo"]))
    settings = _settings(repository)
    trusted = settings.option("introduction")
    if asked["trust"] and trusted:
        raise UsageProblem(
            "this clone trusts an introduction already (git config gitverify.introduction): leave --trust out, and "
            "change that with gitverify trust"
        )
    git = Git(repository.path, repository.worktree, os.environ)
    place = find_place(repository, git)
    cast = _cast(repository, git, asked, now)
    if trusted:
        cast.notes.append("this clone trusts another introduction (git config gitverify.introduction), and still will")
    policy, files = _files(cast, asked["from_"])
    if asked["dry_run"]:
        out(files[POLICY_FILE].decode(), end="")
        _notes(cast, policy, place)
        return 0
    made = signed_commit(repository, git, place, files, now)
    put_in_place(git, place, files, made)
    _introduce(place, cast, policy, made)
    if asked["trust"]:
        _trust(asked, made, place)
    _notes(cast, policy, place)
    return 0


def _settings(repository: Repository) -> Settings:
    try:
        return Settings(repository)
    except ConfigUntrusted as error:
        raise Unanswerable("config-untrusted", str(error)) from None


def _cast(repository: Repository, git: Git, asked: dict[str, Any], now: int) -> Cast:
    """Find out who is to be listed, with which keys."""
    name = cast_.signer_name(git, asked["person"])
    keys = [signing_key(git, now), *(another_key(git, named, now) for named in asked["backup_key"])]
    if len(keys) == 1 and not asked["dry_run"]:
        keys += _prompted(git, now)
    if asked["from_"] is None:
        return cast_.alone(name, keys)
    from gitverify.setup import imports  # noqa: PLC0415  (only where it is asked for)

    form, file = asked["from_"]
    try:
        imported = imports.read(form, _content(file), name=Path(file).stem, now=now)
    except imports.ImportRefused as error:
        raise UsageProblem(f"{shown(file)}: {error}") from None
    kept = read_keyring(repository, asked["keyring"]) if asked["keyring"] else None
    return cast_.with_imported(asked["person"], name, keys, imported, kept, now)


def _content(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(LIMITS.policy_size + 1)
    except OSError as error:
        raise UsageProblem(f"{shown(name)} can't be read: {error.strerror}") from None


def _prompted(git: Git, now: int) -> list[FoundKey]:
    """Ask for a second key, where somebody is there."""
    if not _somebody_is_there():
        return []
    out("If your only key is lost, every user has to trust a new introduction. A second key can be a security key, or")
    out("one that is kept away: its .pub file, or a fingerprint that gpg knows.")
    while True:
        named = click.prompt("Second key (empty: none for now)", default="", show_default=False).strip()
        if not named:
            return []
        try:
            return [another_key(git, named, now)]
        except UsageProblem as error:
            out(str(error))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _files(cast: Cast, listed: tuple[str, str] | None) -> tuple[Policy, dict[str, bytes]]:
    """Return the policy and the files to commit, read back by the loader that will judge by them."""
    text = draft(cast.people, source=f"a list in the format {listed[0]}" if listed else "").encode()
    try:
        policy = native.parse(text)
    except PolicyError as error:
        raise UsageProblem(f"no policy can be made of this: {error}") from None
    files = {POLICY_FILE: text}
    files |= {f"{KEY_DIRECTORY}{key}.asc": content for key, content in sorted(cast.certificates.items())}
    return policy, files


def _introduce(place: Place, cast: Cast, policy: Policy, made: Made) -> None:
    """Print what to hand out."""
    people = list(policy.people.values())
    out(f"policy        {POLICY_FILE}: " + ("1 person" if len(people) == 1 else f"{len(people):,} people"))
    for person in people[:_MOST_SHOWN]:
        keys = ", ".join(key.key for key in person.keys[:3]) + (" …" if len(person.keys) > 3 else "")
        out(f"{_INDENT}{person.name}  {keys}" + ("  (you)" if person.name == cast.signer else ""))
    if len(people) > _MOST_SHOWN:
        out(f"{_INDENT}and {len(people) - _MOST_SHOWN:,} more")
    out(f"committed     to {shown(place.branch.removeprefix('refs/heads/'))}, signed, and verified")
    out(f"introduction  {made.commit.hex()}")
    out(f"signed by     {made.signer}")
    out("publish       both, where the git server has no say; users store them in their clones, once:")
    out("")
    out(f"  {_trust_line(made, place)}")
    out("")


def _trust_line(made: Made, place: Place) -> str:
    dialect = " --dialect native" if place.others else ""
    return f"gitverify trust {made.commit.hex()} --signer {made.signer}{dialect}"


def _trust(asked: dict[str, Any], made: Made, place: Place) -> None:
    """Store the introduction for this clone, unless that would give up marks."""
    asked = {key: asked[key] for key in ("repo", "state")}
    session = Session(query("HEAD", introduction=made.commit, signer=made.signer, no_state=True, **asked))
    session.query.dialect = "native"
    if introduce(session, made.commit, None).given_up:
        raise UsageProblem(
            "the policy is committed, but this clone has marks under another introduction, so it is not stored: "
            f"{_trust_line(made, place)} --force, if those can be given up"
        )
    session.store_config("gitverify.introduction", made.commit.hex())
    session.store_config("gitverify.signer", made.signer)
    if place.others:
        session.store_config("gitverify.dialect", "native")
    out("stored        for this clone: gitverify verify")


def _notes(cast: Cast, policy: Policy, place: Place) -> None:
    """Say on stderr what somebody should know."""
    notes = list(cast.notes)
    if place.others:
        others = ", ".join(shown(name) for name in place.others)
        notes.append(f"there is {others} here as well, so users must say which one counts: --dialect native")
    own = policy.people[cast.signer]
    if len(own.keys) == 1:
        what = "their only key" if len(policy.people) > 1 else "this only key"
        notes.append(
            f"{own.name} has one key: when {what} is lost, nobody can sign as {own.name}"
            + ("" if len(policy.people) > 1 else ", and every user has to trust a new introduction")
            + "; list a second one soon: gitverify policy add-key"
        )
    if any(isinstance(key, SshKeySpec) and _is_security_key(key) for key in own.keys):
        notes.append("a security key must be touched for every signature")
    notes += [f"line {w.line}: {w.message}" if w.line else w.message for w in lint.warnings(policy) if _is_news(w)]
    for note in dict.fromkeys(notes):
        click.echo(f"note: {note}", err=True)


def _is_security_key(key: SshKeySpec) -> bool:
    from gitverify.signatures.sshkeys import parse_blob  # noqa: PLC0415

    return parse_blob(key.blob).is_security_key


def _is_news(warning: lint.Warning) -> bool:
    """Whether the notes do not say it already."""
    return "only one" not in warning.message
