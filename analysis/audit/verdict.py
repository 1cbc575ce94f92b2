"""The rules of a verdict on ratings: from agreement with people to words, findings and gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from analysis.agreement.pairs import AgreementTable
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import scale_words
from analysis.agreement.summary import Beyond
from analysis.agreement.yardstick import FEWEST, Yardstick
from analysis.audit.compared import apart_words, compared_word
from analysis.audit.findings import (
    cut_notes,
    halo_notes,
    judge_notes,
    no_yardstick_notes,
    people_notes,
    unanswered_notes,
)
from analysis.audit.one_answer import always_clause, constant_notes, idle_notes, with_always
from analysis.audit.parts import Part, is_biased, is_reversed, part_of, spoken
from analysis.audit.people_agree import also_short, undecided_words
from analysis.results.numbers import number, percent, with_interval
from analysis.results.verdict import (
    AGREES,
    BIASED,
    NO_YARDSTICK,
    REPLACES,
    REVERSED,
    SHORT,
    TOO_FEW,
    Cell,
    Note,
    NotRun,
    Verdict,
)
from analysis.results.words import counted, introduced, listed
from prereg.plan.reporting import Large

KAPPA = "kappa"


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
    panels: Collection[str] = (),
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
    panels : collection of str
        Judges that are panels of others.
    """
    judges = sorted(table.judges, key=lambda name: name in baselines)
    cells: list[Cell] = []
    sentences: list[str] = []
    notes: list[Note] = []
    everywhere: list[Part] = []
    for judge in judges:
        parts = [part_of(judge, name, table, bar, beyond) for name in table.dimensions]
        everywhere += parts
        mine = [_cell(part, scale, large, everything) for part in parts]
        cells += mine
        sentences.append(_sentence(judge, parts, mine, scale))
        if judge not in baselines:
            notes += constant_notes(parts)
            notes += [
                note
                for part in parts
                for note in idle_notes(
                    part, passes=bool(part.tested and part.tested.passes), rarer="other ratings"
                )
            ]
            notes += judge_notes(judge, parts, mine, scale, large)
            notes += unanswered_notes(judge, large, people, panel=judge in panels)
            notes += halo_notes(judge, beyond, large)
            notes += cut_notes(judge, beyond, large)
    return Verdict(
        sentences=tuple(sentences),
        cells=tuple(cells),
        notes=(*no_yardstick_notes(everywhere), *notes, *people_notes(beyond)),
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


def _cell(part: Part, scale: tuple[float, float], large: Large, everything: bool) -> Cell:
    """Return the word for a judge on a dimension; the most serious one that holds."""
    word, why = _word(part, scale, large, everything)
    return Cell(judge=part.judge, dimension=part.dimension, word=word, why=with_always(part, why))


def _word(
    part: Part, scale: tuple[float, float], large: Large, everything: bool
) -> tuple[str, str]:
    """Return the word and the numbers behind it."""
    if part.n < FEWEST:
        return TOO_FEW, counted(part.n, "item")
    if is_reversed(part, large):
        return REVERSED, f"rank correlation {with_interval(*part.rank)}"
    if is_biased(part, scale, large):
        why = f"{with_interval(*part.bias, sign=True)} points"
        apart = apart_words(part, KAPPA)
        return BIASED, f"{why}\nand {SHORT}: {apart}" if also_short(part) else why
    return compared_word(part, large, everything=everything, coefficient=KAPPA, answer="rating")


def _sentence(
    judge: str, parts: Sequence[Part], cells: Sequence[Cell], scale: tuple[float, float]
) -> str:
    """Return a judge's verdict in plain words."""
    said = [*always_clause(parts), *_biases(parts, cells, scale)]
    other_way = dimensions_called(REVERSED, cells)
    if other_way:
        said.append(f"scores {listed(other_way)} the other way round from people")
    return judge_sentence(judge, cells, said, undecided=undecided_words(parts))


def dimensions_called(word: str, cells: Sequence[Cell]) -> list[str]:
    """Return the dimensions for which a judge's word is this one."""
    return [spoken(cell.dimension) for cell in cells if cell.word == word]


def judge_sentence(
    judge: str, cells: Sequence[Cell], said: Sequence[str], *, undecided: str = ""
) -> str:
    """Return a judge's verdict over its dimensions in plain words.

    Parameters
    ----------
    judge : str
    cells : sequence of Cell
        Its word for each dimension.
    said : sequence of str
        Clauses after "it" on what is wrong with its answers, in whatever way.
    undecided : str
        Why nothing is decided, if it is for people's sake on all dimensions.
    """
    who, total = introduced(judge), len(cells)
    over = "here" if total == 1 else f"on any of {total} dimensions"
    stands, short, agrees, open_, none = (
        dimensions_called(word, cells) for word in (REPLACES, SHORT, AGREES, TOO_FEW, NO_YARDSTICK)
    )
    also = f" It {'; it '.join(said)}." if said else ""
    if len(none) == total:
        return f"{who}: people do not agree with each other {over}: no yardstick.{also}"
    if len(open_) == total:
        why = f": {undecided}" if undecided else ""
        return f"{who}: there are not enough data for a verdict {over}{why}.{also}"
    if total == 1:
        can = "can stand in for a person" if stands else "cannot stand in for a person here"
    elif stands:
        can = f"can stand in for a person on {len(stands)} of {total} dimensions ({listed(stands)})"
    else:
        can = f"cannot stand in for a person {over}"
    clauses = [f"{who} {can}", *said]
    if short:
        clauses.append(f"falls short of people on {listed(short)}")
    if agrees:
        clauses.append(
            f"agrees with people on {listed(agrees)}, but is not shown able to take their place"
        )
    text = "; it ".join(clauses)
    if none:
        text += f"; people do not agree with each other on {listed(none)}"
    if open_:
        text += f"; the data do not decide about {listed(open_)}"
    return text + "."


def _biases(parts: Sequence[Part], cells: Sequence[Cell], scale: tuple[float, float]) -> list[str]:
    """Return the clauses on what a judge scores too high and too low, the largest first."""
    biased = [p for p, c in zip(parts, cells, strict=True) if c.word == BIASED]
    biased.sort(key=lambda part: -abs(part.bias[0]))
    said: list[str] = []
    for word, sign in (("high", 1), ("low", -1)):
        mine = [part for part in biased if sign * part.bias[0] > 0]
        if mine:
            shown = [f"{spoken(p.dimension)} {number(abs(p.bias[0]), 1)}" for p in mine]
            shown[0] += " points" if len(said) == 0 else ""
            clause = f"scores {listed(shown)} too {word} (scale {scale_words(scale)})"
            short = [spoken(part.dimension) for part in mine if also_short(part)]
            if short:
                where = "there" if len(short) == len(mine) else f"on {listed(short)}"
                clause += f" and falls short of people {where}"
            said.append(clause)
    return said


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
