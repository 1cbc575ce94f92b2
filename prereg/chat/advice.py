"""What is allowed in a plan of kind chat, but probably not meant, and what is good to know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prereg.chat.calls import most_calls, most_messages
from prereg.chat.design import COACH, VIDEO
from prereg.chat.model import ChatPlan
from prereg.chat.parts import text_files
from prereg.chat.surveys import AFTER_EACH
from prereg.checking.language import NAMES, language_of
from prereg.checking.remark import Remark, note, warning
from prereg.checking.texts import placeholders_in

# What a participant takes for a question of a survey, and for what the coach or a film says.
SECONDS_A_QUESTION, SECONDS_OF_COACH, SECONDS_OF_FILM = 7, 150, 90
_HELP = re.compile(r"\d{3}|https?://|\bwww\.", re.IGNORECASE)
_LANGUAGE = re.compile(rb"^Language:\s*(\w+)", re.MULTILINE | re.IGNORECASE)


def remarks_of_chat(plan: ChatPlan) -> list[Remark]:
    """Return warnings and notes about a plan.

    Parameters
    ----------
    plan : ChatPlan
    """
    return [
        *_of_design(plan),
        *_of_feedback(plan),
        *_of_models(plan),
        *_of_safety(plan),
        *_of_rules(plan),
        *_of_sample(plan),
        _minutes(plan),
    ]


def _of_design(plan: ChatPlan) -> Iterator[Remark]:
    design = plan.design
    block = design.allocation.block
    if design.supporters % block:
        whole = design.supporters // block * block
        yield warning(
            f"{design.supporters} supporters are no whole number of blocks of {block}, so the "
            "conditions end with different numbers.",
            f"Use {max(whole, block)} or {whole + block}.",
            "design.supporters",
        )
    if design.scenarios.order == "balanced":
        arm = design.supporters * min(design.weights.values()) // sum(design.weights.values())
        if arm < len(plan.scenarios):
            yield warning(
                f"a condition has about {arm} people, too few for each of {len(plan.scenarios)} "
                "scenarios to come once in each round.",
                "Use more supporters, or fewer scenarios.",
                "design.supporters",
            )
    if not plan.conversation.messages.min:
        yield warning(
            "a conversation may end without a message.",
            "Use 1 or more.",
            "conversation.messages.min",
        )
    if "waiting" not in plan.conversation.pauses:
        yield warning(
            "the clock runs while a reply is owed, so a slow model costs participants time.",
            "Add waiting.",
            "conversation.pauses",
        )


def _of_feedback(plan: ChatPlan) -> Iterator[Remark]:
    used = {part for parts in plan.design.conditions.values() for part in parts}
    for part, given in ((COACH, plan.feedback.coach), (VIDEO, plan.feedback.video)):
        if given is not None and part not in used:
            yield warning(
                f"the plan describes a {part}, but no condition has it.",
                "Name it in a condition, or take it out.",
                f"feedback.{part}",
            )


def _of_models(plan: ChatPlan) -> Iterator[Remark]:
    used = plan.used_servers()
    for name in plan.servers:
        if name not in used:
            yield warning(
                "nothing asks this server.",
                "Name it in partner or feedback.coach, or take it out.",
                f"servers.{name}",
            )
    if not used:
        return
    most = most_messages(plan)
    if most < plan.conversation.messages.max:
        yield warning(
            f"a participant who writes as many messages as allowed causes {most_calls(plan)} "
            f"calls, and the budget allows {plan.budget.per_participant.calls}: every conversation "
            f"ends after {most} messages.",
            "Raise it, or lower conversation.messages.max to what you want.",
            "budget.per_participant.calls",
        )
    if plan.budget.money is None:
        yield warning(
            "nothing limits what the conversations cost.",
            "Set budget.money, and the prices of the servers.",
            "budget",
        )


def _of_safety(plan: ChatPlan) -> Iterator[Remark]:
    if not plan.safety.screen:
        yield warning(
            "no message is screened for distress or harm.",
            "Name lexicon, and moderation where a server offers it.",
            "safety.screen",
        )
    elif plan.safety.screen == ("lexicon",):
        yield note(
            "a lexicon sees words and not what is meant; docs/chat.md says what it misses.",
            key="safety.screen",
        )


def _of_rules(plan: ChatPlan) -> Iterator[Remark]:
    rules = {one.rule: at for at, one in enumerate(plan.exclusions)}
    if "pasted_most" in rules and plan.conversation.paste == "refuse":
        yield warning(
            "nobody can paste, so this rule leaves nobody out.",
            "Take it out, or use paste: record.",
            f"exclusions.{rules['pasted_most']}",
        )
    before = rules.get("incomplete_session", len(rules))
    hidden = [
        one for one in ("partner_failure", "stopped_for_safety") if rules.get(one, 0) > before
    ]
    if hidden:
        yield note(
            f"incomplete_session comes before {' and '.join(hidden)}, so the flow counts under it "
            "whoever left for these reasons before all conversations were had.",
            key="exclusions",
        )
    if plan.partner.kind == "llm" and "partner_failure" not in rules:
        yield warning(
            "people whose partner failed stay in the analyses.",
            "Add the rule partner_failure, unless that is meant.",
            "exclusions",
        )
    if plan.recruitment.codes.stopped is None:
        yield note(
            "whoever stops at a page of help takes back the code of a completed visit, because "
            "there is no code stopped.",
            key="recruitment.codes",
        )
    if not plan.analyses:
        yield note("no analysis is registered.", key="analyses")


def _of_sample(plan: ChatPlan) -> Iterator[Remark]:
    """Warn of a sample that is larger than the conversations that there can be."""
    sample = None if plan.compare is None else plan.compare.sample
    if sample is None:
        return
    most = plan.design.supporters * plan.design.conversations // len(plan.scenarios)
    if sample.bins * sample.per_bin > most:
        yield warning(
            f"{sample.per_bin} from each of {sample.bins} bins are {sample.bins * sample.per_bin} "
            f"conversations of a scenario, and there are about {most}: fewer will be drawn.",
            f"Use {max(1, most // sample.bins)} or fewer, or more supporters.",
            "compare.sample.per_bin",
        )


def minutes(plan: ChatPlan, condition: str) -> float:
    """Return about how many minutes a participant of a condition takes.

    Conversations last as long as they may, without pauses; a question of a survey, a film and the
    coach as long as the constants of this module say.
    """
    rounds = plan.design.conversations
    parts, after = plan.design.conditions[condition], len(plan.feedback.after_rounds)
    asked = [survey for survey, _ in plan.surveys.questions()]
    questions = len(asked) + (rounds - 1) * asked.count(AFTER_EACH)
    seconds = rounds * plan.conversation.seconds + SECONDS_A_QUESTION * questions
    seconds += after * ((VIDEO in parts) * SECONDS_OF_FILM + (COACH in parts) * SECONDS_OF_COACH)
    return (seconds + 90) / 60  # consent and instructions


def _minutes(plan: ChatPlan) -> Remark:
    """Return how long it takes, and what an hour of it is paid."""
    each = [minutes(plan, condition) for condition in plan.design.conditions]
    low, high = (f"{one:.0f}" for one in (min(each), max(each)))
    said = f"it takes about {low if low == high else f'{low} to {high}'} minutes"
    reward = plan.recruitment.reward
    if reward is not None:
        said += f", so {reward.amount:g} {reward.currency} are about "
        said += f"{60 * reward.amount / max(each):.2f} {reward.currency} an hour"
    return note(f"{said}, with {plan.design.conversations} conversations as long as they may be.")


def remarks_of_texts(plan: ChatPlan, texts: Mapping[str, str]) -> list[Remark]:
    """Return warnings about placeholders, missing help and other languages in the texts.

    Parameters
    ----------
    plan : ChatPlan
    texts : mapping
        Those that can be read, by the name of their part.
    """
    files = text_files(plan)
    shown = {files[name]: text for name, text in texts.items()}
    found = placeholders_in(shown, plan.to_json())
    for file, text in shown.items():
        spoken = language_of(text)
        if spoken not in {None, plan.language}:
            found.append(
                warning(
                    f"this seems to be in {NAMES[spoken]}, but the pages' own words are in "
                    f"{NAMES.get(plan.language, plan.language)} (language: {plan.language}).",
                    "Translate it, or change language.",
                    file=file,
                )
            )
    if "safety" in texts and not _HELP.search(texts["safety"]):
        found.append(
            warning(
                "it names no number and no address where help can be found.",
                "Name helplines of the countries that participants come from.",
                file=files["safety"],
            )
        )
    return found


def remarks_of_captions(plan: ChatPlan, captions: Mapping[str, bytes]) -> list[Remark]:
    """Return remarks about captions that do not say their language, or another than the pages'.

    Parameters
    ----------
    plan : ChatPlan
    captions : mapping
        What the files hold, by their names in the plan.
    """
    found = []
    for name, content in captions.items():
        said = _LANGUAGE.search(content.partition(b"\n\n")[0])
        if said is None:
            found.append(
                note(
                    f"the captions do not say their language; the page says '{plan.language}'.",
                    f"Write 'Language: {plan.language}' below WEBVTT.",
                    file=name,
                )
            )
        elif said[1].decode() != plan.language:
            found.append(
                warning(
                    f"the captions say that they are in '{said[1].decode()}', and the pages are in "
                    f"'{plan.language}'.",
                    "Translate them, unless that is meant.",
                    file=name,
                )
            )
    return found
