"""If this failed, thousands of simulated studies would be drawn, or a real report would not."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.axes import Axes

from analysis.evidence.figures import plot_flow
from analysis.results import figure_style

FLOW = pd.DataFrame(
    {"rule": ["too_fast"], "unit": ["sessions"], "before": [9], "excluded": [2], "after": [7]}
)


def test_nothing_is_drawn_meanwhile_and_everything_afterwards() -> None:
    before = figure_style.svg(plot_flow(FLOW))
    with figure_style.nothing_drawn():
        axes = plot_flow(FLOW)
        assert isinstance(axes, Axes)
        assert figure_style.svg(figure_style.stamp(axes)) == ""
        assert not figure_style.draws()
    with pytest.raises(ZeroDivisionError), figure_style.nothing_drawn():
        raise ZeroDivisionError
    assert figure_style.draws()
    assert figure_style.svg(plot_flow(FLOW)) == before
    assert before.startswith("<svg")
