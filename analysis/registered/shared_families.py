"""Corrects families of tests that several registered analyses share, once all have run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.inference.families import FamilyTest, correct_families
from analysis.registered.equivalence import after_correction, equivalence_tests
from analysis.registered.finding import Finding
from analysis.registered.regression import family_tests, in_families
from analysis.results.quantities import ResultTable, Status
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.registry import Analysis
from prereg.analyses.regression import Regression


def in_shared_families(
    analyses: Sequence[Analysis],
    findings: Sequence[Finding],
    *,
    status: Status,
    name: str = "families",
) -> list[Finding]:
    """Correct the tests of shared families, and add a table of these tests if there are any.

    Parameters
    ----------
    analyses : sequence of analyses of a plan
    findings : sequence of Finding
        One per analysis, in the same order.
    status : {'confirmatory', 'exploratory'}
        Of the table.
    name : str
        Of the table.
    """
    tests = [
        test
        for analysis, finding in zip(analyses, findings, strict=True)
        for test in _tests(analysis, finding)
    ]
    families = correct_families(tests)
    if not families:
        return list(findings)
    table = ResultTable(
        name=name,
        title="Tests that the plan corrects together",
        caption="One row per test; p uncorrected, and corrected within its family.",
        frame=pd.concat([family.to_frame() for family in families], ignore_index=True),
        status=status,
    )
    corrected = [
        after_correction(analysis, finding, families)
        if isinstance(analysis, Equivalence)
        else in_families(finding, families)
        for analysis, finding in zip(analyses, findings, strict=True)
    ]
    return [*corrected, Finding(tables=[table])]


def _tests(analysis: Analysis, finding: Finding) -> list[FamilyTest]:
    if isinstance(analysis, Equivalence):
        return equivalence_tests(analysis, finding)
    return family_tests(analysis, finding) if isinstance(analysis, Regression) else []
