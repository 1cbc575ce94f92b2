"""Compares schemes that choose the next pair: how near the truth they are after n judgments.

`docs/decisions/010-which-pair-next.md` quotes `python -m benchmarks.adaptive 20 docs/images`:
20 replications, which take most of an hour on two cores.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from analysis.ranking import bradley_terry, elo
from analysis.ranking.result import Ranking
from analysis.results.figure_style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    VERMILLION,
    axes_or_new,
    styled,
    svg,
    tidy,
)
from benchmarks.simulated_judges import KNOWN, RATINGS, Judge, ask, strengths
from prereg.plan.pairs import PairSampling

REPLICATIONS = 5
GOAL = 0.942
PUBLISHED = 10_000
MARKS = (
    *(500, 1000, 1500, 2000, 2500, 3000, 3250, 3500, 3750, 4000, 4500, 5000, 6000, 7000, 8500),
    PUBLISHED,
)
LATER = (12_500, 15_000)
IN_FLIGHT = 16

Reading = Callable[[pd.DataFrame], Ranking]
READINGS: dict[str, Reading] = {
    "Elo": elo,
    "Bradley-Terry": partial(bradley_terry, cluster=None),
    "Bradley-Terry, ridge 0.5": partial(bradley_terry, cluster=None, ridge=0.5),
    "Bradley-Terry, side": partial(bradley_terry, cluster=None, side_advantage=True),
}
CURVES = (
    ("elo_neighbours", "Elo"),
    ("elo_neighbours", "Bradley-Terry"),
    ("random", "Bradley-Terry"),
    ("information", "Bradley-Terry"),
)
RIDGES = (
    ("elo_neighbours", "Bradley-Terry, ridge 0.5"),
    ("information", "Bradley-Terry, ridge 0.5"),
)
SIDES = (
    ("elo_neighbours", "Bradley-Terry, side"),
    ("random", "Bradley-Terry, side"),
    ("information", "Bradley-Terry, side"),
)


def fidelity(ranking: Ranking, strength: np.ndarray) -> dict[str, float]:
    """Return how well a ranking agrees with the truth, and the reliability that it claims.

    Items that nobody compared count as average.
    """
    score = np.zeros(len(strength))
    frame = ranking.frame
    score[frame["item_id"].astype(int)] = frame["score"] - frame["score"].mean()
    return {
        "spearman": float(spearmanr(score, strength).statistic),
        "r2": float(np.corrcoef(score, strength)[0, 1]) ** 2,
        "said": ranking.reliability,
    }


def curves(
    replication: int, judge: Judge, wanted: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return the fidelity of every curve at every mark in one replication."""
    strength = strengths(replication, judge.sharpness)
    found = []
    for name in dict.fromkeys(scheme for scheme, _ in wanted):
        marks = MARKS if name == "information" else MARKS + LATER
        sampling = PairSampling(scheme=name, per_scenario=marks[-1])
        run = ask(sampling, judge, strength, seed=replication, in_flight=IN_FLIGHT)
        for read_as in (read_as for scheme, read_as in wanted if scheme == name):
            for mark in marks:
                ranking = READINGS[read_as](run.judgments[:mark])
                found.append(
                    {"replication": replication, "scheme": name, "read_as": read_as}
                    | {"judgments": mark, **fidelity(ranking, strength)}
                )
    return found


def stopping(replication: int, judge: Judge, target: float) -> dict[str, float]:
    """Return where the stopping rule stopped, and the claimed and the true reliability."""
    strength = strengths(replication, judge.sharpness)
    sampling = PairSampling(scheme="information", per_scenario=20_000, reliability=target)
    run = ask(sampling, judge, strength, seed=replication, in_flight=IN_FLIGHT)
    scheme: Any = run.scheme
    read = fidelity(bradley_terry(run.judgments, cluster=None), strength)
    return {
        "judgments": len(run.judgments),
        "claimed": scheme.reliability,
        "true": float(np.corrcoef(scheme.scores, strength)[0, 1]) ** 2,
        **read,
    }


def fractions(replication: int, judge: Judge) -> list[dict[str, Any]]:
    """Return the fidelity of forced choices and of stated probabilities on the same judgments."""
    strength = strengths(replication, judge.sharpness)
    sampling = PairSampling(scheme="information", per_scenario=6000)
    judgments = ask(sampling, judge, strength, seed=replication, in_flight=IN_FLIGHT).judgments
    found = []
    for mark in (mark for mark in MARKS if mark <= sampling.per_scenario):
        first = judgments[:mark]
        for name, won in (("choice", first["won"]), ("P(A)", first["p_left"])):
            score = fractional_bradley_terry(len(strength), first, won.to_numpy(dtype=float))
            found.append(
                {"replication": replication, "scheme": name, "read_as": "", "judgments": mark}
                | {"spearman": float(spearmanr(score, strength).statistic)}
            )
    return found


def fractional_bradley_terry(
    count: int, judgments: pd.DataFrame, won: np.ndarray, ridge: float = 0.02
) -> np.ndarray:
    """Return Bradley-Terry scores from wins that may be fractions, by Newton."""
    left, right = judgments["left"].to_numpy(), judgments["right"].to_numpy()
    score = np.zeros(count)
    for _ in range(100):
        chance = 1 / (1 + np.exp(score[right] - score[left]))
        slope = np.bincount(left, won - chance, count) - np.bincount(right, won - chance, count)
        cells = np.bincount(left * count + right, chance * (1 - chance), count**2)
        between = cells.reshape(count, count)
        between = between + between.T
        curvature = np.diag(between.sum(axis=1) + ridge) - between
        step = np.linalg.solve(curvature, slope - ridge * score)
        score += step * min(1.0, 3.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            return score
    raise ArithmeticError("no convergence")


def mean_curves(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return the mean and sd over replications of every curve at every mark."""
    grouped = pd.DataFrame(rows).groupby(["scheme", "read_as", "judgments"], sort=False)
    table = grouped.mean().drop(columns="replication")
    table.insert(1, "sd", grouped["spearman"].std())
    return table.reset_index()


def reaches(curve: pd.DataFrame, goal: float) -> float:
    """Return how many judgments a curve needs to reach a goal, by linear interpolation."""
    x, y = curve["judgments"].to_numpy(dtype=float), curve["spearman"].to_numpy()
    above = np.flatnonzero(y >= goal)
    if not len(above):
        return math.nan
    at = int(above[0])
    if at == 0:
        return float(x[0])
    return float(x[at - 1] + (goal - y[at - 1]) / (y[at] - y[at - 1]) * (x[at] - x[at - 1]))


def of(table: pd.DataFrame, scheme: str, read_as: str) -> pd.DataFrame:
    """Return one curve."""
    return table[(table["scheme"] == scheme) & (table["read_as"] == read_as)]


def at(curve: pd.DataFrame, judgments: int, column: str = "spearman") -> float:
    """Return a curve's value at a mark."""
    return float(curve.loc[curve["judgments"] == judgments, column].iloc[0])


def print_curves(rows: list[dict[str, Any]]) -> None:
    """Print every curve, and when it reaches the end of the published one."""
    table, single = mean_curves(rows), pd.DataFrame(rows)
    published = at(of(table, "elo_neighbours", "Elo"), PUBLISHED)
    print(f"  for {GOAL}: judgments, sd; for {published:.4f} (Elo at {PUBLISHED:,}): same, saved")
    for (scheme, read_as), curve in table.groupby(["scheme", "read_as"], sort=False):
        own = [reaches(c, GOAL) for _, c in of(single, scheme, read_as).groupby("replication")]
        spread = "" if any(map(math.isnan, own)) else f"{np.std(own, ddof=1):,.0f}"
        same = reaches(curve, published)
        print(
            f"  {scheme:<15}{read_as:<25}{number(reaches(curve, GOAL)):>7}{spread:>7}"
            f"{number(same):>8}{1 - same / PUBLISHED:>6.0%}  "
            + " ".join(
                f"{m:>6,}: {at(curve, m):.4f} ({at(curve, m, 'sd'):.4f})"
                for m in (2000, 3500, 5000, PUBLISHED)
            )
            + f"; at 3,500 it says {at(curve, 3500, 'said'):.3f}, r2 is {at(curve, 3500, 'r2'):.3f}"
        )


def number(value: float) -> str:
    """Return a number of judgments as text."""
    return "never" if math.isnan(value) else f"{value:,.0f}"


@styled
def draw(table: pd.DataFrame) -> str:
    """Return the figure as SVG text: fidelity against judgments."""
    ax = axes_or_new(None, 4.4, 3.6)
    names = (
        "neighbours in Elo, read as Elo",
        "the same judgments, read as Bradley-Terry",
        "random pairs, read as Bradley-Terry",
        "most informative pairs, read as Bradley-Terry",
    )
    looks = ((INK, "o"), (VERMILLION, "s"), (GREEN, "^"), (BLUE, "D"))
    ax.axhline(GOAL, color=MUTED, lw=0.8, dashes=(4, 3), zorder=1)
    for (scheme, read_as), name, (colour, marker) in zip(CURVES, names, looks, strict=True):
        curve = of(table, scheme, read_as)
        curve = curve[curve["judgments"] <= LATER[0]]
        x, y, sd = (curve[c].to_numpy(dtype=float) for c in ("judgments", "spearman", "sd"))
        ax.fill_between(x, y - sd, y + sd, color=colour, alpha=0.13, lw=0, zorder=2)
        ax.plot(x, y, color=colour, marker=marker, ms=3.4, label=name, zorder=3)
    first = reaches(of(table, "information", "Bradley-Terry"), GOAL)
    ax.plot([first, first], [0.7, GOAL], color=BLUE, lw=0.8, dashes=(4, 3), zorder=1)
    ax.annotate(
        f"{first:,.0f}", (first, 0.7), (4, 5), textcoords="offset points", color=BLUE, fontsize=9
    )
    ax.annotate(
        f"{GOAL:g}", (LATER[0], GOAL), (2, -3), textcoords="offset points", color=MUTED, fontsize=9
    )
    ax.set_xlim(0, LATER[0])
    ax.set_ylim(0.7, 1.0)
    ax.set_xticks(range(0, 12_001, 2000), [f"{n:,}" for n in range(0, 12_001, 2000)])
    ax.set_xlabel("judgments per scenario (362 to 408 conversations)", fontsize=9)
    ax.set_ylabel("Spearman correlation with the truth", fontsize=9)
    ax.legend(
        loc="lower right", bbox_to_anchor=(1, 0.08), frameon=False, fontsize=8.5, handlelength=2.0
    )
    tidy(ax)
    return svg(ax)


def main(replications: int = REPLICATIONS, folder: Path | None = None) -> None:
    """Print the judgments that every scheme needs with each judge; write the figure and data."""
    where = "published ratings" if RATINGS.exists() else f"drawn strengths, as {RATINGS} is absent"
    print(f"\nWhich pair next: {replications} replications, {IN_FLIGHT} calls in flight; {where}")
    # the processes share the cores, so each computes with one thread
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    everybody = range(replications)
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for judge, wanted in (
            (Judge(), CURVES + RIDGES),
            (Judge(sharpness=1.0), CURVES),
            (Judge(sharpness=0.75), CURVES),
            (Judge(sharpness=2.0), CURVES),
            (Judge(side=1.0), CURVES + SIDES),
        ):
            found = pool.map(partial(curves, judge=judge, wanted=wanted), everybody)
            rows = [row for rows in found for row in rows]
            print(f"\nJudge of sharpness {judge.sharpness:g}, side {judge.side:g}")
            print_curves(rows)
            if folder is not None and judge == Judge():
                table = mean_curves(rows)
                table.round(4).to_csv(folder / "adaptive.csv", index=False)
                (folder / "adaptive.svg").write_text(draw(table), encoding="utf-8")
        _print_stopping(pool, everybody)
        _print_fractions(pool, everybody)
        print(
            f"\nChoosing by information, {len(strengths(0, KNOWN))} items: "
            f"{pool.submit(_milliseconds).result():.2f} ms per pair"
        )


def _print_stopping(pool: ProcessPoolExecutor, everybody: range) -> None:
    print("\nStopping: judgments (sd), claimed, true r2 of its scores (sd); as read: r2, rho, said")
    for sharpness in (0.75, KNOWN, 2.0):
        for target in (0.8, 0.9, 0.95):
            run = partial(stopping, judge=Judge(sharpness=sharpness), target=target)
            got = pd.DataFrame(pool.map(run, everybody))
            mean, sd = got.mean(), got.std()
            print(
                f"  sharpness {sharpness:<5g} until {target:<5g}"
                f"{mean['judgments']:>7,.0f} ({sd['judgments']:,.0f})"
                f"  {mean['claimed']:.3f}  {mean['true']:.3f} ({sd['true']:.3f})"
                f"; {mean['r2']:.3f}, {mean['spearman']:.3f}, {mean['said']:.3f}"
            )


def _print_fractions(pool: ProcessPoolExecutor, everybody: range) -> None:
    print(f"\nP(A) instead of the choice, same judgments: judgments for {GOAL} (rho at 3,500)")
    for drawn in (0.0, 0.5):
        for confidence in (1.0, 3.0, 1 / 3):
            judge = Judge(drawn=drawn, confidence=confidence)
            found = pool.map(partial(fractions, judge=judge), everybody)
            table = mean_curves(row for rows in found for row in rows)
            both = {name: of(table, name, "") for name in ("choice", "P(A)")}
            saved = 1 - reaches(both["P(A)"], GOAL) / reaches(both["choice"], GOAL)
            print(
                f"  noise redrawn {drawn:.0%}, stated log-odds x {confidence:.2f}: "
                + ", ".join(
                    f"{name} {number(reaches(curve, GOAL))} ({at(curve, 3500):.3f})"
                    for name, curve in both.items()
                )
                + f": saved {saved:.0%}"
            )


def _milliseconds() -> float:
    """Return the time to choose a pair, with its share of the fits, in milliseconds."""
    sampling = PairSampling(scheme="information", per_scenario=3500)
    run = ask(sampling, Judge(), strengths(0, KNOWN), seed=0, in_flight=64)
    return 1000 * run.seconds / len(run.judgments)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
