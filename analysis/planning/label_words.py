"""What a number of labels can find, in sentences and as a table on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.causal.rooms.condition import rough
from analysis.planning.label_power import AtLabels, LabelPower
from analysis.planning.power import Share
from analysis.results.numbers import number, percent
from analysis.results.words import counted

# With fewer treated labels, ratings do not predict the width of an interval well.
FEWEST_TREATED = 20
_HEAD = ("labels", "labelled", "treated", "width", "coverage", "power", "gate passes")


def label_table(found: LabelPower) -> list[str]:
    """Return one line for each number of labels; the plan's own has a star."""
    cells = [_HEAD]
    cells += [
        (
            f"{one.planned:,}{'*' if one is found.own else ' '}",
            number(one.labelled, 0),
            number(one.treated, 0),
            number(one.width, 2),
            percent(one.coverage.value),
            percent(one.power.value),
            percent(one.gate.value),
        )
        for one in found.sizes
    ]
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEAD))]
    return [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in cells
    ]


def label_sentences(found: LabelPower) -> list[str]:
    """Return what a preregistration says about the number of labels, the most important first."""
    return [
        _own(found),
        *reach_words(found),
        *_failed(found),
        *_skipped(found),
        _truth(found),
        assumed_words(found),
    ]


def reach_words(found: LabelPower) -> Iterator[str]:
    """Yield how many labels the wanted width takes, or that no number of labels reaches it."""
    curve = found.curve
    if curve is None:
        alone = len(found.sizes) == 1 and not found.skipped
        yield f"How many labels a width of {found.wanted:g} takes is not known: " + (
            "only the plan's number was simulated; run without --no-curves."
            if alone
            else "fewer than two of the simulated numbers of labels gave an interval."
        )
        return
    width, units = f"A width of {found.wanted:g}", found.assumed.units
    labels = curve.labels_for(found.wanted)
    if labels is None:
        yield (
            f"{width} cannot be reached: with people's labels of all {units:,} units the interval "
            f"would still be about {number(curve.width_at(units), 2)} wide."
        )
        return
    sizes = [one.labelled for one in found.sizes if math.isfinite(one.width)]
    beyond = not min(sizes) <= labels <= max(sizes)
    yield (
        f"{width} takes about {counted(rough(labels), 'labelled unit')} of {units:,}"
        + (", by a curve beyond the numbers that were simulated." if beyond else ".")
    )


def which_to_believe(
    found: LabelPower, from_ratings: float, *, treated: int, simulated: bool
) -> str:
    """Return which of two predicted widths to plan with, and why.

    Parameters
    ----------
    found : LabelPower
    from_ratings : float
        The width that the study's own ratings predict for the plan's number of labels.
    treated : int
        Labelled units that people call treated.
    simulated : bool
        Whether bots gave these ratings.
    """
    own = found.own
    if not math.isfinite(own.width):
        return "The simulation gave no width for the plan's number of labels."
    said = (
        f"For the {counted(round(own.labelled), 'labelled unit')} of the plan there are two "
        f"predictions of the width: {number(own.width, 2)} from the simulation above, and "
        f"{number(from_ratings, 2)} from these ratings. "
    )
    if simulated:
        return said + (
            "Simulated raters gave these ratings, so plan with the first, which at least follows "
            "what the plan assumes of people and of the judge."
        )
    if treated < FEWEST_TREATED:
        return said + (
            f"Plan with the first: people call {counted(treated, 'labelled unit')} treated, and "
            f"ratings with fewer than {FEWEST_TREATED} know little about their own error."
        )
    return said + (
        "Plan with the second: it comes from this study's own people, judge and covariates, and "
        "the first from assumed ones."
    )


def _own(found: LabelPower) -> str:
    own = found.own
    finds = "power against no effect" if found.assumed.causes.effect else "chance of a false effect"
    return (
        f"With {counted(own.planned, 'label')} ({own.stratified:,} by strata, {own.random:,} at "
        f"random), the corrected 95% interval is {number(own.width, 2)} points wide on average, "
        f"and holds the truth in {_words(own.coverage)} of the simulated studies; the {finds} is "
        f"{_words(own.power)}, and the gate passes in {_words(own.gate)} ({own.studies:,} studies; "
        "in brackets the 95% interval of the simulation)."
    )


def _words(share: Share) -> str:
    return f"{percent(share.value)} [{percent(share.low)}, {percent(share.high)}]"


def _failed(found: LabelPower) -> Iterator[str]:
    for one in found.sizes:
        if one.failed:
            yield _failed_at(one)


def _failed_at(one: AtLabels) -> str:
    return (
        f"With {one.planned:,} labels, {one.failed:,} of {one.studies:,} studies gave no corrected "
        f"estimate ({one.why.rstrip('.')}); they find nothing and pass no gate."
    )


def _skipped(found: LabelPower) -> Iterator[str]:
    for labels in found.skipped:
        yield f"{labels:,} labels were left out: there are {found.assumed.units:,} units."


def _truth(found: LabelPower) -> str:
    plan = found.assumed.causal.labels
    return (
        f"The truth is {number(found.truth, 3)} points (error of its simulation "
        f"{number(found.truth_se, 3)}): what the assumed effect of {found.assumed.causes.effect:g} "
        f"becomes by the {plan.aggregate} of {counted(plan.raters, 'rater')}, who call "
        f"{percent(found.treated, 1)} of all units treated."
    )


def assumed_words(found: LabelPower) -> str:
    """Return the assumptions in one sentence."""
    causes = found.assumed.causes
    looks = (
        " Intervals hold at every look, which makes them wider."
        if found.assumed.causal.sequential
        else ""
    )
    return (
        f"This assumes a judge with reliability {causes.reliability:g} and error correlation "
        f"{causes.error_correlation:g}, a reliability of one person's rating of "
        f"{found.assumed.plan.assumptions.raters.reliability:g}, "
        f"{counted(found.assumed.units, 'unit')} of {counted(found.assumed.users, 'user')}, and "
        f"simulated covariates, not those of the frame.{looks}"
    )
