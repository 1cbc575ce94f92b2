"""The verdict of a study: judges beside people, hypotheses, careless answers, and what is open."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.evidence.choice_yardstick import (
    FEWEST_COMPARISONS,
    OTHERS,
    Beside,
    beside_people,
    yardstick_of,
)
from analysis.evidence.evidence import Evidence
from analysis.evidence.raters import rater_quality
from analysis.registered.finding import Finding
from analysis.registered.hypotheses import decided
from analysis.registered.unanswered import NO_ANSWERS, verdict_of_silent
from analysis.results.numbers import decimals_of, number, percent, with_interval
from analysis.results.quantities import Quantity
from analysis.results.verdict import (
    AGREES,
    NO_YARDSTICK,
    SHORT,
    TOO_FEW,
    Cell,
    Disagreement,
    Note,
    NotRun,
    Verdict,
    joined,
)
from analysis.results.words import introduced
from analysis.tables.columns import is_tie, without_ties
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.kinds.registry import kind_of
from prereg.plan.judging import BASELINES

CHOICES = "choices"


def study_verdict(evidence: Evidence, findings: Sequence[Finding]) -> Verdict:
    """Return the verdict of a study.

    Parameters
    ----------
    evidence : Evidence
    findings : sequence of Finding
        Of the registered analyses; those on ratings bring their own verdict.
    """
    quantities = [q for finding in findings for q in finding.quantities]
    parts = [finding.verdict for finding in findings]
    if kind_of(evidence.plan).compares:
        parts.insert(0, _choices(evidence, quantities))
    parts += [verdict_of_silent(evidence), rater_quality(evidence)]
    decisions = tuple(decided(h, quantities) for h in evidence.plan.hypotheses)
    return joined([*parts, Verdict(hypotheses=decisions)])


def verdict_of_tables(evidence: Evidence, findings: Sequence[Finding]) -> Verdict:
    """Return the verdict of a study in which nobody has answered yet: its hypotheses alone."""
    quantities = [q for finding in findings for q in finding.quantities]
    decisions = tuple(decided(h, quantities) for h in evidence.plan.hypotheses)
    return joined([verdict_of_silent(evidence), Verdict(hypotheses=decisions)])


def _choices(evidence: Evidence, quantities: Sequence[Quantity]) -> Verdict:
    """Return the verdict on the judges' choices, beside people's own."""
    known, what = yardstick_of(evidence)
    margin = evidence.plan.large.choices
    audited = _audited(evidence)
    names = sorted(evidence.judges, key=lambda name: name not in audited)
    cells: list[Cell] = []
    sentences: list[str] = []
    notes: list[Note] = []
    gaps: list[NotRun] = []
    for judge in names:
        trials = evidence.judges[judge].trials
        if not evidence.judges[judge].answered:
            cells.append(Cell(judge=judge, dimension=CHOICES, word=TOO_FEW, why=NO_ANSWERS))
            continue
        found = None if trials.empty else beside_people(evidence, trials, known, what)
        if found is None:
            why = f"{judge} and two people share too few comparisons, or there are too few people"
            gaps.append(NotRun(check=f"{judge} beside people's own choices", why=why))
            cells.append(Cell(judge=judge, dimension=CHOICES, word=TOO_FEW))
            sentences.append(_undecided(evidence, judge))
            continue
        word = _word(found, margin)
        if found.note:
            gaps.append(NotRun(check=f"{judge} beside people's own choices", why=found.note))
        gap = with_interval(*(100 * x for x in found.difference), sign=True)
        cells.append(
            Cell(judge=judge, dimension=CHOICES, word=word, why=f"{gap} percentage points")
        )
        ranks = _ranks(evidence, judge, quantities)
        sentences.append(_sentence(evidence, judge, found, word, ranks))
        if word == NO_YARDSTICK and not any(note.about == "people" for note in notes):
            notes.append(_no_yardstick(found))
        if word == SHORT and judge in audited:
            notes.append(
                Note(
                    severity="critical" if found.difference[0] <= -2 * margin else "warning",
                    about=judge,
                    says=f"{judge} falls short of people: {gap} percentage points on the same "
                    f"{found.n:,} answers.",
                    do="Do not let it replace people's choices; use it at most to sort texts, and "
                    "keep people for close pairs.",
                )
            )
    if what == OTHERS:
        why = (
            f"fewer than {FEWEST_COMPARISONS} comparisons were made by two people, so people are "
            f"compared with {OTHERS}"
        )
        gaps.append(NotRun(check="How often two people choose the same", why=why))
    limit = (
        f"Limits of this verdict: a judge agrees with people's choices if the interval shows that "
        f"it is at most {percent(margin)} of the answers below them; people chose one side too "
        f"often from {percent(evidence.plan.large.side)} beyond one half; a person is fast under "
        f"{number(evidence.plan.large.fast, 2)} of the usual time."
    )
    if ties := int(is_tie(evidence.people).sum()):
        limit += (
            f" Comparisons without a choice ({ties:,} ties of {len(evidence.people):,} answers, "
            "and the judges' own ties) are left out of it."
        )
    return Verdict(
        sentences=tuple(sentences),
        cells=tuple(cells),
        notes=tuple(notes),
        not_run=tuple(gaps),
        disagreements=_worst(evidence, audited),
        limits=(limit,),
    )


def _audited(evidence: Evidence) -> list[str]:
    """Return the judges that the study is about: not baselines, or those of its hypotheses."""
    names = list(evidence.judges)
    tested = {getattr(a, "judge", None) for a in evidence.plan.analyses if a.hypothesis}
    return (
        [name for name in names if name not in BASELINES]
        or [name for name in names if name in tested]
        or names
    )


def _word(found: Beside, margin: float) -> str:
    _, low, high = found.difference
    if _at_chance(found):
        return NO_YARDSTICK
    if math.isnan(low):
        return TOO_FEW
    if high < 0:
        return SHORT
    return AGREES if low >= -margin else TOO_FEW


def _at_chance(found: Beside) -> bool:
    """Return whether people's own agreement does not exceed a coin's: its interval has 1/2."""
    value, low, _ = found.people
    return low <= 0.5 if not math.isnan(low) else value <= 0.5


def _no_yardstick(found: Beside) -> Note:
    own = with_interval(*found.people, percent=True)
    return Note(
        severity="critical",
        about="people",
        says=f"People do not agree with each other beyond chance: they choose like {found.what} "
        f"in {own} of {found.n:,} answers, and a coin would in 50%."
        if found.what == OTHERS
        else f"People do not agree with each other beyond chance: two people choose the same in "
        f"{own} of {found.n:,} answers, and two coins would in 50%.",
        do="Do not judge any judge by these answers. Check whether people answered with care and "
        "whether the question has an answer; ask more people.",
    )


def _sentence(evidence: Evidence, judge: str, found: Beside, word: str, ranks: str) -> str:
    both = found.judge, found.people
    places = min(decimals_of(*one, percent=True) for one in both)  # both shares alike
    share, people = (with_interval(*one, percent=True, decimals=places) for one in both)
    beside = f"{people} for {found.what}" if found.what == OTHERS else f"{found.what} in {people}"
    end = {
        SHORT: "it does not reach people, so its choices cannot stand in for theirs",
        AGREES: "it agrees with a person as people do, so its choices may stand in for theirs",
        TOO_FEW: "the data do not decide whether it reaches people",
        NO_YARDSTICK: "people do not agree with each other beyond chance, so there is no yardstick",
    }[word]
    if found.what == OTHERS and word != NO_YARDSTICK:
        end = end.replace("people do", "that ranking does").replace("reach people", "reach them")
        end = end.replace("reaches people", "reaches them")
    own = evidence.raters_own
    own = own[0].lower() + own[1:]
    which = "comparisons without a tie" if found.ties else "comparisons"
    return (
        f"{introduced(judge)} agrees with {own} choice in {share} of {which}, {beside}: "
        f"{end}{ranks}."
    )


def _undecided(evidence: Evidence, judge: str) -> str:
    """Return the sentence on a judge that cannot be compared with people's own agreement."""
    return (
        f"{introduced(judge)}: the data do not decide whether its choices may stand in for "
        f"{evidence.raters_own.lower()} (too few comparisons in common)."
    )


def _ranks(evidence: Evidence, judge: str, quantities: Sequence[Quantity]) -> str:
    """Return the clause on a judge's scores or ranking beside people's ranking of the items."""
    own = evidence.raters_own[0].lower() + evidence.raters_own[1:]
    estimates = {q.analysis: q for q in quantities if q.name == "spearman"}
    corrected = {q.analysis: q for q in quantities if q.name == "spearman_disattenuated"}
    said: dict[str, str] = {}
    for analysis in evidence.plan.analyses:
        found = estimates.get(analysis.id)
        if not isinstance(analysis, RankCorrelation) or analysis.judge != judge:
            continue
        if found is None or found.estimate is None:
            continue
        what = "its scores" if analysis.score == "overall" else "its ranking of items"
        said.setdefault(what, _both_correlations(found, corrected.get(analysis.id)))
    if not said:
        return ""
    (first, value), *more = said.items()
    others = "".join(f", {what} and that ranking one of {value}" for what, value in more)
    return f"; {first} and {own} ranking have a rank correlation of {value}{others}"


def _both_correlations(observed: Quantity, corrected: Quantity | None) -> str:
    """Return the observed correlation and the corrected one, each with which it is."""
    seen = with_interval(observed.estimate, observed.low, observed.high)
    if corrected is None:
        return seen
    # the label of the second ends with whose errors it is corrected for, or why it is not
    which = corrected.label.rpartition(", ")[2]
    if corrected.estimate is None:
        return f"{seen} as observed ({which})"
    true = with_interval(corrected.estimate, corrected.low, corrected.high)
    return f"{seen} as observed and {true} {which}"


def _worst(evidence: Evidence, judges: Sequence[str]) -> tuple[Disagreement, ...]:
    """Return the comparisons where most people chose the text that the judge did not choose.

    Among comparisons with equally many people, those come first that people's ranking calls
    clearest.
    """
    if "text" not in evidence.items or evidence.ranking is None:
        return ()
    texts = evidence.items.set_index("item_id")["text"]
    scores = evidence.ranking.frame.set_index("item_id")["score"]
    people = _net(without_ties(evidence.people))
    found: list[Disagreement] = []
    for judge in judges:
        both = people.join(
            _net(without_ties(evidence.judges[judge].trials))[["net"]].rename(
                columns={"net": "net_judge"}
            ),
            how="inner",
        )
        both = both[both["net"] * both["net_judge"] < 0]
        gap = scores.reindex(both["low"]).to_numpy() - scores.reindex(both["high"]).to_numpy()
        both = both.assign(size=both["net"].abs(), gap=gap * np.sign(both["net"]))
        both = both.sort_values(["size", "gap"], ascending=False, kind="stable")
        for row in both.head(evidence.plan.large.shown).to_dict("records"):
            ours, theirs = (row["low"], row["high"])[:: 1 if row["net"] > 0 else -1]
            most, n = (int(row["n"]) + abs(int(row["net"]))) // 2, int(row["n"])
            found.append(
                Disagreement(
                    judge=judge,
                    what=f"{row['scenario']}, {ours} or {theirs}",
                    people=f"{ours} ({'one person' if n == 1 else f'{most} of {n}'})",
                    said=str(theirs),
                    texts=tuple((f"Item {name}", str(texts[name])) for name in (ours, theirs)),
                    size=float(row["size"]),
                )
            )
    return tuple(found)


def _net(choices: pd.DataFrame) -> pd.DataFrame:
    """Return one row per comparison: its items in order, and by how many votes the first leads."""
    left, right = choices["left_id"].astype(str), choices["right_id"].astype(str)
    low, high = left.where(left < right, right), right.where(left < right, left)
    vote = ((choices["choice"] == "left") == (left < right)).map({True: 1, False: -1})
    frame = pd.DataFrame(
        {"scenario": choices["scenario"].astype(str), "low": low, "high": high, "vote": vote}
    )
    votes = frame.groupby(["scenario", "low", "high"])["vote"].agg(net="sum", n="size")
    return (
        votes.reset_index()
        .set_index(["scenario", "low", "high"], drop=False)
        .rename_axis(index=["s", "l", "h"])
    )
