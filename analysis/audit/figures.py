"""The figures of an audit: judges compared with people, who agrees with whom, who scores higher."""

from __future__ import annotations

import pandas as pd

from analysis.agreement.figures import plot_agreement_heatmap, plot_beside_people, plot_bias
from analysis.agreement.rating_table import MEDIAN
from analysis.results.figure_style import stamp, svg
from analysis.results.numbers import number
from analysis.results.quantities import ResultFigure
from analysis.results.words import listed

# With more pairs than this a figure is not readable.
DRAWN = 60


def beside_people_figure(rows: pd.DataFrame, *, simulated: bool) -> list[ResultFigure]:
    """Return the figure of judges compared with people, if people's agreement is known."""
    if rows.loc[rows["annotator"] == "people", "estimate"].isna().all():
        return []
    axes = plot_beside_people(rows)
    judges = [name for name in dict.fromkeys(rows["annotator"]) if name != "people"]
    return [
        ResultFigure(
            name="beside_people",
            title="Judges compared with people",
            caption="Mean quadratic kappa with one person: people's own as a band, each judge's as "
            "a point, with 95% intervals over items. The intervals share their items, so "
            "only the table of judges compared with people says whether they differ."
            + (" Simulated raters." if simulated else ""),
            alt=f"Agreement of {listed(judges)} with people, and of people with each other.",
            svg=svg(stamp(axes) if simulated else axes),
        )
    ]


def audit_figures(frame: pd.DataFrame, *, simulated: bool = False) -> list[ResultFigure]:
    """Return the figures of an audit.

    Parameters
    ----------
    frame : DataFrame
        The table `agreement`.
    simulated : bool
        Whether the people are bots; every figure then says so.
    """
    with_median = frame[frame["annotator_b"] == MEDIAN]
    shown, which = frame, "every pair of annotators"
    if _pairs(frame) > DRAWN:
        shown, which = with_median, f"every judge with {MEDIAN} (too many pairs to draw them all)"
    heat = plot_agreement_heatmap(shown, value="kappa_quadratic")
    bias = plot_bias(frame)
    said = ""
    if simulated:
        heat, bias, said = stamp(heat), stamp(bias), " Simulated raters."
    return [
        ResultFigure(
            name="agreement",
            title="Who agrees with whom",
            caption=f"Quadratic kappa of {which} on every dimension; people with each other come "
            f"first, as the yardstick. Intervals are in the table of pairs. {_range_of_n(shown)}"
            + said,
            alt=f"Quadratic kappa of {_pairs(shown)} pairs, from "
            f"{number(shown['kappa_quadratic'].min(), 2)} to "
            f"{number(shown['kappa_quadratic'].max(), 2)}.",
            svg=svg(heat),
        ),
        ResultFigure(
            name="bias",
            title="Who scores higher",
            caption=f"Mean of judge minus {MEDIAN} on every dimension, in points of the scale; "
            f"right of zero the judge scores higher than people. {_range_of_n(with_median)}{said}",
            alt=_bias_alt(with_median),
            svg=svg(bias),
        ),
    ]


def _pairs(frame: pd.DataFrame) -> int:
    return len(frame[["annotator_a", "annotator_b"]].drop_duplicates())


def _range_of_n(frame: pd.DataFrame) -> str:
    """Return how many items the drawn numbers are based on."""
    if frame.empty:
        return "No pair has a number."
    low, high = int(frame["n"].min()), int(frame["n"].max())
    return f"n = {low} items." if low == high else f"n = {low} to {high} items."


def _bias_alt(frame: pd.DataFrame) -> str:
    """Return the largest bias in a sentence."""
    known = frame.dropna(subset=["bias"])
    if known.empty:
        return "No judge has a defined bias."
    worst = known.iloc[int(known["bias"].abs().to_numpy().argmax())]
    size = float(worst["bias"])
    return (
        f"The largest bias is {worst['annotator_a']} on {worst['dimension']}, "
        f"{number(abs(size), 2)} points {'above' if size > 0 else 'below'} the median of people."
    )
