"""What a plan takes for granted about its raters and judges; power and simulated raters use it."""

from __future__ import annotations

from pydantic import Field

from prereg.strict import Strict


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
    """Two judges between which a gate has to tell: correlations of their scores with quality."""

    good: float = Field(default=0.8, ge=-1, le=1)
    bad: float = Field(default=0.2, ge=-1, le=1)


class Assumptions(Strict):
    """Everything a simulation of the plan has to assume; none of it changes an analysis."""

    raters: RaterAssumptions = RaterAssumptions()
    judges: JudgeAssumptions = JudgeAssumptions()
