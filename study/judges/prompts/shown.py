"""Shows the prompts of a plan as they are sent, with stand-ins where the items' texts come."""

from __future__ import annotations

from pathlib import Path

from prereg.documents.material import ShownPrompt
from prereg.kinds.registry import kind_of
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan
from study.items import Item
from study.judges.prompts.chosen import prompts_of
from study.judges.prompts.files import packaged_prompts
from study.judges.prompts.prompt import Prompt
from study.judges.prompts.questions import ask


def shown_prompts(plan: Plan, folder: Path) -> list[ShownPrompt]:
    """Return every prompt of every judge that a model answers for.

    Raises
    ------
    RatifyError
        When a prompt is missing or does not fit the plan.
    """
    found = []
    for judge in plan.llms:
        prompts = prompts_of(plan, judge, folder)
        used = [("people's trials", prompts.comparison)] if prompts.comparison else []
        used += [(_scored(prompt), prompt) for prompt in prompts.rubrics]
        used += [("people's trials, in other words", prompt) for prompt in prompts.wordings]
        found += [_shown(plan, judge, use, prompt) for use, prompt in used]
    return found


def prompt_files(plan: Plan) -> list[str]:
    """Return the prompts that are files of the study folder."""
    named = [
        name
        for judge in plan.llms
        for name in (*judge.prompts, *(judge.habits.wordings if judge.habits else ()))
    ]
    return sorted(set(named) - set(packaged_prompts()))


def _scored(prompt: Prompt) -> str:
    return f"ratings on {', '.join(prompt.rubric)}"


def _shown(plan: Plan, judge: LLMJudge, use: str, prompt: Prompt) -> ShownPrompt:
    count = 1 if prompt.task == "rating" else kind_of(plan).shown(plan)
    items = [
        Item("", "", f"(the text of item {place})", "(the prompt of the items, if they have one)")
        for place in range(1, count + 1)
    ]
    system, user = ask(prompt, plan.design.question, items, tuple(prompt.rubric)).messages
    return ShownPrompt(
        judge.id,
        use,
        prompt.name,
        prompt.version,
        prompt.digest,
        system["content"],
        user["content"],
    )
