"""What is said beside an effect: the cautions of its regression, where they hold of this effect."""

from __future__ import annotations

from typing import Protocol

from analysis.results.words import sentences

MISSING = "a column of the formula is missing"


class Cautioned(Protocol):
    """A regression with cautions; see `result.Regression` and `ordinal_result`."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Cautions, which need not end with a full stop."""

    @property
    def n_clusters(self) -> int | None:
        """Clusters of its errors."""

    @property
    def n_dropped(self) -> int:
        """Rows left out."""


def note_of(fit: Cautioned, *more: str, allowed_for: bool, plain_error: bool = False) -> str:
    """Return the cautions of a regression and what else is said of one effect, as sentences.

    Parameters
    ----------
    fit : Regression or OrdinalRegression
    *more : str
        What else is said of this effect.
    allowed_for : bool
        Whether its interval and p value hold with few clusters (bias-reduced errors with their own
        degrees of freedom, or the bootstrap), so that they are not too narrow.
    plain_error : bool
        Whether its standard error is the sandwich's all the same.
    """
    few = f"only {fit.n_clusters} clusters"
    said = []
    for one in fit.warnings:
        if one.startswith(few) and allowed_for:
            one = (
                f"{few}: the standard error is the sandwich's, which is too small with so few; "
                "the interval and p are not made from it"
            ) * plain_error
        if one == few:  # a cumulative logit says no more than this
            one += ": errors are too small and intervals too narrow"
        # of trials, the outcome has no value where the judge's scores are equal
        one = one.replace(MISSING, "a column of the formula has no value there", 1)
        if fit.n_dropped == 1:
            one = one.replace("1 rows left out", "1 row left out", 1)
        said.append(one)
    return sentences([*said, *more])
