"""The causal section of a plan in words: the estimand, the sample, the gate, the estimators."""

from __future__ import annotations

from prereg.documents.prose import bullets, code, counted, listed, number, percent, sentence
from prereg.plan.causal import (
    Causal,
    CausalGate,
    EmbeddingServer,
    Encoder,
    LabelPlan,
    SentenceTransformer,
)
from prereg.plan.model import Plan

_ENCODERS = {
    "lexical": "counts of words (TF-IDF), a lexical encoder that knows no meaning",
    "use": "the Universal Sentence Encoder",
    "wordllama": "WordLlama",
}
_METHODS = {
    "greedy": "the most similar pair first (greedy)",
    "optimal": "the largest sum of similarities (optimal)",
}


def causal(plan: Plan) -> str:
    """Return the causal section in words; nothing if the plan has none."""
    if plan.causal is None:
        return ""
    return "\n\n".join(["### The causal estimate", *in_words(plan.causal)])


def in_words(one: Causal) -> list[str]:
    """Return the causal section as paragraphs."""
    return [
        _estimand(one),
        _confounders(one),
        _sample(one.labels),
        _gate(one.gate),
        _estimators(one),
        _checks(one),
    ]


def _estimand(one: Causal) -> str:
    cut, outcome = one.treatment, one.outcome
    judges = [
        f"The judge's scores of {code(part.scale)} are those of {code(part.judge)}."
        for part in (cut, outcome)
        if part.judge is not None
    ]
    return sentence(
        f"The effect of {code(cut.scale)} on {code(outcome.scale)} is estimated over the units of "
        f"{code(one.frame)}. The judge's scores are its columns {code(cut.score)} and "
        f"{code(outcome.score)}.",
        *judges,
        f"A unit is treated if its score of {code(cut.scale)} is at least {number(cut.treated)}, "
        f"and a control if it is at most {number(cut.control)}; what is between is in neither arm. "
        f"The estimand is the effect among units whose score by people is in an arm. Units with "
        f"the same {code(one.user)} are one cluster.",
    )


def _encoder(encoder: Encoder) -> str:
    if isinstance(encoder, EmbeddingServer):
        return f"the model {code(encoder.model)} of the server {code(encoder.server)}"
    if isinstance(encoder, SentenceTransformer):
        return f"the model {code(encoder.sentence_transformers)} of sentence-transformers"
    return f"{_ENCODERS[encoder]} ({code(encoder)})"


def _confounders(one: Causal) -> str:
    by = one.confounders
    kept = (
        f"{percent(by.components)} of its variance"
        if by.components < 1
        else counted(int(by.components), "component")
    )
    return sentence(
        f"Confounders are the embedding of {code(by.text)} by {_encoder(by.encoder)}, of which "
        f"{kept} {'is' if by.components <= 1 else 'are'} kept;",
        f"the columns {listed(by.columns)};" if by.columns else "no further columns;",
        f"users, hashed into {counted(by.user_buckets, 'group')};"
        if by.user_buckets
        else "no groups of users;",
        f"and the local time of day in {counted(by.time_bins, 'part')}."
        if by.time_bins
        else "and no time of day.",
        f"Nobody measured {listed(by.unmeasured)}, which may confound the effect too."
        if by.unmeasured
        else "",
    )


def _sample(labels: LabelPlan) -> str:
    shares = labels.shares
    how = f"in proportion to their size ({code(labels.allocation)})"
    if labels.allocation == "neyman":
        how = (
            f"by size times spread ({code(labels.allocation)}), with spreads from the pilot "
            + code(labels.pilot)
            if labels.pilot is not None
            else f"by size times spread ({code(labels.allocation)}); without a pilot "
            f"{percent(shares.control)} of the labels belong to the judge's controls, "
            f"{percent(shares.middle)} to the units between the cuts, and "
            f"{percent(shares.treated)} to the treated"
        )
    return (
        f"People label a probability sample: {counted(labels.stratified, 'unit')} by strata of the "
        f"judge's two scores, for the estimate, allocated {how}, at least {number(labels.floor)} "
        f"for each stratum; and {number(labels.random)} from all units at random, for the gate. "
        f"Each score is rated by {counted(labels.raters, 'person', 'people')} "
        f"(the {labels.aggregate} of their ratings counts), which is a part of the "
        "estimand."
    )


def _gate(gate: CausalGate) -> str:
    conditions = [
        f"people's own alpha is at least {number(gate.human_alpha)} on both scales",
        "the alternative-annotator test passes with a handicap of people of "
        f"{number(gate.epsilon)}",
        "the judge's squared distance from the other people exceeds a person's by less than "
        f"{percent(gate.non_inferiority)} of the variance of people's ratings",
        f"the judge's mean is within {number(gate.bias_margin)} points of people's",
        f"at the cut, the judge's sensitivity is at least {percent(gate.sensitivity)}, and its "
        f"predictive value at least {percent(gate.predictive_value)}",
        "the correlation of the judge's errors on the two scales exceeds people's by at most "
        f"{number(gate.halo)}",
        "the difference of the judge's outcome errors between its arms is at most "
        f"{number(gate.margin)} points",
    ]
    return (
        "The judge's own numbers are shown only if the gate passes, with intervals at "
        f"{percent(gate.level)} and weights by inclusion probability:\n\n{bullets(conditions)}\n\n"
        f"With fewer than {number(gate.items)} labelled units, or fewer than "
        f"{number(gate.treated)} that people call treated, or if an interval holds its threshold, "
        "there are not enough data."
    )


def _estimators(one: Causal) -> str:
    by, match = one.estimators, one.matching
    looks = (
        "The study may be looked at while labels come in, so intervals hold at every look."
        if one.sequential
        else "Nobody looks before all labels are there."
    )
    forests = "random forests (forest)" if by.nuisances == "forest" else "ridge and logit (ridge)"
    return (
        f"The nuisance models are {forests}, fitted in {number(by.folds)} folds that keep users "
        f"whole; propensities are trimmed at {number(by.trim)}. Units are also matched one to one "
        f"by {listed([_METHODS[name] for name in match.methods], as_code=False)}, at a cosine "
        f"similarity of at least {number(match.caliper)}. {looks}"
    )


def _checks(one: Causal) -> str:
    placebo = (
        f"The placebo treatment is {code(one.placebo)}, which cannot matter."
        if one.placebo is not None
        else "There is no placebo treatment."
    )
    control = (
        f"The negative control is the outcome {code(one.negative_control)}, which cannot be moved."
        if one.negative_control is not None
        else "There is no negative-control outcome."
    )
    return f"{placebo} {control}"
