"""How many people changed reliably: shares by condition, differences, and other indices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import FloatArray
from analysis.change.scores import Scores
from analysis.change.variance_components import VarianceComponents
from analysis.inference.families import adjust
from analysis.inference.proportions import two_proportions, wilson, wilson_interval

OUTCOMES = ("improved", "declined", "neither")
IN_USE = "random intercept"


def outcome_of(z: FloatArray, cut: float) -> NDArray[np.str_]:
    """Return 'improved', 'declined' or 'neither' for each change in units of its error.

    A cut below 0 means that lower is better.
    """
    z, cut = (z, cut) if cut > 0 else (-z, -cut)
    return np.select([z >= cut, z <= -cut], list(OUTCOMES[:2]), OUTCOMES[2])


def shares_by_condition(
    people: pd.DataFrame,
    conditions: tuple[str, ...],
    cut: float,
    scale: tuple[float, float],
    level: float,
    *,
    own: Mapping[str, float],
) -> pd.DataFrame:
    """Count who improved, declined or did neither, in each condition.

    Parameters
    ----------
    people : DataFrame
        `person_id`, `condition`, `z`, `outcome` of the people compared.
    conditions : tuple of str
        The control first.
    cut : float
        Threshold of z; below 0 if lower is better.
    scale : tuple of float
        The ends of the threshold's interval, each divided by the threshold.
    level : float
    own : mapping of person to float
        How much each person of the control adds to the log of the variance within people
        (`WithinPeople.log_influence`).

    Returns
    -------
    DataFrame
        One row per condition and outcome: `condition`, `outcome`, `count`, `n`, `share` with
        `share_low` and `share_high` (include the threshold's uncertainty), `wilson_low` and
        `wilson_high` (the threshold assumed to be known), and `at_low_threshold`,
        `at_high_threshold`: the share if the threshold is at either end of its interval.

    Notes
    -----
    In every condition the interval is of the share of such people who would pass the true
    threshold. Elsewhere than in the control its two errors are independent (`_carried`). In the
    control they are not: a person with a large change raises the share and the threshold. A person
    adds `(1 or 0) - share`, and half of `own` times the slope of the share in the log threshold,
    which is read from the shares at the two ends of the threshold's interval. The sum of squares
    is the variance of both errors together, and Wilson's interval is taken at the number of people
    that would have this variance (as Korn and Graubard 1998 do for clusters).
    """
    rows = []
    for condition in conditions:
        mine = people[people["condition"] == condition]
        z = mine["z"].to_numpy(dtype=float)
        now = outcome_of(z, cut)
        ends = [outcome_of(z, cut * factor) for factor in scale]
        for outcome in OUTCOMES:
            found = wilson(int((now == outcome).sum()), len(z), level)
            at = [float((end == outcome).mean()) if len(z) else math.nan for end in ends]
            low, high = found.low, found.high
            if condition != conditions[0]:
                low, high = _carried(found.estimate, (low, high), at, (0.0, 1.0))
            elif 0 < found.successes < found.n:
                slope = (at[1] - at[0]) / math.log(scale[1] / scale[0])
                n = _effective_n(now == outcome, mine["person_id"], own, slope)
                low, high = wilson_interval(found.estimate * n, n, level=level)
            rows.append(
                {
                    "condition": condition,
                    "outcome": outcome,
                    "count": found.successes,
                    "n": found.n,
                    "share": found.estimate,
                    "share_low": low,
                    "share_high": high,
                    "wilson_low": found.low,
                    "wilson_high": found.high,
                    "at_low_threshold": at[0],
                    "at_high_threshold": at[1],
                }
            )
    return pd.DataFrame(rows)


def _effective_n(
    hits: NDArray[np.bool_], person: pd.Series[Any], own: Mapping[str, float], slope: float
) -> float:
    """Return the people whose share would vary as the control's share and threshold together do."""
    share, n = float(hits.mean()), len(hits)
    added = pd.Series(own, dtype=float) * slope / 2
    added = added.add(pd.Series((hits - share) / n, index=person.to_numpy()), fill_value=0.0)
    return share * (1 - share) / float(np.square(added).sum())


def _carried(
    estimate: float, sampled: tuple[float, float], at: list[float], possible: tuple[float, float]
) -> tuple[float, float]:
    """Return an interval that includes both the sampling error and the threshold's error.

    The two errors are independent, so the distances of their limits add as squares (variance
    recovered from limits: Zou and Donner 2008).
    """
    down = max(0.0, estimate - min(at))
    up = max(0.0, max(at) - estimate)
    low = estimate - math.hypot(estimate - sampled[0], down)
    high = estimate + math.hypot(sampled[1] - estimate, up)
    return max(possible[0], low), min(possible[1], high)


def differences(
    shares: pd.DataFrame, conditions: tuple[str, ...], pairs: str, correction: str, level: float
) -> pd.DataFrame:
    """Compare the shares of conditions that improved and that declined.

    Parameters
    ----------
    shares : DataFrame
        From `shares_by_condition`.
    conditions : tuple of str
        The control first.
    pairs : {'control', 'all'}
        Compare each condition with the control, or with every other condition.
    correction : str
        As in `analysis.inference.families.adjust`; within one outcome.
    level : float

    Returns
    -------
    DataFrame
        One row per outcome and pair: `difference` (condition minus reference) with an interval
        that includes the threshold's uncertainty, Newcombe's, which takes it as known, and the
        pooled z test, `z`, `p_value`, `adjusted_p`. The test is valid at any threshold: people
        are independent, and equal conditions have equal shares.
    """
    chosen = list(combinations(conditions, 2))
    if pairs == "control":
        chosen = [pair for pair in chosen if pair[0] == conditions[0]]
    found = {(row["condition"], row["outcome"]): row for row in shares.to_dict("records")}
    tables = []
    for outcome in OUTCOMES[:2]:
        rows = [
            _difference(
                found[condition, outcome],
                found[reference, outcome],
                level,
                own=reference == conditions[0],
            )
            for reference, condition in chosen
        ]
        adjusted = adjust([row["p_value"] for row in rows], correction)
        tables.append(pd.DataFrame(rows).assign(adjusted_p=adjusted))
    return pd.concat(tables, ignore_index=True)


def _difference(
    one: dict[Any, Any], other: dict[Any, Any], level: float, *, own: bool
) -> dict[str, Any]:
    """Return the comparison of one condition's share with another's.

    `own`: the other is the control, whose share hardly changes because it sets the threshold.
    """
    found = two_proportions(one["count"], one["n"], other["count"], other["n"], level=level)
    ends = ("at_low_threshold", "at_high_threshold")
    at = [one[end] - (other["share"] if own else other[end]) for end in ends]
    low, high = _carried(found.estimate, (found.low, found.high), at, (-1.0, 1.0))
    return {
        "outcome": one["outcome"],
        "condition": one["condition"],
        "reference": other["condition"],
        "n": one["n"],
        "n_reference": other["n"],
        "difference": found.estimate,
        "difference_low": low,
        "difference_high": high,
        "newcombe_low": found.low,
        "newcombe_high": found.high,
        "z": found.z,
        "p_value": found.p_value,
        "note": found.note,
    }


def other_indices(
    scores: Scores,
    people: pd.DataFrame,
    components: VarianceComponents,
    se: float,
    cut: float,
    norm: tuple[float, float] | None,
) -> pd.DataFrame:
    """Return the shares by other definitions of the same index.

    One row per index and condition: `index`, `formula`, `sd`, `reliability`, `se`, `threshold`,
    `condition`, `n`, `improved`, `declined` (shares), `note`. The first index is the one in use;
    only this one gives people with fewer measurements their own threshold.

    References
    ----------
    Jacobson, N. S., & Truax, P. (1991). Journal of Consulting and Clinical Psychology 59, 12-19.
    """
    whole = math.sqrt(components.between + components.within)
    sd, retest = _retest(scores)
    changes = people.loc[people["condition"] == scores.control, "change"]
    spread = float(changes.std(ddof=1)) if len(changes) > 1 else math.nan
    truax = "sd * sqrt(2 (1 - reliability))"
    rows: list[tuple[str, str, float, float, float]] = [
        (IN_USE, "sqrt(variance within * (1/m + 1/k))", whole, components.reliability, se),
        ("Jacobson-Truax, test-retest", truax, sd, retest, _truax(sd, retest)),
        (
            "Jacobson-Truax, random intercept",
            truax,
            whole,
            components.reliability,
            math.sqrt(2 * components.within),
        ),
        (
            "error of one measurement",
            "sd * sqrt(1 - reliability)",
            whole,
            components.reliability,
            math.sqrt(components.within),
        ),
        ("sd of the control's changes", "sd of post - baseline", spread, math.nan, spread),
    ]
    if norm is not None:
        rows.insert(1, ("Jacobson-Truax, given norm", truax, *norm, _truax(*norm)))
    there = people["condition"].to_numpy()
    change, z = (people[name].to_numpy(dtype=float) for name in ("change", "z"))
    made = []
    for name, formula, sd_used, reliability, error in rows:
        known = math.isfinite(error) and error > 0
        # the index in use: each person by the error of their own measurements
        units = z if name == IN_USE else change / (error if known else math.nan)
        words = outcome_of(units, cut)
        for condition in scores.conditions:
            mine = words[there == condition]
            shares = {
                word: float((mine == word).mean()) if known and len(mine) else math.nan
                for word in OUTCOMES[:2]
            }
            made.append(
                {
                    "index": name,
                    "formula": formula,
                    "sd": sd_used,
                    "reliability": reliability,
                    "se": error,
                    "threshold": cut * error,
                    "condition": condition,
                    "n": len(mine),
                    **shares,
                    "note": "" if known and len(mine) else "Cannot be computed from these data.",
                }
            )
    return pd.DataFrame(made)


def _retest(scores: Scores) -> tuple[float, float]:
    """Return the control's sd on the first occasion, and its Pearson r with the first one after."""
    of_control = (scores.people["condition"] == scores.control).to_numpy()
    names = [f"at {scores.baseline[0]}", f"at {scores.post[0]}"]
    wide = scores.people[names].to_numpy(dtype=float)[of_control]
    first = wide[~np.isnan(wide[:, 0]), 0]
    sd = float(first.std(ddof=1)) if len(first) > 1 else math.nan
    both = wide[~np.isnan(wide).any(axis=1)]
    if len(both) < 3 or (np.ptp(both, axis=0) == 0).any():
        return sd, math.nan
    return sd, float(np.corrcoef(both.T)[0, 1])


def _truax(sd: float, reliability: float) -> float:
    """Return the standard error of a difference of two measurements (Jacobson and Truax)."""
    return sd * math.sqrt(2 * (1 - reliability))
