"""Makes a folder of turn-pairs from the files of a release: turns.parquet and its flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.reader import write_csv
from study.turns.filters import Filters
from study.turns.flow import FILTERS, FLOW_COLUMNS, Flow
from study.turns.pairs import NOBODY, SCHEMA, rows_of
from study.turns.releases import WILDCHAT_1M
from study.turns.shards import Shards
from study.turns.unfolding import unfold
from study.turns.writing import PairsFile

TURNS, FLOW_JSON, FLOW_CSV = "turns.parquet", "flow.json", "flow.csv"


@dataclass
class Gaps:
    """How many of the turn-pairs that are left lack something.

    Attributes
    ----------
    address, time, local_hour : int
        Turn-pairs without the address of their user, the time of their reply, and an hour that
        is certain.
    """

    address: int = 0
    time: int = 0
    local_hour: int = 0

    def count(self, rows: pa.Table) -> None:
        """Count the gaps of some rows."""
        nobody = pc.sum(pc.starts_with(rows.column("user_id"), pattern=NOBODY)).as_py()
        self.address += int(nobody or 0)
        self.time += rows.column("timestamp").null_count
        self.local_hour += rows.column("local_hour").null_count


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes
    ----------
    flow : Flow
    gaps : Gaps
    """

    flow: Flow
    gaps: Gaps


def make_turns(
    shards: Shards,
    folder: Path,
    *,
    limit: int | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Made:
    """Write turns.parquet, flow.json and flow.csv into a folder.

    Memory does not grow with the number of conversations, apart from eight bytes for each round,
    by which repeated ones are found.

    Parameters
    ----------
    shards : Shards
    folder : Path
        It exists.
    limit : int, optional
        How many conversations to read at most.
    tell : callable
        Takes the number of conversations that have just been read.

    Returns
    -------
    Made

    Raises
    ------
    RatifyError
        When a file is damaged, a conversation has no hash or no list of utterances, or an
        utterance has no `turn_identifier`.
    """
    filters, gaps = Filters(), Gaps()
    with PairsFile(folder / TURNS, SCHEMA) as file:
        for batch in shards.batches(limit=limit):
            unfolded = unfold(batch)
            pairs = filters.passed(unfolded)
            if len(pairs):
                rows = rows_of(unfolded, pairs)
                gaps.count(rows)
                file.add(rows)
            tell(len(batch.rows))
    files.write_json(folder / FLOW_JSON, _about(shards, filters.flow, gaps, limit))
    write_csv(folder / FLOW_CSV, FLOW_COLUMNS, filters.flow.rows())
    return Made(filters.flow, gaps)


def refuse_nothing(flow: Flow, shards: Shards, *, limit: int | None = None) -> None:
    """Raise `RatifyError` if no turn-pair passed every filter; it says what each removed."""
    if flow.left:
        return
    talks, pairs = flow.to_json()["read"].values()
    gone = [
        f"{words} {flow.removed(name)[0]:,}"
        for name, words in FILTERS.items()
        if flow.removed(name)[0]
    ]
    many = (
        f"{talks:,} conversation{'s' * (talks != 1)} with {pairs:,} turn-pair{'s' * (pairs != 1)}"
    )
    raise RatifyError(
        f"no turn-pair passes the filters, of {many}; conversations removed: {', '.join(gone)}",
        file=shards.paths[0] if len(shards.paths) == 1 else shards.paths[0].parent,
        allowed="conversations of which a turn-pair is left"
        + (f", in more than the first {limit:,}" if limit is not None else ""),
    )


def said_of_toxic(shards: Shards, flow: Flow) -> str | None:
    """Return what the filter `not_toxic` found in a release that should hold nothing toxic."""
    if shards.release is not WILDCHAT_1M:
        return None
    found = flow.removed("not_toxic")[0]
    if not found:
        return (
            "the filter 'not toxic' removed no conversation, as is to be expected of this release"
        )
    are = "1 conversation is" if found == 1 else f"{found:,} conversations are"
    return f"{are} toxic, so these are not the files of the open release since 2024"


def _about(shards: Shards, flow: Flow, gaps: Gaps, limit: int | None) -> dict[str, Any]:
    return {
        "release": shards.release.name,
        "note": "; ".join(filter(None, (shards.release.note, said_of_toxic(shards, flow)))),
        "files": [path.name for path in shards.paths],
        "limit": limit,
        **flow.to_json(),
        "without": {"address": gaps.address, "time": gaps.time, "local_hour": gaps.local_hour},
        "tzdata": version("tzdata"),
        "ratify": version("ratify-eval"),
    }
