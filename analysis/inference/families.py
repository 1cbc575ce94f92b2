"""Corrects families of tests, and records which tests each family has and by which method.

Readers can only judge a correction if they know its tests. Every family here has a name and a list
of its members, so that "Holm over 18" can be checked by counting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from analysis.arrays import FloatArray
from analysis.tables import columns
from prereg.errors import RatifyError

# The names of the corrections in a plan and in a caption.
SHOWN = {
    "none": "no correction",
    "bonferroni": "Bonferroni",
    "holm": "Holm",
    "benjamini_hochberg": "Benjamini-Hochberg",
    "benjamini_yekutieli": "Benjamini-Yekutieli",
}

CORRECTIONS = tuple(SHOWN)


def adjust(p_values: Sequence[float] | FloatArray, correction: str) -> FloatArray:
    """Return p values corrected as one family.

    Parameters
    ----------
    p_values : sequence of float
        Of all tests of the family, in any order. NaN is a test that could not be made: it stays
        NaN, but counts as a test of the family that found nothing, because the family was
        registered before the data.
    correction : {'none', 'bonferroni', 'holm', 'benjamini_hochberg', 'benjamini_yekutieli'}
        Holm and Bonferroni control the probability of any false rejection; the other two control
        the expected share of false rejections, Benjamini-Yekutieli under any dependence.

    Returns
    -------
    array of shape (n_tests,)
        In the order given; reject if at most the significance level.

    Raises
    ------
    RatifyError
        On an unknown correction and a p value outside 0 to 1.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70. Benjamini and Hochberg (1995), JRSS B
    57, 289-300. Benjamini and Yekutieli (2001), Annals of Statistics 29, 1165-1188.
    """
    columns.one_of("correction", correction, CORRECTIONS)
    given = np.array([math.nan if p is None else p for p in p_values], dtype=np.float64)
    if ((given < 0) | (given > 1)).any():
        bad = given[(given < 0) | (given > 1)][0]
        raise RatifyError("is not a p value", value=float(bad), allowed="0 to 1, or missing")
    absent = np.isnan(given)
    if correction == "none" or absent.all():
        return given
    corrected = _CORRECTED[correction](np.where(absent, 1.0, given))
    return np.where(absent, np.nan, np.minimum(corrected, 1.0))


def _bonferroni(p_values: FloatArray) -> FloatArray:
    return len(p_values) * p_values


def _holm(p_values: FloatArray) -> FloatArray:
    """Return each p value times the number of p values not smaller, made non-decreasing.

    statsmodels' version collects garbage at every call and takes a thousand times as long.
    """
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty_like(p_values)
    left = np.arange(len(p_values), 0, -1)
    corrected[order] = np.maximum.accumulate(left * p_values[order])
    return corrected


def _benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    return np.asarray(false_discovery_control(p_values, method="bh"), dtype=np.float64)


def _benjamini_yekutieli(p_values: FloatArray) -> FloatArray:
    return np.asarray(false_discovery_control(p_values, method="by"), dtype=np.float64)


_CORRECTED: dict[str, Callable[[FloatArray], FloatArray]] = {
    "bonferroni": _bonferroni,
    "holm": _holm,
    "benjamini_hochberg": _benjamini_hochberg,
    "benjamini_yekutieli": _benjamini_yekutieli,
}


@dataclass(frozen=True, kw_only=True)
class FamilyTest:
    """One test and its family.

    Attributes
    ----------
    family : str
        Name of the family.
    correction : str
        As in `adjust`; the same for all tests of a family.
    analysis, name : str
        The analysis and the quantity that the test comes from.
    p_value : float or None
        None or NaN if the test could not be made; it counts nevertheless.
    """

    family: str
    correction: str
    analysis: str
    name: str
    p_value: float | None


@dataclass(frozen=True, kw_only=True)
class Family:
    """Tests that are corrected together.

    Attributes
    ----------
    name, correction : str
    members : tuple of FamilyTest
    adjusted : tuple of float
        Corrected p values, in the order of the members.
    """

    name: str
    correction: str
    members: tuple[FamilyTest, ...]
    adjusted: tuple[float, ...]

    @property
    def method(self) -> str:
        """The correction and the number of tests, in words for a caption."""
        n = len(self.members)
        return f"{SHOWN[self.correction]} over {n} test{'s' * (n != 1)} ({self.name})"

    def adjusted_of(self, analysis: str, name: str) -> float:
        """Return the corrected p value of one member.

        Raises
        ------
        RatifyError
            If it is not a member.
        """
        for member, value in zip(self.members, self.adjusted, strict=True):
            if (member.analysis, member.name) == (analysis, name):
                return value
        raise RatifyError(
            f"is not a test of the family '{self.name}'",
            value=f"{analysis}: {name}",
            allowed="; ".join(f"{m.analysis}: {m.name}" for m in self.members),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per test: `family`, `correction`, `tests`, `analysis`, `name`, `p`, more.

        `tests` is the size of the family, `p_adjusted` the corrected p value.
        """
        rows = [
            {
                "family": self.name,
                "correction": SHOWN[self.correction],
                "tests": len(self.members),
                "analysis": member.analysis,
                "name": member.name,
                "p": math.nan if member.p_value is None else member.p_value,
                "p_adjusted": value,
            }
            for member, value in zip(self.members, self.adjusted, strict=True)
        ]
        return pd.DataFrame(rows)


def correct_families(tests: Sequence[FamilyTest]) -> list[Family]:
    """Group tests into their families, across analyses, and correct each family separately.

    Parameters
    ----------
    tests : sequence of FamilyTest
        Of any number of families and analyses.

    Returns
    -------
    list of Family
        In the order in which each family first appears.

    Raises
    ------
    RatifyError
        If a family has two corrections, or has the same test more than once.
    """
    by_name: dict[str, list[FamilyTest]] = {}
    for test in tests:
        by_name.setdefault(test.family, []).append(test)
    found = []
    for name, members in by_name.items():
        corrections = list(dict.fromkeys(member.correction for member in members))
        if len(corrections) > 1:
            raise RatifyError(
                f"the family '{name}' has more than one correction",
                value=", ".join(corrections),
                allowed="one correction for a family",
            )
        seen: set[tuple[str, str]] = set()
        for member in members:
            key = (member.analysis, member.name)
            if key in seen:
                raise RatifyError(
                    f"occurs more than once in the family '{name}'",
                    value=f"{key[0]}: {key[1]}",
                    allowed="each test once",
                )
            seen.add(key)
        p_values = [math.nan if m.p_value is None else m.p_value for m in members]
        adjusted = adjust(p_values, corrections[0])
        found.append(
            Family(
                name=name,
                correction=corrections[0],
                members=tuple(members),
                adjusted=tuple(float(p) for p in adjusted),
            )
        )
    return found
