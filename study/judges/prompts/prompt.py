"""Make the two messages of a request from a prompt and the items."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from study.items import Item
from study.judges.prompts.fences import RULE, code_for, fence

PromptTask = Literal["pairwise", "best_worst", "rating"]
Message = dict[str, str]

LETTERS = "ABCDEFGHIJKL"  # as many as the most texts on a page for people

#: `{name}` in a prompt's text, which code replaces.
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Dimension:
    """What one score measures.

    Attributes
    ----------
    title, definition : str
    min, max : int
    levels : mapping
        What each point of the scale means. A rubric defines every point; a plan's own scale may
        name only its ends.
    examples : mapping
        Worked examples by level, if there are any.
    """

    title: str
    definition: str
    min: int
    max: int
    levels: Mapping[int, str] = field(hash=False)
    examples: Mapping[int, str] = field(hash=False, default_factory=dict)

    @property
    def points(self) -> range:
        """Every score that can be given."""
        return range(self.min, self.max + 1)


@dataclass(frozen=True)
class Prompt:
    """A prompt, with everything in it that reaches the model.

    Attributes
    ----------
    name : str
        The name of a packaged prompt, or of the file in the study folder.
    task : {'pairwise', 'best_worst', 'rating'}
    version : int
    digest : str
        SHA-256 of what reaches the model; see `study.judges.prompts.questions.sealed`.
    system, user : str
        Templates.
    noun : str
        The word for a text, as in "Conversation A".
    shows_context : bool
        Whether the message that an item responds to (`Item.prompt`) is shown.
    rubric : mapping
        Dimensions by id; empty for comparisons.
    question : str
        The plan's question, if a rating asks the plan's own scale.
    ties : bool
        Whether its words allow an answer that chooses neither text.
    tie_answer : str
        The plan's words for that answer; empty until the prompt is one of a plan.
    """

    name: str
    task: PromptTask
    version: int
    digest: str
    system: str
    user: str
    noun: str = "text"
    shows_context: bool = True
    rubric: Mapping[str, Dimension] = field(hash=False, default_factory=dict)
    question: str = ""
    ties: bool = False
    tie_answer: str = ""


def compose(prompt: Prompt, parts: Mapping[str, str]) -> tuple[Message, ...]:
    """Return the system and the user message.

    Placeholders are filled in one pass, so that braces in the filled-in texts do not change.
    """
    user = PLACEHOLDER.sub(lambda found: parts.get(found[1], found[0]), prompt.user)
    return (
        {"role": "system", "content": f"{prompt.system}\n\n{RULE}"},
        {"role": "user", "content": user},
    )


def material(
    prompt: Prompt, names: Sequence[str], items: Sequence[Item], *, beside: Sequence[str]
) -> str:
    """Return the items between their marker lines, each under its name.

    What they respond to comes before them, between its own lines, once if it is the same for all.
    """
    contexts = [item.prompt.strip() and item.prompt for item in items]
    if not prompt.shows_context:
        contexts = [""] * len(items)
    code = code_for([*(item.text for item in items), *contexts], beside=beside)
    blocks = []
    shared = len(set(contexts)) == 1
    if shared and contexts[0]:
        about = "What was said before, for context only:"
        blocks.append(f"{about}\n{fence('context', contexts[0], code)}")
    for name, item, context in zip(names, items, contexts, strict=True):
        if context and not shared:
            about = f"What was said before {name}, for context only:"
            blocks.append(f"{about}\n{fence(f'context of {name}', context, code)}")
        blocks.append(fence(name, item.text, code))
    return "\n\n".join(blocks)


def scales(rubric: Mapping[str, Dimension], dimensions: Sequence[str]) -> str:
    """Return the named dimensions of a rubric as the model reads them."""
    return "\n\n".join(_scale(name, rubric[name]) for name in dimensions)


def _scale(name: str, dimension: Dimension) -> str:
    lines = [f'"{name}", from {dimension.min} to {dimension.max}: {dimension.title}']
    if dimension.definition:
        lines.append(dimension.definition)
    lines += [f"{level} = {text}" for level, text in sorted(dimension.levels.items())]
    if set(dimension.levels) != set(dimension.points):
        lines.append("The points without a label lie evenly between their neighbours.")
    if dimension.examples:
        lines.append("Worked examples:")
        lines += [f"Rated {level}: {text}" for level, text in sorted(dimension.examples.items())]
    return "\n".join(lines)
