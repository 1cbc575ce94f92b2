"""The sentences of an audit's report: the answer, the methods and the limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import AlternativeAnnotator
from analysis.agreement.coefficients import category_step
from analysis.agreement.constant import idle_sentences
from analysis.agreement.intervals import FEWEST as FEWEST_FOR_ENDS
from analysis.agreement.pairs import AgreementTable
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import MEDIAN, scale_words
from analysis.agreement.sentences import (
    alternative_sentence,
    at_cuts,
    crowd_answer,
    crowd_judge,
    crowd_yardstick,
    one_sided_cuts,
    with_interval,
)
from analysis.agreement.summary import Beyond
from analysis.agreement.undefined import judge_lack, people_lack
from analysis.agreement.weighted import cells_of, weighted_coefficients
from analysis.agreement.yardstick import (
    ABOVE,
    ALL,
    FEWEST,
    OPEN,
    SHORT,
    Standing,
    Yardstick,
    enough,
)
from analysis.audit.annotators import Annotators
from analysis.audit.low_bar import low_bar_sentences
from analysis.results.numbers import number
from analysis.results.words import counted, listed

QUESTION = "How far does each judge agree with people?"
# With more people than this, pairs that share only a few items are not compared.
CROWD = 12


def headline(table: AgreementTable, bar: Yardstick, beyond: Beyond, people: Panel) -> list[str]:
    """Return the answer in plain sentences; the first makes sense alone."""
    beside = "" if beyond.crowd is None else crowd_answer(beyond.crowd)
    if beyond.crowd is not None and beside and all(not s.reading for s in bar.overall()):
        sentences = [beside, crowd_yardstick(beyond.crowd, len(table.humans))]
        sentences += [crowd_judge(row) for row in beyond.crowd.overall()]
    else:
        sentences = [_answer(table, bar, people), _yardstick(table, bar, people)]
        sentences += [_judge(bar, s, people) for s in bar.overall()]
        sentences.append(_like_with_like(table, bar))
    sentences += low_bar_sentences(beyond.crowd, table)
    if beyond.alternative is not None:
        sentences += _tested(beyond, beyond.alternative, table.judges)
    sentences += [*at_cuts(beyond.cuts, table.judges), *one_sided_cuts(beyond.one_sided)]
    sentences.append(
        "No single coefficient decides: each answers a different question, and they can disagree "
        "on the same ratings. Read kappa, alpha, AC2 and the bias of a row together."
    )
    return sentences


def _tested(beyond: Beyond, found: AlternativeAnnotator, judges: Sequence[str]) -> list[str]:
    """Return the sentences on the alternative-annotator test; none where nobody was tested."""
    said = alternative_sentence(found, judges, beyond.constants)
    if not said:
        return []
    passed = [one.dimension for one in found.verdicts if one.passes]
    idle = {name: answer for name in dict.fromkeys(passed) if (answer := beyond.idle(name))}
    return [said, *idle_sentences(idle, "rating")]


def _answer(table: AgreementTable, bar: Yardstick, people: Panel) -> str:
    """Return the sentence on whether judges agree with people as well as people do."""
    overall = bar.overall()
    if all(not s.reading for s in overall):
        one_by_one = any(not np.isnan(s.single.value) for s in overall)
        shown = [(s.judge, s.single if one_by_one else s.median) for s in overall]
        return (
            f"Whether a judge agrees with people as well as people agree with each other cannot "
            f"be said: {_why_open(bar, people)}. Mean quadratic kappa with "
            f"{'a single person' if one_by_one else 'the median of people'}: "
            f"{listed([f'{judge} {with_interval(sample)}' for judge, sample in shown])}."
        )
    short = [
        f"{s.judge} on {listed(names)}"
        for s in overall
        if (names := [part.dimension for part in bar.of(s.judge) if part.reading == SHORT])
    ]
    clauses = [
        _clause(reading, alike)
        for reading in dict.fromkeys(s.reading for s in overall)  # the audited judge comes first
        if (alike := [s for s in overall if s.reading == reading])
    ]
    return f"By mean quadratic kappa{_over(table)}, {'; '.join(clauses)}." + (
        f" Short of people's own agreement: {'; '.join(short)}." if short else ""
    )


def _why_open(bar: Yardstick, people: Panel) -> str:
    """Return why no judge can be compared with people's own agreement."""
    if len(people.humans) == 1:
        return "there is only one person"
    if np.isnan(bar.humans[ALL].value):
        return people_lack(people, ALL).why
    lacks = [
        judge_lack(people, s.judge, ALL, compared=True).why
        for s in bar.overall()
        if np.isnan(s.difference.value)
    ]
    if lacks:
        return listed(list(dict.fromkeys(lacks)))
    items = max(s.difference.n for s in bar.overall())
    if items < FEWEST_FOR_ENDS:
        return f"judge and people share only {counted(items, 'item')}"
    return "no item changes the difference, so it has no interval"


def _clause(reading: str, alike: Sequence[Standing]) -> str:
    """Return the clause on the judges of one reading, each with its difference from people."""
    names = listed([s.judge for s in alike])
    agree = f"{names} {'agrees' if len(alike) == 1 else 'agree'}"
    said = {
        SHORT: f"{agree} less with people than people agree with each other",
        ABOVE: f"{agree} more with single people than they agree with each other",
        OPEN: f"no clear difference between {names}'s agreement with a person and people's with "
        f"each other"
        if len(alike) == 1
        else f"no clear difference between the agreement of {names} with a person and people's "
        f"with each other",
        "": f"there is no yardstick here for the agreement of {names} with people",
    }[reading]
    if not reading:
        return said
    differences = [with_interval(s.difference) for s in alike]
    if len(alike) == 1:
        return f"{said}: {differences[0]}"
    return f"{said}: {listed([f'{s.judge} {d}' for s, d in zip(alike, differences, strict=True)])}"


def _over(table: AgreementTable) -> str:
    """Return over how many dimensions a mean is; empty for one."""
    several = len(table.dimensions) > 1
    return f" over {len(table.dimensions)} dimensions" if several else ""


def _yardstick(table: AgreementTable, bar: Yardstick, panel: Panel) -> str:
    """Return the sentence on the people's own agreement."""
    people = len(table.humans)
    if people == 1:
        return (
            "There is one person, so there is no measure of how far people agree with each other: "
            "add a second person's ratings to get the yardstick."
        )
    parts = [(d, s) for d, s in bar.humans.items() if d != ALL and not np.isnan(s.value)]
    if not parts:
        return (
            f"There is no yardstick: {people_lack(panel, ALL).why}, so people's agreement with "
            "each other is not defined."
        )
    low, high = min(parts, key=lambda p: p[1].value), max(parts, key=lambda p: p[1].value)
    spread = (
        f", from {number(low[1].value, 2)} ({low[0]}) to {number(high[1].value, 2)} ({high[0]})"
        if len(parts) > 1
        else ""
    )
    return (
        f"The yardstick: {people} people agree with each other at a mean quadratic kappa of "
        f"{with_interval(bar.humans[ALL])}{spread}."
    )


def _judge(bar: Yardstick, overall: Standing, people: Panel) -> str:
    """Return the sentence on one judge, with the dimensions where it differs from people."""
    if np.isnan(overall.single.value):
        return (
            f"{overall.judge}: {with_interval(overall.median)} with the median of people; not "
            f"defined with a single person: {judge_lack(people, overall.judge, ALL).why}."
        )
    text = f"{overall.judge}: {with_interval(overall.single)} with a single person"
    if overall.reading:
        text += f", {with_interval(overall.difference)} compared with people's own"
        if overall.humans.n < bar.humans[ALL].n:
            text += (
                f" on the {overall.humans.n} of {bar.humans[ALL].n} items that it also rated "
                f"({number(overall.humans.value, 2)})"
            )
    text += "."
    parts = bar.of(overall.judge)
    for reading, words in ((SHORT, "It falls short of people on"), (ABOVE, "It is above them on")):
        names = [
            f"{s.dimension} ({with_interval(s.difference)})" for s in parts if s.reading == reading
        ]
        if names:
            text += f" {words} {listed(names)}."
    if len(parts) > 1 and all(s.reading == OPEN for s in parts):
        text += " No dimension shows a clear difference."
    return text


def _like_with_like(table: AgreementTable, bar: Yardstick) -> str:
    """Return the sentence that compares judge-with-median and judge-with-one-person."""
    if len(table.humans) == 1:
        return f"With one person, {MEDIAN} is that person, so its rows repeat that person's."
    both = [s for s in bar.overall() if not np.isnan(s.single.value + s.median.value)]
    shown = [f"{s.judge} {number(s.median.value, 2)} ({number(s.single.value, 2)})" for s in both]
    if not shown:
        return "A judge usually agrees more with a median of people than with one person."
    return (
        f"With the median of people (and with one person): {listed(shown)}. A median is less noisy "
        f"than one person, so a judge usually agrees more with it. Only the number with one person "
        f"may be compared with people's own."
    )


def methods(
    table: AgreementTable, beyond: Beyond, *, scale: tuple[float, float], how: str
) -> list[str]:
    """Return how every number was made; `how` says how a pair's intervals were made."""
    tested = beyond.alternative
    return [
        f"Ratings run from {scale_words(scale)} and are aligned by item id. Every human pair, "
        f"every judge with every human, and every judge with {MEDIAN} is compared on the items "
        f"that both rated; {MEDIAN} is, per item, the median of the people who rated it.",
        "Cohen's kappa is given without weights, with linear and with quadratic weights. Weights "
        "come from the values on the scale, not from the order of the values seen, so quadratic "
        "kappa equals Lin's concordance correlation with population moments.",
        "Krippendorff's alpha is given with the ordinal and the interval metric; Gwet's AC2 with "
        "quadratic weights over all categories of the scale, one point apart (half a point where "
        "a rating lies halfway; no value where ratings lie on neither grid).",
        "ICC(2,1) and ICC(2,k) are two-way random effects, absolute agreement, for one rater and "
        "for the mean of the two compared. The p value of Spearman's correlation is from the t "
        "approximation. Bias is mean(a - b): for a "
        "judge's row, judge minus people, in points of the scale.",
        "Means of kappas are over pairs, each weighted by the items that it shares, then over "
        "dimensions. A number has one interval wherever it stands. It comes from 2,000 draws in "
        "which every item has a random weight (a Bayesian bootstrap) and imagined items with the "
        "weight of 1.25 are added: half on items that everybody rates the same, half on items "
        "that each rates at random. So an interval has a width where all items seen agree. "
        "Percentiles are widened to Student's t; those of a difference are corrected for skewness. "
        "With 1,000 items of which 200 are unlike the usual answer, it is the bias-corrected "
        "jackknife. Bias has Student's t interval. In a difference both kappas are from the items "
        "that the judge rated. A judge falls short of people, or is above them, on a dimension if "
        "the p value of the difference, after Holm over the judge's dimensions, is below .05; over "
        "all dimensions together it is one test, not corrected.",
        f"Every coefficient of a pair has its interval in the table of coefficients: {how}. The "
        "test of kappa = 0 uses the null standard error (Fleiss, Cohen and Everitt 1969); the "
        "table has both this and the non-null error.",
        *(
            []
            if tested is None
            else [
                "The alternative-annotator test leaves out one person at a time and asks, item by "
                "item, whether the judge or the person is closer to the remaining people. The "
                f"difference of their wins is compared with epsilon = {tested.epsilon:g} by a "
                "one-sided t-test, corrected after Benjamini and Yekutieli over the people, and "
                "over people and dimensions. A judge that beats at least half of the people passes."
            ]
        ),
        "A coefficient that is not defined (too few items, or no variation to agree on) is left "
        f"empty and not used in means; nor is a pair that shares fewer than {FEWEST} items and "
        "fewer than half of all items.",
    ]


def limits(
    table: AgreementTable, found: Annotators, frame: pd.DataFrame, scale: tuple[float, float]
) -> list[str]:
    """Return what a reader must know before relying on the numbers."""
    notes = list(found.warnings)
    if table.apart:
        notes.append(
            f"{counted(table.apart, 'pair')} of annotators rated {_apart(table)} and "
            f"{'is' if table.apart == 1 else 'are'} left out."
        )
    notes += _fractions(table, found, frame, scale)
    thin = sum(0 < row.n < FEWEST for row in table.rows)
    if thin:
        notes.append(
            f"{thin} of {len(table.rows)} rows have fewer than {FEWEST} items: their "
            f"coefficients are very uncertain."
        )
    left = sum(not enough(row.n, table.items) for row in table.rows)
    if left:
        notes.append(
            f"{left} of {len(table.rows)} rows share too few of the {table.items} items to enter "
            f"the means: fewer than {FEWEST}, and fewer than half."
        )
    if found.simulated:
        notes.insert(0, "The raters are simulated. These numbers show the tool, not people.")
    return [
        *notes,
        f"Items were resampled, and people were not: the intervals are about other items rated by "
        f"these {counted(len(table.humans), 'person', 'people')}, not about other people.",
        "The intervals are not exactly 95%: in studies of 50 made-up items they held the true "
        "value in 92% to 98%, and in more where there are few items and most are rated alike.",
        "No clear difference does not mean equality: with few items the interval is wide. "
        "Differences by dimension are read after Holm's correction over a judge's dimensions; the "
        "intervals beside them are of one dimension each.",
        "Agreement with people is reliability, not truth: people and judge can be wrong together.",
        "No plan was locked before these numbers were seen: all of them are exploratory.",
    ]


def wide_scale(frame: pd.DataFrame, scale: tuple[float, float]) -> list[str]:
    """Return a sentence if the scale is far wider than the ratings, with what that does to AC2.

    Parameters
    ----------
    frame : DataFrame
        All ratings.
    scale : tuple of float
        The scale that was given.
    """
    seen = (float(frame["value"].min()), float(frame["value"].max()))
    if not 0 < seen[1] - seen[0] < (scale[1] - scale[0]) / 2:
        return []
    grid = frame.pivot_table(index=["dimension", "item_id"], columns="rater_id", values="value")
    first, second = grid.notna().sum().nlargest(2).index if grid.shape[1] > 1 else (None, None)
    both = grid[[first, second]].dropna() if first is not None else grid[:0]
    said = (
        f"All ratings lie between {seen[0]:g} and {seen[1]:g}, but the scale given is "
        f"{scale_words(scale)}: check it. AC2, and every limit that is a share of the scale, "
        "depend on its width"
    )
    if len(both) < 2:
        return [f"{said}."]
    cells = cells_of(both[first].to_numpy(), both[second].to_numpy())
    given, narrow = (
        float(weighted_coefficients(cells, cells.counts[None], ends)["ac2"][0])
        for ends in (scale, seen)
    )
    return [
        f"{said}: over all dimensions AC2 of {first} with {second} is {number(given, 2)} on it, "
        f"and {number(narrow, 2)} on {scale_words(seen)}."
    ]


def _apart(table: AgreementTable) -> str:
    """Return what the pairs that were left out had in common."""
    crowded = len(table.humans) > CROWD
    return f"fewer than {FEWEST} items in common" if crowded else "no item in common"


def _fractions(
    table: AgreementTable, found: Annotators, frame: pd.DataFrame, scale: tuple[float, float]
) -> list[str]:
    """Return notes on ratings and medians that are not whole steps of the scale."""
    whole = {
        name: category_step(values.to_numpy(), scale) == 1.0
        for name, values in frame.groupby("rater_id")["value"]
    }
    averaged = [one.name for one in (*found.humans, *found.judges) if not whole[one.name]]
    notes = []
    if averaged:
        notes.append(
            f"Ratings of {listed(averaged)} are not all whole steps of the scale (perhaps averages "
            f"or medians). They agree exactly with a whole rating only by chance, so exact "
            f"agreement and unweighted kappa understate their agreement."
        )
    people = frame[frame["rater_id"].isin(table.humans)]
    medians = people.groupby(["dimension", "item_id"])["value"].median()
    between = int(sum(category_step([value], scale) != 1.0 for value in medians))
    if between and len(table.humans) > 1:
        notes.append(
            f"{between} of {len(medians)} medians of people lie between two steps of the scale. "
            f"There AC2 counts half points as categories, so it is not strictly comparable with "
            f"rows of whole ratings."
        )
    lacking = sum(np.isnan(row.ac2) and row.n >= 2 for row in table.rows)
    if lacking:
        notes.append(
            f"{counted(lacking, 'row')} without AC2: ratings there are neither whole nor half "
            f"points, so there are no categories to weight."
        )
    return notes
