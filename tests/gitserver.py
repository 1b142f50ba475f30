"""Git servers on loopback: git's own HTTP backend and git daemon, and what stands between them and a client."""

import fcntl
import os
import socket
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from gitrepo import ENVIRONMENT


class Handler(BaseHTTPRequestHandler):
    """Hands requests to ``git http-backend``, and what comes back to ``server.tamper``."""

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body):
        self.server.requests.append(self.path)
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.server.rewrite(body)
        path, _, query = self.path.partition("?")
        environment = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        if self.command == "POST":
            self.server.sent.append(len(content))
        pieces = self.server.tamper(self.path, content)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(piece)
        except OSError:  # the client has gone
            self.server.gone.append(self.path)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def http(root):
    """Serve the repositories below a directory over HTTP; ``url`` has no slash at its end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root = root
    server.redirect = None
    server.rewrite = lambda body: body
    server.tamper = lambda _, content: [content]
    server.requests, server.sent, server.gone = [], [], []
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def daemon(root):
    """Serve the repositories below a directory with git daemon; gives its URL."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all", f"--base-path={root}"]
    # In the foreground it logs when it is ready.
    process = subprocess.Popen([*command, "--verbose"], env=ENVIRONMENT, stderr=subprocess.PIPE)
    try:
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 1 << 20)  # nobody reads what it logs later
        assert b"Ready" in process.stderr.readline()
        yield f"git://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def wrapped(directory, script):
    """Put a program in the place of git: a shell script, to which ``$GIT`` is the real one. Returns a PATH."""
    directory.mkdir(exist_ok=True)
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    program = directory / "git"
    program.write_text(f"#!/bin/sh\nGIT={real}\n{script}\n")
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"
