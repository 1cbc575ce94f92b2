"""Runs rows by an executor, for example on the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from prereg.errors import RatifyError
from prereg.executor import Executor
from tests.validation.rows import code_of, modules
from tests.validation.store import Slice, Store
from tests.validation.work import Row, Span, try_slice

# Pieces that a span is cut into, so that several workers have some of it.
PIECES = 16


def finish_on(
    executor: Executor, rows: Sequence[Row], store: Store, *, told: Callable[[Row, Slice], None]
) -> None:
    """Try what is left of the rows; `told` hears of every slice.

    Parameters
    ----------
    executor : Executor
    rows, store, told
        As in `work.finish`.
    """
    while any(row.open for row in rows):
        given = dict(_pieces(rows))
        chunks = ((key, (row.name, row.code, span)) for key, (row, span) in given.items())
        for key, one in executor.map(try_chunk, chunks):
            row, (_, last) = given[key]
            store.add(one)
            row.take(one)
            after = one.first + len(one.results)
            if after < last:  # the time for one slice was up: the next round goes on
                row.open.append((after, last))
            told(row, one)


def _pieces(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[Row, Span]]]:
    """Take the open spans of all rows, in pieces."""
    for row in rows:
        spans, row.open = row.open, []
        for first, last in spans:
            size = -(-(last - first) // PIECES)
            for at in range(first, last, size):
                end = min(at + size, last)
                yield f"{row.code}-{row.name}-{at}-{end}", (row, (at, end))


def try_chunk(chunk: tuple[str, str, Span]) -> Slice:
    """Try data sets of a row; any process with the same code may do this."""
    name, code, span = chunk
    here = _codes().get(name)
    if here != code:
        raise RatifyError(
            "a worker has other code of this row",
            column="--scheduler",
            value=here,
            allowed=f"{code}: workers that were started in a checkout like this one",
        )
    return try_slice(name, code, span)


@cache
def _codes() -> dict[str, str]:
    """Return the hash of the code of each row, by its name."""
    made_by = modules()
    codes = {module: code_of(module) for module in set(made_by.values())}
    return {name: codes[module] for name, module in made_by.items()}
