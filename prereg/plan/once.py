"""Refuses what a list of the plan names twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prereg.errors import RatifyError


def ids_once(names: Sequence[str], where: str) -> Iterator[RatifyError]:
    """Yield a fault for each id that an earlier entry of a list has.

    Parameters
    ----------
    names : sequence of str
        The ids, in the order of the list.
    where : str
        The list's key.
    """
    for number in _again(names):
        yield RatifyError(
            "this id occurs more than once",
            column=f"{where}.{number}.id",
            value=names[number],
            allowed="an id that nothing else has",
        )


def rules_once(rules: Sequence[str]) -> Iterator[RatifyError]:
    """Yield a fault for each rule of exclusion that stands there already."""
    for number in _again(rules):
        yield RatifyError(
            "this rule occurs more than once",
            column=f"exclusions.{number}.rule",
            value=rules[number],
            allowed="each rule once",
        )


def _again(names: Sequence[str]) -> Iterator[int]:
    return (number for number, name in enumerate(names) if name in names[:number])
