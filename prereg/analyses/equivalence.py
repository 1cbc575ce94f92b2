"""The plan of a question of equivalence: a registered number, a margin and which side counts."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from prereg.analyses.base import AnyAnalysis, Correction
from prereg.strict import Identifier, Strict, Text

PEOPLE = "people"
# The name of the number that is 1 if the tests show equivalence, and 0 if not.
SHOWN = "shown"
# The unit of a judge's agreement minus people's own.
SHARES = "difference of proportions"


class Of(Strict):
    """The number that is asked about: a quantity that another analysis of the plan reports."""

    analysis: Identifier
    quantity: Text


class SharedFamily(Strict):
    """The family of tests that this one is corrected with: all that name it."""

    name: Identifier
    correction: Correction


class Equivalence(AnyAnalysis):
    """Whether a number of another analysis is within a margin of a reference.

    Attributes
    ----------
    of : Of
    margin : float
        In the units of the number.
    unit : str, optional
        The unit that the margin is in. If the number has another, the plan is refused, or the
        analysis where the plan does not tell the number's unit.
    side : {'both', 'not_worse'}
        Equivalence, or non-inferiority.
    better : {'higher', 'lower'}, optional
        Which way is better; needed for not_worse.
    reference : float or 'people'
        What the number is compared with. `people`, for a judge's agreement in a choice_agreement:
        how far people agree with each other on the same trials.
    alpha : float
        Of each of the two one-sided tests; the interval shown covers 1 - 2 alpha.
    family : SharedFamily, optional
    """

    kind: Literal["equivalence"]
    of: Of
    margin: float = Field(gt=0)
    unit: Text | None = None
    side: Literal["both", "not_worse"] = "both"
    better: Literal["higher", "lower"] | None = None
    reference: float | Literal["people"] = 0.0
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    family: SharedFamily | None = None
    _cluster: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _direction(self) -> Self:
        if (self.side == "not_worse") != (self.better is not None):
            raise ValueError("side: not_worse needs better (higher or lower), and both takes none")
        return self

    def base(self, plan: Any) -> AnyAnalysis | None:
        """Return the analysis whose number is asked about; None if the plan has none."""
        found: AnyAnalysis | None = next(
            (one for one in plan.analyses if one.id == self.of.analysis), None
        )
        if found is None or self._cluster is None:
            return found
        return found.clustered_by(self._cluster)

    def clustered_by(self, column: str) -> Self:
        """Return a copy that asks about a number with errors clustered by this column."""
        again = self.model_copy()
        again._cluster = column
        return again

    def quantity_names(self, plan: Any) -> list[str]:
        """Return the names of the numbers it will report."""
        return ["difference", SHOWN]

    def coverage_of(self, quantity: str, plan: Any) -> str | None:
        """Return the name of the coverage beside the number that is asked about."""
        base = self.base(plan)
        return None if base is None else base.coverage_of(self.of.quantity, plan)

    def coverage_names(self, plan: Any) -> list[str]:
        """Return the coverage beside the number that is asked about, if a judge answered it."""
        name = self.coverage_of("difference", plan)
        return [] if name is None else [name]
