"""A Dask scheduler and its workers, each in its own process that a test may kill."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT


@dataclass
class Cluster:
    """A running scheduler.

    Attributes
    ----------
    address : str
    scheduler : Popen
    workers : list of Popen
    """

    address: str
    scheduler: subprocess.Popen[str]
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def add_worker(self, place: Path) -> None:
        """Start a worker with one thread; nobody starts it again when it dies."""
        words = (self.address, "--no-nanny", "--nthreads=1", "--no-dashboard")
        self.workers.append(_started("dask_worker", *words, f"--local-directory={place}"))


def _started(module: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *words],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running_cluster(place: Path, *, workers: int) -> Iterator[Cluster]:
    """Run a scheduler and workers until the block ends.

    Parameters
    ----------
    place : Path
        For the workers' files.
    workers : int
    """
    file = place / "scheduler.json"
    scheduler = _started(
        "dask_scheduler",
        "--host=127.0.0.1",
        "--port=0",
        "--no-dashboard",
        f"--scheduler-file={file}",
    )
    cluster = Cluster("", scheduler)
    try:
        cluster.address = _address(file)
        for number in range(workers):
            cluster.add_worker(place / f"worker-{number}")
        yield cluster
    finally:
        for process in (*cluster.workers, scheduler):
            process.kill()
            process.communicate(timeout=20)


def _address(file: Path) -> str:
    import json

    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return str(json.loads(file.read_text())["address"])
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    raise AssertionError("the scheduler did not start")
