"""``gitverify serve``."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gitverify.cli import options
from gitverify.cli.transfers import cache_directory
from gitverify.cli.values import SIZE
from gitverify.cli.verify import answered, cores, pools
from gitverify.gateway.target import is_repository_name
from gitverify.mirror.memory import NotAMirror, read
from gitverify.session import UsageProblem
from gitverify.text import legible, shown

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from gitverify.gateway.work import Place

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):([0-9]{1,5})")
_URL = re.compile(r"(https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*)/?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_AT_ONCE = 2  # archives that are written, or branches that are judged


@click.command("serve")
@click.argument("mirrors", metavar="[NAME=]DIR...", nargs=-1, required=True)
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    default="127.0.0.1:8417",
    show_default=True,
    help="Where to listen. Beyond this machine it takes --url, too.",
)
@click.option(
    "--url", metavar="URL", help="What clients call this, where that is not the address: behind a proxy, or by a name."
)
@options.MAX_AGE
@click.option(
    "--last-verified",
    is_flag=True,
    help="Where a branch's last update was refused, serve what was verified before, and not a 403.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Where archives are kept (default: ~/.cache/gitverify/served).",
)
@click.option(
    "--cache-size", type=SIZE, metavar="SIZE", default="8G", show_default=True, help="How much room they may take."
)
@options.STATE_DIRECTORY
@options.JOBS
def command(mirrors: tuple[str, ...], **asked: Any) -> int:
    """Serve mirrors over HTTP, on this machine: tarballs that Nix can lock, and channels.

    DIR is a mirror that “gitverify mirror update” keeps; it is served as NAME, or as DIR's last part without “.git”.
    Only what is authentic is served, and a branch whose last update was refused is answered with 403 and the reason.
    Needs the extra “serve”: pip install 'gitverify[serve]'.

    \b
      gitverify serve /srv/app.git
      nix flake metadata http://127.0.0.1:8417/app/main.tar.gz
      nix-channel --add http://127.0.0.1:8417/app/main app

    \b
    What there is, for a mirror “app” with a branch “main”:
      /app/main.tar.gz               the newest verified commit, with a Link to the next, which never changes
      /app/.rev/COMMIT.tar.gz        one commit that is authentic and in the mirror
      /app/main/nixexprs.tar.xz      the channel http://127.0.0.1:8417/app/main

    It goes on until it is interrupted or terminated, and ends with 0.
    """

    def run() -> int:
        return _serve(_site(mirrors, **asked))

    return answered(run)


class Site(NamedTuple):
    """What is to be served, and where."""

    places: dict[str, Place]
    address: tuple[str, int]
    base: str | None
    hosts: frozenset[str]
    cache: Path
    cache_size: int
    last_verified: bool


def _site(  # noqa: PLR0913  (options)
    mirrors: Sequence[str],
    *,
    listen: str,
    url: str | None,
    max_age: int | None,
    last_verified: bool,
    cache: str | None,
    cache_size: int,
    state: str | None,
    jobs: int | None,
) -> Site:
    """Read the command line. Raises UsageProblem."""
    from gitverify.gateway.work import Place  # noqa: PLC0415  (loads what verifying needs)

    host, port = _address(listen)
    base, named = _base(url)
    if base is None and host not in _LOOPBACK and not ipaddress.ip_address(host.strip("[]")).is_loopback:
        message = (
            f"{shown(host)} is reached from other machines: say with --url what they call it, such as "
            "--url http://builder.example.org:8417. Whoever reaches it gets what is in the mirrors"
        )
        raise UsageProblem(message)
    jobs = jobs or cores()
    places: dict[str, Place] = {}
    for text in mirrors:
        name, directory = _named(text)
        if name in places:
            raise UsageProblem(f"two mirrors are called {shown(name)}: give one another name, NAME=DIR")
        places[name] = Place(
            directory=directory,
            environment=dict(os.environ),
            pools=partial(pools, jobs=jobs),
            jobs=jobs if hasattr(os, "fork") else 1,
            state=Path(state) if state else None,
            max_age=max_age,
        )
    hosts = _LOOPBACK | {host} | ({named} if named else set())
    where = Path(cache).absolute() if cache else cache_directory(os.environ) / "served"
    return Site(places, (host.strip("[]"), port), base, frozenset(hosts), where, cache_size, last_verified)


def _serve(site: Site) -> int:
    try:
        from gitverify.gateway import server  # noqa: PLC0415  (needs what not everybody has)
    except ModuleNotFoundError as error:
        if error.name not in {"uvicorn", "h11"}:
            raise
        raise UsageProblem("there is no HTTP server here to serve with: pip install 'gitverify[serve]'") from None
    from gitverify.gateway.cache import Cache, NoCache  # noqa: PLC0415

    try:
        listening = server.listen(*site.address)
    except OSError as error:
        where = f"{site.address[0]}:{site.address[1]}"
        raise UsageProblem(f"{where} can't be listened at: {error.strerror or error}") from None
    with listening:
        try:
            cache = Cache(site.cache, site.cache_size)
        except NoCache as error:
            raise UsageProblem(str(error)) from None
        with closing(cache):
            asyncio.run(_until_the_end(site, cache, listening, server.serve))
    return 0


async def _until_the_end(site: Site, cache: Any, listening: socket.socket, serve: Callable[..., Any]) -> None:
    from gitverify.gateway.answer import Gateway  # noqa: PLC0415
    from gitverify.gateway.jobs import Jobs  # noqa: PLC0415
    from gitverify.gateway.keeper import Keeper  # noqa: PLC0415
    from gitverify.limits import LIMITS  # noqa: PLC0415

    jobs = Jobs(_AT_ONCE, LIMITS.gateway_waiting)
    keepers = {
        name: Keeper(name, place, cache, jobs, last_verified=site.last_verified) for name, place in site.places.items()
    }
    host, port = listening.getsockname()[:2]
    here = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    gateway = Gateway(keepers, site.base, site.hosts, here, _say)

    def ready(_: Callable[[], None]) -> None:
        _say(f"serving {', '.join(keepers)}{f' as {site.base}' if site.base else ''}")
        _say(f"listening at http://{here}")

    try:
        await serve(gateway, listening, ready)
    finally:
        jobs.close()


def _named(text: str) -> tuple[str, Path]:
    """Read [NAME=]DIR, and look whether it is a mirror."""
    name, separator, rest = text.partition("=")
    if not separator or not is_repository_name(name):
        name, rest = Path(text).absolute().name.removesuffix(".git"), text
    if not is_repository_name(name):
        raise UsageProblem(f"“{shown(name)}” can't be in a URL as it is: give the mirror another name, NAME=DIR")
    directory = Path(rest).absolute()
    try:
        memory = read(directory / "gitverify")
    except NotAMirror as error:
        raise UsageProblem(str(error)) from None
    if memory is None:
        raise UsageProblem(f"{shown(str(directory))} is no mirror: gitverify mirror update makes one")
    return name, directory


def _address(text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[2]) > 0xFFFF or not _is_address(found[1]):
        message = f"--listen: “{shown(text, 80)}” is no address and port: write 127.0.0.1:8417 or [::1]:8417"
        raise UsageProblem(message)
    return found[1].lower(), int(found[2])


def _is_address(text: str) -> bool:
    try:
        return text == "localhost" or bool(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return False


def _base(url: str | None) -> tuple[str | None, str | None]:
    """Read --url; return it without a slash at its end, and the host in it."""
    if url is None:
        return None, None
    found = _URL.fullmatch(url)
    if found is None:
        raise UsageProblem(f"--url: “{shown(url, 80)}” is not such as http://builder.example.org:8417")
    return found[1], found[2].lower()


def _say(line: str) -> None:
    click.echo(legible(line), err=True)
