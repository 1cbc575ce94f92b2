"""The verdict on each hypothesis: what its registered tests found, and what they leave open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.agreement.constant import MEANS_NOTHING
from analysis.inference.equivalence import SHOWN_UNIT
from analysis.results.numbers import (
    decimals_among,
    decimals_of,
    interval,
    number,
    p_value,
    with_interval,
)
from analysis.results.quantities import Quantity
from analysis.results.verdict import Decision
from analysis.results.words import listed
from prereg.plan.model import Hypothesis

SUPPORTED, NOT_SUPPORTED, OPEN = "supported", "not supported", "not decided"
EXPLORATORY = "exploratory"
# From here an effect is not small, by its unit. Correlations and standard deviations: Cohen (1988).
# Log-odds: a fifth of a standard deviation, by pi / sqrt(3) (Chinn 2000); for each of several
# points, a tenth.
NOT_SMALL = {
    "correlation": 0.1,
    "log-odds": 0.36,
    "log-odds per point": 0.1,
    "sd": 0.2,
    "difference of proportions": 0.1,
}


def decided(hypothesis: Hypothesis, quantities: Sequence[Quantity]) -> Decision:
    """Return whether the registered tests support a hypothesis.

    Every registered number of the hypothesis that has a p value is a test, after the correction
    that its analysis registers. If all are below 1 - level and go the expected way, the hypothesis
    is supported; if none is, it is not; otherwise the tests do not decide. In an agreement
    analysis the alternative-annotator test decides: a judge passes at one half, unless a constant
    answer would pass too. A question of
    equivalence supports it if equivalence is shown, whichever direction is expected. Exploratory
    numbers count only if the hypothesis has no others; where others of the study are confirmatory,
    the verdict is then called exploratory.
    """
    mine = [q for q in quantities if q.hypothesis == hypothesis.id]
    registered = [q for q in mine if q.status == "confirmatory"]
    found = _decided(hypothesis, registered or mine)
    if mine and not registered and any(q.status == "confirmatory" for q in quantities):
        return replace(found, verdict=f"{found.verdict} ({EXPLORATORY})")
    return found


def _decided(hypothesis: Hypothesis, mine: Sequence[Quantity]) -> Decision:
    every = [q for q in mine if q.p_value is not None and q.estimate is not None]
    margins = [q for q in every if q.unit == SHOWN_UNIT]
    tests = [q for q in every if q.unit != SHOWN_UNIT]
    if margins:
        found = _by_margins(hypothesis, margins)
        return _both(found, _by_tests(hypothesis, tests, mine)) if tests else found
    if tests:
        return _by_tests(hypothesis, tests, mine)
    passes = [q for q in mine if ": winning_rate " in q.name and q.estimate is not None]
    if passes:
        passing = [q for q in passes if q.estimate is not None and q.estimate >= 0.5]
        hits = sum(1 for q in passing if MEANS_NOTHING not in q.note)
        low = [f"{q.label}: {q.note.rstrip('.')}" for q in passing if q.note]
        how = (
            f"the judges pass the alternative-annotator test (winning rate of 0.5 or more) on "
            f"{hits} of {len(passes)} combinations of judge and dimension"
            + (f" ({'; '.join(low[:4])})." if low else ".")
        )
        return Decision(id=hypothesis.id, verdict=_all_or_none(hits, len(passes)), how=how)
    return Decision(id=hypothesis.id, verdict=OPEN, how=_untested(mine))


def _untested(mine: Sequence[Quantity]) -> str:
    """Say what is known of a hypothesis without a test: the numbers that describe it, if any."""
    known = [q for q in mine if q.estimate is not None]
    if not known:
        return "no registered analysis has a test of it that could run."
    said = "; ".join(f"{q.label} {_shown(q, mine)}" for q in known[:4])
    more = f"; {len(known) - 4} more" if len(known) > 4 else ""
    return f"none of its registered numbers has a test ({said}{more})."


def _by_margins(hypothesis: Hypothesis, margins: Sequence[Quantity]) -> Decision:
    """Return what questions of equivalence decide; one that shows nothing is no evidence."""
    hits = sum(1 for q in margins if q.estimate == 1)
    said = "; ".join(f"{q.label}: {q.note.rstrip('.')}" for q in margins[:4])
    if len(margins) == 1:
        answer = "yes" if hits else "no"
        how = f"the one registered question of equivalence is answered by {answer} ({said})."
    else:
        how = (
            f"{hits} of {len(margins)} registered questions of equivalence "
            f"{'is' if hits == 1 else 'are'} answered by yes ({said})."
        )
    if any(q.status == "exploratory" for q in margins):
        how += " The tests are exploratory here, so this is no confirmation."
    return Decision(id=hypothesis.id, verdict=_all_or_none(hits, len(margins)), how=how)


def _both(one: Decision, other: Decision) -> Decision:
    verdict = one.verdict if one.verdict == other.verdict else OPEN
    return Decision(id=one.id, verdict=verdict, how=f"{one.how} {other.how}")


def _by_tests(
    hypothesis: Hypothesis, tests: Sequence[Quantity], mine: Sequence[Quantity]
) -> Decision:
    """Return what the tests decide; their numbers have the decimals of all that are shown."""
    expected = hypothesis.direction or "positive"
    clear = [q for q in tests if q.p_value is not None and q.p_value <= 1 - q.level]
    sign = 1 if expected == "positive" else -1
    wanted = [q for q in clear if q.estimate is not None and sign * q.estimate > 0]
    said = "; ".join(f"{q.label} {_shown(q, mine)}, p {_p(q.p_value)}" for q in tests[:4])
    more = f"; {len(tests) - 4} more" if len(tests) > 4 else ""
    verdict = _all_or_none(len(wanted), len(tests))
    how = f"{_finding(len(wanted), len(tests))} a {expected} effect ({said}{more})."
    how = (_left_open(tests, sign, expected) if not clear else "") + how
    against = len(clear) - len(wanted)
    if against and hypothesis.direction is None:
        verdict = OPEN
        how += (
            f" {against} {'finds' if against == 1 else 'find'} a negative effect, and the plan "
            "does not say which direction it expects (direction)."
        )
    if any(q.status == "exploratory" for q in tests):
        how += " The tests are exploratory here, so this is no confirmation."
    return Decision(id=hypothesis.id, verdict=verdict, how=how)


def _shown(q: Quantity, mine: Sequence[Quantity]) -> str:
    alike = [(one.estimate, one.low, one.high) for one in mine if one.unit == q.unit]
    own = (q.estimate, q.low, q.high)
    return with_interval(*own, decimals=decimals_among(alike, own, bounded=False))


def _left_open(tests: Sequence[Quantity], sign: int, expected: str) -> str:
    """Return the sentence on what tests without a clear effect leave open; empty if little.

    Little is an effect that is small by `NOT_SMALL`. In a unit that is not there, an interval is
    said to leave effects open, but not that they are large.
    """
    open_ = [
        (q, sign * end)
        for q in tests
        if q.low is not None and q.high is not None and q.low <= 0 <= q.high
        for end in [q.high if sign > 0 else q.low]
    ]
    large = [
        interval(q.low, q.high) for q, reach in open_ if reach >= NOT_SMALL.get(q.unit, math.inf)
    ]
    if large:
        leave = "interval {} leaves" if len(large) == 1 else "intervals {} leave"
        shown = listed(large[:4])
        return (
            f"This is no evidence against it: the {leave.format(shown)} open {expected} effects "
            "that are not small. "
        )
    unknown = [(q, reach) for q, reach in open_ if q.unit not in NOT_SMALL and reach > 0]
    if not unknown:
        return ""
    q, _ = unknown[0]
    end = q.high if sign > 0 else q.low
    return (
        f"No effect was found, but {expected} effects up to "
        f"{number(end, decimals_of(q.estimate, q.low, q.high))} {q.unit} are left open. "
    )


def _finding(hits: int, of: int) -> str:
    if of == 1:
        return f"The one registered test {'finds' if hits else 'does not find'}"
    return f"{hits} of {of} registered tests {'finds' if hits == 1 else 'find'}"


def _p(value: float | None) -> str:
    text = p_value(value)
    return text if text.startswith(("<", ">")) else f"= {text}"


def _all_or_none(hits: int, of: int) -> str:
    return SUPPORTED if hits == of else NOT_SUPPORTED if hits == 0 else OPEN
