"""Requests and responses, as ASGI has them: which status and headers, and the archive piece by piece.

Source: RFC 9110 (conditional requests, HEAD); the Nix manual, "Lockable HTTP Tarball Protocol". The Link header may
hold nothing else, and narHash has characters that are escaped in a URL.
"""

from __future__ import annotations

import asyncio
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gitverify.errors import GitverifyError
from gitverify.gateway.jobs import Busy, Failed
from gitverify.gateway.target import Refused, branch_path, parse_target, path_of, require_host
from gitverify.text import legible, shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence

    from gitverify.gateway.cache import Facts
    from gitverify.gateway.keeper import Found, Keeper
    from gitverify.gateway.target import Form, Target

    Message = MutableMapping[str, Any]
    Send = Callable[[Message], Awaitable[None]]
    Receive = Callable[[], Awaitable[Message]]
    Headers = list[tuple[bytes, bytes]]

_PIECE = 1 << 18
_TYPES = {"tar.gz": b"application/gzip", "tar.xz": b"application/x-xz"}
_ALWAYS = ((b"x-content-type-options", b"nosniff"),)
_FOR_GOOD = b"public, max-age=31536000, immutable"
_VERSION = 1  # of the bytes that are made of a commit
_RETRY = b"5"  # seconds


class Gateway:
    """The ASGI application. ``said`` hears, in a line each, what was refused and why."""

    def __init__(
        self,
        keepers: Mapping[str, Keeper],
        base: str | None,
        hosts: Collection[str],
        here: str,
        said: Callable[[str], None],
    ) -> None:
        """Serve what these keep.

        ``base``: the URL that clients know this by, None to take theirs; ``hosts``: the names that they may use;
        ``here``: host and port, for a client that names none.
        """
        self._keepers = keepers
        self._base = base
        self._hosts = hosts
        self._here = here
        self._said = said

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["raw_path"]
        try:
            await self._answer(scope, path, receive, send)
        except Refused as error:
            self._said(f"refused {shown(path)}: {error.why}: {legible(str(error).partition(chr(10))[0])}")
            await _text(send, scope, 403, [f"gitverify: refused ({error.why})", *str(error).split("\n")])
        except Busy as error:
            await _text(send, scope, 503, [f"gitverify: {error}"], [(b"retry-after", _RETRY)])
        except (Failed, OSError) as error:
            message = str(error) if isinstance(error, GitverifyError) else error.strerror or str(error)
            self._said(f"failed {shown(path)}: {legible(message)}")
            await _text(send, scope, 500, ["gitverify: this can't be answered", message])

    async def _answer(self, scope: MutableMapping[str, Any], path: bytes, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        if scope["method"] not in {"GET", "HEAD"}:
            await _text(send, scope, 405, ["gitverify: this is for reading: GET or HEAD"], [(b"allow", b"GET, HEAD")])
            return
        if _has_body(headers):
            await _text(send, scope, 413, ["gitverify: send nothing with the request"], [(b"connection", b"close")])
            return
        named = [value for name, value in headers if name == b"host"]
        host = require_host(named[0] if named else None, self._hosts) or self._here
        target = parse_target(path)
        keeper = self._keeper(target)
        if keeper is None or (target.branch is None and target.commit is None):
            await _text(send, scope, 200, self._overview([keeper] if keeper else self._keepers.values()))
            return
        found = await keeper.find(target)
        base = self._base or f"http://{host}"
        if target.form is None:
            await _text(send, scope, 200, _about(base, keeper, target, found))
            return
        head: Headers = [(b"cache-control", _FOR_GOOD if target.commit is not None else b"no-cache"), *_ALWAYS]
        tag = f'"{found.commit.hex()}-{target.form}-{_VERSION}"'.encode()
        head.append((b"etag", tag))
        if _matches(headers, tag):
            facts = keeper.facts(found, target.form)
            head += [_link(base, keeper, found, target.form, facts)] if facts is not None else []
            await _send_all(send, scope, 304, head, b"")
            return
        handle, facts = await keeper.archive(found, target.form)
        try:
            head.append(_link(base, keeper, found, target.form, facts))
            head += [(b"content-type", _TYPES[target.form]), (b"content-length", b"%d" % facts.size)]
            await send({"type": "http.response.start", "status": 200, "headers": [*head, (b"accept-ranges", b"none")]})
            whole = scope["method"] == "HEAD" or await self._sent(receive, send, handle, facts.size)
            if whole:
                await send({"type": "http.response.body", "body": b""})
        finally:
            os.close(handle)

    async def _sent(self, receive: Receive, send: Send, handle: int, size: int) -> bool:
        """Send a file; return whether all of it went out. What a slow client has not taken is not read yet."""
        gone = asyncio.ensure_future(_gone(receive)) if size > _PIECE else None
        left = size
        try:
            while left and not (gone and gone.done()):
                wanted = min(left, _PIECE)
                piece = os.read(handle, wanted) if gone is None else await asyncio.to_thread(os.read, handle, wanted)
                if not piece:
                    break
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except OSError as error:
            self._said(f"failed while an archive was sent: {error.strerror}")
        finally:
            if gone is not None:
                gone.cancel()
        return not left

    def _keeper(self, target: Target) -> Keeper | None:
        if target.repository is None:
            return None
        keeper = self._keepers.get(target.repository)
        if keeper is None:
            raise Refused("unknown-repository", f"there is no {shown(target.repository, 80)} here")
        return keeper

    def _overview(self, keepers: Collection[Keeper] | Any) -> list[str]:
        lines = ["gitverify serve: verified commits of"]
        for keeper in keepers:
            try:
                lines += [f"  {branch_path(keeper.name, branch)}.tar.gz" for branch in keeper.branches()]
            except Refused as error:
                lines.append(f"  /{keeper.name}: {error}")
        return lines


async def _gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Return whether something follows a request's head (RFC 9112, 6.3)."""
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


def _matches(headers: Sequence[tuple[bytes, bytes]], tag: bytes) -> bool:
    """Return whether the client has it already (RFC 9110, 13.1.2: the comparison is weak)."""
    wanted = b",".join(value for name, value in headers if name == b"if-none-match")
    tags = {each.strip().removeprefix(b"W/") for each in wanted.split(b",")}
    return tag in tags or b"*" in tags


def _link(base: str, keeper: Keeper, found: Found, form: Form, facts: Facts) -> tuple[bytes, bytes]:
    query = urlencode(
        {
            "rev": found.commit.hex(),
            "revCount": facts.rev_count,
            "lastModified": facts.last_modified,
            "narHash": facts.nar_hash,
        }
    )
    return b"link", f'<{base}{path_of(keeper.name, found.commit, form)}?{query}>; rel="immutable"'.encode("ascii")


def _about(base: str, keeper: Keeper, target: Target, found: Found) -> list[str]:
    place = f"{base}{branch_path(keeper.name, target.branch or '')}"
    return [
        f"{keeper.name}, branch {shown(target.branch or '')}: {found.commit.hex()} is authentic",
        f"  {place}.tar.gz",
        f"  {place}/nixexprs.tar.xz",
        f"  {base}{path_of(keeper.name, found.commit, 'tar.gz')}",
    ]


async def _text(
    send: Send, scope: MutableMapping[str, Any], status: int, lines: Sequence[str], more: Headers | None = None
) -> None:
    body = "".join(f"{legible(line)}\n" for line in lines).encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *_ALWAYS, *(more or [])]
    await _send_all(send, scope, status, [*head, (b"content-length", b"%d" % len(body))], body)


async def _send_all(send: Send, scope: MutableMapping[str, Any], status: int, head: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": int(HTTPStatus(status)), "headers": head})
    await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})
