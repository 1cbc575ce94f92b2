"""Which columns a registered formula needs, and what values they take, as far as the plan tells."""

from __future__ import annotations

import contextlib
import io
import keyword
import re
import tokenize

from prereg.analyses.regression import Regression
from prereg.plan.assumptions import Effects

_FUNCTIONS = frozenset(
    "np C I Q Treatment Sum Diff Helmert Poly center standardize scale bs cr cc te".split()
)
_UNKNOWN_LEVELS = ("a", "b")


def names_in(predictors: str) -> list[str]:
    """Return the columns that the right side of a formula names, in order.

    Of a formula with an open bracket they are found too: elsewhere it is refused.
    """
    read = tokenize.generate_tokens(io.StringIO(predictors).readline)
    tokens: list[tokenize.TokenInfo] = []
    with contextlib.suppress(tokenize.TokenError):
        tokens.extend(token for token in read if token.string.strip())
    found: list[str] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1].string if at else ""
        after = tokens[at + 1].string if at + 1 < len(tokens) else ""
        if token.type == tokenize.STRING and before == "(" and tokens[at - 2].string == "Q":
            found.append(token.string.strip("'\""))
        elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            called = after == "(" or before == "." or after == "="
            if not called and token.string not in _FUNCTIONS:
                found.append(token.string)
    return list(dict.fromkeys(found))


def is_category(analysis: Regression, name: str) -> bool:
    """Say whether a column of a formula holds categories."""
    return name in analysis.declared([name])


def levels_of(analysis: Regression, name: str, assumed: Effects) -> tuple[str, ...]:
    """Return the categories of a column, the one that the others are compared with first.

    They are what the plan's terms, contrasts and predictions name, and one more that stands for the
    reference if no `Treatment` names it.
    """
    if name in assumed.levels:
        return tuple(assumed.levels[name])
    named = levels_in(" ".join([*analysis.terms, *analysis.contrasts.values()]), name)
    more = [str(one) for one in analysis.predictions.get(name, ())]
    if analysis.sd is not None and analysis.sd.column == name and analysis.sd.value is not None:
        more.append(analysis.sd.value)
    reference = re.search(
        rf"{re.escape(name)}['\")]*\s*,\s*Treatment\(\s*(?:reference\s*=\s*)?['\"]?([^'\")]+)",
        analysis.predictors,
    )
    levels = list(dict.fromkeys([*named, *more]))
    if not levels:
        return _UNKNOWN_LEVELS
    if reference:
        first = _whole(reference.group(1))
        return (first, *(level for level in levels if level != first))
    first = min(levels, key=_order)
    if first not in named:  # it has no coefficient, so it is the reference
        return (first, *(level for level in levels if level != first))
    return (_before(levels), *levels)


def levels_in(text: str, name: str) -> list[str]:
    """Return the categories of a column that terms or contrasts name."""
    pattern = rf"(?<!\w){re.escape(name)}(?!\w)[^\[\]:]*\[(?:[TS]\.)?([^\]]+)\]"
    return [_whole(level) for level in re.findall(pattern, text)]


def numbers_of(analysis: Regression, name: str, assumed: Effects) -> tuple[float, ...]:
    """Return the values of a column of numbers; none if the plan does not tell."""
    if name in assumed.levels:
        return tuple(float(one) for one in assumed.levels[name])
    if analysis.sd is not None and analysis.sd.column == name and analysis.sd.value is not None:
        value = float(analysis.sd.value)
        return (value, value + 1)
    return tuple(float(one) for one in analysis.predictions.get(name, ()))


def varies_within(analysis: Regression, name: str, assumed: Effects) -> bool:
    """Say whether a column differs between the rows of one person."""
    baseline = analysis.sd is not None and analysis.sd.of == "baseline"
    return name in assumed.repeated or (
        baseline and analysis.sd is not None and analysis.sd.column == name
    )


def _whole(level: str) -> str:
    """Return a level as a table has it: 2.0 is how a formula shows the number 2."""
    level = level.strip().strip("'\"")
    return level.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", level) else level


def _order(level: str) -> tuple[bool, float, str]:
    try:
        return (False, float(level), level)
    except ValueError:
        return (True, 0.0, level)


def _before(levels: list[str]) -> str:
    """Return a level that sorts before the others."""
    try:
        return f"{min(float(level) for level in levels) - 1:g}"
    except ValueError:
        pass
    for name in ("reference", "control", "baseline", "Control", "A", "0"):
        if name < min(levels):
            return name
    return f"!{min(levels)}"
