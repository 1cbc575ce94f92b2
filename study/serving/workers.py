"""Serve one study from several processes, with gunicorn; it reads no configuration file."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.workers.base import Worker
from waitress import wasyncore

from prereg.errors import RatifyError
from study.serving.background import in_background
from study.serving.waitress_server import CONNECTIONS, prepare_process, web_server

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class _Buffering(Worker):  # type: ignore[misc]
    """A worker that reads a whole request before a thread handles it.

    gunicorn's own threads read from the network. A few connections that send half a request, or
    nothing yet (as browsers often do), would keep all threads busy.
    """

    def run(self) -> None:
        """Answer requests until told to stop, and report every second that this worker is alive."""
        server = web_server(self.wsgi, self.sockets[0].sock)
        with in_background(self.wsgi):
            while self.alive and self.ppid == os.getppid():
                self.notify()
                wasyncore.loop(timeout=1.0, use_poll=True, map=server._map, count=1)
            server.task_dispatcher.shutdown()
        server.close()


class _Workers(BaseApplication):  # type: ignore[misc]
    """The application in gunicorn's form: its settings, and how a worker makes it."""

    def __init__(self, make_app: Callable[[], Flask], settings: dict[str, Any]) -> None:
        self.make_app = make_app
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Apply our settings, except those that only newer versions of gunicorn know."""
        for name, value in self.settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, in the worker's own process."""
        prepare_process()
        try:
            return self.make_app()
        except RatifyError as error:
            print(f"ratify: {error}", file=sys.stderr, flush=True)  # noqa: T201
            sys.exit(Arbiter.APP_LOAD_ERROR)  # stops the other workers as well


def run_workers(
    make_app: Callable[[], Flask],
    listener: socket.socket,
    *,
    workers: int,
    ready: Callable[[int], None],
) -> None:
    """Serve until told to stop; see `study.serving.server.serve_with_workers`.

    Parameters
    ----------
    make_app : callable
    listener : socket
    workers : int
    ready : callable

    Raises
    ------
    RatifyError
        When the workers cannot start.
    """
    port = listener.getsockname()[1]
    settings = {
        # gunicorn closes the descriptor that it is given
        "bind": f"fd://{os.dup(listener.fileno())}",
        "backlog": CONNECTIONS,
        "workers": workers,
        "worker_class": _Buffering,
        "timeout": 60,
        "graceful_timeout": 10,
        # a worker shows that it is alive by touching a file, which must not wait for a disk
        "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        # the application itself decides which proxies it trusts; see `study.web.safety`
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "loglevel": "warning",
        "when_ready": lambda _arbiter: ready(port),
    }
    arbiter = Arbiter(_Workers(make_app, settings))
    listener.close()
    parent, code = os.getpid(), 1
    try:
        arbiter.run()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except HaltServer:  # a second worker failed while the arbiter stopped because of the first
        arbiter.kill_workers(signal.SIGKILL)
    finally:
        if os.getpid() != parent:  # a worker ends here: the rest of the stack is for its parent
            os._exit(code)
    if code:
        raise RatifyError("the workers could not start; the reason is printed above")
