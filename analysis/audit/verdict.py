"""The rules of a verdict on ratings: from agreement with people to words, findings and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.agreement.alternative_annotator import LOW_ALPHA
from analysis.agreement.alternative_annotator import Verdict as Tested
from analysis.agreement.cut import OTHERS, PERSON
from analysis.agreement.pairs import Agreement, AgreementTable
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import MEDIAN, scale_words
from analysis.agreement.summary import Beyond
from analysis.agreement.yardstick import ALL, FEWEST, Sample, Yardstick
from analysis.agreement.yardstick import SHORT as FALLS_SHORT
from analysis.results.numbers import number, percent, with_interval
from analysis.results.verdict import (
    AGREES,
    BIASED,
    REPLACES,
    REVERSED,
    SHORT,
    TOO_FEW,
    Cell,
    Note,
    NotRun,
    Verdict,
)
from analysis.results.words import counted, listed
from prereg.plan.reporting import Large

PEOPLE = "people"


@dataclass(frozen=True)
class _Part:
    """One judge on one dimension: the numbers that the rules look at."""

    judge: str
    dimension: str
    n: int
    difference: tuple[float, float, float]
    short: bool
    bias: tuple[float, float, float]
    rank: tuple[float, float, float]
    tested: Tested | None


def rating_verdict(
    table: AgreementTable,
    bar: Yardstick,
    beyond: Beyond,
    people: Panel,
    *,
    scale: tuple[float, float],
    large: Large,
    baselines: Sequence[str] = (),
    everything: bool = False,
) -> Verdict:
    """Return the verdict on the judges of some ratings.

    Parameters
    ----------
    table, bar, beyond, people
        The agreement of pairs, people's own as the yardstick, what goes beyond pairs, and the
        ratings themselves.
    scale : tuple of float
    large : Large
        What counts as large.
    baselines : sequence of str
        Judges that are only compared; they come last, and have no findings.
    everything : bool
        Whether passing the alternative-annotator test is corrected over dimensions too.
    """
    judges = sorted(table.judges, key=lambda name: name in baselines)
    cells: list[Cell] = []
    sentences: list[str] = []
    notes: list[Note] = []
    for judge in judges:
        parts = [_part(judge, name, table, bar, beyond) for name in table.dimensions]
        mine = [_cell(part, scale, large, everything) for part in parts]
        cells += mine
        sentences.append(_sentence(judge, parts, mine, scale))
        if judge not in baselines:
            notes += _notes(judge, parts, mine, scale, large)
            notes += _unanswered(judge, large, people)
            notes += _halo_notes(judge, beyond, large)
            notes += _cut_notes(judge, beyond, large)
    return Verdict(
        sentences=tuple(sentences),
        cells=tuple(cells),
        notes=(*notes, *_people_notes(table, beyond)),
        not_run=tuple(_not_run(table, beyond, cells)),
        limits=(limits_said(scale, large),),
    )


def limits_said(scale: tuple[float, float], large: Large) -> str:
    """Return the sentence that says what counts as large."""
    width = scale[1] - scale[0]
    return (
        f"Limits of this verdict: bias is large from {number(large.bias * width, 2)} points "
        f"({percent(large.bias)} of the scale's width) and critical from "
        f"{number(large.severe_bias * width, 2)}; a scale is called reversed at a rank correlation "
        f"of {number(-large.reversed, 2)} or lower; a judge agrees if the interval shows that its "
        f"kappa is at most {number(large.shortfall, 2)} below people's own; halo is large from "
        f"{number(large.halo, 2)}, a difference at the cut from {percent(large.cut)}, and a share "
        f"of unanswered items from {percent(large.unanswered)}."
    )


def _part(
    judge: str, dimension: str, table: AgreementTable, bar: Yardstick, beyond: Beyond
) -> _Part:
    standing = next(s for s in bar.of(judge) if s.dimension == dimension)
    row = _with_median(judge, dimension, table)
    difference, short = standing.difference, standing.reading == FALLS_SHORT
    if np.isnan(difference.value) and beyond.crowd is not None:
        crowd = next(
            (r for r in beyond.crowd.judges if r.annotator == judge and r.dimension == dimension),
            None,
        )
        if crowd is not None:
            difference = crowd["difference"]
            short = difference.interval[1] < 0
    tested = None
    if beyond.alternative is not None:
        tested = next(
            (
                v
                for v in beyond.alternative.verdicts
                if v.judge == judge and v.dimension == dimension and v.passes is not None
            ),
            None,
        )
    return _Part(
        judge=judge,
        dimension=dimension,
        n=0 if row is None else row.n,
        difference=_triple(difference),
        short=short,
        bias=_triple(standing.bias),
        rank=(np.nan, np.nan, np.nan)
        if row is None
        else (row.spearman, row.spearman_low, row.spearman_high),
        tested=tested,
    )


def _triple(sample: Sample) -> tuple[float, float, float]:
    return (sample.value, *sample.interval)


def _with_median(judge: str, dimension: str, table: AgreementTable) -> Agreement | None:
    for row in table.rows:
        if {row.annotator_a, row.annotator_b} == {judge, MEDIAN} and row.dimension == dimension:
            return row
    return None


def _cell(part: _Part, scale: tuple[float, float], large: Large, everything: bool) -> Cell:
    """Return the word for a judge on a dimension; the most serious one that holds."""
    word, why = _word(part, scale, large, everything)
    return Cell(judge=part.judge, dimension=part.dimension, word=word, why=why)


def _word(
    part: _Part, scale: tuple[float, float], large: Large, everything: bool
) -> tuple[str, str]:
    value, low, _ = part.difference
    gap = with_interval(*part.difference, sign=True)
    apart = "" if np.isnan(value) else f"kappa {gap} from people's own"
    if part.n < FEWEST:
        return TOO_FEW, counted(part.n, "item")
    if _reversed(part, large):
        return REVERSED, f"rank correlation {with_interval(*part.rank)}"
    if _biased(part, scale, large):
        return BIASED, f"{with_interval(*part.bias, sign=True)} points"
    passes = part.tested is not None and (
        part.tested.passes_all if everything else part.tested.passes
    )
    if passes and part.tested is not None:
        if part.tested.human_alpha >= LOW_ALPHA:
            return REPLACES, apart
        if np.isnan(low):
            return TOO_FEW, "people's ratings hardly vary"
        return AGREES, "passes, but people agree little"
    if part.short:
        return SHORT, apart
    if np.isnan(value):
        return TOO_FEW, "no agreement of people to compare with"
    if low >= -large.shortfall:
        return AGREES, apart
    return TOO_FEW, f"{apart}: too uncertain"


def _reversed(part: _Part, large: Large) -> bool:
    value, _, high = part.rank
    return bool(value <= -large.reversed and high < 0)


def _biased(part: _Part, scale: tuple[float, float], large: Large) -> bool:
    value, low, high = part.bias
    excludes = low > 0 or high < 0 or (low == high == value)
    return bool(abs(value) >= large.bias * (scale[1] - scale[0]) and excludes)


def _sentence(
    judge: str, parts: Sequence[_Part], cells: Sequence[Cell], scale: tuple[float, float]
) -> str:
    """Return a judge's verdict in plain words."""
    of = {word: [_said(c.dimension) for c in cells if c.word == word] for word in _ORDER}
    total = len(cells)
    over = counted(total, "dimension")
    stands = of[REPLACES]
    if len(of[TOO_FEW]) == total:
        return f"{judge}: there are not enough data for a verdict on any of {over}."
    if total == 1:
        can = "can stand in for a person" if stands else "cannot stand in for a person here"
    elif stands:
        can = f"can stand in for a person on {len(stands)} of {over} ({listed(stands)})"
    else:
        can = f"cannot stand in for a person on any of {over}"
    said = _biases(parts, cells, scale)
    if of[REVERSED]:
        said.append(f"scores {listed(of[REVERSED])} the other way round from people")
    if of[SHORT]:
        said.append(f"falls short of people on {listed(of[SHORT])}")
    if of[AGREES]:
        said.append(
            f"agrees with people on {listed(of[AGREES])} without passing the test for their place"
        )
    text = "; it ".join([f"{judge} {can}", *said])
    if of[TOO_FEW]:
        text += f"; the data do not decide about {listed(of[TOO_FEW])}"
    return text + "."


def _biases(parts: Sequence[_Part], cells: Sequence[Cell], scale: tuple[float, float]) -> list[str]:
    """Return the clauses on what a judge scores too high and too low, the largest first."""
    biased = [p for p, c in zip(parts, cells, strict=True) if c.word == BIASED]
    biased.sort(key=lambda part: -abs(part.bias[0]))
    said: list[str] = []
    for word, sign in (("high", 1), ("low", -1)):
        mine = [part for part in biased if sign * part.bias[0] > 0]
        if mine:
            shown = [f"{_said(p.dimension)} {number(abs(p.bias[0]), 1)}" for p in mine]
            shown[0] += " points" if len(said) == 0 else ""
            said.append(f"scores {listed(shown)} too {word} (scale {scale_words(scale)})")
    return said


_ORDER = (REPLACES, AGREES, BIASED, REVERSED, SHORT, TOO_FEW)


def _said(dimension: str) -> str:
    return dimension.replace("_", " ")


def _notes(
    judge: str,
    parts: Sequence[_Part],
    cells: Sequence[Cell],
    scale: tuple[float, float],
    large: Large,
) -> list[Note]:
    """Return the findings on bias, direction and agreement of one judge."""
    found: list[Note] = []
    width = scale[1] - scale[0]
    for part, cell in zip(parts, cells, strict=True):
        name = _said(part.dimension)
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
        elif part.n >= FEWEST and _biased(part, scale, large):
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
        if part.short and cell.word != REVERSED and part.n >= FEWEST:
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


def _unanswered(judge: str, large: Large, people: Panel) -> list[Note]:
    """Return the finding on items that the judge did not rate, if there are many."""
    whole = lacking = 0
    for name in people.dimensions:
        rated = (~np.isnan(people.people[name])).any(axis=1)
        whole += int(rated.sum())
        lacking += int((rated & np.isnan(people.judge(judge, name))).sum())
    missing = lacking / whole if whole else 0.0
    if missing < large.unanswered:
        return []
    return [
        Note(
            severity="critical" if missing >= 2 * large.unanswered else "warning",
            about=judge,
            says=f"{judge} gave no rating for {percent(missing, 1)} of the items that people rated "
            f"({lacking:,} of {whole:,} ratings). Its agreement is that of the rest.",
            do="Find out which items are missing: if they are the difficult ones, the agreement "
            "is too high. Ask again, or report the coverage with every number.",
        )
    ]


def _halo_notes(judge: str, beyond: Beyond, large: Large) -> list[Note]:
    if beyond.halo is None:
        return []
    rows = [row for row in beyond.halo.of(judge) if ALL not in (row.dimension_a, row.dimension_b)]
    hits = [
        row for row in rows if row.difference.value >= large.halo and row.difference.interval[0] > 0
    ]
    if not hits:
        return []
    worst = max(hits, key=lambda row: row.difference.value)
    return [
        Note(
            severity="warning",
            about=judge,
            says=f"Halo: on {len(hits)} of {counted(len(rows), 'pair')} of dimensions {judge}'s "
            "errors go together more than a person's; most on "
            f"{_said(worst.dimension_a)} and {_said(worst.dimension_b)} (correlation "
            f"{number(worst.correlation.value, 2)}, "
            f"{with_interval(*_triple(worst.difference), sign=True)} compared with a person).",
            do="Ask for one dimension per request, and do not read its dimensions as separate "
            "evidence.",
        )
    ]


def _cut_notes(judge: str, beyond: Beyond, large: Large) -> list[Note]:
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
                says=f"At the cut {cut} on {_said(dimension)}, {judge} {_AT_CUT[measure][0]} "
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
    "specificity": ("rightly leaves", "of the other items uncalled"),
}


def _people_notes(table: AgreementTable, beyond: Beyond) -> list[Note]:
    """Return the findings on people: where they agree little, a judge only meets a low bar."""
    if beyond.crowd is None:
        return []
    low = [
        f"{_said(row.dimension)} (alpha {number(row['alpha_ordinal'].value, 2)})"
        for row in beyond.crowd.people
        if row.dimension != ALL and row["alpha_ordinal"].value < LOW_ALPHA
    ]
    if not low:
        return []
    return [
        Note(
            severity="warning",
            about=PEOPLE,
            says=f"People agree little with each other on {listed(low)}; a judge that does as well "
            "has only met a low bar there.",
            do="Train the raters, sharpen the definition, or ask more people per item.",
        )
    ]


def _not_run(table: AgreementTable, beyond: Beyond, cells: Sequence[Cell]) -> list[NotRun]:
    """Return the checks that could not run on these ratings."""
    found = []
    one = len(table.humans) == 1
    alone = "there is one person; add a second person's ratings"
    if one:
        found.append(NotRun(check="People's agreement with each other", why=alone))
    if beyond.alternative is None or all(v.passes is None for v in beyond.alternative.verdicts):
        why = alone if one else "too few items, or people rated too few of them in common"
        found.append(NotRun(check="Whether a judge could take a person's place", why=why))
    if beyond.halo is None:
        why = alone if one else "there is one dimension; halo is about two or more"
        found.append(NotRun(check="Halo", why=why))
    if not beyond.cuts:
        why = alone if one else "no cut is named (--cut in an audit, cuts in a plan)"
        found.append(NotRun(check="What happens at a cut", why=why))
    return found
