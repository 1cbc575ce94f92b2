"""If this failed, a message would show a value that nobody typed, or break into several lines."""

from __future__ import annotations

import numpy as np
import pytest

from prereg.errors import LONGEST, RatifyError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2.5, "2.5"),
        (np.float64(2.5), "2.5"),
        (np.int64(7), "7"),
        (np.True_, "True"),
        ("a\nb", "'a\\nb'"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_value_is_shown_as_it_was_given(value: object, shown: str) -> None:
    error = RatifyError("is wrong", file="a.csv", row=3, column="n", value=value, allowed="0")
    assert str(error) == f"a.csv, row 3, column n: is wrong, got {shown} (allowed: 0)"


def test_a_long_value_is_cut_off() -> None:
    shown = str(RatifyError("is wrong", value="x" * 1000)).partition("got ")[2]
    assert len(shown) == LONGEST
    assert shown.endswith("…")
