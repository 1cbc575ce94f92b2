"""The rater pages under load: raters without a pause, through real HTTP, answers durable."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from study.bots import answer_all, arrive
from study.scaffold import new_study

RATERS = 30


class Clock:
    """Collects the time each request took."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.lock = threading.Lock()

    def add(self, response: httpx.Response) -> None:
        """Note one response, redirects included one by one."""
        response.read()
        with self.lock:
            self.taken.append(response.elapsed.total_seconds())


def main() -> None:
    """Print requests per second and latency for raters who answer without a pause."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        new_study(folder)
        command = [sys.executable, "-P", "-m", "ratify", "serve", str(folder)]
        server = subprocess.Popen(
            [*command, "--mode", "bot", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            host = server.stdout.readline().partition("http://")[2].partition("/")[0]
            _measure(f"http://{host}")
        finally:
            server.terminate()
            server.wait()


def _measure(url: str) -> None:
    clock = Clock()

    def take_part(number: int) -> None:
        hooks = {"response": [clock.add]}
        with httpx.Client(
            base_url=url, timeout=60, follow_redirects=True, event_hooks=hooks
        ) as client:
            page = arrive(client, f"rater-{number}")
            assert page is not None
            answer_all(client, page, lambda a, b: "left" if a > b else "right")

    start = time.perf_counter()
    with ThreadPoolExecutor(RATERS) as pool:
        list(pool.map(take_part, range(RATERS)))
    span = time.perf_counter() - start
    cuts = statistics.quantiles(clock.taken, n=100)
    print(
        f"\n{RATERS} raters at once without a pause, client on the same cores, SQLite: "
        f"{len(clock.taken) / span:.0f} requests/s, "
        f"p50 {1000 * cuts[49]:.0f} ms, p95 {1000 * cuts[94]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms"
    )
