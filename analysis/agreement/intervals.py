"""Every coefficient of a pair of raters with its interval, and kappa's two standard errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.agreement.coefficients import Weights
from analysis.agreement.drawn_pairs import PairDraws, alone
from analysis.agreement.item_draws import MOST, telling
from analysis.agreement.kappa_test import kappa_test
from analysis.agreement.sample import DRAWN, THROUGH_Z, Sample
from analysis.agreement.weighted import COEFFICIENTS, Cells, cells_of, weighted_coefficients
from analysis.arrays import FloatArray, require_rng
from analysis.inference.proportions import wilson_interval

Method = Literal["jackknife", "bootstrap"]
SHARES = ("exact", "within_one")
KAPPAS: dict[str, Weights] = {
    "kappa": "none",
    "kappa_linear": "linear",
    "kappa_quadratic": "quadratic",
}
# With fewer items than this there is no interval: it would mostly reflect chance.
FEWEST = 5
WILSON = "Wilson interval"
WIDER = f"the wider ends of two: {DRAWN}; {THROUGH_Z}"
MISSED = "no interval: leaving out any item, or a random one, does not define the coefficient"


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One coefficient of one pair of raters; a row of the table `coefficients`.

    Attributes
    ----------
    coefficient : str
        A name of `COEFFICIENTS`.
    n : int
        Items that both rated.
    estimate, low, high : float
        NaN where not defined; the interval is also NaN with fewer than five items.
    se, se_null, p_value : float
        For a kappa: non-null and null standard error, and the two-sided p value for kappa = 0,
        which uses the null error. NaN for all other coefficients.
    unit : str
    method : str
        How the interval was made.
    """

    coefficient: str
    n: int
    estimate: float
    low: float
    high: float
    se: float
    se_null: float
    p_value: float
    unit: str
    method: str


def coefficient_intervals(
    a: ArrayLike,
    b: ArrayLike,
    *,
    scale: tuple[float, float],
    level: float = 0.95,
    method: Method = "jackknife",
    rng: np.random.Generator | None = None,
    draws: int = 2000,
) -> tuple[Coefficient, ...]:
    """Return every coefficient of two raters with its interval over items.

    Parameters
    ----------
    a, b : array of shape (n,)
        Complete ratings of the same items.
    scale : tuple of float
        Lowest and highest possible rating.
    level : float
        Coverage of the intervals.
    method : {'jackknife', 'bootstrap'}
        Jackknife: Wilson for shares, t for the bias, and for coefficients the draws of
        `item_draws`, or from 1,000 items on the bias-corrected jackknife through Fisher's z.
        Bootstrap: percentiles over resampled items, for all.
    rng, draws
        Source and number of the resamples; the bootstrap needs `rng`.

    Returns
    -------
    tuple of Coefficient
        In the order of `COEFFICIENTS`.

    Notes
    -----
    The percentile bootstrap covers .87 to .95 with 50 items on 5 and 7 points, and less where
    most ratings are alike; see docs/decisions/013 and docs/validation.md.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.size == 0:
        return ()
    items: PairDraws | None = None
    if method == "bootstrap":
        rng = require_rng(rng, "the bootstrap")
        times = rng.multinomial(x.size, np.full(x.size, 1 / x.size), size=draws)
        items = PairDraws(times.astype(np.float32), ("",), {}, (((), ()),))
    elif any(telling(x.size, int(np.unique(one, return_counts=True)[1].max())) for one in (x, y)):
        items = alone(x, y, scale) if x.size <= MOST else None
    return drawn_coefficients(x, y, items, scale=scale, level=level)


def drawn_coefficients(
    x: FloatArray,
    y: FloatArray,
    items: PairDraws | None,
    *,
    scale: tuple[float, float],
    level: float = 0.95,
) -> tuple[Coefficient, ...]:
    """Return every coefficient of two raters with its interval from given draws of their items.

    Parameters
    ----------
    x, y : array of shape (n,)
        Complete ratings of the same items.
    items : PairDraws, optional
        Draws of these items, of one pair; without them intervals are the jackknife's.
    scale, level
        As in `coefficient_intervals`.
    """
    if x.size == 0:
        return ()
    cells = cells_of(x, y)
    whole = {
        name: float(values[0] if name == "bias" else np.clip(values[0], -1.0, 1.0))
        for name, values in weighted_coefficients(cells, cells.counts[None], scale).items()
    }
    if x.size < 2:
        whole = {name: v if name in (*SHARES, "bias") else np.nan for name, v in whole.items()}
    ends = _ends(x, y, cells, whole, scale, level, items)
    found = []
    for name in COEFFICIENTS:
        low, high, how = ends[name]
        test = kappa_test(x, y, weights=KAPPAS[name]) if name in KAPPAS else None
        found.append(
            Coefficient(
                coefficient=name,
                n=x.size,
                estimate=whole[name],
                low=low,
                high=high,
                se=np.nan if test is None else test.se,
                se_null=np.nan if test is None else test.se_null,
                p_value=np.nan if test is None else test.p_value,
                unit=_unit(name),
                method=how,
            )
        )
    return tuple(found)


def to_frame(coefficients: tuple[Coefficient, ...]) -> pd.DataFrame:
    """Return the coefficients as a table, one row each."""
    return pd.DataFrame(
        [asdict(one) for one in coefficients], columns=list(Coefficient.__annotations__)
    )


def wide(coefficients: tuple[Coefficient, ...]) -> dict[str, float]:
    """Return the cells of one row: each coefficient `x`, `x_low`, `x_high`, and kappas' errors."""
    cells: dict[str, float] = {}
    for one in coefficients:
        name = one.coefficient
        cells |= {name: one.estimate, f"{name}_low": one.low, f"{name}_high": one.high}
        if name in KAPPAS:
            cells |= {f"{name}_se": one.se, f"{name}_se_null": one.se_null}
            cells[f"{name}_p"] = one.p_value
    return cells


def _ends(
    x: FloatArray,
    y: FloatArray,
    cells: Cells,
    whole: dict[str, float],
    scale: tuple[float, float],
    level: float,
    items: PairDraws | None,
) -> dict[str, tuple[float, float, str]]:
    """Return both ends of every interval, and how they were made."""
    n = x.size
    if n < FEWEST:
        return dict.fromkeys(COEFFICIENTS, (np.nan, np.nan, f"no interval under {FEWEST} items"))
    left_out = weighted_coefficients(cells, cells.left_out(), scale)
    drawn: dict[str, FloatArray] = {}
    constant = len(cells.counts) == 1
    if items is not None:
        drawn = _drawn(x, y, items, scale)
    found = {}
    for name in COEFFICIENTS:
        if name in SHARES and not (items is not None and items.resampled):
            found[name] = (*wilson_interval(round(whole[name] * n), n, level=level), WILSON)
            continue
        sample = Sample(
            whole[name],
            left_out[name][cells.cell],
            np.ones(n, dtype=bool),
            level,
            bound=scale[1] - scale[0] if name == "bias" else 1.0,
            fisher=name not in (*SHARES, "bias"),
            skewed=name in ("pearson", "spearman"),
            draws=None if constant and name == "bias" else drawn.get(name),
            resampled=items is not None and items.resampled,
        )
        low, high = sample.interval
        how = sample.method
        if name == "ac2" and how == DRAWN and not np.isnan(low):
            # a mean of mostly equal items: draws and jackknife miss on different sides
            other = replace(sample, draws=None).interval
            low, high = float(np.nanmin([low, other[0]])), float(np.nanmax([high, other[1]]))
            how = WIDER
        found[name] = (low, high, MISSED if np.isnan(low) and not np.isnan(whole[name]) else how)
    return found


def _drawn(
    x: FloatArray, y: FloatArray, items: PairDraws, scale: tuple[float, float]
) -> dict[str, FloatArray]:
    """Return every coefficient in every draw of the items."""
    a, b, weights = items.extended(x[:, None], y[:, None], [0])
    cells = cells_of(a[:, 0], b[:, 0])
    copies = cells.summed(weights)
    found = weighted_coefficients(cells, copies, scale)
    return {
        name: values if name == "bias" else np.clip(values, -1.0, 1.0)
        for name, values in found.items()
    }


def _unit(name: str) -> str:
    if name == "bias":
        return "points of the scale"
    return "share of items" if name in SHARES else "coefficient"
