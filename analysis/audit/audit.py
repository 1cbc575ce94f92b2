"""The audit: turns ratings that people and judges already gave into `Results` on who agrees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import EPSILON
from analysis.agreement.coefficient_check import check_coefficients
from analysis.agreement.intervals import Method
from analysis.agreement.pairs import AgreementTable, agreement_table
from analysis.agreement.panel import panel
from analysis.agreement.rating_table import MEDIAN
from analysis.agreement.summary import Beyond, CutAt, beside_people, beyond_pairs, beyond_tables
from analysis.agreement.yardstick import ALL, FEWEST, Sample, Standing, Yardstick, yardstick
from analysis.audit import sentences as text
from analysis.audit.annotators import Annotators, read_annotators
from analysis.audit.figures import audit_figures, beside_people_figure
from analysis.results.provenance import provenance
from analysis.results.quantities import Quantity, Results, ResultTable, finite
from analysis.results.words import listed

NAME = "summary"
JACKKNIFE = "jackknife over items, bias-corrected, t interval with n - 1 df"
# What n counts for a judge.
BOTH = "items that judge and people rated"


def audit(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    scale: tuple[float, float],
    dimensions: Sequence[str] | None = None,
    mode: str | None = None,
    rater_column: str = "rater_id",
    epsilon: float = EPSILON["experts"],
    cuts: Sequence[CutAt] = (),
    interval: Method = "jackknife",
    seed: int = 0,
    draws: int = 2000,
    check: bool = False,
) -> Results:
    """Return how far each judge agrees with people, and how far people agree with each other.

    Parameters
    ----------
    humans, judges : sequence of str
        Files of ratings, each `FILE` or `NAME=FILE`; see `annotators.read_annotators`.
    id_column : str
        The column of item ids.
    scale : tuple of float
        Lowest and highest possible rating.
    dimensions : sequence of str, optional
        What to compare; by default the numeric columns that all files share.
    mode : {'live', 'pilot', 'bot'}, optional
        Which of people's ratings to take; see `annotators.read_annotators`.
    rater_column : str
        The column of a wide file that says who rated; see `annotators.read_annotators`.
    epsilon : float
        People's handicap in the alternative-annotator test: .2 for experts, .15 for skilled people,
        .1 for a crowd.
    cuts : sequence of CutAt
        Cuts beyond which a rating leads to a treatment.
    interval : {'jackknife', 'bootstrap'}
        How the intervals of single pairs' coefficients are made.
    seed, draws : int
        Seed and number of resamples of that bootstrap.
    check : bool
        Whether the methods say how far the coefficients agree with pingouin's.

    Returns
    -------
    Results
        Tables `summary` (people, then each judge, by dimension), `agreement` (one row per
        dimension and pair), `annotators`, `coefficients` (every coefficient of every pair with its
        interval), and those of `beyond_pairs`. The same files and seed give the same results.

    Raises
    ------
    RatifyError
        If a file is unusable; the message names file, row, column, value and what is allowed.
    """
    found = read_annotators(
        humans,
        judges,
        id_column=id_column,
        scale=scale,
        dimensions=dimensions,
        mode=mode,
        rater_column=rater_column,
    )
    ratings = found.to_frame()
    table = agreement_table(
        ratings,
        scale=scale,
        rng=np.random.default_rng(seed),
        humans=[one.name for one in found.humans],
        judges=[one.name for one in found.judges],
        dimensions=found.dimensions,
        draws=draws,
        interval=interval,
        fewest=FEWEST if len(found.humans) > text.CROWD else 1,
    )
    bar = yardstick(table)
    people = panel(
        ratings, scale=scale, humans=table.humans, judges=table.judges, dimensions=table.dimensions
    )
    beyond = beyond_pairs(people, epsilon=epsilon, cuts=cuts)
    frame = table.to_frame()
    checked = [check_coefficients(ratings, table).sentence] if check else []
    return Results(
        kind="audit",
        title=f"Audit of {listed(table.judges)}",
        question=text.QUESTION,
        headline=text.headline(table, bar, beyond),
        simulated=found.simulated,
        meta=_meta(
            found,
            id_column=id_column,
            scale=scale,
            epsilon=epsilon,
            interval=interval,
            seed=seed,
            draws=draws,
        ),
        quantities=_quantities(table, bar) + _beside_the_crowd(beyond),
        tables=[*_tables(table, frame, bar, found), *beyond_tables(beyond)],
        figures=[
            *beside_people_figure(beside_people(bar, beyond.crowd), simulated=found.simulated),
            *audit_figures(frame, simulated=found.simulated),
        ],
        methods=text.methods(table, beyond, scale=scale, how=_how(interval, seed, draws)) + checked,
        limits=text.limits(table, found, ratings, scale),
    )


def _how(interval: Method, seed: int, draws: int) -> str:
    """Return how a pair's intervals were made."""
    if interval == "jackknife":
        return "95% jackknife intervals over items through Fisher's z, bias-corrected"
    return f"95% percentile intervals from {draws:,} bootstrap resamples of the items (seed {seed})"


def _meta(
    found: Annotators, *, scale: tuple[float, float], **settings: float | str
) -> dict[str, Any]:
    """Return where the numbers come from; only file names, so that no folder is disclosed."""
    return {
        **settings,
        "scale": list(scale),
        "dimensions": list(found.dimensions),
        **({} if found.mode is None else {"mode": found.mode}),
        **provenance(found.files),
    }


def _quantities(table: AgreementTable, bar: Yardstick) -> list[Quantity]:
    """Return the people's own agreement, then each judge's: over all dimensions, then by each."""
    alone = "a single person has nobody to agree with" if len(table.humans) == 1 else ""
    found = [
        (
            dimension,
            _quantity(
                f"humans:kappa:{dimension}",
                f"People with each other, {_where(dimension)}",
                sample,
                f"mean quadratic kappa over human pairs; {JACKKNIFE}",
                "items that two people rated",
                alone,
            ),
        )
        for dimension, sample in bar.humans.items()
    ]
    found += [(s.dimension, one) for s in bar.standings for one in _of_judge(s)]
    # all means come before single dimensions, because readers look for them first
    return [one for _, one in sorted(found, key=lambda pair: pair[0] != ALL)]


def _of_judge(s: Standing) -> list[Quantity]:
    """Return a judge's quantities on one dimension or over all."""
    where = _where(s.dimension)
    parts = [
        (
            "kappa_single",
            f"{s.judge} with a single person",
            s.single,
            "mean quadratic kappa over people",
        ),
        (
            "kappa_median",
            f"{s.judge} with the median of people",
            s.median,
            f"quadratic kappa with {MEDIAN}",
        ),
        (
            "difference",
            f"{s.judge} with a person, minus people with each other",
            s.difference,
            "difference of mean quadratic kappas, both on the items that the judge rated",
        ),
    ]
    found = [
        _quantity(
            f"{s.judge}:{name}:{s.dimension}",
            f"{label}, {where}",
            sample,
            f"{method}; {JACKKNIFE}",
            BOTH,
        )
        for name, label, sample, method in parts
    ]
    if s.dimension != ALL:
        found.append(
            _quantity(
                f"{s.judge}:bias:{s.dimension}",
                f"{s.judge} minus the median of people, {where}",
                s.bias,
                f"mean difference from {MEDIAN}; {JACKKNIFE}",
                BOTH,
                unit="points of the scale",
            )
        )
    return found


def _where(dimension: str) -> str:
    return "mean over dimensions" if dimension == ALL else dimension


def _quantity(
    name: str,
    label: str,
    sample: Sample,
    method: str,
    unit_of_n: str,
    why: str = "",
    unit: str = "kappa",
) -> Quantity:
    """Return a sample as a reported number; a note says why if there is none."""
    low, high = sample.interval
    note = ""
    if np.isnan(sample.value):
        note = why or "not defined: too few common items, or no variation to agree on"
    elif np.isnan(low):
        note = "no interval: the estimate is not defined without one of the items"
    return Quantity(
        analysis=NAME,
        name=name,
        label=label,
        estimate=finite(sample.value),
        low=finite(low),
        high=finite(high),
        n=sample.n,
        unit_of_n=unit_of_n,
        method=method,
        unit=unit,
        note=note,
        status="exploratory",
    )


def _beside_the_crowd(beyond: Beyond) -> list[Quantity]:
    """Return the agreement of people as a crowd, and each judge compared with one of them."""
    if beyond.crowd is None:
        return []
    of_people = "items that two people rated"
    found = [
        _quantity(
            f"humans:alpha:{row.dimension}",
            f"All people together, {_where(row.dimension)}",
            row["alpha_ordinal"],
            f"Krippendorff's ordinal alpha; {JACKKNIFE}",
            of_people,
            unit="alpha",
        )
        for row in beyond.crowd.people
        if row.dimension == ALL
    ]
    found += [
        _quantity(
            f"{row.annotator}:crowd_difference:{row.dimension}",
            f"{row.annotator} with the other people, minus one person with them, "
            f"{_where(row.dimension)}",
            row["difference"],
            f"difference of quadratic kappas with the mean of the others; {JACKKNIFE}",
            BOTH,
        )
        for row in beyond.crowd.overall()
    ]
    return found


def _tables(
    table: AgreementTable, frame: pd.DataFrame, bar: Yardstick, found: Annotators
) -> list[ResultTable]:
    """Return the tables of the report, with that of the answer first."""
    return [
        ResultTable(
            name=NAME,
            title="Judges compared with people",
            caption="Mean quadratic kappa with 95% jackknife intervals over items. humans: "
            "people with each other (in a judge's row, on the items that it rated); single: the "
            "judge with one person; median: with the median of people; difference: single minus "
            "humans. One row per annotator and dimension, 'all' is the mean over dimensions.",
            frame=bar.to_frame(),
            bounded=("humans", "single", "median", "difference"),
        ),
        ResultTable(
            name="agreement",
            title="Every pair of annotators",
            caption="One row per dimension and pair: people with each other first, then every "
            f"judge with every person and with {MEDIAN}. bias is mean(a - b) in points of the "
            "scale; an empty cell is a coefficient that is not defined. The intervals of all "
            "coefficients are in the table of coefficients.",
            frame=frame,
        ),
        ResultTable(
            name="annotators",
            title="Annotators",
            caption="items: with at least one rating; missing: empty ratings; common: items also "
            "rated by somebody it is compared with (for a judge, a person); dropped: the others.",
            frame=_annotators(found),
        ),
        ResultTable(
            name="coefficients",
            title="Every coefficient with its interval",
            caption="One row per dimension and pair, every coefficient with its 95% interval (the "
            "methods say which). Of a kappa, _se is the non-null standard error and _se_null the "
            "null one; _p is the p value for kappa = 0 and uses the null one.",
            frame=table.coefficients_frame(),
        ),
    ]


def _annotators(found: Annotators) -> pd.DataFrame:
    """Return one row per annotator, with numbers of items."""
    return pd.DataFrame(
        [
            (one.name, one.kind, one.path.name, len(one.items), one.missing, *found.common(one))
            for one in (*found.humans, *found.judges)
        ],
        columns=["name", "kind", "file", "items", "missing", "common", "dropped"],
    )
