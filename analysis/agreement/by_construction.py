"""Coefficients that are 0 by construction, because one side gives one answer to every item.

Such answers go with nothing, so kappa and the ICCs are exactly 0 whatever the other side says, on
these items and on any others of the kind. The imagined items of `item_draws` would give
it an interval that only shows what was imagined. Here such pairs are found and their draws are set
to 0, before means and differences are made of them. They keep their value and have no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.agreement.coefficients import median_over_raters
from analysis.agreement.crowd import Crowd, CrowdRow
from analysis.agreement.intervals import KAPPAS, Coefficient
from analysis.agreement.left_out import LeftOut
from analysis.agreement.nominal_pairs import LabelPair
from analysis.agreement.pairs import Agreement, AgreementTable
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import ALL, MEDIAN
from analysis.agreement.sample import Sample, mean_of
from analysis.agreement.yardstick import Standing, Yardstick
from analysis.arrays import BoolArray, FloatArray

NO_INTERVAL = (
    "No interval: the judge or the reference gives one answer to every item, so kappa is 0 by "
    "construction."
)
# The end of a caption of tables with such coefficients.
CAPTION = (
    " Where the judge or the reference gives one answer to every item, kappa is 0 by construction "
    "(and so is an ICC), and has no interval."
)
# Coefficients that are 0 wherever one side is constant; alpha and AC2 are not, because they take
# both sides' answers together.
ZERO = (*KAPPAS, "icc2_1", "icc2_k")


def zero_pairs(table: AgreementTable, people: Panel) -> AgreementTable:
    """Return the table in which coefficients that are 0 by construction have no interval.

    Parameters
    ----------
    table : AgreementTable
    people : Panel
        The ratings that the table was made from.

    Returns
    -------
    AgreementTable
        To make the yardstick of; then `zero_means`.
    """
    flat = _constant(table.rows, people)
    if not flat.any():
        return replace(table, beside=_beside(table, people))
    rows = [
        replace(row, kappa_quadratic_low=np.nan, kappa_quadratic_high=np.nan) if still else row
        for row, still in zip(table.rows, flat, strict=True)
    ]
    coefficients = [
        tuple(map(_without_interval, of)) if still else of
        for of, still in zip(table.coefficients, flat, strict=True)
    ]
    return replace(
        table,
        rows=tuple(rows),
        coefficients=tuple(coefficients),
        left_out=_zeroed(table.left_out, flat),
        beside=_beside(table, people),
    )


def zero_means(bar: Yardstick) -> Yardstick:
    """Return a yardstick of `zero_pairs` in which a mean of nothing but zeros has no interval."""
    return Yardstick(
        {name: _shown(one) for name, one in bar.humans.items()},
        tuple(map(_standing, bar.standings)),
    )


def zero_crowd(found: Crowd, table: Panel) -> Crowd:
    """Return a crowd in which kappas that are 0 by construction have no interval."""
    judges: list[CrowdRow] = []
    for judge in dict.fromkeys(row.annotator for row in found.judges):
        mine = [row for row in found.judges if row.annotator == judge]
        parts = [_zero_row(row, table) for row in mine if row.dimension != ALL]
        whole = next(row for row in mine if row.dimension == ALL)
        level = whole["judge"].level
        means = {name: mean_of([row[name] for row in parts], level) for name in whole.samples}
        judges += [_shown_row(replace(whole, samples=means)), *map(_shown_row, parts)]
    return replace(found, judges=tuple(judges))


def zero_label_pairs(found: Sequence[LabelPair], pairs: AgreementTable) -> tuple[LabelPair, ...]:
    """Return pairs of labels in which a kappa that is 0 by construction has no interval.

    Parameters
    ----------
    found : sequence of LabelPair
    pairs : AgreementTable
        From `zero_pairs`.
    """
    of = {
        (row.dimension, row.annotator_a, row.annotator_b): pairs.left_out.of_kappa(n, 0.95)
        for n, row in enumerate(pairs.rows)
    }
    return tuple(
        replace(one, kappa_low=np.nan, kappa_high=np.nan)
        if (key := (one.dimension, one.annotator_a, one.annotator_b)) in of and is_zero(of[key])
        else one
        for one in found
    )


def is_zero(sample: Sample) -> bool:
    """Say whether a coefficient is 0 whichever items there are."""
    left = sample.left_out[sample.entered]
    return bool(
        sample.fisher
        and not sample.compared
        and abs(sample.value) <= 1e-9
        and left.size
        and np.nanmax(np.abs(left), initial=0) <= 1e-9
        and (sample.draws is None or not np.nan_to_num(sample.draws).any())
    )


def _constant(
    rows: Sequence[Agreement], people: Panel, shared: Mapping[str, FloatArray] | None = None
) -> BoolArray:
    """Return which pairs have a side of one answer; on the items that `shared` holds, if given."""
    found = np.zeros(len(rows), dtype=bool)
    columns: dict[str, dict[str, FloatArray]] = {}
    for name in people.dimensions:
        columns[name] = dict(zip(people.humans, people.people[name].T, strict=True))
        columns[name] |= dict(zip(people.judges, people.judged[name].T, strict=True))
        if people.humans:
            columns[name][MEDIAN] = median_over_raters(people.people[name])
    for n, row in enumerate(rows):
        of = columns[row.dimension]
        a, b = of[row.annotator_a], of[row.annotator_b]
        both = ~np.isnan(a + b)
        if shared is not None:
            both &= ~np.isnan(shared[row.dimension])
        found[n] = _one_side(a[both], b[both])
    return found


def _one_side(a: FloatArray, b: FloatArray) -> bool:
    """Say whether one side gives one answer; not if both give the same one: that is undefined."""
    if a.size < 2:
        return False
    return bool((np.ptp(a) == 0 or np.ptp(b) == 0) and not np.array_equal(a, b))


def _beside(table: AgreementTable, people: Panel) -> dict[str, LeftOut]:
    """Return people's pairs on each judge's items, with zeros where one of them is constant."""
    found = {}
    for judge, left in table.beside.items():
        rated = {name: people.judge(judge, name) for name in people.dimensions}
        rows = table.rows[: len(left.estimate)]
        found[judge] = _zeroed(left, _constant(rows, people, rated))
    return found


def _zeroed(left: LeftOut, flat: BoolArray) -> LeftOut:
    """Return coefficients of which some are 0 with every item left out and in every draw."""
    if not flat.any():
        return left
    estimate, kappa = left.estimate.copy(), left.kappa.copy()
    estimate[flat], kappa[:, flat] = 0.0, 0.0
    drawn = None if left.drawn_kappa is None else left.drawn_kappa.copy()
    if drawn is not None:
        drawn[:, flat] = 0.0
    return replace(left, estimate=estimate, kappa=kappa, drawn_kappa=drawn)


def _without_interval(one: Coefficient) -> Coefficient:
    if one.coefficient not in ZERO or not abs(one.estimate) <= 1e-9:
        return one
    return replace(
        one, low=np.nan, high=np.nan, method="no interval: one side gives one answer to every item"
    )


def _shown(sample: Sample) -> Sample:
    """Return a sample; without its draws if all are 0, so that its ends are not 0 and 0."""
    return replace(sample, draws=None) if is_zero(sample) else sample


def _standing(one: Standing) -> Standing:
    """Return a judge's row; if its kappa is 0, the difference is people's own with another sign."""
    from_people = _negative(one.humans) if is_zero(one.single) else one.difference
    return replace(
        one,
        single=_shown(one.single),
        median=_shown(one.median),
        humans=_shown(one.humans),
        difference=from_people,
    )


def _negative(sample: Sample) -> Sample:
    draws = None if sample.draws is None else -sample.draws
    return replace(sample, value=-sample.value, left_out=-sample.left_out, draws=draws)


def _zero_row(row: CrowdRow, table: Panel) -> CrowdRow:
    """Return a judge's row on a dimension, with zeros where it or people give one answer."""
    rated, values = table.judge(row.annotator, row.dimension), table.people[row.dimension]
    both = ~np.isnan(rated) & ((~np.isnan(values)).sum(axis=1) >= 2)
    given = values[both][~np.isnan(values[both])]
    if both.sum() < 2 or (np.ptp(rated[both]) > 0 and np.ptp(given) > 0):
        return row
    samples = dict(row.samples)
    for name in ("judge", "with_mean"):
        samples[name] = _zero(samples[name])
    if not np.isnan(samples["judge"].value):
        samples["difference"] = _negative(samples["person"])
    return replace(row, samples=samples)


def _zero(sample: Sample) -> Sample:
    """Return a coefficient that is 0 by construction; one that is not defined stays so."""
    if np.isnan(sample.value):
        return sample
    draws = None if sample.draws is None else np.zeros_like(sample.draws)
    return replace(sample, value=0.0, left_out=np.zeros_like(sample.left_out), draws=draws)


def _shown_row(row: CrowdRow) -> CrowdRow:
    return replace(row, samples={name: _shown(one) for name, one in row.samples.items()})
