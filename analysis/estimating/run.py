"""Runs the causal part of a plan: gate, proof, then only what these allow, as results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.causal.proof import Proof
from analysis.causal.rooms.gate import Gate
from analysis.estimating.alone import alone_finding
from analysis.estimating.effect import effect_finding
from analysis.estimating.examined import Examined, examine
from analysis.estimating.limits import limits
from analysis.estimating.parts import gate_finding, proof_finding, units_finding
from analysis.estimating.proving import proof_of
from analysis.estimating.reading import EMBEDDINGS_FILE, Inputs, read_inputs
from analysis.estimating.sentences import gate_sentence, judge_sentence
from analysis.estimating.showing import Showing
from analysis.evidence.looked import write_looked
from analysis.evidence.provenance import is_a_look, study_meta
from analysis.evidence.versions import amendments_of
from analysis.gate import CAUSAL_FOLDER
from analysis.registered.figures import flow_figure
from analysis.registered.finding import Finding
from analysis.registered.sentences import flow_notes
from analysis.results.files import DESPITE
from analysis.results.quantities import Results
from analysis.results.verdict import Verdict, joined
from prereg import files
from prereg.lock import utc_now
from prereg.looks import read_looks
from prereg.simulated import simulated_truth


@dataclass(frozen=True)
class Estimated:
    """What came of the causal part of a plan.

    Attributes
    ----------
    results : Results
        As written.
    gate : Gate
    proof : Proof
    """

    results: Results
    gate: Gate
    proof: Proof


def estimate_effect(
    folder: Path,
    *,
    mode: str,
    despite: str = "",
    at: str | None = None,
    began: Callable[[str], None] | None = None,
    told: Callable[[int, int], None] | None = None,
) -> Estimated:
    """Run the causal part of a study's plan and write its results.

    Parameters
    ----------
    folder : Path
        See `reading.read_inputs`.
    mode : {'live', 'pilot', 'bot'}
        Whose ratings are used.
    despite : str
        Why figures from the judge's scores alone are wanted without a PASS of the gate.
    at : str, optional
        The time that the results give; by default now.
    began : callable, optional
        Is told what begins, in words.
    told : callable, optional
        Is told how many data sets with a planted effect are done, and of how many.

    Returns
    -------
    Estimated

    Raises
    ------
    RatifyError
        If something is missing or wrong; then nothing is written.
    """
    say = began or (lambda _: None)
    now = at or utc_now()
    say("the frame, its confounders and people's ratings")
    inputs = read_inputs(folder, mode=mode)
    if is_a_look(inputs.evidence):
        read_looks(folder)  # a log that was edited is said before the work, not after it
    say("the gate and the corrected estimate")
    examined = examine(inputs)
    say("the proof: known effects planted on the study's own covariates")
    proof = proof_of(inputs, told)
    reason = "" if examined.gate.passed else despite
    alone = Finding()
    if (examined.gate.passed and proof.holds) or reason:
        say("figures from the judge's scores alone")
        alone = alone_finding(inputs, reason)
    results = _assembled(inputs, examined, proof, alone, folder, now, reason)
    written = write_looked(results, inputs.evidence, folder, place=CAUSAL_FOLDER, now=now)
    return Estimated(written, examined.gate, proof)


def _assembled(
    inputs: Inputs,
    examined: Examined,
    proof: Proof,
    alone: Finding,
    folder: Path,
    now: str,
    reason: str,
) -> Results:
    evidence, causal = inputs.evidence, inputs.causal
    gate = gate_finding(inputs, examined.gate, reason)
    chapters = [
        effect_finding(inputs, examined, proof, reason),
        gate,
        proof_finding(inputs, proof, reason),
        units_finding(inputs, reason),
        alone,
    ]
    first = [one.sentence for one in (chapters[0], chapters[2]) if one.sentence]
    # the judge's own number comes from the estimator that the proof is about
    judge = [judge_sentence(examined)] if proof.holds else []
    said = [*first, *judge, gate_sentence(examined.gate, holds=proof.holds, despite=reason)]
    truth = simulated_truth(folder) if evidence.simulated else ""
    treatment, outcome = causal.treatment, causal.outcome
    return Results(
        kind="study",
        title=evidence.plan.title,
        question=f"By how many points is {outcome.scale.replace('_', ' ')} higher where "
        f"{treatment.scale.replace('_', ' ')} is at least {treatment.treated:g} than where it is "
        f"at most {treatment.control:g}?",
        verdict=joined([Verdict(sentences=tuple(said[:2])), gate.verdict]),
        headline=[*said, *(one for one in (examined.strange, truth) if one)],
        simulated=evidence.simulated,
        meta=_meta(inputs, examined, folder, now, reason),
        amendments=amendments_of(evidence.lock),
        flow=[{str(k): v for k, v in row.items()} for row in evidence.flow.to_dict("records")],
        flow_notes=[*flow_notes(evidence), *inputs.notes],
        quantities=[one for part in chapters for one in part.quantities],
        tables=[one for part in chapters for one in part.tables],
        figures=[
            *(one for part in chapters for one in part.figures),
            Showing(evidence, "flow", reason).carrying(flow_figure(evidence)),
        ],
        methods=[part.methods for part in chapters if part.methods],
        limits=limits(inputs, examined),
    )


def _meta(
    inputs: Inputs, examined: Examined, folder: Path, now: str, reason: str
) -> dict[str, Any]:
    """Return where the results come from: as of any results, with the frame and the gate."""
    meta = study_meta(inputs.evidence, folder, at=now, why={}, tables=[])
    for name in (inputs.causal.frame, EMBEDDINGS_FILE):
        meta["inputs"][name] = files.sha256((folder / name).read_bytes())
    meta["gate"] = {**examined.gate.to_json(), "lines": examined.gate.lines()}
    meta[DESPITE] = reason
    return meta
