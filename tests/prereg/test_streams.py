"""If this failed, a locked study would get other sequences, other pairs or other random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from prereg.streams import Stream, stream

# The first 8 bytes of SHA-256 of "length", as a whole number.
LENGTH = 1_117_645_488_300_561_555


@pytest.mark.parametrize(
    ("purpose", "of", "seeds"),
    [
        (Stream.SEQUENCES, [], [7, 1]),
        (Stream.BASELINE, ["length"], [7, 2, LENGTH]),
        (Stream.BOT, [12], [7, 3, 12]),
        (Stream.ANALYSIS, ["length"], [7, 4, LENGTH]),
        (Stream.JUDGE, ["length"], [7, 5, LENGTH]),
        (Stream.REHEARSAL, [], [7, 5]),
        (Stream.PROBED_ITEMS, [], [7, 6]),
        (Stream.PERTURBATIONS, [], [7, 7]),
        (Stream.SHOWN_REWRITES, [], [7, 8]),
        (Stream.LABELS, ["length"], [7, 16, LENGTH]),
    ],
)
def test_the_numbers_behind_the_seed_never_change(
    purpose: Stream, of: list[str | int], seeds: list[int]
) -> None:
    drawn = stream(7, purpose, *of).integers(2**62, size=4)
    assert drawn.tolist() == np.random.default_rng(seeds).integers(2**62, size=4).tolist()
