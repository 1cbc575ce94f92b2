"""Describe each judge for the lock, so that a locked study notices when a judge changes."""

from __future__ import annotations

from pathlib import Path

from prereg import files
from prereg.errors import RatifyError
from prereg.plan.judging import AnyJudge, BaselineJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge
from prereg.tables.chosen_sheet import file_and_sheet
from study.judges import lexicon
from study.judges.prompts.chosen import prompts_of

# Raise a number by hand when that baseline's answers change; a test checks a digest of its answers.
# The source itself is not hashed, because a better comment must not stop a running study.
BASELINES = {"length": 1, "lexical": 1}


def judge_version(judge: AnyJudge, plan: Plan, folder: Path) -> str:
    """Return what the lock keeps about a judge: a version, or digests of its prompts or tables.

    Raises
    ------
    RatifyError
        When a prompt or a table is missing, or a prompt does not fit the plan.
    """
    if isinstance(judge, BaselineJudge):
        return f"baseline {judge.id}, version {BASELINES[judge.id]}"
    if isinstance(judge, PanelJudge):
        return f"panel, {judge.rule} of {', '.join(judge.of)}"
    if isinstance(judge, TableJudge):
        return "table, " + "; ".join(f"{name} {_digest(folder / name)}" for name in judge.files)
    prompts = prompts_of(plan, judge, folder)
    used = [prompts.comparison] if prompts.comparison is not None else []
    return "llm, " + "; ".join(
        f"{prompt.name} {prompt.version} {prompt.digest}"
        for prompt in (*used, *prompts.rubrics, *prompts.wordings)
    )


def _digest(path: Path) -> str:
    """Return the SHA-256 of the file of a judge's table, byte by byte."""
    path, _ = file_and_sheet(path)
    try:
        return files.sha256(path.read_bytes())
    except FileNotFoundError as error:
        raise RatifyError(
            "no such file", file=path, allowed="the table of scores that the plan names"
        ) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def check_judge(judge: AnyJudge, plan: Plan) -> None:
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
        if scale.names:
            raise RatifyError(
                f"baseline {name} rates in points, and cannot give a label",
                column=f"{column}.labels",
                value=", ".join(scale.names),
                allowed="judges of kind llm or table; an analysis of labels compares them with "
                "the most frequent label",
            )
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
