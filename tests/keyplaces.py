"""Where real programs keep keys, for a test: a gpg home, an ssh-agent, a directory with key files."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fixtures.lib.keys import KEYS

CLEAN = {
    name: value for name, value in os.environ.items() if not name.startswith(("GIT", "XDG_", "GNUPG", "SSH_", "DEBUG"))
}


@contextlib.contextmanager
def gpg_home(*keys, public=(), files=()):
    """A gpg home with these test keys, with certificates alone, and with what is in files; yields the directory.

    Gpg's sockets need a short path.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        environment = CLEAN | {"GNUPGHOME": home}
        paths = [KEYS / "openpgp" / f"{key.name}.secret.asc" for key in keys]
        paths += [KEYS / "openpgp" / f"{key.name}.asc" for key in public]
        try:
            for path in [*paths, *files]:
                command = ["gpg", "--batch", "--quiet", "--import", str(path)]
                subprocess.run(command, env=environment, check=True, capture_output=True)
            yield home
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)


@contextlib.contextmanager
def ssh_agent(*keys):
    """An ssh-agent that holds these test keys (names of files in fixtures/keys/ssh); yields its socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        socket = str(Path(directory, "socket"))
        environment = CLEAN | {"SSH_AUTH_SOCK": socket}
        with subprocess.Popen(["ssh-agent", "-D", "-a", socket], env=environment, stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # it listens now
            try:
                for name in keys:
                    subprocess.run(
                        ["ssh-add", "-q", str(key_file(Path(directory), name))],
                        env=environment,
                        check=True,
                        capture_output=True,
                    )
                yield socket
            finally:
                process.terminate()


def key_file(directory, name, *, comment=None):
    """Put a test key and its public one into a directory; return the private key's path."""
    path = directory / name
    shutil.copy(KEYS / "ssh" / name, path)
    path.chmod(0o600)
    public = (KEYS / "ssh" / f"{name}.pub").read_text()
    if comment is not None:
        public = " ".join(public.split()[:2]) + f" {comment}\n"
    path.with_name(name + ".pub").write_text(public)
    return path
