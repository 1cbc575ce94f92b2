"""Run the application behind waitress, in this process, until told to stop."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask

from prereg import files
from prereg.errors import RatifyError
from study.folder import SERVING_FILE

THREADS = 8
# waitress stops taking new connections at 100 by default; raters who arrive together would wait
CONNECTIONS = 2000


def dashboard_key() -> str:
    """Return the dashboard's key: RATIFY_DASHBOARD_KEY, or a new one for this start."""
    return os.environ.get("RATIFY_DASHBOARD_KEY") or secrets.token_urlsafe(12)


def listen(host: str, port: int, *, tries: int = 20) -> socket.socket:
    """Return a listening socket on the port, or on the next free one above it.

    Parameters
    ----------
    host : str
    port : int
        0 takes any free port.
    tries : int
        How many ports to try.

    Raises
    ------
    RatifyError
        When none of them is free, or the host is not this machine's.
    """
    for candidate in range(port, port + (tries if port else 1)):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(CONNECTIONS)
        except (OSError, OverflowError) as error:
            listener.close()
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                continue
            raise RatifyError(
                f"cannot listen on {host} port {candidate}: {error}",
                allowed="an address of this machine and a port from 1 to 65535",
            ) from error
        return listener
    raise RatifyError(f"ports {port} to {port + tries - 1} are all taken", allowed="a free --port")


def serve(app: Flask, listener: socket.socket, *, ready: Callable[[int], None]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    app : Flask
    listener : socket
        From `listen`.
    ready : callable
        Called with the port just before requests are taken.
    """
    from waitress.server import create_server

    # waiting for a thread is what a rush looks like, not an error to print a line about
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        connection_limit=CONNECTIONS,
        backlog=CONNECTIONS,
        channel_timeout=60,
        ident=None,
        clear_untrusted_proxy_headers=True,
    )
    ready(listener.getsockname()[1])
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


@contextlib.contextmanager
def marked_as_served(folder: Path) -> Iterator[None]:
    """Leave the process' number in the folder while it is served."""
    mark = folder / SERVING_FILE
    files.write_text(mark, f"{os.getpid()}\n")
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def refuse_served(folder: Path) -> None:
    """Raise `RatifyError` while a process that still runs serves the folder."""
    try:
        process = int((folder / SERVING_FILE).read_text(encoding="utf-8"))
        os.kill(process, 0)
    except (OSError, ValueError):
        return
    raise RatifyError(
        f"is being served by process {process}", file=folder,
        allowed="stop that server first, or name another folder",
    )  # fmt: skip
