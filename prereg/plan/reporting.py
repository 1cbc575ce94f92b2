"""What the report calls large: the limits behind its verdict and its findings."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, ValidationError

from prereg.errors import RatifyError
from prereg.fault_words import words_of
from prereg.strict import Strict


class Large(Strict):
    """Limits of the verdict; each is a key of the plan, or an option of an audit.

    Attributes
    ----------
    bias : float
        A judge is biased if its mean difference from people is this share of the scale's width or
        more, and its interval excludes zero. From `severe_bias` the finding is critical.
    reversed : float
        A judge is reversed if its rank correlation with people is this far below zero, and its
        interval excludes zero.
    shortfall : float
        A judge agrees with people if its kappa is not lower than people's own by this much, with
        the whole interval.
    choices : float
        A judge agrees with people's choices if it makes the same choice as a person in a share of
        comparisons that is not lower than people's own by this much, with the whole interval. From
        twice as much, falling short is critical.
    halo : float
        Halo is large if the judge's errors on two dimensions are correlated by this much more than
        a single person's, and the interval excludes zero.
    cut : float
        At a cut, the judge differs from a single person if sensitivity or specificity is lower by
        this much.
    unanswered : float
        Share of unanswered items that is a warning; twice as much is critical.
    side : float
        Distance of the share of left choices from one half, if the interval excludes one half.
    one_side : float
        Largest probability, under fair choice, of a person's choices of one side.
    fast : float
        A person is fast if their median time is under this share of the median of all people.
    same : float
        A person rates in a straight line if this share of their items has the same rating on every
        dimension.
    shown : int
        Number of disagreements shown with their texts.
    """

    bias: float = Field(default=0.1, gt=0, lt=1)
    severe_bias: float = Field(default=0.25, gt=0, lt=1)
    reversed: float = Field(default=0.3, gt=0, lt=1)
    shortfall: float = Field(default=0.2, gt=0, lt=2)
    choices: float = Field(default=0.1, gt=0, lt=1)
    halo: float = Field(default=0.2, gt=0, lt=2)
    cut: float = Field(default=0.15, gt=0, lt=1)
    unanswered: float = Field(default=0.05, gt=0, lt=0.5)
    side: float = Field(default=0.05, gt=0, lt=0.5)
    one_side: float = Field(default=0.005, gt=0, lt=0.5)
    fast: float = Field(default=0.33, gt=0, lt=1)
    same: float = Field(default=0.8, gt=0, le=1)
    shown: int = Field(default=5, ge=0, le=100)


def large_of(words: Sequence[str]) -> Large:
    """Return the limits that options give as NAME=NUMBER; the others keep their defaults.

    Raises
    ------
    RatifyError
        If a name is unknown or a number is out of range.
    """
    given: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name.strip() not in Large.model_fields:
            raise RatifyError(
                "--large names no limit of the verdict",
                value=word,
                allowed=", ".join(f"{known}=NUMBER" for known in Large.model_fields),
            )
        given[name.strip()] = value.strip()
    try:
        return Large.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        problem, allowed = words_of(first)
        usual = f"such as {name}={getattr(Large(), name):g}"
        raise RatifyError(
            f"--large {name}: {problem}",
            value=given[name],
            allowed=f"{allowed}, {usual}" if allowed else usual,
        ) from error
