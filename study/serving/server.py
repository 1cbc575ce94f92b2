"""Run the application until told to stop, in this process or in several.

One process is the default, and SQLite allows only one. Several need gunicorn and PostgreSQL.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from prereg import files
from prereg.errors import RatifyError
from study.folder import SERVING_FILE
from study.serving.background import in_background
from study.serving.waitress_server import CONNECTIONS, prepare_process, web_server


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
    taken = f"port {port} is" if tries == 1 else f"ports {port} to {port + tries - 1} are all"
    raise RatifyError(f"{taken} taken", file="--port", value=port, allowed="a free port")


def serve(app: Flask, listener: socket.socket, *, ready: Callable[[int], None]) -> None:
    """Serve from this process until interrupted or terminated; requests under way are finished.

    Parameters
    ----------
    app : Flask
    listener : socket
        From `listen`.
    ready : callable
        Called with the port just before requests are accepted.
    """
    prepare_process()
    server = web_server(app, listener)
    with in_background(app), contextlib.suppress(KeyboardInterrupt), _terminated_as_interrupted():
        ready(listener.getsockname()[1])
        server.run()
    server.close()


def serve_with_workers(
    make_app: Callable[[], Flask],
    listener: socket.socket,
    *,
    workers: int,
    ready: Callable[[int], None],
) -> None:
    """Serve from several processes until interrupted or terminated; lost workers are replaced.

    Parameters
    ----------
    make_app : callable
        Called once in each worker, after the fork; opens a store of its own.
    listener : socket
        From `listen`.
    workers : int
        Processes that answer requests; this process only watches them.
    ready : callable
        Called with the port just before the workers start; earlier connections wait for them.

    Raises
    ------
    RatifyError
        When gunicorn is not installed, or the workers cannot start.
    """
    try:
        from study.serving.workers import run_workers
    except ImportError as error:
        raise RatifyError(
            "more than one worker needs gunicorn",
            value=workers,
            allowed="--workers 1, or pip install 'gunicorn>=23' on Linux or macOS",
        ) from error
    run_workers(make_app, listener, workers=workers, ready=ready)


def refuse_workers(url: str | URL | None, workers: int) -> None:
    """Raise `RatifyError` if several workers would share an SQLite file.

    Parameters
    ----------
    url : str, URL or None
        URL of the database; None is SQLite in the study folder.
    workers : int
    """
    with contextlib.suppress(ArgumentError):  # opening the store reports a wrong URL
        if workers > 1 and (url is None or make_url(url).get_backend_name() == "sqlite"):
            raise RatifyError(
                "several workers need PostgreSQL: SQLite lets one process write at a time",
                file="--workers",
                value=workers,
                allowed="1, or RATIFY_DATABASE_URL=postgresql+psycopg://USER@HOST/NAME",
            )


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that requests are finished and the mark is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def marked_as_served(folder: Path) -> Iterator[None]:
    """Keep the number of this process in the folder while it is served."""
    mark, ours = folder / SERVING_FILE, f"{os.getpid()}\n"
    files.write_text(mark, ours)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            # with PostgreSQL, a server that was started later may still be running
            if mark.read_text(encoding="utf-8") == ours:
                mark.unlink()


def refuse_served(folder: Path) -> None:
    """Raise `RatifyError` if a running process serves the folder."""
    try:
        process = int((folder / SERVING_FILE).read_text(encoding="utf-8"))
        os.kill(process, 0)
    except (OSError, ValueError):
        return
    raise RatifyError(
        f"is being served by process {process}",
        file=folder,
        allowed="stop that server first, or name another folder",
    )
