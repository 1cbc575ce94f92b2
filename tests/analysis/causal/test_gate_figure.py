"""If this failed, the picture of the gate could show a number on the wrong side of its line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.causal.rooms.asking import Names
from analysis.causal.rooms.condition import FAIL, OPEN, PASS
from analysis.causal.rooms.figures import MARKS, in_half_widths, plot_rooms, room_left
from analysis.results.figure_style import fit_width, svg
from tests.support.causal_gates import POOR, simulated


def gate_of(judge, **names):
    return simulated(np.random.default_rng(1), judge).gate(names=Names(**names))


def test_an_interval_is_right_of_the_line_where_it_passes_and_left_where_it_fails():
    gate = gate_of(POOR)
    verdicts = {one.verdict for one in gate.conditions}
    assert verdicts == {PASS, FAIL, OPEN}
    for one in gate.conditions:
        estimate, low, high = room_left(one)
        assert low <= estimate <= high
        assert {PASS: low >= 0, FAIL: high <= 0, OPEN: low < 0 < high}[one.verdict]


def test_around_the_middle_of_two_thresholds_the_room_is_largest():
    bias = next(one for one in gate_of(POOR).conditions if one.name == "bias")
    around = replace(bias, estimate=0.1, low=-0.1, high=0.3, least=-0.5, most=0.5)
    assert room_left(around) == pytest.approx((0.4, 0.2, 0.5))


def test_every_condition_is_named_with_its_number_and_the_same_data_give_the_same_bytes():
    gate = gate_of(POOR, treatment="empathy", outcome="attachment")
    drawn = svg(plot_rooms(gate))
    assert drawn == svg(plot_rooms(gate))
    for one in gate.conditions:
        assert f"{one.name}, {one.about}" in drawn
    for room in gate.rooms:
        assert f"{room.name.capitalize()}: {room.verdict}" in drawn
    assert all(colour in drawn for colour in (MARKS[PASS][0].lower(), MARKS[FAIL][0].lower()))


def test_all_intervals_have_one_unit_so_each_is_as_long_as_any_other():
    gate = gate_of(POOR)
    for one in gate.conditions:
        estimate, low, high = in_half_widths(one)
        assert np.sign([estimate, low, high]) == pytest.approx(np.sign(room_left(one)))
        if low * high > 0 and max(one.least, -one.most) > -np.inf:
            folded = one.low < (one.least + one.most) / 2 < one.high
            assert folded or high - low == pytest.approx(2)
    flat = replace(gate.conditions[0], low=0.7, estimate=0.7, high=0.7, least=0.5)
    assert np.isfinite(in_half_widths(flat)).all()
    assert "half-widths" in plot_rooms(gate).get_xlabel()


def test_the_threshold_crosses_no_words():
    ax = plot_rooms(gate_of(POOR, treatment="empathy", outcome="attachment"))
    ax.figure.draw_without_rendering()
    drawn = [one for one in ax.collections if one.get_gid() == "threshold"]
    lines = [ax.transData.transform(one.get_segments()[0]) for one in drawn]
    assert len(lines) == 12
    assert not [
        line for line in ax.lines if len(set(line.get_xdata())) == 1 < len(line.get_xdata())
    ]
    for text in ax.texts:
        words = text.get_window_extent()
        for (x, start), (_, end) in lines:
            apart = words.x1 < x or x < words.x0
            assert apart or words.y0 >= max(start, end) or words.y1 <= min(start, end), text


def test_it_fits_a_phone():
    ax = fit_width(plot_rooms(gate_of(POOR)), 3.4)
    assert ax.get_figure().get_size_inches()[0] == pytest.approx(3.4)


def test_numbers_without_an_interval_have_a_row_and_no_mark():
    gate = gate_of(POOR)
    rooms = tuple(
        replace(
            room,
            conditions=tuple(
                replace(one, estimate=np.nan, low=np.nan, high=np.nan) for one in room.conditions
            ),
        )
        for room in gate.rooms
    )
    assert svg(plot_rooms(replace(gate, rooms=rooms))).count("no interval") == 12
