"""Findings on judges and people from the numbers of an audit, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import OTHERS, PERSON
from analysis.agreement.sentences import with_interval as written
from analysis.agreement.summary import Beyond
from analysis.agreement.yardstick import ALL, FEWEST
from analysis.audit.low_bar import ALPHA, all_the_same, low_alphas
from analysis.audit.one_answer import same_notes
from analysis.audit.parts import Part, is_biased, spoken, triple
from analysis.audit.people_agree import also_short, people_agree_notes
from analysis.results.numbers import number, percent, with_interval
from analysis.results.verdict import REVERSED, Cell, Note, Severity
from analysis.results.words import listed
from prereg.plan.reporting import Large

PEOPLE = "people"


def judge_notes(
    judge: str,
    parts: Sequence[Part],
    cells: Sequence[Cell],
    scale: tuple[float, float],
    large: Large,
) -> list[Note]:
    """Return the findings on bias, direction and agreement of one judge."""
    found: list[Note] = []
    width = scale[1] - scale[0]
    for part, cell in zip(parts, cells, strict=True):
        name = spoken(part.dimension)
        if cell.word == REVERSED:
            flipped = -part.rank[0]
            found.append(
                Note(
                    severity="critical",
                    about=judge,
                    says=f"{name}: {judge} is high where people are low. The rank correlation is "
                    f"{with_interval(*part.rank)}; with the scale turned round it would be "
                    f"{number(flipped, 2)}.",
                    do="Check how this dimension is coded in both files and in the prompt, and "
                    "turn one of them round before anything else is read.",
                )
            )
        elif part.n >= FEWEST and is_biased(part, scale, large):
            size, way = abs(part.bias[0]), "high" if part.bias[0] > 0 else "low"
            severe = size >= large.severe_bias * width
            found.append(
                Note(
                    severity="critical" if severe else "warning",
                    about=judge,
                    says=f"{name}: {judge} scores {number(size, 2)} points of {scale[0]:g} to "
                    f"{scale[1]:g} too {way} (mean difference from the median of people "
                    f"{with_interval(*part.bias, sign=True)}).",
                    do="Do not use its scores as levels or at a cut; compare texts only within "
                    "the judge, or calibrate it on a sample that people rated.",
                )
            )
        if also_short(part) and cell.word != REVERSED and part.n >= FEWEST:
            found.append(
                Note(
                    severity="warning",
                    about=judge,
                    says=f"{name}: {judge} agrees less with people than people with each other "
                    f"(difference in kappa {with_interval(*part.difference, sign=True)}).",
                    do="Keep people for this dimension, or change the prompt and audit again on "
                    "new items.",
                )
            )
    return found


def unanswered_notes(judge: str, large: Large, people: Panel, *, panel: bool = False) -> list[Note]:
    """Return the finding on items that the judge did not rate, if there are many.

    Parameters
    ----------
    judge : str
    large : Large
    people : Panel
    panel : bool
        Whether the judge is a panel of judges, which cannot be asked.
    """
    whole = lacking = 0
    for name in people.dimensions:
        rated = (~np.isnan(people.people[name])).any(axis=1)
        whole += int(rated.sum())
        lacking += int((rated & np.isnan(people.judge(judge, name))).sum())
    missing = lacking / whole if whole else 0.0
    if missing < large.unanswered:
        return []
    severity: Severity = "critical" if missing >= 2 * large.unanswered else "warning"
    much = f"{percent(missing, 1)} of the items that people rated"
    counts = f"({lacking:,} of {whole:,} ratings)"
    rest = "Its agreement is that of the rest."
    if panel:
        return [
            Note(
                severity=severity,
                about=judge,
                says=f"{judge} is a panel and has no answer for {much} {counts}: its judges tie, "
                f"or half of them or fewer rated. {rest}",
                do="If these are the difficult items, the agreement is too high. Let people decide "
                "them, and report the coverage with every number. Ratings, but not labels, can be "
                "combined by their mean or median instead, which never tie.",
            )
        ]
    return [
        Note(
            severity=severity,
            about=judge,
            says=f"{judge} gave no rating for {much} {counts}. {rest}",
            do="Find out which items are missing: if they are the difficult ones, the agreement "
            "is too high. Ask again, or report the coverage with every number.",
        )
    ]


def halo_notes(judge: str, beyond: Beyond, large: Large) -> list[Note]:
    """Return the finding on errors of a judge that go together across dimensions."""
    if beyond.halo is None:
        return []
    rows = [row for row in beyond.halo.of(judge) if ALL not in (row.dimension_a, row.dimension_b)]
    hits = [
        row for row in rows if row.difference.value >= large.halo and row.difference.interval[0] > 0
    ]
    if not hits:
        return []
    worst = max(hits, key=lambda row: row.difference.value)
    pair = f"{spoken(worst.dimension_a)} and {spoken(worst.dimension_b)}"
    where = f"on {pair}" if len(rows) == 1 else f"on {len(hits)} of {len(rows)} pairs of dimensions"
    most = f"; most on {pair}" if len(hits) > 1 else f": {pair}" if len(rows) > 1 else ""
    return [
        Note(
            severity="warning",
            about=judge,
            says=f"Halo: {where}, {judge}'s errors go together more than a person's{most} "
            f"(correlation {number(worst.correlation.value, 2)}, "
            f"{with_interval(*triple(worst.difference), sign=True)} compared with a person).",
            do="Ask for one dimension per request, and do not read its dimensions as separate "
            "evidence.",
        )
    ]


def cut_notes(judge: str, beyond: Beyond, large: Large) -> list[Note]:
    """Return findings on cases at a cut that a person would find and the judge misses."""
    found = []
    at = {
        (row.cut, row.dimension, row.measure, row.annotator): row
        for row in beyond.cuts
        if row.reference == OTHERS
    }
    for (cut, dimension, measure, annotator), row in at.items():
        person = at.get((cut, dimension, measure, PERSON))
        if annotator != judge or person is None or measure not in _AT_CUT:
            continue
        if not person.estimate - row.estimate >= large.cut:
            continue
        clear = row.high < person.low
        found.append(
            Note(
                severity="critical" if clear else "warning",
                about=judge,
                says=f"At the cut {cut} on {spoken(dimension)}, {judge} {_AT_CUT[measure][0]} "
                f"{with_interval(row.estimate, row.low, row.high, percent=True)} "
                f"{_AT_CUT[measure][1]}, a person "
                f"{with_interval(person.estimate, person.low, person.high, percent=True)}"
                f"{'' if clear else ' (the intervals overlap)'}.",
                do="Let people decide cases near the cut, or choose the judge's own cut on "
                "separate data.",
            )
        )
    return found


_AT_CUT = {
    "sensitivity": ("finds", "of the cases"),
    "specificity": ("rightly finds no case in", "of the items that are not cases"),
}


def no_yardstick_notes(parts: Sequence[Part]) -> list[Note]:
    """Return the findings on dimensions where people do not agree, or where it is not known.

    Parameters
    ----------
    parts : sequence of Part
        Those of every judge; people's agreement on a dimension is the same in all.
    """
    return people_agree_notes(
        parts,
        "Train the raters, sharpen the definition, or ask more people per item, and audit again.",
    )


def people_notes(beyond: Beyond) -> list[Note]:
    """Return the findings on people: where they agree little, a judge only meets a low bar."""
    low = low_alphas(beyond.crowd)
    found = same_notes(all_the_same(beyond.crowd), "rating")
    if not low:
        return found
    named = [f"{spoken(name)} ({written(alpha)})" for name, alpha in low.items()]
    return [
        Note(
            severity="warning",
            about=PEOPLE,
            says=f"People agree little with each other, by {ALPHA}, on {listed(named)}; a judge "
            "that does as well has only met a low bar there.",
            do="Train the raters, sharpen the definition, or ask more people per item.",
        ),
        *found,
    ]
