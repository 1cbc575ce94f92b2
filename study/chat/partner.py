"""What a partner's model is sent, and how its reply becomes a message.

The model gets the prompt with the scenario's background, and the messages of this conversation: its
own as the assistant's, the participant's as the user's, and nothing else. Nothing is shared between
conversations, so what a participant writes can reach no other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prereg.chat.model import ChatPlan
from study.chat.chat_models import Question
from study.chat.limits import longest_reply, plain, says_nothing, shortened
from study.chat.study import ChatStudy
from study.judges.prompts.thoughts import covered
from study.language import language_name
from study.llm.reply import Reply, TroubleError

BACKGROUND, LANGUAGE = "{{background}}", "{{language}}"


@dataclass(frozen=True)
class Said:
    """One message of a conversation.

    Attributes
    ----------
    turn : int
    speaker : {'supporter', 'partner'}
    text : str
    """

    turn: int
    speaker: str
    text: str


def partner_question(study: ChatStudy, scenario: str, messages: Iterable[Said]) -> Question:
    """Return what the partner's model is sent.

    Parameters
    ----------
    study : ChatStudy
    scenario : str
    messages : iterable of Said
        Of one conversation, in order.
    """
    system = {"role": "system", "content": partner_prompt(study, scenario)}
    roles = {"partner": "assistant", "supporter": "user"}
    talk = [{"role": roles[one.speaker], "content": one.text} for one in messages]
    return Question((system, *talk))


def partner_prompt(study: ChatStudy, scenario: str) -> str:
    """Return the prompt with a scenario's background; at its end, if it has no place for it."""
    prompt = study.prompts["partner"].replace(LANGUAGE, language_name(study.plan.language))
    background = without_lines(study.backgrounds[scenario]).strip()
    if BACKGROUND not in prompt:
        return f"{prompt.rstrip()}\n\n{background}"
    return prompt.replace(BACKGROUND, background)


def without_lines(background: str) -> str:
    """Return a background without its section `## Lines`, which only scripts speak."""
    kept, leaving_out = [], False
    for line in background.splitlines():
        if line.startswith(("# ", "## ")):
            leaving_out = line.strip("# \t").casefold() == "lines"
        if not leaving_out:
            kept.append(line)
    return "\n".join(kept)


def read_message(reply: Reply, plan: ChatPlan) -> str:
    """Return a reply as a message: plain text of bounded length, without a model's thoughts.

    Markup stays as it was written; the pages show it as text.

    Raises
    ------
    TroubleError
        When it says nothing.
    """
    if reply.ended and not reply.cut:
        raise TroubleError("unreadable", detail=reply.ended)
    try:
        text = plain(covered(reply.text))
    except ValueError as error:
        raise TroubleError("cut_off", detail="only thoughts, and no message") from error
    text = shortened(text, longest_reply(plan), whole=not reply.cut)
    if says_nothing(text):
        raise TroubleError("unreadable", detail="an empty reply")
    return text
