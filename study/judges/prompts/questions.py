"""One request to a judge: what is sent, which answers are possible, how the reply is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from prereg.files import canonical_json, sha256
from prereg.tables.contract import TIE
from study.items import Item
from study.judges.prompts import letter_odds, replies
from study.judges.prompts.prompt import (
    LETTERS,
    Message,
    Prompt,
    PromptTask,
    compose,
    material,
    scales,
)

if TYPE_CHECKING:
    from study.tasks.base import Answers


@dataclass(frozen=True)
class Question:
    """A request to a chat server, without model and parameters.

    Attributes
    ----------
    prompt : Prompt
    messages : tuple of dict
        System and user, each with `role` and `content`.
    schema : mapping
        JSON schema of the answer, within what strict structured output allows.
    letters : tuple of str
        The letters of the texts, in order of place; empty if an item is rated.
    points : mapping
        The scores, or the labels, that can be given, by dimension; empty if texts are compared.
    """

    prompt: Prompt
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    letters: tuple[str, ...]
    points: Mapping[str, replies.Allowed]

    def read(self, text: str, *, thoughts: str = "", notes: list[str] | None = None) -> Answers:
        """Return the answers in a reply, in the form of the trial's task.

        Parameters
        ----------
        text : str
        thoughts : str
            What the judge thought, if the server sends it apart. Where the reply itself is empty,
            the answer may be at the end of it.
        notes : list of str, optional
            Takes a note on anything in the reply that was left out.

        Raises
        ------
        Unreadable
            When the reply has no clear answer.
        """
        if thoughts and replies.is_empty(text):
            return replies.read_end(thoughts, lambda part: self._read(part, notes))
        return self._read(text, notes)

    def _read(self, text: str, notes: list[str] | None) -> Answers:
        if self.prompt.task == "rating":
            return replies.read_ratings(text, self.points, notes=notes)
        noun = self.prompt.noun
        if self.prompt.task == "best_worst":
            return replies.read_best_worst(text, self.letters, noun=noun, notes=notes)
        return replies.read_choice(text, noun=noun, notes=notes, ties=self.prompt.ties)

    def p_left(self, tokens: letter_odds.Tokens) -> float | None:
        """Return the judge's own probability of A; see `letter_odds.p_left`."""
        return letter_odds.p_left(tokens, noun=self.prompt.noun, ties=self.prompt.ties)


def ask(
    prompt: Prompt, question: str, items: Sequence[Item], dimensions: Sequence[str] = ()
) -> Question:
    """Make the request of a prompt of any task: a comparison of items, or ratings of one item."""
    if prompt.task == "pairwise":
        return ask_pairwise(prompt, question, *items)
    if prompt.task == "best_worst":
        return ask_best_worst(prompt, question, items)
    return ask_rating(prompt, items[0], dimensions)


def ask_pairwise(prompt: Prompt, question: str, left: Item, right: Item) -> Question:
    """Ask for a choice between two items; A is the left one.

    Parameters
    ----------
    prompt : Prompt
        A prompt of task pairwise.
    question : str
        The plan's question, as people see it.
    left, right : Item

    Returns
    -------
    Question
        Its reply reads as {"choice": "left"} or {"choice": "right"}; {"choice": "tie"} too if the
        prompt offers ties.
    """
    _of_task(prompt, "pairwise")
    answer = (
        'Reply with one JSON object and nothing else, either {"choice": "A"} or {"choice": "B"}.'
    )
    if prompt.ties:
        answer = (
            'Reply with one JSON object and nothing else: {"choice": "A"}, {"choice": "B"} or '
            f'{{"choice": "tie"}}. The last stands for: {prompt.tie_answer or "no difference"}.'
        )
    return _ask_letters(prompt, question, [left, right], answer, ("choice",))


def ask_best_worst(prompt: Prompt, question: str, options: Sequence[Item]) -> Question:
    """Ask for the most and the least of several items.

    Returns
    -------
    Question
        Its reply reads as {"most": place, "least": place}, places from 1.
    """
    _of_task(prompt, "best_worst")
    letters = ", ".join(LETTERS[: len(options)])
    answer = (
        'Reply with one JSON object and nothing else. Its keys are exactly "most" and "least"; '
        f"each holds one of the letters {letters}, and not both the same."
    )
    return _ask_letters(prompt, question, options, answer, ("most", "least"))


def ask_rating(prompt: Prompt, item: Item, dimensions: Sequence[str]) -> Question:
    """Ask for an item's scores on some dimensions of one rubric.

    Returns
    -------
    Question
        Its reply reads as {dimension: score, ...}.
    """
    _of_task(prompt, "rating")
    unknown = [name for name in dimensions if name not in prompt.rubric]
    if unknown or not dimensions:
        raise ValueError(f"prompt {prompt.name} cannot be asked for {unknown or 'nothing'}")
    points = {name: prompt.rubric[name].points for name in dimensions}
    keys = ", ".join(f'"{name}" ({_said(p)})' for name, p in points.items())
    answer = f"Reply with one JSON object and nothing else. Its keys are exactly: {keys}."
    described = scales(prompt.rubric, dimensions)
    parts = {
        "question": prompt.question,
        "scales": described,
        "text": material(
            prompt, [prompt.noun], [item], beside=[prompt.user, prompt.question, described]
        ),
        "answer": answer,
    }
    schema = _object(
        {
            name: {"type": "integer" if isinstance(p, range) else "string", "enum": list(p)}
            for name, p in points.items()
        }
    )
    return Question(prompt, compose(prompt, parts), schema, (), points)


def _said(allowed: replies.Allowed) -> str:
    """Return which answers a dimension has, as the model reads it."""
    if isinstance(allowed, range):
        return f"a whole number from {allowed[0]} to {allowed[-1]}"
    return "one of " + ", ".join(f'"{name}"' for name in allowed)


def sealed(prompt: Prompt) -> Prompt:
    """Return a prompt with its digest.

    The digest covers the prompt's own words, and requests with stand-ins for the items, so that it
    also covers every word that Ratify adds. It does not cover the prompt's name.
    """
    content = {k: v for k, v in asdict(prompt).items() if k not in {"name", "digest"}}
    for dimension in content["rubric"].values():
        if not dimension["names"]:  # so that the digest of a prompt without labels stays
            del dimension["names"]
    if not prompt.ties:  # as before there were ties
        content = {k: v for k, v in content.items() if k not in {"ties", "tie_answer"}}
    questions = list(_stand_ins(prompt))
    asked = [[list(question.messages), dict(question.schema)] for question in questions]
    return replace(prompt, digest=sha256(canonical_json([_text_keys(content), asked])))


def _ask_letters(
    prompt: Prompt, question: str, options: Sequence[Item], answer: str, keys: Sequence[str]
) -> Question:
    if not 2 <= len(options) <= len(LETTERS):
        raise ValueError(f"{len(options)} texts cannot be lettered")
    letters = tuple(LETTERS[: len(options)])
    names = [f"{prompt.noun} {letter}" for letter in letters]
    texts = material(prompt, names, options, beside=[prompt.user, question])
    parts = {"question": question, "texts": texts, "answer": answer}
    allowed = [*letters, *[TIE] * prompt.ties]
    schema = _object({key: {"type": "string", "enum": allowed} for key in keys})
    return Question(prompt, compose(prompt, parts), schema, letters, {})


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _of_task(prompt: Prompt, task: PromptTask) -> None:
    if prompt.task != task:
        raise ValueError(f"prompt {prompt.name} is for {prompt.task}, not for {task}")


def _stand_ins(prompt: Prompt) -> list[Question]:
    """Return requests that hold every word a request of this prompt can hold."""
    contexts = (("", "", ""), ("context", "context", "context"), ("context 1", "context 2", ""))
    trials = [
        [Item("", "", f"text {place}", context) for place, context in enumerate(row)]
        for row in contexts
    ]
    if prompt.task == "rating" and not prompt.rubric:
        return []
    shown = 2 if prompt.task == "pairwise" else 3
    return [ask(prompt, "question", items[:shown], sorted(prompt.rubric)) for items in trials]


def _text_keys(content: Any) -> Any:
    """Return the same content with the keys of every mapping as text, for JSON."""
    if isinstance(content, Mapping):
        return {str(key): _text_keys(value) for key, value in content.items()}
    return content
