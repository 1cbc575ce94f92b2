"""Findings on judges and people from an audit of labels, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.label_tables import low_people
from analysis.agreement.yardstick import FEWEST
from analysis.audit.label_parts import LabelPart, overused, swapped
from analysis.audit.one_answer import idle_notes, same_notes
from analysis.audit.parts import spoken
from analysis.audit.people_agree import (
    also_short,
    lacks_yardstick,
    people_agree_notes,
    shows_too_little,
)
from analysis.results.numbers import number, percent, with_interval
from analysis.results.verdict import Note
from analysis.results.words import listed
from prereg.plan.reporting import Large

PEOPLE = "people"


def label_notes(judge: str, parts: Sequence[LabelPart], large: Large) -> list[Note]:
    """Return the findings on exchanged labels, shares of labels and agreement of one judge."""
    found: list[Note] = []
    for part in parts:
        if part.n < FEWEST:
            continue
        name = spoken(part.dimension)
        best, names = swapped(part, large)
        if names:
            pairs = listed([f"{own!r} for {other!r}" for own, other in names.items()])
            found.append(
                Note(
                    severity="critical",
                    about=judge,
                    says=f"{name}: {judge} seems to give {pairs}. Its {part.coefficient} with a "
                    f"person is {with_interval(*part.own)}; with the labels exchanged it would be "
                    f"{number(best, 2)}.",
                    do="Check what each label stands for in both files and in the prompt, before "
                    "anything else is read.",
                )
            )
            continue
        found += _share_note(judge, part, large)
        found += _missed_notes(judge, part, large)
        if also_short(part):
            found.append(
                Note(
                    severity="warning",
                    about=judge,
                    says=f"{name}: {judge} agrees less with people than people with each other "
                    f"(difference in {part.coefficient} "
                    f"{with_interval(*part.difference, sign=True)}).",
                    do="Keep people for this dimension, or change the prompt and audit again on "
                    "new items.",
                )
            )
        passes = part.tested is not None and bool(part.tested.passes)
        found += idle_notes(part, passes=passes, rarer="rarer labels")
    return found


def _share_note(judge: str, part: LabelPart, large: Large) -> list[Note]:
    worst = overused(part, large)
    if worst is None:
        return []
    often = "more" if worst.difference > 0 else "less"
    apart = with_interval(
        100 * worst.difference,
        100 * worst.difference_low,
        100 * worst.difference_high,
        sign=True,
        decimals=0,
    )
    return [
        Note(
            severity="critical" if abs(worst.difference) >= large.severe_bias else "warning",
            about=judge,
            says=f"{spoken(part.dimension)}: {judge} gives {worst.label!r} {often} often than "
            f"people: to {percent(worst.estimate)} of the items, people to "
            f"{percent(worst.person)} ({apart} percentage points).",
            do="Do not report shares of labels from this judge; correct them on a sample that "
            "people labelled.",
        )
    ]


def _missed_notes(judge: str, part: LabelPart, large: Large) -> list[Note]:
    """Return findings on labels of people that the judge finds clearly less often than a person."""
    return [
        Note(
            severity="critical" if one.difference <= -2 * large.cut else "warning",
            about=judge,
            says=f"{spoken(part.dimension)}: of the cases to which a person gave {one.label!r}, "
            f"{judge} finds {with_interval(one.estimate, one.low, one.high, percent=True)}, "
            "another person "
            f"{with_interval(one.person, one.person_low, one.person_high, percent=True)}.",
            do="Let people decide where this label matters, or look in the confusion matrix at "
            "what it is taken for and change the prompt.",
        )
        for one in part.finds
        if one.difference <= -large.cut and one.difference_high < 0
    ]


def people_label_notes(parts: Sequence[LabelPart], found: LabelAgreement) -> list[Note]:
    """Return the findings on people: where they agree little, or only by chance."""
    notes = people_agree_notes(
        parts,
        "Train the raters, sharpen the definitions of the labels, or ask more people per item, and "
        "audit again.",
    )
    known = {part.dimension for part in parts if lacks_yardstick(part) or shows_too_little(part)}
    low = [
        f"{spoken(name)} (alpha {number(alpha, 2)})"
        for name, alpha in low_people(found)
        if name not in known
    ]
    if low:
        notes.append(
            Note(
                severity="warning",
                about=PEOPLE,
                says=f"People agree little with each other on {listed(low)}; a judge that does as "
                "well has only met a low bar there.",
                do="Train the raters, sharpen the definitions of the labels, or ask more people "
                "per item.",
            )
        )
    same = [
        row.dimension
        for row in found.crowd.people[1:]
        if row.n and np.isnan(row.own["alpha_nominal"].value)
    ]
    return [*notes, *same_notes(same, "label")]
