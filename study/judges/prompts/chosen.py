"""Choose the prompts by which a judge answers a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.collection import RatingScale
from prereg.plan.file import PLAN_FILE
from prereg.plan.judging import LLMJudge
from prereg.plan.label_scale import LabelScale
from prereg.plan.model import Plan
from study.judges.prompts.files import load_prompt, packaged_prompts
from study.judges.prompts.prompt import Dimension, Prompt
from study.judges.prompts.questions import (
    Question,
    ask_best_worst,
    ask_pairwise,
    ask_rating,
    sealed,
)
from study.judges.prompts.replies import Unreadable
from study.language import no_difference

__all__ = [
    "Dimension",
    "JudgePrompts",
    "Prompt",
    "Question",
    "Unreadable",
    "ask_best_worst",
    "ask_pairwise",
    "ask_rating",
    "load_prompt",
    "packaged_prompts",
    "prompts_of",
]

#: The prompt that asks the plan's own scales in the plan's words.
PLAN_SCALE = "plan_scale"
#: The same for scales of labels.
PLAN_LABELS = "plan_labels"


@dataclass(frozen=True)
class JudgePrompts:
    """The prompts of one judge.

    Attributes
    ----------
    comparison : Prompt or None
        The prompt of the plan's task; None if the plan rates.
    rubrics : tuple of Prompt
        One request each. Their `rubric` holds only the plan's dimensions, in the plan's order;
        one of them where scales are asked apart.
    wordings : tuple of Prompt
        Prompts that ask the same as `comparison` in other words.
    """

    comparison: Prompt | None
    rubrics: tuple[Prompt, ...]
    wordings: tuple[Prompt, ...]

    def __iter__(self) -> Iterator[Prompt]:
        if self.comparison is not None:
            yield self.comparison
        yield from self.rubrics
        yield from self.wordings


@dataclass(frozen=True)
class _Wanted:
    """A dimension that the plan wants scored."""

    column: str
    ends: tuple[int, int]
    ends_column: str
    scale: RatingScale | LabelScale | None = None

    @property
    def in_plan_words(self) -> str:
        """The packaged prompt that asks this dimension in the plan's words."""
        return PLAN_LABELS if isinstance(self.scale, LabelScale) else PLAN_SCALE


def prompts_of(plan: Plan, judge: LLMJudge, folder: Path) -> JudgePrompts:
    """Return the prompts by which a judge answers a plan.

    If the judge names a comparison or rubrics, those are used, otherwise the ones that come with
    Ratify. A scale that no packaged rubric knows is asked in the plan's own words.

    Raises
    ------
    RatifyError
        When a prompt is missing or wrong, is for another task, has another scale than the plan,
        asks nothing that the plan wants, or when no prompt asks for a dimension.
    """
    return _Choice(plan, judge, Path(folder)).prompts()


class _Choice:
    """Chooses a judge's prompts, with errors that name the key of the plan."""

    def __init__(self, plan: Plan, judge: LLMJudge, folder: Path) -> None:
        self.plan, self.kind = plan, kind_of(plan)
        self.judge = judge
        self.folder = folder
        ids = [other.id for other in plan.judges]
        self.place = f"judges.{ids.index(judge.id)}" if judge.id in ids else "judge"

    def prompts(self) -> JudgePrompts:
        named = self.named(self.judge.prompts, "prompts")
        comparison = self.comparison(named)
        rubrics = self.rubrics([prompt for prompt in named if prompt.task == "rating"])
        return JudgePrompts(comparison, rubrics, self.wordings(comparison))

    def error(
        self, problem: str, column: str, *, value: object = None, allowed: str | None = None
    ) -> RatifyError:
        return RatifyError(
            problem, file=self.folder / PLAN_FILE, column=column, value=value, allowed=allowed
        )

    def named(self, names: Sequence[str], key: str) -> list[Prompt]:
        """Load the prompts that the plan names; refuse a name that occurs more than once."""
        found: list[Prompt] = []
        for number, name in enumerate(names):
            column = f"{self.place}.{key}.{number}"
            if name in names[:number]:
                raise self.error(
                    "this prompt is named more than once", column, value=name, allowed="once"
                )
            try:
                found.append(load_prompt(name, self.folder))
            except RatifyError as error:
                if error.file is not None:
                    raise
                raise self.error(
                    error.problem, column, value=error.value, allowed=error.allowed
                ) from error
        return found

    def comparison(self, named: Sequence[Prompt]) -> Prompt | None:
        first: Prompt | None = None
        for number, prompt in enumerate(named):
            if prompt.task == "rating":
                continue
            column = f"{self.place}.prompts.{number}"
            self.refuse_other_task(prompt, column)
            if first is not None:
                raise self.error(
                    "a judge can have only one prompt for comparisons",
                    column,
                    value=prompt.name,
                    allowed=f"{first.name} alone; other words belong under habits.wordings",
                )
            first = self.with_ties(prompt, column)
        if first is None and self.kind.compares:
            ties = "_ties" if self.plan.design.offers_ties else ""
            return self.with_ties(load_prompt(self.kind.prompts + ties, self.folder), self.place)
        return first

    def with_ties(self, prompt: Prompt, column: str) -> Prompt:
        """Return a prompt with the plan's words for a tie; refuse one that does not fit the plan.

        A prompt whose words demand a choice would get other answers than people give, who have a
        third button.
        """
        offered = self.plan.design.offers_ties
        if prompt.ties != offered:
            verb, other = ("demands a choice", "offered") if offered else ("offers ties", "refused")
            mine = f"a prompt with `ties: {other}`"
            raise self.error(
                f"this prompt {verb}, but the plan's design.ties is {other}",
                column,
                value=prompt.name,
                allowed=f"pairwise_ties, or {mine}" if offered else f"pairwise, or {mine}",
            )
        if not offered:
            return prompt
        words = self.plan.design.tie_answer or no_difference(self.plan.language)
        return sealed(replace(prompt, tie_answer=words))

    def refuse_other_task(self, prompt: Prompt, column: str) -> None:
        if prompt.task != self.kind.prompts:
            raise self.error(
                f"is a prompt of task {prompt.task}",
                column,
                value=prompt.name,
                allowed=f"{self.kind.prompts} prompts",
            )

    def wordings(self, comparison: Prompt | None) -> tuple[Prompt, ...]:
        habits = self.judge.habits
        found = self.named(habits.wordings, "habits.wordings") if habits else []
        for number, prompt in enumerate(found):
            column = f"{self.place}.habits.wordings.{number}"
            if comparison is None:
                raise self.error(
                    f"a plan of kind {self.plan.kind} compares nothing",
                    column,
                    value=prompt.name,
                    allowed="no wordings",
                )
            self.refuse_other_task(prompt, column)
            prompt = found[number] = self.with_ties(prompt, column)
            if prompt.digest == comparison.digest:
                raise self.error(
                    "is the prompt that the judge is asked anyway",
                    column,
                    value=prompt.name,
                    allowed="a prompt in other words",
                )
        return tuple(found)

    def rubrics(self, named: Sequence[Prompt]) -> tuple[Prompt, ...]:
        """Return the rubrics, each with only the dimensions that the plan wants from it."""
        wanted = self.wanted()
        asked: dict[str, Prompt] = {}
        for name, dimension in wanted.items():
            if named:
                asked[name] = self.by_named(name, dimension, named)
            else:
                asked[name] = self.by_packaged(name, dimension)
        for prompt in named:
            if not any(prompt.name in {p.name, p.name.partition(":")[0]} for p in asked.values()):
                where = list(self.judge.prompts).index(prompt.name)
                raise self.error(
                    "asks nothing that the plan wants",
                    f"{self.place}.prompts.{where}",
                    value=prompt.name,
                    allowed=", ".join(wanted) or "no rating prompt",
                )
        together: dict[str, list[str]] = {}
        for name, prompt in asked.items():
            # what people are asked apart, a judge is asked in a request of its own
            key = name if self.plan.design.apart else prompt.name
            together.setdefault(key, []).append(name)
        return tuple(
            replace(asked[names[0]], rubric={name: asked[name].rubric[name] for name in names})
            for names in together.values()
        )

    def wanted(self) -> Mapping[str, _Wanted]:
        measures = self.plan.measures
        if measures is not None:
            ends = (measures.scale.min, measures.scale.max)
            columns = [f"measures.adds.{n}" for n in range(len(measures.adds))]
            columns += [f"measures.subtracts.{n}" for n in range(len(measures.subtracts))]
            return {
                name: _Wanted(column, ends, "measures.scale")
                for name, column in zip(measures.dimensions, columns, strict=True)
            }
        return {
            scale.id: _Wanted(f"scales.{n}.id", (scale.min, scale.max), f"scales.{n}", scale)
            for n, scale in enumerate(self.plan.scales)
        }

    def by_packaged(self, name: str, wanted: _Wanted) -> Prompt:
        """Return the packaged rubric with a dimension on this scale, or one in the plan's words."""
        every = [load_prompt(known, self.folder) for known in packaged_prompts()]
        known = next((prompt for prompt in every if name in prompt.rubric), None)
        if isinstance(wanted.scale, LabelScale):
            known = None  # a rubric has points
        if wanted.scale is not None and (known is None or _ends(known, name) != wanted.ends):
            words = load_prompt(wanted.in_plan_words, self.folder)
            return _of_scale(words, wanted.scale, self.plan)
        if known is None:
            dimensions = sorted(dimension for prompt in every for dimension in prompt.rubric)
            raise self.error(
                f"no prompt of judge '{self.judge.id}' asks for this dimension",
                wanted.column,
                value=name,
                allowed=", ".join(dimensions) + ", or a rubric of your own in prompts",
            )
        self.refuse_other_ends(known, name, wanted)
        return known

    def by_named(self, name: str, wanted: _Wanted, named: Sequence[Prompt]) -> Prompt:
        """Return the one prompt that asks for a dimension, among those that the judge names."""
        known = [prompt for prompt in named if name in prompt.rubric]
        if len(known) > 1:
            raise self.error(
                f"two prompts of judge '{self.judge.id}' ask for this dimension",
                wanted.column,
                value=name,
                allowed=f"{known[0].name} or {known[1].name}",
            )
        if known:
            if isinstance(wanted.scale, LabelScale):
                raise self.error(
                    f"prompt {known[0].name} rates {name} in points, but the plan has labels",
                    wanted.ends_column,
                    value=name,
                    allowed=f"{PLAN_LABELS}, or a rating prompt without dimensions",
                )
            self.refuse_other_ends(known[0], name, wanted)
            return known[0]
        in_plan_words = [prompt for prompt in named if not prompt.rubric]
        if in_plan_words and wanted.scale is not None:
            return _of_scale(in_plan_words[0], wanted.scale, self.plan)
        also = f", or {wanted.in_plan_words}" if wanted.scale is not None else ""
        raise self.error(
            f"no prompt of judge '{self.judge.id}' asks for this dimension",
            wanted.column,
            value=name,
            allowed=f"one more rubric in its prompts{also}, or no rubric at all there",
        )

    def refuse_other_ends(self, prompt: Prompt, name: str, wanted: _Wanted) -> None:
        low, high = _ends(prompt, name)
        if (low, high) != wanted.ends:
            raise self.error(
                f"prompt {prompt.name} rates {name} on another scale",
                wanted.ends_column,
                value=f"{wanted.ends[0]} to {wanted.ends[1]}",
                allowed=f"{low} to {high}",
            )


def _ends(prompt: Prompt, name: str) -> tuple[int, int]:
    return prompt.rubric[name].min, prompt.rubric[name].max


def _of_scale(prompt: Prompt, scale: RatingScale | LabelScale, plan: Plan) -> Prompt:
    """Return a rubric that asks one of the plan's scales as its page does."""
    if isinstance(scale, LabelScale):
        texts = {n: label.text for n, label in enumerate(scale.labels) if label.text}
        dimension = Dimension(scale.question, "", scale.min, scale.max, texts, names=scale.names)
    else:
        dimension = Dimension(scale.question, "", scale.min, scale.max, dict(scale.labels))
    return sealed(
        replace(
            prompt,
            name=f"{prompt.name}:{scale.id}",
            question=plan.design.question,
            rubric={scale.id: dimension},
        )
    )
