"""Checks the models of ties: scores, and how often two equal items tie.

150 raters judge two pairs each of 30 items, 20 judgments an item, as in one scenario of a study.
A third of the comparisons of equal items are ties.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd

from analysis.ranking.tie_models import MODELS, TieModel
from analysis.ranking.ties import TiedRanking, rank_with_ties
from tests.validation.check import Check

AREA = "ranking"
ITEMS, RATERS, EACH = 30, 150, 2
EQUAL, SIDE = 1 / 3, 0.3
_SPREAD = "with 20 judgments an item, likeliest scores are spread too far, as Bradley-Terry's are"
_DESIGN = "150 raters x 2 trials, 30 items, normal scores, a third of equal pairs tie"


def _study(
    rng: np.random.Generator, model: TieModel, side: float
) -> tuple[TiedRanking, pd.Series[float]]:
    score = rng.normal(size=ITEMS)
    score -= score.mean()
    n = RATERS * EACH
    order = np.concatenate([rng.permutation(ITEMS) for _ in range(2 * n // ITEMS)])
    left, right = order.reshape(-1, 2).T
    likelihood = MODELS[model]
    room = likelihood.first_guess(EQUAL)
    won, lost, _ = likelihood.chances(score[left] - score[right] + side, room)
    drawn = rng.random(n)
    names = np.array([f"i{k:02d}" for k in range(ITEMS)])
    judgments = pd.DataFrame(
        {
            "left_id": names[left],
            "right_id": names[right],
            "choice": np.where(drawn < won, "left", np.where(drawn < won + lost, "right", "tie")),
            "rater_id": np.repeat(np.arange(RATERS), EACH).astype(str),
        }
    )
    found = rank_with_ties(judgments, model=model, side_advantage=side != 0)
    return found, pd.Series(score, index=names)


def _scores(rng: np.random.Generator, *, model: TieModel) -> Iterable[bool]:
    found, score = _study(rng, model, 0.0)
    frame = found.frame.dropna(subset=["low"])
    truth = score.reindex(frame["item_id"]).to_numpy()
    return ((frame["low"] <= truth) & (truth <= frame["high"])).tolist()


def _room(rng: np.random.Generator, *, model: TieModel) -> Iterable[bool]:
    found, _ = _study(rng, model, 0.0)
    return [found.tie_of_equals_low <= EQUAL <= found.tie_of_equals_high]


def _side(rng: np.random.Generator, *, model: TieModel) -> Iterable[bool]:
    found, _ = _study(rng, model, SIDE)
    assert found.side_advantage_low is not None
    assert found.side_advantage_high is not None
    return [found.side_advantage_low <= SIDE <= found.side_advantage_high]


def checks() -> list[Check]:
    """Return the checks of this area."""
    what = {
        "interval of a score": (_scores, _DESIGN, 500),
        "how often equal items tie": (_room, _DESIGN, 1000),
        "side advantage": (_side, f"{_DESIGN}, left is .3 log-odds ahead", 1000),
    }
    return [
        Check(
            area=AREA,
            function="analysis.ranking.ties.rank_with_ties",
            what=f"{name}, {MODELS[model].name}",
            design=design,
            kind="coverage",
            promised=0.95,
            once=partial(once, model=model),  # type: ignore[arg-type]
            runs=runs,
            note=_SPREAD if once is _scores else "",
        )
        for model in MODELS
        for name, (once, design, runs) in what.items()
    ]
