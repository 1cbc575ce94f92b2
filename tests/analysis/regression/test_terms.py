"""If this failed, a newcomer would read of linear algebra where a term does not vary."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.regression.formula import check_terms
from prereg.errors import RatifyError


def test_a_term_that_does_not_vary_is_named_as_such() -> None:
    one, x = np.ones(6), np.arange(6.0)
    with pytest.raises(RatifyError, match="the same value in every row") as refused:
        check_terms(np.column_stack([one, x, 2 * one]), ["Intercept", "x", "gap"])
    assert refused.value.value == "gap"
    with pytest.raises(RatifyError, match="linear combinations of others"):
        check_terms(np.column_stack([one, x, 2 * x]), ["Intercept", "x", "gap"])
    check_terms(np.column_stack([x, 2 * one]), ["x", "level"])
