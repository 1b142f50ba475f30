"""Forges on loopback, as Nix asks them: what a ref is at, and a commit's archive; whatever their host is called.

Nix only takes them by https and by a name without a port. So they are reached through a proxy, which is told the name,
and which has a certificate for it.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import re
import ssl
import subprocess
import tarfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gitrepo import ENVIRONMENT

OWN = "forge.example.org"  # somebody's own forge: GitHub Enterprise, a GitLab, a sourcehut
_PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY")
HOSTS = ("github.com", "api.github.com", "codeload.github.com", "gitlab.com", "git.sr.ht", OWN, f"api.{OWN}")


class Forge:
    """What the forges have, and how they lie.

    ``repositories``: paths, by ``OWNER/REPO``. ``requests``: what was asked for. ``said``: the id that a ref is said to
    be at, in place of its own. ``served``: the commit whose files are handed out, in place of the one that was asked
    for. ``altered``: files (content by path) that are put into the archives. ``older``: seconds by which the archives'
    dates are before the commit's.
    """

    def __init__(self) -> None:
        self.repositories = {}
        self.requests = []
        self.said = self.served = None
        self.altered = {}
        self.older = 0

    def git(self, name, *arguments):
        where = ["git", f"--git-dir={self.repositories[name]}/.git", *arguments]
        return subprocess.run(where, env=ENVIRONMENT, check=True, capture_output=True).stdout

    def at(self, name, ref):
        """Return the id of the commit that a branch, or HEAD, is at."""
        if self.said:
            return self.said
        for full in (f"refs/heads/{ref}", ref):
            found = self.git(name, "for-each-ref", "--format=%(objectname)", full).decode().strip()
            if found:
                return found
        return self.git(name, "rev-parse", ref).decode().strip()

    def archive(self, name, rev, prefix):
        """Return what ``git archive`` writes, and the forges with it, but for the lies."""
        tar = self.git(name, "archive", "--format=tar", f"--prefix={prefix}/", self.served or rev)
        return gzip.compress(self._forged(tar, prefix) if self.altered or self.older else tar, mtime=0)

    def _forged(self, tar, prefix):
        whole = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(tar)) as source, tarfile.open(fileobj=whole, mode="w") as target:
            for member in source:
                content = source.extractfile(member).read() if member.isreg() else b""
                content = self.altered.get(member.name.removeprefix(f"{prefix}/"), content)
                member.size = len(content)
                member.mtime -= self.older
                target.addfile(member, io.BytesIO(content))
        return whole.getvalue()

    def answer(self, host, path, query):
        """Return the status, the type and the body for a request; for a redirect, the body is the place."""
        for pattern, function in _ROUTES:
            found = re.fullmatch(pattern, f"{host}{path}")
            if found and unquote(found[1]) in self.repositories:
                return function(self, *found.groups(), **query)
        return 404, "text/plain", b"no such page"


def _github_ref(forge, name, ref):
    rev = forge.at(name, unquote(ref))
    tree = forge.git(name, "rev-parse", f"{rev}^{{tree}}").decode().strip()
    return 200, "application/json", json.dumps({"sha": rev, "commit": {"tree": {"sha": tree}}}).encode()


def _github_page(forge, name, rev):
    return 302, "text/html", f"https://codeload.github.com/{name}/tar.gz/{rev}".encode()


def _github_archive(forge, name, rev):
    return 200, "application/x-gzip", forge.archive(name, rev, f"{name.split('/')[1]}-{rev}")


def _enterprise_archive(forge, name, rev):
    return 200, "application/x-gzip", forge.archive(name, rev, f"{name.replace('/', '-')}-{rev[:7]}")


def _gitlab_ref(forge, name, ref_name):
    return 200, "application/json", json.dumps([{"id": forge.at(unquote(name), ref_name)}]).encode()


def _gitlab_archive(forge, name, sha):
    path = unquote(name)
    return 200, "application/octet-stream", forge.archive(path, sha, f"{path.split('/')[-1]}-{sha}-{sha}")


def _sourcehut_head(forge, name):
    return 200, "text/plain", forge.git(name, "symbolic-ref", "HEAD").replace(b"refs/", b"ref: refs/", 1)


def _sourcehut_refs(forge, name):
    refs = forge.git(name, "for-each-ref", "--format=%(refname)").decode().split()
    return 200, "text/plain", "".join(f"{forge.at(name, ref)}\t{ref}\n" for ref in refs).encode()


def _sourcehut_archive(forge, name, rev):
    return 200, "application/gzip", forge.archive(name, rev, f"{name.split('/')[1]}-{rev}")


_NAME = "([^/~]+/[^/]+)"
_ROUTES = [
    (f"(?:api.github.com|api.{OWN}|{OWN}/api/v3)/repos/{_NAME}/commits/(.+)", _github_ref),
    (f"api.github.com/repos/{_NAME}/tarball/(.+)", _github_page),  # what Nix 2.8 asks for
    (f"github.com/{_NAME}/archive/(.+).tar.gz", _github_page),
    (f"codeload.github.com/{_NAME}/tar.gz/(.+)", _github_archive),
    (f"(?:api.{OWN}|{OWN}/api/v3)/repos/{_NAME}/tarball/(.+)", _enterprise_archive),
    (f"(?:gitlab.com|{OWN})/api/v4/projects/([^/]+)/repository/commits", _gitlab_ref),
    (f"(?:gitlab.com|{OWN})/api/v4/projects/([^/]+)/repository/archive.tar.gz", _gitlab_archive),
    (f"(?:git.sr.ht|{OWN})/(~[^/]+/[^/]+)/HEAD", _sourcehut_head),
    (f"(?:git.sr.ht|{OWN})/(~[^/]+/[^/]+)/info/refs", _sourcehut_refs),
    (f"(?:git.sr.ht|{OWN})/(~[^/]+/[^/]+)/archive/(.+).tar.gz", _sourcehut_archive),
]


class _Handler(BaseHTTPRequestHandler):
    """A proxy that is itself what it is asked to connect to."""

    protocol_version = "HTTP/1.1"
    host = None

    def do_CONNECT(self):
        self.host = self.path.partition(":")[0]
        self.send_response_only(200)
        self.end_headers()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def finish(self):
        super().finish()
        self.connection.close()

    def do_GET(self):
        url = urlsplit(self.path)
        self.server.forge.requests.append(f"{self.host}{self.path}")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        status, kind, body = self.server.forge.answer(self.host, url.path, query)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", body.decode())
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def forges(place):
    """Have the forges; gives a Forge, and the environment in which all programs reach them."""
    certificate = _certificate(place)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.forge = Forge()
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        environment = dict.fromkeys(_PROXIES, f"http://127.0.0.1:{server.server_port}")
        environment |= {"no_proxy": "", "NO_PROXY": "", "NIX_SSL_CERT_FILE": str(certificate)}
        try:
            yield server.forge, environment
        finally:
            server.shutdown()
            thread.join()


def _certificate(place):
    """Write a certificate for the forges, signed by itself, and its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forges of the tests")])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = place / "forges.pem"
    encoding = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(encoding)
        + key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
