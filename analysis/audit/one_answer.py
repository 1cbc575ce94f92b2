"""What a verdict says of a judge that gives one answer to every item, of ratings and of labels."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.agreement.constant import always_said
from analysis.audit.label_parts import LabelPart
from analysis.audit.parts import Part
from analysis.results.numbers import with_interval
from analysis.results.verdict import SHORT, TOO_FEW, Note
from analysis.results.words import counted, listed

AnyPart = Part | LabelPart


def compared_constant(part: AnyPart) -> tuple[str, str]:
    """Return the word for a judge of one answer, where people do not lack agreement, and why.

    Its agreement beyond chance is 0 whatever people say, so it falls short wherever people agree
    beyond chance. It never counts as agreeing, nor as passing the alternative-annotator test.
    """
    if part.people[1] > 0 or part.short:
        return SHORT, f"people's own {part.coefficient} {with_interval(*part.people)}, its own 0"
    return TOO_FEW, "no agreement of people to compare with"


def with_always(part: AnyPart, why: str) -> str:
    """Return the numbers behind a word, after what the judge always says if it does."""
    return f"always says {part.always}\n{why}" if part.always else why


def always_clause(parts: Sequence[AnyPart]) -> list[str]:
    """Return the clause after "it" on what a judge always says; none if its answers vary."""
    flat = {part.dimension: part.always for part in parts if part.always}
    if not flat:
        return []
    return [f"always says {always_said(flat, list(flat))}, so it tells no item from another there"]


def constant_notes(parts: Sequence[AnyPart]) -> list[Note]:
    """Return the findings on dimensions where a judge gives one answer."""
    return [
        Note(
            severity="critical",
            about=part.judge,
            says=f"{part.dimension.replace('_', ' ')}: {part.judge} always says {part.always} (to "
            f"{counted(part.n, 'item')}). It tells no item from another, so its agreement beyond "
            "chance is 0 by construction, and a pass of the alternative-annotator test means "
            "nothing.",
            do="Check the prompt and how its replies are read, and audit again on answers that "
            "vary. Do not use it on this dimension.",
        )
        for part in parts
        if part.always
    ]


def idle_notes(part: AnyPart, *, passes: bool, rarer: str) -> list[Note]:
    """Return the finding on a pass that a constant answer has too; `rarer` are the other answers.

    A judge that is constant itself has a finding of its own.
    """
    if not passes or not part.idle or part.always:
        return []
    return [
        Note(
            severity="warning",
            about=part.judge,
            says=f"{part.dimension.replace('_', ' ')}: {part.judge} passes the "
            "alternative-annotator test, but so would a judge that gives every item "
            f"{part.idle}.",
            do=f"Do not read this pass as agreement; collect items on which people give the "
            f"{rarer}.",
        )
    ]


def idle_words(part: AnyPart, *, passes: bool) -> str:
    """Return what a cell says of a pass that a constant answer has too; empty if there is none."""
    if not passes or not part.idle:
        return ""
    return f"; {part.idle} for every item would pass the test too"


def same_notes(names: Sequence[str], what: str) -> list[Note]:
    """Return the finding that people gave every item the same; `what` is 'rating' or 'label'."""
    if not names:
        return []
    said = listed([name.replace("_", " ") for name in names])
    return [
        Note(
            severity="warning",
            about="people",
            says=f"People gave every item the same {what} on {said}, so alpha and "
            "kappa are not defined there, and it is not known how far people agree.",
            do="Collect items that differ on it, or leave it out.",
        )
    ]
