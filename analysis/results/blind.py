"""Marks the results of a blind run, wherever a part of them may be copied to."""

from __future__ import annotations

from dataclasses import replace

from analysis.results.figure_marks import with_mark
from analysis.results.quantities import Results

# What every page, table and figure says.
BLIND = "Shuffled answers: not a result."
LIMIT = (
    "People's answers are shuffled over the trials, so no number here is a result: this run shows "
    "that the analysis works. What all answers have in common (how often the left side was chosen, "
    "the mean of a scale) is real, and so is what only judges answered."
)


def marked_blind(results: Results) -> Results:
    """Return results of which the headline, every table and every figure says what they are."""
    said = results.verdict.sentences
    return replace(
        results,
        headline=[BLIND, *results.headline],
        verdict=replace(results.verdict, sentences=(BLIND, *said)) if said else results.verdict,
        tables=[
            replace(table, caption=f"{BLIND} {table.caption}".strip()) for table in results.tables
        ],
        figures=[
            replace(
                figure,
                caption=f"{BLIND} {figure.caption}".strip(),
                svg=with_mark(figure.svg, BLIND),
            )
            for figure in results.figures
        ],
        limits=[LIMIT, *results.limits],
    )
