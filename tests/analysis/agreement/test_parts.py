"""If this failed, power would simulate other numbers of agreement than the analysis reports."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from analysis.agreement.panel import panel
from analysis.agreement.summary import Beyond, CutAt, Parts, beyond_pairs
from prereg.errors import RatifyError
from tests.analysis.agreement.test_alternative_annotator import ratings

# a judge like a person, and one that is far from everybody
ERRORS: Mapping[str, Mapping[str, float]] = {
    "passes": {"p1": 0.8, "p2": 0.8, "p3": 0.8, "m": 0.2},
    "fails": {"p1": 0.3, "p2": 0.3, "p3": 0.3, "m": 3.0},
}
NUMBERS = Parts(halo=False, cuts=False, always=False)


def found(who: str, parts: Parts | None = None, cut: float = 4) -> Beyond:
    table = panel(ratings(dict(ERRORS[who]), items=40), scale=(1, 5))
    more = {} if parts is None else {"parts": parts}
    return beyond_pairs(table, epsilon=0.2, cuts=[CutAt(cut)], **more)


@pytest.mark.parametrize("who", ERRORS)
def test_what_is_made_is_the_same_as_with_everything(who: str) -> None:
    whole, part = found(who), found(who, NUMBERS)
    assert whole.crowd is not None and part.crowd is not None
    assert whole.alternative is not None and part.alternative is not None
    pd.testing.assert_frame_equal(whole.crowd.to_frame(), part.crowd.to_frame())
    pd.testing.assert_frame_equal(whole.alternative.to_frame(), part.alternative.to_frame())
    assert (part.halo, part.cuts, part.one_sided) == (None, (), ())
    assert whole.halo is not None and whole.cuts
    assert (whole.frequent, whole.constants) == (part.frequent, part.constants)
    # what a pass means is only asked where a judge passes
    assert whole.always is not None
    assert (part.always is None) == (who == "fails")


def test_parts_that_are_not_wanted_are_not_made() -> None:
    only = found("passes", Parts(test=False, halo=False, cuts=False, always=False))
    assert only.crowd is not None
    assert (only.alternative, only.always) == (None, None)
    assert found("passes", Parts(crowd=False)).crowd is None


def test_a_cut_outside_the_scale_is_refused_whatever_is_made() -> None:
    with pytest.raises(RatifyError, match="one side of the cut"):
        found("passes", NUMBERS, cut=9)
