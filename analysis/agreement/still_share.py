"""The interval of a share of equal labels where every item says the same.

Where all labels are equal, leaving any item out changes nothing and an interval over items has no
width. But 40 items without a difference do not show that there is none: as other shares, this one
has Wilson's interval, at the number of items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cached_property

import numpy as np

from analysis.agreement.nominal_crowd import LabelCrowd, LabelRow
from analysis.agreement.sample import Sample
from analysis.inference.proportions import wilson_interval

WILSON = "Wilson interval at the number of items, which all say the same"


class StillShare(Sample):
    """A share that no item changes, with Wilson's interval."""

    @property
    def method(self) -> str:
        """Return how the interval is made."""
        return WILSON

    @cached_property
    def _ends(self) -> tuple[float, float, float]:
        low, high = wilson_interval(self.value * self.n, self.n, level=self.level)
        return low, self.value, high


def with_widths(found: LabelCrowd) -> LabelCrowd:
    """Return agreement on labels in which a share that never varies has an interval with a width.

    Differences that never vary stay without one.
    """
    return LabelCrowd(
        people=tuple(map(_with_width, found.people)), judges=tuple(map(_with_width, found.judges))
    )


def _with_width(row: LabelRow) -> LabelRow:
    return replace(row, own=_shares(row.own), people=_shares(row.people))


def _shares(samples: Mapping[str, Sample]) -> dict[str, Sample]:
    return {
        name: _still(sample) if name == "exact" and _never_varies(sample) else sample
        for name, sample in samples.items()
    }


def _never_varies(sample: Sample) -> bool:
    left = sample.left_out[sample.entered]
    return bool(left.size and np.ptp(left) <= 1e-12 and sample.value in (0.0, 1.0))


def _still(sample: Sample) -> StillShare:
    return StillShare(**{one.name: getattr(sample, one.name) for one in fields(sample)})
