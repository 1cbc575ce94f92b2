"""Simulates ratings of 60 demo conversations by three people and a judge, for a first audit.

Nobody gave these ratings. Each is the conversation's planted quality, seen through a rater's own
noise and severity, on a scale from 1 to 5. The judge is planted with what an audit should find: it
reads warmth as people do, it scores `dismissing` about one point too high, and it sees nothing of
`understanding`.

`python -m data.demo.ratings` writes the files of `ratings/` with the seed below.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from prereg.tables.reader import read_table, write_csv

SEED = 20_261_129
ITEMS = 60
PEOPLE = ("person1", "person2", "person3")
JUDGE = "model"
DIMENSIONS = ("warmth", "understanding", "dismissing")
# How strongly a rater's score follows what the conversation is like, the standard deviation of
# their noise, and how many points they score too high.
PERSON = {
    "warmth": (0.9, 0.55, 0.0),
    "understanding": (0.9, 0.6, 0.0),
    "dismissing": (-0.9, 0.6, 0.0),
}
JUDGED = {
    "warmth": (0.9, 0.4, 0.1),
    "understanding": (0.1, 0.9, 0.2),
    "dismissing": (-0.8, 0.5, 1.1),
}
_FOLDER = Path(__file__).parent


def simulate(rng: np.random.Generator) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each rater's file.

    Parameters
    ----------
    rng : Generator

    Returns
    -------
    dict
        Rater -> rows with `item_id` and one score, 1 to 5, for each dimension.
    """
    items = read_table(_FOLDER / "items.csv").rows
    chosen = [items[at] for at in sorted(rng.choice(len(items), ITEMS, replace=False))]
    quality = np.array([float(item["planted_quality"]) for item in chosen])
    # what all raters see of a conversation: its quality, and something of its own per dimension
    seen = {d: 0.85 * quality + 0.5 * rng.standard_normal(ITEMS) for d in DIMENSIONS}
    return {
        rater: _rows(chosen, seen, JUDGED if rater == JUDGE else PERSON, rng)
        for rater in (*PEOPLE, JUDGE)
    }


def _rows(
    items: list[dict[str, str]],
    seen: Mapping[str, np.ndarray],
    habits: Mapping[str, tuple[float, float, float]],
    rng: np.random.Generator,
) -> list[dict[str, str]]:
    """Return one rater's rows."""
    scores = {}
    for dimension, (slope, noise, shift) in habits.items():
        middle = 2.2 if slope < 0 else 3.1
        exact = middle + slope * seen[dimension] + noise * rng.standard_normal(ITEMS) + shift
        scores[dimension] = np.clip(np.rint(exact), 1, 5).astype(int)
    return [
        {"item_id": item["item_id"], **{d: str(scores[d][at]) for d in DIMENSIONS}}
        for at, item in enumerate(items)
    ]


def write(folder: Path) -> None:
    """Write one file per rater with the fixed seed."""
    for rater, rows in simulate(np.random.default_rng(SEED)).items():
        write_csv(folder / f"{rater}.csv", ("item_id", *DIMENSIONS), rows)


if __name__ == "__main__":
    write(_FOLDER / "ratings")
