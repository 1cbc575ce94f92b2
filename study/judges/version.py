"""Describe each judge for the lock, so that a locked study notices when a judge changes."""

from __future__ import annotations

from pathlib import Path

from prereg.errors import RatifyError
from prereg.plan.judging import BaselineJudge, LLMJudge
from prereg.plan.model import Plan
from study.judges import lexicon
from study.judges.prompts.chosen import prompts_of

# Raise a number by hand when that baseline's answers change; a test checks a digest of its answers.
# The source itself is not hashed, because a better comment must not stop a running study.
BASELINES = {"length": 1, "lexical": 1}


def judge_version(judge: BaselineJudge | LLMJudge, plan: Plan, folder: Path) -> str:
    """Return what the lock keeps about a judge: a baseline's version, or the digests of prompts.

    Raises
    ------
    RatifyError
        When a prompt is missing, or does not fit the plan.
    """
    if isinstance(judge, BaselineJudge):
        return f"baseline {judge.id}, version {BASELINES[judge.id]}"
    prompts = prompts_of(plan, judge, folder)
    used = [prompts.comparison] if prompts.comparison is not None else []
    return "llm, " + "; ".join(
        f"{prompt.name} {prompt.version} {prompt.digest}"
        for prompt in (*used, *prompts.rubrics, *prompts.wordings)
    )


def check_judge(judge: BaselineJudge | LLMJudge, plan: Plan) -> None:
    """Raise `RatifyError` unless a judge can answer what the plan asks.

    Raises
    ------
    RatifyError
        When there is no such baseline, or it does not know a scale or a dimension.
    """
    if isinstance(judge, BaselineJudge):
        check_baseline(judge.id, plan)


def check_baseline(name: str, plan: Plan) -> None:
    """Raise `RatifyError` unless a baseline of this name can answer what the plan asks."""
    if name not in BASELINES:
        raise RatifyError(
            "there is no such baseline",
            column="id",
            value=name,
            allowed=", ".join(sorted(BASELINES)),
        )
    for number, scale in enumerate(plan.rated):
        column = f"scales.{number}" if plan.measures is None else "measures.scale"
        if (scale.min, scale.max) != (lexicon.SCALE_MIN, lexicon.SCALE_MAX):
            raise RatifyError(
                f"baseline {name} rates from {lexicon.SCALE_MIN} to {lexicon.SCALE_MAX} only",
                column=column,
                value=f"{scale.min} to {scale.max}",
                allowed=f"{lexicon.SCALE_MIN} to {lexicon.SCALE_MAX}",
            )
        if scale.id not in lexicon.DIMENSIONS:
            raise RatifyError(
                f"baseline {name} has no rating for this dimension",
                column=column.partition(".")[0],
                value=scale.id,
                allowed=", ".join(lexicon.DIMENSIONS),
            )
