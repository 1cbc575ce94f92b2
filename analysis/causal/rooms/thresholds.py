"""What the three rooms ask for: the plan's thresholds, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass

from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Thresholds of the gate, under the names of the plan's section `causal.gate`.

    Attributes
    ----------
    human_alpha : float
        Human floor: people's own alpha is at least this, on each score.
    epsilon : float
        Agreement: a single person may be closer to the other people than the judge in less than
        this share more of the units. The handicap of the alternative-annotator test: .2 for
        experts, .15 for skilled people, .1 for a crowd.
    non_inferiority : float
        Agreement: the judge's squared error exceeds a single person's by less than this share of
        the variance of people's ratings.
    bias_margin : float
        Agreement: the judge's mean minus people's mean is within -m and m, in points.
    sensitivity, predictive_value : float
        Agreement, treatment only: of the units treated by people the judge also calls at least
        this share treated; of those that the judge calls treated people do.
    halo : float
        Agreement: the correlation of the judge's errors on the two scores is below people's plus
        this.
    margin : float
        Estimand: the contrast of the judge's outcome error between its arms is within -m and m,
        in points.
    items, treated : int
        Fewer labelled units, and fewer units treated by people, than these decide nothing.
    level : float
        Two-sided coverage of the intervals, before the correction over the two scores.
    """

    human_alpha: float = 0.5
    epsilon: float = 0.1
    non_inferiority: float = 0.15
    bias_margin: float = 0.5
    sensitivity: float = 0.4
    predictive_value: float = 0.2
    halo: float = 0.25
    margin: float = 0.45
    items: int = 100
    treated: int = 20
    level: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a threshold that nothing, or everything, would reach."""
        ranges = {
            "human_alpha": (-1 <= self.human_alpha < 1, "-1 <= human_alpha < 1"),
            "epsilon": (0 <= self.epsilon < 1, "0 <= epsilon < 1"),
            "non_inferiority": (self.non_inferiority > 0, "above 0"),
            "bias_margin": (self.bias_margin > 0, "above 0"),
            "sensitivity": (0 <= self.sensitivity < 1, "0 <= sensitivity < 1"),
            "predictive_value": (0 <= self.predictive_value < 1, "0 <= predictive_value < 1"),
            "halo": (0 <= self.halo <= 1, "0 to 1"),
            "margin": (self.margin > 0, "above 0"),
            "items": (self.items >= 10, "10 or more"),
            "treated": (self.treated >= 2, "2 or more"),
            "level": (0.5 < self.level < 1, "0.5 < level < 1"),
        }
        for name, (holds, allowed) in ranges.items():
            if not holds:
                raise RatifyError(
                    "is out of range",
                    column=f"causal.gate.{name}",
                    value=getattr(self, name),
                    allowed=allowed,
                )
