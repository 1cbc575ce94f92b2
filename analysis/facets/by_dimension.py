"""Generalizability of every dimension of a study or an audit: numbers, sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from analysis.facets.generalizability import Generalizability, generalizability
from analysis.facets.grid import grid_of
from analysis.facets.without_ends import WIDE, intervals, lacks_ends, why_no_ends
from analysis.results.numbers import number, percent, with_interval
from analysis.results.quantities import Quantity, ResultTable, Status
from analysis.results.words import counted, listed
from prereg.errors import RatifyError

METHOD = "variance components of items and raters (mean squares of pairs)"
OVER_ITEMS = "jackknife over items on the log of error to item variance"
OVER_BOTH = f"{OVER_ITEMS}, plus the error of raters' variance"
FIGURE = (
    "Absolute reliability (dependability) of the mean of an item's raters by their number, for "
    "each dimension. The point with its {level:.0%} interval is at the number of raters that items "
    "have now; the grey line is the reliability to reach."
)
# The numbers of a dimension.
COEFFICIENTS = ("relative_one", "absolute_one", "relative", "absolute")
NEEDED = "raters_needed"
_SOURCES = {
    "variance_items": "items",
    "variance_raters": "raters' severity",
    "variance_residual": "what is left",
}
Made = Callable[..., Quantity]


@dataclass(frozen=True, kw_only=True)
class ByDimension:
    """Generalizability by dimension.

    Attributes
    ----------
    found : dict of str to Generalizability
    why_not : dict of str to str
        Dimensions whose ratings do not tell, each with the reason.
    target : float
        The reliability that a number of raters should reach.
    most_raters : int
        Up to how many raters the decision study goes.
    items : tuple of int
        The numbers of items for which it gives the error of a mean over items.
    level : float
    wide : mapping of str to Generalizability
        The same at a very high level, of dimensions that lack an interval: it says why.
    """

    found: dict[str, Generalizability]
    why_not: dict[str, str]
    target: float
    most_raters: int
    items: tuple[int, ...]
    level: float
    wide: Mapping[str, Generalizability] = field(default_factory=dict)

    def decision_frame(self) -> pd.DataFrame:
        """Return the decision studies: `dimension`, then the columns of `Generalizability`."""
        return _stacked({name: one.to_frame(self.most_raters) for name, one in self.found.items()})

    def components_frame(self) -> pd.DataFrame:
        """Return the variance components of every dimension."""
        return _stacked({name: one.components_frame() for name, one in self.found.items()})

    def items_frame(self) -> pd.DataFrame:
        """Return the standard errors of a mean over items, by numbers of items and raters."""
        raters = tuple(n for n in (1, 2, 3, 5, 10) if n <= self.most_raters)
        return _stacked(
            {
                name: one.items_frame(self.items or several_items(one.n_items), raters)
                for name, one in self.found.items()
            }
        )


def several_items(there: int) -> tuple[int, ...]:
    """Return numbers of items around the number that there is."""
    return tuple(sorted({max(5, there // 2), there, 2 * there, 4 * there}))


def by_dimension(
    ratings: pd.DataFrame,
    *,
    raters: Sequence[str],
    dimensions: Sequence[str],
    target: float = 0.8,
    most_raters: int = 10,
    items: Sequence[int] = (),
    level: float = 0.95,
) -> ByDimension:
    """Return the generalizability of the ratings that some raters gave on each dimension.

    Parameters
    ----------
    ratings : DataFrame
        Tidy: `rater_id, item_id, dimension, value`.
    raters, dimensions : sequence of str
        Whose ratings to take, and on what.
    target, most_raters, items, level
        As in `ByDimension`; without `items`, half, all, twice and four times the items rated.
    """
    found: dict[str, Generalizability] = {}
    wide: dict[str, Generalizability] = {}
    why_not: dict[str, str] = {}
    for name in dimensions:
        try:
            grid = grid_of(ratings, raters=raters, dimension=name)
            found[name] = one = generalizability(grid, level=level)
            if lacks_ends(one):
                wide[name] = generalizability(grid, level=WIDE)
        except RatifyError as error:
            why_not[name] = error.problem
    return ByDimension(
        found=found,
        why_not=why_not,
        target=target,
        most_raters=most_raters,
        items=tuple(items),
        level=level,
        wide=wide,
    )


def quantities(found: ByDimension, *, name: str, who: str, **common: Any) -> Iterator[Quantity]:
    """Yield every dimension's coefficients, variance components and number of raters needed.

    Parameters
    ----------
    found : ByDimension
    name : str
        A format of the name, with the fields `what` and `dimension`.
    who : str
        What to call the raters, at the start of a label.
    **common
        What all quantities of an analysis share.
    """
    for dimension, one in found.found.items():
        shared = {
            "n": one.n_items,
            "unit_of_n": "items",
            "clusters": one.n_raters,
            "level": found.level,
            **common,
        }
        made = partial(_made, name, dimension, shared)
        why = why_no_ends(one, found.wide.get(dimension), found.level)
        yield from _coefficients(one, dimension, who, made, why)
        yield from _variances(one, dimension, who, made, why)
        value, low, high = one.raters_for(found.target)
        yield made(
            NEEDED,
            label=f"Raters per item for an absolute reliability of {number(found.target, 2)}, "
            f"{dimension}",
            estimate=value,
            low=low,
            high=high,
            method=f"{METHOD}; {OVER_BOTH}",
            unit="raters per item",
            note="No number of raters is enough: people do not tell items apart."
            if math.isinf(value)
            else why["absolute"],
        )


def _made(name: str, dimension: str, shared: dict[str, Any], what: str, **own: Any) -> Quantity:
    """Return a number of one dimension."""
    return Quantity(name=name.format(what=what, dimension=dimension), **own, **shared)


def _coefficients(
    one: Generalizability, dimension: str, who: str, made: Made, why: Mapping[str, str]
) -> Iterator[Quantity]:
    for what in COEFFICIENTS:
        absolute = what.startswith("absolute")
        raters = 1.0 if what.endswith("_one") else one.per_item
        value, low, high = (one.absolute if absolute else one.relative)(raters)
        yield made(
            what,
            label=f"{who} {'absolute' if absolute else 'relative'} reliability, "
            + ("one rater" if what.endswith("_one") else f"mean of {_raters(one)}")
            + f", {dimension}",
            estimate=value,
            low=low,
            high=high,
            method=f"{METHOD}; {OVER_BOTH if absolute and not one.nested else OVER_ITEMS}",
            unit="reliability",
            note=why["absolute" if absolute else "relative"],
        )


def _variances(
    one: Generalizability, dimension: str, who: str, made: Made, why: Mapping[str, str]
) -> Iterator[Quantity]:
    parts = intervals(one)
    for what in _SOURCES:
        value, low, high = parts[what]
        yield made(
            what,
            label=f"{who} ratings: variance due to {_SOURCES[what]}, {dimension}",
            estimate=value,
            low=low,
            high=high,
            method=METHOD
            + ("; F ratio" if what == "variance_raters" else "; jackknife over items, log scale"),
            unit="squared points of the scale",
            note=why[what],
        )


def sentences(found: ByDimension, who: str = "people") -> list[str]:
    """Return what was found, for a report or a paper: one sentence per dimension.

    Parameters
    ----------
    found : ByDimension
    who : str
        What to call the raters.
    """
    return [_sentence(name, one, found, who) for name, one in found.found.items()]


def _sentence(name: str, one: Generalizability, found: ByDimension, who: str) -> str:
    words = name.replace("_", " ")
    if one.item == 0:
        return f"On {words}, {who} do not tell items apart, so no number of raters is enough."
    shares = one.components_frame().set_index("source")["share"]
    of_raters = ""
    if not one.nested:
        of_raters = f", {percent(float(shares[_SOURCES['variance_raters']]))} to raters' severity"
    relative = (
        ""
        if one.nested
        else f"orders items with a reliability of {with_interval(*one.relative(one.per_item))} "
        "(generalizability coefficient) and "
    )
    value, low, high = one.raters_for(found.target)
    said = number(value, 0)
    if not math.isnan(low) and low != high:
        said += f" [{number(low, 0)}, {number(high, 0)}]"
    return (
        f"On {words}, the mean of {_raters(one)} {relative}"
        f"gives their level with {with_interval(*one.absolute(one.per_item))} (dependability); its "
        f"standard error is {number(one.error(one.per_item), 2)} points. "
        f"{percent(float(shares['items']))} of the variance of one rating is due to the items"
        f"{of_raters}. A dependability of {number(found.target, 2)} takes {said} "
        f"{'rater' if value == 1 else 'raters'} per item."
    )


def _range(ends: Mapping[str, float]) -> str:
    """Return the lowest and the highest value with their dimensions, or the one that all have."""
    shown = [number(one, 2) for one in ends.values()]
    if len(set(shown)) == 1:
        return f"{shown[0]} on each dimension"
    return " to ".join(f"{one} ({name})" for one, name in zip(shown, ends, strict=True))


def overview(found: ByDimension, who: str = "people") -> list[str]:
    """Return one sentence over all dimensions for a headline; empty if nothing is known."""
    known = {name: one for name, one in found.found.items() if one.item > 0}
    if not known:
        return []
    value = {name: one.absolute(one.per_item)[0] for name, one in known.items()}
    needed = {name: one.raters_for(found.target)[0] for name, one in known.items()}
    least, most = min(value, key=lambda n: value[n]), max(value, key=lambda n: value[n])
    per_item = {_raters(one) for one in known.values()}
    mean = per_item.pop() if len(per_item) == 1 else f"all the {who}"
    if len(known) == 1:
        one = known[least]
        return [
            f"The mean of {mean} gives an item's level with a dependability of "
            f"{with_interval(*one.absolute(one.per_item))}; {number(found.target, 2)} takes "
            f"{_plural(needed[least])} per item."
        ]
    low, high = min(needed.values()), max(needed.values())
    return [
        f"The mean of {mean} gives an item's level with a dependability of "
        + _range({least: value[least], most: value[most]})
        + "; "
        f"{number(found.target, 2)} takes "
        + (_plural(low) if low == high else f"{number(low, 0)} to {_plural(high)}")
        + " per item."
    ]


def _plural(raters: float) -> str:
    return f"{number(raters, 0)} {'rater' if raters == 1 else 'raters'}"


def _raters(one: Generalizability) -> str:
    """Return how many raters an item has, in words; on average where items differ."""
    whole = round(one.per_item)
    if abs(one.per_item - whole) < 1e-9:
        return f"{counted(whole, 'rater')} per item"
    return f"{number(one.per_item, 1)} raters per item (harmonic mean)"


def limits(found: ByDimension) -> list[str]:
    """Return what a reader must know before relying on the numbers."""
    notes = []
    if found.why_not:
        said = [f"{name} ({why})" for name, why in found.why_not.items()]
        notes.append(f"No generalizability study of {listed(said)}.")
    if any(one.nested for one in found.found.values()):
        notes.append(
            "Every rater rated one item only, so raters' severity is part of the error and there "
            "is no relative coefficient."
        )
    if found.found:
        notes.append(
            "The decision study assumes that further raters and items are of the same kind as "
            "these, and that variances do not change along the scale; near an end of the scale "
            "they do."
        )
    return notes


def methods(found: ByDimension) -> list[str]:
    """Return how the numbers were made; empty if there are none."""
    if not found.found:
        return []
    return [
        "Generalizability (Cronbach et al. 1972; Brennan 2001): the variance of ratings is split "
        "into items, raters and the rest by mean squares of pairs of ratings, which on a complete "
        "table are those of the analysis of variance. Relative reliability counts the rest as "
        "error, absolute reliability raters' severity too. Intervals leave each item out in turn; "
        "those of absolute reliability allow for other raters as well."
    ]


def tables(
    found: ByDimension, *, prefix: str = "", status: Status = "exploratory"
) -> list[ResultTable]:
    """Return the tables of a report; empty if nothing is known.

    Parameters
    ----------
    found : ByDimension
    prefix : str
        In front of each table's name.
    status : {'confirmatory', 'exploratory'}
    """
    if not found.found:
        return []
    ends = f"{found.level:.0%} intervals"
    common: dict[str, Any] = {"status": status, "level": found.level}
    return [
        ResultTable(
            name=f"{prefix}decision",
            title="What another rater buys",
            caption="raters: how many rate each item. relative: reliability of the order of the "
            "items by their mean (generalizability coefficient; the same raters rate every item); "
            "absolute: of their level (dependability; severity counts as error). se: standard "
            f"error of an item's mean in points, without and with severity. {ends}.",
            frame=found.decision_frame(),
            bounded=("relative", "absolute"),
            **common,
        ),
        ResultTable(
            name=f"{prefix}variances",
            title="Where the variance of a rating comes from",
            caption="Variance components in squared points, and their share of the variance of one "
            f"rating. residual: the rater's own view of the item, and error. {ends}: jackknife "
            "over items on the log scale; for raters from the F ratio, on complete tables only.",
            frame=found.components_frame(),
            **common,
        ),
        ResultTable(
            name=f"{prefix}decision_items",
            title="What more items or more raters buy for a mean over items",
            caption="Standard error in points of a mean over so many items with so many raters "
            "each. se_same_raters: the same raters rate every item; se_own_raters: each item has "
            "raters of its own.",
            frame=found.items_frame(),
            **common,
        ),
    ]


def _stacked(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return tables of dimensions as one, with the dimension in front."""
    parts = []
    for name, frame in frames.items():
        part = frame.copy()
        part.insert(0, "dimension", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
