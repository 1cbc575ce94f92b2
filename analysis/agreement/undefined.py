"""Why an agreement is not defined, and of how many items: the one reason that is true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.agreement.panel import Panel
from analysis.agreement.quantities import Measured
from analysis.agreement.rating_table import ALL, HUMANS
from analysis.agreement.yardstick import enough
from analysis.arrays import BoolArray, FloatArray
from analysis.results.words import counted, listed

# How an item is said to have got a rating or a label.
_DONE = {"rating": "rated", "label": "labelled"}
# Numbers that pool all people, so that no pair of them needs to share many items.
_POOLED = ("alpha", "exact", "ac1", "crowd")


@dataclass(frozen=True)
class Lack:
    """Why a number is not defined.

    Attributes
    ----------
    n : int
        Items that it could be of.
    why : str
        A clause, without a full stop.
    """

    n: int
    why: str


def explained(measured: Sequence[Measured], people: Panel, what: str = "rating") -> list[Measured]:
    """Return numbers that say, where they are not defined, of how many items they are and why.

    Parameters
    ----------
    measured : sequence of Measured
    people : Panel
        The ratings that they were made from.
    what : str
        'rating' or 'label'.
    """
    return [
        _explained(one, people, what) if np.isnan(one.sample.value) else one for one in measured
    ]


def _explained(one: Measured, people: Panel, what: str) -> Measured:
    pooled = one.what.removesuffix("_difference") in _POOLED
    if one.who == HUMANS:
        lack = people_lack(people, one.dimension, what, pooled=pooled)
    else:
        compared = one.what.endswith("difference")
        lack = judge_lack(people, one.who, one.dimension, what, compared=compared, pooled=pooled)
    return replace(one, items=lack.n, why=f"Not defined: {lack.why}.")


def people_lack(
    people: Panel, dimension: str, what: str = "rating", *, pooled: bool = False, judge: str = ""
) -> Lack:
    """Return why people's agreement with each other is not defined.

    Parameters
    ----------
    people : Panel
    dimension : str
        `all` for the mean over dimensions.
    what : str
        'rating' or 'label'.
    pooled : bool
        Whether it pools all people; otherwise two of them must share enough items.
    judge : str
        Only the items of this judge, if given.
    """
    return _over(people, dimension, lambda name: _people(people, name, what, pooled, judge))


def judge_lack(
    people: Panel,
    judge: str,
    dimension: str,
    what: str = "rating",
    *,
    compared: bool = False,
    pooled: bool = False,
) -> Lack:
    """Return why a judge's agreement with people is not defined.

    Parameters
    ----------
    people, dimension, what, pooled
        As in `people_lack`.
    judge : str
    compared : bool
        Whether it is compared with people's own, which then must be defined too.
    """
    return _over(
        people, dimension, lambda name: _judge(people, judge, name, what, compared, pooled)
    )


def _over(people: Panel, dimension: str, lack: Callable[[str], tuple[BoolArray, str]]) -> Lack:
    """Return the lack on a dimension, or on all of them with the dimensions of each reason."""
    names = people.dimensions if dimension == ALL else (dimension,)
    found = {name: lack(name) for name in names}
    n = int(np.logical_or.reduce([items for items, _ in found.values()]).sum())
    reasons: dict[str, list[str]] = {}
    for name, (_, why) in found.items():
        reasons.setdefault(why, []).append(name)
    if len(reasons) == 1:
        return Lack(n, next(iter(reasons)))
    return Lack(n, "; ".join(f"{why} (on {listed(of)})" for why, of in reasons.items()))


def _people(people: Panel, name: str, what: str, pooled: bool, judge: str) -> tuple[BoolArray, str]:
    values = people.people[name]
    beside = ""
    if judge:
        values = np.where(np.isnan(people.judge(judge, name))[:, None], np.nan, values)
        beside = f" and {judge}"
    known = ~np.isnan(values)
    two = known.sum(axis=1) >= 2
    done = _DONE[what]
    if people.people[name].shape[1] < 2:
        return two, "there is only one person"
    if not two.any():
        return two, f"no item was {done} by two people{beside}"
    shared = known.T.astype(int) @ known.astype(int)
    most = int(two.sum() if pooled else (shared - np.diag(np.diag(shared))).max())
    if most < 2 or not (pooled or enough(most, len(people.items))):
        return two, f"two people{beside} {done} only {counted(most, 'item')} in common"
    if _alike(values[two]):
        return two, f"people gave every item the same {what}"
    return two, f"people who share enough items gave all of these the same {what}"


def _judge(
    people: Panel, judge: str, name: str, what: str, compared: bool, pooled: bool
) -> tuple[BoolArray, str]:
    rated, values = people.judge(judge, name), people.people[name]
    known = ~np.isnan(values) & ~np.isnan(rated)[:, None]
    both = np.asarray(known.any(axis=1))
    done = _DONE[what]
    if not both.any():
        return both, f"{judge} and people {done} no item in common"
    most = int(both.sum() if pooled else known.sum(axis=0).max())
    if most < 2 or not (pooled or enough(most, len(people.items))):
        return both, f"{judge} and a person {done} only {counted(most, 'item')} in common"
    if compared:
        own = np.where(both[:, None], values, np.nan)
        two = (~np.isnan(own)).sum(axis=1) >= 2
        if pooled or not _alike(np.column_stack([own, rated])[both]):
            why = _people(people, name, what, pooled, judge)[1]
            return both if not two.any() else two, why
    return both, f"{judge} and people gave every item the same {what}"


def _alike(values: FloatArray) -> bool:
    known = values[~np.isnan(values)]
    return bool(known.size and np.ptp(known) == 0)
