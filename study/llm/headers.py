"""The headers of a judge's requests, with the values of the environment variables they name."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from prereg.plan.transport import VARIABLE


@dataclass(frozen=True)
class Headers:
    """Headers as they are sent, and the parts of them that nobody may read.

    Attributes
    ----------
    sent : dict
    secrets : tuple of str
        The values of environment variables; they are cut out of everything a server says.
    """

    sent: dict[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def headers_of(judge: LLMJudge) -> Headers:
    """Return the headers of a judge's requests.

    Raises
    ------
    RatifyError
        When the environment does not have a variable, or its value cannot be sent.
    """
    sent, secrets = {}, []
    for name, template in judge.headers.items():
        value = template
        for variable in dict.fromkeys(VARIABLE.findall(template)):
            secret = os.environ.get(variable, "").strip()
            if not secret:
                raise RatifyError(
                    f"{judge.called} needs this for its header {name}",
                    file=variable,
                    allowed="an environment variable of this name",
                )
            if not secret.isascii() or not secret.isprintable():
                raise RatifyError("contains characters that a header cannot contain", file=variable)
            value = value.replace(f"${{{variable}}}", secret)
            secrets.append(secret)
        # the client's own header has this spelling, and must be replaced, not repeated
        sent["Authorization" if name.lower() == "authorization" else name] = value
    return Headers(sent, tuple(secrets))
