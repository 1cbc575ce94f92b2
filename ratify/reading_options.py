"""The options that say how a table is read: --missing, --decimal and --map."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_MISSING = click.option(
    "--missing",
    metavar="WORDS",
    help="Words that mean a missing value, separated by commas, instead of the default; with a "
    "leading +, as in '+refused,missing', they are added to it; '' for none. Default: NA, N/A, "
    "NaN, null, None, '-', -99 and the like.",
)
_DECIMAL = click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    default=".",
    show_default=True,
    help="The decimal mark of numbers.",
)
_MAP = click.option(
    "--map",
    "mapping",
    metavar="OURS=THEIRS,...",
    multiple=True,
    help="Our name of a column and yours, for example item_id=conversation,value=score.",
)


def reading_options(command: Command) -> Any:
    """Add --missing, --decimal and --map to a command, which gets `reading`, a `Reading`."""

    @_MISSING
    @_DECIMAL
    @_MAP
    @functools.wraps(command)
    def with_reading(
        *args: Any, missing: str | None, decimal: Any, mapping: tuple[str, ...], **rest: Any
    ) -> Any:
        from prereg.tables.reading import MISSING_WORDS, Reading, missing_words

        reading = Reading(
            missing=MISSING_WORDS if missing is None else missing_words(_words(missing)),
            decimal=decimal,
            columns=_pairs(mapping),
        )
        return command(*args, reading=reading, **rest)

    return with_reading


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Return our names with theirs, from `OURS=THEIRS,...`."""
    from prereg.errors import RatifyError

    pairs: dict[str, str] = {}
    for part in ",".join(given).split(","):
        if not part.strip():
            continue
        ours, equals, theirs = (word.strip() for word in part.partition("="))
        if not (ours and equals and theirs):
            raise RatifyError(
                "is not OURS=THEIRS", file="--map", value=part, allowed="item_id=conversation"
            )
        if ours in pairs:
            raise RatifyError("names a column more than once", file="--map", value=ours)
        pairs[ours] = theirs
    return pairs
