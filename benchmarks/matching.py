"""Times the optimal matching of large studies: neighbours and solution apart, peak memory.

`python -m benchmarks.matching 13000 73000` measures one size in this process. Embeddings have 256
components and lie around 300 topics, of which treated units prefer some: their nearest control
units are then too few for the best matching here and there, and the proof has work to do.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from analysis.causal.matching.similarity import nearest
from analysis.causal.matching.sparse import solve, sparse
from analysis.causal.matching.vectors import Vectors, unit_vectors

T = TypeVar("T")

COMPONENTS, TOPICS, NEIGHBOURS, CALIPER = 256, 300, 50, 0.2
# Treated and control units, seconds of the solution and GB that we aim at.
SIZES = {(13_000, 73_000): (10.0, 3.0), (28_900, 115_500): (None, None)}


def embeddings(treated: int, control: int) -> tuple[Vectors, Vectors]:
    """Return embeddings of treated and of control units."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(TOPICS, COMPONENTS)).astype(np.float32)
    found = []
    for rows, evenness in ((treated, 0.5), (control, 1.0)):
        topic = rng.choice(TOPICS, rows, p=rng.dirichlet(np.full(TOPICS, evenness)))
        noise = rng.standard_normal((rows, COMPONENTS), dtype=np.float32)
        found.append(centres[topic] + np.float32(1.0) * noise)
    ids = np.arange(treated + control).astype(str)
    return unit_vectors(found[0], ids[:treated]), unit_vectors(found[1], ids[treated:])


def measure(treated: int, control: int) -> None:
    """Print the seconds of one size, and the peak memory of this process."""
    a, b = embeddings(treated, control)
    edges, *search = _timed(lambda: nearest(a, b, NEIGHBOURS, CALIPER))
    _, *once = _timed(lambda: solve(edges, treated, control))
    found, *proven = _timed(lambda: sparse(a, b, edges, caliper=CALIPER, count=NEIGHBOURS))
    left = int((found.match < 0).sum())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    seconds, memory = SIZES.get((treated, control), (None, None))
    print(f"  {treated:,} x {control:,}: seconds, in brackets those of this process alone")
    print(f"    {NEIGHBOURS} nearest of each     {search[0]:7.1f} ({search[1]:.1f})")
    goal = f", goal under {seconds:g}" if seconds else ""
    print(f"    solved on those     {once[0]:7.1f} ({once[1]:.1f}){goal}")
    print(
        f"    proven optimal      {proven[0]:7.1f} ({proven[1]:.1f}), solved {found.rounds} times: "
        f"{found.widened:,} treated units got more neighbours, {left:,} are unmatched"
    )
    print(
        f"    peak memory         {peak:7.2f} GB" + (f", goal under {memory:g}" if memory else "")
    )


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """Return what work returns, its seconds, and the seconds of this process."""
    wall, own = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - own


def main() -> None:
    """Print every size, each in a process of its own."""
    print("\nOptimal matching without the table of all pairs, proven optimal")
    sys.stdout.flush()
    for treated, control in SIZES:
        command = [sys.executable, "-m", "benchmarks.matching", str(treated), str(control)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(int(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
