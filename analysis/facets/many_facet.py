"""Who is severe and who is consistent: a many-facet model of ratings, and items' fair scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.facets.annotator import FEWEST_RATINGS, Annotator, Fair, judge, person
from analysis.facets.grid import Grid, grid_of
from analysis.facets.rating_scale import Ratings, fit
from analysis.tables import columns
from prereg.errors import RatifyError

FEWEST_ITEMS = 10
MOST_PEOPLE = 200
MOST_CATEGORIES = 15
_INTERVALS = ("discrimination", "correlation", "corrected")


@dataclass(frozen=True, kw_only=True)
class ManyFacet:
    """The model of one dimension.

    Attributes
    ----------
    annotators : tuple of Annotator
        People, then judges.
    items : tuple of str
    place : Fair
        Their fair scores, by people's ratings.
    spread : float
        Standard deviation of items in logits.
    severity_spread : float
        Standard deviation of people's severities in logits, without the errors of estimation.
    notes : tuple of str
        Who was left out, and why.
    level : float
    """

    annotators: tuple[Annotator, ...]
    items: tuple[str, ...]
    place: Fair
    spread: float
    severity_spread: float
    notes: tuple[str, ...]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per annotator: the fields of `Annotator`, intervals as `_low`, `_high`."""
        rows = []
        for one in self.annotators:
            row: dict[str, object] = {"annotator": one.name, "kind": one.kind, "n": one.n}
            for name in ("severity", "points", "infit", "outfit", *_INTERVALS):
                found = getattr(one, name)
                ends = (name, f"{name}_low", f"{name}_high")
                if isinstance(found, float):
                    row[name] = found
                else:
                    row |= dict(zip(ends, found, strict=True))
            rows.append(row)
        return pd.DataFrame(rows)

    def fair_frame(self) -> pd.DataFrame:
        """Return one row per item: `item_id, fair, low, high, logits`."""
        return pd.DataFrame(
            {
                "item_id": self.items,
                "fair": self.place.fair,
                "low": self.place.low,
                "high": self.place.high,
                "logits": self.place.logits,
            }
        )


def many_facet(
    ratings: pd.DataFrame,
    *,
    humans: Sequence[str],
    judges: Sequence[str] = (),
    dimension: str | None = None,
    level: float = 0.95,
) -> ManyFacet:
    """Fit the model to people's ratings, and place every judge on people's scale.

    Parameters
    ----------
    ratings : DataFrame
        Tidy: `rater_id, item_id, value`, and `dimension` if one is named. People's values are
        whole steps.
    humans, judges : sequence of str
        Raters in the table.
    dimension : str, optional
        The dimension to take.
    level : float
        Coverage of the intervals.

    Returns
    -------
    ManyFacet

    Raises
    ------
    RatifyError
        If fewer than two people have ten ratings that vary, there are fewer than ten items, a
        rating of a person is between two steps, or the model has no estimate.

    Notes
    -----
    Linacre (1989); the rating-scale model of Andrich (1978) by marginal maximum likelihood, see
    `rating_scale.fit`. Only people define the scale, so that a judge cannot move it. A judge is
    placed on it by maximum likelihood given each item's distribution after people's ratings: its
    severity with people's discrimination, and then severity and discrimination together; the
    intervals carry the error of people's scale. Mean squares average over an item's distribution
    after the annotator's own rating too, so that they are 1 on average if the model holds. A rating
    in a category that no person used counts as the nearest one. By simulation with 50 items, 3 or 5
    people and 5 points, intervals of severity, discrimination and the corrected correlation cover
    .94 to .98 (docs/validation.md); where most ratings are alike, see `fair_draws`. Joint maximum
    likelihood, which other programs use, is biased where few people rate an item.
    """
    columns.proportion("level", level)
    everybody = grid_of(ratings, raters=[*humans, *judges], dimension=dimension)
    people, left_out = _people(everybody, set(humans))
    steps = np.unique(people.value)
    data = Ratings(
        item=people.item,
        rater=people.rater,
        category=np.searchsorted(steps, people.value),
        n_items=len(people.items),
        n_raters=len(people.raters),
        n_categories=steps.size,
    )
    fitted = fit(data)
    normal = float(norm.ppf((1 + level) / 2))
    found = [person(data, fitted, at, name, steps, normal) for at, name in enumerate(people.raters)]
    place = Fair.of(fitted, steps, level)
    for name in judges:
        one, note = judge(
            everybody, people.items, name, fitted, place, steps, normal=normal, level=level
        )
        found.append(one)
        left_out += [note] if note else []
    severity, errors = fitted.scale.severity, np.diag(fitted.covariance)
    return ManyFacet(
        annotators=tuple(found),
        items=people.items,
        place=place,
        spread=fitted.scale.spread,
        severity_spread=math.sqrt(max(0.0, float(severity.var(ddof=1) - errors.mean()))),
        notes=tuple(left_out),
        level=level,
    )


def _people(grid: Grid, humans: set[str]) -> tuple[Grid, list[str]]:
    """Return people's ratings that the model can use, and a note on those who are left out."""
    mine = np.array([name in humans for name in grid.raters])[grid.rater]
    if not mine.any():
        raise RatifyError("there are no ratings by people", allowed="rater_kind human")
    people = grid.only(mine)
    before = len(people.raters)
    while bad := _without_severity(people):
        keep = ~np.isin(people.rater, bad)
        if not keep.any():
            people, before = people.only(~keep), -1
            break
        people = people.only(keep)
    if len(people.raters) < 2 or before < 0:
        raise RatifyError(
            f"fewer than two people gave {FEWEST_RATINGS} ratings that vary",
            allowed=f"two people with {FEWEST_RATINGS} ratings or more",
        )
    _refuse_unfit(people)
    gone = before - len(people.raters)
    note = (
        f"{gone} of {before} people gave fewer than {FEWEST_RATINGS} ratings, or only the lowest "
        "or only the highest one, and have no severity"
    )
    return people, [note] if gone else []


def _without_severity(people: Grid) -> list[int]:
    """Return the people with too few ratings, or with only those at one end of what is used."""
    low, high = people.value.min(), people.value.max()
    inside = np.bincount(people.rater, people.value > low, len(people.raters)) > 0
    inside &= np.bincount(people.rater, people.value < high, len(people.raters)) > 0
    return [
        at
        for at, (n, varies) in enumerate(zip(people.per_rater, inside, strict=True))
        if n < FEWEST_RATINGS or not varies
    ]


def _refuse_unfit(people: Grid) -> None:
    """Raise `RatifyError` if the ratings do not fit the model's form."""
    if not np.allclose(people.value, np.round(people.value)):
        raise RatifyError("people's ratings are not whole steps", allowed="whole numbers")
    if np.ptp(people.value) + 1 > MOST_CATEGORIES:
        raise RatifyError(
            "the scale has too many steps for thresholds", allowed=f"{MOST_CATEGORIES} or fewer"
        )
    if len(people.items) < FEWEST_ITEMS:
        raise RatifyError("there are too few items", allowed=f"{FEWEST_ITEMS} or more")
    if len(people.raters) > MOST_PEOPLE:
        raise RatifyError(
            "there are too many people for a severity each", allowed=f"{MOST_PEOPLE} or fewer"
        )
