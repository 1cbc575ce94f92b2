"""Were this broken, a figure would show something other than its data, or change between runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from analysis.agreement.figures import ink_on, pair_groups, plot_agreement_heatmap, plot_bias
from analysis.evidence.figures import plot_flow
from analysis.ranking.figures import (
    plot_elo_by_decile,
    plot_rank_against_rank,
    plot_ranking,
    score_decile,
)
from analysis.regression.figures import plot_selection_by_gap
from analysis.results.figure_style import fit_width, stamp, svg

HOSTILE = "<script>alert(1)</script> & $x^$ 中文 \x07"

RATES = pd.DataFrame(
    {
        "bin": ["1-3", "4-6", "> 6"],
        "gap_low": [1, 4, 7],
        "gap_high": [3, 6, np.nan],
        "n": [1200, 40, 20],
        "chosen": [660, 26, 17],
        "rate": [0.55, 0.65, 0.85],
        "low": [0.52, 0.5, 0.64],
        "high": [0.58, 0.78, 0.95],
    }
)
CURVE = pd.DataFrame(
    {
        "gap": [1.0, 5.0, 9.0],
        "probability": [0.54, 0.67, 0.8],
        "low": [0.52, 0.63, 0.7],
        "high": [0.56, 0.71, 0.87],
    }
)
FLOW = [
    {"rule": "finished", "unit": "people", "before": 40, "excluded": 10, "after": 30},
    {"rule": HOSTILE, "unit": "judgments", "before": 300, "excluded": 0, "after": 300},
]
SESSIONS = [
    {"rule": rule, "unit": unit, "before": before, "excluded": before - after, "after": after}
    for rule, unit, before, after in (
        ("incomplete_session", "sessions", 40, 30),
        ("incomplete_session", "judgments", 400, 300),
        ("duplicate_sequence", "sessions", 30, 30),
        ("duplicate_sequence", "judgments", 300, 300),
        ("attention_check_trials", "judgments", 300, 270),
    )
]


def items() -> pd.DataFrame:
    place = np.arange(20)
    return pd.DataFrame(
        {
            "item_id": [HOSTILE, *(f"item-{i}" for i in place[1:])],
            "scenario": np.where(place < 10, "job_loss", HOSTILE),
            "overall": np.tile(np.arange(10), 2),
            "elo": 900 + 10 * np.tile(np.arange(10), 2) + (place >= 10) * 4.0,
            "human_score": np.tile(np.arange(10), 2),
            "judge_score": np.concatenate([np.arange(10), np.arange(10)[::-1]]),
            "score": place / 10,
            "low": place / 10 - 0.2,
            "high": place / 10 + 0.3,
        }
    )


def agreement() -> pd.DataFrame:
    pairs = [("judge", "median(humans)"), ("ann", "ben"), ("judge", "ben"), ("judge", "ann")]
    rows = [
        {
            "dimension": dimension,
            "annotator_a": a,
            "annotator_b": b,
            "kappa_quadratic": 0.1 * place + (0.4 if dimension == "warmth" else -0.1),
            "bias": 0.3 * place - (0.5 if dimension == "warmth" else 0.2),
        }
        for dimension in ("warmth", "plain_words")
        for place, (a, b) in enumerate(pairs)
    ]
    return pd.DataFrame(rows)


PLOTS: dict[str, Callable[..., Axes]] = {
    "decile": lambda **kw: plot_elo_by_decile(items(), **kw),
    "gap": lambda **kw: plot_selection_by_gap(RATES, CURVE, **kw),
    "rank": lambda **kw: plot_rank_against_rank(items(), **kw),
    "ranking": lambda **kw: plot_ranking(items(), **kw),
    "heatmap": lambda **kw: plot_agreement_heatmap(agreement(), **kw),
    "bias": lambda **kw: plot_bias(agreement(), **kw),
    "flow": lambda **kw: plot_flow(FLOW, **kw),
}
every_plot = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS.keys())


def line(ax: Axes, gid: str) -> Line2D:
    return next(artist for artist in ax.lines if artist.get_gid() == gid)


def words(text: str) -> str:
    return " ".join(ElementTree.fromstring(text).itertext())


@every_plot
def test_a_figure_uses_the_axes_it_is_given(plot: Callable[..., Axes]) -> None:
    mine = Figure().add_subplot()
    assert plot(ax=mine) is mine
    assert plot() is not mine


@every_plot
def test_a_figure_leaves_the_callers_settings_alone(plot: Callable[..., Axes]) -> None:
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    svg(stamp(plot()))
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


@every_plot
def test_the_same_data_give_the_same_bytes(plot: Callable[..., Axes]) -> None:
    ax = stamp(plot())
    once = svg(ax)
    assert svg(ax) == once, "drawing it twice changed it"
    assert svg(stamp(plot())) == once


@every_plot
def test_an_svg_is_plain(plot: Callable[..., Axes]) -> None:
    text = svg(plot())
    root = ElementTree.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "defs", "path", "rect", "text", "use", "clipPath"}
    assert not any("style" in element.attrib for element in root.iter())
    assert not re.search(r"20\d\d-\d\d-\d\d", text), "a date makes two runs differ"
    assert "DejaVu Sans', sans-serif" in root.attrib["font-family"]


@every_plot
def test_the_stamp_is_in_the_drawing(plot: Callable[..., Axes]) -> None:
    assert "Simulated raters" not in words(svg(plot()))
    assert "Simulated raters" in words(svg(stamp(plot())))
    assert "Pilot data" in words(svg(stamp(plot(), "Pilot data")))


@pytest.mark.parametrize("name", ["rank", "ranking", "flow"])
def test_a_hostile_name_is_text(name: str) -> None:
    text = svg(PLOTS[name]())
    assert "<script" not in text
    assert "<script>alert(1)</script>" in words(text)


def test_deciles_are_taken_inside_a_scenario() -> None:
    frame = pd.DataFrame({"s": ["a"] * 10 + ["b"] * 4, "v": [*range(10), 100, 101, 102, 102]})
    deciles = score_decile(frame, score="v", scenario="s")
    assert deciles.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 4, 8, 8]


def test_elo_by_decile_draws_every_item_and_each_mean() -> None:
    ax = PLOTS["decile"]()
    drawn = np.concatenate([np.asarray(c.get_offsets())[:, 1] for c in ax.collections])
    assert sorted(drawn) == sorted(items()["elo"])
    means = line(ax, "means")
    assert np.asarray(means.get_xdata()).tolist() == list(range(1, 11))
    assert np.asarray(means.get_ydata()) == pytest.approx([902 + 10 * i for i in range(10)])
    half = 12.706204736 * np.std([0, 4], ddof=1) / np.sqrt(2)  # t(1), 97.5%
    first = np.asarray(ax.lines[0].get_ydata())
    assert first == pytest.approx([902 - half, 902 + half])


def test_selection_by_gap_puts_each_rate_where_it_belongs() -> None:
    ax = PLOTS["gap"]()
    points = line(ax, "rates")
    assert np.asarray(points.get_xdata()).tolist() == [2.0, 5.0, 8.0]  # the open bin ends at 9
    assert np.asarray(points.get_ydata()).tolist() == [0.55, 0.65, 0.85]
    bars = next(c for c in ax.collections if len(c.get_paths()) == 3)
    ends = [path.vertices[:, 1].tolist() for path in bars.get_paths()]  # type: ignore[union-attr]
    assert ends == [[0.52, 0.58], [0.5, 0.78], [0.64, 0.95]]
    assert np.asarray(line(ax, "curve").get_ydata()).tolist() == [0.54, 0.67, 0.8]
    assert [t.get_text().splitlines()[1] for t in ax.get_xticklabels()] == [
        "(1,200)",
        "(40)",
        "(20)",
    ]
    low, high = ax.get_ylim()
    assert low < 0.5 < 0.95 < high


def test_selection_by_gap_does_without_a_curve() -> None:
    ax = plot_selection_by_gap(RATES)
    assert [artist.get_gid() for artist in ax.lines if artist.get_gid()] == ["rates"]


def test_ranks_are_taken_inside_a_scenario_with_1_the_best() -> None:
    ax = PLOTS["rank"]()
    hostile, job = ax.child_axes
    ranks = np.arange(10, 0, -1)
    points = np.asarray(job.collections[0].get_offsets())
    assert points.tolist() == np.column_stack([ranks, ranks]).tolist()
    points = np.asarray(hostile.collections[0].get_offsets())
    assert points.tolist() == np.column_stack([ranks, ranks[::-1]]).tolist()
    assert any("Spearman 1.00, n = 10" in text.get_text() for text in job.texts)
    assert any("Spearman −1.00" in text.get_text() for text in hostile.texts)


def test_one_scenario_is_drawn_on_the_axes_itself() -> None:
    ax = plot_rank_against_rank(items()[:10])
    assert not ax.child_axes
    assert len(np.asarray(ax.collections[0].get_offsets())) == 10


def test_a_ranking_runs_from_best_to_worst() -> None:
    ax = PLOTS["ranking"]()
    scores = line(ax, "scores")
    assert np.asarray(scores.get_xdata()) == pytest.approx(np.arange(19, -1, -1) / 10)
    assert ax.get_yticklabels()[0].get_text() == "item-19"
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the best is on top"
    bars = ax.collections[0].get_paths()
    assert bars[0].vertices[:, 0] == pytest.approx([1.7, 2.2])  # type: ignore[arg-type]


def test_a_long_ranking_names_its_ends_only() -> None:
    many = pd.DataFrame({"item_id": [f"i{n:03}" for n in range(150)], "score": range(150)})
    text = words(svg(plot_ranking(many)))
    assert "i149" in text
    assert "i000" in text
    assert "i075" not in text


def test_pairs_come_humans_first_then_judges_then_the_median() -> None:
    assert pair_groups(agreement()) == (
        [("ann", "ben")],
        [("judge", "ben"), ("judge", "ann")],
        [("judge", "median(humans)")],
    )


def test_the_heatmap_prints_every_coefficient_in_its_cell() -> None:
    table = agreement()
    table.loc[1, "kappa_quadratic"] = np.nan  # ann - ben on warmth
    ax = plot_agreement_heatmap(table)
    rows = dict(zip([t.get_text() for t in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert list(rows) == ["ann – ben", "judge – ben", "judge – ann", "judge – median"]
    cells = {t.get_position(): t.get_text() for t in ax.texts}
    assert cells[0, rows["ann – ben"]] == "—"
    assert cells[1, rows["ann – ben"]] == "0.00"
    assert cells[0, rows["judge – ann"]] == "0.70"
    assert cells[1, rows["judge – median"]] == "−0.10"
    assert sum(isinstance(patch, Rectangle) for patch in ax.patches) == 8
    assert [t.get_text() for t in ax.get_xticklabels()] == ["warmth", "plain words"]


@pytest.mark.parametrize("colour", ["#f6f7f8", "#a9c9e4", "#3f83bd", "#08386b", "#777777"])
def test_text_in_a_cell_can_be_read(colour: str) -> None:
    def luminance(name: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    dark, light = sorted([luminance(colour), luminance(ink_on(to_rgb(colour)))])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_bias_is_drawn_from_the_rows_with_the_median() -> None:
    ax = PLOTS["bias"]()
    judge = line(ax, "judge-0")
    assert np.asarray(judge.get_xdata()) == pytest.approx([-0.5, -0.2])
    assert np.asarray(judge.get_ydata()).tolist() == [0, 1]
    assert ax.get_xlim()[0] == -ax.get_xlim()[1]
    assert not [a for a in ax.lines if a.get_gid() == "judge-1"], "ann and ben are no judges"


def boxes(ax: Axes, gid: str) -> list[list[str]]:
    """Return the lines of every box of a kind, from above."""
    found = []
    for box in (p for p in ax.patches if isinstance(p, Rectangle) and p.get_gid() == gid):
        (x0, y0), (x1, y1) = box.get_xy(), (box.get_x() + box.get_width(), 0.0)
        y1 = y0 + box.get_height()
        inside = [t for t in ax.texts if x0 < t.get_position()[0] < x1]
        found.append([t.get_text() for t in inside if y0 < t.get_position()[1] < y1])
    return found


def test_bias_has_its_intervals_where_there_are_any() -> None:
    table = agreement().assign(bias_low=lambda t: t["bias"] - 1, bias_high=lambda t: t["bias"] + 2)
    ax = plot_bias(table)
    (bars,) = ax.collections
    assert [path.vertices[:, 0].tolist() for path in bars.get_paths()] == [[-1.5, 1.5], [-1.2, 1.8]]
    assert ax.get_xlim()[1] > 1.8


@pytest.mark.parametrize("width", [3.3, 6.9])
@pytest.mark.parametrize("name", ["decile", "gap", "ranking", "bias", "flow"])
def test_a_figure_fits_the_width_of_a_column_or_a_page(name: str, width: float) -> None:
    ax = fit_width(PLOTS[name](), width)
    drawn = ElementTree.fromstring(svg(ax)).attrib["width"]
    inches = float(drawn.removesuffix("pt")) / 72
    assert width - 0.3 < inches < width + 0.03


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="leave no room"):
        fit_width(PLOTS["ranking"](), 1.0)


def test_the_flow_counts_who_is_there_and_who_left() -> None:
    ax = plot_flow(SESSIONS, visits={"finished": 30, "active": 0, "lost": 10}, withdrawn=1)
    assert boxes(ax, "stays") == [
        ["Came", "41 visits"],
        ["Recorded", "40 visits", "400 judgments"],
        ["Remained", "30 visits", "300 judgments"],
        ["Analysed", "30 visits", "270 judgments"],
    ]
    assert boxes(ax, "leaves") == [
        ["Withdrew; answers deleted", "1 person"],
        ["Did not finish", "10 visits, 100 judgments"],
        ["Same sequence as another", "visit (one kept at random)", "none"],
        ["Attention checks set aside", "30 judgments"],
    ]
    assert boxes(ax, "beside") == [["30 finished", "10 lost"]]


def test_a_flow_without_visits_or_withdrawals_begins_with_who_came() -> None:
    ax = plot_flow(SESSIONS)
    assert boxes(ax, "stays")[0] == ["Came", "40 visits", "400 judgments"]
    assert boxes(ax, "beside") == []
    assert len(boxes(ax, "leaves")) == 3


def test_no_box_of_a_flow_covers_another() -> None:
    ax = plot_flow(SESSIONS, visits={"finished": 30, "returned": 10}, withdrawn=3)
    placed = [p.get_bbox() for p in ax.patches if isinstance(p, Rectangle)]
    assert len(placed) == 9
    for place, box in enumerate(placed):
        assert not [other for other in placed[place + 1 :] if box.overlaps(other)]
    assert min(box.y0 for box in placed) >= 0
    assert max(box.y1 for box in placed) <= ax.get_ylim()[0]


@pytest.mark.parametrize(
    "empty",
    [
        lambda: plot_elo_by_decile(items()[:0]),
        lambda: plot_selection_by_gap(RATES[:0], CURVE[:0]),
        lambda: plot_rank_against_rank(items()[:0]),
        lambda: plot_ranking(items()[:0]),
        lambda: plot_agreement_heatmap(agreement()[:0]),
        lambda: plot_bias(agreement()[:0]),
        lambda: plot_flow([]),
    ],
)
def test_nothing_to_draw_is_an_empty_figure(empty: Callable[[], Axes]) -> None:
    assert svg(empty()).startswith("<svg")
