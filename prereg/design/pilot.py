"""Spreads of the strata from a pilot: how much people's scores there move the estimate."""

from __future__ import annotations

import numpy as np

from prereg.design.allocation import IntArray
from prereg.design.label_strata import FloatArray, Strata
from prereg.errors import RatifyError
from prereg.plan.causal import Treatment

# The fewest units that people put into each arm.
FEWEST = 2
# A stratum's variance counts as if that of its arm had been seen in so many more units, and an
# arm's as if that of all units had.
PRIOR_UNITS = 4


def pilot_spreads(
    strata: Strata, units: IntArray, treatment: FloatArray, outcome: FloatArray, cuts: Treatment
) -> FloatArray:
    """Return the standard deviation of the influence values of each stratum.

    Parameters
    ----------
    strata : Strata
        Of the whole frame.
    units : array of int, shape (pilot,)
        The places in the frame of the units that people rated in the pilot, each once.
    treatment, outcome : array, shape (pilot,)
        People's scores of these units.
    cuts : Treatment

    Returns
    -------
    array of float, shape (strata,)

    Raises
    ------
    RatifyError
        When people called fewer than two units treated, or fewer than two control.

    Notes
    -----
    The influence value of a unit is that of a difference of means between people's arms:
    T (Y - mean of treated) / share treated - C (Y - mean of controls) / share of controls, and 0 in
    the middle. Shares and means weight each pilot unit by the units of its stratum. Few labels give
    a stratum's variance poorly, and one that is 0 by chance would starve the stratum: variances are
    pooled with that of the arm, and that with all strata's, each as if it came from 4 more units.
    """
    of = strata.of_unit[units]
    counts = np.bincount(of, minlength=len(strata.names))
    weights = (strata.sizes / np.maximum(counts, 1))[of]
    arms = np.array([cuts.arm(score) for score in treatment])
    values = np.zeros(len(units))
    for arm, sign in (("treated", 1.0), ("control", -1.0)):
        there = arms == arm
        if there.sum() < FEWEST:
            raise RatifyError(
                f"people called {there.sum()} of {len(units)} units {arm}: too few for a spread",
                allowed=f"at least {FEWEST}; or no pilot",
            )
        share = weights[there].sum() / weights.sum()
        mean = np.average(outcome[there], weights=weights[there])
        values[there] = sign * (outcome[there] - mean) / share
    return _pooled(strata, of, values)


def _pooled(strata: Strata, of: IntArray, values: FloatArray) -> FloatArray:
    """Return the spread within each stratum, pooled with its arm and with all strata."""
    names = range(len(strata.names))
    degrees = np.array([max(int((of == at).sum()) - 1, 0) for at in names])
    squares = np.array(
        [
            ((values[of == at] - values[of == at].mean()) ** 2).sum() if (of == at).any() else 0.0
            for at in names
        ]
    )
    if not degrees.sum():
        raise RatifyError(
            "no stratum has two units of the pilot", allowed="a larger pilot; or no pilot"
        )
    overall = squares.sum() / degrees.sum()
    spreads = np.empty(len(strata.names))
    arms = np.array(strata.arms)
    for arm in set(strata.arms):
        there = arms == arm
        of_arm = (squares[there].sum() + PRIOR_UNITS * overall) / (
            degrees[there].sum() + PRIOR_UNITS
        )
        spreads[there] = (squares[there] + PRIOR_UNITS * of_arm) / (degrees[there] + PRIOR_UNITS)
    pooled: FloatArray = np.sqrt(spreads)
    return pooled
