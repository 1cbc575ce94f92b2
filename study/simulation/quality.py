"""What items are worth in a simulation: a quality that the items table has, or a planted one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prereg.plan.model import Plan
from prereg.streams import Stream, stream
from study.bots import Known, Page, Worth, fingerprint
from study.folder import Study
from study.web.texts import Texts

# The column of the items table that holds a quality, in standard deviations.
QUALITY = "planted_quality"
# The correlation of what is planted on each dimension with the overall quality.
DIMENSION = 0.7
# Half the distance between the best and the worst source, in standard deviations of quality.
SOURCES = 0.5


def planted(study: Study) -> dict[str, Worth]:
    """Return what every item of a study is worth to simulated raters and judges.

    The quality is in the column `planted_quality`, or drawn from the plan's seed. A dimension that
    the plan's overall score subtracts goes against it.
    """
    rng = stream(study.plan.seed, Stream.SIMULATION, "quality")
    rows = study.table.rows
    drawn = rng.normal(size=len(rows))
    if rows and QUALITY in rows[0]:
        overall = np.array([float(row[QUALITY]) for row in rows])
    else:
        overall = drawn + _of_sources(study.plan, rows)
    worths = [Worth(float(value)) for value in overall]
    points = [scale for scale in study.plan.rated if not scale.names]
    for scale in points:
        own = rng.normal(size=len(rows))
        mixed = DIMENSION * overall + math.sqrt(1 - DIMENSION**2) * own
        mixed *= _sign(study.plan, scale.id)
        worths = [
            Worth(worth.overall, {**worth.dimensions, scale.id: float(value)}, worth.labels)
            for worth, value in zip(worths, mixed, strict=True)
        ]
    for name, names in study.plan.labels.items():
        right = rng.integers(len(names), size=len(rows))
        worths = [
            Worth(worth.overall, worth.dimensions, {**worth.labels, name: names[place]})
            for worth, place in zip(worths, right, strict=True)
        ]
    return {row["item_id"]: worth for row, worth in zip(rows, worths, strict=True)}


def _sign(plan: Plan, dimension: str) -> int:
    return -1 if plan.measures is not None and dimension in plan.measures.subtracts else 1


def _of_sources(plan: Plan, rows: Sequence[Mapping[str, str]]) -> Any:
    """Return what the source of each item adds to its quality, if the plan compares sources.

    Without an assumption they lie evenly, in alphabetical order.
    """
    column = next((c for c in (getattr(a, "source", None) for a in plan.analyses) if c), None)
    if column is None or not rows or column not in rows[0]:
        return np.zeros(len(rows))
    names = sorted({row[column] for row in rows})
    steps = dict(zip(names, np.linspace(-SOURCES, SOURCES, len(names)), strict=True))
    return np.array([steps[row[column]] for row in rows])


def known_of(study: Study, worth: Mapping[str, Worth]) -> Known:
    """Return what simulated raters know of a study."""
    texts = Texts(study.plan.display, study.images)

    def shown(text: str) -> str:
        page = Page()
        page.feed(f'<div data-conversation="A">{texts.item(text)}</div>')
        return fingerprint(page.conversations["A"])

    question = study.plan.comprehension
    return Known(
        worth={shown(item.text): worth[name] for name, item in study.items.items()},
        checks={
            tuple(shown(text) for text in check.texts): check.expected
            for check in study.plan.attention_checks
        },
        scales={scale.id: scale for scale in study.plan.rated},
        understood=str(question.answer) if question is not None else "",
    )
