"""Many-facet models of every dimension of a study or an audit: numbers, sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.facets.annotator import Annotator
from analysis.facets.many_facet import ManyFacet, many_facet
from analysis.results.numbers import number, with_interval
from analysis.results.quantities import Quantity, ResultTable, Status
from analysis.results.words import listed
from prereg.errors import RatifyError

METHOD = "many-facet rating-scale model, marginal maximum likelihood"
# More ratings than this, over all dimensions, take an audit too long.
MOST_RATINGS = 60_000


@dataclass(frozen=True, kw_only=True)
class Severities:
    """Many-facet models by dimension.

    Attributes
    ----------
    found : dict of str to ManyFacet
    why_not : dict of str to str
        Dimensions without a model, each with the reason.
    level : float
    """

    found: dict[str, ManyFacet]
    why_not: dict[str, str]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per dimension and annotator: the columns of `ManyFacet.to_frame`."""
        return _stacked({name: one.to_frame() for name, one in self.found.items()})

    def fair_frame(self) -> pd.DataFrame:
        """Return the fair scores: one row per dimension and item."""
        return _stacked({name: one.fair_frame() for name, one in self.found.items()})


def severities(
    ratings: pd.DataFrame,
    *,
    humans: Sequence[str],
    judges: Sequence[str],
    dimensions: Sequence[str],
    level: float = 0.95,
    most: int | None = None,
) -> Severities:
    """Return the many-facet model of each dimension.

    Parameters
    ----------
    ratings : DataFrame
        Tidy: `rater_id, item_id, dimension, value`.
    humans, judges, dimensions : sequence of str
    level : float
    most : int, optional
        With more ratings than this there is no model.
    """
    if most is not None and len(ratings) > most:
        why = f"more than {most:,} ratings; register kind many_facet for it"
        return Severities(found={}, why_not=dict.fromkeys(dimensions, why), level=level)
    found: dict[str, ManyFacet] = {}
    why_not: dict[str, str] = {}
    for name in dimensions:
        try:
            found[name] = many_facet(
                ratings, humans=humans, judges=judges, dimension=name, level=level
            )
        except RatifyError as error:
            why_not[name] = _why(error)
    return Severities(found=found, why_not=why_not, level=level)


def _why(error: RatifyError) -> str:
    """Return why there is no model; that it has no estimate would be no reason."""
    if error.problem.startswith("the many-facet model has no estimate"):
        return (
            "its likelihood has no maximum on these ratings, as where people agree on nearly every "
            "item"
        )
    return error.problem


def quantities(
    found: Severities, *, judges: Sequence[str], who: str, **common: Any
) -> Iterator[Quantity]:
    """Yield the numbers of judges and of people together, by dimension.

    Parameters
    ----------
    found : Severities
    judges : sequence of str
    who : str
        What to call people, possessive, at the start of a label.
    **common
        What all quantities of an analysis share.
    """
    for dimension, model in found.found.items():
        base: dict[str, Any] = {"level": found.level, "method": METHOD, **common}
        n = len(model.items)
        yield Quantity(
            name=f"humans: severity_sd {dimension}",
            label=f"{who} severities, standard deviation, {dimension}",
            estimate=model.severity_spread,
            n=n,
            unit_of_n="items",
            unit="logits",
            note=f"No interval: it describes {_people(model)} alone; each one's severity has an "
            "interval in the table of severity.",
            **base,
        )
        yield Quantity(
            name=f"humans: fair_reliability {dimension}",
            label=f"Reliability of items' fair scores, {dimension}",
            estimate=model.place.reliability,
            n=n,
            unit_of_n="items",
            unit="reliability",
            note="No interval: it describes the fair scores of these items; each one has an "
            "interval of its own.",
            **base,
        )
        for one in model.annotators:
            if one.name in judges and one.kind == "judge":
                yield from _of_judge(one, dimension, base)


def _people(model: ManyFacet) -> str:
    return f"these {sum(one.kind == 'human' for one in model.annotators)} people"


def _of_judge(one: Annotator, dimension: str, base: dict[str, Any]) -> Iterator[Quantity]:
    nowhere = (math.nan, math.nan)
    for what, label, estimate, unit in (
        ("severity", "severity beside people's mean", one.severity, "logits"),
        ("infit", "infit mean square", (one.infit, *nowhere), "mean square"),
        ("outfit", "outfit mean square", (one.outfit, *nowhere), "mean square"),
        (
            "discrimination",
            "discrimination relative to people's",
            one.discrimination,
            "ratio of slopes",
        ),
        ("fair_correlation", "correlation with fair scores", one.correlation, "correlation"),
        (
            "fair_correlation_corrected",
            "correlation with fair scores, corrected for their error",
            one.corrected,
            "correlation",
        ),
    ):
        value, low, high = estimate
        yield Quantity(
            name=f"{one.name}: {what} {dimension}",
            label=f"{one.name}: {label}, {dimension}",
            estimate=value,
            low=low,
            high=high,
            n=one.n,
            unit_of_n="items that judge and people rated",
            unit=unit,
            note=_note(one, what, value, low),
            **base,
        )


def _note(one: Annotator, what: str, value: float, low: float) -> str:
    """Return why a number of a judge has no value, or no interval; empty if it has both."""
    if not math.isnan(low):
        return ""
    if math.isnan(value):
        if what.startswith("fair_correlation"):
            return f"Not defined: {one.uncorrelated}."
        if one.unplaced:
            return f"It has no place on people's scale: {one.unplaced}."
        return (
            "No estimate: its ratings do not rise with the items as people see them; perhaps it "
            "rates the other way round."
        )
    if what in ("infit", "outfit"):
        return (
            "No interval: it describes these ratings. Compare it with 1, and with people's in the "
            "table of severity."
        )
    return "No interval: these ratings do not bound it."


def overview(found: Severities, judges: Sequence[str]) -> list[str]:
    """Return one sentence over all dimensions for a headline; empty without a model."""
    if not found.found:
        return []
    if len(found.found) == 1:
        return sentences(found, judges)
    apart = {name: _apart(model) for name, model in found.found.items()}
    low, high = min(apart, key=lambda d: apart[d]), max(apart, key=lambda d: apart[d])
    clauses = []
    for judge in judges:
        known = {
            name: one.correlation[0]
            for name, model in found.found.items()
            for one in model.annotators
            if one.name == judge and one.kind == "judge" and not math.isnan(one.correlation[0])
        }
        if known:
            least, most = min(known, key=lambda d: known[d]), max(known, key=lambda d: known[d])
            clause = f"{judge} at {number(known[least], 2)} ({least})"
            if most != least:
                clause += f" to {number(known[most], 2)} ({most})"
            clauses.append(clause)
    said = (
        f"The mildest and the most severe person are {number(apart[low], 2)} ({low}) to "
        f"{number(apart[high], 2)} ({high}) points apart"
    )
    if not clauses:
        return [f"{said}."]
    return [
        f"{said}; with severity taken out, items' fair scores correlate with {listed(clauses)}."
    ]


def _apart(model: ManyFacet) -> float:
    """Return how many points lie between the mildest and the most severe person."""
    points = [one.points for one in model.annotators if one.kind == "human"]
    return max(points) - min(points)


def sentences(found: Severities, judges: Sequence[str]) -> list[str]:
    """Return one sentence per dimension, for a report or a paper."""
    return [_sentence(name, model, judges) for name, model in found.found.items()]


def _sentence(name: str, model: ManyFacet, judges: Sequence[str]) -> str:
    people = sum(one.kind == "human" for one in model.annotators)
    said = (
        f"On {name.replace('_', ' ')}, people's severities differ by "
        f"{number(_apart(model), 2)} points between the mildest and the most severe of {people}"
    )
    placed = [one for one in model.annotators if one.name in judges and one.kind == "judge"]
    clauses = [clause for one in placed if (clause := _clause(one))]
    return said + (f"; with severity taken out, {'; '.join(clauses)}." if clauses else ".")


def _clause(one: Annotator) -> str:
    if math.isnan(one.correlation[0]):
        return ""
    text = f"{one.name} correlates with the items' fair scores at {with_interval(*one.correlation)}"
    if math.isnan(one.severity[0]):
        return text
    if one.severity[1] > 0 or one.severity[2] < 0:
        text += (
            f" and rates {number(abs(one.points), 2)} points "
            f"{'lower' if one.severity[0] > 0 else 'higher'} than people (severity "
            f"{with_interval(*one.severity)} logits)"
        )
    else:
        text += " and shows no clear difference in severity from people"
    slope = one.discrimination
    if slope[2] < 1:
        text += f", but follows them less closely (discrimination {with_interval(*slope)})"
    elif slope[1] > 1:
        text += f", and follows them more closely (discrimination {with_interval(*slope)})"
    return text


def methods(found: Severities) -> list[str]:
    """Return how the numbers were made; empty if there are none."""
    if not found.found:
        return []
    return [
        "Severity and consistency: a many-facet rating-scale model (Andrich 1978; Linacre 1989) of "
        "people's ratings on each dimension, by marginal maximum likelihood with normal items. "
        "People alone define the scale; judges are placed on it afterwards. Fair scores are the "
        "ratings that an annotator of average severity would give. Infit and outfit are mean "
        "squares of what the model leaves (1 is expected; above 1.5 is usually called erratic); "
        "discrimination is the slope of a judge's ratings relative to people's."
    ]


def limits(found: Severities) -> list[str]:
    """Return what has no model, and who is left out."""
    notes = []
    if found.why_not:
        reasons: dict[str, list[str]] = {}
        for name, why in found.why_not.items():
            reasons.setdefault(why, []).append(name)
        said = [f"{listed(names)} ({why})" for why, names in reasons.items()]
        notes.append(f"No many-facet model of {listed(said)}.")
    where: dict[str, list[str]] = {}
    for name, model in found.found.items():
        for note in model.notes:
            where.setdefault(note, []).append(name)
    notes += [f"Many-facet model of {listed(names)}: {note}." for note, names in where.items()]
    return notes


def tables(
    found: Severities, *, prefix: str = "", status: Status = "exploratory", fair: bool = True
) -> list[ResultTable]:
    """Return the tables of a report; empty if there is no model.

    Parameters
    ----------
    found : Severities
    prefix : str
        In front of each table's name.
    status : {'confirmatory', 'exploratory'}
    fair : bool
        Whether to add the fair score of every item.
    """
    if not found.found:
        return []
    common: dict[str, Any] = {"status": status, "level": found.level}
    shown = [
        ResultTable(
            name=f"{prefix}severity",
            title="Severity and consistency of people and judges",
            caption="severity: in logits, people's mean is 0, above 0 gives lower ratings; points: "
            "the same as points of the scale, on average over the items. infit, outfit: mean "
            "squares, 1 is expected. discrimination: slope of a judge's ratings relative to "
            "people's. correlation: of a judge with the items' fair scores; corrected: without "
            f"the fair scores' error. {found.level:.0%} intervals.",
            frame=found.to_frame(),
            bounded=("correlation", "corrected"),
            **common,
        )
    ]
    if fair:
        shown.append(
            ResultTable(
                name=f"{prefix}fair_scores",
                title="Fair scores of the items",
                caption="fair: the rating that a person of average severity would give, by "
                f"people's ratings, in points, with the {found.level:.0%} interval of the item; "
                "logits: the item on the model's scale.",
                frame=found.fair_frame(),
                **common,
            )
        )
    return shown


def _stacked(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return tables of dimensions as one, with the dimension in front."""
    parts = []
    for name, frame in frames.items():
        part = frame.copy()
        part.insert(0, "dimension", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
