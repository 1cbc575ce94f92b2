"""Whether the judge's errors about the two scores of a unit go together.

Different people give the two scores, so the errors of people cannot go together: their halo is 0
by design, and the judge's correlation is compared with a margin alone.
"""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.rooms.quantity import Quantity, correlation, nothing
from analysis.causal.rooms.sampled import Sampled


def error_correlation(first: FloatArray, second: FloatArray, sample: Sampled) -> Quantity:
    """Return the correlation of the judge's distances from people's means on the two scores.

    Parameters
    ----------
    first, second : array of shape (n,)
        The judge's score minus the mean of people's ratings.
    sample : Sampled

    Returns
    -------
    Quantity
        Not defined where the judge makes the same error about every unit.

    Notes
    -----
    The means of people have noise, which is independent between the scores. It lowers the
    correlation: much for a judge whose errors are small beside it, and little for a poor judge. So
    a judge passes more easily the less its errors matter. If a judge uses less of the scale than
    people, its errors depend on the units' own scores, which counts here too.
    """
    x, y = first - sample.mean(first), second - sample.mean(second)
    xx, yy, xy = sample.mean(x * x), sample.mean(y * y), sample.mean(x * y)
    if min(xx, yy) < 1e-12:
        return nothing()
    r = xy / np.sqrt(xx * yy)
    if abs(r) >= 1 - 1e-12:
        return nothing()
    u, v = x / np.sqrt(xx), y / np.sqrt(yy)
    influence = u * v - r / 2 * (u**2 + v**2)
    return correlation(float(r), sample.lift(influence / (1 - r**2)))
