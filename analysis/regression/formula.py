"""Builds a model matrix from a formula and a table, or says why this is not possible."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
import warnings
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.optimize import linprog

from analysis.arrays import FloatArray, IntArray
from analysis.tables import columns
from prereg.errors import RatifyError

# Names that a formula may use in addition to columns: patsy's functions, and numpy as np.
_FORMULA_NAMES = frozenset(
    "np C I Q Treatment Sum Diff Helmert Poly center standardize scale bs cr cc te".split()
)

# Functions of numpy that are no ufuncs, and its numbers, that a formula may use.
_NUMPY = frozenset("clip where round e pi".split())
_PREFIX = re.compile(r"[A-Za-z]*")


def columns_of(data: pd.DataFrame, formula: str) -> list[str]:
    """Return the columns that a formula names; refuse other names that are not functions.

    A formula is text from a plan, perhaps a stranger's, and not a program: it can call the
    functions of patsy and the arithmetic of numpy, and nothing that reads or writes.
    """
    try:
        tokens = [
            t for t in tokenize.generate_tokens(io.StringIO(formula).readline) if t.string.strip()
        ]
    except (tokenize.TokenError, SyntaxError) as error:
        raise RatifyError("the formula cannot be read", value=formula, allowed="y ~ x") from error
    found: list[str] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1].string if at else ""
        after = tokens[at + 1].string if at + 1 < len(tokens) else ""
        _refuse_programs(token, before, tokens[at - 2].string if at > 1 else "", formula)
        quoted = token.type == tokenize.STRING and before == "(" and tokens[at - 2].string == "Q"
        name = token.string.strip("'\"") if quoted else token.string
        plain = token.type == tokenize.NAME and not keyword.iskeyword(name)
        # `x.y` reads an attribute and `f(key=` names an argument: neither is a column.
        if not quoted and (not plain or before == "." or after == "="):
            continue
        if name in data.columns and after != "(":
            found.append(name)
        elif quoted or name not in _FORMULA_NAMES:
            kind = "function" if after == "(" else "column"
            raise RatifyError(
                f"the formula names '{name}', and there is no such {kind}",
                value=formula,
                allowed=", ".join(
                    sorted(_FORMULA_NAMES) if kind == "function" else map(str, data.columns)
                ),
            )
    return list(dict.fromkeys(found))


def _refuse_programs(token: tokenize.TokenInfo, before: str, owner: str, formula: str) -> None:
    """Refuse an attribute that is not arithmetic of numpy, and text that is computed."""
    name = token.string
    computed = token.type == tokenize.STRING and _letters(name) - set("rRuU")
    if computed or tokenize.tok_name[token.type].startswith("FSTRING"):
        raise RatifyError(
            "the formula computes a text", value=formula, allowed="texts in plain quotes"
        )
    if before != "." or token.type != tokenize.NAME:
        return
    if owner == "np" and (name in _NUMPY or isinstance(getattr(np, name, None), np.ufunc)):
        return
    raise RatifyError(
        f"the formula uses '.{name}', which is not arithmetic",
        value=formula,
        allowed="functions of numbers, such as np.log, np.sqrt, np.where",
    )


def _letters(text: str) -> set[str]:
    found = _PREFIX.match(text)
    return set(found[0]) if found else set()


def complete_places(data: pd.DataFrame, used: list[str]) -> IntArray:
    """Return the indices of rows in which none of these columns is missing."""
    absent = [columns.missing(data[name]) for name in used]
    return np.flatnonzero(~np.any(absent, axis=0)) if used else np.arange(len(data))


def complete_rows(data: pd.DataFrame, used: list[str]) -> pd.DataFrame:
    """Return the rows without a missing cell, in types that patsy can read."""
    rows = data[list(dict.fromkeys(used))].iloc[complete_places(data, used)].reset_index(drop=True)
    for name in rows.columns:
        values = rows[name].infer_objects()
        if pd.api.types.is_bool_dtype(values.dtype) or (
            pd.api.types.is_numeric_dtype(values.dtype) and not isinstance(values.dtype, np.dtype)
        ):
            rows[name] = values.astype(float)
        elif isinstance(values.dtype, pd.StringDtype):
            rows[name] = values.astype(object)
        else:
            rows[name] = values
    return rows


def model_of(rows: pd.DataFrame, formula: str, kind: str) -> Any:
    """Return the statsmodels model; errors of patsy become one readable sentence."""
    import statsmodels.formula.api as smf

    build = smf.logit if kind == "logit" else smf.ols
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(formula, rows, missing="raise", eval_env={"np": np})
    except Exception as error:
        reason = re.split(r"\n", str(error))[0]
        raise RatifyError(
            f"the formula cannot be computed: {reason}",
            value=formula,
            allowed="terms that give a finite number in every row",
        ) from error


def design_matrix(result: Any, rows: pd.DataFrame) -> FloatArray:
    """Return the model matrix of other rows, coded like the fitted rows.

    Raises
    ------
    RatifyError
        On a category that the fitted rows do not have, or a cell that the formula cannot use.
    """
    from patsy import dmatrix

    try:
        matrix = dmatrix(result.model.data.model_spec, rows)
    except Exception as error:
        reason = re.split(r"\n", str(error))[0]
        raise RatifyError(
            f"the formula cannot be computed on these rows: {reason}",
            allowed="categories that occur in the fitted rows",
        ) from error
    return np.asarray(matrix, dtype=np.float64)


def check_outcome(y: FloatArray, name: str, kind: str) -> None:
    """Refuse an outcome that never varies, and one of a logit that is not 0 or 1."""
    if kind == "logit" and not np.isin(y, (0.0, 1.0)).all():
        bad = y[~np.isin(y, (0.0, 1.0))][0]
        raise RatifyError("is not an outcome of a logit", column=name, value=bad, allowed="0, 1")
    if np.ptp(y) == 0:
        raise RatifyError(
            "the outcome is the same in every row",
            column=name,
            value=float(y[0]),
            allowed="an outcome that varies",
        )


def check_terms(X: FloatArray, terms: list[str]) -> None:
    """Refuse terms that are linear combinations of others, by pivoted QR."""
    if len(X) <= len(terms):
        raise RatifyError("too few rows", value=len(X), allowed=f"more than {len(terms)} (terms)")
    size = np.sqrt((X**2).sum(axis=0))
    upper, order = qr(X / np.where(size > 0, size, 1.0), mode="r", pivoting=True)
    diagonal = np.zeros(len(terms))
    diagonal[: min(upper.shape)] = np.abs(np.diag(upper))
    tied = [terms[i] for i in order[diagonal < 1e-10]]
    if tied:
        still = [n for n, column in zip(terms, X.T, strict=True) if (column == column[0]).all()]
        same = [name for name in still if name != "Intercept"]
        if same:
            raise RatifyError(
                "a term has the same value in every row, so there is no effect to estimate",
                value=", ".join(same),
                allowed="terms that vary",
            )
        raise RatifyError(
            "terms are linear combinations of others",
            value=", ".join(tied),
            allowed="terms that vary independently",
        )


def check_separation(y: FloatArray, X: FloatArray, terms: list[str]) -> None:
    """Refuse terms if one of their linear combinations never predicts the wrong outcome."""
    signed = np.unique((X / np.abs(X).max(axis=0)) * (2 * y - 1)[:, None], axis=0)
    direction = _separating(signed)
    if direction is None:
        return
    constant = [i for i, term in enumerate(terms) if term == "Intercept"]
    others = [i for i in range(len(terms)) if i not in constant]
    # If one term alone separates, name only that: easier to understand than many terms.
    alone = [i for i in others if _separating(signed[:, [*constant, i]]) is not None]
    guilty = alone or [i for i in others if abs(direction[i]) > 1e-6] or constant
    raise RatifyError(
        "the outcome is separated: these terms predict it perfectly and have no finite estimate: "
        + ", ".join(terms[i] for i in guilty),
        allowed="terms whose groups have both outcomes",
    )


def check_ordered_separation(y: IntArray, X: FloatArray, terms: list[str]) -> None:
    """Refuse terms of a cumulative logit that have no finite estimate.

    A direction of terms and thresholds in which no row's category becomes less probable, and some
    becomes more probable, has no end.
    """
    cuts = np.eye(int(y.max()) + 2)[:, 1:-1]
    size = np.abs(X).max(axis=0)
    below = np.hstack([-X / size, cuts[y + 1]])[y < y.max()]
    above = np.hstack([X / size, -cuts[y]])[y > 0]
    signed = np.unique(np.vstack([below, above]), axis=0)
    direction = _separating(signed)
    if direction is None:
        return
    guilty = [term for term, along in zip(terms, direction, strict=False) if abs(along) > 1e-6]
    raise RatifyError(
        "the outcome is separated: these terms predict the category perfectly and have no finite "
        "estimate: " + ", ".join(guilty),
        allowed="terms whose groups overlap in their categories",
    )


def _separating(signed: FloatArray) -> FloatArray | None:
    """Return a direction in which no row decreases and some increase; None if there is none."""
    found = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=(-1, 1),
        method="highs",
    )
    if found.x is None or float((signed @ found.x).sum()) <= 1e-7 * len(signed):
        return None
    return np.asarray(found.x, dtype=np.float64)
