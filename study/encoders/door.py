"""Finds the encoder that a plan names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from prereg.errors import RatifyError
from study.encoders.encoder import Encoder
from study.encoders.lexical import Lexical
from study.encoders.packaged import sentence_transformers, use, wordllama
from study.encoders.served import Served

_BY_NAME: Mapping[str, Callable[[], Encoder]] = {
    "lexical": Lexical,
    "use": use,
    "wordllama": wordllama,
}
ALLOWED = f"{', '.join(_BY_NAME)}, {{sentence_transformers: MODEL}} or {{server: URL, model: NAME}}"


@dataclass(frozen=True)
class Chosen:
    """The encoder of a plan, as a worker of another machine is told of it.

    Attributes
    ----------
    kind : str
        `lexical`, `use`, `wordllama`, `sentence_transformers` or `server`.
    model, server : str
        Empty where the kind has none.
    """

    kind: str
    model: str = ""
    server: str = ""

    @property
    def is_served(self) -> bool:
        """Whether a server embeds."""
        return self.kind == "server"


def chosen(setting: str | Mapping[str, str]) -> Chosen:
    """Return what `causal.confounders.encoder` of a plan chooses.

    Parameters
    ----------
    setting : str or mapping
        As the plan has it.

    Raises
    ------
    RatifyError
        When there is no such encoder.
    """
    if isinstance(setting, str) and setting in _BY_NAME:
        return Chosen(setting)
    if isinstance(setting, Mapping):
        keys = set(setting)
        if keys == {"sentence_transformers"}:
            return Chosen("sentence_transformers", model=setting["sentence_transformers"])
        if keys == {"server", "model"}:
            return Chosen("server", model=setting["model"], server=setting["server"])
    raise RatifyError(
        "there is no such encoder",
        file="plan.yaml",
        column="causal.confounders.encoder",
        value=dict(setting) if isinstance(setting, Mapping) else setting,
        allowed=ALLOWED,
    )


@lru_cache(maxsize=2)  # a model is loaded once in each process
def encoder_of(choice: Chosen) -> Encoder:
    """Return the encoder.

    Parameters
    ----------
    choice : Chosen
    """
    if choice.kind == "server":
        return Served(choice.server, choice.model)
    if choice.kind == "sentence_transformers":
        return sentence_transformers(choice.model)
    return _BY_NAME[choice.kind]()
