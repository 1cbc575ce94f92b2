"""Set up waitress, and the process in which it runs, to serve many raters at once."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from typing import Any

from flask import Flask
from waitress.task import ThreadedTaskDispatcher

from study.web.health import PATH as HEALTH
from study.web.safety import trusted_proxies

THREADS = 8
# waitress accepts only 100 connections by default; raters who arrive together would wait
CONNECTIONS = 2000
# enough for a platform's export, for the dashboard; the application limits raters to 64 KB
LARGEST_REQUEST = 6 * 1024 * 1024
# a thread that is ready again after waiting for the disk runs soon, not only after 5 ms
SWITCH_SECONDS = 0.0005


class _Lanes(ThreadedTaskDispatcher):
    """Threads that answer requests, and one more that only says whether the server is well.

    All other threads may wait for the store at the same time; a monitor must not wait with them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._express = ThreadedTaskDispatcher()

    def add_task(self, task: Any) -> None:
        """Give a request to a thread."""
        if task.requests and getattr(task.requests[0], "path", None) == HEALTH:
            self._express.add_task(task)
        else:
            super().add_task(task)

    def set_thread_count(self, count: int) -> None:
        """Start or stop threads."""
        super().set_thread_count(count)
        self._express.set_thread_count(min(count, 1))

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool:
        """Stop all threads."""
        self._express.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


def web_server(app: Flask, listener: socket.socket) -> Any:
    """Return waitress for one process; it reads a whole request before a thread handles it."""
    from waitress.server import create_server

    # in a rush requests wait for a thread; waitress would print a warning for each of them
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    lanes = _Lanes()
    lanes.set_thread_count(THREADS)
    server: Any = create_server(
        app,
        _dispatcher=lanes,
        sockets=[listener],
        threads=THREADS,
        connection_limit=CONNECTIONS,
        backlog=CONNECTIONS,
        channel_timeout=60,
        max_request_body_size=LARGEST_REQUEST,
        asyncore_use_poll=True,  # select() breaks at 1024 open files
        ident=None,
        # the application reads the headers of a trusted proxy; see `study.web.safety`
        clear_untrusted_proxy_headers=not trusted_proxies(),
    )
    return server


def prepare_process() -> None:
    """Let this process hold as many connections as possible, and switch threads quickly."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * CONNECTIONS, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
