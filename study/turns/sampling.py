"""Draws a stratified sample of turn-pairs for the judge, with its inclusion probabilities.

Strata are the model, the band of the turn and the band of the local hour. Each gets one turn-pair;
the others are dealt in proportion to what is left of each stratum, by largest remainders. Within a
stratum the sample is drawn without replacement, so that every turn-pair has the same probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from prereg.streams import Stream, stream
from study.turns.pairs import SCHEMA
from study.turns.writing import PairsFile

FRAME = "frame.parquet"
STRATUM, PROBABILITY = "judge_stratum", "judge_inclusion_probability"
FRAME_SCHEMA = SCHEMA.append(pa.field(STRATUM, pa.string())).append(
    pa.field(PROBABILITY, pa.float64())
)
# The first turn of each band, and the first hour.
TURN_BANDS = (1, 2, 3, 6)
HOUR_BANDS = (0, 6, 12, 18)
_BY = ("model", "turn", "local_hour")
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """A sample that was drawn.

    Attributes
    ----------
    size : int
        Turn-pairs in the sample.
    of : int
        Turn-pairs that it was drawn from.
    by : tuple of str
        What the strata are made of: model, turn and local_hour, or the first of them where the
        sample is too small for all strata.
    strata : mapping of str to (int, int)
        For each stratum, how many were drawn, and of how many.
    """

    size: int
    of: int
    by: tuple[str, ...]
    strata: dict[str, tuple[int, int]]


def draw_sample(source: Path, target: Path, *, size: int, seed: int) -> Sample:
    """Draw a sample of the rows of turns.parquet and write it as frame.parquet.

    The rows are read twice: first their strata, then those that were drawn.

    Parameters
    ----------
    source, target : Path
    size : int
        Turn-pairs to draw; if there are fewer, all are taken.
    seed : int
        The same seed draws the same rows from the same turn-pairs, however they are grouped.

    Returns
    -------
    Sample
    """
    by, names, codes = _strata(source, size)
    sizes = np.bincount(codes, minlength=len(names))
    drawn = allocate(sizes, size)
    chosen = np.zeros(len(codes), dtype=bool)
    for code, name in enumerate(names):
        rng = stream(seed, Stream.TURNS, name)
        there = np.flatnonzero(codes == code)
        chosen[rng.choice(there, size=drawn[code], replace=False)] = True
    with PairsFile(target, FRAME_SCHEMA) as file:
        first = 0
        for rows in _groups(source, SCHEMA.names):
            here = np.flatnonzero(chosen[first : first + rows.num_rows])
            of = codes[first + here]
            file.add(
                rows.take(pa.array(here))
                .append_column(STRATUM, pa.array([names[one] for one in of], pa.string()))
                .append_column(PROBABILITY, pa.array(drawn[of] / sizes[of]))
            )
            first += rows.num_rows
    strata = {name: (int(drawn[code]), int(sizes[code])) for code, name in enumerate(names)}
    return Sample(int(drawn.sum()), len(codes), by, strata)


def allocate(sizes: Ints, total: int) -> Ints:
    """Return how many to draw from each stratum.

    Parameters
    ----------
    sizes : ndarray of int64, shape (h,)
        Units in each stratum, at least one.
    total : int
        Units to draw in all, at least h.

    Returns
    -------
    ndarray of int64, shape (h,)
        At least one each, at most the size, `min(total, sizes.sum())` in all. After the first,
        they are in proportion to the units that are left; the parts that are lost by rounding
        down go to the largest remainders, ties to the first strata.
    """
    if total >= sizes.sum():
        return sizes
    left = sizes - 1
    shares = left * (total - len(sizes)) / left.sum()
    drawn: Ints = np.floor(shares).astype(np.int64)
    missing = total - len(sizes) - int(drawn.sum())
    most = np.argsort(drawn - shares, kind="stable")[:missing]
    drawn[most] += 1
    return drawn + 1


def _groups(source: Path, columns: tuple[str, ...] | list[str]) -> Iterator[pa.Table]:
    """Read the rows group by group; a reader of the whole file would keep what it has read."""
    with pq.ParquetFile(source) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=list(columns))


def _labels(rows: pa.Table) -> Iterator[tuple[str, str, str]]:
    """Give the model, the band of turns and the band of hours of each row."""
    columns = (rows.column(name).to_pylist() for name in _BY)
    for model, turn, hour in zip(*columns, strict=True):
        hours = "hour unknown" if hour is None else f"hours {_band(hour, HOUR_BANDS, 23)}"
        yield model or "model unknown", f"turn {_band(turn, TURN_BANDS, None)}", hours


def _band(value: int, firsts: tuple[int, ...], last: int | None) -> str:
    at = max(place for place, first in enumerate(firsts) if value >= first)
    low = firsts[at]
    high = firsts[at + 1] - 1 if at + 1 < len(firsts) else last
    return f"{low}+" if high is None else f"{low}" if high == low else f"{low}-{high}"


def _strata(source: Path, size: int) -> tuple[tuple[str, ...], list[str], Ints]:
    """Return what strata are made of, their names in order, and the stratum of each row.

    There are at most as many strata as turn-pairs to draw, so that each can have one.
    """
    finest: dict[tuple[str, str, str], int] = {}
    parts = [np.empty(0, dtype=np.int64)]
    for rows in _groups(source, _BY):
        found = [finest.setdefault(label, len(finest)) for label in _labels(rows)]
        parts.append(np.array(found, dtype=np.int64))
    for depth in range(len(_BY), -1, -1):
        called = [" | ".join(label[:depth]) or "all" for label in finest]
        names = sorted(set(called))
        if len(names) <= size:
            break
    place = np.array([names.index(one) for one in called], dtype=np.int64)
    return _BY[:depth], names, place[np.concatenate(parts)]
