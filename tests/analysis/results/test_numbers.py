"""Were this broken, the report would round a number to something it is not."""

from __future__ import annotations

import math

import pytest

from analysis.results import factors, numbers


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0.1438, 3, "0.144"),
        (-0.0871, 2, "−0.09"),
        (1523.4, 0, "1,523"),
        (12345.678, 1, "12,345.7"),
        (1500, None, "1,500"),
        (0.0, 2, "0.00"),
        (0.004, 2, "0.00"),
        (-0.004, 2, "0.00"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
        (math.nan, 2, "—"),
        (None, 2, "—"),
    ],
)
def test_number(value: float | None, decimals: int | None, shown: str) -> None:
    assert numbers.number(value, decimals) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "< 0.001"),
        (0.00099, "< 0.001"),
        (0.001, "0.001"),
        (0.034, "0.034"),
        (0.6, "0.600"),
        (0.9995, "> 0.999"),
        (1.0, "> 0.999"),
        (None, "—"),
        (math.nan, "—"),
    ],
)
def test_p_value(value: float | None, shown: str) -> None:
    assert numbers.p_value(value) == shown


@pytest.mark.parametrize(
    ("estimate", "low", "high", "decimals"),
    [
        (0.1438, 0.1089, 0.1787, 3),  # the interval is 0.07 wide: two digits of it
        (0.56, 0.41, 0.68, 2),
        (12.3, 10.1, 15.1, 1),
        (1523.4, 1400.0, 1610.0, 0),
        (0.849, None, None, 3),
        (5.5712, None, None, 2),
        (0.000012, None, None, 4),
        (0.5, 0.5, 0.5, 3),  # an interval without width says nothing about precision
        (0.0, None, None, 2),
        (None, None, None, 2),
    ],
)
def test_decimals_follow_the_precision(
    estimate: float | None, low: float | None, high: float | None, decimals: int
) -> None:
    assert numbers.decimals_for(estimate, low, high) == decimals


def test_an_interval_has_one_number_of_decimals() -> None:
    assert numbers.interval(0.1089, 0.1787) == "[0.109, 0.179]"
    assert numbers.interval(-1, 2.5, 2) == "[−1.00, 2.50]"
    assert numbers.interval(None, 0.5, 2) == "[—, 0.50]"
    assert numbers.interval(None, None) == "—"


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, 2.0, None], 0),
        ([0.51, 0.25], 3),
        ([-2.5, 0.1], 2),
        ([1034.2, 15.0], 0),
        ([150.5, 3.0], 1),
        ([0.0004, 0.0012], 4),
        ([None, math.nan], 0),
    ],
)
def test_a_column_shares_its_decimals(values: list[float | None], decimals: int) -> None:
    assert numbers.column_decimals(values) == decimals


def test_count() -> None:
    assert numbers.count(57480) == "57,480"
    assert numbers.count(-3) == "−3"
    assert numbers.count(None) == "—"


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("p", [0.2, None], "p"),
        ("corrected_p", [0.2], "p"),
        ("spearman", [0.2, -1.0], "bounded"),
        ("kappa_quadratic", [0.2, math.nan], "bounded"),
        ("icc2_1", [0.2], "bounded"),
        ("within_one", [1.0], "bounded"),
        ("proportion of variance", [0.5], "bounded"),
        ("rate", [0.2, 3.5], "plain"),  # a rate above 1 can exceed 1
        ("exact", [4, 7], "count"),
        ("within_sd", [0.4], "plain"),
        ("log-odds per point", [0.1], "plain"),
        ("z", [-0.96, 8.1], "statistic"),
        ("n", [1409, None], "count"),
        ("estimate", [0.2], "plain"),
        ("estimate", [], "plain"),
    ],
)
def test_what_a_column_holds_is_told_by_its_name_and_its_values(name, values, kind):
    assert numbers.kind_of(name, values) == kind


def test_a_statistic_may_be_declared_bounded():
    assert numbers.kind_of("single", [0.4, -0.1], bounded=True) == "bounded"
    assert numbers.kind_of("single", [0.4, 1.2], bounded=True) == "plain"


@pytest.mark.parametrize(
    ("value", "kind", "decimals", "shown"),
    [
        (0.456, "bounded", 2, "0.46"),
        (-0.456, "bounded", 2, "\u22120.46"),
        (1.0, "bounded", 2, "1.00"),
        (-0.001, "bounded", 2, "0.00"),
        (0.0004, "p", 2, "< 0.001"),
        (0.04999, "p", 2, "0.050"),
        (8.104, "statistic", 2, "8.10"),
        (1409, "count", 2, "1,409"),
        (-12345.678, "plain", 1, "\u221212,345.7"),
        (0.1438, "plain", 3, "0.144"),
        (-0.0001, "plain", 3, "0.000"),
        (math.inf, "plain", 2, "∞"),
        (math.nan, "bounded", 2, "—"),
        (None, "p", 2, "—"),
    ],
)
def test_a_number_is_set_for_a_paper(value, kind, decimals, shown):
    assert numbers.apa(value, kind, decimals) == shown


def test_an_interval_is_set_for_a_paper():
    assert numbers.apa_interval(-0.12, 0.4, "bounded") == "[\u22120.12, 0.40]"
    assert numbers.apa_interval(-0.12, None, "plain", 1) == "[\u22120.1, —]"
    assert numbers.apa_interval(None, math.nan, "plain") == "—"


def test_decimals_by_kind():
    assert numbers.apa_decimals("bounded", [0.4, None, math.nan]) == 2
    assert numbers.apa_decimals("bounded", [0.04]) == 3
    assert numbers.apa_decimals("bounded", [0.0]) == 2
    assert numbers.apa_decimals("statistic", [1234.5]) == 2
    assert numbers.apa_decimals("plain", [0.14, 0.43]) == 3
    assert numbers.apa_decimals("plain", [0.14, -2.1]) == 2
    assert numbers.apa_decimals("plain", [0.05, -2.1]) == 3
    assert numbers.apa_decimals("plain", [0.05, 12.0]) == 2
    assert numbers.apa_decimals("plain", [1250.4]) == 0


@pytest.mark.parametrize(
    ("value", "low", "high", "how", "shown"),
    [
        (0.6123, 0.571, 0.652, {"percent": True}, "61.2% [57.1%, 65.2%]"),
        (0.6123, 0.411, 0.802, {"percent": True}, "61% [41%, 80%]"),
        (0.6123, None, None, {"percent": True}, "61%"),
        (-0.004, -0.31, 0.28, {}, "0.00 [−0.31, 0.28]"),
        (0.3, 0.08, 0.52, {"sign": True}, "+0.30 [0.08, 0.52]"),
        (-0.3, math.nan, math.nan, {"sign": True}, "−0.300"),
        (1523.0, 1400.0, 1610.0, {}, "1,523 [1,400, 1,610]"),
        (math.nan, math.nan, math.nan, {}, "—"),
        (-1.0, -1.0, -1.0, {}, "−1.00 [no interval: never varies]"),
        (-1.0, -1.0 - 1e-16, -1.0 + 2e-16, {}, "−1.00 [no interval: never varies]"),
        (1.0, 1.0, 1.0, {"percent": True}, "100% [no interval: never varies]"),
        (0.7, 0.68, 0.72, {"percent": True, "decimals": 0}, "70% [68%, 72%]"),
    ],
)
def test_an_estimate_in_a_sentence_has_the_digits_of_its_interval(value, low, high, how, shown):
    assert numbers.with_interval(value, low, high, **how) == shown


def test_an_interval_without_width_is_none_but_a_rank_may_be_known():
    assert numbers.interval(1.0, 1.0) == "[no interval: never varies]"
    assert numbers.interval(1.0, 1.0, without="no interval") == "[no interval]"
    assert numbers.interval(1, 1) == "[1.00, 1.00]"
    assert numbers.apa_interval(0.5, 0.5, "bounded") == "no interval"
    assert not numbers.flat(math.inf, math.inf)
    assert not numbers.flat(0.5, None)


def test_a_factor_beyond_a_thousand_is_not_printed():
    assert [factors.factor(v) for v in (1.0, 1.234, 12.34, 999.6, 1000.1, 1e207, math.inf)] == [
        "1",
        "1.23",
        "12.3",
        "1,000",
        "> 1,000",
        "> 1,000",
        "> 1,000",
    ]
    assert [factors.factor(v) for v in (0.0, 1e-5, 0.0012, 0.05, None)] == [
        "< 1/1,000",
        "< 1/1,000",
        "0.0012",
        "0.050",
        "—",
    ]
    assert factors.factor_of_odds(0.2, 0.1, 0.3) == "1.22 [1.11, 1.35]"
    assert factors.factor_of_odds(900.0, 2.0, 9000.0) == "more than 1,000 [7.39, > 1,000]"
    assert factors.factor_of_odds(-50.0, -90.0, -20.0) == "less than 1/1,000"


def test_a_column_of_intervals_has_the_digits_of_its_typical_width():
    triples = [(0.5, 0.41, 0.59), (0.2, 0.1, 0.3), (None, None, None), (0.91, 0.9, 0.92)]
    assert numbers.interval_decimals(triples) == 2
    assert numbers.interval_decimals([(1.0, None, None)]) == 0


def test_no_number_is_nan_or_a_negative_zero():
    for value in (-0.0, -1e-12, math.nan, None, -0.0049):
        text = numbers.number(value, 2)
        assert "nan" not in text
        assert text in {"0.00", "—"}


def test_an_interval_that_excludes_zero_never_ends_in_a_printed_zero() -> None:
    assert numbers.with_interval(-0.155, -0.323, -0.0034) == "−0.155 [−0.323, −0.003]"
    assert numbers.with_interval(0.2, 0.00004, 0.4) == "0.20000 [0.00004, 0.40000]"
    assert numbers.with_interval(0.2, 0.0, 0.4) == "0.20 [0.00, 0.40]"
    assert numbers.with_interval(0.2, 1e-12, 0.4) == "0.20 [0.00, 0.40]"
    assert numbers.interval(-0.323, -0.0034) == "[−0.323, −0.003]"
    assert numbers.interval(-0.323, -0.0034, 2) == "[−0.323, −0.003]"
    assert numbers.apa_interval(-0.323, -0.0034, "bounded", 2) == "[−0.323, −0.003]"
