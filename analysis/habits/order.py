"""Habits that a judge's choices show: the first text, one letter, and how steady it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from analysis.habits.answers import (
    HALF,
    ORIGINAL,
    REPEAT,
    SWAP,
    WORDING,
    asked_both_ways,
    item_probes,
    pair_probes,
)
from analysis.habits.first_odds import first_odds
from analysis.habits.measure import Habit, Measure
from analysis.inference.paired import (
    clustered_share,
    coin_p,
    exchange_p,
    mean_difference,
    paired_difference,
)
from analysis.inference.proportions import wilson_interval
from analysis.inference.trial_errors import PAIRS_AND_ITEMS, share_over_pairs

PAIRS = "pairs asked both ways round"
SAME_AGAIN = "Wilson's interval, effective number of answers by item"
SIDES = ["left_id", "right_id"]


def position(asked: pd.DataFrame, *, judge: str) -> Habit:
    """Return whether a judge favours the first text, from pairs asked both ways round.

    Parameters
    ----------
    asked : DataFrame
        The judge's answers, each question once; see `answers.questions`.
    judge : str

    Returns
    -------
    Habit
        `first`: the share of choices of the first text (tested against one half); `first_odds`:
        the factor on the odds for being first; `consistency`: how often the same item was chosen
        both times, which has no honest value, because near ties turn by chance.

    Notes
    -----
    A judge without the habit is as likely to choose the first both times as the second both times,
    whatever the items. So only pairs whose choice moved count, split like a coin (McNemar 1947). In
    a logistic model with a factor b on the odds for being first, the split has odds b squared,
    whatever the items' difference (conditional likelihood, Rasch 1960), so b is their root. Pairs
    with a tie in either order are in the consistency only.
    """
    turned = asked_both_ways(asked)
    same, decided = turned.same_item, turned.decided
    n, tied = int(decided.sum()), int((~decided).sum())
    both_first = int((decided & (turned.first == 1) & (turned.second == 1)).sum())
    moved = int((decided & ~same).sum())
    common: dict[str, Any] = {"judge": judge, "n": n, "unit_of_n": PAIRS}
    note = "" if n + tied else "No pair was asked both ways round."
    about_ties = (
        f"{tied:,} pairs with a tie in at least one order are left out; they count in the "
        "consistency, where a tie both times is the same answer."
        if tied
        else ""
    )
    away = paired_difference(both_first, moved - both_first, n)
    steady = share_over_pairs(same.astype(float), turned.pairs)
    return Habit(
        judge,
        "first",
        (
            Measure(
                habit="first",
                what="first",
                label=f"{judge} chooses the first text",
                estimate=0.5 + away.estimate / 2,
                low=0.5 + away.low / 2,
                high=0.5 + away.high / 2,
                honest=0.5,
                p_value=coin_p(both_first, moved) if n else math.nan,
                method="share of both answers to a pair; Tango's interval, exact McNemar test",
                unit="proportion",
                note=note or about_ties,
                accuses=True,
                **common,
            ),
            first_odds(both_first, moved, common, note),
            Measure(
                habit="steady",
                what="consistency",
                label=f"{judge} chooses the same item with the sides exchanged",
                estimate=steady.estimate,
                low=steady.low,
                high=steady.high,
                method=f"share of pairs; {PAIRS_AND_ITEMS}",
                unit="proportion",
                note=note,
                **{**common, "n": n + tied},
            ),
        ),
    )


def letter(asked: pd.DataFrame, *, judge: str) -> Habit:
    """Return whether a judge favours one letter, from the trials as people saw them.

    Parameters
    ----------
    asked, judge
        As in `position`; questions with the sides exchanged do not count.

    Returns
    -------
    Habit
        `letter`: share of A among its answers, each question once, tested against one half.

    Notes
    -----
    One half is the honest value because the plan of a study balances sides: each item is on the
    left as often as on the right, give or take one. It is not if the better text tends to be on the
    left, in a table from elsewhere. An honest judge's share varies less than a fair coin there, so
    the test errs on its side.
    """
    left = asked.loc[~asked["turned"].astype(bool), "left"].to_numpy(dtype=np.float64)
    tied = int((left == HALF).sum())
    n, a = len(left) - tied, int((left == 1).sum())
    share = a / n if n else math.nan
    low, high = wilson_interval(a, n)
    note = f"{tied:,} ties are left out." if tied else "" if n else "It answered no trial."
    if n > 1 and a in {0, n}:
        note = f"Every single answer is {'A' if a else 'B'}.{' ' * bool(tied)}{note}"
    return Habit(
        judge,
        "letter",
        (
            Measure(
                judge=judge,
                habit="letter",
                what="letter",
                label=f"{judge} answers A",
                estimate=share,
                low=low,
                high=high,
                honest=0.5,
                p_value=coin_p(a, n) if n else math.nan,
                n=n,
                unit_of_n="questions",
                method="share of questions; Wilson's interval, exact binomial test; sides are "
                "taken as balanced",
                unit="proportion",
                note=note,
                accuses=True,
            ),
        ),
    )


def repeatability(probes: pd.DataFrame, *, judge: str) -> Habit:
    """Return how often a judge gives the same answer when it is asked the same again.

    Returns
    -------
    Habit
        `repeat`: share of repetitions that choose what the first answer chose; `noise`: the share
        of answers that chance reverses, (1 - sqrt(2 agreement - 1)) / 2, if it is the same for
        every question; `repeat DIMENSION` if ratings were repeated. There is no honest value: a
        noisy judge is weak, not biased.
    """
    again = _agreements(probes, judge, REPEAT).groupby("unit")
    asked = pair_probes(probes, judge)
    tied = bool(asked.loc[asked["probe"].isin([ORIGINAL, REPEAT]), "chosen"].eq("").any())
    found = share_over_pairs(again["same"].mean().to_numpy(), again[SIDES].first())
    note = "" if found.units else "Nothing was asked again."
    common: dict[str, Any] = {
        "judge": judge,
        "habit": "steady",
        "n": found.units,
        "unit_of_n": "pairs asked again",
        "unit": "proportion",
        "note": note,
        "method": f"share of repetitions; {PAIRS_AND_ITEMS}",
    }
    measures = [
        Measure(
            what="repeat",
            label=f"{judge} answers the same when asked again",
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            **common,
        ),
        Measure(
            what="noise",
            label=f"Answers of {judge} that chance reverses",
            estimate=math.nan if tied else _noise(found.estimate),
            low=math.nan if tied else _noise(found.high),
            high=math.nan if tied else _noise(found.low),
            **{
                **common,
                "method": "(1 - sqrt(2 agreement - 1)) / 2 of the agreement above, as if "
                "alike for every question",
                "note": "With ties there are three answers, so one number for noise is not defined."
                if tied
                else note,
            },
        ),
    ]
    rated = _rating_agreements(probes, judge)
    for dimension, rows in rated.groupby("dimension"):
        same = clustered_share(rows.groupby("unit")["same"].mean().to_numpy())
        measures.append(
            Measure(
                what=f"repeat {dimension}",
                label=f"{judge} rates {dimension} the same when asked again",
                estimate=same.estimate,
                low=same.low,
                high=same.high,
                **{
                    **common,
                    "n": same.units,
                    "unit_of_n": "items rated again",
                    "note": "",
                    "method": f"share of repetitions; {SAME_AGAIN}",
                },
            )
        )
    return Habit(judge, "repeat", tuple(measures))


def wording(probes: pd.DataFrame, *, judge: str) -> Habit:
    """Return how often a judge answers the same in other words, compared with plain repetition.

    Returns
    -------
    Habit
        For every wording: `wording NAME`, the share of pairs where it chooses what it chose in the
        original words, and `wording NAME beyond repeats`, that minus the share for plain
        repetitions of the same pairs; `swap beyond repeats`, the same with the sides exchanged;
        `wordings`, the agreement of all wordings with each other. They only describe: a judge at
        temperature 0 repeats itself letter by letter, so any change is more than a repetition.

    Notes
    -----
    The p value is exact given how many answers to a pair agree (`exchange_p`).
    """
    original = _agreements(probes, judge, WORDING)
    repeats = _agreements(probes, judge, REPEAT).groupby("unit")["same"].agg(["sum", "count"])
    measures = []
    for name, rows in original.groupby("variant", sort=False):
        same = rows.groupby("unit")[["same", *SIDES]].first()
        measures += _beside_repeats(judge, WORDING, str(name), same, repeats)
    swapped = _agreements(probes, judge, SWAP).groupby("unit")[["same", *SIDES]].first()
    if len(swapped):
        measures += _beside_repeats(judge, SWAP, "", swapped, repeats)[1:]
    if original["variant"].drop_duplicates().size > 1:
        measures.append(_among_wordings(judge, probes))
    if original.empty:
        measures.append(
            Measure(
                judge=judge,
                habit="steady",
                what="wordings",
                estimate=math.nan,
                n=0,
                label=f"{judge} in other words",
                unit_of_n="pairs",
                unit="proportion",
                method="share of pairs",
                note="No other wording was asked.",
            )
        )
    return Habit(judge, "wording", tuple(measures))


def _beside_repeats(
    judge: str, asking: str, variant: str, asked: pd.DataFrame, repeats: pd.DataFrame
) -> list[Measure]:
    """Return the agreement of a changed question with the original, and minus that of repeats."""
    same = asked["same"]
    share = share_over_pairs(same.to_numpy().astype(np.float64), asked)
    what = f"{asking} {variant}".strip()
    how = f"with wording {variant}" if asking == WORDING else "with sides exchanged"
    common: dict[str, Any] = {
        "judge": judge,
        "habit": "steady",
        "unit_of_n": "pairs",
        "asking": asking,
        "variant": variant,
    }
    alone = Measure(
        what=what,
        label=f"{judge} answers the same {how}",
        n=share.units,
        unit="proportion",
        estimate=share.estimate,
        low=share.low,
        high=share.high,
        method=f"share of pairs; {PAIRS_AND_ITEMS}",
        **common,
    )
    units = same.index.intersection(repeats.index)
    agreed, again = same.loc[units].to_numpy(bool), repeats.loc[units]
    k = again["count"].to_numpy(int)
    estimate = low = high = p_value = math.nan
    note = "" if len(units) else "Nothing was asked again, so there is no repetition to compare."
    if len(units):
        rest = again["sum"].to_numpy(int)
        estimate, low, high, _ = mean_difference(agreed - rest / k)
        if (k == 1).all():
            plain = rest.astype(bool)
            tango = paired_difference(
                int((agreed & ~plain).sum()), int((plain & ~agreed).sum()), len(units)
            )
            low, high = tango.low, tango.high
        p_value = exchange_p(agreed, rest, k)
    beyond = Measure(
        what=f"{what} beyond repeats",
        beyond_repeats=True,
        label=f"{judge} answers the same {how}, minus when repeated",
        honest=0.0,
        estimate=estimate,
        low=low,
        high=high,
        p_value=p_value,
        n=len(units),
        note=note,
        method="difference of shares on the same pairs; Tango's interval (t for several repeats), "
        "exact test",
        unit="difference of proportions",
        **common,
    )
    return [alone, beyond]


def _among_wordings(judge: str, probes: pd.DataFrame) -> Measure:
    """Return how often two wordings agree, including the original one."""
    rows = pair_probes(probes, judge)
    rows = rows[rows["probe"].isin([ORIGINAL, WORDING])]
    rows = rows.drop_duplicates(["unit", "probe", "variant"])
    sizes = rows.groupby("unit")["chosen"].size()
    alike = rows.groupby(["unit", "chosen"]).size().pow(2).groupby("unit").sum()
    sizes, alike = sizes[sizes > 1], alike[sizes > 1]
    shares = (alike - sizes) / (sizes * (sizes - 1))
    pairs = rows.groupby("unit")[SIDES].first().loc[shares.index]
    found = share_over_pairs(shares.to_numpy().astype(np.float64), pairs)
    return Measure(
        judge=judge,
        habit="steady",
        what="wordings",
        n=found.units,
        unit_of_n="pairs",
        label=f"{judge} answers two wordings of a question the same",
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        unit="proportion",
        method=f"mean over all pairs of wordings, the original among them; {PAIRS_AND_ITEMS}",
    )


def _agreements(probes: pd.DataFrame, judge: str, probe: str) -> pd.DataFrame:
    """Return whether each further question on a pair chose the same item as the original."""
    rows = pair_probes(probes, judge)
    first = rows[rows["probe"] == ORIGINAL].drop_duplicates("unit").set_index("unit")["chosen"]
    others = rows[(rows["probe"] == probe) & rows["unit"].isin(first.index)]
    same = others["chosen"].to_numpy() == first.reindex(others["unit"]).to_numpy()
    return others[["unit", "variant", *SIDES]].assign(same=same)


def _rating_agreements(probes: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return whether each repeated rating equals the original one."""
    key = ["unit", "dimension"]
    rows = item_probes(probes, judge)
    first = rows[rows["probe"] == ORIGINAL].drop_duplicates(key)
    both = rows[rows["probe"] == REPEAT].merge(first[[*key, "value"]], on=key, suffixes=("", "_1"))
    return both[key].assign(same=both["value"] == both["value_1"])


def _noise(agreement: float) -> float:
    if math.isnan(agreement):
        return math.nan
    return (1 - math.sqrt(max(0.0, 2 * agreement - 1))) / 2
