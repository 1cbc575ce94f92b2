"""The chapter on the effect: corrected, beside people alone, and what the judge's is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.causal.correction.correction_figures import plot_three_estimates
from analysis.causal.correction.raters import raters_frame
from analysis.causal.proof import Proof
from analysis.estimating.examined import Examined
from analysis.estimating.reading import Inputs
from analysis.estimating.showing import POINTS, Showing
from analysis.registered.finding import Finding
from analysis.results.numbers import number, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted

CHAPTER = "effect"
CORRECTED = "corrected"
NO_TIPPING = "Outside 0 to 1: no such correlation would make all of the judge's own effect error."
_OVERLAP = "overlap-weighted, residual on residual, cross-fitted by user"
_CLUSTERED = "influence values clustered by user, t by the kurtosis of the users' sums"


def effect_finding(inputs: Inputs, examined: Examined, proof: Proof, despite: str = "") -> Finding:
    """Return what is shown of the effect: without a proof, neither the corrected nor people's."""
    show = Showing(inputs.evidence, CHAPTER, despite)
    shown = [*_headline(inputs, examined, show)] if proof.holds else []
    numbers = [*shown, *_audited(examined, show)]
    tables = [
        show.table(
            "parts",
            "What the judge's own effect is made of",
            "naive = slope x contrast of people's outcome + error part. A contrast is between the "
            "judge's arms, with the same overlap weights in every row. The intervals of all rows "
            "but the first are from the labels.",
            examined.parts.to_frame().rename(columns={"value": "estimate"}),
        )
    ]
    figures: list[ResultFigure] = []
    if proof.holds:
        tables += [
            show.table(
                "estimates",
                "Three estimates of one effect",
                "The naive one is about units that the judge puts into an arm, the other two about "
                "units that people put into one.",
                examined.three.to_frame().rename(
                    columns={"estimate": "source", "value": "estimate"}
                ),
            ),
            *_by_raters(inputs, examined, despite),
        ]
        figures = [_figure(examined, show)]
    return Finding(
        sentence=effect_sentence(inputs, examined) if proof.holds else "",
        quantities=numbers,
        tables=tables,
        figures=figures,
        methods=_methods(inputs, examined),
    )


def _by_raters(inputs: Inputs, examined: Examined, despite: str) -> list[ResultTable]:
    """Return the table by the number of raters, where there is one."""
    if not examined.raters:
        return []
    planned = counted(inputs.causal.labels.raters, "rater")
    return [
        _unregistered(inputs, despite).table(
            "raters",
            "The corrected effect by the number of raters",
            "How many people rate each score decides which units are treated, so it belongs to "
            "the estimand: these estimates may differ although each is right. All rows are about "
            f"the units with {planned} on both scores. The plan registers {planned}; the other "
            "rows are exploratory.",
            raters_frame(list(examined.raters)).rename(columns={"value": "estimate"}),
        )
    ]


def _unregistered(inputs: Inputs, despite: str) -> Showing:
    """Return what shows a number that the plan does not register, such as other raters' effect."""
    return Showing(replace(inputs.evidence, status="exploratory"), CHAPTER, despite)


def effect_sentence(inputs: Inputs, examined: Examined) -> str:
    """Return the headline: the corrected effect, with what it is about."""
    causal, three = inputs.causal, examined.three
    one = three.corrected
    raters = counted(causal.labels.raters, "person", "people")
    zero = " The interval includes 0, no effect." if one.low <= 0 <= one.high else ""
    return (
        f"Corrected by people's labels, {causal.treatment.scale.replace('_', ' ')} of at least "
        f"{causal.treatment.treated:g} instead of at most {causal.treatment.control:g} changes "
        f"{causal.outcome.scale.replace('_', ' ')} by {_said(one.value, one.low, one.high)} points "
        f"(the {causal.labels.aggregate} of {raters} for each score; {three.labels:,} labelled "
        f"units of {one.n:,}).{zero}"
    )


def judge_sentence(examined: Examined) -> str:
    """Return what the judge's own number is worth."""
    parts, tipping = examined.parts, examined.parts.tipping
    error = parts.error_part
    said = (
        f"The judge's scores alone would have said {number(parts.naive.value, 2)} points. Of this, "
        f"{_said(error.value, error.low, error.high)} points are its own errors and "
        f"{number(parts.people_part.value, 2)} what people see between its arms."
    )
    halo = parts.halo
    measured = f"they are correlated at {_said(halo.value, halo.low, halo.high)}"
    if 0 < tipping.value <= 1:
        said += (
            f" All of it would be error if its errors about the two scores were correlated at "
            f"{number(tipping.value, 2)}; {measured}."
        )
    else:
        said += f" Its errors about the two scores: {measured}."
    return said


def _headline(inputs: Inputs, examined: Examined, show: Showing) -> list[Quantity]:
    three, causal = examined.three, inputs.causal
    of = f"{causal.labels.aggregate} of {causal.labels.raters} ratings"
    evalue, robust = examined.confounding, examined.robustness
    other = _unregistered(inputs, show.despite)
    return [
        show.number(
            CORRECTED,
            "effect, corrected by people's labels",
            three.corrected,
            f"labels by inverse inclusion probability, the judge's score tuned out of fold; "
            f"{_OVERLAP}; {_CLUSTERED}",
            note=f"Labels: {three.labels:,} ({of}), {three.treated:,} of them treated.",
        ),
        show.number(
            "people",
            "effect by people's labels alone",
            three.people,
            f"labels by inverse inclusion probability; {_OVERLAP}; {_CLUSTERED}",
            n=three.labels,
        ),
        *(
            (show if one.raters == causal.labels.raters else other).number(
                f"raters_{one.raters}",
                f"corrected effect with {counted(one.raters, 'rater')} a score",
                one.corrected,
                "mean over all choices of so many raters",
                note=f"{100 * one.treated:.1f}% of the units are treated.",
            )
            for one in examined.raters
        ),
        show.plain(
            "confounding_e_value",
            "E-value of confounding, corrected effect",
            estimate=evalue.value,
            n=three.labels,
            unit="risk ratio",
            method="VanderWeele and Ding (2017), of the standardised difference",
            note=f"At the interval's end that is nearer to no effect: {number(evalue.near, 2)}.",
        ),
        show.plain(
            "robustness_value",
            "robustness value, corrected effect",
            estimate=robust.value,
            n=three.labels,
            unit="share of variance",
            method="Cinelli and Hazlett (2020)",
            note=f"At the interval's end that is nearer to no effect: {number(robust.near, 3)}.",
        ),
    ]


def _audited(examined: Examined, show: Showing) -> list[Quantity]:
    """Return what the labels say of the judge's own number, which is shown as audited only."""
    parts = examined.parts
    tipping = parts.tipping
    labels = {"n": parts.labels, "unit_of_n": "labelled units"}
    method = "overlap-weighted contrast between the judge's arms; " + _CLUSTERED
    return [
        show.number(
            "error_part",
            "of the judge's own effect: its errors",
            parts.error_part,
            method,
            **labels,
        ),
        show.number(
            "people_part",
            "of the judge's own effect: what people see",
            parts.people_part,
            method,
            **labels,
        ),
        show.number(
            "naive",
            "the judge's own effect, which is audited here",
            parts.naive,
            f"judge's scores of all units; {_OVERLAP}; {_CLUSTERED}",
            note="Not a result: see its parts.",
        ),
        show.number(
            "halo",
            "correlation of the judge's errors about the two scores",
            parts.halo,
            "errors about the lines on people's scores, weighted by inverse inclusion probability; "
            "delta method, clustered by user",
            unit="correlation",
            note="What the judge's scores say more or less than its average at a score by people. "
            "The gate's correlation is of its scores minus people's, so it is another number.",
            **labels,
        ),
        show.plain(
            "judge_error_e_value",
            "error correlation at which the judge's own effect is all error",
            estimate=tipping.value if np.isfinite(tipping.value) else None,
            low=tipping.low if np.isfinite(tipping.low) else None,
            high=tipping.high if np.isfinite(tipping.high) else None,
            level=tipping.level,
            unit="correlation",
            method="measured correlation x naive / error part; Fieller's interval",
            note="" if 0 < tipping.value <= 1 else NO_TIPPING,
            **labels,
        ),
    ]


def _figure(examined: Examined, show: Showing) -> ResultFigure:
    three, parts = examined.three, examined.parts
    return show.figure(
        plot_three_estimates(three, parts, unit=POINTS),
        name="three_estimates",
        title="What the judge says, what that is made of, and the effect after correction",
        caption="Above the line: the effect by the judge's scores of all units, and its two parts: "
        "what people see between the judge's arms, and the judge's own errors. Below: the effect "
        f"by people's labels alone ({three.labels:,} units), and corrected. Points with 95% "
        "intervals.",
        alt=f"The judge says {number(three.naive.value, 2)} points, of which "
        f"{number(parts.error_part.value, 2)} are its errors; the corrected effect is "
        f"{number(three.corrected.value, 2)}.",
    )


def _methods(inputs: Inputs, examined: Examined) -> str:
    causal = inputs.causal
    return " ".join(
        part
        for part in (
            f"The effect is the overlap-weighted one among units whose score by people (the "
            f"{causal.labels.aggregate} of {causal.labels.raters} ratings) is not between the cuts "
            f"{causal.treatment.control:g} and {causal.treatment.treated:g}. Which units these are "
            "is only known of labelled units, so the estimate is a ratio: it solves mean[(R/pi) "
            "psi - (R/pi - 1) lambda' Z] = 0, where psi is the orthogonal score of people's labels "
            "and Z are the strata of the sample and the judge's own score. Lambda is tuned out of "
            "fold. Nuisances are ridge regressions on all confounders, fitted on the judge's "
            "scores of all units and recalibrated on labels by at most ten components of the "
            "confounders; all units of a user are in one fold.",
            f"The judge's score has the weight {number(examined.three.judge_weight, 2)} in it.",
            examined.looks,
        )
        if part
    )


def _said(value: float, low: float, high: float) -> str:
    return with_interval(value, low, high, decimals=2)
