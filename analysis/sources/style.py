"""Contrasts of sources at equal style, and what adjusting for style changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.inference.crossed_errors import CrossedFit, Estimate, no_estimate
from analysis.sources.rows import SourceRows, cells_of, differences, line_of, names_of

RAW, ADJUSTED, CHANGE = "raw", "adjusted", "change"
CAUTION = (
    "Adjusted for style: the difference between responses of equal style. Style may be one reason "
    "for a source's ratings; the adjusted difference then leaves out part of the source's effect, "
    "and is not more correct than the raw one."
)


Lines = list[dict[str, Any]]


def adjusted(
    rows: SourceRows,
    pairs: list[tuple[int, int]],
    cluster: str,
    level: float,
    features: pd.DataFrame,
    about: dict[str, Any],
) -> tuple[Lines, Lines, list[str]]:
    """Return contrasts at equal style with their change, the coefficients of style, and notes."""
    names = [str(name) for name in features.columns]
    known = [at for at in range(len(names)) if not np.isnan(rows.features[:, at]).all()]
    notes = [
        f"{name} is left out: it cannot be computed for these texts."
        for at, name in enumerate(names)
        if at not in known
    ]
    complete = rows.where(~np.isnan(rows.features[:, known]).any(axis=1))
    lost = len(rows.y) - len(complete.y)
    if lost:
        notes.append(f"{lost} ratings of texts with a missing feature are left out of adjusting.")
    X, present = cells_of(complete)
    kept, wide = _independent(X, complete.features[:, known])
    used = [names[known[at]] for at in kept]
    notes += [
        f"{names[at]} is left out: within sources it does not vary, or other features determine it."
        for place, at in enumerate(known)
        if place not in kept
    ]
    found: dict[tuple[int, int], dict[str, Estimate]] = {}
    coefficients: Lines = []
    if used:
        raw, full = complete.fit(X, cluster), complete.fit(wide, cluster)
        there = [pair for pair in pairs if set(pair) <= set(present)]
        found = dict(zip(there, _changes(raw, full, there, present, level), strict=True))
        slopes = full.estimates(np.eye(wide.shape[1])[len(present) :], level=level)
        coefficients = [
            {"dimension": about["dimension"], "feature": name, **line_of(each, complete)}
            for name, each in zip(used, slopes, strict=True)
        ]
    lacking = "no ratings of one of them" if used else "no style feature is left to adjust for"
    none = dict.fromkeys((ADJUSTED, CHANGE), no_estimate(lacking))
    lines = []
    for pair in pairs:
        both = complete.where(np.isin(complete.source, pair))
        line = {**about, **names_of(*(rows.sources[at] for at in pair))}
        shown = found.get(pair, none)
        lines += [{**line, "model": name, **line_of(one, both)} for name, one in shown.items()]
    return lines, coefficients, notes


def _changes(
    raw: CrossedFit,
    full: CrossedFit,
    pairs: list[tuple[int, int]],
    present: list[int],
    level: float,
) -> list[dict[str, Estimate]]:
    """Return each contrast at equal style, and its change from the raw one on the same rows."""
    if not pairs:
        return []
    plain, equal = (differences(pairs, present, len(each.params)) for each in (raw, full))
    before, after = raw.uncertainty(plain), full.uncertainty(equal)
    differ = after.minus(before)
    old, new = plain @ raw.params, equal @ full.params
    return [
        {
            ADJUSTED: after.of(at, float(new[at]), level),
            CHANGE: differ.of(at, float(new[at] - old[at]), level),
        }
        for at in range(len(pairs))
    ]


def _independent(X: FloatArray, features: FloatArray) -> tuple[list[int], FloatArray]:
    """Return the features not determined by sources and earlier features, and X with these.

    Features are centred, so that a source's coefficient is its mean at the mean style.
    """
    if not features.size:
        return [], X
    centred = features - features.mean(axis=0)
    within = centred - X @ np.linalg.lstsq(X, centred, rcond=None)[0]
    kept: list[int] = []
    for at in range(features.shape[1]):
        column = within[:, at]
        rest = column
        if kept:
            others = within[:, kept]
            rest = column - others @ np.linalg.lstsq(others, column, rcond=None)[0]
        scale = float(np.sqrt((centred[:, at] ** 2).sum()))
        if scale > 0 and float(np.sqrt((rest**2).sum())) > 1e-7 * scale:
            kept.append(at)
    return kept, np.column_stack([X, centred[:, kept]])
