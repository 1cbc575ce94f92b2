"""The figures of an audit of labels: judges compared with people, and confusion matrices."""

from __future__ import annotations

import pandas as pd

from analysis.agreement.confusion import ANOTHER, Confusion
from analysis.agreement.confusion_figures import MOST_LABELS, plot_confusion
from analysis.agreement.figures import plot_beside_people
from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.label_classes import PERSON
from analysis.agreement.label_sentences import by_pooling
from analysis.results.figure_style import stamp, svg
from analysis.results.numbers import number, percent
from analysis.results.quantities import ResultFigure, Status
from analysis.results.words import listed

# So many matrices of one dimension are drawn: people's own and those of the first judges.
DRAWN = 6


def label_figures(
    found: LabelAgreement,
    *,
    prefix: str = "",
    simulated: bool = False,
    status: Status = "exploratory",
    level: float = 0.95,
) -> list[ResultFigure]:
    """Return the figures of a report on labels.

    Parameters
    ----------
    found : LabelAgreement
    prefix : str
        In front of each figure's name.
    simulated : bool
        Whether the people are bots; every figure then says so.
    status : {'confirmatory', 'exploratory'}
    level : float
        Coverage of the intervals.
    """
    said = " Simulated raters." if simulated else ""
    return [
        *_beside(found, prefix, said, status, level),
        *(
            figure
            for number_, name in enumerate(found.table.dimensions, start=1)
            for figure in _confusion(found, name, f"{prefix}confusion_{number_}", said, status)
        ),
    ]


def beside_people(found: LabelAgreement) -> pd.DataFrame:
    """Return what `plot_beside_people` draws: kappa by pairs, or pooled alpha for a crowd."""
    if by_pooling(found):
        rows = [(r.dimension, "people", r.own["alpha_nominal"]) for r in found.crowd.people]
        rows += [(r.dimension, r.annotator, r.own["alpha_nominal"]) for r in found.crowd.judges]
    else:
        rows = [(name, "people", sample) for name, sample in found.bar.humans.items()]
        rows += [(s.dimension, s.judge, s.single) for s in found.bar.standings]
    return pd.DataFrame(
        [(name, who, sample.value, *sample.interval) for name, who, sample in rows],
        columns=["dimension", "annotator", "estimate", "low", "high"],
    )


def _beside(
    found: LabelAgreement, prefix: str, said: str, status: Status, level: float
) -> list[ResultFigure]:
    rows = beside_people(found)
    if rows.loc[rows["annotator"] == "people", "estimate"].isna().all():
        return []
    pooled = by_pooling(found)
    axes = plot_beside_people(rows, level=level)
    what = "Krippendorff's nominal alpha" if pooled else "Cohen's kappa"
    axes.set_xlabel(f"Agreement with one person ({'alpha' if pooled else 'kappa'} of labels)")
    judges = list(found.table.judges)
    return [
        ResultFigure(
            name=f"{prefix}beside_people",
            title="Judges compared with people",
            caption=f"{what} with one person: people's own as a band, each judge's as a point, "
            f"with {level:.0%} intervals over items. The intervals share their items, so "
            f"only the table of judges compared with people says whether they differ.{said}",
            alt=f"Agreement of {listed(judges)} with people, and of people with each other.",
            svg=svg(stamp(axes) if said else axes),
            status=status,
        )
    ]


def _confusion(
    found: LabelAgreement, dimension: str, name: str, said: str, status: Status
) -> list[ResultFigure]:
    """Return the figure of a dimension's matrices; none where there are too many labels."""
    own = [
        one
        for one in found.matrices
        if one.dimension == dimension and one.reference == PERSON and one.counts.sum()
    ]
    if not own or len(found.classes[dimension]) > MOST_LABELS:
        return []
    shown = own[:DRAWN]
    axes = plot_confusion(shown)
    left = f" {len(own) - DRAWN} more are in the table." if len(own) > DRAWN else ""
    first = (
        f"Above, {ANOTHER} in the place of the judge (each pair of people counts twice). "
        if shown[0].annotator == ANOTHER
        else ""
    )
    return [
        ResultFigure(
            name=name,
            title=f"Which label is taken for which: {dimension.replace('_', ' ')}",
            caption="Rows: the label that a person gave; columns: the label that the judge gave "
            "to the same item. Each cell has the number of cases and its share of the row; framed "
            f"cells are the same label. {first}An item counts once for every person who labelled "
            f"it.{left}{said}",
            alt=_alt(shown),
            svg=svg(stamp(axes) if said else axes),
            status=status,
        )
    ]


def _alt(shown: list[Confusion]) -> str:
    """Return what the matrices show, in a sentence each."""
    return " ".join(
        f"{one.annotator.capitalize() if one.annotator == ANOTHER else one.annotator} gives the "
        f"same label as a person in {percent(one.exact)} of {number(int(one.counts.sum()))} cases."
        for one in shown
    )
