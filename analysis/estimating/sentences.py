"""The sentences of a causal estimate: the effect, what the judge's number is worth, the gate."""

from __future__ import annotations

import math

from analysis.causal.correction.decomposition import Decomposition
from analysis.causal.rooms.gate import JUDGE_ONLY, Gate
from analysis.estimating.examined import Examined
from analysis.estimating.reading import Inputs
from analysis.results.numbers import number, with_interval
from analysis.results.words import counted, sentences


def effect_sentence(inputs: Inputs, examined: Examined) -> str:
    """Return the headline: the corrected effect, with what it is about."""
    causal, three = inputs.causal, examined.three
    one = three.corrected
    raters = counted(causal.labels.raters, "person", "people")
    zero = (
        " The interval includes 0, so the data do not rule out that there is no effect."
        if one.low <= 0 <= one.high
        else ""
    )
    return (
        f"Corrected by people's labels, {causal.treatment.scale.replace('_', ' ')} of at least "
        f"{causal.treatment.treated:g} instead of at most {causal.treatment.control:g} changes "
        f"{causal.outcome.scale.replace('_', ' ')} by {_said(one.value, one.low, one.high)} points "
        f"(the {causal.labels.aggregate} of {raters} for each score; {three.labels:,} labelled "
        f"units of {one.n:,}).{zero}"
    )


def judge_sentence(examined: Examined) -> str:
    """Return what the judge's own number is worth."""
    parts = examined.parts
    naive, error, people, halo = parts.naive, parts.error_part, parts.people_part, parts.halo
    return (
        f"The judge's scores alone would have said {number(naive.value, 2)} points. Of this, "
        f"{_said(error.value, error.low, error.high)} points are its own errors and "
        f"{_said(people.value, people.low, people.high)} what people see between its "
        f"arms{_rounded(parts)}. Its errors about the two scores are correlated at "
        f"{_said(halo.value, halo.low, halo.high)}{_all_error(parts)}."
    )


def _rounded(parts: Decomposition) -> str:
    """Return a word where the parts as shown do not add up to the sum as shown."""
    shown = [round(one.value, 2) for one in (parts.error_part, parts.people_part, parts.naive)]
    return " (rounded)" if round(shown[0] + shown[1] - shown[2], 2) else ""


def _all_error(parts: Decomposition) -> str:
    """Return at which correlation the judge's effect is all error, and how to read it."""
    tipping, halo = parts.tipping, parts.halo.value
    # without an end of its interval the errors may be nothing, and then this is not to be quoted
    if not 0 < tipping.value <= 1 or math.isinf(tipping.high) or math.isinf(tipping.low):
        return ""
    said = (
        f"; at {_said(tipping.value, tipping.low, tipping.high)} all of the "
        f"{number(parts.naive.value, 2)} points would be error. "
    )
    if halo > tipping.value:
        return (
            said + "The measured correlation is larger, so the errors are more than the whole of it"
        )
    near, far = number(halo, 2), number(tipping.value, 2)
    return said + (
        f"The closer {near} is to {far}, the less is left"
        if near != far
        else "The two are the same to two digits, so hardly anything is left"
    )


def gate_sentence(gate: Gate, *, holds: bool = True, despite: str = "") -> str:
    """Return the verdict of the gate and of its rooms in one sentence.

    Parameters
    ----------
    gate : Gate
    holds : bool
        Whether the proof holds; without it a PASS shows nothing.
    despite : str
        Why figures from the judge's scores alone are shown without a PASS.
    """
    rooms = ", ".join(f"{room.name}: {room.verdict}" for room in gate.rooms)
    said = f"The gate says {gate.verdict} ({rooms})"
    if despite:
        return sentences([f"{said}. {JUDGE_ONLY} are shown despite it: {despite}"])
    rows = JUDGE_ONLY[0].lower() + JUDGE_ONLY[1:]
    if gate.passed and not holds:
        return f"{said}, but {rows} also need the proof."
    return f"{said}, so {rows} {'may be shown' if gate.passed else 'are withheld'}."


def _said(value: float, low: float, high: float) -> str:
    return with_interval(value, low, high, decimals=2)
