"""The part of `ratify audit` for labels: names of categories, such as pass and fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from analysis.results.quantities import Results

NO_BASELINES = (
    "The baselines length and lexical give numbers, so they are not compared with labels; the most "
    "frequent label takes their place."
)


def refuse_distances(
    *,
    scale: tuple[float, float] | None,
    cuts: Sequence[str],
    check: bool,
    interval: str,
    metric: str | None,
    panel_rule: str | None,
) -> None:
    """Raise a usage error at an option that needs an order of the ratings or their distance."""
    needs = {
        "--scale": scale is not None,
        "--cut": bool(cuts),
        "--check": check,
        "--interval bootstrap": interval == "bootstrap",
        f"--metric {metric}": metric not in (None, "accuracy"),
        f"--panel-rule {panel_rule}": panel_rule not in (None, "majority"),
    }
    for option, given in needs.items():
        if given:
            why = (
                "labels have intervals of their own, from draws of the items"
                if option.startswith("--interval")
                else "names have no order and no distance"
            )
            raise click.UsageError(f"{option} cannot be combined with --labels: {why}.")


def audited_labels(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    dimensions: Sequence[str] | None,
    values: Sequence[str],
    mode: str | None,
    items: Path | None,
    text_column: str,
    columns: Mapping[str, Any],
    epsilon: float,
    limits: Sequence[str],
    panels: Sequence[str] = (),
) -> Results:
    """Return the audit of some labels, with the items' texts if they are given."""
    from analysis.audit.label_audit import audit_labels
    from analysis.audit.panels import read_panels
    from prereg.plan.reporting import large_of

    texts = None if items is None else _texts(items, id_column, text_column, columns)
    results = audit_labels(
        humans,
        judges,
        id_column=id_column,
        dimensions=dimensions,
        values=values,
        mode=mode,
        epsilon=epsilon,
        texts=texts,
        large=large_of(limits),
        panels=read_panels(panels),
        **columns,
    )
    if items is not None:
        results.limits.insert(0, NO_BASELINES)
    return results


def _texts(
    items: Path, id_column: str, text_column: str, columns: Mapping[str, Any]
) -> dict[str, str]:
    """Return the items' texts by id."""
    from prereg.tables.fitting import read_fitting

    table = read_fitting(items, replace(columns["reading"], verbatim=(text_column,)))
    table.require(
        id_column, text_column, named_by={id_column: "--id COLUMN", text_column: "--text COLUMN"}
    )
    return {row[id_column].strip(): row[text_column] for row in table.rows}
