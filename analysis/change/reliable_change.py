"""Reliable change: who changed by more than measurement error would explain.

A person's change counts where it exceeds the change that the control group's measurement error
explains. `variance_components` is imported here too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from analysis.change.diagnosis import cautions, diagnosis
from analysis.change.scores import Scores, occasion_drift, read_scores
from analysis.change.shares import differences, other_indices, outcome_of, shares_by_condition
from analysis.change.variance_components import VarianceComponents, variance_components
from analysis.tables import columns
from prereg.errors import RatifyError

__all__ = ["ReliableChange", "VarianceComponents", "reliable_change", "variance_components"]

PAIRS = ("control", "all")
BETTER = ("higher", "lower")


@dataclass(frozen=True, kw_only=True)
class ReliableChange:
    """Who improved and who declined by more than measurement error explains.

    Attributes
    ----------
    components : VarianceComponents
        Of the control group.
    people : DataFrame
        One row per person compared: `person_id`, `condition`, `m`, `k` (measurements
        before and after), `baseline`, `post`, `change` (points), `se`, `z`, `outcome`.
    thresholds : DataFrame
        One row per pair of `m` and `k`, the full design first: `people`, `se`, and `threshold`
        with `threshold_low`, `threshold_high` (points).
    shares : DataFrame
        One row per condition and outcome; columns: see `analysis.change.shares`.
    differences : DataFrame
        One row per outcome and pair of conditions: `difference` with its interval, `z`,
        `p_value`, `adjusted_p`.
    indices : DataFrame
        The same shares by other definitions of the index, including Jacobson and Truax's.
    diagnosis : DataFrame
        One row per assumption about the control's measurements: see `analysis.change.diagnosis`.
    flow : DataFrame
        One row per condition: how many people came, were compared, lack a before or an after.
    conditions : tuple of str
        The control first.
    baseline_rounds, post_rounds : tuple of str
    cut, level : float
        The cut in use: with `student` the t quantile.
    better : {'higher', 'lower'}
        The direction that counts as improved.
    correction, method : str
    left_out : int
        People of conditions that are not reported.
    cautions : tuple of str
        A sentence for each assumption that fails where it matters.
    notes : tuple of str
    """

    components: VarianceComponents
    people: pd.DataFrame = field(repr=False)
    thresholds: pd.DataFrame = field(repr=False)
    shares: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)
    indices: pd.DataFrame = field(repr=False)
    diagnosis: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame = field(repr=False)
    conditions: tuple[str, ...]
    baseline_rounds: tuple[str, ...]
    post_rounds: tuple[str, ...]
    cut: float
    level: float
    better: str
    correction: str
    method: str
    left_out: int
    cautions: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def control(self) -> str:
        """The condition whose measurements give the measurement error."""
        return self.conditions[0]

    @property
    def se(self) -> float:
        """Standard error of the change of a person with every measurement, in points."""
        return float(self.thresholds["se"].iloc[0])

    @property
    def threshold(self) -> tuple[float, float, float]:
        """Threshold of change for a person with every measurement: estimate and interval."""
        row = self.thresholds.iloc[0]
        return tuple(  # type: ignore[return-value]
            float(row[name]) for name in ("threshold", "threshold_low", "threshold_high")
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per condition and outcome, with its method and unit."""
        return self.shares.assign(method=self.method, unit="proportion of people")


def reliable_change(
    data: pd.DataFrame,
    *,
    value: str,
    baseline_rounds: Sequence[object],
    post_rounds: Sequence[object] | None = None,
    control: str = "control",
    conditions: Sequence[str] | None = None,
    person: str = "person_id",
    occasion: str = "round",
    condition: str = "condition",
    cut: float = 1.96,
    student: bool = False,
    occasion_means: bool = False,
    pairs: str = "control",
    correction: str = "none",
    norm: tuple[float, float] | None = None,
    better: str = "higher",
    threshold_interval: str = "normal",
    rng: np.random.Generator | None = None,
    resamples: int = 1999,
    level: float = 0.95,
) -> ReliableChange:
    """Find who changed by more than the control group's measurement error explains.

    A person's change is the mean of the k measurements after minus the mean of the m before. Its
    standard error is sqrt(variance within people * (1/m + 1/k)), with the variance from a
    random-intercept model of the control group. Improved: change / error >= cut; declined:
    <= -cut; where lower is better, the other way round. If a person lacks a measurement, m and k
    count only those that exist.

    Parameters
    ----------
    data : DataFrame
        One row per person and occasion. A missing value is a missed measurement.
    value, person, occasion, condition : str
        Names of the columns: the score, who, when, and under which condition.
    baseline_rounds, post_rounds : sequence
        Occasions before and after; by default all others come after.
    control : str
        The condition in which nothing should have changed.
    conditions : sequence of str, optional
        Conditions to report, in this order; by default all. People of others are only counted.
    cut : float
        Threshold of z; 1.96 flags 2.5% of unchanged people on each side.
    student : bool
        Whether to allow for the error being estimated: the cut becomes the t quantile of the same
        probability. The default is False, as published.
    occasion_means : bool
        Whether each occasion has its own mean in the model; change is then measured from the
        control's mean change (practice: Chelune et al. 1993), assumed to be known. By default
        there is one mean, and a drift of the control adds to the variance within people.
    pairs : {'control', 'all'}
        Which conditions are compared with each other.
    correction : str
        As in `analysis.inference.families.adjust`; over the pairs, within one outcome.
    norm : (sd, reliability), optional
        From another study, for one more row of Jacobson and Truax's index.
    better : {'higher', 'lower'}
        Which scores are better.
    threshold_interval : {'normal', 'bootstrap'}
        The chi-square interval, or the bootstrap over people, which needs `rng`.
    rng : Generator, optional
    resamples : int
        Of the bootstrap.
    level : float

    Returns
    -------
    ReliableChange
        The threshold's chi-square interval is exact for normal measurements of equal variance
        within people. It covers .74 of .95 with exponential errors, .70 with t4 errors, and .83
        where people's variances differ (gamma of shape 2); the bootstrap covers .93 to .96 in all
        of them (245 people x 3). `diagnosis` says which case the data are.
        A share's interval includes this uncertainty: the distances of Wilson's limits and of the
        shares at the ends of the threshold's interval are added as squares (Zou and Donner 2008).
        Wilson's alone covers .89 at a nominal .95 where a treated group lies near the threshold
        (245 people per condition); this covers .95, and .98 where few people changed.
        The control sets its own threshold, so the two errors are not independent: Wilson's
        interval is taken at the variance of both together (see `analysis.change.shares`).
        Differences: Newcombe's interval, with the same allowance, and the pooled z test.

    Raises
    ------
    RatifyError
        On a wrong table or argument, and where the control group gives no variance within
        people: nobody was measured twice, or nobody's measurements differ.

    Notes
    -----
    Without `student` an estimated error is treated as known. With 245 people in the control it
    makes no difference; with 20, 5.8% of unchanged people are flagged instead of 5%, with
    `student` 5%. With an autocorrelation of .5 between neighbouring occasions 6.7% are flagged; no
    interval of the threshold repairs this, and `diagnosis` shows it. Change is not an effect: the
    effect is the difference from the control's share.

    References
    ----------
    Jacobson, N. S., & Truax, P. (1991). Journal of Consulting and Clinical Psychology 59, 12-19.
    Chelune, G. J., et al. (1993). Neuropsychology 7, 41-52.
    Zou, G. Y., & Donner, A. (2008). Statistics in Medicine 27, 1693-1702.
    """
    _check_settings(cut, pairs, norm, level)
    columns.one_of("better", better, BETTER)
    scores = read_scores(
        data,
        value=value,
        person=person,
        occasion=occasion,
        condition=condition,
        control=control,
        baseline=baseline_rounds,
        post=post_rounds,
        conditions=conditions,
    )
    components = variance_components(
        scores.control_rows,
        value="value",
        occasion="occasion",
        occasion_means=occasion_means,
        interval=threshold_interval,
        rng=rng,
        resamples=resamples,
        level=level,
    )
    method = f"reliable change index, |z| >= {cut:g}; {components.method} on {control}"
    if student:
        cut = float(stats.t.ppf(stats.norm.cdf(cut), components.df))
        method += f"; the cut by t with {components.df} degrees of freedom: {cut:.3f}"
    sign = 1 if better == "higher" else -1
    people = _compared(scores, components, sign * cut, occasion_means=occasion_means)
    thresholds = _thresholds(scores, people, components, cut)
    full = thresholds.iloc[0]
    scale = (
        float(full["threshold_low"] / full["threshold"]),
        float(full["threshold_high"] / full["threshold"]),
    )
    own = dict(zip(components.sums.names, components.sums.log_influence(), strict=True))
    shares = shares_by_condition(people, scores.conditions, sign * cut, scale, level, own=own)
    flow = scores.flow()
    assumed = diagnosis(scores, components, people, level=level)
    said = cautions(assumed, cut=cut, bootstrap=threshold_interval == "bootstrap")
    return ReliableChange(
        components=components,
        people=people,
        thresholds=thresholds,
        shares=shares,
        differences=differences(shares, scores.conditions, pairs, correction, level),
        indices=other_indices(scores, people, components, float(full["se"]), sign * cut, norm),
        diagnosis=assumed,
        flow=flow,
        conditions=scores.conditions,
        baseline_rounds=scores.baseline,
        post_rounds=scores.post,
        cut=cut,
        level=level,
        better=better,
        correction=correction,
        method=method,
        left_out=scores.left_out,
        cautions=tuple(said),
        notes=(*components.notes, *_lost(flow)),
    )


def _check_settings(cut: float, pairs: str, norm: tuple[float, float] | None, level: float) -> None:
    columns.proportion("level", level)
    columns.one_of("pairs", pairs, PAIRS)
    if not (math.isfinite(cut) and cut > 0):
        raise RatifyError("is out of range", column="cut", value=cut, allowed="above 0")
    if norm is not None and not (norm[0] > 0 and 0 <= norm[1] < 1):
        raise RatifyError(
            "is not a standard deviation with a reliability",
            column="norm",
            value=norm,
            allowed="an sd above 0 and a reliability from 0 to below 1",
        )


def _compared(
    scores: Scores, components: VarianceComponents, cut: float, *, occasion_means: bool
) -> pd.DataFrame:
    """Return the people who have a before and an after, with change, error, z and outcome."""
    people = scores.people
    change = people["post"] - people["baseline"]
    if occasion_means:
        change = change - occasion_drift(scores, components.means)
    whole = people.assign(change=change).dropna(subset=["change"])
    se = (components.within * (1 / whole["m"] + 1 / whole["k"])) ** 0.5
    z = whole["change"] / se
    named = ["person_id", "condition", "m", "k", "baseline", "post", "change"]
    return (
        whole[named]
        .assign(se=se, z=z, outcome=outcome_of(z.to_numpy(), cut))
        .reset_index(drop=True)
    )


def _thresholds(
    scores: Scores, people: pd.DataFrame, components: VarianceComponents, cut: float
) -> pd.DataFrame:
    """Return the threshold for each pair of numbers of measurements, the full design first."""
    full = (len(scores.baseline), len(scores.post))
    met = Counter(zip(people["m"].tolist(), people["k"].tolist(), strict=True))
    rows = []
    for m, k in [full, *sorted((pair for pair in met if pair != full), reverse=True)]:
        part = 1 / m + 1 / k
        low, high = components.within_interval
        rows.append(
            {
                "m": m,
                "k": k,
                "people": met[m, k],
                "se": math.sqrt(components.within * part),
                "threshold": cut * math.sqrt(components.within * part),
                "threshold_low": cut * math.sqrt(low * part),
                "threshold_high": cut * math.sqrt(high * part),
            }
        )
    return pd.DataFrame(rows)


def _lost(flow: pd.DataFrame) -> list[str]:
    """Return a sentence if some people could not be compared."""
    lost = int((flow["people"] - flow["compared"]).sum())
    if not lost:
        return []
    return [
        f"{lost} of {int(flow['people'].sum())} people lack a measurement before or after and are "
        "not compared."
    ]
