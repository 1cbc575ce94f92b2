"""Compares rankings with named peers: ratios of medians in one process, and peak memory.

`python -m benchmarks.ranking codes elo` measures only the rows named. A peer that is missing is
printed as "not installed": `pip install "ratify-eval[bench]"` installs them.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ranking import bradley_terry, elo
from analysis.ranking.elo import elo_codes
from analysis.ranking.pair_counts import Comparisons
from analysis.ranking.pair_scores import Scores, fit_codes
from benchmarks import ranking_peers as peers
from benchmarks.ranking_peers import Votes

ROUNDS = 3
# Work that has taken this many seconds is not repeated.
LONG = 12.0
RESAMPLES = 100

Work = dict[str, Callable[[], object] | None]


@dataclass(frozen=True)
class Row:
    """One row of the table: ours first, then the peers; None is a peer that is not installed.

    Attributes
    ----------
    title : str
    build : callable
        Makes the input, which is not timed, and returns the work by name.
    goals : dict
        Lowest ratio of a peer's time to ours that we aim at, by peer.
    most_mb : float or None
        Most memory in MB that ours may take beyond its input.
    """

    title: str
    build: Callable[[], Work]
    goals: dict[str, float]
    most_mb: float | None = None


def _fit(votes: Votes) -> Scores:
    return fit_codes(votes.left, votes.right, votes.left_won, votes.items)


def _comparisons(votes: Votes, *, raters: bool = False) -> Comparisons:
    return Comparisons.from_codes(
        votes.left,
        votes.right,
        votes.left_won,
        names=votes.names,
        cluster=votes.rater if raters else None,
    )


def _evalica(
    votes: list[Votes], what: str = "bradley_terry", *, indexed: bool = False
) -> Callable[[], object] | None:
    """Return evalica on codes; `indexed` gives it the index that it would otherwise make."""
    evalica = peers.installed("evalica")
    if evalica is None:
        return None
    winners = [peers.evalica_winners(each, evalica) for each in votes]
    rank = getattr(evalica, what)

    def index(each: Votes) -> pd.Index | None:
        return pd.Index(range(each.items)) if indexed else None

    return lambda: [
        rank(each.left, each.right, won, index=index(each))
        for each, won in zip(votes, winners, strict=True)
    ]


def _sparse_logistic(votes: Votes) -> Callable[[], object] | None:
    sklearn = peers.installed("sklearn.linear_model")
    return None if sklearn is None else lambda: peers.sparse_logistic(votes, sklearn)


def _codes() -> Work:
    votes = Votes.drawn(200, 2_000_000, 100_000)
    arena = peers.installed("arena_rank.models.bradley_terry")
    data = None if arena is None else peers.arena_data(votes.battles(), arena)
    return {
        "ours": lambda: _fit(votes),
        "evalica": _evalica([votes]),
        "evalica, index given": _evalica([votes], indexed=True),
        "arena-rank, fit alone": None if arena is None else lambda: peers.arena_fit(data, arena),
        "scikit-learn, sparse": _sparse_logistic(votes),
    }


def _strings() -> Work:
    votes = Votes.drawn(200, 2_000_000, 100_000)
    frame, battles = votes.frame(), votes.battles()
    arena = peers.installed("arena_rank.models.bradley_terry")
    return {
        "ours": lambda: bradley_terry(frame, errors=False),
        "FastChat's (rebuilt)": lambda: peers.fastchat_fit(battles),
        "arena-rank": None
        if arena is None
        else lambda: peers.arena_fit(peers.arena_data(battles, arena), arena),
    }


def _conversations() -> Work:
    votes = [Votes.drawn(385, 10_000, 1000, seed=seed, spread=0.5) for seed in range(1, 6)]
    battles = [each.battles() for each in votes]
    choix = peers.installed("choix")
    return {
        "ours": lambda: [_fit(each) for each in votes],
        "evalica": _evalica(votes),
        "evalica, index given": _evalica(votes, indexed=True),
        "FastChat's (rebuilt)": lambda: [peers.fastchat_fit(each) for each in battles],
        "choix ilsr_pairwise": None
        if choix is None
        else lambda: [choix.ilsr_pairwise(v.items, v.pairs(), alpha=0.01) for v in votes],
    }


def _sparse() -> Work:
    votes = Votes.drawn(20_000, 1_000_000, 50_000)
    battles = votes.battles()
    return {
        "ours": lambda: _fit(votes),
        "scikit-learn, sparse": _sparse_logistic(votes),
        "FastChat's (rebuilt)": lambda: peers.fastchat_fit(battles),
    }


def _clustered_large() -> Work:
    votes = Votes.drawn(200, 2_000_000, 100_000)
    arena = peers.installed("arena_rank.models.bradley_terry")
    data = None if arena is None else peers.arena_data(votes.battles(), arena)
    return {
        "ours, clustered": lambda: bradley_terry(_comparisons(votes, raters=True)),
        "arena-rank, vote-level": None
        if arena is None
        else lambda: peers.arena_intervals(data, arena),
    }


def _clustered_strings() -> Work:
    votes = Votes.drawn(200, 2_000_000, 100_000)
    frame, battles = votes.frame(), votes.battles()
    arena = peers.installed("arena_rank.models.bradley_terry")
    return {
        "ours, clustered": lambda: bradley_terry(frame),
        "arena-rank, vote-level": None
        if arena is None
        else lambda: peers.arena_intervals(peers.arena_data(battles, arena), arena),
    }


def _clustered_small() -> Work:
    votes = Votes.drawn(385, 10_000, 1000, spread=0.5)
    return {
        "ours, clustered": lambda: bradley_terry(_comparisons(votes, raters=True), ridge=0),
        "statsmodels": lambda: peers.clustered_logit(votes),
    }


def _bootstrap(votes: Votes) -> Work:
    battles = votes.battles()
    return {
        "ours, of raters": lambda: bradley_terry(
            _comparisons(votes, raters=True), bootstrap=RESAMPLES, rng=np.random.default_rng(0)
        ),
        "FastChat's (rebuilt), of votes": lambda: peers.fastchat_bootstrap(battles, RESAMPLES),
    }


def _elo() -> Work:
    votes = Votes.drawn(385, 200_000, 1000)
    battles = votes.battles()
    return {
        "ours": lambda: elo(_comparisons(votes)),
        "ours, ratings alone": lambda: elo_codes(
            votes.left, votes.right, votes.left_won, votes.items
        ),
        "evalica": _evalica([votes], "elo"),
        "evalica, index given": _evalica([votes], "elo", indexed=True),
        "FastChat's (rebuilt)": lambda: peers.fastchat_elo(battles),
    }


ROWS = {
    "codes": Row(
        "Bradley-Terry, 200 items, 2,000,000 votes, integer codes",
        _codes,
        {"evalica": 30, "arena-rank, fit alone": 40},
    ),
    "strings": Row("the same from a DataFrame of strings", _strings, {"FastChat's (rebuilt)": 10}),
    "conversations": Row(
        "Bradley-Terry, 385 items, 10,000 votes, five times",
        _conversations,
        {"evalica": 2.5, "FastChat's (rebuilt)": 7},
    ),
    "sparse": Row(
        "Bradley-Terry, 20,000 items, 1,000,000 votes",
        _sparse,
        {"scikit-learn, sparse": 1.8, "FastChat's (rebuilt)": 1.8},
        most_mb=150,
    ),
    "clustered": Row(
        "Intervals, 200 items, 2,000,000 votes, 100,000 raters, integer codes",
        _clustered_large,
        {"arena-rank, vote-level": 12},
        most_mb=100,
    ),
    "clustered_strings": Row(
        "the same from a DataFrame of strings", _clustered_strings, {"arena-rank, vote-level": 12}
    ),
    "clustered_small": Row(
        "Clustered intervals, 385 items, 10,000 votes, 1,000 raters",
        _clustered_small,
        {"statsmodels": 60},
    ),
    "bootstrap": Row(
        f"{RESAMPLES} bootstraps, 5 x 30 items, 1,500 votes, 150 raters",
        lambda: _bootstrap(_study()),
        {"FastChat's (rebuilt), of votes": 3},
    ),
    "bootstrap_large": Row(
        f"{RESAMPLES} bootstraps, 200 items, 2,000,000 votes, 100,000 raters",
        lambda: _bootstrap(Votes.drawn(200, 2_000_000, 100_000)),
        {"FastChat's (rebuilt), of votes": 10},
    ),
    "elo": Row("Elo, 385 items, 200,000 votes, integer codes", _elo, {"evalica": 1 / 0.8}),
}


def _study() -> Votes:
    """Return a study of five scenarios with 30 items each and 150 raters x 10."""
    parts = [Votes.drawn(30, 300, 150, seed=seed) for seed in range(5)]
    return Votes(
        150,
        np.concatenate([part.left + 30 * k for k, part in enumerate(parts)]),
        np.concatenate([part.right + 30 * k for k, part in enumerate(parts)]),
        np.concatenate([part.left_won for part in parts]),
        np.concatenate([part.rater for part in parts]),
    )


def medians(work: Work) -> dict[str, float]:
    """Return the median seconds of each piece of work, interleaved, without the first round."""
    taken: dict[str, list[float]] = {name: [] for name, do in work.items() if do is not None}
    for _ in range(ROUNDS + 1):
        for name, do in work.items():
            if do is None or sum(taken[name]) > LONG:
                continue
            start = time.perf_counter()
            do()
            taken[name].append(time.perf_counter() - start)
    # The first call pays for imports and compilation.
    return {name: statistics.median(times[1:] or times) for name, times in taken.items()}


def peak(row: str, name: str) -> float:
    """Return the peak memory of work in MB, beyond its input, in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.ranking", "--memory", row, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else float("nan")


def _print_peak(row: str, name: str) -> None:
    """Print what one piece of work adds to the resident memory of this process."""
    do = ROWS[row].build()[name]
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if do is None or not reset.exists():
        sys.exit(1)
    # Memory freed after building the input must be returned, or the work would seem to need less.
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    # 5 resets the high-water mark to what is resident now.
    reset.write_text("5", encoding="ascii")
    before = _high_water(status)
    do()
    print((_high_water(status) - before) / 1000)


def _high_water(status: Path) -> float:
    lines = status.read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1.024 for line in lines if line.startswith("VmHWM"))


def report(key: str, row: Row) -> None:
    """Measure and print one row."""
    found = medians(work := row.build())
    first, *others = work
    print(f"\n{row.title} (medians of up to {ROUNDS})")
    limit = "" if row.most_mb is None else f" (goal: at most {row.most_mb:g})"
    print(f"  {first:<32}{1000 * found[first]:11.1f} ms{peak(key, first):9.0f} MB{limit}")
    for name in others:
        if name not in found:
            print(f"  {name:<32}   not installed")
            continue
        goal = f" (goal: {row.goals[name]:g})" if name in row.goals else ""
        print(
            f"  {name:<32}{1000 * found[name]:11.1f} ms{peak(key, name):9.0f} MB"
            f"{found[name] / found[first]:9.1f} x ours{goal}"
        )


def main(rows: list[str] | None = None) -> None:
    """Print every row; above 1, ours is faster."""
    # Peers warn that they did not converge; the notes of the table say so.
    warnings.simplefilter("ignore")
    print("Rankings: time, memory beyond the input in a fresh process, ratio of medians")
    for key, row in ROWS.items():
        if not rows or key in rows:
            report(key, row)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        warnings.simplefilter("ignore")
        _print_peak(*sys.argv[2:4])
    else:
        main(sys.argv[1:])
