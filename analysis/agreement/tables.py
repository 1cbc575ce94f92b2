"""The tables of agreement, the same in an audit and in a registered analysis."""

from __future__ import annotations

from analysis.agreement import cut as at_a_cut
from analysis.agreement.alternative_annotator import METRICS, AlternativeAnnotator
from analysis.agreement.by_construction import CAPTION
from analysis.agreement.halo import FEWEST
from analysis.agreement.pairs import AgreementTable
from analysis.agreement.rating_table import OTHERS
from analysis.agreement.summary import Beyond
from analysis.agreement.yardstick import Yardstick
from analysis.results.quantities import ResultTable, Status


def yardstick_table(
    bar: Yardstick,
    *,
    name: str,
    kappa: str,
    fewest: int,
    status: Status = "exploratory",
    level: float = 0.95,
) -> ResultTable:
    """Return the table that compares judges with people, from pairs with `fewest` common items."""
    left_out = f" Pairs with fewer than {fewest} common items are left out." if fewest > 1 else ""
    return ResultTable(
        name=name,
        title="Judges compared with people",
        caption=f"Mean {kappa} over pairs, each weighted by the items that it shares, with "
        f"{level:.0%} intervals over items. humans: people with each other (in a judge's row, on "
        "the items that it rated); single: the judge with one person; median: with the median of "
        "people; difference: single minus humans, with its p value, alone and after Holm over the "
        "judge's dimensions; reading: what the corrected one says. One row per annotator and "
        f"dimension, 'all' is the mean over dimensions.{CAPTION}{left_out}",
        frame=bar.to_frame(),
        status=status,
        level=level,
        bounded=("humans", "single", "median", "difference"),
    )


def coefficients_table(
    table: AgreementTable,
    *,
    name: str,
    how: str,
    status: Status = "exploratory",
    level: float = 0.95,
) -> ResultTable:
    """Return the table of every coefficient; `how` says what its intervals are."""
    return ResultTable(
        name=name,
        title="Every coefficient with its interval",
        caption=f"One row per dimension and pair; {how}. For a kappa, _se is the non-null standard "
        "error and _se_null the null one; _p tests kappa = 0 and uses the null one." + CAPTION,
        frame=table.coefficients_frame(),
        status=status,
        level=level,
    )


def beyond_tables(
    found: Beyond,
    *,
    bar: Yardstick | None = None,
    prefix: str = "",
    status: Status = "exploratory",
    level: float = 0.95,
) -> list[ResultTable]:
    """Return the tables of a report.

    Parameters
    ----------
    found : Beyond
    bar : Yardstick, optional
        Where it says how a judge compares with people, the crowd's table does not say so again.
    prefix : str
        In front of each table's name.
    status : {'confirmatory', 'exploratory'}
    level : float
        Coverage of the intervals.
    """
    tables: list[ResultTable] = []
    answered = frozenset[tuple[str, str]]() if bar is None else bar.answered()
    if found.alternative is not None:
        tables += _alternative_tables(found.alternative, prefix, status)
    if found.crowd is not None:
        tables.append(
            ResultTable(
                name=f"{prefix}crowd",
                title="One person, and each judge, compared with the other people",
                caption="person: quadratic kappa of one person's rating with the mean of the other "
                "people's ratings of the item (every item counts once, however many ratings it "
                "has); judge: kappa of the judge with the same means; difference: judge minus "
                "person; with_mean: kappa of the judge with the mean of all people. alpha: "
                "Krippendorff's, of all people with missing ratings; icc1: reliability of one "
                "rating, one-way. fewest, most: ratings per "
                f"item. {level:.0%} intervals over items, as in the table of judges compared with "
                "people; where pairs of people share enough items, that table compares them, and "
                "person, judge and difference are empty here. 'all' is the mean over dimensions. "
                "n counts items with at least two people.",
                frame=found.crowd.to_frame(answered=answered),
                status=status,
                level=level,
            )
        )
    if found.cuts:
        tables.append(
            ResultTable(
                name=f"{prefix}cut",
                title="Who finds the cases beyond the cut",
                caption="The reference says which items are beyond the cut. Compare rows with the "
                f"reference {OTHERS}: there a single person and the judge face the same "
                "people, each person left out in turn. sensitivity: share of the reference's cases "
                "found; specificity: share of the other items not called cases; positive "
                "(negative) predictive value: share of the annotator's cases (others) that are so "
                f"for the reference too. cases: denominator of the share. {level:.0%} intervals.",
                frame=at_a_cut.to_frame(found.cuts),
                status=status,
                level=level,
                bounded=("estimate", "low", "high"),
            )
        )
    if found.halo is not None:
        tables.append(
            ResultTable(
                name=f"{prefix}halo",
                title="Correlated errors on two dimensions",
                caption="Correlation of an annotator's errors on two dimensions of the same item. "
                "An error is the distance from the mean of the other people, each person left out "
                "in turn, minus the annotator's mean error. difference: a judge's minus a single "
                f"person's. {level:.0%} jackknife intervals over items through Fisher's z; empty "
                f"with fewer than {FEWEST} items. {found.rated_apart()} {found.without_halo()}"
                "".rstrip(),
                frame=found.halo.to_frame(),
                status=status,
                level=level,
            )
        )
    return tables


def _alternative_tables(
    found: AlternativeAnnotator, prefix: str, status: Status
) -> list[ResultTable]:
    how = (
        f"Calderon, Reichart and Dror's alternative-annotator test, epsilon {found.epsilon:g}, "
        f"closeness by {METRICS[found.metric]}"
    )
    tables = [
        ResultTable(
            name=f"{prefix}alternative_annotator",
            title="Could a judge take a person's place?",
            caption=f"{how}. winning_rate: share of people whom the judge beats (one-sided t-test "
            f"at {found.false_discovery:g}, Benjamini and Yekutieli over people; _all: over people "
            "and dimensions); a judge passes at one half. advantage: how likely the judge is at "
            f"least as close to the other people as a person is, with a {found.level:.0%} "
            "jackknife interval over items. human_alpha: agreement of the people; if it is low, "
            "the bar is low too.",
            frame=found.to_frame(),
            status=status,
            level=found.level,
        )
    ]
    people = found.humans_frame().dropna(subset=["p_value"])
    if len(people):
        tables.append(
            ResultTable(
                name=f"{prefix}alternative_annotator_people",
                title="Each person left out in turn",
                caption=f"{how}. judge_wins, human_wins: share of items where the judge (the "
                "person) is at least as close to the other people (ties count for both); p_value: "
                "one-sided. People with too few items are not tested and not listed.",
                frame=people,
                status=status,
                level=found.level,
            )
        )
    return tables
