"""Where people agree little with each other: one alpha, in the headline and in the findings."""

from __future__ import annotations

import numpy as np

from analysis.agreement.alternative_annotator import LOW_ALPHA
from analysis.agreement.crowd import Crowd
from analysis.agreement.pairs import AgreementTable
from analysis.agreement.rating_table import ALL
from analysis.agreement.sample import Sample
from analysis.agreement.sentences import with_interval
from analysis.agreement.yardstick import enough
from analysis.results.numbers import number
from analysis.results.words import listed

ALPHA = "Krippendorff's ordinal alpha of all people"


def low_alphas(crowd: Crowd | None) -> dict[str, Sample]:
    """Return the alpha of all people together on the dimensions where they agree little.

    It is the alpha that flags a pass of the alternative-annotator test. Where it is not defined,
    nothing is known of their agreement: that is not little.
    """
    if crowd is None:
        return {}
    found = {row.dimension: row["alpha_ordinal"] for row in crowd.people if row.dimension != ALL}
    return {name: alpha for name, alpha in found.items() if alpha.value < LOW_ALPHA}


def all_the_same(crowd: Crowd | None) -> list[str]:
    """Return the dimensions on which people share items and gave all of them the same rating."""
    if crowd is None:
        return []
    return [
        row.dimension
        for row in crowd.people
        if row.dimension != ALL and row.ratings and np.isnan(row["alpha_ordinal"].value)
    ]


def low_bar_sentences(crowd: Crowd | None, table: AgreementTable) -> list[str]:
    """Return the sentences on dimensions where people agree little, or all say the same."""
    said = []
    low = low_alphas(crowd)
    if low:
        named = [
            f"{name} ({with_interval(alpha)}{_ac2(table, name)})" for name, alpha in low.items()
        ]
        said.append(
            f"People themselves agree little, by {ALPHA}, on {listed(named)}: a judge that does as "
            "well as they do has only met a low bar there."
        )
    same = all_the_same(crowd)
    if same:
        said.append(
            f"People's alpha is not defined on {listed(same)}: they gave every item the same "
            "rating, so it is not known how far they agree."
        )
    return said


def _ac2(table: AgreementTable, dimension: str) -> str:
    """Return the mean AC2 of pairs of people who share enough items; empty if there is none."""
    found = [
        row.ac2
        for row in table.rows
        if row.dimension == dimension
        and row.annotator_a in table.humans
        and enough(row.n, table.items)
        and not np.isnan(row.ac2)
    ]
    return f"; mean AC2 of pairs {number(float(np.mean(found)), 2)}" if found else ""
