"""The plan: every choice of a study, as pydantic models that refuse unknown keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.analyses.registry import Analysis
from prereg.plan.assumptions import Assumptions
from prereg.plan.causal import Causal
from prereg.plan.collection import AttentionCheck, Comprehension, Rated, Recruitment
from prereg.plan.data import Data
from prereg.plan.data_management import DataManagement
from prereg.plan.display import Display
from prereg.plan.judging import AnyJudge, BaselineJudge, JudgePlan, LLMJudge
from prereg.plan.label_scale import AnyScale
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.practice import Practice
from prereg.plan.reporting import Large
from prereg.plan.survey import MOST_QUESTIONS, Question
from prereg.strict import Identifier, Strict, Text, added

# The number of a place for the rater who replaces another: so much above the other's number. No
# sequence has more places than this by itself.
FURTHER_PLACES = 1_000


class Hypothesis(Strict):
    """What the researcher expects, in one sentence; `direction` is the sign of the effect."""

    id: Identifier
    text: Text
    direction: Literal["positive", "negative"] | None = added(None)


class Materials(Strict):
    """Files in the folder of the plan; all of them are hashed into the lock."""

    items: Text = "items.csv"
    consent: Text = "consent.md"
    instructions: Text = "instructions.md"

    @field_validator("items", "consent", "instructions")
    @classmethod
    def _inside_the_study(cls, name: str) -> str:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must be a path inside the study folder")
        return name


class Sample(Strict):
    """A stratified sample from a pool: `per_bin` items from each of `bins` quantile bins."""

    by: Text
    bins: int = Field(ge=1, le=100)
    per_bin: int = Field(ge=1)


class Design(Strict):
    """Who sees what: trials within one scenario, pre-generated sequences, balanced sides.

    `raters` is the number of people, `raters_per_sequence` how many of them answer the same
    sequence. A place is kept for `lease_minutes` after a rater's last sign of life, and before
    their first answer for `first_lease_minutes`, if that is less. With `ties: offered`, a pair has
    a third answer, called `tie_answer` or, without that, "No difference" in the plan's language.
    With `apart`, each rater of a rating plan is asked for one of its scales only. A judge's own
    ranking is of the items that the sequences use, or with `judges_rank: all` of all items.
    """

    question: Text
    raters: int = Field(ge=1, le=100_000)
    raters_per_sequence: int = Field(default=1, ge=1, le=FURTHER_PLACES)
    trials: int = Field(ge=1, le=1_000)
    options: int | None = Field(default=None, ge=3, le=12)
    ask_why: bool = False
    pairs_within: Literal["scenario"] = "scenario"
    sample: Sample | None = None
    side: Literal["balanced"] = "balanced"
    lease_minutes: float = Field(default=60, gt=0, le=7 * 24 * 60)
    first_lease_minutes: float = added(default=10, gt=0, le=7 * 24 * 60)
    min_reading_seconds: float | None = Field(default=None, gt=0, le=600)
    ties: Literal["offered", "refused"] = added("refused")
    tie_answer: Text | None = added(None, max_length=60)
    apart: bool = added(default=False)
    judges_rank: Literal["sampled", "all"] = added("sampled")

    @property
    def offers_ties(self) -> bool:
        """Whether a trial has a third answer: that neither text is chosen."""
        return self.ties == "offered"

    @model_validator(mode="after")
    def _tie_in_words(self) -> Self:
        if self.tie_answer is not None and not self.offers_ties:
            raise ValueError("tie_answer: the plan refuses ties, so nobody sees this answer")
        return self

    @model_validator(mode="after")
    def _whole_sequences(self) -> Self:
        if self.raters % self.raters_per_sequence:
            raise ValueError(
                f"raters ({self.raters}) must be a multiple of raters_per_sequence "
                f"({self.raters_per_sequence})"
            )
        return self

    def lease_seconds(self, answered: int) -> float:
        """Return how long a place is kept for a silent rater who has answered so many trials."""
        minutes = self.lease_minutes
        return 60 * (minutes if answered else min(minutes, self.first_lease_minutes))

    @property
    def sequences(self) -> int:
        """How many different sequences there are."""
        return self.raters // self.raters_per_sequence


class Exclusion(Strict):
    """One exclusion rule; the rules apply in the plan's order."""

    rule: Literal["incomplete_session", "failed_attention", "duplicate_sequence", "too_fast"]
    max_failed: int | None = Field(default=None, ge=0)
    min_median_ms: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _own_settings_only(self) -> Self:
        owner = {"max_failed": "failed_attention", "min_median_ms": "too_fast"}
        for setting, rule in owner.items():
            given = getattr(self, setting) is not None
            if given != (self.rule == rule):
                verb = "takes no" if given else "needs"
                raise ValueError(f"rule {self.rule} {verb} {setting}")
        return self


class Scale(Strict):
    """The two ends of a rating scale."""

    min: int
    max: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class Measures(Strict):
    """Dimensions of a rating: overall = sum of those that add - sum of those that subtract."""

    scale: Scale
    adds: tuple[Identifier, ...] = Field(min_length=1)
    subtracts: tuple[Identifier, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All dimensions, adding ones first."""
        return self.adds + self.subtracts

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.dimensions)) != len(self.dimensions):
            raise ValueError("adds and subtracts name a dimension more than once")
        return self


class Sensitivity(Strict):
    """The same analyses on everybody who answered anything, without exclusions.

    Errors are clustered by `cluster`, because people who are excluded may share a sequence.
    """

    on: Literal["everybody"] = "everybody"
    cluster: Literal["rater_id", "session_id", "sequence_id"] | None = None


class EloSettings(Strict):
    """How Elo points are computed from judgments, one after the other."""

    start: float = 1000.0
    k: float = Field(default=32.0, gt=0, le=4000)
    reorderings: int = Field(default=20, ge=0, le=1_000)


class RankingSettings(Strict):
    """How judgments become a ranking."""

    ridge: float = Field(default=0.02, ge=0)
    elo: EloSettings = EloSettings()


class Threshold(Strict):
    """One condition of the gate: a field of a registered quantity must be at least a value.

    `coverage` is the share of what it was asked that a judge must have answered, if the quantity is
    about a judge: a judge that refuses the hard questions must not pass by refusing.
    """

    analysis: Identifier
    quantity: Text
    field: Literal["estimate", "low"] = "low"
    at_least: float
    coverage: float = added(0.95, ge=0, le=1)


class Plan(Strict):
    """A preregistered study.

    Attributes
    ----------
    schema : 1
        The version of this form.
    id : str
        A short name: letters, digits, `_ . -`.
    title : str
        The title of the study.
    kind : str
        What a trial asks: pairwise, rating or best_worst.
    language : str
        Two letters: the language of the pages' own words.
    seed : int
        A whole number, from which every random draw follows.
    hypotheses : tuple of Hypothesis
        What is expected; analyses say which they serve.
    scales : tuple of AnyScale
        Rating: what people rate on.
    attention_checks : tuple of AttentionCheck
        Trials whose answers are known beforehand.
    practice : int or tuple of PracticeTrial
        Trials before the first that counts: a number, or texts of their own.
    survey : tuple of Question
        Questions after the last trial.
    exclusions : tuple of Exclusion
        Who is left out, in this order.
    judges : tuple of JudgePlan
        Baselines, LLMs, tables and panels that are compared with people.
    analyses : tuple of Analysis
        What is computed, each with every choice as a key.
    gate : tuple of Threshold
        The conditions under which the judge may be used.
    causal : Causal, optional
        Rating: the effect of one score on another, and which units people rate for it.
    """

    schema_version: Literal[1] = Field(alias="schema")
    id: Identifier
    title: Text
    kind: Identifier
    language: Text = "en"
    seed: int = Field(ge=0, lt=2**63)
    hypotheses: tuple[Hypothesis, ...] = ()
    materials: Materials = Materials()
    design: Design
    display: Display = added(Display())
    scales: tuple[AnyScale, ...] = ()
    comprehension: Comprehension | None = None
    practice: Practice = added(0)
    attention_checks: tuple[AttentionCheck, ...] = ()
    survey: tuple[Question, ...] = added((), max_length=MOST_QUESTIONS)
    recruitment: Recruitment
    exclusions: tuple[Exclusion, ...] = ()
    sensitivity: Sensitivity | None = None
    measures: Measures | None = None
    judges: tuple[JudgePlan, ...] = ()
    ranking: RankingSettings = RankingSettings()
    data: Data = added(Data())
    analyses: tuple[Analysis, ...] = ()
    gate: tuple[Threshold, ...] = ()
    large: Large = added(Large())
    assumptions: Assumptions = added(Assumptions())
    data_management: DataManagement = added(DataManagement())
    causal: Causal | None = added(None)

    @property
    def rated(self) -> tuple[Rated, ...]:
        """What judges score: the dimensions of the measures, or the scales that people rate on."""
        if self.measures is None:
            return tuple(Rated(s.id, s.min, s.max, s.names) for s in self.scales)
        ends = self.measures.scale
        return tuple(Rated(name, ends.min, ends.max) for name in self.measures.dimensions)

    @property
    def asked_at_once(self) -> int:
        """How many scales a rater answers on one page; 0 without scales."""
        return 1 if self.design.apart else len(self.scales)

    @property
    def raters_together(self) -> int:
        """How many raters it takes for one round of all scales: `raters` is a multiple of it."""
        scales = len(self.scales) if self.design.apart else 1
        return scales * self.design.raters_per_sequence

    def of_scale(self, name: str) -> Plan:
        """Return the plan as a rater meets it who is asked for one scale only.

        Parameters
        ----------
        name : str
            The id of a scale.

        Returns
        -------
        Plan
            With this scale alone, also in what the attention checks expect.
        """
        checks = tuple(
            check.model_copy(
                update={"expected": {k: v for k, v in check.expected.items() if k == name}}
            )
            for check in self.attention_checks
        )
        scales = tuple(scale for scale in self.scales if scale.id == name)
        return self.model_copy(update={"scales": scales, "attention_checks": checks})

    @property
    def replaced_above(self) -> int | None:
        """The failed attention checks above which a rater is replaced; None if nobody is."""
        if self.recruitment.replace is None:
            return None
        allowed = (x.max_failed for x in self.exclusions if x.rule == "failed_attention")
        return next(allowed, None)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The names of every scale that is answered with a name; empty without such scales."""
        return {scale.id: scale.names for scale in self.scales if scale.names}

    def judge(self, name: str) -> AnyJudge:
        """Return the judge with this id."""
        return next(j for j in self.judges if j.id == name)

    @property
    def llms(self) -> tuple[LLMJudge, ...]:
        """The judges that a model server answers for."""
        return tuple(judge for judge in self.judges if isinstance(judge, LLMJudge))

    @property
    def has_models(self) -> bool:
        """Whether any judge is more than a baseline, so that it could also refuse to answer."""
        return any(not isinstance(judge, BaselineJudge) for judge in self.judges)

    @property
    def panels(self) -> tuple[PanelJudge, ...]:
        """The judges that are made of other judges."""
        return tuple(judge for judge in self.judges if isinstance(judge, PanelJudge))

    @property
    def tables(self) -> list[str]:
        """The researcher's own tables that the analyses read."""
        return sorted({name for analysis in self.analyses for name in analysis.tables()})

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the lock hashes it: with all defaults, without absent parts.

        A part that a later version adds does not change the hash of a plan that does not use it.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
