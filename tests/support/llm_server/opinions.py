"""What the server thinks of the texts: honest, noisy by a known size, or biased by a known size."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

from tests.support.llm_server.settings import Settings
from tests.support.llm_server.trial import Trial, length_of, perturbation_of

_NORMAL = NormalDist()
# Certain, as far as a logarithm can say so.
_SURE = 1 - 1e-9


@dataclass(frozen=True)
class Draw:
    """Random numbers that are a function of the seed, the prompt and, if unsteady, the attempt."""

    seed: int
    key: bytes
    attempt: int = 0

    def uniform(self, name: str) -> float:
        """Return a number between 0 and 1, never either."""
        return _uniform(f"{self.seed}|{name}|{self.attempt}".encode() + self.key)

    def normal(self, name: str) -> float:
        """Return a standard normal number."""
        return _NORMAL.inv_cdf(self.uniform(name))

    def gumbel(self, name: str) -> float:
        """Return a number whose maximum makes choices logistic."""
        return -math.log(-math.log(self.uniform(name)))


def _uniform(data: bytes) -> float:
    return (int.from_bytes(blake2b(data, digest_size=8).digest()) + 0.5) / 2**64


def draw_of(settings: Settings, key: bytes, attempt: int) -> Draw:
    """Return the numbers of a prompt that was answered `attempt` times before."""
    again = f"{settings.seed}|again|{attempt}".encode() + key
    steady = attempt == 0 or _uniform(again) < settings.repeatability
    return Draw(settings.seed, key, 0 if steady else attempt)


def quality_of(text: str, settings: Settings) -> float:
    """Return a text's hidden quality: its marker's value, or a normal number of its own."""
    found = re.search(settings.quality, text)
    if found:
        return float(re.sub(r"\.+", ".", found["value"]).replace("−", "-"))
    return _NORMAL.inv_cdf(_uniform(b"quality" + " ".join(text.split()).encode()))


def perceived(text: str, settings: Settings) -> float:
    """Return a text's quality as this judge always sees it."""
    quality = quality_of(text, settings)
    if settings.item_noise:
        seen = _uniform(f"{settings.seed}|item|{' '.join(text.split())}".encode())
        quality += settings.item_noise * _NORMAL.inv_cdf(seen)
    return quality


def _appeal(text: str, settings: Settings) -> float:
    """Return what speaks for a text, wherever it stands, in log-odds."""
    appeal = settings.sharpness * perceived(text, settings)
    if settings.bias_length:
        appeal += settings.bias_length * math.log2(length_of(text, settings.length))
    if settings.bias_own and re.search(settings.own, text):
        appeal += settings.bias_own
    return appeal


def p_first(first: str, second: str, settings: Settings) -> float:
    """Return the probability that the first of two texts is preferred."""
    judge = settings.judge
    if judge == "honest":
        odds = settings.bias_first + _appeal(first, settings) - _appeal(second, settings)
        p = 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))
    elif judge in {"longer", "shorter"}:
        difference = length_of(first, settings.length) - length_of(second, settings.length)
        difference = difference if judge == "longer" else -difference
        p = 0.5 + 0.5 * (difference > 0) - 0.5 * (difference < 0)
    else:
        p = float(judge in {"first", "letter:A"})
    return settings.lapse / 2 + (1 - settings.lapse) * p


def choose(trial: Trial, settings: Settings, draw: Draw) -> tuple[str, float]:
    """Return the letter a pairwise prompt is answered with, and the probability of `A`."""
    p = p_first(trial.texts[0], trial.texts[1], settings)
    letter = trial.letters[0 if draw.uniform("choice") < p else 1]
    wanted = settings.judge.partition(":")[2]
    if wanted and wanted not in trial.letters and draw.uniform("lapse") >= settings.lapse:
        letter = wanted
    return letter, min(max(p, 1 - _SURE), _SURE)


def pick(texts: Sequence[str], settings: Settings, draw: Draw) -> tuple[int, int]:
    """Return the places, from 0, of the texts that are most and least to its liking."""
    judge = settings.judge
    if judge in {"longer", "shorter"}:
        sign = 1 if judge == "longer" else -1
        appeals = [sign * length_of(text, settings.length) for text in texts]
        noise = 0.0
    elif judge == "honest":
        appeals = [_appeal(text, settings) for text in texts]
        appeals[0] += settings.bias_first
        noise = 1.0
    else:
        letter = judge.removeprefix("letter:") if ":" in judge else "A"
        favourite = len(texts) - 1 if judge == "second" else ord(letter) - ord("A")
        appeals = [-abs(float(place - favourite)) for place in range(len(texts))]
        noise = 0.0
    places = range(len(texts))
    most = max(places, key=lambda i: appeals[i] + noise * draw.gumbel(f"most{i}"))
    rest = [place for place in places if place != most]
    least = min(rest, key=lambda i: appeals[i] - noise * draw.gumbel(f"least{i}"))
    return most, least


def rate(
    text: str, scales: Mapping[str, tuple[int, int]], settings: Settings, draw: Draw
) -> dict[str, int]:
    """Return a rating of a text on each dimension, within its scale."""
    quality = perceived(text, settings)
    shared = settings.halo * draw.normal("halo") if settings.halo else 0.0
    if settings.penalties:
        shown = perturbation_of(text, settings)
        anyway = settings.penalties.get("any", 0.0) if shown else 0.0
        shared -= settings.penalties.get(shown, anyway)
    rated = {}
    for name, (low, high) in scales.items():
        value = (low + high) / 2 + shared
        value += settings.rating_slope.get(name, settings.rating_slope.get("*", 0.0)) * quality
        value += settings.rating_bias.get(name, settings.rating_bias.get("*", 0.0))
        if settings.rating_noise:
            value += settings.rating_noise * draw.normal(f"rating {name}")
        rated[name] = max(low, min(high, math.floor(value + 0.5)))
    return rated
