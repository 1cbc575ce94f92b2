"""Refuses labels from which no effect can be estimated, and names their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.causal.units import CONTROL, TREATED, Cuts, Labels
from analysis.results.words import counted
from prereg.design.label_strata import Strata
from prereg.errors import RatifyError
from prereg.frame.sampling import STRATUM
from prereg.plan.causal import Causal


def refuse_unlabelled_strata(labels: Labels, strata: Strata, path: Path) -> None:
    """Raise `RatifyError` at a stratum without a label: nothing is known of people's scores there.

    Parameters
    ----------
    labels : Labels
    strata : Strata
        That the sample was drawn from.
    path : Path
        The file of people's ratings.
    """
    for at, name in enumerate(strata.names):
        here = labels.stratum == at
        if not labels.labelled[here].any():
            raise RatifyError(
                f"no drawn unit of this stratum has all its ratings on both scales, so nothing is "
                f"known of its {counted(int(here.sum()), 'unit')}",
                file=path,
                column=STRATUM,
                value=name,
                allowed="a label on both scores in every stratum",
            )


def refuse_unusable(labels: Labels, causal: Causal, path: Path) -> None:
    """Raise `RatifyError` if people leave an arm empty, or give every unit the same outcome."""
    known, cuts = labels.labelled, causal.treatment
    arms = Cuts(cuts.treated, cuts.control).arms(labels.treatment[known])
    for arm, words in (
        (TREATED, f"at least {cuts.treated:g}"),
        (CONTROL, f"at most {cuts.control:g}"),
    ):
        if not (arms == arm).any():
            raise RatifyError(
                f"people gave no unit a score of {words}, so one arm is empty",
                file=path,
                column=cuts.scale,
                allowed=f"units in both arms by the {causal.labels.aggregate} of people's ratings",
            )
    if not np.ptp(labels.outcome[known]) > 0:
        raise RatifyError(
            "people gave every unit the same score",
            file=path,
            column=causal.outcome.scale,
            value=float(labels.outcome[known][0]),
            allowed="an outcome that differs between units",
        )
