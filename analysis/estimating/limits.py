"""The limits of a causal estimate, in plain sentences."""

from __future__ import annotations

from analysis.estimating.examined import Examined
from analysis.estimating.reading import Inputs
from analysis.results.numbers import number
from analysis.results.words import counted, listed


def _confounder(examined: Examined) -> str:
    """Return how strong a confounder must be to undo what the interval shows, and the estimate."""
    found = examined.confounding
    if examined.three.corrected.low <= 0 <= examined.three.corrected.high:
        return (
            "The interval already includes 0, so no confounder is needed for there to be no effect."
        )
    return (
        "A confounder that nobody measured would have to go with treatment and outcome by a risk "
        f"ratio of {number(found.near, 2)} each to bring the end of the interval to "
        f"0, and of {number(found.value, 2)} each to explain the corrected effect away."
    )


def limits(inputs: Inputs, examined: Examined) -> list[str]:
    """Return what the estimate cannot say."""
    causal, raters = inputs.causal, inputs.causal.labels.raters
    found = [
        "The effect is causal only if the confounders that were adjusted for are all that moves "
        f"both scores. No number on this page tests that. {_confounder(examined)}",
        f"It is about units whose score by the {causal.labels.aggregate} of "
        f"{counted(raters, 'rater')} is not between the cuts, weighted by how easily they could "
        "have been in either arm. With other raters, other cuts or another aggregate it is another "
        "effect.",
        "People's scores are taken as what is meant: if people are wrong together, the corrected "
        "estimate is wrong with them.",
        "No estimate by matching is corrected for the judge's errors.",
    ]
    drawn, labelled = len(inputs.sample.units), examined.three.labels
    if labelled < drawn:
        found.append(
            f"{drawn - labelled:,} of {drawn:,} drawn units have too few ratings. The estimate "
            "holds if, within each stratum, they are like the others."
        )
    if not examined.raters:
        found.append(
            "The effect by the number of raters is not given: with fewer raters than the plan's, "
            "some choice of them leaves an arm empty."
        )
    unmeasured = causal.confounders.unmeasured
    if unmeasured:
        found.append(f"The plan names what nobody measured: {listed(list(unmeasured))}.")
    if inputs.embeddings.lexical:
        found.append(
            "The text is adjusted for by a lexical encoder, which matches words, not meaning: two "
            "prompts that say the same in other words look different to it."
        )
    return found
