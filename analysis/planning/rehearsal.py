"""Fits the registered formulas to invented trials, to find bad formulas before the lock."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.evidence.judges import measures_of
from analysis.regression.fit import clustered_logit
from prereg.analyses.choices import Logit
from prereg.errors import RatifyError
from prereg.plan.model import Plan
from prereg.streams import Stream, stream

ROWS = 2000


def rehearse(plan: Plan, scenarios: Sequence[str]) -> None:
    """Fit every registered logit to random choices.

    Parameters
    ----------
    plan : Plan
    scenarios : sequence of str
        Scenarios of the items.

    Raises
    ------
    RatifyError
        If a formula cannot be read, computed or fitted, or does not have the term that answers
        the hypothesis; the error names the path of the field.
    """
    logits = [(n, one) for n, one in enumerate(plan.analyses) if isinstance(one, Logit)]
    if not logits:
        return
    trials = _invented(plan, scenarios)
    for number, analysis in logits:
        where = f"analyses.{number}"
        try:
            fit = clustered_logit(trials, analysis.formula, cluster=analysis.cluster)
        except RatifyError as error:
            raise RatifyError(
                error.problem,
                file="plan.yaml",
                column=f"{where}.formula",
                value=analysis.formula,
                allowed=error.allowed,
            ) from error
        if analysis.term not in fit.params.index:
            raise RatifyError(
                "is not a term of the fitted formula",
                file="plan.yaml",
                column=f"{where}.term",
                value=analysis.term,
                allowed=", ".join(fit.params.index),
            )


def _invented(plan: Plan, scenarios: Sequence[str]) -> pd.DataFrame:
    """Return trials with every column that a formula may name."""
    rng = stream(plan.seed, Stream.REHEARSAL)
    measures = measures_of(plan)
    span = measures.scale.max - measures.scale.min
    rater = rng.integers(max(plan.design.raters, 2), size=ROWS).astype(str)
    columns = {
        "gap": rng.integers(1, span * len(measures.dimensions) + 1, size=ROWS),
        "scenario": rng.choice(sorted(set(scenarios)), size=ROWS),
        "position": rng.integers(1, plan.design.trials + 1, size=ROWS),
        "response_ms": rng.integers(1_000, 100_000, size=ROWS),
        "hidden_ms": rng.integers(0, 10_000, size=ROWS),
        "left_id": rng.integers(10, size=ROWS).astype(str),
        "right_id": rng.integers(10, size=ROWS).astype(str),
        "rater_id": rater,
        "session_id": rater,
        "sequence_id": rater,
        "select_higher": rng.integers(2, size=ROWS),
        "select_match": rng.integers(2, size=ROWS),
    }
    for dimension in measures.dimensions:
        columns[f"diff_{dimension}"] = rng.integers(-span, span + 1, size=ROWS)
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
