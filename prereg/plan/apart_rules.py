"""Checks a plan whose scales are asked apart: each rater answers one of them."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.errors import RatifyError
from prereg.kinds.registry import KINDS, kind_of
from prereg.markdown import images, raw_html
from prereg.plan.collection import AttentionCheck
from prereg.plan.model import Plan


def faults_of_apart(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each part of a plan that does not fit scales asked apart.

    `column` of a fault is the dotted path of the field.
    """
    if not plan.design.apart:
        yield from _told_to_some(plan)
        return
    if "scales" not in kind_of(plan).needs:
        owners = [name for name, kind in KINDS.items() if "scales" in kind.needs]
        yield RatifyError(
            f"belongs to plans of kind {' or '.join(owners)}",
            column="design.apart",
            value="true",
            allowed=f"false in a plan of kind {plan.kind}",
        )
        return
    if len(plan.scales) < 2:
        yield RatifyError(
            "the plan has one scale, so nothing can be asked apart",
            column="design.apart",
            value="true",
            allowed="two scales or more, or false",
        )
        return
    yield from _uneven(plan)
    for number, check in enumerate(plan.attention_checks):
        yield from _unanswerable(plan, check, f"attention_checks.{number}.expected")
    yield from _not_words(plan)


def _told_to_some(plan: Plan) -> Iterator[RatifyError]:
    """Refuse instructions of one scale where every rater answers every scale."""
    for number, scale in enumerate(plan.scales):
        if scale.instructions is not None:
            yield RatifyError(
                "every rater answers every scale, so these instructions are for everybody",
                column=f"scales.{number}.instructions",
                allowed=f"the text in {plan.materials.instructions}, or design.apart: true",
            )


def _uneven(plan: Plan) -> Iterator[RatifyError]:
    """Refuse raters who cannot be split evenly between the scales."""
    one, scales = plan.design, len(plan.scales)
    each = plan.raters_together
    if one.raters % each:
        below = one.raters // each * each
        nearest = [str(count) for count in (below, below + each) if count]
        per = f" and {one.raters_per_sequence} answer each sequence" * (one.raters_per_sequence > 1)
        yield RatifyError(
            f"cannot be split evenly: each rater answers one of {scales} scales{per}",
            column="design.raters",
            value=one.raters,
            allowed=f"a multiple of {each}, such as {' or '.join(nearest)}",
        )


def _unanswerable(plan: Plan, check: AttentionCheck, where: str) -> Iterator[RatifyError]:
    """Refuse a check that says nothing of a scale: the raters of this scale could not fail it."""
    lacking = [scale.id for scale in plan.scales if scale.id not in check.expected]
    if lacking:
        yield RatifyError(
            f"has no right answer for the raters of {' and '.join(lacking)}, who see no other "
            "scale",
            column=where,
            value=", ".join(check.expected),
            allowed=f"an answer for each of {', '.join(scale.id for scale in plan.scales)}",
        )


def _not_words(plan: Plan) -> Iterator[RatifyError]:
    """Refuse instructions of a scale with a title, an image or raw HTML."""
    for number, scale in enumerate(plan.scales):
        text = scale.instructions or ""
        title = any(line.startswith("# ") for line in text.splitlines())
        found = [("a title", title), ("an image", images(text)), ("raw HTML", raw_html(text))]
        for what, there in found:
            if there:
                yield RatifyError(
                    f"holds {what}",
                    column=f"scales.{number}.instructions",
                    allowed="Markdown without titles (# ), images and HTML",
                )
