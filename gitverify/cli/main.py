"""The command ``gitverify``: finds the subcommand and turns what escapes into exit statuses.

Commands are imported when they are called, so that ``gitverify --version`` loads neither git nor cryptography.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from gitverify import __version__

COMMANDS = {
    "init": "Write a first policy, sign and commit it, and print the introduction to hand out.",
    "verify": "Authenticate a revision from the introduction.",
    "verify-tag": "Authenticate a signed tag, and the commit that it names.",
    "trust": "Store an introduction in this clone's git configuration.",
    "status": "Show the introduction, the marks and who may do what today.",
    "explain": "Show everything that the verdict on one commit rests on.",
    "fetch": "Fetch from a URL, verify, and write out the files of the verified commit.",
    "mirror": "Keep a bare mirror that only ever holds what was verified.",
    "serve": "Serve mirrors over HTTP, on this machine: tarballs that Nix can lock, and channels.",
    "check": "Gate a pull request: would it be authentic on top of its target?",
    "policy": "Check the policy, show who may do what, add and remove keys and grants.",
    "adopt": "Vouch for a branch that is not authentic, with one signed merge.",
    "hook": "Git hooks: refuse what is not authentic before it is pushed, received, fetched or used.",
    "flake": "Check that what flake.lock names is authentic, no older than before and unchanged; move it on.",
    "nix": "Have Nix build from verified commits: hashes and evidence for fetchGitVerified.",
    "audit": "Show what would be authentic, and what stops the rest, under these policies or another.",
}

INTERRUPTED = 130
INTERNAL_ERROR = 70
USAGE = 2


class _Lazy(click.Group):
    """A group whose commands live in modules of the same name beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"gitverify.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gitverify")
def cli() -> None:
    """Verify that a git history was written by the people it should be written by.

    Starting from one trusted commit, the introduction, every commit's signature is checked against the policy file
    in its parent, so that keys come and go within the history itself. Nothing that the git server says is trusted.

    \b
    First use, in a clone:
      gitverify trust COMMIT --signer KEY    the two come from the project's own pages
      gitverify verify                       is HEAD authentic?

    Exit status: 0 authentic, 1 not authentic, 2 usage, 3 cannot decide (objects are missing), 4 bad introduction,
    keyring, configuration or state, 70 internal error, 130 interrupted.
    """


def main() -> NoReturn:
    """Run the command line; never return."""
    try:
        status = cli.main(prog_name=_name(), standalone_mode=False)
    except click.exceptions.Exit as error:
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # click takes any for the end of what somebody types
            status = _internal_error(error.__cause__)
        else:
            click.echo("interrupted; no mark was moved", err=True)
            status = INTERRUPTED
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except BrokenPipeError:
        status = 0
    except Exception as error:  # noqa: BLE001  (the last resort: one clear sentence, no traceback)
        status = _internal_error(error)
    flush()
    sys.exit(status if isinstance(status, int) else 0)


def _name() -> str:
    name = os.path.basename(sys.argv[0])  # noqa: PTH119  (pathlib would be loaded for this alone)
    return name if name in {"gitverify", "git-gitverify"} else "gitverify"


def _internal_error(error: Exception) -> int:
    if os.environ.get("GITVERIFY_DEBUG"):
        raise error
    from gitverify.text import shown  # noqa: PLC0415

    click.echo(
        f"internal error: {type(error).__name__}: {shown(str(error))}\n"
        "Nothing was accepted and no mark was moved. This is a bug in gitverify; run it again with GITVERIFY_DEBUG=1 "
        "and report what it prints.",
        err=True,
    )
    return INTERNAL_ERROR


def flush() -> None:
    """Write what is left; a reader that has gone changes nothing about the verdict."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
