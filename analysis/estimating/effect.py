"""The chapter on the effect: corrected, beside people alone, and what the judge's is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.causal.correction.correction_figures import plot_three_estimates
from analysis.causal.correction.raters import raters_frame
from analysis.causal.proof import Proof
from analysis.estimating.examined import Examined
from analysis.estimating.reading import Inputs
from analysis.estimating.sentences import effect_sentence
from analysis.estimating.showing import POINTS, Showing
from analysis.registered.finding import Finding
from analysis.results.numbers import number
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted

CHAPTER = "effect"
CORRECTED, PEOPLE = "corrected", "people"
NO_TIPPING = "Outside 0 to 1: no such correlation would make all of the judge's own effect error."
_TEN = (
    "So few labels can only adjust for ten components of the confounders, so people alone may keep "
    "more confounding."
)
_OVERLAP = "overlap-weighted, residual on residual, cross-fitted by user"
_CLUSTERED = "influence values clustered by user, t by the kurtosis of the users' sums"
_CONTRAST = "overlap-weighted contrast between the judge's arms; " + _CLUSTERED


def effect_finding(inputs: Inputs, examined: Examined, proof: Proof, despite: str = "") -> Finding:
    """Return what is shown of the effect.

    All effects come from the estimator that the proof is about. Where it is broken, none is shown,
    neither people's nor the judge's, nor what would give it away: only the judge's errors, which
    the gate weighs.
    """
    show = Showing(inputs.evidence, CHAPTER, despite)
    users = labelled_users(inputs)
    errors = _errors(examined, show, users)
    if not proof.holds:
        return Finding(quantities=errors, methods=_methods(inputs, examined))
    return Finding(
        sentence=effect_sentence(inputs, examined),
        quantities=[
            *_headline(inputs, examined, show, users),
            *_judges_own(examined, show, users),
            *errors,
        ],
        tables=[
            show.table(
                "parts",
                "What the judge's own effect is made of",
                "naive = slope x contrast of people's outcome + error part. A contrast is between "
                "the judge's arms, with the same overlap weights in every row. The intervals of "
                "all rows but the first are from the labels, so their clusters are the users of "
                "labelled units.",
                _parts_frame(examined, users),
            ),
            show.table(
                "estimates",
                "Three estimates of one effect",
                "The naive one is about units that the judge puts into an arm, the other two about "
                f"units that people put into one. {_TEN}",
                _estimates_frame(examined, users),
            ),
            *_by_raters(inputs, examined, despite),
        ],
        figures=[_figure(examined, show)],
        methods=_methods(inputs, examined),
    )


def labelled_users(inputs: Inputs) -> int:
    """Return how many users the labelled units have: the clusters of what only labels say."""
    return len(np.unique(inputs.frame.user[inputs.labels.labelled]))


def _parts_frame(examined: Examined, users: int) -> pd.DataFrame:
    frame = examined.parts.to_frame().rename(columns={"value": "estimate"})
    from_labels = frame["quantity"] != "naive"
    frame.loc[from_labels, "n"], frame.loc[from_labels, "clusters"] = examined.parts.labels, users
    return frame


def _estimates_frame(examined: Examined, users: int) -> pd.DataFrame:
    frame = examined.three.to_frame().rename(columns={"estimate": "source", "value": "estimate"})
    frame.loc[frame["source"] == PEOPLE, "clusters"] = users
    return frame


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


def _headline(inputs: Inputs, examined: Examined, show: Showing, users: int) -> list[Quantity]:
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
            PEOPLE,
            "effect by people's labels alone",
            three.people,
            f"labels by inverse inclusion probability; {_OVERLAP}; {_CLUSTERED}",
            note="Adjusted for ten components of the confounders at most; the corrected effect is "
            "adjusted for all.",
            n=three.labels,
            clusters=users,
        ),
        *(
            other.number(
                f"raters_{one.raters}",
                f"corrected effect with {counted(one.raters, 'rater')} a score",
                one.corrected,
                "mean over all choices of so many raters",
                note=f"{100 * one.treated:.1f}% of the units are treated.",
            )
            for one in examined.raters
            if one.raters != causal.labels.raters  # the headline is that one
        ),
        show.plain(
            "confounding_e_value",
            "E-value of confounding, corrected effect",
            estimate=evalue.value,
            n=three.labels,
            clusters=users,
            unit="risk ratio",
            method="VanderWeele and Ding (2017), of the standardised difference",
            note=f"At the interval's end that is nearer to no effect: {number(evalue.near, 2)}.",
        ),
        show.plain(
            "robustness_value",
            "robustness value, corrected effect",
            estimate=robust.value,
            n=three.labels,
            clusters=users,
            unit="share of variance",
            method="Cinelli and Hazlett (2020)",
            note=f"At the interval's end that is nearer to no effect: {number(robust.near, 3)}.",
        ),
    ]


def _of_labels(examined: Examined, users: int) -> dict[str, Any]:
    return {"n": examined.parts.labels, "unit_of_n": "labelled units", "clusters": users}


def _judges_own(examined: Examined, show: Showing, users: int) -> list[Quantity]:
    """Return the judge's own effect and what people see of it; all of it is only audited."""
    parts, tipping = examined.parts, examined.parts.tipping
    return [
        show.number(
            "naive",
            "the judge's own effect, which is audited here",
            parts.naive,
            f"judge's scores of all units; {_OVERLAP}; {_CLUSTERED}",
            note="Not a result: see its parts.",
        ),
        show.number(
            "people_part",
            "of the judge's own effect: what people see",
            parts.people_part,
            _CONTRAST,
            **_of_labels(examined, users),
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
            **_of_labels(examined, users),
        ),
    ]


def _errors(examined: Examined, show: Showing, users: int) -> list[Quantity]:
    """Return what the labels say of the judge's errors."""
    parts, labels = examined.parts, _of_labels(examined, users)
    return [
        show.number(
            "error_part",
            "of the judge's own effect: its errors",
            parts.error_part,
            _CONTRAST,
            **labels,
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
    ]


def _figure(examined: Examined, show: Showing) -> ResultFigure:
    three, parts = examined.three, examined.parts
    return show.figure(
        plot_three_estimates(three, parts, unit=POINTS),
        name="three_estimates",
        title="What the judge says, what that is made of, and the effect after correction",
        caption="Above the line: the effect by the judge's scores of all units, and its two parts: "
        "what people see between the judge's arms, and the judge's own errors. Below: the effect "
        f"by people's labels alone ({three.labels:,} units), and corrected. {_TEN} Points with 95% "
        "intervals; the dark line on the bar is that of the place where its two parts meet.",
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
