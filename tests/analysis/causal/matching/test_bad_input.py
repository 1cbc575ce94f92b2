"""Were this broken, a wrong input would end in a traceback, or in a wrong matching."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.causal.matching.match import match
from prereg.errors import RatifyError

UNIT = np.array(["a", "b", "c", "d"])
VECTORS = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [1.0, 1.0]])
ARMS = np.array([1.0, 0.0, 0.0, np.nan])
NAN = VECTORS + np.array([[0, 0], [0, np.nan], [0, 0], [0, 0]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"embeddings": [[1.0, 0.0], [1.0, 0.0], [1.0], [1.0, 0.0]]},
            "unit c, column embeddings: the embedding does not have the length of the first one, "
            "got 1 (allowed: 2 components)",
        ),
        (
            {"embeddings": NAN},
            "unit b, column e1: the embedding has a component that is not a number, got nan "
            "(allowed: a finite number)",
        ),
        (
            {"embeddings": VECTORS[:3]},
            "embeddings: there are not as many embeddings as units, got 3 (allowed: 4, one per "
            "unit)",
        ),
        (
            {"unit": np.array(["a", "b", "b", "d"])},
            "item_id: a unit occurs more than once, got 'b' (allowed: each unit once)",
        ),
        (
            {"arms": np.array([0.0, 0.0, 0.0, np.nan])},
            "causal.treatment: no unit is treated by the plan's cuts, so there is nothing to "
            "match, got '0 treated, 3 control' (allowed: one unit or more in each arm)",
        ),
        (
            {"arms": np.array([1.0, 1.0, np.nan, np.nan])},
            "causal.treatment: no unit is control by the plan's cuts, so there is nothing to "
            "match, got '2 treated, 0 control' (allowed: one unit or more in each arm)",
        ),
        (
            {"caliper": 2},
            "causal.matching.caliper: is not a cosine similarity, got 2 (allowed: -1 to 1)",
        ),
        ({"neighbours": 0}, "neighbours: is too few, got 0 (allowed: 1 or more)"),
    ],
)
def test_wrong_input_is_refused_in_one_line(change: dict[str, Any], words: str) -> None:
    given = {"unit": UNIT, "embeddings": VECTORS, "arms": ARMS, **change}
    with pytest.raises(RatifyError) as caught:
        match(**given)
    assert str(caught.value) == words


def test_vectors_of_equal_length_may_come_as_lists() -> None:
    found = match(UNIT, VECTORS.tolist(), ARMS)
    assert found.pairs(UNIT).to_numpy()[:, :2].tolist() == [["a", "b"]]
