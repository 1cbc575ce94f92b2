"""How often responses of each source are picked as best and as worst, compared with chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from analysis.inference.crossed_errors import Estimate
from analysis.inference.families import SHOWN, adjust
from analysis.inference.proportions import wilson_interval
from analysis.sources.ratings import CLUSTER_WORDS, CLUSTERS, Cluster
from analysis.sources.rows import (
    SourceRows,
    cells_of,
    differences,
    joined,
    line_of,
    names_of,
    pairs_of,
    rows_of,
)
from analysis.tables import columns

MOST, LEAST, NET = "most", "least", "net"
PICKS = (MOST, LEAST, NET)
# A share below this is zero apart from rounding.
_NONE = 1e-9


@dataclass(frozen=True, kw_only=True)
class BestWorstShares:
    """How often each source's responses are picked.

    Attributes
    ----------
    shares : DataFrame
        `source, picked, estimate, se, df, low, high, chance, p, p_adjusted, n, raters, items,
        note`. `picked` is 'most' or 'least', for the share of a source's showings with that pick,
        or 'net', for most minus least. `chance` is the share that random picking gives (1 /
        options, averaged over the showings; 0 for 'net'), and `p` tests it. n counts showings.
    contrasts : DataFrame
        `picked, contrast, source, reference, estimate, se, df, low, high, p, p_adjusted, n,
        raters, items, note`: the source's share minus the reference's.
    n_trials, n_raters, n_items : int
    cluster, correction : str
    level : float
    method, unit : str
    """

    shares: pd.DataFrame
    contrasts: pd.DataFrame
    n_trials: int
    n_raters: int
    n_items: int
    cluster: str
    correction: str
    level: float
    method: str
    unit: str = "proportion"

    def to_frame(self) -> pd.DataFrame:
        """Return the shares, one row per source and kind of pick."""
        return self.shares.copy()


def best_worst_shares(
    trials: pd.DataFrame,
    items: pd.DataFrame,
    *,
    source: str = "source",
    reference: str | None = None,
    item_cluster: str = "item_id",
    cluster: Cluster = "rater_and_item",
    correction: str = "holm",
    level: float = 0.95,
) -> BestWorstShares:
    """Compare how often the responses of several sources are picked as best and as worst.

    Parameters
    ----------
    trials : DataFrame
        `trial_id`, `rater_id`, `item_id`, `picked`: one row per option of a trial; `picked` is
        'most' on one row of a trial, 'least' on another, and empty on the others.
    items : DataFrame
        `item_id`, unique, and the columns named below.
    source, reference, item_cluster, cluster
        As in `analysis.sources.ratings.source_ratings`.
    correction : str
        As in `families.adjust`; the tests against chance are one family (every source, most and
        least), the contrasts of each kind of pick another.
    level : float

    Returns
    -------
    BestWorstShares

    Raises
    ------
    RatifyError
        On missing columns, a trial without exactly one most and one least on different options or
        with two raters, shown items that the items table lacks or that have no source, and fewer
        than two sources.

    Notes
    -----
    Errors of shares: see `crossed_errors.crossed_ols`. The interval of a share is Wilson's for the
    number of independent picks that would vary as much (Korn and Graubard 1998, Survey Methodology
    24, 193-201), with the quantile of t; its test of chance is the score test with that number. For
    a source picked always or never, that number is one pick per rater (or per item, where these
    are fewer). Shares of most sum to 1 over the options of a trial: one source's gain is the
    others' loss, and the contrasts allow for this.
    """
    columns.one_of("cluster", cluster, CLUSTERS)
    columns.proportion("level", level)
    picked, options = _checked(trials)
    rated = trials.assign(value=1.0, dimension=MOST)
    table, _ = joined(rated, items, source, None, item_cluster)
    names = tuple(sorted(table["source"].unique()))
    pairs = pairs_of(names, reference, source)
    rows = rows_of(table, names, pd.DataFrame(index=table.index))
    outcomes = {MOST: (picked == MOST) * 1.0, LEAST: (picked == LEAST) * 1.0}
    outcomes[NET] = outcomes[MOST] - outcomes[LEAST]
    shares: list[dict[str, Any]] = []
    contrasts: list[dict[str, Any]] = []
    for name in PICKS:
        chosen = rows.with_outcome(outcomes[name])
        found = _fitted(chosen, pairs, cluster, level)
        for at, of in enumerate(names):
            mine = chosen.where(chosen.source == at)
            chance = 0.0 if name == NET else float((1 / options[chosen.source == at]).mean())
            each = found[at] if name == NET else _share(found[at], mine, chance, cluster, level)
            shares.append({"source": of, "picked": name, "chance": chance, **line_of(each, mine)})
        for pair, each in zip(pairs, found[len(names) :], strict=True):
            both = chosen.where(np.isin(chosen.source, pair))
            line = {"picked": name, **names_of(*(names[at] for at in pair))}
            contrasts.append({**line, **line_of(each, both)})
    return BestWorstShares(
        shares=_tested(shares, correction, chance=True),
        contrasts=_tested(contrasts, correction, chance=False),
        n_trials=trials["trial_id"].nunique(),
        n_raters=table["rater"].nunique(),
        n_items=table["item_id"].nunique(),
        cluster=cluster,
        correction=correction,
        level=level,
        method=f"share of showings, {CLUSTER_WORDS[cluster]}, Wilson's interval for the effective "
        f"number of picks; {SHOWN[correction]}",
    )


def _checked(trials: pd.DataFrame) -> tuple[Any, Any]:
    """Return the pick of each row, and the number of options in its trial."""
    columns.require_columns(trials, "trial_id", "rater_id", "item_id", "picked")
    columns.require_rows(trials, "best-worst answers")
    trial = columns.text_ids(trials, "trial_id")
    picked = trials["picked"].mask(columns.missing(trials["picked"]), "").astype(str)
    columns.refuse(
        trials,
        "picked",
        ~picked.isin(["", MOST, LEAST]),
        "is not a pick",
        allowed="most, least or empty",
    )
    for word in (MOST, LEAST):
        times = picked.eq(word).groupby(trial.to_numpy()).transform("sum")
        columns.refuse(
            trials,
            "trial_id",
            times != 1,
            f"has not exactly one option picked as {word}",
            allowed="trials with one most and one least",
        )
    raters = trials.groupby(trial.to_numpy())["rater_id"].transform("nunique")
    columns.refuse(
        trials, "trial_id", raters != 1, "has several raters", allowed="one rater per trial"
    )
    options = trial.groupby(trial.to_numpy()).transform("size")
    return picked.to_numpy(), options.to_numpy(float)


def _fitted(
    rows: SourceRows, pairs: list[tuple[int, int]], cluster: str, level: float
) -> list[Estimate]:
    """Return the mean of each source, followed by each contrast."""
    X, present = cells_of(rows)
    wanted = np.vstack([np.eye(len(present)), differences(pairs, present, len(present))])
    return rows.fit(X, cluster).estimates(wanted, level=level)


def _share(
    found: Estimate, rows: SourceRows, chance: float, cluster: str, level: float
) -> Estimate:
    """Return a share with the interval and the test of an effective number of picks."""
    share = min(1.0, max(0.0, found.estimate))
    fewest = min(
        len(np.unique(rows.rater)) if cluster != "item" else len(rows.y),
        len(np.unique(rows.item)) if cluster != "rater" else len(rows.y),
    )
    if min(share, 1 - share) < _NONE:
        share = float(round(share))
        effective, df, note = float(fewest), float(max(fewest - 1, 1)), "picked always or never"
    elif math.isnan(found.se):
        return found
    else:
        effective, df, note = share * (1 - share) / found.se**2, found.df, found.note
    quantile = float(student.ppf((1 + level) / 2, df))
    level = 2 * float(norm.cdf(quantile)) - 1
    low, high = wilson_interval(share * effective, effective, level=level)
    far = abs(share - chance) / math.sqrt(chance * (1 - chance) / effective)
    return Estimate(
        estimate=share,
        se=found.se,
        df=df,
        low=low,
        high=high,
        p_value=2 * float(student.sf(far, df)),
        note=note,
    )


def _tested(lines: list[dict[str, Any]], correction: str, *, chance: bool) -> pd.DataFrame:
    """Return the table with p values corrected within their families."""
    frame = pd.DataFrame(lines)
    keys = frame["picked"].where((frame["picked"] == NET) | (not chance), MOST)
    corrected = pd.Series(np.nan, index=frame.index)
    for _, part in frame.groupby(keys):
        corrected[part.index] = adjust(part["p"].to_numpy(float), correction)
    frame.insert(list(frame.columns).index("p") + 1, "p_adjusted", corrected)
    return frame
