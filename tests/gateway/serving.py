"""The gateway in a thread of the tests' process, over a mirror of a signed project; its jobs are threads, too."""

import asyncio
import http.client
import socket
import threading
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from fetching import Upstream

from gitverify.cli.verify import pools
from gitverify.gateway import server
from gitverify.gateway.answer import Gateway
from gitverify.gateway.cache import Cache
from gitverify.gateway.jobs import Jobs, value, work
from gitverify.gateway.keeper import Keeper
from gitverify.gateway.work import Place

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Threads(Jobs):
    """Does in a thread what the real ones do in a process; counts, and waits at ``gate``."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.done = []
        self.gate = threading.Event()
        self.gate.set()

    def _run(self, function, arguments):
        self.gate.wait()
        self.done.append(function.__name__)
        sent = []
        work(_Sender(sent), function, arguments)
        return value(*sent[0])


class _Sender:
    def __init__(self, sent):
        self.send = sent.append

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Nothing is open."""


class Mirrored:
    """An upstream, and a mirror of some of its branches."""

    def __init__(self, place, *branches, upstream=None, introduction="introduction", options=()):
        """``branches`` beside main: they are at the second commit."""
        self.place = place
        self.upstream = upstream or Upstream(place)
        self.ids = self.upstream.ids
        self.path = place / "app.git"
        for branch in branches:
            self.upstream.point("second", branch)
        words = [word for branch in ("main", *branches) for word in ("--branch", branch)]
        anchor = ["--introduction", self.ids[introduction]]
        done = self.update("--url", self.upstream.url, *words, *anchor, *options)
        assert done.status == 0, done.stdout

    def update(self, *arguments):
        return self.upstream.scene_run(
            "mirror", "update", str(self.path), *arguments, "--state", str(self.state), "--jobs", "1"
        )

    @property
    def state(self):
        return self.place / "state"

    def git(self, *arguments):
        return self.upstream.git(*arguments, at=self.path)

    def where(self, **more):
        found = {"directory": self.path, "environment": self.upstream.environment, "pools": partial(pools, jobs=1)}
        return Place(**{**found, "state": self.state, **more})


class Client:
    """Asks a gateway."""

    def __init__(self, port, base=""):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.base = base

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=body, text=body.decode("latin-1"))

    def raw(self, *pieces):
        """Send bytes as they are; return all that comes until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            for piece in pieces:
                connection.sendall(piece)
            received = b""
            try:
                while piece := connection.recv(1 << 16):
                    received += piece
            except ConnectionResetError:
                pass
        return received


@contextmanager
def serving(mirrored, *, name="app", base=None, most=1 << 30, last_verified=False, cache=None, **where):
    """Serve a mirror on a free port; gives a client, with the ``log``, the ``jobs`` and the ``keeper``."""
    place = mirrored.where(**where)
    held = Cache(cache or mirrored.place / "served-cache", most)
    listening = server.listen("127.0.0.1", 0)
    ready = threading.Event()
    client = Client(listening.getsockname()[1])
    client.log, client.cache = [], held

    async def run():
        client.loop = asyncio.get_running_loop()
        client.jobs = Threads(2, 8)
        client.keeper = Keeper(name, place, held, client.jobs, last_verified=last_verified)
        here = f"127.0.0.1:{client.port}"
        hosts = LOOPBACK | {"builder.example.org"}
        gateway = Gateway({name: client.keeper}, base, hosts, here, client.log.append)

        def begun(stop):
            client.stop = stop
            ready.set()

        await server.serve(gateway, listening, begun)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(30)
    try:
        yield client
    finally:
        client.jobs.gate.set()
        client.stop()
        thread.join()
        held.close()
        listening.close()


def opened_below(directory):
    """Return what this process has open below a directory."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(each.readlink()))
    return [name.removeprefix(f"{directory}/") for name in found if name.startswith(f"{directory}/")]
