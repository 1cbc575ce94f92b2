"""The plan of kind `chat`: people talk with a partner, are coached, and are compared afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from prereg.analyses.registry import Analysis
from prereg.chat.assumptions import Supporters
from prereg.chat.conversation import Conversation
from prereg.chat.design import COACH, ChatDesign, Scenario
from prereg.chat.exclusions import ChatExclusion
from prereg.chat.partner import ChatBudget, Feedback, Partner, Safety, Server
from prereg.chat.surveys import Surveys
from prereg.plan.assumptions import Assumptions
from prereg.plan.collection import AttentionCheck, Codes, Comprehension, Recruitment
from prereg.plan.data import Data
from prereg.plan.data_management import DataManagement
from prereg.plan.display import Display
from prereg.plan.judging import JudgePlan, LLMJudge
from prereg.plan.model import (
    Exclusion,
    Hypothesis,
    Measures,
    RankingSettings,
    Sample,
    Sensitivity,
    Threshold,
)
from prereg.plan.practice import Practice
from prereg.plan.survey import MOST_QUESTIONS, Question
from prereg.plan.transport import TRANSPORT
from prereg.strict import Identifier, Strict, Text


class ChatMaterials(Strict):
    """Files of the study folder that participants read; all are hashed into the lock."""

    consent: Text = "consent.md"
    instructions: Text = "instructions.md"

    @field_validator("consent", "instructions")
    @classmethod
    def _inside_the_study(cls, name: str) -> str:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must be a path inside the study folder")
        return name


class ChatCodes(Codes):
    """Completion codes; a participant whose partner failed, or who stopped, is paid, too."""

    partner_failure: Text | None = None
    stopped: Text | None = None


class ChatRecruitment(Recruitment):
    """Where participants come from, and the codes that they take back."""

    codes: ChatCodes


class Compare(Strict):
    """The second stage: people who took no part compare the conversations, blind, in pairs.

    Its keys mean what they mean in a plan of kind pairwise. `consent` and `instructions` are files
    of the study folder. `sample` is drawn from the finished conversations.
    """

    question: Text
    raters: int = Field(ge=1, le=100_000)
    raters_per_sequence: int = Field(default=1, ge=1)
    trials: int = Field(ge=1, le=1_000)
    sample: Sample | None = None
    ties: Literal["offered", "refused"] = "refused"
    tie_answer: Text | None = None
    min_reading_seconds: float | None = Field(default=None, gt=0, le=600)
    lease_minutes: float = Field(default=60, gt=0, le=7 * 24 * 60)
    consent: Text = "compare/consent.md"
    instructions: Text = "compare/instructions.md"
    display: Display = Display()
    comprehension: Comprehension | None = None
    practice: Practice = 0
    attention_checks: tuple[AttentionCheck, ...] = ()
    survey: tuple[Question, ...] = Field(default=(), max_length=MOST_QUESTIONS)
    recruitment: Recruitment
    exclusions: tuple[Exclusion, ...] = ()
    sensitivity: Sensitivity | None = None


class ChatPlan(Strict):
    """A preregistered trial of conversations.

    Attributes
    ----------
    schema : 1
        The version of this form.
    id, title : str
    kind : 'chat'
    language : str
        Two letters: the language of the pages' own words.
    seed : int
        A whole number, from which every random draw follows.
    design : ChatDesign
        Who talks how often, under which condition, and about what.
    conversation : Conversation
        The clock, the limits, and what is recorded of typing.
    scenarios : tuple of Scenario
    servers : dict of Server
        The model servers, by the name that partner, coach and safety use.
    partner : Partner
    feedback : Feedback
        What comes between conversations.
    surveys : Surveys
    safety : Safety
    budget : ChatBudget
    exclusions : tuple of ChatExclusion
        Which participants are left out, in this order.
    measures, judges, ranking
        How the conversations are scored and ranked, as in a plan of kind pairwise.
    compare : Compare, optional
        The second stage.
    analyses, gate
        What is computed; tables of the first stage are called conversations, participants, surveys.
    simulated : Supporters
        What a simulation assumes about participants; `assumptions` has the second stage's.
    """

    schema_version: Literal[1] = Field(alias="schema")
    id: Identifier
    title: Text
    kind: Literal["chat"]
    language: Text = "en"
    seed: int = Field(ge=0, lt=2**63)
    hypotheses: tuple[Hypothesis, ...] = ()
    materials: ChatMaterials = ChatMaterials()
    design: ChatDesign
    conversation: Conversation = Conversation()
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    servers: dict[Identifier, Server] = Field(default_factory=dict)
    partner: Partner
    feedback: Feedback = Feedback()
    surveys: Surveys = Surveys()
    safety: Safety = Safety()
    budget: ChatBudget = ChatBudget()
    recruitment: ChatRecruitment
    exclusions: tuple[ChatExclusion, ...] = ()
    measures: Measures | None = None
    judges: tuple[JudgePlan, ...] = ()
    ranking: RankingSettings = RankingSettings()
    compare: Compare | None = None
    data: Data = Data()
    analyses: tuple[Analysis, ...] = ()
    gate: tuple[Threshold, ...] = ()
    assumptions: Assumptions = Assumptions()
    simulated: Supporters = Supporters()
    data_management: DataManagement = DataManagement()

    def scenario(self, name: str) -> Scenario:
        """Return the scenario with this id."""
        return next(scenario for scenario in self.scenarios if scenario.id == name)

    def has_coach(self, condition: str) -> bool:
        """Say whether a condition has the coach."""
        return COACH in self.design.conditions[condition]

    @property
    def llms(self) -> tuple[LLMJudge, ...]:
        """The judges that a model server answers for."""
        return tuple(judge for judge in self.judges if isinstance(judge, LLMJudge))

    @property
    def has_models(self) -> bool:
        """Whether a server is asked, by partner, coach, screens or a judge."""
        return bool(self.servers) or any(j.kind != "baseline" for j in self.judges)

    def used_servers(self) -> dict[str, Server]:
        """Return the servers that partner, coach or safety name, by their names."""
        speakers = (self.partner, self.feedback.coach, self.safety)
        named = dict.fromkeys(one.server for one in speakers if one is not None)
        return {name: self.servers[name] for name in named if name in self.servers}

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the lock hashes it: with all defaults, without absent parts.

        How servers are reached and what the chats may cost is left out: it may change after the
        lock, because no word of a conversation does (`prereg.transport_log` keeps the changes). The
        calls of a participant stay, because they limit how much is said.
        """
        whole = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        whole["budget"].pop("money", None)
        for server in whole["servers"].values():
            for key in TRANSPORT:
                server.pop(key, None)
        return whole
