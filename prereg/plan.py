"""The plan: the one place where a choice is made, as pydantic models that refuse unknown keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from prereg.errors import RatifyError

PLAN_FILE = "plan.yaml"

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Score = Literal["elo", "overall"]


class Strict(BaseModel):
    """A part of the plan: unknown keys are refused, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Hypothesis(Strict):
    """What is expected, in one sentence."""

    id: Identifier
    text: Text


class Materials(Strict):
    """Files beside the plan; all of them are hashed into the lock."""

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
    """Who sees what: pairs within one scenario, pre-generated sequences, balanced sides."""

    question: Text
    raters: int = Field(ge=1, le=100_000)
    trials: int = Field(ge=1, le=1_000)
    pairs_within: Literal["scenario"] = "scenario"
    sample: Sample | None = None
    side: Literal["balanced"] = "balanced"
    completion_code: Text


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
            raise ValueError("a dimension stands twice among adds and subtracts")
        return self


class PairSampling(Strict):
    """Which pairs a judge is asked beyond the people's trials, to build its own Elo."""

    scheme: Literal["elo_neighbours", "random"]
    per_scenario: int = Field(ge=1)
    start: float = 1000.0
    k: float = Field(default=32.0, gt=0)


class JudgePlan(Strict):
    """One judge: an offline baseline by name."""

    id: Identifier
    kind: Literal["baseline"]
    pairs: PairSampling | None = None


class EloSettings(Strict):
    """How a sequential Elo is computed from judgments."""

    start: float = 1000.0
    k: float = Field(default=32.0, gt=0)
    reorderings: int = Field(default=20, ge=0, le=1_000)


class RankingSettings(Strict):
    """How judgments become a ranking."""

    ridge: float = Field(default=0.02, ge=0)
    elo: EloSettings = EloSettings()


class _Analysis(Strict):
    id: Identifier
    hypothesis: Identifier | None = None


class RankCorrelation(_Analysis):
    """Spearman between people's Bradley-Terry scores and another score of the same items."""

    kind: Literal["rank_correlation"]
    judge: Identifier | None = None
    score: Score | None = None
    column: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.judge is None) == (self.column is None):
            raise ValueError("give either judge and score, or column (of the items table)")
        if (self.judge is None) != (self.score is None):
            raise ValueError("judge and score go together (score: elo or overall)")
        return self


class Logit(_Analysis):
    """A registered logit over people's trials, errors clustered."""

    kind: Literal["logit"]
    judge: Identifier
    formula: Text
    cluster: Literal["rater_id", "session_id", "sequence_id"]
    term: Text

    @field_validator("formula")
    @classmethod
    def _known_outcome(cls, formula: str) -> str:
        outcome = formula.partition("~")[0].strip()
        if outcome not in {"select_higher", "select_match"} or "~" not in formula:
            raise ValueError("must read 'select_higher ~ ...' or 'select_match ~ ...'")
        return formula


class SelectionByGap(_Analysis):
    """How often people choose the higher-scored side, by size of the judge's gap."""

    kind: Literal["selection_by_gap"]
    judge: Identifier
    bins: tuple[tuple[float, float], ...] = Field(min_length=1)

    @field_validator("bins")
    @classmethod
    def _rising(cls, bins: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        edges = [edge for pair in bins for edge in pair]
        if any(low > high for low, high in bins) or edges != sorted(edges):
            raise ValueError("bins must be [low, high] pairs that rise and do not overlap")
        return bins


class ChoiceAgreement(_Analysis):
    """How often a judge chooses what people choose on the very same trials."""

    kind: Literal["choice_agreement"]
    judges: tuple[Identifier, ...] = Field(min_length=1)


Analysis = Annotated[
    RankCorrelation | Logit | SelectionByGap | ChoiceAgreement, Field(discriminator="kind")
]


class Threshold(Strict):
    """One condition of the gate: a field of a registered quantity must be at least a value."""

    analysis: Identifier
    quantity: Text
    field: Literal["estimate", "low"] = "low"
    at_least: float


class Plan(Strict):
    """A preregistered study."""

    schema_version: Literal[1] = Field(alias="schema")
    id: Identifier
    title: Text
    kind: Literal["pairwise"]
    seed: int = Field(ge=0, lt=2**63)
    hypotheses: tuple[Hypothesis, ...] = ()
    materials: Materials = Materials()
    design: Design
    exclusions: tuple[Exclusion, ...] = ()
    measures: Measures
    judges: tuple[JudgePlan, ...] = ()
    ranking: RankingSettings = RankingSettings()
    analyses: tuple[Analysis, ...] = ()
    gate: tuple[Threshold, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique_and_known(self) -> Self:
        for what in ("hypotheses", "judges", "analyses"):
            names = [part.id for part in getattr(self, what)]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{what}: the id '{name}' stands twice")
        hypotheses = {h.id for h in self.hypotheses}
        analyses = {a.id for a in self.analyses}
        judges = {j.id: j for j in self.judges}
        for analysis in self.analyses:
            where = f"analyses.{analysis.id}"
            if analysis.hypothesis is not None:
                _known(where, "hypothesis", analysis.hypothesis, hypotheses)
            for judge in _judges_of(analysis):
                _known(where, "judge", judge, set(judges))
                if _needs_elo(analysis) and judges[judge].pairs is None:
                    raise ValueError(f"{where}: judge '{judge}' has no pairs, so it has no Elo")
        for threshold in self.gate:
            _known("gate", "analysis", threshold.analysis, analyses)
        return self

    def judge(self, name: str) -> JudgePlan:
        """Return the judge of this id."""
        return next(j for j in self.judges if j.id == name)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the lock hashes it: every default written out."""
        return self.model_dump(mode="json", by_alias=True)


def _judges_of(analysis: Analysis) -> tuple[str, ...]:
    if isinstance(analysis, ChoiceAgreement):
        return analysis.judges
    return () if analysis.judge is None else (analysis.judge,)


def _needs_elo(analysis: Analysis) -> bool:
    if isinstance(analysis, RankCorrelation):
        return analysis.score == "elo"
    return isinstance(analysis, Logit) and analysis.formula.startswith("select_match")


def _known(where: str, what: str, name: str, allowed: set[str]) -> None:
    if name not in allowed:
        names = ", ".join(sorted(allowed)) or "none is defined"
        raise ValueError(f"{where}: there is no {what} '{name}' (allowed: {names})")


def parse_plan(text: str, *, file: Path | str) -> Plan:
    """Check a plan's YAML.

    Parameters
    ----------
    text : str
        YAML.
    file : path
        Named in errors.

    Raises
    ------
    RatifyError
        At the first fault: the field's path, the bad value, what is allowed.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise RatifyError(f"is not YAML{line}: {problem}", file=file) from error
    if not isinstance(content, dict):
        raise RatifyError("is not a plan", file=file, allowed="a mapping of the plan's keys")
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise _first_fault(error, content, file) from error


def load_plan(path: Path | str) -> Plan:
    """Read and check a plan.

    Parameters
    ----------
    path : path
        A `plan.yaml`, or the study folder that holds one.

    Raises
    ------
    RatifyError
        When the file is missing, is not YAML, or breaks a rule of the plan.
    """
    path = Path(path)
    if path.is_dir():
        path = path / PLAN_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RatifyError(
            "no such plan", file=path, allowed="a study folder; `ratify new DIR` makes one"
        ) from error
    except UnicodeDecodeError as error:
        raise RatifyError("is not text in UTF-8", file=path) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error
    return parse_plan(text, file=path)


_TAGS = {"rank_correlation", "logit", "selection_by_gap", "choice_agreement"}


def _first_fault(error: ValidationError, content: Any, file: Path | str) -> RatifyError:
    """Return the first fault of a plan as one line."""
    faults = error.errors(include_url=False)
    # a misspelt key also leaves its field missing: the spelling is what the reader can mend
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    # pydantic puts the discriminator's tag into the path; the reader's file has no such key
    where = tuple(part for part in fault["loc"] if part not in _TAGS)
    field = ".".join(str(part) for part in where) or "plan"
    if fault["type"] == "extra_forbidden":
        keys = ", ".join(_keys_at(content, where[:-1]))
        return RatifyError("unknown key", file=file, column=field, allowed=keys or "no such key")
    if fault["type"] == "missing":
        return RatifyError("is missing", file=file, column=field, allowed="a value")
    allowed = str(fault.get("ctx", {}).get("expected") or "") or None
    problem = fault["msg"].removeprefix("Value error, ")
    value = fault["input"] if not isinstance(fault["input"], dict | list | tuple) else None
    return RatifyError(problem, file=file, column=field, value=value, allowed=allowed)


def _keys_at(content: Any, where: tuple[int | str, ...]) -> list[str]:
    """Return the keys the model at this path of the plan knows."""
    model: Any = Plan
    value = content
    for part in where:
        value = value[part]
        if isinstance(part, int):
            continue
        model = _model_of(model, part)
    if model is _Analysis and isinstance(value, dict):
        kinds = {m.model_fields["kind"].annotation.__args__[0]: m for m in _ANALYSES}
        model = kinds.get(value.get("kind"), _Analysis)
    return [f.alias or name for name, f in model.model_fields.items()]


_ANALYSES: tuple[Any, ...] = (RankCorrelation, Logit, SelectionByGap, ChoiceAgreement)
_LISTS: dict[str, Any] = {
    "hypotheses": Hypothesis,
    "exclusions": Exclusion,
    "judges": JudgePlan,
    "analyses": _Analysis,
    "gate": Threshold,
    "sample": Sample,
    "pairs": PairSampling,
}


def _model_of(model: Any, part: str) -> Any:
    """Return the model behind one field of a model."""
    if part in _LISTS:
        return _LISTS[part]
    return model.model_fields[part].annotation
