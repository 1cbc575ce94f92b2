"""What a rater meets, page by page, in words."""

from __future__ import annotations

from prereg.documents.material import Material
from prereg.documents.prose import (
    bullets,
    code,
    counted,
    inline,
    listed,
    number,
    numbered,
    points,
    quoted,
)
from prereg.kinds.registry import kind_of
from prereg.plan.collection import AttentionCheck, Comprehension
from prereg.plan.display import Display
from prereg.plan.model import Plan
from prereg.plan.practice import PracticeTrial
from prereg.plan.survey import LONGEST_TEXT, ChoiceQuestion, Question, ScaleQuestion

_FORMATS = {
    "text": "as they are written, with their spaces and lines",
    "fixed": "as they are written, in letters of one width",
    "markdown": "as rendered Markdown",
}
_CODES = {
    "completed": "who finished",
    "screened_out": "who failed the comprehension question",
    "failed_attention": "who finished, but failed too many attention checks",
    "no_consent": "who did not consent",
}


def recruitment(plan: Plan, *, codes_shown: bool = True) -> str:
    """Return how raters come, how their links are checked, and what they get.

    Parameters
    ----------
    plan : Plan
    codes_shown : bool
        Whether the completion codes stand in it: whoever reads them can ask for a reward.
    """
    one = plan.recruitment
    way = (
        "Raters come from Prolific: their link holds the ids of the person, the study and the "
        "submission."
        if one.platform == "prolific"
        else "Raters come by a link that holds an id of theirs, from any platform."
    )
    links = (
        "The links are signed: a link without the right signature is refused."
        if one.links == "signed"
        else "The links are open: an id is taken as it is."
    )
    without = (
        "A link without an id is accepted, and its rater gets an id."
        if one.without_id
        else "A link without an id is refused while the study is live."
    )
    codes = bullets(
        f"{code(value) if codes_shown else 'a code'} for {_CODES[name]} ({code(name)})"
        for name, value in one.codes.model_dump().items()
        if value is not None
    )
    back = (
        f"They go back by the address {code(one.completion_url)} with their code in it."
        if one.completion_url is not None
        else "They go back by Prolific's completion link."
        if one.platform == "prolific"
        else "They copy their code into the page where they found the study."
    )
    paid = (
        "The plan names no reward."
        if one.reward is None
        else f"The reward for the whole study is {one.reward.amount:.2f} {one.reward.currency} "
        f"({code('amount')}: {number(one.reward.amount)})."
    )
    return (
        f"{way} (platform {code(one.platform)}, links {code(one.links)}.) {links} {without} {paid}"
        f"\n\nAt the end each gets a code by the outcome:\n\n{codes}\n\n{back}"
    )


def procedure(material: Material) -> str:
    """Return the pages of a visit in their order."""
    plan = material.plan
    noun = kind_of(plan).noun(plan)
    steps = [
        f"Consent ({code(plan.materials.consent)}), with two buttons: to take part, or not. Who "
        "does not consent leaves no trace in the store.",
        f"Instructions ({code(plan.materials.instructions)}), with the private link by which a "
        "rater can delete their answers later.",
    ]
    if plan.comprehension is not None:
        steps.append("The comprehension question, see below.")
    if plan.practice:
        steps.append("Practice trials, marked as practice; what is chosen there is not kept.")
    checks = (
        f", with {counted(len(plan.attention_checks), 'attention check')} among them"
        if plan.attention_checks
        else ""
    )
    steps.append(
        f"The trials: {number(plan.design.trials)} {noun}{checks}. One page each; nobody can go "
        "back to change an answer. On every page is a link to withdraw."
    )
    if plan.survey:
        steps.append(f"The end survey of {counted(len(plan.survey), 'question')}, on one page.")
    steps.append("Thanks, with the completion code.")
    parts = [
        f"The pages' own words are in the language {code(plan.language)}. A visit can be continued "
        f"in the same browser, and with the same link.\n\n{numbered(steps)}",
        display(plan.display),
    ]
    if plan.comprehension is not None:
        parts.append(comprehension(plan.comprehension))
    parts.append(practice(plan))
    parts.append(attention(plan))
    parts.append(survey(plan))
    return "\n\n".join(parts)


def display(one: Display) -> str:
    """Return how a page shows the items, and by which names."""
    noun = "by the page's usual noun" if one.noun is None else f"{inline(one.noun)}"
    labels = listed(one.labels) if one.labels else "A, B and so on"
    if one.speakers is None:
        turns = "Lines that begin with a speaker's name begin a turn; the names are recognised."
    elif one.speakers:
        turns = f"Turns begin with these names: {listed(one.speakers)}."
    else:
        turns = "No text is cut into turns."
    return (
        f"**The items on the page.** Texts are shown {_FORMATS[one.format]} (format "
        f"{code(one.format)}). The items of a trial are called: {noun}, with the labels {labels}. "
        f"{turns}"
    )


def comprehension(one: Comprehension) -> str:
    """Return the comprehension question."""
    options = numbered(
        inline(option) + (" — the right answer" if place == one.answer else "")
        for place, option in enumerate(one.options, start=1)
    )
    return (
        f"**Comprehension question.** It is asked once, before the first trial. Who has not found "
        f"the right answer (number {one.answer}) in {counted(one.attempts, 'attempt')} is screened "
        f"out, and the place is free again.\n\n{quoted(one.question)}\n\n{options}"
    )


def practice(plan: Plan) -> str:
    """Return the practice trials."""
    if not plan.practice:
        return "**Practice.** There are no practice trials."
    if isinstance(plan.practice, int):
        return (
            f"**Practice.** {counted(plan.practice, 'practice trial')} before the first trial, "
            "drawn from items that the rater's own trials do not show, those that nobody's trials "
            "show first. The draw is by SHA-256 of the seed, the sequence and the item."
        )
    trials = "\n\n".join(
        f"Practice trial {place}:\n\n{_texts(one)}"
        for place, one in enumerate(plan.practice, start=1)
    )
    return (
        f"**Practice.** {counted(len(plan.practice), 'practice trial')} with texts of their own, "
        f"before the first trial.\n\n{trials}"
    )


def attention(plan: Plan) -> str:
    """Return the attention checks."""
    if not plan.attention_checks:
        return "**Attention checks.** There are none."
    return "\n\n".join(
        [
            "**Attention checks.** Everybody meets each of them at the same place; judges do not, "
            f"and no analysis counts them.{_of_own_scale(plan)}",
            *(_check(place, one) for place, one in enumerate(plan.attention_checks, start=1)),
        ]
    )


def _of_own_scale(plan: Plan) -> str:
    apart = " A rater is asked for one scale, and only its right answer counts."
    return apart if plan.design.apart else ""


def _check(place: int, one: AttentionCheck) -> str:
    right = ", ".join(f"{code(field)} = {code(value)}" for field, value in one.expected.items())
    return (
        f"Check {place} comes after {counted(one.after, 'trial')}; the right answer is {right}."
        f"\n\n{_texts(one)}"
    )


def _texts(one: AttentionCheck | PracticeTrial) -> str:
    prompt = (
        "" if one.prompt is None else f"The message above the texts:\n\n{quoted(one.prompt)}\n\n"
    )
    texts = "\n\n".join(
        f"Text {place}:\n\n{quoted(text)}" for place, text in enumerate(one.texts, start=1)
    )
    return prompt + texts


def survey(plan: Plan) -> str:
    """Return the questions of the end survey."""
    if not plan.survey:
        return "**End survey.** There is none."
    return "\n\n".join(
        [
            "**End survey.** The code appears only when its answers are kept; the first answers "
            "count. A visit is finished without it.",
            *map(_question, plan.survey),
        ]
    )


def _question(one: Question) -> str:
    must = "must be answered" if one.required else "may be skipped"
    head = f"{code(one.id)} ({code(one.kind)}; {must}): {inline(one.question)}"
    if isinstance(one, ChoiceQuestion):
        return f"{head}\n\n{bullets(map(inline, one.options))}"
    if isinstance(one, ScaleQuestion):
        return f"{head}\n\n{points(one.labels, one.min, one.max)}"
    return f"{head}\n\nAn answer in the rater's own words, at most {LONGEST_TEXT:,} characters."
