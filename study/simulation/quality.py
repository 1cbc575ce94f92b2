"""What simulated raters know of a study: how good its items are, and what its checks expect."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import pstdev

from study.bots import Known, Page, fingerprint
from study.folder import Study
from study.web.texts import Texts

# The column of the items table that holds a quality, in standard deviations.
QUALITY = "planted_quality"
# The columns that hold what people would agree on, in points: this and the id of a scale.
PLANTED = "planted_{scale}"


def known_quality(study: Study) -> dict[str, float] | None:
    """Return the quality of every item by its id, if the items have a column of it.

    Raises
    ------
    RatifyError
        When a cell of the column is not a number.
    """
    table = study.table
    if QUALITY not in table.columns:
        return None
    found: dict[str, float] = {}
    for row, record in enumerate(table.rows, start=2):
        number = table.number(row, QUALITY)
        if number is None:
            raise table.error(row, QUALITY, "is empty", allowed="a number")
        found[record["item_id"]] = float(number)
    return found


def planted_scores(study: Study) -> dict[str, dict[str, float]]:
    """Return what people would agree on, by scale and item, where the items have a column of it.

    In a causal plan whose items have none, it is what the judge said of the frame.

    Raises
    ------
    RatifyError
        When a cell of such a column is not a number.
    """
    table, found = study.table, {}
    causal = study.plan.causal
    said = {} if causal is None else {part.scale: part.score for part in causal.scores.values()}
    for scale in study.plan.scales:
        column = PLANTED.format(scale=scale.id)
        if column not in table.columns:
            column = said.get(scale.id, column)
        if column not in table.columns or scale.names:
            continue
        points = {}
        for row, record in enumerate(table.rows, start=2):
            number = table.number(row, column)
            if number is None:
                raise table.error(row, column, "is empty", allowed="a number of points")
            points[record["item_id"]] = float(number)
        found[scale.id] = points
    return found


def known_of(study: Study, quality: Mapping[str, float]) -> Known:
    """Return what simulated raters know of a study.

    Parameters
    ----------
    study : Study
    quality : mapping
        By item id. Of items that look alike on a page, the first counts.
    """
    texts = Texts(study.plan.display, study.images)

    def shown(text: str) -> str:
        page = Page()
        page.feed(f'<div data-conversation="A">{texts.item(text)}</div>')
        return fingerprint(page.conversations["A"])

    by_text: dict[str, float] = {}
    scores: dict[str, dict[str, float]] = {}
    planted = planted_scores(study)
    for name, item in study.items.items():
        text = shown(item.text)
        by_text.setdefault(text, quality[name])
        scores.setdefault(text, {scale: points[name] for scale, points in planted.items()})
    question = study.plan.comprehension
    return Known(
        quality=by_text,
        scores=scores if planted else {},
        spread={scale: pstdev(points.values()) for scale, points in planted.items()},
        checks={
            tuple(shown(text) for text in check.texts): check.expected
            for check in study.plan.attention_checks
        },
        scales={scale.id: scale for scale in study.plan.rated},
        understood=str(question.answer) if question is not None else "",
    )
