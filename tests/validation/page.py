"""The page that says what came out of every row: docs/validation.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from itertools import groupby

from tests.support.paths import ROOT
from tests.validation.check import Check
from tests.validation.outcome import ALLOWED_ERRORS, UNCLEAR_ERRORS, Outcome, goal_of

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

*Goal* is another question: whether the share itself is good enough, which is {coverage} for
95% intervals, {size} for tests at 5% and in proportion for others ({other} at 2.5%). It is
*within*; or *outside*; or *unclear*, if it is outside by less than {unclear:g} errors, so that the
row has too few data sets to tell.

A row that is not finished says how many of its data sets were tried; one without any was *not run*.

Every row has its own seed, made from its name, and every data set its own stream. So a run gives
the same digits again, in one process or in many, with the same versions: {versions}.
"""


def page(rows: Sequence[tuple[Check, Outcome | None, int]]) -> str:
    """Return the page of all checks, area by area.

    Parameters
    ----------
    rows : sequence of (Check, Outcome or None, int)
        Each check with what came out so far, None if it was not run, and its number of data sets
        tried.
    """
    outcomes = [outcome for _, outcome, _ in rows if outcome is not None]
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in PACKAGES)
    aims = {"coverage": ("coverage", 0.95), "size": ("size", 0.05), "other": ("size", 0.025)}
    ends = {name: "{:.2f} to {:.2f}".format(*goal_of(*aim)) for name, aim in aims.items()}
    head = HEAD.format(allowed=ALLOWED_ERRORS, unclear=UNCLEAR_ERRORS, versions=versions, **ends)
    verdicts = Counter(one.verdict for one in outcomes)
    goals = Counter(one.goal for one in outcomes)
    lines = [head, ", ".join(f"{verdicts[word]} {word}" for word in WORDS) + "."]
    lines.append("Goal: " + ", ".join(f"{goals[word]} {word}" for word in GOAL_WORDS) + ".")
    short = sum(tried < check.runs for check, _, tried in rows)
    if short:
        lines.append(f"{short} of {len(rows)} rows are not finished.")
    for area, part in groupby(rows, key=lambda one: one[0].area):
        lines += [
            "",
            f"## {area[0].upper()}{area[1:]}",
            "",
            *COLUMNS,
            *(_line(*one) for one in part),
        ]
    return "\n".join(lines) + "\n"


def _line(check: Check, one: Outcome | None, tried: int) -> str:
    sets = f"{check.runs:,}" if tried == check.runs else f"{tried:,} of {check.runs:,}"
    begin = f"| `{check.function}` | {check.what} | {check.design} | "
    promised = f"{check.kind} {check.promised:g}"
    if one is None:
        return f"{begin}{sets} | {promised} |  |  | not run |  | {check.note} |"
    if one.without:
        sets += f" ({one.without:,} without a result)"
    return (
        f"{begin}{sets} | {promised} | {one.share:.3f} | {one.error:.3f} "
        f"| {_strong(one.verdict, 'misses')} | {_strong(one.goal, 'outside')} | {check.note} |"
    )


def _strong(word: str, bad: str) -> str:
    return f"**{word}**" if word == bad else word
