"""Sentences of reports that compare judges with a crowd and with single people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from analysis.agreement.alternative_annotator import LOW_ALPHA, AlternativeAnnotator
from analysis.agreement.constant import always_said
from analysis.agreement.crowd import Crowd, CrowdRow
from analysis.agreement.cut import AtCut
from analysis.agreement.rating_table import OTHERS, PERSON
from analysis.agreement.sample import Sample
from analysis.agreement.summary import OneSided
from analysis.agreement.yardstick import FEWEST
from analysis.results import numbers
from analysis.results.words import listed


def with_interval(sample: Sample) -> str:
    """Return an estimate with its interval, with the decimals that fit its width."""
    return numbers.with_interval(sample.value, *sample.interval)


def crowd_yardstick(found: Crowd, people: int) -> str:
    """Return the sentence on how far one person agrees with the others; empty if not known."""
    whole = found.people[0]
    if np.isnan(whole["person"].value):
        return ""
    most = f"{whole.fewest}" if whole.fewest == whole.most else f"{whole.fewest} to {whole.most}"
    return (
        f"The yardstick: {people} people, {most} ratings per item. One person agrees with the mean "
        f"of the others at a quadratic kappa of {with_interval(whole['person'])}; Krippendorff's "
        f"ordinal alpha of all people is {with_interval(whole['alpha_ordinal'])}."
    )


def crowd_judge(row: CrowdRow) -> str:
    """Return the sentence that compares one judge with the crowd, over all dimensions."""
    if not _comparable(row["difference"]):
        return (
            f"{row.annotator}: two people and the judge rated too few items in common, or their "
            "ratings do not vary."
        )
    return (
        f"{row.annotator} agrees with the same means at {with_interval(row['judge'])}; the "
        f"difference from one person is {with_interval(row['difference'])}."
    )


def crowd_answer(found: Crowd) -> str:
    """Return the sentence that says whether judges agree with a crowd as much as its members."""
    clauses: list[str] = []
    left: list[str] = []
    for row in found.overall():
        low, high = row["difference"].interval
        if not _comparable(row["difference"]):
            left.append(row.annotator)
            continue
        how = (
            "agrees with the other people less than a single person does"
            if high < 0
            else "agrees with the other people more than a single person does"
            if low > 0
            else "shows no clear difference from a single person in agreement with the others"
        )
        clauses.append(f"{row.annotator} {how} ({with_interval(row['difference'])})")
    if not clauses:
        return ""
    if left:
        clauses.append(f"{listed(left)} cannot be compared with a single person")
    return (
        "Few pairs of people rated the same items, so each person is compared with the others: "
        f"{'; '.join(clauses)}."
    )


def _comparable(difference: Sample) -> bool:
    """Say whether a difference is of enough items, and of ratings that vary."""
    low, high = difference.interval
    return difference.n >= FEWEST and bool(low < high)


def in_a_persons_place(
    found: AlternativeAnnotator, judge: str, constants: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the sentence on one judge's alternative-annotator test; empty if nobody is tested.

    It names dimensions where the judge passes but that shows little: people agree little, their
    agreement is not defined, or the judge always says the same.

    Parameters
    ----------
    found : AlternativeAnnotator
    judge : str
    constants : mapping of str to str
        By dimension, what the judge says that always says the same.
    """
    if all(row.passes is None for row in found.verdicts):
        return ""
    rows = [row for row in found.verdicts if row.judge == judge and row.passes is not None]
    if not rows:
        return (
            f"{judge} could not be tested, because no person rated enough items in common with it "
            "and with others"
        )
    passed = [row for row in rows if row.passes]
    still = sum(bool(row.passes_all) for row in rows)
    said = f"{judge} passes on {len(passed)} of {len(rows)} dimensions"
    if len(rows) == 1:
        said = f"{judge} {'passes' if passed else 'does not pass'}"
    if passed and len(rows) > 1:
        said += f", and on {still} after correction over all dimensions"
    flat = [row.dimension for row in passed if row.dimension in constants]
    rest = [row for row in passed if row.dimension not in constants]
    low = [row.dimension for row in rest if row.human_alpha < LOW_ALPHA]
    unknown = [row.dimension for row in rest if np.isnan(row.human_alpha)]
    if flat:
        said += f"; it always says {always_said(constants, flat)}, so passing means nothing there"
    if low:
        said += f"; people agree little on {listed(low)}, so passing means little there"
    if unknown:
        said += (
            f"; people's alpha is not defined on {listed(unknown)}, because they gave every item "
            "the same, so passing shows nothing there"
        )
    return said


def alternative_sentence(
    found: AlternativeAnnotator,
    judges: Sequence[str],
    constants: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> str:
    """Return one sentence on all judges, empty if nobody could be tested."""
    said = [
        text
        for judge in judges
        if (text := in_a_persons_place(found, judge, _of(constants, judge)))
    ]
    if not said:
        return ""
    return (
        f"Could a judge take a person's place (alternative-annotator test, epsilon "
        f"{found.epsilon:g})? {'. '.join(said)}."
    )


def beside_the_gates_test(found: AlternativeAnnotator) -> str:
    """Return why the test of the same name in the gate of `ratify causal` may say otherwise."""
    tested = [one for one in found.humans if not np.isnan(one.p_value)]
    if not tested:
        return ""
    people = max(one.humans for one in found.verdicts)
    items = float(np.median([one.n for one in tested]))
    return (
        f"This test takes people one at a time (up to {people} on a dimension), each on the "
        f"{items:g} items (median) that they rated together with others, and corrects for their "
        "number. The gate of `ratify causal` has a test of the same name that takes all raters of "
        "an item together, on all items at once, so it can pass where this one does not."
    )


def _of(constants: Mapping[str, Mapping[str, str]], judge: str) -> Mapping[str, str]:
    return constants.get(judge, {})


def at_cuts(rows: Sequence[AtCut], judges: Sequence[str]) -> list[str]:
    """Return one sentence per cut and judge: how many cases it finds, and how many a person."""
    of = {(r.cut, r.annotator, r.dimension): r for r in rows if _finds(r)}
    found = []
    for cut in dict.fromkeys(row.cut for row in rows):
        for judge in judges:
            names = [d for c, who, d in of if (c, who) == (cut, judge) and (c, PERSON, d) in of]
            shown = [
                f"{_share(of[cut, judge, d])} on {d} ({_share(of[cut, PERSON, d])})" for d in names
            ]
            if shown:
                found.append(
                    f"At the cut {cut}, {judge} (and a single person) finds of the other people's "
                    f"cases {listed(shown)}."
                )
    return found


def one_sided_cuts(found: Sequence[OneSided]) -> list[str]:
    """Return one sentence per cut that has all of people's ratings on one side."""
    said = []
    for cut in dict.fromkeys(one.cut for one in found):
        mine = [one for one in found if one.cut == cut]
        shown = [
            f"{'all are' if one.beyond else 'none is'} beyond it on {one.dimension} (they run from "
            f"{one.low:g} to {one.high:g})"
            for one in mine
        ]
        said.append(
            f"People's ratings lie on one side of the cut {cut}: {listed(shown)}. Shares that need "
            "ratings on both sides are not defined there; check the cut."
        )
    return said


def _finds(row: AtCut) -> bool:
    """Say whether a row is the share of the other people's cases that somebody finds."""
    asked = row.measure == "sensitivity" and row.reference == OTHERS
    return asked and not np.isnan(row.estimate)


def _share(row: AtCut) -> str:
    return numbers.with_interval(row.estimate, row.low, row.high, percent=True)
