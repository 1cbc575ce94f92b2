"""Whether a partner stepped out of its role: by words that the person it plays would not say.

The list is English, with the commonest phrases in German and Arabic; it finds what models say when
they decline or explain themselves. It cannot see a partner that is only out of character.
"""

from __future__ import annotations

import re
from typing import Final

ROLE_BREAKS: Final = (
    r"as an? (?:ai|artificial intelligence|(?:large )?language model|chat ?bot|virtual assistant)",
    r"i(?:'m| am) (?:just |only |actually )?an? (?:ai|artificial intelligence|"
    r"(?:large )?language model|chat ?bot|computer program|(?:virtual |digital |ai )assistant)",
    r"(?:large )?language model",
    r"(?:openai|chatgpt|anthropic|mistral ai)",
    r"i(?:'m| am) (?:not able|unable) to (?:assist|help) with (?:that|this)",
    r"i can(?:'t|not) (?:assist|help) (?:you )?with (?:that|this) request",
    r"how (?:can|may) i (?:help|assist) you(?: today)?",
    r"(?:my|the) system prompt|my (?:instructions|training data|guidelines) ",
    r"(?:stop|break|breaking|stay in|out of) (?:the )?(?:role ?-?play\w*|character)",
    r"i(?:'m| am) (?:only |just )?(?:playing|pretending to be) (?:a|the) (?:role|character|person)",
    r"als (?:ki|sprachmodell|künstliche intelligenz)",
    r"ich bin (?:nur )?(?:eine ki|ein sprachmodell|ein chatbot)",
    r"(?:كنموذج|بصفتي نموذج|أنا نموذج) لغ\w+|أنا (?:مجرد )?(?:برنامج|ذكاء اصطناعي)",
)
_BROKEN: Final = re.compile(rf"(?<!\w)(?:{'|'.join(ROLE_BREAKS)})(?!\w)", re.IGNORECASE)


def breaks_role(text: str) -> bool:
    """Say whether a text is one that steps out of a role."""
    return _BROKEN.search(text.replace("’", "'")) is not None
