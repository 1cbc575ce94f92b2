"""The part of `ratify audit` for ratings: points of a scale, with baselines beside the judges."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from analysis.agreement.alternative_annotator import Metric
    from analysis.agreement.summary import CutAt
    from analysis.results.quantities import Results

NO_ITEMS = (
    "The baselines length and lexical are not compared with the judge, because the items' texts "
    "were not given (--items)."
)


def audited_ratings(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    scale: tuple[float, float],
    dimensions: Sequence[str] | None,
    mode: str | None,
    seed: int,
    items: Path | None,
    text_column: str,
    columns: Mapping[str, Any],
    epsilon: float,
    metric: Metric,
    cuts: Sequence[str],
    interval: Literal["jackknife", "bootstrap"],
    check: bool,
    limits: Sequence[str],
    panels: Sequence[str],
    panel_rule: str,
) -> Results:
    """Return the audit of some ratings, with the baselines if the items' texts are given."""
    from analysis.audit.annotators import read_annotators
    from analysis.audit.audit import audit as run_audit
    from analysis.audit.panels import read_panels
    from prereg.plan.judging import BASELINES
    from prereg.plan.reporting import large_of
    from prereg.tables.fitting import read_fitting
    from study.judges.rated_table import rate_table

    with tempfile.TemporaryDirectory() as name:
        beside: list[str] = []
        note = NO_ITEMS
        texts: dict[str, str] | None = None
        if items is not None:
            found = read_annotators(
                humans,
                judges,
                id_column=id_column,
                scale=scale,
                dimensions=dimensions,
                mode=mode,
                **columns,
            )
            table = read_fitting(items, replace(columns["reading"], verbatim=(text_column,)))
            options = {id_column: "--id COLUMN", text_column: "--text COLUMN"}
            table.require(id_column, text_column, named_by=options)
            taken = [one.name for one in (*found.humans, *found.judges)]
            beside, note = rate_table(
                items,
                id_column=id_column,
                text_column=text_column,
                dimensions=found.dimensions,
                scale=scale,
                taken=taken,
                into=Path(name),
                reading=columns["reading"],
            )
            texts = {row[id_column].strip(): row[text_column] for row in table.rows}
        results = run_audit(
            humans,
            [*judges, *beside],
            id_column=id_column,
            scale=scale,
            dimensions=dimensions,
            seed=seed,
            mode=mode,
            epsilon=epsilon,
            metric=metric,
            interval=interval,
            cuts=[_cut(word) for word in cuts],
            check=check,
            panels=read_panels(panels),
            panel_rule=panel_rule,
            baselines=[given.partition("=")[0] for given in beside] or BASELINES,
            texts=texts,
            large=large_of(limits),
            **columns,
        )
    if note:
        results.limits.insert(0, note)
    return results


def _cut(word: str) -> CutAt:
    """Return the cut that `word` gives on the command line."""
    from analysis.agreement.summary import CutAt

    sign, value = word.strip()[:2], word.strip()[2:]
    try:
        at = float(value)
    except ValueError:
        at = math.nan
    if sign not in (">=", "<=") or not math.isfinite(at):
        raise RatifyError("--cut is not a condition on a rating", value=word, allowed=">=5 or <=3")
    return CutAt(at, "at_least" if sign == ">=" else "at_most")
