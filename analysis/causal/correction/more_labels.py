"""How wide the corrected interval gets with more labels: from one estimate, or from several widths.

The variance of the corrected estimate has two parts. One comes from the units: it stays although
people label the whole frame, because the frame itself is a sample of what might have been asked.
The other comes from labelling only some of them. With n units, the score psi of people's labels,
and r the part of it that the strata and the judge do not tell,

    se^2 = [Var(psi) + E((1 / pi - 1) r^2)] / n.

If m labels are drawn in fixed proportions, the second part goes about as 1 / m - 1 / n, and is 0
where every unit is labelled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from analysis.causal.clustered import Estimate
from prereg.errors import RatifyError


@dataclass(frozen=True)
class Prediction:
    """What more labels would make of an estimate.

    Attributes
    ----------
    labels, units : int
        Labels so far, and units of the frame.
    se, df : float
        Of the estimate so far.
    share : float
        The part of its variance that would stay if people labelled every unit, 0 to 1.
    level : float
    """

    labels: int
    units: int
    se: float
    df: float
    share: float
    level: float = 0.95

    def se_at(self, labels: float) -> float:
        """Return the standard error with so many labels in all."""
        left = (1 / labels - 1 / self.units) / (1 / self.labels - 1 / self.units)
        return self.se * math.sqrt(self.share + (1 - self.share) * left)

    def width_at(self, labels: float) -> float:
        """Return the width of the interval with so many labels in all.

        The degrees of freedom follow how unequal the users' sums are, which only labelled units
        make unequal, so they grow as the labels do.
        """
        df = min(self.df * labels / self.labels, max(self.units - 1, 1))
        return 2 * float(student.ppf((1 + self.level) / 2, df)) * self.se_at(labels)

    def labels_for(self, width: float) -> int | None:
        """Return the fewest labels with an interval as narrow as `width`.

        None if it is not narrow enough although people label every unit.
        """
        if self.width_at(self.units) > width:
            return None
        low, high = 1, self.units
        while low < high:  # the width falls with every label
            middle = (low + high) // 2
            if self.width_at(middle) <= width:
                high = middle
            else:
                low = middle + 1
        return low


def prediction(corrected: Estimate, effective_labels: float, labels: int, units: int) -> Prediction:
    """Return what further labels would make of the corrected estimate.

    Parameters
    ----------
    corrected : Estimate
    effective_labels : float
        See `ThreeEstimates.effective_labels`.
    labels, units : int
        Labelled units, and units of the frame.

    Raises
    ------
    RatifyError
        If the estimate has no standard error.

    Notes
    -----
    With every unit labelled the variance is Var(psi) / n, which is se^2 e / n with e effective
    labels. So se^2(m') = se^2 [e / n + (1 - e / n) (1 / m' - 1 / n) / (1 / m - 1 / n)]. `power_dsl`
    of the R package DSL (Egami, Hinck, Stewart and Wei 2023) has m / m' as the last factor, as if
    the frame had no end. docs/causal.md compares both with simulated studies.
    """
    if labels >= units:
        raise RatifyError(
            "every unit of the frame is labelled, so there is nothing to predict",
            value=labels,
            allowed=f"fewer labels than the frame's {units:,} units",
        )
    if not math.isfinite(corrected.se) or not math.isfinite(effective_labels):
        raise RatifyError(
            "the corrected estimate has no standard error, so more labels cannot be predicted",
            allowed="more labels in both arms",
        )
    share = min(max(effective_labels / units, 0.0), 1.0)
    return Prediction(labels, units, corrected.se, corrected.df, share, corrected.level)


@dataclass(frozen=True)
class WidthCurve:
    """Squared width = stays + falls / labels.

    Attributes
    ----------
    stays, falls : float
        In squared points; squared points times labels.
    units : int
        More cannot be labelled.
    """

    stays: float
    falls: float
    units: int

    def width_at(self, labels: float) -> float:
        """Return the width with so many labels."""
        return math.sqrt(self.stays + self.falls / labels)

    def labels_for(self, width: float) -> int | None:
        """Return the fewest labels for a width; None if the frame has too few units for it."""
        if self.width_at(self.units) > width:
            return None
        return max(1, math.ceil(self.falls / (width**2 - self.stays)))


def width_curve(labels: Sequence[float], widths: Sequence[float], units: int) -> WidthCurve:
    """Return the curve through mean widths at two numbers of labels or more.

    Parameters
    ----------
    labels, widths : sequence of float
    units : int

    Notes
    -----
    Least squares on the squared widths relative to themselves; neither part is negative.
    """
    x, y = np.asarray(labels, dtype=float), np.asarray(widths, dtype=float) ** 2
    design = np.column_stack([np.ones(len(x)), 1 / x]) / y[:, None]
    stays, falls = np.linalg.lstsq(design, np.ones(len(y)), rcond=None)[0]
    if stays < 0 or falls < 0:
        column = 1 if stays < 0 else 0
        only = float(design[:, column].sum() / (design[:, column] ** 2).sum())
        stays, falls = (0.0, only) if stays < 0 else (only, 0.0)
    return WidthCurve(float(stays), float(falls), units)
