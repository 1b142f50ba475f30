"""``gitverify adopt`` with SSH and OpenPGP keys, told beforehand or not."""

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from cli.forge import MALLORY, OPTIONS, Forge, parents, policy

from fixtures.lib import policies
from fixtures.lib.keys import ALICE, BOB, CAROL, KEYS
from fixtures.lib.keys import MALLORY as MALLORYS_KEY


def test_with_openpgp(tmp_path):
    people = {"alice": [ALICE], "bob": [BOB], "carol": [CAROL]}
    forge = Forge(tmp_path)
    files = {policies.NATIVE: policy(*OPTIONS, people=people).replace("people: [bob]", "people: [bob, carol]")}
    for name, content in policies.certificates(CAROL).items():
        files[name] = content.decode()
    forge.commit("Carol", files, sign=True)
    forge.git("push", "-q")
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        forge.environment["GNUPGHOME"] = home
        gpg = {**forge.environment}
        secret = KEYS / "openpgp" / "carol.secret.asc"
        subprocess.run(["gpg", "--batch", "--quiet", "--import", secret], env=gpg, check=True, capture_output=True)
        try:
            forge.set(**{"gpg.format": "openpgp", "user.signingKey": CAROL.id})
            _adopt_with_openpgp(forge)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=gpg, check=True)


def _adopt_with_openpgp(forge):
    forge.branch("fix")
    forge.commit("Fix", {"pkgs/n": "n\n"}, author=MALLORY)
    done = forge.run("adopt", "--yes")
    assert done.status == 0
    assert f"signer     carol, key {CAROL.signing.name}\n" in done.stdout
    forge.branch("beyond")
    forge.commit("Beyond", {"README": "n\n"}, author=MALLORY)
    assert "carol has no grant on 1 path" in forge.run("adopt", "--yes", "--onto", "fix").stdout


def test_a_signer_whom_the_policy_does_not_list(fix):
    fix.sign_with(MALLORYS_KEY)
    before = fix.objects()
    done = fix.run("adopt", "--yes")
    assert done.status == 1
    assert "not authentic: unauthorized-key (R8)\n" in done.stdout
    assert MALLORYS_KEY.id in done.stdout
    assert fix.objects() == before


def test_a_key_that_cannot_be_told_beforehand(fix):
    """Then the merge is signed first, and verified before anything points to it."""
    fix.git("config", "--unset", "user.signingKey")
    tip = fix.head()
    for key, status in ((MALLORYS_KEY, 1), (ALICE, 0)):
        fix.set(**{"gpg.ssh.defaultKeyCommand": f"echo key::{key.line}"})
        with agent(fix, key) as socket:
            fix.environment["SSH_AUTH_SOCK"] = socket
            done = fix.run("adopt", "--yes")
        assert "signer     not known before it is signed" in done.stdout
        assert done.status == status, done.error
        if status:
            assert "parent-not-authentic (R20)" in done.stdout
            assert "nothing points to it, no branch was moved" in done.stdout
            assert fix.head() == tip
    assert parents(fix)[1] == tip


@contextlib.contextmanager
def agent(forge, key):
    """An ssh-agent that holds one of the test keys; yields its socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        path = Path(directory, "key")
        shutil.copy(KEYS / "ssh" / key.name, path)
        path.chmod(0o600)
        socket = str(Path(directory, "socket"))
        environment = forge.environment | {"SSH_AUTH_SOCK": socket}
        command = ["ssh-agent", "-D", "-a", socket]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # it listens now
            subprocess.run(["ssh-add", "-q", str(path)], env=environment, check=True, capture_output=True)
            yield socket
            process.terminate()


def test_git_set_to_sign_otherwise(fix):
    fix.set(**{"gpg.format": "x509"})
    done = fix.run("adopt", "--yes")
    assert done.status == 2
    assert "x509" in done.error


def test_git_cannot_sign(fix):
    (fix.place / "alice").unlink()
    tip = fix.head()
    done = fix.run("adopt", "--yes")
    assert done.status == 2
    assert "git could not make a signed commit" in done.error
    assert fix.head() == tip
