"""Published E-values and robustness values, and what R and Python packages make of their inputs.

E-values: VanderWeele and Ding (2017) print 7.26 and 3.0 for a risk ratio of 3.9 [1.8, 8.7]. The
R package EValue 4.1.3 prints, for `evalues.MD(0.5, se = 0.2)` and
`evalues.OLS(1.2, se = 0.4, sd = 3)`, the values in `R_EVALUE`; it takes 1.78 standard errors on
the scale of 0.91 d. Its tests shift an estimate to a truth that is not 0, as `SHIFTED`.

Robustness values: Cinelli and Hazlett (2020) print 13.9% (q = 1) and 7.6% (q = 1, alpha = .05) for
the effect of direct harm on attitudes to peace in Darfur. PySensemakr 0.0.8 has the data:

    d = sensemakr.load_darfur()
    m = smf.ols("peacefactor ~ directlyharmed + age + farmer_dar + herder_dar + pastvoted"
                " + hhsize_darfur + female + village", data=d).fit()
    m.params["directlyharmed"], m.bse["directlyharmed"], m.df_resid
    sensemakr.robustness_value(model=m, covariates="directlyharmed", q=Q, alpha=ALPHA)

with alpha = 1 where there is none. R's sensemakr tests the same: .138776, .07625797, .02187309.
`HIGH_T` are its values for an estimate of 40 with a standard error of 1 and 30 degrees of freedom.
"""

from __future__ import annotations

import math

from scipy.stats import t as student

# risk ratio, its interval's near end: their E-values, as printed
PUBLISHED_RATIOS = {3.9: 7.26, 1.8: 3.0}

# difference, standard error, both in standard deviations: E-values of the estimate and of the end
R_EVALUE = {
    (0.5, 0.2): (2.52914198186127, 1.44302956344269),
    (1.2 / 3, 0.4 / 3): (2.23397067263333, 1.52654088731104),
}
STANDARD_ERRORS = 1.78 / 0.91

DARFUR = {"estimate": 0.09731581928495575, "se": 0.023256537809811115, "df": 783.0}
DARFUR_R2 = 0.02187309
# q and alpha: robustness value
DARFUR_VALUES = {
    (1.0, None): 0.1387763538935877,
    (0.5, None): 0.0720269757956041,
    (1.0, 0.05): 0.07625796554485662,
    (1.0, 0.1): 0.08663475044778002,
    (0.5, 0.05): 0.004562760814388618,
}
HIGH_T = {(1.0, None): 0.981921804436961, (1.0, 0.05): 0.9789403653761}


def robustness_of_t(t: float, df: float, *, q: float = 1.0, alpha: float | None = None) -> float:
    """Return the robustness value of a coefficient of ordinary least squares.

    Parameters
    ----------
    t : float
        Its t statistic.
    df : float
        The residual degrees of freedom, above 1.
    q : float
        The share of the estimate that the confounder takes away.
    alpha : float, optional
        With it, the estimate that is left must only fail a two-sided test at this level.

    Notes
    -----
    Cinelli and Hazlett (2020). With `alpha` and a very large t, the binding confounder is one that
    explains all of the outcome.
    """
    strength = q * abs(t) / math.sqrt(df)
    if alpha is None:
        return _share(strength)
    beyond = float(student.ppf(1 - alpha / 2, df - 1)) / math.sqrt(df - 1)
    if strength <= beyond:
        return 0.0
    if strength > 1 / beyond:
        return (strength**2 - beyond**2) / (1 + strength**2)
    return _share(strength - beyond)


def _share(strength: float) -> float:
    """Return the share r of both variances with r / sqrt(1 - r) = strength."""
    if math.isinf(strength):
        return 1.0
    squared = strength**2
    return (math.sqrt(squared**2 + 4 * squared) - squared) / 2
