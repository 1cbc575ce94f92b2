"""Says what to do about a fault, by what is wrong."""

from __future__ import annotations

import difflib
import re

from prereg.errors import RatifyError

# The problem of an assumed effect that no simulation reads.
UNREAD = "no simulation reads this effect"
# The problem of an assumed column that no simulation reads.
UNREAD_COLUMN = "no simulation reads this column"
# What a problem says, and what is done about it; the first that fits counts.
_ADVICE: tuple[tuple[str, str], ...] = (
    (r"unknown key; ", "put the text in quotation marks"),
    (r"is needed by|is missing|needs the baseline", "add it"),
    (r"is needed to|needs ", "add what it needs, or take it out"),
    (r"takes no|belongs to", "take it out, or change what it belongs to"),
    (r"occurs more than once|named more than once|only once", "rename or remove one of them"),
    (r"no such file|no such plan|no such prompt", "make the file, or name the right one"),
    (r"no probability sample", "run `ratify sample`"),
    (r"no column", "add the column to the table, or name another one"),
    (r"is empty|has no entry", "fill it in"),
    (r"is not YAML", "correct that line"),
    (r"name of a|results' word|id of an", "give it another name"),
    (r"changed since", "undo the change"),
    (r"is not known here|has the wrong form|cannot be answered", "write what is allowed"),
    (r"too few|too many|too small|too large", "change the number"),
    (r"only \d|has \d+ titles|another prompt", "correct the file"),
)


def advice(fault: RatifyError) -> str:
    """Return what to do about a fault, without a full stop."""
    named = {
        "unknown key": (fault.column or "").rpartition(".")[2],
        UNREAD: str(fault.value),
        UNREAD_COLUMN: str(fault.value),
    }
    if fault.problem in named:
        known = (fault.allowed or "").split(", ")
        near = difflib.get_close_matches(named[fault.problem], known, n=1, cutoff=0.6)
        return (
            f"write '{near[0]}' if that is meant" if near else "correct its spelling, or remove it"
        )
    for pattern, do in _ADVICE:
        if re.search(pattern, fault.problem):
            return do
    if fault.row is not None:
        return "correct this cell"
    return "correct it"
