"""A check of the coefficients of pairs of annotators against the package pingouin."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.agreement.intervals import FEWEST
from analysis.agreement.pairs import AgreementTable
from analysis.agreement.rating_table import MEDIAN

# Far smaller than any printed digit of a coefficient.
_SAME = 1e-6
_NAMES = {
    "icc2_1": "ICC(2,1)",
    "icc2_k": "ICC(2,k)",
    "pearson": "Pearson's correlation",
    "spearman": "Spearman's correlation",
}


@dataclass(frozen=True)
class CoefficientCheck:
    """How far the coefficients of pairs differ from pingouin's.

    Attributes
    ----------
    pairs : int
        Pairs of annotators on one dimension that were compared.
    largest : float
        Largest difference of ICC(2,1), ICC(2,k), Pearson's or Spearman's correlation.
    where : str
        Which coefficient of which pair this is.
    clipped : int
        How many coefficients of pingouin's lie below -1; they are compared as -1.
    """

    pairs: int
    largest: float
    where: str = ""
    clipped: int = 0

    @property
    def sentence(self) -> str:
        """The check in one line."""
        far = f"below {_SAME:.6f}" if self.largest < _SAME else f"{self.largest:.1g}"
        return (
            f"Compared with pingouin on the same ratings of {self.pairs:,} pairs, the largest "
            f"difference in ICC(2,1), ICC(2,k), Pearson's or Spearman's correlation is {far}."
            + (f" It is in {self.where}." if self.where and self.largest >= _SAME else "")
            + (
                f" ICCs of pingouin below -1 ({self.clipped:,}) are compared as -1, the lowest "
                "value in these tables."
                if self.clipped
                else ""
            )
        )


def check_coefficients(ratings: pd.DataFrame, table: AgreementTable) -> CoefficientCheck:
    """Compare the table's ICCs and correlations with pingouin's.

    Parameters
    ----------
    ratings : DataFrame
        What the table was made from: `rater_id`, `item_id`, `dimension`, `value`.
    table : AgreementTable
        Pairs with the median of the people, or with fewer than five items, are left out.

    Returns
    -------
    CoefficientCheck

    Notes
    -----
    Vallat, R. (2018). Pingouin: statistics in Python. Journal of Open Source Software 3 (31), 1026.
    Coefficients that are not defined are not compared. pingouin takes about 10 ms per pair.
    Therefore `analysis.agreement.weighted` computes the coefficients and their intervals, and
    pingouin only checks the coefficients.
    """
    by_rater = ratings.pivot_table(
        index=["dimension", "item_id"], columns="rater_id", values="value"
    )
    pairs, largest, where, clipped = 0, 0.0, "", 0
    for row in table.rows:
        if row.annotator_b == MEDIAN or row.n < FEWEST:
            continue
        names = [row.annotator_a, row.annotator_b]
        theirs = _pingouin(pd.DataFrame(by_rater.loc[row.dimension])[names].dropna())
        pairs += 1
        for name, value in theirs.items():
            clipped += value < -1 - _SAME
            gap = abs(getattr(row, name) - max(value, -1.0)) if not math.isnan(value) else 0.0
            if gap > largest:
                largest = gap
                where = f"{_NAMES[name]} of {' with '.join(names)} on {row.dimension}"
    return CoefficientCheck(pairs, largest, where, clipped)


def _pingouin(both: pd.DataFrame) -> dict[str, float]:
    """Return pingouin's coefficients of two columns of ratings."""
    import pingouin

    tidy = both.melt(ignore_index=False).reset_index()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        icc = pingouin.intraclass_corr(
            tidy, targets="item_id", raters="rater_id", ratings="value"
        ).set_index("Type")["ICC"]
        x, y = both.to_numpy().T
        return {
            "icc2_1": float(icc["ICC(A,1)"]),
            "icc2_k": float(icc["ICC(A,k)"]),
            "pearson": float(pingouin.corr(x, y)["r"].iloc[0]),
            "spearman": float(pingouin.corr(x, y, method="spearman")["r"].iloc[0]),
        }
