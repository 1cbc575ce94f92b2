"""How carefully people answered: the side they choose, their speed, and straight lines."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from scipy.stats import binomtest

from analysis.evidence.evidence import Evidence
from analysis.inference.paired import clustered_share
from analysis.results.numbers import number, p_value, percent, with_interval
from analysis.results.verdict import Flagged, Note, NotRun, Verdict
from analysis.tables.columns import is_tie, without_ties
from prereg.plan.reporting import Large

# Fewer answers or dimensions than these say nothing about a person.
FEWEST_CHOICES, FEWEST_TIMES, FEWEST_DIMENSIONS, FEWEST_ITEMS = 8, 3, 3, 5
# So large a share of ties says nothing about the texts.
MANY_TIES = 0.9
Reasons = dict[str, list[str]]


def rater_quality(evidence: Evidence) -> Verdict:
    """Return the findings on people's answers, and the people to look at.

    A person is named by the sequence that they answered, which is not an id of a platform.
    """
    large, answers = evidence.plan.large, evidence.answers
    reasons: Reasons = {}
    notes: list[Note] = []
    gaps: list[NotRun] = []
    checks: tuple[Callable[[pd.DataFrame, Large, Reasons], Note | NotRun | None], ...] = (
        _sides,
        _speed,
        _straight,
    )
    for check in checks:
        found = check(answers, large, reasons)
        if isinstance(found, Note):
            notes.append(found)
        elif isinstance(found, NotRun):
            gaps.append(found)
    counts = answers["rater_id"].value_counts()
    names = _names(answers)
    people = [
        Flagged(who=names[rater], answers=int(counts[rater]), reason="; ".join(said))
        for rater, said in reasons.items()
    ]
    people.sort(key=lambda one: one.who)
    if people:
        notes.append(
            Note(
                severity="warning" if 10 * len(people) >= len(counts) else "note",
                about=evidence.raters,
                says=f"{len(people)} of {len(counts):,} {evidence.raters} answered in a way that "
                "looks careless; the table of people says who and why.",
                do="Read their answers. Leave people out only by a rule of the plan; the "
                "analysis on everybody (`sensitivity: {on: everybody}` in the plan) shows what "
                "depends on them.",
            )
        )
    return Verdict(notes=tuple(notes), not_run=tuple(gaps), people=tuple(people))


def _names(answers: pd.DataFrame) -> dict[str, str]:
    """Return a label for each person that is not their id."""
    firsts = answers.drop_duplicates("rater_id")
    raters = firsts["rater_id"].astype(str)
    if "sequence_id" in firsts and firsts["sequence_id"].is_unique:
        slots = firsts["sequence_id"]
        return {rater: f"sequence {slot}" for rater, slot in zip(raters, slots, strict=True)}
    return {rater: f"person {n:03d}" for n, rater in enumerate(sorted(raters), start=1)}


def _sides(answers: pd.DataFrame, large: Large, reasons: Reasons) -> Note | NotRun | None:
    """Flag people who choose one side; return the finding on the share of left choices."""
    if "choice" not in answers:
        return None
    _ties(answers, reasons)
    answers = without_ties(answers)
    if answers.empty:
        return NotRun(check="Sides of people", why="every answer is a tie")
    left = (answers["choice"] == "left").groupby(answers["rater_id"])
    counts = pd.DataFrame({"left": left.sum(), "n": left.size()})
    for row in counts[counts["n"] >= FEWEST_CHOICES].itertuples():
        chosen, n = int(row.left), int(row.n)  # type: ignore[arg-type]
        if binomtest(chosen, n).pvalue <= large.one_side:
            side, times = ("left", chosen) if 2 * chosen > n else ("right", n - chosen)
            reasons.setdefault(str(row.Index), []).append(f"chose {side} {times} of {n} times")
    total, whole = int(counts["left"].sum()), int(counts["n"].sum())
    found = clustered_share((counts["left"] / counts["n"]).to_numpy(dtype=float))
    share = total / whole
    clear = found.low > 0.5 or found.high < 0.5
    if abs(share - 0.5) < large.side or not clear:
        return None
    side, times = ("left", total) if share > 0.5 else ("right", whole - total)
    test = p_value(float(binomtest(total, whole).pvalue))
    return Note(
        severity="critical" if abs(share - 0.5) >= 3 * large.side else "warning",
        about="people",
        says=f"The {side} side was chosen in {times:,} of {whole:,} answers "
        f"({percent(times / whole)}; per person the left side "
        f"{with_interval(found.estimate, found.low, found.high, percent=True)}; exact test of one "
        f"half p {test if test.startswith('<') else '= ' + test}).",
        do="Check that both sides look alike on every device and that texts are read; balanced "
        "sides keep the ranking fair, but such answers say little.",
    )


def _ties(answers: pd.DataFrame, reasons: Reasons) -> None:
    """Flag people who choose neither side, whatever they see."""
    tied = pd.Series(is_tie(answers), index=answers.index).groupby(answers["rater_id"])
    counts = tied.size()[(tied.mean() >= MANY_TIES) & (tied.size() >= FEWEST_CHOICES)]
    neither = tied.sum()
    for rater, n in counts.items():
        said = f"chose neither side {neither[str(rater)]:.0f} of {n:.0f} times"
        reasons.setdefault(str(rater), []).append(said)


def _speed(answers: pd.DataFrame, large: Large, reasons: Reasons) -> Note | NotRun | None:
    """Flag people who are much faster than the others."""
    check = "Speed of people"
    if "response_ms" not in answers:
        return NotRun(check=check, why="the answers have no times")
    times = pd.to_numeric(answers["response_ms"], errors="coerce")
    known = times[times > 0].groupby(answers["rater_id"])
    medians = known.median()[known.size() >= FEWEST_TIMES]
    if len(medians) < FEWEST_ITEMS:
        return NotRun(check=check, why="fewer than five people have times of three answers")
    usual = float(medians.median())
    for rater, own in medians[medians < large.fast * usual].items():
        said = f"median time {number(own / 1000, 1)} s, of all people {number(usual / 1000, 1)} s"
        reasons.setdefault(str(rater), []).append(said)
    return None


def _straight(answers: pd.DataFrame, large: Large, reasons: Reasons) -> Note | NotRun | None:
    """Flag people who give the same rating on every dimension."""
    if not {"dimension", "value", "item_id"} <= set(answers.columns):
        return None
    if "given_label" in answers:  # the same label on every dimension is no straight line
        answers = answers[answers["given_label"] == ""]
    wide = answers.assign(value=pd.to_numeric(answers["value"], errors="coerce")).pivot_table(
        index=["rater_id", "item_id"], columns="dimension", values="value", aggfunc="mean"
    )
    if wide.shape[1] < FEWEST_DIMENSIONS:
        return NotRun(check="Straight-lining", why="there are fewer than three dimensions")
    wide = wide.dropna()
    same = (wide.max(axis=1) == wide.min(axis=1)).groupby(level="rater_id")
    shares = same.mean()[same.size() >= FEWEST_ITEMS]
    for rater, share in shares[shares >= large.same].items():
        said = (
            f"the same rating on all {wide.shape[1]} scales of {percent(float(share))} of the texts"
        )
        reasons.setdefault(str(rater), []).append(said)
    return None
