"""What is said about a judge's habits: the answer, its numbers as text, methods and limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.habits.answers import WORDING
from analysis.habits.measure import ALONE, FOUND, UNTESTED, Measure
from analysis.results.numbers import decimals_for, number
from analysis.results.words import counted, listed

QUESTION = "Which habits does each judge have that have nothing to do with what it judges?"
# In the order in which they are told.
HABITS = {
    "first": "what stands first",
    "letter": "one letter",
    "length": "length",
    "own": "its own texts",
    "halo": "halo",
    "rewrite": "rewrites",
}


def value_text(m: Measure, value: float, places: int | None = None, *, bare: bool = False) -> str:
    """Return a value of a measure as its unit has it: 58%, ×1.8, +0.3, −5 pp; bare: 1.8, −5."""
    if math.isnan(value):
        return "∞" if m.is_odds else "—"
    if m.is_odds:  # each with its own digits: an interval may span decades
        digits = 0 if value == 1 or value >= 100 else 1 if value >= 10 else 2
        return ("" if bare else "×") + number(value, digits)
    if m.unit == "proportion":
        return f"{number(100 * value, places)}%"
    sign = "+" if value > 0 else ""
    if m.unit == "difference of proportions":
        return f"{sign}{number(100 * value, places)}{'' if bare else ' pp'}"
    return sign + number(value, places)


def with_interval(m: Measure) -> str:
    """Return an estimate and its interval as text: 58% [55%, 61%]."""
    if math.isnan(m.estimate):
        return "no finite estimate" if m.tested else "no estimate"
    scale = 100.0 if m.unit in {"proportion", "difference of proportions"} else 1.0
    ends = (None if math.isnan(end) else scale * end for end in (m.low, m.high))
    places = min(decimals_for(scale * m.estimate, *ends), 1 if scale > 1 else 4)
    text = value_text(m, m.estimate, places)
    if math.isnan(m.low):
        return text
    low, high = (value_text(m, end, places, bare=True) for end in (m.low, m.high))
    return f"{text} [{low}, {high}]"


def honest_text(m: Measure) -> str:
    """Return what honesty would show, empty where no value is honest."""
    return "" if math.isnan(m.honest) or not m.accuses else value_text(m, m.honest, 0)


def overview(measures: Sequence[Measure], judges: Sequence[str]) -> list[str]:
    """Return in a sentence in whom habits were found; none for a single judge."""
    if len(judges) < 2:
        return []
    found, clear, open_ = [], [], []
    for judge in judges:
        of = [m for m in measures if m.judge == judge and m.tested]
        n, hits = (len({m.habit for m in ms}) for ms in (of, [m for m in of if m.reading == FOUND]))
        if not n:
            open_.append(judge)
        elif hits:
            found.append(f"{judge} ({hits} of {n} tested)")
        else:
            clear.append(f"{judge} ({n} tested)")
    parts = [f"found in {listed(found)}"] if found else []
    parts += [f"none found in {listed(clear)}"] if clear else []
    parts += [f"nothing could be tested in {listed(open_)}"] if open_ else []
    return [f"Habits that have nothing to do with what is judged: {'; '.join(parts)}."]


def verdicts(measures: Sequence[Measure], judge: str) -> str:
    """Return the sentence that says which habits of a judge were found, and which were not."""
    mine = [m for m in measures if m.judge == judge and m.accuses]
    of = {habit: [m for m in mine if m.habit == habit] for habit in HABITS}
    found = [h for h, ms in of.items() if any(m.reading == FOUND for m in ms)]
    tested = [h for h, ms in of.items() if any(m.tested for m in ms)]
    if not tested:
        return f"{judge}: no habit could be tested."
    clear = [h for h in tested if h not in found]
    n = len(tested)
    if not found:
        what = listed([HABITS[h] for h in tested])
        text = f"{judge}: none of {counted(n, 'tested habit')} was found ({what})."
        return text + _alone(mine)
    said = "; ".join(_found(of[h], measures) for h in found)
    text = f"{judge}: {len(found)} of {counted(n, 'tested habit')} found: {said}."
    if clear:
        text += f" Not found: {listed([HABITS[h] for h in clear])}."
    return text + _alone(mine)


def _alone(mine: Sequence[Measure]) -> str:
    """Return what would be found if nothing else had been looked at."""
    habits = dict.fromkeys(m.habit for m in mine if m.reading == ALONE)
    done = {m.habit for m in mine if m.reading == FOUND}
    names = [HABITS[h] for h in habits if h not in done]
    if not names:
        return ""
    return f" Only if nothing else had been tested: {listed(names)}."


def _found(measures: Sequence[Measure], every: Sequence[Measure]) -> str:
    """Return what one habit amounts to."""
    hits = [m for m in measures if m.reading == FOUND]
    m = min(hits, key=lambda m: m.p_holm)
    text, more = with_interval(m), m.estimate > m.honest
    if m.habit == "first":
        side = "first" if more else "second"
        return f"it favours what stands {side} ({text} of its choices are of the first)"
    if m.habit == "letter":
        return f"it answers {'A' if more else 'B'} too often (A: {text})"
    if m.habit == "halo":
        return f"its errors on two dimensions go together more than people's (r {text})"
    if m.habit == "rewrite":
        which = f"{len(hits)} of {counted(len(measures), 'shift')}"
        shift = m.what.replace("_", " ")
        return f"rewrites move its scores ({which}; clearest {shift}, {text} points)"
    if math.isnan(m.estimate):
        share = next(s for s in every if s.judge == m.judge and s.habit == m.habit and s != m)
        more = share.estimate > 0.5
        text = f"{with_interval(share)} of its choices"
    if m.habit == "own":
        side = "texts of its own model" if more else "texts that are not of its own model"
        return f"it favours {side}, beyond people (odds {text})"
    side = "longer" if more else "shorter"
    by = "" if math.isnan(m.estimate) else "odds "
    per = "" if math.isnan(m.estimate) else " for twice the length"
    return f"it favours the {side} text, beyond people ({by}{text}{per})"


def steadiness(measures: Sequence[Measure], judge: str) -> str:
    """Return how steady a judge is, in a sentence; empty where nothing shows it."""
    mine = {m.what: m for m in measures if m.judge == judge and m.habit == "steady" and m.n}
    parts = []
    if "repeat" in mine:
        parts.append(f"{with_interval(mine['repeat'])} when asked the same again")
    if "consistency" in mine:
        parts.append(f"{with_interval(mine['consistency'])} with the sides exchanged")
    worded = [m for m in mine.values() if m.asking == WORDING and not m.beyond_repeats]
    if worded:
        worst = min(worded, key=lambda m: m.estimate)
        parts.append(
            f"{with_interval(worst)} in other words"
            + (f" (the furthest of {len(worded)} wordings)" if len(worded) > 1 else "")
        )
    return f"{judge} answers the same: {', '.join(parts)}." if parts else ""


def untested(measures: Sequence[Measure], judge: str) -> str:
    """Return what could not be tested, and why; empty where all could."""
    mine = [m for m in measures if m.judge == judge and m.reading == UNTESTED]
    if not mine:
        return ""
    said = "; ".join(f"{HABITS[m.habit]} ({m.note})" for m in mine if m.note)
    return f"Not tested for {judge}: {said}." if said else ""


def asked(measures: Sequence[Measure], judge: str) -> str:
    """Return what became of the requests, empty where none were recorded."""
    mine = next((m for m in measures if m.judge == judge and m.habit == "requests" and m.n), None)
    if mine is None:
        return ""
    lacking = round(mine.estimate * mine.n)
    text = f"Of {mine.n:,} requests to {judge}, {lacking:,} stayed unanswered."
    return f"{text} {mine.note}".strip()


def methods(*, rewrites: int, shown: int, cut: int, seed: int) -> list[str]:
    """Return how the numbers were made."""
    said = [
        "A habit is found where the 95% interval leaves out what a judge without it would show, "
        "and the p value, corrected by Holm over everything tested about that judge, is at most "
        ".05. Each habit has the same weight in the correction, shared evenly by its tests. So an "
        "honest judge is accused of anything at all in at most one of twenty cases. Intervals are "
        "not corrected. Numbers on steadiness describe and accuse nobody: a noisy judge is weak, "
        "not biased.",
        "What stands first: pairs asked both ways round, each once. Without the habit a judge is "
        "as likely to take the first both times as the second both times, whatever the texts "
        "(exact McNemar test; Tango's interval). One letter: the share of A in people's trials, "
        "each question once; sides were drawn by a coin (exact binomial test; Wilson's interval).",
        "Beyond people: a judge's answer is set beside the vote of a person on the same pair, and "
        "both are regressed on the difference of the two items' scores by all other raters and on "
        "the trait. A judge that shares people's liking has coefficients in proportion to the "
        "person's, however noisy either is and however few votes the scores rest on; the habit is "
        "what its trait has beyond that, as an odds ratio in a pair of texts that people's scores "
        "hold equal. Errors allow for shared items and raters.",
        "Halo: errors of judge and person are from the mean of all other people, the judge's on "
        "people's scale; their correlation over items, between dimensions, is compared (jackknife "
        "over items). Only more halo than people's counts as a habit.",
    ]
    if rewrites:
        said.append(
            f"Rewrites: rating of the rewritten minus the original text, {rewrites} tests of a "
            "dimension under a rewrite in the judge's family; items are the units (exact sign-flip "
            f"test; t interval). The table of texts shows {counted(shown, 'item')} drawn with seed "
            f"{seed}, cut after {cut} letters."
        )
    return said


def limits() -> list[str]:
    """Return what must be known before relying on the numbers."""
    return [
        "A habit that was not found is not a habit that is not there: with few pairs or items its "
        "interval is wide.",
        "Length and authorship are compared with these people's choices; what people themselves "
        "favour for no good reason is not held against a judge. The tests allow for few votes and "
        "noisy judges, not for lengths that lie very unevenly.",
        "Repeated requests show what chance does at the judge's own settings. At temperature 0 a "
        "judge repeats itself, and still may turn near ties when a word changes.",
    ]
