"""The rules of a verdict on labels: from agreement with people to words, findings and gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.yardstick import FEWEST
from analysis.audit.compared import apart_words, compared_word
from analysis.audit.findings import unanswered_notes
from analysis.audit.label_findings import label_notes, people_label_notes
from analysis.audit.label_parts import LabelPart, label_part, overused, swapped
from analysis.audit.one_answer import always_clause, constant_notes, with_always
from analysis.audit.parts import spoken
from analysis.audit.people_agree import also_short, undecided_words
from analysis.audit.verdict import dimensions_called, judge_sentence
from analysis.results.numbers import number, percent, signed, with_interval
from analysis.results.verdict import (
    EXCHANGED,
    OTHER_SHARES,
    SHORT,
    TOO_FEW,
    Cell,
    Note,
    NotRun,
    Verdict,
)
from analysis.results.words import counted, listed
from prereg.plan.reporting import Large


def label_verdict(
    found: LabelAgreement,
    *,
    large: Large,
    baselines: Sequence[str] = (),
    everything: bool = False,
    panels: Collection[str] = (),
) -> Verdict:
    """Return the verdict on the judges of some labels.

    Parameters
    ----------
    found : LabelAgreement
    large : Large
        What counts as large: `bias` is a difference between a label's shares.
    baselines : sequence of str
        Judges that are only compared; they come last, and have no findings.
    everything : bool
        Whether passing the alternative-annotator test is corrected over dimensions too.
    panels : collection of str
        Judges that are panels of others.
    """
    judges = sorted(found.table.judges, key=lambda name: name in baselines)
    cells: list[Cell] = []
    sentences: list[str] = []
    notes: list[Note] = []
    everywhere: list[LabelPart] = []
    for judge in judges:
        parts = [label_part(judge, name, found) for name in found.table.dimensions]
        everywhere += parts
        mine = [_cell(part, large, everything) for part in parts]
        cells += mine
        sentences.append(_sentence(judge, parts, mine, large))
        if judge not in baselines:
            notes += constant_notes(parts)
            notes += label_notes(judge, parts, large)
            notes += unanswered_notes(judge, large, found.table, panel=judge in panels)
    return Verdict(
        sentences=tuple(sentences),
        cells=tuple(cells),
        notes=(*notes, *people_label_notes(everywhere, found)),
        not_run=tuple(_not_run(found)),
        limits=(_limits_said(large),),
    )


def _limits_said(large: Large) -> str:
    """Return the sentence that says what counts as large."""
    return (
        f"Limits of this verdict: a judge uses a label differently if its share differs from "
        f"people's by {percent(large.bias)} or more (critical from {percent(large.severe_bias)}); "
        f"labels are called exchanged if exchanging them raises kappa by "
        f"{number(2 * large.reversed, 2)} or more; a judge agrees if the interval shows that its "
        f"kappa is at most {number(large.shortfall, 2)} below people's own; a share of found cases "
        f"is low from {percent(large.cut)} below a person's, and unanswered items are many from "
        f"{percent(large.unanswered)}."
    )


def _cell(part: LabelPart, large: Large, everything: bool) -> Cell:
    """Return the word for a judge on a dimension; the most serious one that holds."""
    word, why = _word(part, large, everything)
    return Cell(judge=part.judge, dimension=part.dimension, word=word, why=with_always(part, why))


def _word(part: LabelPart, large: Large, everything: bool) -> tuple[str, str]:
    if part.n < FEWEST:
        return TOO_FEW, counted(part.n, "item")
    best, names = swapped(part, large)
    if names:
        return EXCHANGED, (
            f"{part.coefficient} {with_interval(*part.own)}, {number(best, 2)} if exchanged"
        )
    worst = overused(part, large)
    if worst is not None:
        why = f"{worst.label!r}: {percent(worst.estimate)} of items, people {percent(worst.person)}"
        apart = apart_words(part, part.coefficient)
        return OTHER_SHARES, f"{why}\nand {SHORT}: {apart}" if also_short(part) else why
    return compared_word(
        part, large, everything=everything, coefficient=part.coefficient, answer="label"
    )


def _sentence(judge: str, parts: Sequence[LabelPart], cells: Sequence[Cell], large: Large) -> str:
    """Return a judge's verdict in plain words."""
    said = [*always_clause(parts), *_uses(parts, cells, large)]
    exchanged = dimensions_called(EXCHANGED, cells)
    if exchanged:
        said.append(f"seems to exchange the labels of {listed(exchanged)}")
    return judge_sentence(judge, cells, said, undecided=undecided_words(parts))


def _uses(parts: Sequence[LabelPart], cells: Sequence[Cell], large: Large) -> list[str]:
    """Return the clause on labels that a judge gives too often or too rarely, the largest first."""
    found = [
        (part, worst)
        for part, cell in zip(parts, cells, strict=True)
        if cell.word == OTHER_SHARES and (worst := overused(part, large)) is not None
    ]
    found.sort(key=lambda pair: -abs(pair[1].difference))
    shown = [
        f"{one.label!r} on {spoken(part.dimension)} ({percent(one.estimate)} of items, people "
        f"{percent(one.person)}: {signed(100 * one.difference, 0)} points)"
        for part, one in found
    ]
    if not shown:
        return []
    short = [spoken(p.dimension) for p, _ in found if also_short(p)]
    clause = f"gives labels in other shares than people: {listed(shown)}"
    return [clause, *([f"also falls short of people on {listed(short)}"] if short else [])]


def _not_run(found: LabelAgreement) -> list[NotRun]:
    """Return the checks that could not run on these labels."""
    gaps = []
    one = len(found.table.humans) == 1
    alone = "there is one person; add a second person's labels"
    if one:
        gaps.append(NotRun(check="People's agreement with each other", why=alone))
    if found.alternative is None or all(v.passes is None for v in found.alternative.verdicts):
        why = alone if one else "too few items, or people labelled too few of them in common"
        gaps.append(NotRun(check="Whether a judge could take a person's place", why=why))
    gaps.append(
        NotRun(
            check="Bias in points, halo and what happens at a cut",
            why="labels have no order and no distance",
        )
    )
    return gaps
