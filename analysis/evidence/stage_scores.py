"""What the judges of a chat's conversations said, as its second stage takes it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.evidence.judges import judges_of
from analysis.evidence.panels import with_panels
from analysis.evidence.tables import TABLES_FOLDER, read_study
from prereg.lock import verify_lock
from prereg.plan.file import load_plan

_CHOICES = ["left_id", "right_id", "choice"]


@dataclass(frozen=True)
class StageScores:
    """What judges said.

    Attributes
    ----------
    plan_hash : str
        Of the lock of the study in which they said it.
    scores : mapping
        By judge and item: each dimension, `overall`, and `elo` if it ranks.
    rankings : mapping
        By judge that ranks: left, right and choice of every pair, in the order answered.
    """

    plan_hash: str
    scores: Mapping[str, Mapping[str, Mapping[str, float]]] = field(repr=False)
    rankings: Mapping[str, Sequence[tuple[str, str, str]]] = field(repr=False)


def stage_scores(place: Path) -> StageScores:
    """Read what the judges of a locked study said, from its exported tables.

    Also of items whose text was erased since: an Elo score follows from all pairs that were asked.

    Raises
    ------
    RatifyError
        When a table is missing or wrong, or the lock does not match.
    """
    plan = load_plan(place)
    lock = verify_lock(place, plan)
    whole = read_study(place / TABLES_FOLDER, plan, lock, withdrawn=True)
    read, _ = with_panels(whole, plan)
    evidence = judges_of(plan, read)
    return StageScores(
        lock.plan_hash,
        {
            name: {
                str(row.pop("item_id")): {
                    str(k): float(v) for k, v in row.items() if k != "scenario"
                }
                for row in one.scores.to_dict("records")
            }
            for name, one in evidence.items()
        },
        {
            name: list(one.pairs[_CHOICES].itertuples(index=False, name=None))
            for name, one in evidence.items()
            if not one.pairs.empty
        },
    )
