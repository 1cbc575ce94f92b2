"""Serves a study to simulated raters, in a process of its own; `python -m` with the folder runs it.

A reading time that the plan requires is not waited for: simulated raters do not read.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from prereg.chat.file import is_chat
from prereg.errors import RatifyError
from study.folder import SERVING_FILE, Study
from study.opening import open_study
from study.store.database import Store, open_store
from study.web.limits import ARRIVALS

MODE = "bot"
# All simulated raters have the same address.
MANY = 1_000_000
MODULE = "study.simulation.serving"
PATIENCE = 20.0  # seconds for a server to end


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a study in bot mode while a with block runs; yield its address.

    Settings of the environment are for raters who are people, so the server gets none of them.

    Raises
    ------
    RatifyError
        When the server does not start.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RATIFY_")}
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", MODULE, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**environment, ARRIVALS: str(MANY), "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    try:
        address = server.stdout.readline().strip()
        if not address:
            raise RatifyError("the server for the simulated raters did not start")
        yield address
    finally:
        stop(server)
        (folder / SERVING_FILE).unlink(missing_ok=True)
        server.stdout.close()


@contextlib.contextmanager
def served_with_store(folder: Path) -> Iterator[tuple[str, Store]]:
    """Serve a study as `served` does; yield its address, and its store."""
    with served(folder) as address, contextlib.closing(open_store(folder, None)) as store:
        yield address, store


def stop(server: subprocess.Popen[str], patience: float = PATIENCE) -> None:
    """End the server. On a busy machine it may need long; what it acknowledged is on disk."""
    server.terminate()
    try:
        server.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def serve(folder: Path) -> None:
    """Serve a study until told to stop; print its address when it is ready."""
    from study.serving.command import Serving, serve_study

    if is_chat(folder):
        from study.simulation.chats import serve_chat

        serve_chat(folder, MODE, lambda address: _say(address, None))
        return
    serve_study(
        without_waiting(open_study(folder)),
        Serving(mode=MODE, host="127.0.0.1", port=0),
        url=None,
        ready=_say,
        say=lambda _line: None,
    )


def without_waiting(study: Study) -> Study:
    """Return a study that accepts answers at once, whatever its plan asks of people."""
    design = study.plan.design.model_copy(update={"min_reading_seconds": None})
    return replace(study, plan=study.plan.model_copy(update={"design": design}))


def _say(address: str, _token: str | None) -> None:
    """Tell the process that waits at the other end of the pipe where the study is served."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
