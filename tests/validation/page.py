"""The page that says what came out of every row: docs/validation.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import groupby

from tests.support.paths import ROOT
from tests.validation.check import Check
from tests.validation.outcome import (
    ALLOWED_ERRORS,
    PAIRED,
    PAIRED_GOAL,
    UNCLEAR_ERRORS,
    Outcome,
    goal_of,
)

PAGE = ROOT / "docs" / "validation.md"
PACKAGES = ("ratify-eval", "numpy", "scipy", "pandas", "statsmodels")
WORDS = ("holds", "cautious", "misses")
GOAL_WORDS = ("within", "unclear", "outside")
COLUMNS = (
    "| function | what | simulated | data sets | promised | found | error "
    "| verdict | goal | known |",
    "|---|---|---|--:|--:|--:|--:|---|---|---|",
)
HEAD = """# How the intervals and the tests were validated

`make validate` writes this page; do not edit it. Each row simulates data sets whose truth is known,
as large as those of a real study. It counts how many of the 95% intervals held the truth, or how
many of the tests at 5% rejected a null hypothesis that was true.

*Error* is the standard error that the share would have if the promise were true: the binomial error
of the promised share, with as many independent data sets as there are, and larger where a data set
gives several intervals or tests that depend on each other. *Verdict*: a row **holds** if the share
is within {allowed:g} such errors of what is promised. *Cautious* intervals hold the truth more
often than promised, and cautious tests reject less often: they claim less than they could. If a row
**misses**, the last column and the function's docstring say what is known about it.

A row of kind *power* compares two simulations: what `ratify power` promises, and the share of whole
studies that support the hypothesis. Its error is that of the difference of the two shares, and its
goal a difference of {paired:g} at most.

*Goal* is another question: whether the share itself is good enough, which is {coverage} for
95% intervals, {size} for tests at 5% and in proportion for others ({other} at 2.5%). It is
*within*; or *outside*; or *unclear*, if it is outside by less than {unclear:g} errors, so that the
row has too few data sets to tell.

A row that is not finished says how many of its data sets were tried; one without any was *not run*.
*Earlier code*: a module that the row depends on has changed since it was run. Every number stands
in full in [validation.csv](validation.csv), with a hash of the code that computed it.

Every row has its own seed, made from its name, and every data set its own stream. So a run gives
the same digits again, in one process or in many, with the same versions: {versions}.
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the page.

    Attributes
    ----------
    check : Check
    outcome : Outcome or None
        What came out so far, None if it was not run.
    tried : int
        Data sets tried.
    earlier : bool
        Whether other code than today's computed it.
    """

    check: Check
    outcome: Outcome | None
    tried: int
    earlier: bool = False

    @property
    def finished(self) -> bool:
        """Whether all data sets were tried by the code as it is."""
        return not self.earlier and self.tried >= self.check.runs


def page(lines_of: Sequence[Line]) -> str:
    """Return the page of all checks, area by area."""
    outcomes = [one.outcome for one in lines_of if one.outcome is not None]
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in PACKAGES)
    aims = {"coverage": ("coverage", 0.95), "size": ("size", 0.05), "other": ("size", 0.025)}
    ends = {name: "{:.2f} to {:.2f}".format(*goal_of(*aim)) for name, aim in aims.items()}
    head = HEAD.format(
        allowed=ALLOWED_ERRORS,
        unclear=UNCLEAR_ERRORS,
        paired=PAIRED_GOAL,
        versions=versions,
        **ends,
    )
    verdicts = Counter(one.verdict for one in outcomes)
    goals = Counter(one.goal for one in outcomes)
    lines = [head, ", ".join(f"{verdicts[word]} {word}" for word in WORDS) + "."]
    lines.append("Goal: " + ", ".join(f"{goals[word]} {word}" for word in GOAL_WORDS) + ".")
    earlier = sum(one.earlier for one in lines_of)
    if earlier:
        lines.append(f"{earlier} of {len(lines_of)} rows are of earlier code.")
    short = sum(not one.finished for one in lines_of) - earlier
    if short:
        lines.append(f"{short} of {len(lines_of)} rows are not finished.")
    for area, part in groupby(lines_of, key=lambda one: one.check.area):
        lines += ["", f"## {area[0].upper()}{area[1:]}", "", *COLUMNS, *map(_text, part)]
    return "\n".join(lines) + "\n"


def _text(line: Line) -> str:
    check, one = line.check, line.outcome
    sets = f"{check.runs:,}" if line.tried == check.runs else f"{line.tried:,} of {check.runs:,}"
    begin = f"| `{check.function}` | {check.what} | {check.design} | "
    promised = check.kind if check.kind in PAIRED else f"{check.kind} {check.promised:g}"
    if one is not None and check.kind in PAIRED:
        promised += f" {one.promised:.3f}"
    if one is None:
        return f"{begin}{sets} | {promised} |  |  | not run |  | {check.note} |"
    if line.earlier:
        sets += " (earlier code)"
    if one.without:
        sets += f" ({one.without:,} without a result)"
    return (
        f"{begin}{sets} | {promised} | {one.share:.3f} | {one.error:.3f} "
        f"| {_strong(one.verdict, 'misses')} | {_strong(one.goal, 'outside')} | {check.note} |"
    )


def _strong(word: str, bad: str) -> str:
    return f"**{word}**" if word == bad else word
