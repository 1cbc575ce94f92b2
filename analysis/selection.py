"""Do people choose what the judge scored higher: trials with gaps, rates by gap, same choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis import columns
from analysis.paircounts import BoolArray, FloatArray, IntArray
from prereg.errors import RatifyError
from prereg.plan import bin_name

OUTSIDE = "outside the bins"


@dataclass(frozen=True, kw_only=True)
class Trials:
    """People's trials beside a judge's scores.

    Attributes
    ----------
    frame : DataFrame
        The judgments' rows and columns, and: `gap` (absolute difference of the score),
        `select_higher` (1 where the higher-scored side was chosen, 0 the other, missing at gap 0),
        `select_match` (1 where the judge's own preferred side was chosen, missing at equal
        preference), and `diff_NAME` for each dimension: higher-scored minus lower-scored side
        by the score, missing at gap 0.
    n : int
        Trials.
    n_no_gap : int
        Trials at gap 0: no side is higher, `select_higher` is missing.
    n_no_preference : int
        Trials with equal preference: `select_match` is missing.
    """

    frame: pd.DataFrame = field(repr=False)
    n: int
    n_no_gap: int
    n_unscored: int
    n_no_preference: int

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def trials_with_gap(
    judgments: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    score: str = "overall",
    preference: str | None = "elo",
    dimensions: Sequence[str] = (),
) -> Trials:
    """Set each trial beside the judge's scores of its two items.

    Parameters
    ----------
    judgments : DataFrame
        Tidy judgments of people: `left_id`, `right_id`, `choice`. Leave attention checks out.
    scores : DataFrame
        `item_id` (each once), `score`, `preference` and the dimensions.
    score : str
        Column that gap and `select_higher` compare.
    preference : str or None
        Column by which the judge prefers a side, for `select_match`; None leaves it missing.
    dimensions : sequence of str
        Columns whose differences are wanted.

    Returns
    -------
    Trials

    Raises
    ------
    RatifyError
        On missing columns, an unknown choice, an item twice in `scores`, and an item of a trial
        without a row there.

    Notes
    -----
    Differences are higher minus lower: left minus right would carry no sign about agreement.
    """
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    wanted = [score, *([preference] if preference else []), *dimensions]
    columns.require_columns(scores, "item_id", *wanted)
    left_chosen = columns.left_chosen(judgments)
    left, right = _sides(judgments, scores, wanted)
    ahead = np.sign(left[score] - right[score])
    frame = judgments.reset_index(drop=True).assign(
        gap=np.abs(left[score] - right[score]), select_higher=_agrees(ahead, left_chosen)
    )
    preferred = np.zeros(len(frame))
    if preference:
        preferred = np.sign(left[preference] - right[preference])
    frame["select_match"] = _agrees(preferred, left_chosen)
    for name in dimensions:
        difference = ahead * (left[name] - right[name])
        frame[f"diff_{name}"] = np.where(ahead == 0, np.nan, difference)
    return Trials(
        frame=frame,
        n=len(frame),
        n_no_gap=int((ahead == 0).sum()),
        n_unscored=int(np.isnan(ahead).sum()),
        n_no_preference=int((preferred == 0).sum()),
    )


def _sides(
    judgments: pd.DataFrame, scores: pd.DataFrame, wanted: list[str]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return the wanted scores of the left and of the right items, by column."""
    ids = columns.text_ids(scores, "item_id")
    columns.refuse(
        scores, "item_id", ids.duplicated(), "appears twice", allowed="one row for each item"
    )
    index = pd.Index(ids)
    values = {name: columns.numbers(scores, name) for name in dict.fromkeys(wanted)}
    sides: list[dict[str, FloatArray]] = []
    for column in ("left_id", "right_id"):
        place = index.get_indexer(pd.Index(columns.text_ids(judgments, column)))
        columns.refuse(
            judgments, column, place < 0, "has no row among the scores",
            allowed="an item_id of the scores",
        )  # fmt: skip
        sides.append({name: known[place] for name, known in values.items()})
    return sides[0], sides[1]


def _agrees(ahead: FloatArray, left_chosen: BoolArray) -> FloatArray:
    """Return 1 where the choice is the side ahead, 0 where not, NaN where none is known to be."""
    nobody = (ahead == 0) | np.isnan(ahead)
    return np.where(nobody, np.nan, ((ahead > 0) == left_chosen).astype(float))


def selection_by_gap(
    trials: pd.DataFrame,
    *,
    bins: Sequence[tuple[float, float]],
    outcome: str = "select_higher",
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how often people chose the higher-scored side, by size of the gap.

    Parameters
    ----------
    trials : DataFrame
        `gap` and the outcome (0, 1 or missing), as in `Trials.frame`.
    bins : sequence of (low, high)
        Both ends included, an end that two bins share belongs to the lower; `high` may be
        infinite.
    outcome : str
    level : float

    Returns
    -------
    DataFrame
        `bin`, `gap_low`, `gap_high`, `n`, `chosen`, `rate`, `low`, `high`: Wilson intervals, which
        treat trials as independent. An empty bin stays, its rate missing. Trials with an outcome
        whose gap lies in no bin get a last row of their own, `gap_low` and `gap_high` missing.

    Raises
    ------
    RatifyError
        On missing columns, no bins, or bins that overlap or fall.

    References
    ----------
    Wilson, E. B. (1927). Journal of the American Statistical Association 22, 209-212.
    """
    columns.require_columns(trials, "gap", outcome)
    columns.proportion("level", level)
    _check_bins(bins)
    gap, chosen = columns.numbers(trials, "gap"), columns.numbers(trials, outcome)
    counted = ~np.isnan(chosen) & ~np.isnan(gap)
    rows, seen = [], np.zeros(len(gap), dtype=bool)
    for low, high in bins:
        inside = counted & ~seen & (gap >= low) & (gap <= high)
        seen |= inside
        rows.append((bin_name(low, high), low, high, inside.sum(), chosen[inside].sum()))
    left_over = counted & ~seen
    if left_over.any():
        rows.append((OUTSIDE, math.nan, math.nan, left_over.sum(), chosen[left_over].sum()))
    table = pd.DataFrame(rows, columns=["bin", "gap_low", "gap_high", "n", "chosen"])
    table = table.astype({"gap_low": float, "gap_high": float, "n": int, "chosen": int})
    return table.join(_wilson(table["chosen"].to_numpy(), table["n"].to_numpy(), level))


def _check_bins(bins: Sequence[tuple[float, float]]) -> None:
    if not bins:
        raise RatifyError("there are no bins", allowed="pairs (low, high)")
    edges = [edge for pair in bins for edge in pair]
    rising = all(low <= high for low, high in bins)
    apart = edges == sorted(edges)
    if any(math.isnan(edge) for edge in edges) or not (rising and apart):
        raise RatifyError(
            "bins are out of order", value=list(bins), allowed="rising pairs that do not overlap"
        )


def _wilson(chosen: IntArray, n: IntArray, level: float) -> pd.DataFrame:
    from statsmodels.stats.proportion import proportion_confint

    table = pd.DataFrame(np.nan, index=range(len(n)), columns=["rate", "low", "high"])
    some = n > 0
    if some.any():
        low, high = proportion_confint(chosen[some], n[some], alpha=1 - level, method="wilson")
        table.loc[some] = np.column_stack([chosen[some] / n[some], low, high])
    return table


@dataclass(frozen=True, kw_only=True)
class ChoiceAgreement:
    """How often a judge chooses what people choose on the same trials.

    Attributes
    ----------
    estimate, se, low, high : float
        Proportion of people's choices that equal the judge's, errors clustered by rater, t
        quantile with clusters - 1 degrees of freedom.
    kappa, kappa_se, kappa_low, kappa_high : float
        Cohen's kappa of the choice of left or right, clustered alike; NaN where one side was always
        chosen by both.
    n, n_clusters : int
        People's choices compared, and who made them.
    n_reversed : int
        Of these, choices compared with the judge's answer to the same pair the other way round,
        because it was never asked this way round.
    n_unmatched : int
        People's choices on pairs the judge never answered: left out.
    n_undecided : int
        People's choices where the judge's repeated answers split evenly: left out.
    level : float
    method : str
    """

    estimate: float
    se: float
    low: float
    high: float
    kappa: float
    kappa_se: float
    kappa_low: float
    kappa_high: float
    n: int
    n_clusters: int
    n_reversed: int
    n_unmatched: int
    n_undecided: int
    level: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return two rows, agreement and kappa: `name`, `estimate`, `se`, `low`, `high`, `n`."""
        return pd.DataFrame(
            {
                "name": ["agreement", "kappa"],
                "estimate": [self.estimate, self.kappa],
                "se": [self.se, self.kappa_se],
                "low": [self.low, self.kappa_low],
                "high": [self.high, self.kappa_high],
                "n": self.n,
            }
        )


def choice_agreement(
    people: pd.DataFrame,
    judge: pd.DataFrame,
    *,
    cluster: str = "rater_id",
    level: float = 0.95,
) -> ChoiceAgreement:
    """Compare people's choices with a judge's answers to the same trials.

    Parameters
    ----------
    people : DataFrame
        Tidy judgments of people: `left_id`, `right_id`, `choice`, `scenario` if there is one, and
        the cluster.
    judge : DataFrame
        Tidy judgments of one judge; several answers to a trial count by majority.
    cluster : str
        Column of `people` whose choices may depend on each other.
    level : float

    Returns
    -------
    ChoiceAgreement

    Raises
    ------
    RatifyError
        On missing columns, an unknown choice, or no trial in common.

    Notes
    -----
    A trial is matched as the person saw it, item by item and side by side; only where the judge was
    never asked that way round does its answer to the same pair the other way round stand in.
    The kappa error is the linearised (influence function) one, summed by cluster.
    """
    columns.require_columns(people, cluster)
    columns.proportion("level", level)
    answers = _majority(judge)
    trials, chosen_left = _keys(people)
    same = answers.reindex(trials).to_numpy()
    other = answers.reindex(trials.reorder_levels([0, 2, 1])).to_numpy()
    turned = np.isnan(same) & ~np.isnan(other)
    share = np.where(turned, 1 - other, same)
    unmatched, undecided = np.isnan(share), share == 0.5
    kept = ~unmatched & ~undecided
    if not kept.any():
        raise RatifyError(
            "the judge decided none of people's trials", allowed="judgments of the same pairs"
        )
    columns.require_filled(people, cluster)
    codes, names = pd.factorize(people[cluster].to_numpy()[kept])
    x, y = chosen_left[kept].astype(float), (share[kept] > 0.5).astype(float)
    agree, pull, kappa, kappa_pull = _agreement_and_kappa(x, y)
    se, low, high = _clustered(agree, pull, codes, len(names), level, link=Link.PROPORTION)
    kappa_se, kappa_low, kappa_high = _clustered(
        kappa, kappa_pull, codes, len(names), level, link=Link.KAPPA
    )
    return ChoiceAgreement(
        estimate=agree, se=se, low=low, high=high,
        kappa=kappa, kappa_se=kappa_se, kappa_low=kappa_low, kappa_high=kappa_high,
        n=int(kept.sum()), n_clusters=len(names), n_reversed=int((turned & kept).sum()),
        n_unmatched=int(unmatched.sum()), n_undecided=int(undecided.sum()),
        level=level, method=f"proportion of equal choices, errors clustered by {cluster}, "
        "t interval on the logit scale",
    )  # fmt: skip


def _keys(judgments: pd.DataFrame) -> tuple[pd.MultiIndex, BoolArray]:
    """Return (scenario, left_id, right_id) of every trial, and where left was chosen."""
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    scenario = pd.Series("", index=judgments.index)
    if "scenario" in judgments.columns:
        scenario = judgments["scenario"].astype(object).where(judgments["scenario"].notna(), "")
    ids = [columns.text_ids(judgments, name).astype(object) for name in ("left_id", "right_id")]
    return pd.MultiIndex.from_arrays([scenario, *ids]), columns.left_chosen(judgments)


def _majority(judge: pd.DataFrame) -> pd.Series[float]:
    """Return for every trial the share of the judge's answers that chose left."""
    trials, chosen_left = _keys(judge)
    return pd.Series(chosen_left.astype(float), index=trials).groupby(level=[0, 1, 2]).mean()


def _agreement_and_kappa(
    x: FloatArray, y: FloatArray
) -> tuple[float, FloatArray, float, FloatArray]:
    """Return agreement and kappa, each with what every choice adds to it (its influence)."""
    same = (x == y).astype(float)
    agree, p, q = float(same.mean()), float(x.mean()), float(y.mean())
    chance = p * q + (1 - p) * (1 - q)
    if chance >= 1:
        return agree, same - agree, math.nan, np.full(len(x), math.nan)
    kappa = (agree - chance) / (1 - chance)
    moved = (2 * q - 1) * (x - p) + (2 * p - 1) * (y - q)
    pull = (same - agree) / (1 - chance) - (1 - agree) / (1 - chance) ** 2 * moved
    return agree, same - agree, kappa, pull


def _clustered(
    estimate: float, pull: FloatArray, codes: IntArray, n_clusters: int, level: float, *, link: Link
) -> tuple[float, float, float]:
    """Return standard error and interval of a mean of influences, summed by cluster.

    The interval is symmetric on the scale of the link, so that it stays where the number can be;
    at an end of that scale there is none.
    """
    if n_clusters < 2 or math.isnan(estimate):
        return math.nan, math.nan, math.nan
    sums = np.bincount(codes, pull, n_clusters)
    se = math.sqrt(n_clusters / (n_clusters - 1) * float(sums @ sums)) / len(pull)
    if se == 0 or not link.low < estimate < 1:
        return se, math.nan, math.nan
    # both links are atanh of the number stretched to -1..1; their slopes differ by that stretch
    stretch = 2 / (1 - link.low)
    at = 1 - stretch * (1 - estimate)
    half = float(student.ppf((1 + level) / 2, n_clusters - 1)) * se * stretch / (1 - at**2)
    ends = (math.tanh(math.atanh(at) + side * half) for side in (-1, 1))
    low, high = (1 - (1 - end) / stretch for end in ends)
    return se, low, high


class Link(Enum):
    """Where a number can be: its lower end; the upper one is 1."""

    PROPORTION = 0.0
    KAPPA = -1.0

    @property
    def low(self) -> float:
        """Lower end of the scale."""
        return float(self.value)
