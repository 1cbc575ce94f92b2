"""Measures how fast an LLM judge is asked, and what a long run loses when it is killed twice.

A server in its own process answers after 200 ms, so the number of calls at once gives the highest
possible rate. The long run has 50,000 comparisons (RATIFY_BENCH_COMPARISONS) with 5 % faults.
"""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from pathlib import Path

from study.judges.runs.running import BESIDE
from tests.support.llm_server import LLMServer, running_llm_server
from tests.support.llm_studies import KEY, VARIABLE, asking, lab, make_llm_study, settled

LATENCY = 0.2
AT_ONCE = (16, 32, 64)
SECONDS = 12
COMPARISONS = int(os.environ.get("RATIFY_BENCH_COMPARISONS", "50000"))
FAULTS = {"500": 0.02, "429": 0.01, "drop-body": 0.01, "truncated-json": 0.01}
LONG_AT_ONCE = 32
TRIALS = 50


def main() -> None:
    """Print throughput, then the long run."""
    os.environ[VARIABLE] = KEY
    with tempfile.TemporaryDirectory() as place, running_llm_server() as server:
        print(f"\nLLM judges, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for at_once in AT_ONCE:
            _throughput(Path(place), server, at_once)
        _long_run(Path(place), server)


def _throughput(place: Path, server: LLMServer, at_once: int) -> None:
    """Ask for some seconds, in this process; the first and the last two seconds do not count."""
    server.reset(latency=LATENCY)
    allowed = at_once / LATENCY
    raters = int(SECONDS * allowed / 20)
    folder = make_llm_study(
        place / f"throughput-{at_once}",
        server,
        raters=raters,
        trials=20,
        per_scenario=120,
        concurrency=at_once,
    )
    cpu = time.process_time()
    with lab(folder) as study:
        ran = study.run()
    cpu = time.process_time() - cpu
    counts = server.report()["good_by_second"][2:-2]
    rate = sum(counts) / len(counts)
    print(
        f"  {at_once:3} at once: {rate:6.1f}/s, {rate / allowed:6.1%} of the possible rate, "
        f"{1000 * cpu / ran.settled:.1f} ms of CPU per call"
    )


def _long_run(place: Path, server: LLMServer) -> None:
    """Kill a run twice at random moments, and count."""
    server.reset(latency=0.02, faults=FAULTS)
    folder = make_llm_study(
        place / "long",
        server,
        raters=COMPARISONS // TRIALS,
        trials=TRIALS,
        per_scenario=max(20, int((2.2 * COMPARISONS) ** 0.5)),
        concurrency=LONG_AT_ONCE,
    )
    rng, began, memory = random.Random(), time.monotonic(), {}
    for part in (1, 2, 3):
        process = asking(folder, "--only", "fake")
        goal = round(COMPARISONS * (part - 0.5 * rng.random()) / 3) if part < 3 else None
        while process.poll() is None and (goal is None or (there := settled(folder)) < goal):
            there = settled(folder)
            memory[part, there // (COMPARISONS // 10)] = _resident(process.pid)
            time.sleep(1)
        if goal is not None:
            process.kill()
        process.communicate()
    seconds, report = time.monotonic() - began, server.report()
    with lab(folder) as study:
        judgments, requests = study.count("judgments"), study.count("requests")
        unanswered = study.count("requests", "status <> 'answered'")
    print(f"  {COMPARISONS:,} comparisons, 5 % faults, two kill -9: {seconds:,.0f} s")
    print(f"    judgments {judgments:,}, requests {requests:,}, not answered {unanswered}")
    most = 2 * (LONG_AT_ONCE + LONG_AT_ONCE // BESIDE)
    print(
        f"    answered more than once {report['answered_more_than_once']}: in flight, or not yet "
        f"stored, at the kills (at most {most}); faults {sum(report['faults'].values()):,}"
    )
    tenths = sorted((part, tenth, size) for (part, tenth), size in memory.items())
    print("    MB after tenths: " + ", ".join(f"{p}.{t}: {size:.0f}" for p, t, size in tenths))


def _resident(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
