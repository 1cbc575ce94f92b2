"""Sentences and tables on how many independent judges some judges amount to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.facets.independence import ALL, Shared, frame_of, pairs_frame, shared_errors
from analysis.results.numbers import number, with_interval
from analysis.results.quantities import ResultTable, Status
from analysis.results.words import listed
from prereg.errors import RatifyError

# More errors of two judges on an item than this do not fit into the memory of a small machine.
MOST_CELLS = 50_000_000
NO_ERROR = "their mean has no measurable error against people"


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Groups of judges with the errors that they share.

    Attributes
    ----------
    found : dict of str to list of Shared
        By the group's name; it is empty for judges that are no panel.
    why_not : dict of str to str
        Groups about which nothing can be said, with the reason.
    level : float
    """

    found: dict[str, list[Shared]] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    level: float = 0.95


def in_groups(
    judged: Mapping[str, FloatArray],
    people: Mapping[str, FloatArray],
    *,
    judges: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    level: float = 0.95,
) -> Groups:
    """Return the shared errors of every group of judges.

    Parameters
    ----------
    judged, people : mapping of str to array
        As in `shared_errors`.
    judges : sequence of str
        The judges of the columns.
    groups : mapping of str to sequence of str
        The judges of each panel; those of no panel under an empty name.
    level : float
    """
    found: dict[str, list[Shared]] = {}
    why_not: dict[str, str] = {}
    for name, members in groups.items():
        cells = len(members) ** 2 * sum(len(values) for values in judged.values())
        if cells > MOST_CELLS:
            why_not[name] = "there are too many judges and items to compare all pairs of judges"
            continue
        at = [list(judges).index(one) for one in members]
        columns = {dimension: np.asarray(values[:, at]) for dimension, values in judged.items()}
        try:
            mine = shared_errors(columns, people, judges=members, level=level)
        except RatifyError as error:
            why_not[name] = error.problem
            continue
        if mine:
            found[name] = mine
        else:
            why_not[name] = "too few items that all of them and two people rated"
    return Groups(found=found, why_not=why_not, level=level)


def groups_of(
    judges: Sequence[str], panels: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the panels, and the judges that are none as a group unless they are a panel."""
    alone = tuple(name for name in judges if name not in panels)
    known = {frozenset(of) for of in panels.values()}
    rest = {"": alone} if len(alone) > 1 and frozenset(alone) not in known else {}
    return rest | {name: tuple(of) for name, of in panels.items()}


def sentences(found: Groups) -> list[str]:
    """Return one sentence per group, for a headline or a paper."""
    return [_sentence(name, group) for name, group in found.found.items()]


def _sentence(name: str, group: Sequence[Shared]) -> str:
    whole, parts = group[0], group[1:]
    size = len(whole.judges)
    who = listed(list(whole.judges))
    judges = f"The {size} judges of {name} ({who})" if name else who
    if math.isnan(whole.effective[0]):
        return f"{judges}: how many independent judges they amount to cannot be said: {NO_ERROR}."
    correlate = f"their errors against people correlate at {with_interval(*whole.correlation)}"
    if whole.effective[0] > size:
        low = whole.effective[1]
        text = f"{judges} show no sign of shared errors: {correlate}, so that they count as {size} "
        text += "independent judges"
        if low < size:
            text += f", though as few as {number(low, 2)} are not excluded"
    else:
        text = f"{judges} amount to {with_interval(*whole.effective)} independent judges: "
        text += correlate
    return (
        f"{text}.{_by_dimension(parts, size)} Apart from its bias, their mean is as precise as the "
        f"mean of {with_interval(*whole.panel)} people, one of them as that of "
        f"{with_interval(*whole.single)}."
    )


def _by_dimension(parts: Sequence[Shared], size: int) -> str:
    """Return the dimensions with the fewest and the most independent judges; may be empty."""
    known = {one.dimension: one.effective[0] for one in parts if not math.isnan(one.effective[0])}
    if len(known) < 2:
        return ""
    low, high = min(known, key=lambda d: known[d]), max(known, key=lambda d: known[d])
    if known[low] > size:
        return " No dimension shows shared errors."
    most = f"all {size}" if known[high] > size else number(known[high], 2)
    return f" By dimension it is {number(known[low], 2)} ({low}) to {most} ({high}) of them."


def note_of(found: Shared) -> str:
    """Return what a reader must know about the effective number of a group; may be empty."""
    if math.isnan(found.effective[0]):
        return NO_ERROR[0].upper() + NO_ERROR[1:] + "."
    if found.effective[0] > len(found.judges):
        return (
            f"More than the {len(found.judges)} there are, because their errors correlate below 0 "
            "and so cancel: no sign of shared errors."
        )
    return ""


def methods(found: Groups) -> list[str]:
    """Return how the numbers were made; empty if there are none."""
    if not found.found:
        return []
    return [
        "Independent judges: a judge's error is its rating minus what people in general say, both "
        "without their means. Its covariance with another judge's error is taken against two "
        "different people in turn, so that single people's errors are not counted as errors that "
        "judges share. k judges whose errors correlate at r amount to k / (1 + (k - 1) r). People "
        "are independent by this definition. Intervals leave each item out in turn."
    ]


def limits(found: Groups) -> list[str]:
    """Return about which judges nothing can be said."""
    return [
        f"How many independent judges {name or 'these judges'} amount to is not known: {why}."
        for name, why in found.why_not.items()
    ]


def tables(found: Groups, *, prefix: str = "", status: Status = "exploratory") -> list[ResultTable]:
    """Return the table of groups and that of pairs of judges; empty if nothing is known."""
    if not found.found:
        return []
    bounded = ("correlation",)
    return [
        ResultTable(
            name=f"{prefix}independent_judges",
            title="How many independent judges these amount to",
            caption="effective: the number of independent judges of the same quality whose mean "
            "has the same error (more than there are judges if their errors correlate below 0); "
            "correlation: of two judges' errors against people, on average; "
            "mean_in_people, one_in_people: how many people have a mean as precise as the judges' "
            "mean, and as one judge; error_sd: of one judge in points, without bias. "
            f"{found.level:.0%} jackknife intervals over items; '{ALL}': all dimensions together.",
            frame=_stacked({name: frame_of(group) for name, group in found.found.items()}),
            status=status,
            level=found.level,
            bounded=bounded,
        ),
        ResultTable(
            name=f"{prefix}shared_errors",
            title="Errors that two judges share",
            caption="Correlation of two judges' errors against people, without single people's own "
            f"errors. {found.level:.0%} jackknife intervals over items, through Fisher's z.",
            frame=_stacked({name: pairs_frame(group) for name, group in found.found.items()}),
            status=status,
            level=found.level,
            bounded=bounded,
        ),
    ]


def _stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of groups as one; with panels, the group comes first."""
    if list(frames) == [""]:
        return frames[""]
    parts = []
    for name, frame in frames.items():
        part = frame.copy()
        part.insert(0, "panel", name or "(all judges)")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
