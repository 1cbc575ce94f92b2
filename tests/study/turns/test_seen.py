"""If these failed, repeated rounds would stay, or rounds that are not repeated would go."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from study.turns.seen import Seen

NUMBERS = st.lists(st.lists(st.integers(-5, 40) | st.integers(-(2**63), 2**63 - 1)), max_size=12)


@given(NUMBERS)
def test_it_is_a_set(parts: list[list[int]]) -> None:
    seen, known = Seen(), set[int]()
    for part in parts:
        first = seen.add(np.array(part, dtype=np.int64))
        for number, new in zip(part, first, strict=True):
            assert new == (number not in known)
            known.add(number)
        assert len(seen) == len(known)


def test_it_takes_eight_bytes_a_number_in_few_arrays() -> None:
    seen, rng = Seen(), np.random.default_rng(1)
    for _ in range(300):
        seen.add(rng.integers(2**62, size=200))
    arrays = seen._sorted
    assert sum(one.nbytes for one in arrays) == 8 * len(seen)
    assert len(arrays) < 12
