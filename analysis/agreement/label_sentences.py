"""Sentences of reports on labels: people's own agreement first, then each judge's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.agreement.constant import idle_sentences
from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.label_tables import low_people
from analysis.agreement.sample import readings
from analysis.agreement.sentences import alternative_sentence, with_interval
from analysis.agreement.undefined import judge_lack, people_lack
from analysis.agreement.yardstick import ABOVE, ALL, FEWEST, OPEN, SHORT, Sample
from analysis.results import numbers
from analysis.results.words import listed

# What each reading says of a judge, and which difference shows it.
_SAID = {
    SHORT: "agrees less with people than people agree with each other",
    ABOVE: "agrees more with single people than they agree with each other",
    OPEN: "shows no clear difference from people's agreement with each other",
}


def percent_interval(sample: Sample) -> str:
    """Return a share with its interval as percentages."""
    return numbers.with_interval(sample.value, *sample.interval, percent=True)


def label_answer(found: LabelAgreement) -> str:
    """Return whether each judge agrees with people as well as people agree with each other."""
    pooled = by_pooling(found)
    clauses = []
    for judge in found.table.judges:
        less, reading = standing(found, judge, ALL, pooled=pooled)
        if reading:
            clauses.append(f"{judge} {_SAID[reading]} ({with_interval(less)})")
    if not clauses:
        why = "there is only one person" if len(found.table.humans) == 1 else _why_open(found)
        return (
            "Whether a judge gives the same labels as people, as far as people do among "
            f"themselves, cannot be said: {why}."
        )
    several = len(found.table.dimensions) > 1
    over = f" over {len(found.table.dimensions)} dimensions" if several else ""
    what = "Krippendorff's nominal alpha, pooled over people" if pooled else "Cohen's kappa"
    return f"By {'mean ' if several else ''}{what}{over}, {'; '.join(clauses)}."


def _why_open(found: LabelAgreement) -> str:
    """Return why no judge can be compared with people's own agreement."""
    lacks = [
        judge_lack(found.table, judge, ALL, "label", compared=True, pooled=True).why
        for judge in found.table.judges
        if np.isnan(standing(found, judge, ALL, pooled=True)[0].value)
    ]
    if np.isnan(found.crowd.people[0].own["alpha_nominal"].value):
        return people_lack(found.table, ALL, "label", pooled=True).why
    if lacks:
        return listed(list(dict.fromkeys(lacks)))
    return "they share too few items, or no item changes the difference"


def by_pooling(found: LabelAgreement) -> bool:
    """Say whether judges are compared by pooled alpha, because few pairs share enough items."""
    return all(not s.reading for s in found.bar.overall()) and len(found.table.humans) > 1


def standing(
    found: LabelAgreement, judge: str, dimension: str, *, pooled: bool
) -> tuple[Sample, str]:
    """Return a judge's difference from people's own agreement, and what it shows.

    On a dimension it is read after Holm's correction over the judge's dimensions, as for ratings;
    the mean over all dimensions is one test, not corrected. Nothing is read from too few items.
    """
    names = [ALL] if dimension == ALL else list(found.table.dimensions)
    differences = {name: _difference(found, judge, name, pooled=pooled) for name in names}
    fewest = min(FEWEST, len(found.table.items) / 2)
    enough = [name for name, less in differences.items() if less.n >= fewest]
    said = readings([differences[name] for name in enough])
    shown = {name: reading for name, (_, reading) in zip(enough, said, strict=True)}
    return differences[dimension], shown.get(dimension, "")


def _difference(found: LabelAgreement, judge: str, dimension: str, *, pooled: bool) -> Sample:
    if pooled:
        return found.crowd.of(judge, dimension).differences["alpha_nominal"]
    return next(
        s.difference for s in found.bar.standings if (s.judge, s.dimension) == (judge, dimension)
    )


def label_yardstick_sentence(found: LabelAgreement) -> str:
    """Return the sentence on the people's own agreement."""
    if len(found.table.humans) == 1:
        return (
            "There is one person, so there is no measure of how far people agree with each other: "
            "add a second person's labels to get the yardstick."
        )
    whole = found.crowd.people[0].own
    if np.isnan(whole["exact"].value):
        return "There is no yardstick: no two people labelled the same item."
    mean = " (means over dimensions)" if len(found.table.dimensions) > 1 else ""
    kappa = found.bar.humans[ALL]
    said = "" if np.isnan(kappa.value) else f", mean kappa {with_interval(kappa)}"
    return (
        f"The yardstick: {_two_of(len(found.table.humans))} give an item the same label in "
        f"{percent_interval(whole['exact'])} of cases{said}, Krippendorff's nominal alpha "
        f"{with_interval(whole['alpha_nominal'])}, AC1 {with_interval(whole['ac1'])}{mean}."
    )


def _two_of(people: int) -> str:
    return "the two people" if people == 2 else f"two of {people} people"


def label_judge_sentence(found: LabelAgreement, judge: str) -> str:
    """Return the sentence on one judge, with the dimensions where it differs from people."""
    pooled = by_pooling(found)
    row = found.crowd.of(judge, ALL)
    single = next(s.single for s in found.bar.overall() if s.judge == judge)
    if np.isnan(row.own["exact"].value):
        return f"{judge} and people labelled no item in common."
    text = (
        f"{judge} gives the same label as a person in {percent_interval(row.own['exact'])} of cases"
    )
    beside = row.people["exact"].value
    if not np.isnan(beside):
        text += f" (two people on the same items: {numbers.percent(beside)})"
    if pooled or np.isnan(single.value):
        text += f"; alpha {with_interval(row.own['alpha_nominal'])}"
    else:
        text += f"; kappa {with_interval(single)}"
    less, reading = standing(found, judge, ALL, pooled=pooled)
    if reading:
        text += f", {with_interval(less)} compared with people's own"
    text += "."
    dimensions = found.table.dimensions
    if len(dimensions) == 1:
        return text
    for wanted, words in ((SHORT, "It falls short of people on"), (ABOVE, "It is above them on")):
        parts = [(name, *standing(found, judge, name, pooled=pooled)) for name in dimensions]
        there = [f"{name} ({with_interval(by)})" for name, by, said in parts if said == wanted]
        text += f" {words} {listed(there)}." if there else ""
    return text


def frequent_sentence(found: LabelAgreement) -> str:
    """Return what share a judge would get right that always gave the most frequent label."""
    shown = [
        f"{numbers.percent(share)} on {name} ({label!r})"
        for name, (label, share) in found.frequent.items()
        if not np.isnan(share)
    ]
    return (
        "Always giving people's most frequent label would be the same as a person's label in "
        f"{listed(shown)}: read shares of equal labels beside these."
    )


def label_test_sentences(found: LabelAgreement, judges: Sequence[str]) -> list[str]:
    """Return the sentences on the alternative-annotator test; none where nobody was tested."""
    if found.alternative is None:
        return []
    constants = {judge: found.constants(judge) for judge in judges}
    said = alternative_sentence(found.alternative, judges, constants)
    if not said:
        return []
    passed = {one.dimension for one in found.alternative.verdicts if one.passes}
    idle = {
        name: repr(found.frequent[name][0])
        for name in found.table.dimensions
        if name in passed and found.always_passes(name)
    }
    return [said, *idle_sentences(idle, "label")]


def low_sentence(found: LabelAgreement) -> list[str]:
    """Return a warning on dimensions where people agree little, if there are any."""
    low = low_people(found)
    if not low:
        return []
    ac1 = {row.dimension: row.own["ac1"].value for row in found.crowd.people}
    named = [
        f"{name} (alpha {numbers.number(alpha, 2)}, AC1 {numbers.number(ac1[name], 2)})"
        for name, alpha in low
    ]
    return [
        f"People themselves agree little on {listed(named)}: a judge that does as well as they do "
        "has only met a low bar there."
    ]
