"""What a plan takes for granted about its raters and judges; power and simulated raters use it."""

from __future__ import annotations

from pydantic import Field

from prereg.analyses.regression import Value
from prereg.strict import Identifier, Strict, Text, added


class RaterAssumptions(Strict):
    """How people are assumed to answer and to leave.

    Attributes
    ----------
    sensitivity : float
        Log-odds of a choice per standard deviation of quality, for the median rater.
    spread : float
        Standard deviation of the log of that sensitivity between raters.
    taste : float
        Standard deviation of a rater's own liking for an item, in log-odds.
    side : float
        Standard deviation between raters of a preference for the left side, in log-odds.
    tie : float
        Log-odds up to which a rater sees no difference, where ties are offered (Rao and Kupper
        1967).
    reliability : float
        Share of the variance of one person's ratings of an item that is the item's quality.
    careless : float
        Share of raters who answer at random, attention checks too.
    drop_out : float
        Share of raters who leave before their last trial, each at a random trial.
    no_shows : float
        Share of raters who consent and answer nothing.
    """

    sensitivity: float = Field(default=1.2, ge=0, le=20)
    spread: float = Field(default=0.4, ge=0, le=3)
    taste: float = Field(default=0.5, ge=0, le=10)
    side: float = Field(default=0.15, ge=0, le=10)
    tie: float = Field(default=0.4, ge=0, le=10)
    reliability: float = Field(default=0.5, gt=0, lt=1)
    careless: float = Field(default=0.0, ge=0, lt=1)
    drop_out: float = Field(default=0.0, ge=0, lt=1)
    no_shows: float = Field(default=0.0, ge=0, lt=1)


class JudgeAssumptions(Strict):
    """Two judges between which a gate has to tell: correlations of their scores with quality.

    `each` is the correlation of a judge that is expected to be better or worse than `good`.
    """

    good: float = Field(default=0.8, ge=-1, le=1)
    bad: float = Field(default=0.2, ge=-1, le=1)
    each: dict[Identifier, float] = added({})

    def expected(self, judge: str) -> float:
        """Return the correlation that is expected of a judge."""
        return self.each.get(judge, self.good)


class Effects(Strict):
    """What is assumed about the data of one analysis, in addition to people's answers.

    Attributes
    ----------
    people : int, optional
        People in the analysis's own table; by default as many as the plan has raters.
    rows : int
        Rows of each person in a regression's table.
    between, within : float
        Variance between people and within a person: of a change score, of a regression's outcome,
        and of the log-odds of a theme (between).
    effect : mapping
        The size of each effect. Of `change` by condition, in points; of `regression` by term or
        contrast, in units of the outcome (log-odds for a logit and an ordinal model); of `themes`
        by theme, as a difference of shares; of sources by source, in standard deviations of
        quality; of a `rank_correlation` by its column of the items, a correlation with quality. If
        it names some, the others are 0. Without it, every effect is of medium size.
    levels : mapping
        The values that a column of a regression's table takes.
    repeated : tuple of str
        Columns of a regression's table that vary within a person.
    """

    people: int | None = Field(default=None, ge=4, le=1_000_000)
    rows: int = Field(default=2, ge=1, le=1_000)
    between: float = Field(default=0.5, ge=0)
    within: float = Field(default=0.5, gt=0)
    effect: dict[Text, float] = Field(default_factory=dict)
    levels: dict[Text, tuple[Value, ...]] = Field(default_factory=dict)
    repeated: tuple[Text, ...] = ()


class CausalAssumptions(Strict):
    """What `ratify power --causal` assumes of the units, of the judge and of the effect.

    Attributes
    ----------
    effect : float
        Points of the outcome between treated and control, by scores on which everybody agrees.
    reliability : float
        Of the judge: variance of people's scores over variance of its scores, before it rounds.
    error_correlation : float
        Of the judge's two errors about one unit, before it rounds.
    units, users : int, optional
        By default as many as the frame has; without a frame 6,000 units, and a third as many users
        as units.
    studies : int
        Simulated for each number of labels.
    width : float, optional
        The width of the 95% interval that is wanted, in points; by default twice the margin of the
        gate.
    """

    effect: float = Field(default=0.5, ge=-6, le=6)
    reliability: float = Field(default=0.6, gt=0, le=1)
    error_correlation: float = Field(default=0.5, ge=-1, le=1)
    units: int | None = Field(default=None, ge=200, le=1_000_000)
    users: int | None = Field(default=None, ge=50, le=1_000_000)
    studies: int = Field(default=200, ge=20, le=100_000)
    width: float | None = Field(default=None, gt=0)

    def wanted(self, margin: float) -> float:
        """Return the width that is wanted, with the margin of the gate."""
        return self.width if self.width is not None else 2 * margin


class Assumptions(Strict):
    """Everything a simulation of the plan has to assume; none of it changes an analysis.

    `effects` has the id of an analysis as its key. `studies` are simulated for power. `causal`
    belongs to a plan with a causal section.
    """

    raters: RaterAssumptions = RaterAssumptions()
    judges: JudgeAssumptions = JudgeAssumptions()
    effects: dict[Identifier, Effects] = added({})
    studies: int = added(400, ge=20, le=100_000)
    causal: CausalAssumptions | None = added(None)

    def of(self, analysis: str) -> Effects:
        """Return what is assumed about the data of an analysis."""
        return self.effects.get(analysis, Effects())
