"""The document of a study of kind chat: everything that participants and models read, to register.

It is one page of Markdown, and the same as HTML. A folder is not rebuilt from it: films cannot be
printed, so that they stand here by their SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prereg import files
from prereg.chat.calls import most_messages
from prereg.chat.exclusions import ChatExclusion
from prereg.chat.model import ChatPlan
from prereg.chat.stages import judging_plan
from prereg.chat.steps import Step, steps_of
from prereg.chat.surveys import SURVEYS, ScaleItem, SurveyQuestion
from prereg.documents.analyses.registry import in_words, numbers_of
from prereg.documents.attached import fenced, sealed
from prereg.documents.page import Page, render
from prereg.documents.prose import bullets, code, counted, inline, listed, points, quoted, table
from prereg.documents.writing import FOLDER, RIGHT_TO_LEFT
from prereg.images import Image
from prereg.lock import Lock
from prereg.plan.model import Plan
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion

FULL = "study"
CHAT_NAMES = (f"{FULL}.md", f"{FULL}.html")
_ASKED = {"before": "before", "after_each": "after each conversation", "end": "at the end"}


@dataclass(frozen=True)
class ChatMaterial:
    """What the document of a chat is made of.

    Attributes
    ----------
    folder : Path
    plan : ChatPlan
    texts, backgrounds, prompts, images, parts : mapping
        As in `study.chat.study.ChatStudy`.
    films : mapping
        SHA-256 of clips and captions, by their names.
    captions : mapping
        What the captions say, by their names.
    plan_hash : str
    lock : Lock or None
    """

    folder: Path
    plan: ChatPlan
    texts: Mapping[str, str]
    backgrounds: Mapping[str, str]
    prompts: Mapping[str, str]
    images: Mapping[str, Image]
    films: Mapping[str, str]
    captions: Mapping[str, str]
    parts: Mapping[str, str]
    plan_hash: str
    lock: Lock | None

    @property
    def state(self) -> str:
        """Whether it is locked, in one line."""
        if self.lock is None:
            return "Not locked: the plan can still change."
        return f"Locked at {self.lock.locked_at} by {self.lock.tool}"


def chat_document(material: ChatMaterial) -> str:
    """Return the document as Markdown, with a last line that seals it."""
    plan = material.plan
    parts = [
        f"# {inline(plan.title)}",
        f"{inline(material.state)}. The plan hash is {code(material.plan_hash)}.",
        *_hypotheses(plan),
        *_design(plan),
        *_conversation(plan),
        *_speakers(material),
        *_surveys(plan),
        *_rules(plan),
        *_second_stage(plan),
        *_analyses(plan),
        *_texts(material),
        *_hashes(material),
    ]
    return sealed("\n\n".join(part for part in parts if part))


def write_chat_document(material: ChatMaterial, folder: Path | None = None) -> Path:
    """Write the document as Markdown and as HTML; return their folder.

    Parameters
    ----------
    material : ChatMaterial
    folder : Path, optional
        By default `preregistration/` in the study folder.

    Raises
    ------
    RatifyError
        When the folder holds other files or cannot be written.
    """
    place = folder or material.folder / FOLDER
    text = chat_document(material)
    language = material.plan.language
    page = Page(
        title=material.plan.title,
        kicker="Full document",
        status=material.state,
        plan_hash="" if material.lock is None else material.lock.plan_hash,
        body=text,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        images=material.images,
    )
    with files.replaced_folder(place, ours=CHAT_NAMES) as beside:
        files.write_text(beside / f"{FULL}.md", text)
        files.write_text(beside / f"{FULL}.html", render(page))
    return place


def _hypotheses(plan: ChatPlan) -> Iterator[str]:
    yield "## 1. Hypotheses"
    yield (
        bullets(
            f"{code(one.id)}: {inline(one.text)}"
            + (f" Expected: {one.direction}." if one.direction else "")
            for one in plan.hypotheses
        )
        or "None."
    )


def _design(plan: ChatPlan) -> Iterator[str]:
    design, draw = plan.design, plan.design.scenarios
    yield "## 2. Design"
    order = (
        "each scenario comes equally often in each round of each condition, within one"
        if draw.order == "balanced"
        else "each participant's draw is independent"
    )
    yield (
        f"{counted(design.supporters, 'participant')} have "
        f"{counted(design.conversations, 'conversation')} each. They are allocated to "
        f"{counted(len(design.conditions), 'condition')} in permuted blocks of "
        f"{design.allocation.block}, from the seed {plan.seed}. Each meets {draw.draw} of "
        f"{len(plan.scenarios)} scenarios: {order}."
    )
    rows = [
        (code(name), str(design.weights[name]), _course(plan, name)) for name in design.conditions
    ]
    yield table(("condition", "weight", "what a participant meets, in this order"), rows)
    yield (
        f"A place is kept for {design.lease_minutes:g} minutes after the last sign of life, and "
        f"for {design.first_lease_minutes:g} before the first message; then it goes to another."
    )


def _course(plan: ChatPlan, condition: str) -> str:
    said: list[str] = []
    for step in steps_of(plan, condition):
        words = _step(step)
        if words not in said:
            said.append(words)
    return ", ".join(said)


def _step(step: Step) -> str:
    if step.kind == "survey":
        return {"after_each": f"survey {step.round}"}.get(step.survey, f"survey {step.survey}")
    return {"talk": "conversation", "video": "film", "coach": "coach"}[step.kind] + f" {step.round}"


def _conversation(plan: ChatPlan) -> Iterator[str]:
    how, limits = plan.conversation, plan.conversation.messages
    pauses = {
        "hidden": "the page is not seen",
        "waiting": "a reply is owed",
        "idle": f"no message was sent for {how.idle_seconds:g} seconds",
    }
    yield "## 3. Conversations"
    yield (
        f"A conversation lasts {how.seconds:g} seconds of active time from the participant's first "
        f"message. The clock stands while {_either([pauses[one] for one in how.pauses])}. What is "
        f"being written when time is up can be sent for {how.grace_seconds:g} more seconds. A "
        f"participant sends {limits.min} to {most_messages(plan)} messages of at most "
        f"{limits.characters:,} characters. Pasted text is "
        f"{'counted' if how.paste == 'record' else 'refused'}. A reply is shown after a typing "
        f"delay of {how.typing.at_least:g} to {how.typing.at_most:g} seconds."
    )
    yield table(
        ("scenario", "group", "what participants are told", "the partner's first message"),
        [
            (code(s.id), inline(s.group or ""), inline(s.title or ""), inline(s.opening))
            for s in plan.scenarios
        ],
    )


def _either(words: list[str]) -> str:
    return " or while ".join(words) or "nothing happens that would stop it"


def _speakers(material: ChatMaterial) -> Iterator[str]:
    plan, coach, video = material.plan, material.plan.feedback.coach, material.plan.feedback.video
    yield "## 4. Partner and feedback"
    failure = plan.partner.on_failure
    yield (
        f"The partner is {_who(plan, plan.partner.kind, plan.partner.server)}. If no reply comes, "
        f"it is asked for {failure.retry_seconds:g} seconds again; after "
        f"{failure.give_up_seconds:g} seconds the visit ends, paid."
    )
    after = ", ".join(map(str, plan.feedback.after_rounds)) or "none"
    yield f"Feedback comes after these rounds: {after}."
    if coach is not None:
        scores = bullets(
            f"{code(one.id)}: {inline(one.label)} ({one.min} to {one.max})" for one in coach.scores
        )
        yield (
            f"The coach is {_who(plan, coach.kind, coach.server)}. It reads the round just ended, "
            f"answers in at most {coach.sentences} sentences, and scores:\n\n{scores}\n\nA "
            f"participant asks at least {coach.questions.min} and at most {coach.questions.max} "
            "questions."
        )
    if video is not None:
        seen = "must be seen to its end" if video.watch == "ended" else "may be left"
        yield f"The films are {listed(video.clips)}. Each {seen}. Their captions:"
        yield from (f"{code(name)}\n\n{fenced(text)}" for name, text in material.captions.items())


def _who(plan: ChatPlan, kind: str, server: str | None) -> str:
    if kind == "scripted" or server is None:
        return "a script of Ratify, without a model"
    one = plan.servers[server]
    more = f" with {code(one.parameters)}" if one.parameters else ""
    return f"the model {code(one.model)} of the server {code(server)}{more}"


def _surveys(plan: ChatPlan) -> Iterator[str]:
    yield "## 5. Surveys"
    for survey in SURVEYS:
        for number, page in enumerate(plan.surveys.pages(survey), start=1):
            title = f": {inline(page.title)}" if page.title else ""
            yield f"### Asked {_ASKED[survey]}, page {number}{title}"
            yield quoted(page.text) if page.text else ""
            yield "\n\n".join(_question(one) for one in page.questions)
    for name, (_, items) in plan.surveys.traits.items():
        turned = [one.id for one in items if one.reverse]
        yield (
            f"The score {code(name)} is the mean of {listed(one.id for one in items)}"
            + (f", of which {listed(turned)} are turned round" if turned else "")
            + "; it is missing if one of them is."
        )


def _question(one: SurveyQuestion) -> str:
    optional = "" if one.required else " (may be left open)"
    head = f"**{code(one.id)}** {inline(one.question)}{optional}"
    if isinstance(one, ChoiceQuestion):
        return f"{head}\n\n{bullets(inline(option) for option in one.options)}"
    if isinstance(one, ScaleQuestion):
        turned = " Turned round." if isinstance(one, ScaleItem) and one.reverse else ""
        return f"{head}{turned}\n\n{points(one.labels, one.min, one.max)}"
    return f"{head}\n\nIn words."


def _rules(plan: ChatPlan) -> Iterator[str]:
    yield "## 6. Safety, exclusions and pay"
    screens = listed(plan.safety.screen) if plan.safety.screen else "nothing"
    yield (
        f"Messages in both directions are screened by {screens} before they are shown. At a hit, a "
        "participant is offered help, going on, or stopping with full pay."
    )
    yield (
        "Participants are left out by these rules, in this order:\n\n"
        + (bullets(_rule(one) for one in plan.exclusions) or "none")
    )
    reward = plan.recruitment.reward
    if reward is not None:
        yield f"A participant is paid {reward.amount:g} {reward.currency}."


def _rule(one: ChatExclusion) -> str:
    said = {
        "incomplete_session": "not all conversations were had",
        "partner_failure": "no reply came any more",
        "stopped_for_safety": "stopped when help was offered",
        "pasted_most": f"more than {100 * (one.share or 0):g}% of the characters were pasted",
        "admitted_ai": f"answered {code(one.question or '')} with "
        f"{listed(one.values, 'or', as_code=False)}",
    }
    return f"{code(one.rule)}: {said[one.rule]}"


def _second_stage(plan: ChatPlan) -> Iterator[str]:
    yield "## 7. Judges and comparisons"
    if plan.measures is not None:
        yield (
            f"Judges score each conversation from {plan.measures.scale.min} to "
            f"{plan.measures.scale.max} on {listed(plan.measures.dimensions)}. The overall score "
            f"adds {listed(plan.measures.adds)}"
            + (
                f" and subtracts {listed(plan.measures.subtracts)}"
                if plan.measures.subtracts
                else ""
            )
            + "."
        )
    yield bullets(f"{code(one.id)} ({inline(one.kind)})" for one in plan.judges) or "No judges."
    compare = plan.compare
    if compare is None:
        yield "Nobody compares the conversations."
        return
    drawn = "All conversations are compared."
    if compare.sample is not None:
        drawn = (
            f"From each scenario, {compare.sample.per_bin} conversations of each of "
            f"{compare.sample.bins} bins of {code(compare.sample.by)} are drawn."
        )
    yield (
        f"{counted(compare.raters, 'other person', 'other people')} make {compare.trials} "
        f"comparisons each, blind to condition and round: {inline(compare.question)} {drawn}"
    )


def _analyses(plan: ChatPlan) -> Iterator[str]:
    yield "## 8. Analyses"
    if not plan.analyses:
        yield "None."
        return
    yield "`conversations` has a row for each conversation, `supporters` one for each participant."
    judged = Plan.model_validate({**judging_plan(plan), "gate": []})
    for analysis in plan.analyses:
        serves = f" Serves {code(analysis.hypothesis)}." if analysis.hypothesis else ""
        words = "\n\n".join(in_words(analysis, judged))
        reports = numbers_of(analysis, judged)
        yield f"### {inline(analysis.id)} ({analysis.kind})\n\n{words}\n\n{reports}{serves}"
    conditions = [
        f"{code(one.analysis)}: {one.field} of {code(one.quantity)} at least {one.at_least:g}"
        for one in plan.gate
    ]
    if conditions:
        yield f"The gate passes where all of these hold:\n\n{bullets(conditions)}"


def _texts(material: ChatMaterial) -> Iterator[str]:
    yield "## 9. What is read"
    for name, text in material.texts.items():
        yield f"### {inline(name.replace('_', ' '))} (participants)\n\n{fenced(text)}"
    for name, text in material.backgrounds.items():
        yield f"### Background of {inline(name)} (only the partner)\n\n{fenced(text)}"
    for name, text in material.prompts.items():
        yield f"### Prompt of the {inline(name)}\n\n{fenced(text)}"


def _hashes(material: ChatMaterial) -> Iterator[str]:
    yield "## 10. What the hash covers"
    yield table(
        ("part", "SHA-256"),
        [(code(name), code(digest)) for name, digest in sorted(material.parts.items())],
    )
    if material.films:
        yield table(
            ("film or captions", "SHA-256"),
            [(code(name), code(digest)) for name, digest in material.films.items()],
        )
    plan = fenced((material.folder / "plan.yaml").read_text(encoding="utf-8-sig"), "yaml")
    yield f"## 11. The plan\n\n{plan}"
