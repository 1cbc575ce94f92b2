"""Bradley-Terry and Elo beside choix and a plain loop: medians, interleaved in one process."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

import choix
import numpy as np
import pandas as pd

from analysis.ranking import bradley_terry, elo

RUNS = 5


def votes(items: int, count: int, raters: int, seed: int = 1) -> pd.DataFrame:
    """Return simulated judgments of items with normal strengths."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(size=items)
    left = rng.integers(items, size=count)
    right = (left + rng.integers(1, items, size=count)) % items
    wins = rng.random(count) < 1 / (1 + np.exp(strength[right] - strength[left]))
    names = np.array([f"item-{i:05d}" for i in range(items)])
    return pd.DataFrame(
        {
            "left_id": names[left],
            "right_id": names[right],
            "choice": np.where(wins, "left", "right"),
            "rater_id": rng.integers(raters, size=count).astype(str),
        }
    )


def pairs(judgments: pd.DataFrame) -> tuple[int, list[tuple[int, int]]]:
    """Return judgments as choix wants them: (winner, loser) by number."""
    left_won = (judgments["choice"] == "left").to_numpy()
    names = pd.Index(np.unique(judgments[["left_id", "right_id"]].to_numpy(dtype=str)))
    left, right = names.get_indexer(judgments["left_id"]), names.get_indexer(judgments["right_id"])
    winner, loser = np.where(left_won, left, right), np.where(left_won, right, left)
    return len(names), list(zip(winner.tolist(), loser.tolist(), strict=True))


def loop_elo(count: int, data: list[tuple[int, int]]) -> np.ndarray:
    """Rate items by Elo in the loop anybody would write first."""
    rating = np.full(count, 1000.0)
    for winner, loser in data:
        change = 32 / (1 + 10 ** ((rating[winner] - rating[loser]) / 400))
        rating[winner] += change
        rating[loser] -= change
    return rating


def medians(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each piece of work, interleaved."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(RUNS):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def peak(do: Callable[[], object]) -> float:
    """Return the peak memory of a piece of work in MB, what it was given apart."""
    tracemalloc.start()
    do()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def main() -> None:
    """Print ratios to the peers; above 1, ours is faster."""
    for items, count in [(30, 1_500), (385, 10_000), (200, 200_000)]:
        judgments = votes(items, count, raters=max(150, count // 20))
        number, data = pairs(judgments)
        work = {
            "ours, clustered intervals": lambda j=judgments: bradley_terry(j),
            "choix opt_pairwise, no intervals": lambda n=number, d=data: choix.opt_pairwise(
                n, d, alpha=0.01
            ),
            "choix ilsr_pairwise, no intervals": lambda n=number, d=data: choix.ilsr_pairwise(
                n, d, alpha=0.01
            ),
            "ours, Elo": lambda j=judgments: elo(j),
            "plain loop, Elo": lambda n=number, d=data: loop_elo(n, d),
        }
        found = medians(work)
        print(f"\n{items} items, {count:,} judgments (medians of {RUNS}, from strings to scores)")
        for name, seconds in found.items():
            ours = found["ours, Elo" if "Elo" in name else "ours, clustered intervals"]
            ratio = "" if name.startswith("ours") else f"  {seconds / ours:6.1f} x ours"
            print(f"  {name:<36}{1000 * seconds:9.1f} ms{ratio}")
        memory = peak(work["ours, clustered intervals"])
        print(f"  ours, clustered intervals: peak memory {memory:.1f} MB")
