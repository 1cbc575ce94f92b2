"""The word for a judge beside people's own agreement, where its answers are not off otherwise."""

from __future__ import annotations

import numpy as np

from analysis.agreement.alternative_annotator import LOW_ALPHA
from analysis.audit.one_answer import AnyPart, compared_constant, idle_words
from analysis.audit.people_agree import (
    lacks_yardstick,
    little_words,
    shared_words,
    shares_too_few,
    shows_too_little,
)
from analysis.results.numbers import with_interval
from analysis.results.verdict import AGREES, NO_YARDSTICK, REPLACES, SHORT, TOO_FEW
from prereg.plan.reporting import Large


def compared_word(
    part: AnyPart, large: Large, *, everything: bool, coefficient: str, answer: str
) -> tuple[str, str]:
    """Return the most serious word that holds, and the numbers behind it.

    Parameters
    ----------
    part : Part or LabelPart
    large : Large
        What counts as large.
    everything : bool
        Whether passing the alternative-annotator test is corrected over dimensions too.
    coefficient : str
        What the difference from people is of: 'kappa' or 'alpha'.
    answer : str
        What people gave: 'rating' or 'label'.
    """
    if shares_too_few(part):
        return TOO_FEW, shared_words(part)
    if lacks_yardstick(part):
        return NO_YARDSTICK, f"people's own {part.coefficient} {with_interval(*part.people)}"
    if shows_too_little(part):
        return TOO_FEW, little_words(part)
    if part.always:
        return compared_constant(part)
    return _beside_people(part, large, everything, coefficient, answer)


def _beside_people(
    part: AnyPart, large: Large, everything: bool, coefficient: str, answer: str
) -> tuple[str, str]:
    """Return the word for a judge whose answers vary, where people are a yardstick or nearly."""
    tested = part.tested
    passes = tested is not None and bool(tested.passes_all if everything else tested.passes)
    # a pass by either correction is said to mean nothing, as in the headline
    idle = idle_words(part, passes=tested is not None and bool(tested.passes or tested.passes_all))
    counts = passes and not idle
    value, low, _ = part.difference
    apart = "" if np.isnan(value) else apart_words(part, coefficient)
    if part.short:
        return SHORT, apart + ("; passes the alternative-annotator test" if counts else idle)
    if counts and tested is not None:
        return _passing(tested.human_alpha, low, apart, answer)
    if np.isnan(value):
        return TOO_FEW, "no agreement of people to compare with" + idle
    if low >= -large.shortfall:
        return AGREES, apart + idle
    return TOO_FEW, f"{apart}: too uncertain{idle}"


def _passing(alpha: float, low: float, apart: str, answer: str) -> tuple[str, str]:
    """Return the word for a judge that passes the alternative-annotator test, by people's alpha."""
    if alpha >= LOW_ALPHA:
        return REPLACES, apart
    if np.isnan(alpha):
        return TOO_FEW, f"people gave every item the same {answer}"
    if np.isnan(low):
        return TOO_FEW, f"people's {answer}s hardly vary"
    return AGREES, "passes, but people agree little"


def apart_words(part: AnyPart, coefficient: str) -> str:
    """Return how far a judge's agreement is from people's own."""
    return f"{coefficient} {with_interval(*part.difference, sign=True)} from people's own"
