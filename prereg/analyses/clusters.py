"""What may be the cluster of an analysis of people's trials."""

from __future__ import annotations

from typing import Literal

AND_ITEMS = "_and_items"
RATER_AND_ITEMS = "rater_and_items"

# Either the rater (visit, sequence) and both items of a trial, or one column, as published.
TrialCluster = Literal[
    "rater_and_items",
    "session_and_items",
    "sequence_and_items",
    "rater_id",
    "session_id",
    "sequence_id",
]


def holds_items(cluster: str) -> bool:
    """Say whether trials that hold a common item depend on each other in this clustering."""
    return cluster.endswith(AND_ITEMS)


def with_column(cluster: str, column: str) -> str:
    """Return a clustering with another column of the visits; items stay in it."""
    return f"{column.removesuffix('_id')}{AND_ITEMS}" if holds_items(cluster) else column
