"""The one adapter over the HTTP server, uvicorn with h11: sockets, time limits, the end.

What they leave open is decided here: a request's head has to come within a time, and whoever takes nothing of a
response for a time is cut off. How large a head may be, h11 decides.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from h11 import IDLE
from uvicorn.protocols.http.h11_impl import H11Protocol

from gitverify.limits import LIMITS

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_ENDING = (signal.SIGINT, signal.SIGTERM)
_BACKLOG = 128


class PatientProtocol(H11Protocol):
    """One connection, with an end to waiting for the other side."""

    _head: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        # A response's head and body are written one after the other: without this the second waits for the first to be
        # acknowledged, 40 ms. asyncio sets it only where a socket says that it is TCP, and create_server's does not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Go on with a request; its head may take no longer, however many pieces it comes in."""
        self._wait_for_head()
        super().data_received(data)
        if self.conn.their_state is not IDLE:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """Wait for the client to take what was sent."""
        super().pause_writing()
        self._stop_taking()
        self._taking = self.loop.call_later(LIMITS.gateway_stall, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        self._stop_taking()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        self._stop_taking()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(LIMITS.gateway_head_seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 for any that is free. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


async def serve(application: Any, listening: socket.socket, ready: Callable[[Callable[[], None]], None]) -> None:
    """Answer requests until a signal ends it, or what ``ready`` is given is called.

    What is being sent then may take a few seconds more.
    """
    config = uvicorn.Config(
        application,
        http=PatientProtocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        interface="asgi3",
        h11_max_incomplete_event_size=LIMITS.gateway_head,
        limit_concurrency=LIMITS.gateway_connections,
        timeout_keep_alive=LIMITS.gateway_head_seconds,
        timeout_graceful_shutdown=LIMITS.gateway_head_seconds,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what a client has sent is no news
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    # uvicorn sends itself again, at the end, the signal that ended it. That it has ended is all there is to that.
    before = {number: signal.signal(number, lambda *_: None) for number in _ENDING} if _in_main_thread() else {}
    try:
        ready(stop)
        await server.serve(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
