"""If this failed, the parts of the judge's effect would not add up, or their error would lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from analysis.causal.clustered import from_influence
from analysis.causal.correction.correction_figures import plot_three_estimates
from analysis.causal.correction.decomposition import decomposition, fieller
from analysis.causal.correction.estimates import judge_side, three_estimates
from analysis.causal.units import Labels
from analysis.causal.worlds import Judge, draw_labels, make_world
from analysis.results.figure_style import svg

RNG = np.random.default_rng


def parts(seed: int = 0, count: int | None = 400, effect: float = 0.75, judge: Judge | None = None):
    rng = RNG(seed)
    world = make_world(rng, effect=effect, judge=judge or Judge(0.6, 0.5))
    n = len(world.frame)
    labels = Labels(world.treatment, world.outcome, np.ones(n), np.zeros(n, dtype=np.int64))
    if count is not None:
        labels = draw_labels(rng, world, count)
    side = judge_side(world.frame, world.cuts, rng, labels=labels)
    return world, labels, decomposition(side, labels)


@pytest.mark.parametrize("seed", range(4))
def test_the_parts_add_up(seed):
    _, _, found = parts(seed)
    assert abs(found.naive.value - found.people_part.value - found.error_part.value) < 1e-10
    assert abs(found.people_part.value - found.slope.value * found.contrast.value) < 1e-10
    one = found.halo.value * found.naive.value / found.error_part.value
    assert found.tipping.value == pytest.approx(one, abs=1e-10)
    influence = found.people_part.influence + found.error_part.influence
    assert influence == pytest.approx(found.naive.influence - found.naive.influence.mean())
    by_slope = found.contrast.value * found.slope.influence
    by_contrast = found.slope.value * found.contrast.influence
    assert found.people_part.influence == pytest.approx(by_slope + by_contrast)


def test_with_all_labels_the_parts_are_plain_sums():
    world, _, found = parts(1, None)
    slope, level = np.polyfit(world.outcome, world.frame.outcome, 1)
    assert found.slope.value == pytest.approx(slope)
    error = world.frame.outcome - level - slope * world.outcome
    other = np.polyfit(world.treatment, world.frame.treatment, 1)
    first = world.frame.treatment - np.polyval(other, world.treatment)
    assert found.halo.value == pytest.approx(np.corrcoef(first, error)[0, 1], abs=1e-6)
    # the error of a correlation of independent units, which users hardly change here
    assert found.halo.se == pytest.approx((1 - found.halo.value**2) / np.sqrt(6_000), rel=0.15)
    # the errors' contrast by ordinary regression
    arm = world.cuts.arms(world.frame.treatment)
    kept = ~np.isnan(arm)
    design = np.column_stack([np.ones(kept.sum()), arm[kept], world.frame.covariates[kept]])
    contrast = np.linalg.lstsq(design, error[kept], rcond=None)[0][1]
    assert found.error_part.value == pytest.approx(contrast, abs=0.04)
    assert found.error_part.value > 2 * found.people_part.value > 0


def test_a_judge_without_halo_makes_no_error_part():
    _, _, found = parts(2, None, judge=Judge(0.6, 0.0))
    assert abs(found.halo.value) < 0.05
    assert abs(found.error_part.value) < 0.2
    assert found.people_part.value == pytest.approx(found.naive.value, abs=0.2)


def test_labels_find_the_parts_of_all_units():
    _, _, whole = parts(3, None)
    _, _, found = parts(3, 1_000)
    for name in ("slope", "contrast", "people_part", "error_part", "halo"):
        ours, truth = getattr(found, name), getattr(whole, name)
        assert abs(ours.value - truth.value) < 3.5 * ours.se
        assert ours.se > truth.se
    assert found.tipping.low < whole.tipping.value < found.tipping.high


def test_the_table_has_every_number_with_its_unit():
    _, _, found = parts()
    table = found.to_frame().set_index("quantity")
    assert table.loc["error part", "value"] == found.error_part.value
    assert table.loc["judge-error E-value", "low"] == found.tipping.low
    assert math.isnan(table.loc["judge-error E-value", "se"])
    assert (table["labels"] == 400).all()
    assert set(table["unit"]) == {"points of the outcome", "points per point", "correlation"}


@pytest.mark.parametrize(("size", "ends"), [(1.0, "both"), (0.12, "one"), (0.01, "none")])
def test_the_interval_of_a_ratio_holds_what_it_should(size, ends):
    """Fieller's interval by trying every ratio."""
    rng = RNG(4)
    user = np.arange(400)
    noise = rng.normal(size=(2, 400))
    top = from_influence({"none": 0.02}.get(ends, 0.6), 2 * noise[0] + noise[1], user)
    below = from_influence(size, 2 * noise[1], user)
    found = fieller(top, below, user)
    df = from_influence(0, top.influence - found.value * below.influence, user).df
    reach = student.ppf(0.975, df)
    grid = np.linspace(-60, 60, 1_201)
    held = np.array(
        [
            abs(top.value - r * below.value)
            <= reach * from_influence(0, top.influence - r * below.influence, user).se
            for r in grid
        ]
    )
    inside = (found.low <= grid) & (grid <= found.high)
    for end in filter(np.isfinite, (found.low, found.high)):
        error = from_influence(0, top.influence - end * below.influence, user).se
        assert abs(top.value - end * below.value) == pytest.approx(reach * error, rel=1e-6)
    if ends == "one":  # the other branch is beyond infinity, on the side of the other sign
        assert found.high == np.inf
        assert found.low > 0
        assert (held[grid > 0] == inside[grid > 0])[1:].mean() > 0.99
    else:
        assert (held == inside).mean() > 0.99
        assert np.isfinite(found.high) == (ends == "both")


def figure(effect: float):
    world, labels, found = parts(5, 1_000, effect)
    three = three_estimates(world.frame, labels, world.cuts, RNG(5))
    return plot_three_estimates(three, found), three, found


def test_the_figure_shows_the_bar_and_the_three_estimates():
    ax, three, found = figure(0.75)
    boxes = {patch.get_gid(): patch for patch in ax.patches}
    people, errors = boxes["part-people"], boxes["part-errors"]
    assert people.get_width() == pytest.approx(found.people_part.value)
    assert errors.get_x() + errors.get_width() == pytest.approx(found.naive.value)
    assert people.get_height() == errors.get_height()
    words = " ".join(text.get_text() for text in ax.texts)
    for one, sign, what in (
        (found.people_part, "", "seen by people too"),
        (found.error_part, "+", "from its own errors"),
    ):
        ends = f"[{one.low:.2f}, {one.high:.2f}]".replace("-", "\u2212")
        assert f"{sign}{one.value:.2f} {ends} {what}" in words
    [meeting] = [one for one in ax.collections if one.get_gid() == "meeting"]
    ends = meeting.get_segments()[0][:, 0]
    assert ends == pytest.approx([found.people_part.low, found.people_part.high])
    assert f"{three.corrected.value:.2f} [{three.corrected.low:.2f}" in words
    names = [name.get_text() for name in ax.get_yticklabels()]
    assert names == ["The judge says", "which is made of", "People alone say", "Corrected"]
    assert svg(ax) == svg(figure(0.75)[0])


def test_parts_of_opposite_sign_do_not_cover_each_other():
    ax, _, found = figure(-0.4)
    assert found.people_part.value < 0 < found.error_part.value
    people, errors = (
        next(patch for patch in ax.patches if patch.get_gid() == f"part-{name}")
        for name in ("people", "errors")
    )
    assert people.get_y() + people.get_height() <= errors.get_y() + 1e-9
    low, high = ax.get_xlim()
    assert low < min(found.people_part.value, 0)
    assert high > found.naive.high


def test_a_judge_whose_errors_make_nothing_has_no_tipping_correlation():
    user = np.arange(40)
    top = from_influence(0.2, RNG(1).normal(size=40), user)
    below = from_influence(0.0, np.zeros(40), user)
    assert np.isnan(fieller(top, below, user).value)
