"""`ratify judge --try`: shows a few requests of each LLM judge, and keeps nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from prereg.plan.judging import LLMJudge
    from study.folder import Study
    from study.judges.runs.trying import Tried


def try_judges(folder: Path, count: int, *, only: str | None = None) -> bool:
    """Try every LLM judge of a plan; return whether some reply of each could be read.

    Raises
    ------
    RatifyError
        When the plan has no such LLM judge, or what a request is made of is wrong.
    """
    from study.judges.runs.trying import opened_to_try

    study, notes = opened_to_try(folder)
    for note in notes:
        click.echo(note)
    judges = [judge for judge in study.plan.llms if only in {None, judge.id}]
    if not judges:
        raise RatifyError(
            "the plan has no such LLM judge" if only else "the plan has no LLM judge to try",
            file=folder / "plan.yaml",
            column="judges",
            value=only,
            allowed=", ".join(judge.id for judge in study.plan.llms) or "a judge of kind llm",
        )
    read = [_try(study, judge, count) for judge in judges]
    return all(read)


def _try(study: Study, judge: LLMJudge, count: int) -> bool:
    from study.judges.runs.trying import try_judge

    click.echo(f"judge {judge.id}: {judge.model} at {judge.base_url}")
    try:
        tried = try_judge(study, judge, count)
    except RatifyError as error:
        click.echo(f"judge {judge.id}: nothing could be read: {error}", err=True)
        return False
    for number, one in enumerate(tried, start=1):
        click.echo(_shown(judge, number, len(tried), one))
    read = sum(one.answers is not None for one in tried)
    costs = [one.cost for one in tried if one.cost is not None]
    money = f", {sum(costs):,.6f} {judge.prices.currency}" if costs and judge.prices else ""
    click.echo(
        f"judge {judge.id}: {read} of {len(tried)} replies could be read{money}; nothing was kept, "
        "and the plan's budget does not count this"
    )
    return read > 0


def _shown(judge: LLMJudge, number: int, count: int, one: Tried) -> str:
    """Return everything about one request, as the terminal shows it."""
    ids = ", ".join(item.item_id for item in one.wanted.items)
    lines = [f"\n--- request {number} of {count}: {one.wanted.prompt.name}, {ids}"]
    for message in one.messages:
        lines += [f"[{message['role']}]", message["content"]]
    lines.append("[reply]")
    if one.reply is None:
        lines.append("(none)")
    else:
        lines.append(one.reply.text or "(empty)")
    read = ", ".join(f"{name} = {value}" for name, value in (one.answers or {}).items())
    lines.append(f"read as: {read}" if read else f"NOT read: {one.trouble}")
    spent = [f"{one.seconds:.1f} s"]
    if one.reply is not None:
        tokens = (one.reply.input_tokens, one.reply.output_tokens)
        given, made = ("?" if count is None else f"{count:,}" for count in tokens)
        spent.insert(0, f"tokens: {given} in, {made} out")
        if one.reply.model and one.reply.model != judge.model:
            spent.append(f"answered by {one.reply.model}")
    if one.cost is not None and judge.prices is not None:
        spent.append(f"{one.cost:,.6f} {judge.prices.currency}")
    lines.append("; ".join(spent))
    return "\n".join(lines)
