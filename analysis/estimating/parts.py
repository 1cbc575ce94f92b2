"""The chapters before any number: the units, the gate's three rooms, and the proof."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.causal.balance_figures import plot_balance
from analysis.causal.graph import plot_graph
from analysis.causal.proof import Proof
from analysis.causal.rooms.condition import FAIL, Condition, rough
from analysis.causal.rooms.figures import plot_rooms
from analysis.causal.rooms.gate import Gate
from analysis.causal.score_figures import plot_scores, score_shares
from analysis.estimating.reading import OUTCOME, TREATMENT, Inputs
from analysis.estimating.showing import POINTS, Showing
from analysis.registered.finding import Finding
from analysis.results.numbers import number
from analysis.results.quantities import Quantity, ResultFigure
from analysis.results.verdict import Note, Verdict
from analysis.results.words import listed

UNITS, GATE, PROOF = "units", "gate", "proof"
# The unit of what each check of the proof found; of the others it is points.
_UNITS = {
    "planted effect in its interval": "intervals",
    "balance": "standard deviations",
    "overlap: effective units": "units",
    "overlap: treatment left": "share",
}


def units_finding(inputs: Inputs, despite: str = "") -> Finding:
    """Return what the estimate is made of: the frame, the sample, the scores, the graph."""
    show = Showing(inputs.evidence, UNITS, despite)
    return Finding(
        tables=[
            show.table(
                "sample",
                "The sample for people",
                "One row per stratum of the judge's two scores. Labelled units have all the "
                "ratings that the plan asks for, on both scales. The probability is that of being "
                "labelled.",
                sample_table(inputs),
                None,
            )
        ],
        figures=[_graph(inputs, show), *_scores(inputs, show)],
        methods=f"Encoder of the text: {inputs.embeddings.encoder or 'not named in the file'}"
        f"{', which is lexical: it matches words, not meaning' * inputs.embeddings.lexical}.",
    )


def sample_table(inputs: Inputs) -> pd.DataFrame:
    """Return units, drawn units, labelled units and the probability of each stratum."""
    strata, labels = inputs.sample.strata, inputs.labels
    drawn = np.bincount(strata.of_unit[inputs.sample.units], minlength=len(strata.names))
    labelled = np.bincount(strata.of_unit[labels.labelled], minlength=len(strata.names))
    first = [int(np.flatnonzero(strata.of_unit == at)[0]) for at in range(len(strata.names))]
    return pd.DataFrame(
        {
            "stratum": strata.names,
            "judge_says": strata.arms,
            "units": strata.sizes,
            "drawn": drawn,
            "labelled": labelled,
            "probability": labels.inclusion[first],
        }
    )


def _graph(inputs: Inputs, show: Showing) -> ResultFigure:
    causal = inputs.causal
    encoder = inputs.embeddings.encoder
    said = {
        causal.confounders.text: causal.confounders.text + f" ({encoder})" * bool(encoder),
        causal.user: f"user ({causal.confounders.user_buckets} groups)",
    }
    named = [said.get(name, name) for name in inputs.confounders.groups]
    unmeasured = causal.confounders.unmeasured
    return show.figure(
        plot_graph(
            treatment=causal.treatment.scale.replace("_", " "),
            outcome=causal.outcome.scale.replace("_", " "),
            confounders=named,
            unmeasured=unmeasured,
        ),
        name="graph",
        title="What the estimate assumes",
        caption="Arrows are causes. What is adjusted for moves both scores; what is not measured "
        "does too, if it exists. The judge's two scores have errors, which may go together.",
        alt=f"A graph: {', '.join(named)} move treatment and outcome"
        + (f"; {', '.join(unmeasured)} are not measured." if unmeasured else "."),
    )


def _scores(inputs: Inputs, show: Showing) -> list[ResultFigure]:
    causal, frame, labels = inputs.causal, inputs.frame, inputs.labels
    pairs = (
        (TREATMENT, causal.treatment.scale, frame.treatment, labels.treatment),
        (OUTCOME, causal.outcome.scale, frame.outcome, labels.outcome),
    )
    scales = {TREATMENT: inputs.scale_of_treatment, OUTCOME: inputs.scale_of_outcome}
    return [
        show.figure(
            plot_scores(
                score_shares(judge, people, labels.weights, scales[part]),
                name=name,
                cuts=inputs.cuts if part == TREATMENT else None,
            ),
            name=f"scores_{part}",
            title=f"How often each score of {name.replace('_', ' ')} was given",
            caption=f"By the judge to all {len(frame):,} units, and by {inputs.evidence.raters} "
            f"({causal.labels.aggregate} of {causal.labels.raters}, to the nearest point) to "
            f"{int(labels.labelled.sum()):,} units, weighted by their inverse inclusion "
            "probability.",
            alt=f"Bars of the shares of each score of {name}, by the judge and by people.",
        )
        for part, name, judge, people in pairs
    ]


def gate_finding(inputs: Inputs, gate: Gate, despite: str = "") -> Finding:
    """Return the gate's three rooms."""
    show = Showing(inputs.evidence, GATE, despite)
    numbers = [
        show.plain(
            f"{one.room}_{one.name}_{one.about}".lower().replace(" ", "_").strip("_"),
            one.says.partition(";")[0],
            estimate=one.estimate,
            low=one.low,
            high=one.high,
            level=one.level,
            n=one.n,
            clusters=one.clusters,
            unit=one.unit or "points",
            unit_of_n="labelled units",
            method=one.method,
            note=f"{one.room}: {one.verdict}.",
        )
        for one in gate.conditions
    ]
    return Finding(
        quantities=numbers,
        tables=[
            show.table(
                "rooms",
                "The gate's three rooms, condition by condition",
                "A room passes if all of its conditions do. `more` is a first estimate of how many "
                "more labels would decide, so it has two digits.",
                _rooms_frame(gate),
                None,
            )
        ],
        figures=[
            show.figure(
                plot_rooms(gate),
                name="rooms",
                title="The gate's three rooms",
                caption="Numbers are in each condition's own unit. Distances are in half-widths of "
                "its own interval, because there is no other unit for all; right of the line it "
                "passes, and an interval that reaches over the line does not decide. "
                f"{gate.n:,} labelled units, {gate.treated:,} of them treated by people.",
                alt="; ".join(f"{room.name}: {room.verdict}" for room in gate.rooms) + ".",
            )
        ],
        verdict=Verdict(notes=(*_notes(gate, len(inputs.frame)), *_two_tests(inputs))),
    )


def _notes(gate: Gate, units: int) -> tuple[Note, ...]:
    """Return what is said of every condition that does not pass; `units` are those of the frame."""
    notes, left = [], units - gate.n
    for room in gate.rooms:
        for one in room.conditions:
            if one.verdict == "PASS":
                continue
            notes.append(
                Note(
                    severity="critical" if one.verdict == FAIL else "warning",
                    about=room.name,
                    says=" ".join(part for part in (one.line(), one.beside) if part),
                    do=_what_to_do(one, left),
                )
            )
    return tuple(notes)


def _rooms_frame(gate: Gate) -> pd.DataFrame:
    more = [math.nan if one.more is None else float(rough(one.more)) for one in gate.conditions]
    return gate.to_frame().assign(more=more)


def _two_tests(inputs: Inputs) -> tuple[Note, ...]:
    """Return why a registered test of the same name may say otherwise than the gate's."""
    named = [one.id for one in inputs.evidence.plan.analyses if one.kind == "agreement"]
    if not named:
        return ()
    return (
        Note(
            severity="note",
            about="agreement",
            says="Two tests have the name alternative-annotator test. The gate's takes all raters "
            "of a unit together, on all labelled units at once. That of the plan's analysis "
            f"{listed(named)}, in results/report.html, takes each rater alone, on the units that "
            "this rater rated, and corrects for the number of raters. With few units per rater it "
            "seldom passes, so the two can differ on the same ratings.",
            do="For the gate the first counts. The second answers whether the judge can take the "
            "place of single raters.",
        ),
    )


def _what_to_do(one: Condition, left: int) -> str:
    """Return what to do about a condition that does not pass, with so many units not labelled."""
    if one.verdict == FAIL:
        return "Rely on the corrected estimate: more labels will hardly change this verdict."
    if one.more is not None and one.more > left:
        return (
            f"{one.why} Rely on the corrected estimate: about {rough(one.more):,} more labels "
            f"would decide (a first estimate), and the frame has {left:,} units without labels."
        ).strip()
    return f"{one.why} {one.labels_needed()}".strip()


def proof_finding(inputs: Inputs, proof: Proof, despite: str = "") -> Finding:
    """Return what had to hold before a number is shown."""
    show = Showing(inputs.evidence, PROOF, despite)
    planted = proof.planted
    numbers: list[Quantity] = [
        show.plain(
            "planted",
            f"estimate of a planted effect of {number(planted.effect, 2)} points",
            estimate=float(np.nanmean(planted.value)),
            n=planted.draws,
            unit_of_n="data sets with a planted effect",
            method="the headline's estimator on the study's own covariates",
            note=f"{planted.covered} of {planted.draws} intervals held it.",
        )
    ]
    return Finding(
        sentence="" if proof.holds else proof.sentence,
        quantities=numbers,
        tables=[
            show.table(
                "checks",
                "Proof before numbers",
                "Without all of these, no headline is shown. Found and allowed are in the unit of "
                "the row; a distance from 0 has no sign.",
                proof.to_frame().assign(
                    unit=[_UNITS.get(one.name, POINTS) for one in proof.checks]
                ),
                None,
            ),
            show.table(
                "balance",
                "Balance before and after overlap weighting",
                "Standardised mean differences of the judge's arms, by confounder.",
                proof.balance.by_group(),
                None,
            ),
        ],
        figures=[
            show.figure(
                plot_balance(proof.balance),
                name="balance",
                title="Balance before and after overlap weighting",
                caption="Absolute standardised mean differences of every covariate between the "
                "judge's arms.",
                alt="The largest difference after weighting is "
                f"{number(proof.balance.largest, 2)}.",
            )
        ],
    )
