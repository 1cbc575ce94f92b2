"""Everything that can be set, before the server starts and while it runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

JUDGES = ("honest", "first", "second", "longer", "shorter")
STYLES = ("json", "code_block", "lead", "thinking", "letter", "sentence", "bold", "lower")

# Texts as `study.judges.prompts.fences` puts them between marker lines that carry a code.
FENCE = r"<<<BEGIN (?P<name>[^\n]+) (?P<code>[0-9a-f]{16})>>>\n"
FENCE_END = "\n<<<END {name} {code}>>>"
# What a text answers to stands in a fence of its own and is not judged.
CONTEXT = r"context\b"
# `[[quality=1.23]]` anywhere in a text, also after the four mechanical perturbations.
QUALITY = r"\[+[^\[\]\n]*=\s*(?P<value>[-−]?\d+(?:\.+\d+)?)\s*\]+"
OWN = r"\[\[own\]\]"
DIMENSION = r"\"(?P<name>[^\"\n]+)\" \(a whole number from (?P<low>-?\d+) to (?P<high>-?\d+)\)"

_ALLOWED: dict[str, tuple[Any, ...]] = {
    "structured": (True, False, "ignored"),
    "logprobs": ("given", "ignored", "rejected"),
    "style": STYLES,
    "obedience": ("none", "obedient", "naive"),
    "length": ("words", "characters", "supporter_words"),
    "retry_after_as": ("seconds", "milliseconds", "date", "none"),
    "batch_end": ("completed", "expired", "failed", "cancelled"),
}


@dataclass(frozen=True)
class Settings:
    """What the server answers, how fast, and how it misbehaves.

    Attributes
    ----------
    models : sequence of str
        The models there are; any other is a 404. Empty: any model is there.
    key : str
        The key that is right; any other is a 401. Empty: any key will do, or none.
    structured : bool or {'ignored'}
        Whether `response_format` of type `json_schema` is honoured, a 400, or passed over.
    logprobs : {'given', 'ignored', 'rejected'}
        What becomes of a request for log-probabilities.
    split_tokens : bool
        Whether a letter's probability is spread over the tokens `A` and ` A`.
    rejects : sequence of str
        Parameters that are a 400, as `max_tokens` is to some models.
    context_tokens : int
        Longer prompts are a 400; 0 for no limit.
    style : {'json', 'code_block', 'lead', 'thinking', 'letter', 'sentence', 'bold', 'lower'}
        How an answer without a schema is put; the last four are for letters only.
    latency, latency_spread : float
        Seconds until the reply, and the standard deviation of their logarithm.
    judge : str
        `honest`, `first`, `second`, `longer`, `shorter`, or `letter:A`.
    seed, repeatability, lapse : int, float, float
        Answers are a function of seed and prompt. With probability 1 - repeatability a prompt that
        is asked again is thought over afresh; with probability lapse a letter is any letter.
    sharpness, bias_first, bias_length, bias_own, item_noise : float
        P(first) = expit(bias_first + bias_length log2(length ratio) + bias_own (own minus own)
        + sharpness (quality difference)), quality being seen with an error of sd item_noise that
        stays with the text.
    rating_slope, rating_bias, rating_noise, halo, penalties
        A rating is the middle of the scale + slope x quality + bias + an error of its own (sd
        rating_noise) + one shared by all dimensions of a request (sd halo) - the penalty of the
        perturbation the text shows, or of `any`. Slope and bias by dimension, `*` for the others.
    originals : sequence of str
        Digests (`text_hash`) of the texts as they were: none of them shows a perturbation, and any
        other text shows one, misspelling unless it looks like another.
    obedience : {'none', 'obedient', 'naive'}
        Whether it does as it is told: outside of the fences only, or anywhere.
    fence, context, quality, own, dimension : str
        Regular expressions: how a fenced text begins, which fences hold context only, where a text
        says its quality and that it is the judge's own, which scores a request asks for.
    fence_end : str
        How a fenced text ends, with the groups of `fence`.
    faults : mapping
        Fault to rate, drawn from seed, prompt and how often it was asked: not from the clock.
    faults_per_prompt : int or None
        How many of its first requests a prompt may lose to `faults`; None for any number.
    script : sequence or mapping
        Fault of the n-th request from now on, "" for none; a mapping counts from 1.
    each_prompt : sequence of str
        Fault of the first, second, ... request of every prompt, "" for none.
    windows : sequence of mapping
        `{"start": s, "end": s, "fault": name, "rate": 1}`, in seconds from now.
    matching : sequence of mapping
        `{"pattern": regex, "fault": name, "times": n}` for prompts that contain the pattern.
    retry_after, retry_after_as
        What a 429 by the rate limit says, in which of its ways.
    rate_limit, rate_burst, max_in_flight : float, float, int
        Requests a second, as a token bucket, and requests at a time, over which a 429 comes.
    hang_seconds : float
        How long a hanging request is held when its client does not leave.
    batch_polls, batch_seconds : int, float
        How often a batch must be looked at, and how old it must be, to end.
    batch_end : {'completed', 'expired', 'failed', 'cancelled'}
        How batches end.
    batch_share : float
        The share of a batch's lines that an expired or cancelled batch got done.
    batch_faults, batch_lost : mapping, float
        Faults of lines, and the share of lines that are in neither file.
    batch_shuffled : bool
        Whether output lines come in another order.
    desk_faults, desk_script : mapping
        Faults of models, files and batches: rates, and by request what befalls the first, second,
        ... of its kind (`{"POST /v1/batches": ["drop-before"]}`; an id is `*`). What is dropped or
        hangs was done all the same.
    keep : int
        How many of the last requests can be read again.
    """

    models: Sequence[str] = ()
    key: str = ""
    structured: bool | str = True
    logprobs: str = "given"
    split_tokens: bool = False
    rejects: Sequence[str] = ()
    context_tokens: int = 0
    fingerprint: str = "fp_of_the_tests"
    style: str = "json"

    latency: float = 0.0
    latency_spread: float = 0.0

    judge: str = "honest"
    seed: int = 1
    repeatability: float = 1.0
    lapse: float = 0.0
    sharpness: float = 1.0
    bias_first: float = 0.0
    bias_length: float = 0.0
    bias_own: float = 0.0
    item_noise: float = 0.0
    length: str = "words"
    rating_slope: Mapping[str, float] = field(default_factory=lambda: {"*": 1.0})
    rating_bias: Mapping[str, float] = field(default_factory=dict)
    rating_noise: float = 0.0
    halo: float = 0.0
    penalties: Mapping[str, float] = field(default_factory=dict)
    originals: Collection[str] = frozenset()
    obedience: str = "none"
    fence: str = FENCE
    fence_end: str = FENCE_END
    context: str = CONTEXT
    quality: str = QUALITY
    own: str = OWN
    dimension: str = DIMENSION

    faults: Mapping[str, float] = field(default_factory=dict)
    faults_per_prompt: int | None = None
    script: Sequence[str] | Mapping[str, str] = ()
    each_prompt: Sequence[str] = ()
    windows: Sequence[Mapping[str, Any]] = ()
    matching: Sequence[Mapping[str, Any]] = ()
    retry_after: float = 1.0
    retry_after_as: str = "seconds"
    rate_limit: float = 0.0
    rate_burst: float = 0.0
    max_in_flight: int = 0
    hang_seconds: float = 600.0

    batch_polls: int = 1
    batch_seconds: float = 0.0
    batch_end: str = "completed"
    batch_share: float = 0.5
    batch_faults: Mapping[str, float] = field(default_factory=dict)
    batch_lost: float = 0.0
    batch_shuffled: bool = True
    desk_faults: Mapping[str, float] = field(default_factory=dict)
    desk_script: Mapping[str, Sequence[str]] = field(default_factory=dict)

    keep: int = 50

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return these settings with others in their place; a wrong name or value raises."""
        unknown = sorted(set(values) - {each.name for each in fields(self)})
        if unknown:
            raise ValueError(f"there is no setting {unknown[0]!r}")
        for name, allowed in _ALLOWED.items():
            if name in values and values[name] not in allowed:
                raise ValueError(f"{name} is one of {allowed}, not {values[name]!r}")
        judge = values.get("judge", "honest")
        if judge not in JUDGES and not judge.startswith("letter:"):
            raise ValueError(f"judge is one of {JUDGES} or letter:A, not {judge!r}")
        values = dict(values)
        if "originals" in values:
            values["originals"] = frozenset(values["originals"])
        return replace(self, **values)
