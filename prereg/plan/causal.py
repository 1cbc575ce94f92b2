"""The plan's `causal` section: an effect of one score on another, corrected by people's labels."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from prereg.plan.transport import checked_url
from prereg.strict import Identifier, Strict, Text

FRAME_KINDS = (".parquet", ".csv")
# What pydantic adds to the path of an error; no key of a plan has a space.
BY_NAME, ST_MODEL, SERVER = "a name", "a model of sentence-transformers", "a server"
ENCODER_FORMS = (BY_NAME, ST_MODEL, SERVER)
ARMS = ("control", "middle", "treated")
# The columns that the items table has beside those of the frame it is drawn from.
SAMPLE_COLUMNS = ("stratum", "sampled_for", "inclusion_probability")
# Shares of a whole may differ from 1 by what decimals lose.
_ROUNDING = 1e-6


def _inside(name: str) -> str:
    """Return a path, if it is one inside the study folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or PureWindowsPath(name).is_absolute() or ".." in path.parts:
        raise ValueError("must be a path inside the study folder")
    return name


class Treatment(Strict):
    """The score that is cut into treated and control.

    Attributes
    ----------
    scale : str
        The scale of the plan on which people rate it.
    score : str
        The frame's column with the judge's score.
    judge : str, optional
        The `rater_id` whose ratings `ratify sample --scores` takes; not needed where one judge
        rated the scale.
    treated, control : float
        Units with a score of at least `treated` are treated, those with at most `control` are the
        controls; what is between belongs to neither.
    """

    scale: Identifier
    score: Text
    judge: Text | None = None
    treated: float = 5
    control: float = 3

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.control >= self.treated:
            raise ValueError("control must be below treated: a unit cannot be both")
        return self

    def arm(self, score: float) -> str:
        """Return whether a score means treated, control or middle."""
        if score >= self.treated:
            return "treated"
        return "control" if score <= self.control else "middle"


class Outcome(Strict):
    """The score on which the effect is estimated; the keys are those of `treatment`."""

    scale: Identifier
    score: Text
    judge: Text | None = None


class SentenceTransformer(Strict):
    """An encoder of the library sentence-transformers, by the name of its model."""

    sentence_transformers: Text


class EmbeddingServer(Strict):
    """An encoder behind an OpenAI-compatible server: its address and the name of its model."""

    server: Annotated[str, Field(pattern=r"^https?://[^\s@?#]+$")]
    model: Text

    @field_validator("server")
    @classmethod
    def _whole(cls, url: str) -> str:
        return checked_url(url)


def encoder_name(encoder: Encoder) -> str:
    """Return the name by which the file of embeddings knows an encoder of a plan."""
    if isinstance(encoder, EmbeddingServer):
        return f"server:{encoder.model}"
    if isinstance(encoder, SentenceTransformer):
        return f"sentence_transformers:{encoder.sentence_transformers}"
    return encoder


def is_server(value: Any) -> bool:
    """Say whether an encoder of a plan is meant as a server."""
    return isinstance(value, EmbeddingServer) or (isinstance(value, dict) and "server" in value)


def _form(value: Any) -> str:
    if is_server(value):
        return SERVER
    return ST_MODEL if isinstance(value, dict | SentenceTransformer) else BY_NAME


Encoder = Annotated[
    Annotated[Literal["lexical", "use", "wordllama"], Tag(BY_NAME)]
    | Annotated[SentenceTransformer, Tag(ST_MODEL)]
    | Annotated[EmbeddingServer, Tag(SERVER)],
    Discriminator(_form),
]


class Confounders(Strict):
    """What the effect is adjusted for.

    Attributes
    ----------
    text : str
        The frame's column that is embedded.
    encoder : Encoder
        `lexical`, `use` or `wordllama`; a model of sentence-transformers; or a server.
    components : float or int
        The share of variance kept (below 1), or the number of components.
    columns : tuple of str
        Further columns of the frame: numbers as they are, words as indicators.
    user_buckets, time_bins : int
        Into how many groups users are hashed, and the local hours of a day are cut; 0 for none.
    unmeasured : tuple of str
        Confounders that nobody measured, for the graph.
    """

    text: Text = "prompt"
    encoder: Encoder = "lexical"
    components: float | int = 0.9
    columns: tuple[Text, ...] = ()
    user_buckets: int = Field(default=16, ge=0, le=1_024)
    time_bins: int = Field(default=4, ge=0, le=24)
    unmeasured: tuple[Text, ...] = ()

    @field_validator("components")
    @classmethod
    def _share_or_number(cls, given: float) -> float | int:
        if 0 < given < 1:
            return given
        if given == int(given) and 1 <= given <= 4_096:
            return int(given)
        raise ValueError("must be a share between 0 and 1, or a whole number from 1 to 4096")

    @field_validator("columns", "unmeasured")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _once(names)


class Shares(Strict):
    """How the stratified labels are shared out, by what the judge said of the treatment."""

    control: float = Field(default=0.25, ge=0, le=1)
    middle: float = Field(default=0.5, ge=0, le=1)
    treated: float = Field(default=0.25, ge=0, le=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(self.control + self.middle + self.treated - 1) > _ROUNDING:
            raise ValueError("control, middle and treated must add up to 1")
        return self

    def of(self, arm: str) -> float:
        """Return the share of an arm."""
        return {"control": self.control, "middle": self.middle, "treated": self.treated}[arm]


class LabelPlan(Strict):
    """Which units people rate, and what becomes of their ratings.

    Attributes
    ----------
    raters : int
        People who rate each score of a unit; the estimand depends on it.
    aggregate : {'mean', 'median'}
        What makes one score of their ratings.
    stratified, random : int
        Units drawn by strata, for the estimate; units drawn from all, for the gate.
    allocation : {'neyman', 'proportional'}
        Labels by the size of a stratum times its spread, or by its size alone.
    shares : Shares
        Without a pilot, `neyman` gives each arm this share, and within it goes by size.
    floor : int
        The fewest labels of a stratum.
    pilot : str, optional
        A table of people's ratings of some units, from which the spreads are estimated.
    """

    raters: int = Field(default=3, ge=1, le=100)
    aggregate: Literal["mean", "median"] = "mean"
    stratified: int = Field(default=400, ge=1, le=1_000_000)
    random: int = Field(default=100, ge=0, le=1_000_000)
    allocation: Literal["neyman", "proportional"] = "neyman"
    shares: Shares = Shares()
    floor: int = Field(default=5, ge=2, le=1_000)
    pilot: Text | None = None

    @field_validator("pilot")
    @classmethod
    def _inside_the_study(cls, name: str | None) -> str | None:
        return None if name is None else _inside(name)

    @model_validator(mode="after")
    def _read_by_neyman(self) -> Self:
        if self.pilot is not None and self.allocation != "neyman":
            raise ValueError(f"pilot: allocation {self.allocation} reads no pilot")
        return self


class CausalGate(Strict):
    """The thresholds of the gate's three rooms; docs/causal.md says what each is compared with."""

    human_alpha: float = Field(default=0.5, ge=-1, lt=1)
    epsilon: float = Field(default=0.1, ge=0, lt=1)
    non_inferiority: float = Field(default=0.15, gt=0, le=2)
    bias_margin: float = Field(default=0.5, gt=0)
    sensitivity: float = Field(default=0.4, ge=0, lt=1)
    predictive_value: float = Field(default=0.2, ge=0, lt=1)
    halo: float = Field(default=0.25, ge=0, le=1)
    margin: float = Field(default=0.45, gt=0)
    items: int = Field(default=100, ge=10, le=1_000_000)
    treated: int = Field(default=20, ge=2, le=1_000_000)
    level: float = Field(default=0.9, gt=0.5, lt=1)


class Matching(Strict):
    """Matching one to one on the cosine similarity of embeddings, of at least `caliper`."""

    methods: tuple[Literal["greedy", "optimal"], ...] = Field(
        default=("greedy", "optimal"), min_length=1
    )
    caliper: float = Field(default=0.2, ge=-1, le=1)

    @field_validator("methods")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _once(names)


class Estimators(Strict):
    """The nuisance models, the folds they are fitted in, and where propensities are trimmed."""

    nuisances: Literal["ridge", "forest"] = "ridge"
    folds: int = Field(default=5, ge=3, le=50)
    trim: float = Field(default=0.05, ge=0, lt=0.5)


class Causal(Strict):
    """The effect of one score on another, over the units of a frame.

    Attributes
    ----------
    frame : str
        The table of all units, a file of the study folder: CSV or Parquet.
    user : str
        The frame's column of users; the units of one user belong together.
    treatment : Treatment
    outcome : Outcome
    confounders : Confounders
    labels : LabelPlan
    sequential : bool
        Whether the study may be looked at while labels come in.
    gate : CausalGate
    matching : Matching
    estimators : Estimators
    placebo, negative_control : str, optional
        Columns of the frame: a treatment that cannot matter, an outcome that cannot be moved.
    """

    frame: Text
    user: Text = "user_id"
    treatment: Treatment
    outcome: Outcome
    confounders: Confounders = Confounders()
    labels: LabelPlan = LabelPlan()
    sequential: bool = False
    gate: CausalGate = CausalGate()
    matching: Matching = Matching()
    estimators: Estimators = Estimators()
    placebo: Text | None = None
    negative_control: Text | None = None

    @field_validator("frame")
    @classmethod
    def _a_table_of_the_study(cls, name: str) -> str:
        if not name.lower().endswith(FRAME_KINDS):
            raise ValueError(f"must be a table in CSV or Parquet: {' or '.join(FRAME_KINDS)}")
        return _inside(name)

    @property
    def scores(self) -> dict[str, Treatment | Outcome]:
        """The parts with a score, by their key of the plan."""
        return {"treatment": self.treatment, "outcome": self.outcome}

    @property
    def columns(self) -> dict[str, str]:
        """The frame's columns that the plan names, by dotted key below `causal`."""
        named = {
            "user": self.user,
            "treatment.score": self.treatment.score,
            "outcome.score": self.outcome.score,
            "confounders.text": self.confounders.text,
        }
        further = enumerate(self.confounders.columns)
        named |= {f"confounders.columns.{place}": name for place, name in further}
        for key in ("placebo", "negative_control"):
            if (name := getattr(self, key)) is not None:
                named[key] = name
        return named


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("must name each only once")
    return names
