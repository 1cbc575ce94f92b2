"""Sentences of reports on judges' habits: the answer, numbers as text, methods and limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis.habits.answers import WORDING
from analysis.habits.measure import ALONE, FOUND, UNTESTED, Measure
from analysis.results.factors import factor, factor_in_words, far
from analysis.results.numbers import NEVER_VARIES, decimals_for, flat, number
from analysis.results.words import counted, introduced, listed, part_of

QUESTION = "Which habits does each judge have that have nothing to do with what it judges?"
# In the order in which a report names them.
HABITS = {
    "first": "favouring the first text",
    "letter": "answering one letter too often",
    "length": "favouring longer or shorter texts",
    "own": "favouring its own texts",
    "halo": "halo",
    "rewrite": "other scores after a rewrite that should not change them",
}


def value_text(m: Measure, value: float, places: int | None = None, *, bare: bool = False) -> str:
    """Return a value of a measure as text in its unit: 58%, ×1.8, +0.3, −5 pp; bare: 1.8, −5."""
    if math.isnan(value):
        return "—"
    if m.is_odds:
        return factor(value) if bare else factor_in_words(value)
    if m.unit == "proportion":
        return f"{number(100 * value, places)}%"
    sign = "+" if value > 0 else ""
    if m.unit == "difference of proportions":
        return f"{sign}{number(100 * value, places)}{'' if bare else ' pp'}"
    return sign + number(value, places)


def decimals(m: Measure) -> int:
    """Return the decimals with which an estimate and its interval are shown."""
    scale = 100.0 if m.unit in {"proportion", "difference of proportions"} else 1.0
    ends = (None if math.isnan(end) else scale * end for end in (m.low, m.high))
    return min(decimals_for(scale * m.estimate, *ends), 1 if scale > 1 else 4)


def with_interval(m: Measure, places: int | None = None) -> str:
    """Return an estimate and its interval as text: 58% [55%, 61%].

    Parameters
    ----------
    m : Measure
    places : int, optional
        Decimals; by default those of `decimals`.
    """
    if m.is_odds and (m.endless or not math.isnan(m.estimate)):
        return factor_in_words(estimate_of(m), m.low, m.high, endless="∞")
    if math.isnan(m.estimate):
        return "no finite estimate" if m.tested else "no estimate"
    places = decimals(m) if places is None else places
    text = value_text(m, m.estimate, places)
    if math.isnan(m.low):
        return text
    if flat(m.low, m.high):
        return f"{text} [{NEVER_VARIES}]"
    low, high = (value_text(m, end, places, bare=True) for end in (m.low, m.high))
    return f"{text} [{low}, {high}]"


def estimate_of(m: Measure) -> float:
    """Return an estimate; for a factor that is not finite, infinity or 0."""
    return {1: math.inf, -1: 0.0}.get(m.endless, m.estimate)


def honest_text(m: Measure) -> str:
    """Return the honest value as text, empty if there is none."""
    return "" if math.isnan(m.honest) or not m.accuses else value_text(m, m.honest, 0)


def overview(measures: Sequence[Measure], judges: Sequence[str]) -> list[str]:
    """Return a sentence on which judges have habits; none for a single judge."""
    if len(judges) < 2:
        return []
    found, clear, open_ = [], [], []
    for judge in judges:
        of = [m for m in measures if m.judge == judge and m.tested]
        n, hits = (len({m.habit for m in ms}) for ms in (of, [m for m in of if m.reading == FOUND]))
        if not n:
            open_.append(judge)
        elif hits:
            found.append(f"{judge} ({'the one' if n == 1 else f'{hits} of {n}'} tested)")
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
    who = introduced(judge)
    if not tested:
        return f"{who}: no habit could be tested."
    clear = [h for h in tested if h not in found]
    n = len(tested)
    if not found:
        what = listed([HABITS[h] for h in tested])
        none = (
            f"only one habit could be tested, {what}; it was not found"
            if n == 1
            else f"none of {n} tested habits was found ({what})"
        )
        return f"{who}: {none}." + _alone(mine)
    said = "; ".join(_found(of[h], measures) for h in found)
    some = "the one tested habit was" if n == 1 else f"{len(found)} of {n} tested habits"
    text = f"{who}: {some} found: {said}."
    if clear:
        text += f" Not found: {listed([HABITS[h] for h in clear])}."
    return text + _alone(mine)


def _alone(mine: Sequence[Measure]) -> str:
    """Return which habits would be found if nothing else had been tested."""
    habits = dict.fromkeys(m.habit for m in mine if m.reading == ALONE)
    done = {m.habit for m in mine if m.reading == FOUND}
    names = [HABITS[h] for h in habits if h not in done]
    if not names:
        return ""
    return f" Only if nothing else had been tested: {listed(names)}."


def _found(measures: Sequence[Measure], every: Sequence[Measure]) -> str:
    """Return the words for a habit that was found."""
    hits = [m for m in measures if m.reading == FOUND]
    m = min(hits, key=lambda m: m.p_holm)
    text, more = with_interval(m), m.estimate > m.honest
    if m.habit == "first":
        side = "first" if more else "second"
        return f"it favours the {side} text ({text} of its choices are of the first)"
    if m.habit == "letter":
        return f"it answers {'A' if more else 'B'} too often (A: {text})"
    if m.habit == "halo":
        return f"its errors on two dimensions are more correlated than people's (by {text})"
    if m.habit == "rewrite":
        which = part_of(len(hits), len(measures), "shift")
        shift = m.what.replace("_", " ")
        return f"rewrites change its scores ({which}; clearest {shift}, {text} points)"
    estimate = estimate_of(m)
    more = estimate > m.honest
    odds = f"{text} the odds" if far(estimate) and "[" not in text else f"odds {text}"
    per = " for twice the length" if m.habit == "length" else ""
    said = f"{odds}{per}"
    if math.isnan(m.estimate):
        share = next(s for s in every if s.judge == m.judge and s.habit == m.habit and s != m)
        said = f"{with_interval(share)} of its choices"
        if m.endless:
            said = f"{odds}{per}; {said}"
        else:
            more = share.estimate > 0.5
    if m.habit == "own":
        which = "texts of its own model" if more else "texts that are not of its own model"
        return f"it favours {which} more than people do ({said})"
    return f"it favours the {'longer' if more else 'shorter'} text more than people do ({said})"


def steadiness(measures: Sequence[Measure], judge: str) -> str:
    """Return a sentence on how steady a judge is; empty if nothing shows it."""
    mine = {m.what: m for m in measures if m.judge == judge and m.habit == "steady" and m.n}
    worded = [m for m in mine.values() if m.asking == WORDING and not m.beyond_repeats]
    lowest = f" (the lowest of {len(worded)} wordings)" if len(worded) > 1 else ""
    parts: list[tuple[Measure, str]] = []
    if "repeat" in mine:
        parts.append((mine["repeat"], "when asked the same again"))
    if "consistency" in mine:
        parts.append((mine["consistency"], "with the sides exchanged"))
    if worded:
        parts.append((min(worded, key=lambda m: m.estimate), f"in other words{lowest}"))
    places = min((decimals(m) for m, _ in parts), default=0)  # all shares alike
    said = [f"{with_interval(m, places)} {how}" for m, how in parts]
    return f"{judge} gives the same answer: {', '.join(said)}." if said else ""


def untested(measures: Sequence[Measure], judge: str) -> str:
    """Return what could not be tested, and why; empty if everything was tested."""
    mine = [m for m in measures if m.judge == judge and m.reading == UNTESTED]
    if not mine:
        return ""
    said = "; ".join(f"{HABITS[m.habit]} ({clause(m.note)})" for m in mine if m.note)
    return f"Not tested for {judge}: {said}." if said else ""


def clause(note: str) -> str:
    """Return a note as part of a sentence: without its capital and its full stop."""
    return note[:1].lower() + note[1:].rstrip(".")


def asked(measures: Sequence[Measure], judge: str) -> str:
    """Return how many requests stayed unanswered; empty if none were recorded."""
    mine = next((m for m in measures if m.judge == judge and m.habit == "requests" and m.n), None)
    if mine is None:
        return ""
    lacking = round(mine.estimate * mine.n)
    text = f"Of {mine.n:,} requests to {judge}, {lacking:,} stayed unanswered."
    return f"{text} {mine.note}".strip()


def methods(*, rewrites: int, shown: int, cut: int, seed: int, ties: bool = False) -> list[str]:
    """Return how the numbers were made; `ties` says whether any answer is one."""
    said = [
        "A habit is found if the 95% interval excludes the value for a judge without it, and the "
        "p value, corrected by Holm over everything tested about that judge, is at most .05. Each "
        "habit has the same weight in the correction, shared evenly by its tests. So an honest "
        "judge is accused of any habit in at most one of twenty cases. Intervals are not "
        "corrected. Numbers on steadiness only describe a judge: a noisy judge is weak, not "
        "biased.",
        "First text: pairs asked both ways round are used, each once. A judge without the habit is "
        "as likely to choose the first both times as the second both times, whatever the texts "
        "(exact McNemar test; Tango's interval). One letter: the share of A in people's trials, "
        "each question once, compared with one half, because a study's plan puts each item on the "
        "left as often as on the right, within one; a table from elsewhere is taken to do the same "
        "(exact binomial test; Wilson's interval).",
        "Beyond people: each answer of a judge is compared with the vote of a person on the same "
        "pair. Both are regressed on the trait and on the difference of the two items' scores by "
        "all other raters. The coefficients of a judge that shares people's taste are proportional "
        "to the person's, however noisy either is and however few votes the scores have. The habit "
        "is what the trait adds beyond that, as an odds ratio in a pair of texts with equal scores "
        "by people. Errors allow for shared items and raters.",
        "Halo: errors are distances from the mean of all other people, with the judge's ratings on "
        "people's scale. Their correlation between dimensions, over items, is compared for judge "
        "and people (jackknife over items). Only more halo than people's counts as a habit.",
    ]
    if ties:
        said.append(
            "Ties: the favoured side and the favoured letter are measured on answers that choose a "
            "side. In consistency, repeats and wordings a tie is an answer of its own, so a tie "
            "both times is the same answer. Beyond people, a tie is half a choice of each text."
        )
    if rewrites:
        said.append(
            "Rewrites: the rating of the rewritten minus that of the original text, over items "
            f"(exact sign-flip test; t interval). The correction counts {rewrites} such tests, one "
            f"per dimension and rewrite. The table of texts shows {counted(shown, 'item')} drawn "
            f"with seed {seed}, cut after {cut} letters."
        )
    return said


def limits() -> list[str]:
    """Return what readers must know before they rely on the numbers."""
    return [
        "A habit that was not found may still exist: with few pairs or items its interval is wide.",
        "For length and authorship, judges are compared with these people's choices: what people "
        "themselves favour without good reason does not count as a judge's habit. The tests allow "
        "for few votes and noisy judges, but not for very skewed lengths.",
        "Repeated requests show the effect of chance at the judge's own settings. At temperature 0 "
        "a judge repeats itself, but near ties may still turn when a word changes.",
    ]
