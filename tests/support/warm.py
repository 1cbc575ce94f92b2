"""`ratify` in a process of its own that begins where its imports are done.

One process imports Ratify once (the standard library's fork server), and every other is forked from
it: arguments, environment, folder, pipes, signals and exit code are its own. What only a cold start
shows is tested by those who make one: test_docs, test_demo and test_packaging.
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
    """A function in a warm process of its own, with what tests use of `subprocess.Popen`.

    Parameters
    ----------
    function : callable
        Called there with the arguments; it must be importable.
    arguments : sequence
    environment : mapping of str to str, optional
    cwd : Path, optional
    merged : bool
        Whether what it says on stderr comes with what it says on stdout.
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
        """As `Popen` has it: a signal is a negative number."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Send SIGTERM, where it still runs."""
        if self._process.is_alive():
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL, where it still runs."""
        if self._process.is_alive():
            self._process.kill()

    def kill_all(self) -> None:
        """Send SIGKILL to it and all that it has started, where it still runs."""
        if self._process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.kill()  # where it has no group of its own yet

    def send_signal(self, number: int) -> None:
        """Send a signal, where it still runs."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; one that does not come in time is an error."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0.0)
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Read all that it says until its end."""
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
    """Run the command line, in the process that one is in."""
    from ratify import main

    main(args=list(map(str, arguments)), prog_name="ratify")


def _stream(reader: Connection, writer: Connection) -> IO[str]:
    """Return what is read of a pipe whose other end is now another process's."""
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
    """Make a forked process what a new one would be, in a session of its own; call the function."""
    os.setsid()
    # a shell starts what runs in its background with Ctrl-C ignored, and the tests with it
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
