"""Which pairs a judge compares for a ranking of its own."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.strict import Strict


class PairSampling(Strict):
    """Which pairs a judge is asked in addition to people's trials, for a ranking of its own.

    `per_scenario` is the number of pairs. The scheme `information` asks at most that many: it stops
    when the scores reach `reliability`.
    """

    scheme: Literal["elo_neighbours", "random", "information"]
    per_scenario: int = Field(ge=1)
    start: float = 1000.0
    k: float = Field(default=32.0, gt=0)
    reliability: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _own_settings_only(self) -> Self:
        if self.reliability is not None and self.scheme != "information":
            raise ValueError(f"scheme {self.scheme} takes no reliability")
        return self
