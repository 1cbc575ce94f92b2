"""Runs `ratify` in a new process in which its imports are already done.

One process imports Ratify once (the standard library's fork server), and all others are forked from
it, each with its own arguments, environment, folder, pipes, signals and exit code. test_docs,
test_demo and test_packaging make cold starts, and test what only a cold start shows.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(
    [
        "ratify.demo",
        "study.web.app",
        "study.serving.command",
        "study.serving.workers",
        "study.export.files",
        "analysis.run",
        "analysis.report.page",
        "analysis.audit.audit",
        "waitress",
        "psycopg",
        "ratify.judge",
        "study.judges.runs.live",
        "study.judges.runs.batch",
        "httpx2",
    ]
)


class Process:
    """A function in its own warm process, with the parts of `subprocess.Popen` that tests use.

    Parameters
    ----------
    function : callable
        Called in the process with the arguments; it must be importable.
    arguments : sequence
    environment : mapping of str to str, optional
    cwd : Path, optional
    merged : bool
        Whether stdout and stderr are merged.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[object],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        merged: bool = False,
    ) -> None:
        place, around = str(cwd or Path.cwd()), dict(environment or os.environ)
        out, told = WARM.Pipe(duplex=False)
        err, warned = (out, told) if merged else WARM.Pipe(duplex=False)
        self.arguments = list(map(str, arguments))
        self._process = WARM.Process(
            target=_become, args=(function, arguments, around, place, told, warned), daemon=True
        )
        self._process.start()
        self.stdout = _stream(out, told)
        self.stderr = None if merged else _stream(err, warned)
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit code as in `Popen`: a signal is a negative number."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Send SIGTERM if the process still runs."""
        if self._process.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL if the process still runs."""
        if self._process.is_alive():
            self._process.kill()

    def kill_all(self) -> None:
        """Send SIGKILL to the process and to all that it has started, if it still runs."""
        if self._process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.kill()  # in case it has no group of its own yet

    def send_signal(self, number: int) -> None:
        """Send a signal if the process still runs."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process ends; raise an error if it does not end in time."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0.0)
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Read all output until the process ends."""
        said = ["", ""]

        def listen(number: int, stream: IO[str]) -> None:
            with stream:
                said[number] = stream.read()

        streams = [self.stdout] if self.stderr is None else [self.stdout, self.stderr]
        listeners = [
            threading.Thread(target=listen, args=pair, daemon=True) for pair in enumerate(streams)
        ]
        for listener in listeners:
            listener.start()
        self.wait(timeout)
        for listener in listeners:
            listener.join(timeout)
            assert not listener.is_alive(), "a process that it has left behind still talks"
        return said[0], said[1]


def ratify(*arguments: object) -> None:
    """Run the command line in the current process."""
    from ratify import main

    main(args=list(map(str, arguments)), prog_name="ratify")


def _stream(reader: Connection, writer: Connection) -> IO[str]:
    """Return a stream that reads a pipe whose other end now belongs to another process."""
    writer.close()
    descriptor = os.dup(reader.fileno())
    reader.close()
    return os.fdopen(descriptor, encoding="utf-8")


def _become(
    function: Callable[..., Any],
    arguments: Sequence[object],
    environment: Mapping[str, str],
    cwd: str,
    told: Connection,
    warned: Connection,
) -> None:
    """Make a forked process like a new one, in its own session, and call the function."""
    os.setsid()
    # a shell starts background processes with Ctrl-C ignored, `nohup` ignores a terminal that
    # closes, and the tests may have been started so
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, stream, pipe in ((1, sys.stdout, told), (2, sys.stderr, warned)):
        stream.flush()
        os.dup2(pipe.fileno(), number)
    told.close()
    warned.close()
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(line_buffering=True)
    function(*arguments)
