"""Sentences and tables on how many independent judges some judges amount to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.facets.independence import ALL, Estimate, Shared, frame_of, pairs_frame, shared_errors
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
    constant : dict of str to dict of str to tuple of str
        By group and judge, the dimensions on which it gives every item one answer.
    level : float
    """

    found: dict[str, list[Shared]] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)
    constant: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    level: float = 0.95

    def why_lacking(self, group: str, dimension: str) -> str:
        """Return why nothing is said of a group on a dimension."""
        still = [judge for judge, at in self.constant.get(group, {}).items() if dimension in at]
        if group in self.why_not:
            return f"{self.why_not[group][0].upper()}{self.why_not[group][1:]}."
        if still:
            return (
                f"{listed(still)} {'gives' if len(still) == 1 else 'give'} every item one answer."
            )
        return "Too few items."

    def left_out(self, group: str) -> list[str]:
        """Return one sentence per judge of a group that gives one answer on some dimension."""
        said = []
        counted = self.found[group][0].judges if group in self.found else ()
        for judge, at in self.constant.get(group, {}).items():
            where = listed([one.replace("_", " ") for one in at])
            out = f"{where} {'is' if len(at) == 1 else 'are'}" if judge in counted else "it is"
            said.append(
                f"{judge} gives every item one answer on {where}, so it has no errors of its own "
                f"there: among the independent judges{f' of {group}' if group else ''} {out} left "
                "out."
            )
        return said


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

    Returns
    -------
    Groups
        A judge that gives one answer to everything has no errors of its own: they are people's
        ratings with the sign turned. It is left out where it does so on all dimensions; where it
        does on some, these dimensions are left out.
    """
    found: dict[str, list[Shared]] = {}
    why_not: dict[str, str] = {}
    constant: dict[str, dict[str, tuple[str, ...]]] = {}
    flat = _flat(judged, people, judges)
    for name, of in groups.items():
        mine = {one: flat[one] for one in of if flat.get(one)}
        if mine:
            constant[name] = mine
        members = [one for one in of if len(flat.get(one, ())) < len(judged)]
        if len(members) < 2 and len(of) > 1:
            why_not[name] = _too_alike(of, members)
            continue
        left = {at for one in members for at in flat.get(one, ())}
        if len(left) == len(judged):
            why_not[name] = "on every dimension one of them gives every item the same answer"
            continue
        cells = len(members) ** 2 * sum(len(values) for values in judged.values())
        if cells > MOST_CELLS:
            why_not[name] = "there are too many judges and items to compare all pairs of judges"
            continue
        at = [list(judges).index(one) for one in members]
        columns = {
            dimension: np.asarray(values[:, at])
            for dimension, values in judged.items()
            if dimension not in left
        }
        beside = {dimension: people[dimension] for dimension in columns}
        try:
            shared = shared_errors(columns, beside, judges=members, level=level)
        except RatifyError as error:
            why_not[name] = error.problem
            continue
        if shared:
            found[name] = shared
        else:
            why_not[name] = "too few items that all of them and two people rated"
    return Groups(found=found, why_not=why_not, constant=constant, level=level)


def _flat(
    judged: Mapping[str, FloatArray], people: Mapping[str, FloatArray], judges: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the dimensions on which each judge gives one answer to all items that people rated."""
    found: dict[str, tuple[str, ...]] = {}
    for dimension, values in judged.items():
        rated = (~np.isnan(people[dimension])).any(axis=1)
        for at, judge in enumerate(judges):
            given = values[rated & ~np.isnan(values[:, at]), at]
            if given.size > 1 and np.ptp(given) == 0:
                found[judge] = (*found.get(judge, ()), dimension)
    return found


def _too_alike(of: Sequence[str], varying: Sequence[str]) -> str:
    """Return why judges cannot be compared of which all but one, or all, give one answer."""
    if not varying:
        return "all of them give every item the same answer"
    still = [one for one in of if one not in varying]
    verb = "gives" if len(still) == 1 else "give"
    return f"{listed(still)} {verb} every item one answer, so only {varying[0]} is left"


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
    correlate = f"their errors against people correlate at {_two(whole.correlation)}"
    if whole.effective[0] > size:
        low = whole.effective[1]
        text = f"{judges} show no sign of shared errors: {correlate}, so that they count as {size} "
        text += "independent judges"
        # the two intervals are made apart: both must allow for shared errors
        if low < size and whole.correlation[2] > 0:
            text += f", though as few as {number(low, 2)} are not excluded"
    else:
        text = f"{judges} amount to {_two(whole.effective)} independent judges: "
        text += correlate
    return (
        f"{text}.{_by_dimension(parts, size)} Apart from its bias, their mean is as precise as the "
        f"mean of {_two(whole.panel)} people, one of them as that of "
        f"{_two(whole.single)}."
    )


def _two(estimate: Estimate) -> str:
    """Return an estimate with its interval, with two decimals: more say nothing here."""
    return with_interval(*estimate, decimals=2)


def _by_dimension(parts: Sequence[Shared], size: int) -> str:
    """Return the dimensions with the fewest and the most independent judges; may be empty."""
    known = {one.dimension: one.effective[0] for one in parts if not math.isnan(one.effective[0])}
    if len(known) < 2:
        return ""
    low, high = min(known, key=lambda d: known[d]), max(known, key=lambda d: known[d])
    if known[low] > size:
        return " No dimension shows shared errors."
    if number(known[low], 2) == number(known[high], 2):
        return f" By dimension it is {number(known[low], 2)} on each of them."
    most = f"all {size}" if known[high] > size else number(known[high], 2)
    return f" By dimension it is {number(known[low], 2)} ({low}) to {most} ({high})."


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
    said = [
        f"How many independent judges {name or 'these judges'} amount to is not known: {why}."
        for name, why in found.why_not.items()
    ]
    return [*said, *(text for name in found.found for text in found.left_out(name))]


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
            "correlation: of two judges' errors against people, on average (beyond -1 or 1 is "
            "possible, because single people's errors are taken out of it; its interval is then "
            "not made through Fisher's z); "
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
            "errors; because these are taken out, an estimate may lie beyond -1 or 1. "
            f"{found.level:.0%} jackknife intervals over items, through Fisher's z; not through it "
            "where an estimate, on all items or without one, lies beyond -1 or 1.",
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
