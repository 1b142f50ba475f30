"""Other programs that check the signatures of a history, on a part of it: commits a second."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.target import Target

GPG_COMMITS = 300
SSH_COMMITS = 200


def gpg(target: Target) -> float:
    """Let git ask gpg."""
    with _gnupg_home(target) as home:
        return _rate(target, GPG_COMMITS, {"GNUPGHOME": home, "PATH": "/usr/bin:/bin"})


def ssh_keygen(target: Target) -> float:
    """Let git ask ssh-keygen about a synthetic history."""
    with tempfile.NamedTemporaryFile("w", suffix=".signers") as signers:
        signers.writelines(f"{key.name}@example.org {key.line}\n" for key in keys.ssh_signers())
        signers.flush()
        setting = f"gpg.ssh.allowedSignersFile={signers.name}"
        return _rate(target, SSH_COMMITS, {"PATH": "/usr/bin:/bin"}, "-c", setting)


def _rate(target: Target, count: int, environment: dict[str, str], *options: str) -> float:
    """Have git show the state of so many signatures; all must be good, be it by a key that has expired since."""
    command = ["git", *options, "-C", str(target.path), "log", f"-{count}", "--format=%G?", target.tip]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    spent = time.perf_counter() - start
    answers = Counter(done.stdout.split())
    if sum(answers[good] for good in "GUXY") != count:
        raise RuntimeError(f"{' '.join(command)}: not all signatures are good: {dict(answers)}")
    return count / spent


@contextmanager
def _gnupg_home(target: Target) -> Iterator[str]:
    """A home of its own for gpg, with all certificates of the keyring branch."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o700)
        listing = _output("git", "-C", str(target.path), "ls-tree", "--name-only", "-z", target.keyring)
        for name in listing.decode().split("\0"):
            if name.endswith(".key"):
                file = _output("git", "-C", str(target.path), "cat-file", "blob", f"{target.keyring}:{name}")
                subprocess.run(
                    ["gpg", "--homedir", home, "--batch", "--quiet", "--import"],
                    input=file,
                    check=False,  # a keyring may have keys that gpg does not take
                    capture_output=True,
                )
        yield home
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def _output(*command: str) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout
