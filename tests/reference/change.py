"""Measurements built to have exactly the published variance components of reliable change.

Published in Kumar et al., Practicing with Language Models Cultivates Human Empathic Communication:
245 people of a control group, three measurements each; REML components 11.8676 between and 5.3823
within. A balanced table has any components one likes: take any numbers, scale everybody's
deviations from their own mean until the mean square within is 5.3823, and the means until the mean
square between is 5.3823 + 3 * 11.8676.

The published figures, which the table must give back:
reliability .6880, of the mean of two .8152, standard error 2.8414 for one before and two after,
threshold 5.57 points with the 95% interval 5.24 to 5.94; other formulas, errors 2.32 to 3.28.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

BETWEEN, WITHIN = 11.8676, 5.3823
PEOPLE, ROUNDS = 245, 3


def published_control(seed: int = 20250321) -> pd.DataFrame:
    """Return `person_id`, `condition`, `round`, `value`: one control group of 245 x 3."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(PEOPLE, ROUNDS))
    means = values.mean(axis=1, keepdims=True)
    inside = values - means
    inside *= np.sqrt(WITHIN * PEOPLE * (ROUNDS - 1) / np.square(inside).sum())
    means -= means.mean()
    square = ROUNDS * np.square(means).sum() / (PEOPLE - 1)
    means *= np.sqrt((WITHIN + ROUNDS * BETWEEN) / square)
    return pd.DataFrame(
        {
            "person_id": np.repeat([f"c{i:03d}" for i in range(PEOPLE)], ROUNDS),
            "condition": "control",
            "round": np.tile(["1", "2", "3"], PEOPLE),
            "value": (means + inside).ravel(),
        }
    )
