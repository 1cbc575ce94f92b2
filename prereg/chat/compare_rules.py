"""Checks what only a plan with conversations can get wrong in its second stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from prereg.chat.model import ChatPlan, Compare
from prereg.errors import RatifyError

# Names under which the lock keeps the prompts of the chat itself, beside those of judges.
_TAKEN = ("partner", "coach")


def faults_of_comparing(plan: ChatPlan) -> Iterator[RatifyError]:
    """Yield a fault for each part of judging and comparing that does not fit the chat.

    Parameters
    ----------
    plan : ChatPlan
    """
    for number, judge in enumerate(plan.judges):
        if judge.id in _TAKEN:
            yield RatifyError(
                "is what the lock calls a prompt of the chat itself",
                column=f"judges.{number}.id",
                value=judge.id,
                allowed="another id",
            )
    if plan.compare is not None:
        yield from _compare(plan, plan.compare)
        return
    for number, analysis in enumerate(plan.analyses):
        if analysis.answers and getattr(analysis, "of", "people") == "people":
            yield RatifyError(
                "reads what people choose, and nobody compares the conversations",
                column=f"analyses.{number}.kind",
                value=analysis.kind,
                allowed="with the key compare",
            )


def _compare(plan: ChatPlan, compare: Compare) -> Iterator[RatifyError]:
    """Refuse files outside of the folder, and a code that two stages share."""
    for name in ("consent", "instructions"):
        path = PurePosixPath(getattr(compare, name))
        if path.is_absolute() or ".." in path.parts:
            yield RatifyError(
                "must be a path inside the study folder",
                column=f"compare.{name}",
                value=str(path),
                allowed=f"such as compare/{name}.md",
            )
    of_chat = {code for code in plan.recruitment.codes.model_dump().values() if code is not None}
    for outcome, code in compare.recruitment.codes.model_dump().items():
        if code in of_chat:
            yield RatifyError(
                "is also a code of the conversations, so that a platform would mix them up",
                column=f"compare.recruitment.codes.{outcome}",
                value=code,
                allowed="another code",
            )
