"""Compares results that are not the same bytes: how many digits of their numbers are the same.

Another library of linear algebra, or another number of processors, adds in another order, which
changes the last digits of a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

# Two numbers are the same that differ by less than this share of the larger one.
TOLERANCE: Final = 1e-6
# A number below this is compared as if it were this large: nobody reads the digits of 1e-17.
SMALLEST: Final = 1e-3
# Lines of a figure are the same that are not this far apart, in points; figures keep 6 decimals.
POINTS: Final = 1e-4
# Digits that a float has.
MOST: Final = 15
UNLIKE: Final = math.inf

# A number with a decimal point or an exponent; a whole number is compared as text, as ids are.
_NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?![\w.])")
# What a figure has as text, between two tags.
_WORDS = re.compile(r">[^<>]*<")
# A name that a figure gives to a shape by the hash of its coordinates.
_SHAPE = re.compile(r"\b[a-z][0-9a-f]{10}\b")


def same_digits(made: Mapping[str, Path], again: Mapping[str, Path]) -> int | None:
    """Return to how many digits the numbers of two folders of results are the same.

    Parameters
    ----------
    made, again : mapping of str to Path
        The files of each folder by name, `results.json` among them.

    Returns
    -------
    int or None
        6 to 15; None if anything but a number differs, or a number by more than `TOLERANCE`.

    Notes
    -----
    What made the results (`meta.code`, `meta.versions`) may differ. Numbers that are printed in
    sentences and in tables with few decimals must be the same as they are printed.
    """
    if made.keys() != again.keys():
        return None
    furthest = 0.0
    for name, path in made.items():
        furthest = max(furthest, _apart(path, again[name]))
        if furthest > TOLERANCE:
            return None
    return MOST if furthest == 0 else min(MOST, math.floor(-math.log10(furthest)))


def _apart(one: Path, other: Path) -> float:
    """Return the largest distance between the numbers of two files."""
    first, second = (path.read_bytes().replace(b"\r\n", b"\n") for path in (one, other))
    if first == second:
        return 0.0
    if one.name == "results.json":
        return of_json(*(_without_origin(json.loads(text)) for text in (first, second)))
    try:
        texts = first.decode(), second.decode()
    except UnicodeDecodeError:
        return UNLIKE
    if one.suffix == ".svg":
        # a printed number is no coordinate, so it has to be the same
        if _WORDS.findall(texts[0]) != _WORDS.findall(texts[1]):
            return UNLIKE
        # digits of a coordinate are no digits of a number
        return 0.0 if of_text(*map(_shapes_by_order, texts), points=True) <= POINTS else UNLIKE
    return of_text(*texts)


def _without_origin(results: Any) -> Any:
    """Return results without what made them."""
    meta = {k: v for k, v in results["meta"].items() if k not in ("code", "versions")}
    return results | {"meta": meta}


def of_json(one: Any, other: Any) -> float:
    """Return the largest distance of numbers in two JSON values; infinite if they differ else."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return UNLIKE
        return _largest(of_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return UNLIKE
        return _largest(of_json(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return distance(one, other)
    return 0.0 if type(one) is type(other) and one == other else UNLIKE


def of_text(one: str, other: str, *, points: bool = False) -> float:
    """Return the largest distance of numbers in two texts; infinite if they differ else.

    Parameters
    ----------
    one, other : str
    points : bool
        Whether numbers are lengths on paper, of which the difference counts.
    """
    if _NUMBER.split(one) != _NUMBER.split(other):
        return UNLIKE
    numbers = zip(_numbers(one), _numbers(other), strict=True)
    if points:
        return _largest(abs(a - b) for a, b in numbers)
    return _largest(distance(a, b) for a, b in numbers)


def distance(one: float, other: float) -> float:
    """Return how far two numbers are apart, as a share of the larger one."""
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return UNLIKE
    return abs(one - other) / max(abs(one), abs(other), SMALLEST)


def _numbers(text: str) -> Iterator[float]:
    return (float(each) for each in _NUMBER.findall(text))


def _largest(distances: Iterable[float]) -> float:
    return max(distances, default=0.0)


def _shapes_by_order(figure: str) -> str:
    """Return a figure whose shapes are named in the order in which they appear."""
    names: dict[str, str] = {}
    return _SHAPE.sub(lambda found: names.setdefault(found[0], f"shape{len(names)}"), figure)
