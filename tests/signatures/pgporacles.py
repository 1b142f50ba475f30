"""GnuPG and Sequoia as oracles: what they say of a detached signature, given one certificate and no trust database."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pysequoia

if TYPE_CHECKING:
    from pathlib import Path

GOOD, BAD = "good", "refused"

# What gpg reports of a signature that verifies, by the state of its key or its own. Git takes only the first.
_VERIFIED = {
    b"GOODSIG": GOOD,
    b"EXPSIG": "good, but the signature has expired",
    b"EXPKEYSIG": "good, but the key has expired",
    b"REVKEYSIG": "good, but the key is revoked",
}


@dataclass(frozen=True)
class Gpg:
    """gpg with a home of its own."""

    home: Path

    def run(self, *arguments: str | Path, data: bytes = b"", now: int | None = None) -> bytes:
        """Run it to the end, at a time if one is given, and return what it prints; raises where it fails."""
        return self._run(*arguments, data=data, now=now, check=True).stdout

    def verdict(self, signature: bytes, payload: bytes, certificate: bytes, *, now: int | None = None) -> str:
        """What it says of a signature over a payload, with the keys of this (binary) certificate."""
        files = {"keyring.gpg": certificate, "text.sig": signature, "payload": payload}
        for name, content in files.items():
            (self.home / name).write_bytes(content)
        ring, text, signed = (self.home / name for name in files)
        options = ["--no-default-keyring", "--keyring", ring, "--trust-model", "always", "--status-fd", "1"]
        done = self._run(*options, "--verify", text, signed, now=now, check=False)
        said = status(done.stdout)
        if not any(line.startswith(b"VALIDSIG ") for line in said):
            return BAD
        # An exit status other than 0 with a good signature means that another one was not.
        found = [_VERIFIED[keyword] for line in said if (keyword := line.partition(b" ")[0]) in _VERIFIED]
        return found[0] if done.returncode == 0 or found[0] != GOOD else BAD

    def _run(self, *arguments, data=b"", now=None, check):
        fixed = ["gpg", "--homedir", self.home, "--batch", "--no-tty", "--quiet", "--no-auto-check-trustdb"]
        if now is not None:
            fixed += ["--faked-system-time", f"{now}!"]
        return subprocess.run([*fixed, *arguments], input=data, capture_output=True, check=check, env={"LC_ALL": "C"})


def status(output: bytes) -> list[bytes]:
    """Return gpg's status lines. A user ID can hold any other separator of lines, so they end at a line feed only."""
    prefix = b"[GNUPG:] "
    return [line[len(prefix) :] for line in output.split(b"\n") if line.startswith(prefix)]


def sequoia(signature: bytes, payload: bytes, certificate: bytes) -> str:
    """What Sequoia says of a signature over a payload, by its standard policy of today."""
    try:
        store = [pysequoia.Cert.from_bytes(certificate)]
        parsed = pysequoia.Sig.from_bytes(signature)
        found = pysequoia.verify(bytes=payload, store=lambda _: store, signature=parsed)
    except Exception:  # noqa: BLE001  (it has one type of exception for all)
        return BAD
    return GOOD if found.valid_sigs else BAD
