"""Composes turn-pairs with a known effect: a user's prompt, a reply, and the user's next words.

Nobody ever wrote these. Each pair has a planted score of empathy (of the reply) and of attachment
(of the next words), and the sentences are drawn by these scores from `fragments/turn_pairs.yaml`.
Being treated (empathy of at least 5 instead of at most 3) raises the expected attachment by EFFECT
points. Heavy topics draw warmer replies and closer words, so the topic is a confounder, and so are
the hour and the depth of the conversation.

Beside them stand the scores of a made-up judge. Its errors about the two scores of a pair go
together, as those of one model that reads both often do: from these errors alone it finds an effect
that is a multiple of the true one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np
import yaml

from data.demo.phrasing import Phrasebook, choose, shuffled

# The second that was tried: with 20261130 the corrected interval missed the effect, as 1 in 20
# does. docs/validation.md has the share of 500 data sets.
SEED = 1
PAIRS = 1_600
USERS = 520
# Points of attachment between treated and control pairs; a pair in the middle has half of it.
EFFECT = 0.4
TREATED, CONTROL = 5, 3
# The judge: the size of its errors in standard deviations of people's scores, and how far the two
# errors of a pair go together.
ERROR, TOGETHER = 0.8, 0.8
MODELS = ("larch-small", "larch-large")
# Shares of the seven planted scores of empathy.
_SHARES = (0.16, 0.2, 0.22, 0.27, 0.1, 0.035, 0.015)


@dataclass(frozen=True)
class Planted:
    """What is planted in one pair, before it is put into words."""

    user: int
    topic: int
    turn: int
    hour: int
    model: str
    empathy: int
    attachment: int
    # what attachment is drawn by, without what is only the user's: 1 + 6 x share is its mean
    share: float


@cache
def _bank() -> Any:
    folder = resources.files("data.demo") / "fragments"
    return yaml.safe_load((folder / "turn_pairs.yaml").read_text("utf-8"))


def turn_pairs(rng: np.random.Generator | None = None, pairs: int = PAIRS) -> list[dict[str, str]]:
    """Return the rows of a frame, with what is planted and what the judge says.

    Parameters
    ----------
    rng : numpy.random.Generator, optional
        The only source of chance; by default the demo's own seed.
    pairs : int

    Returns
    -------
    list of dict
        The columns of a frame, `judge_empathy`, `judge_attachment`, `planted_empathy` and
        `planted_attachment`, all as text.
    """
    rng = rng if rng is not None else np.random.default_rng(SEED)
    planted = _planted(rng, pairs)
    judged = _judged(rng, planted)
    book = Phrasebook(rng)
    rows, seen = [], set[str]()
    for number, (pair, (empathy, attachment)) in enumerate(
        zip(planted, judged, strict=True), start=1
    ):
        words = _words(book, pair)
        while "\n".join(words) in seen:
            words = _words(book, pair)
        seen.add("\n".join(words))
        rows.append(
            {
                "item_id": f"pair-{number:04d}",
                "text": "\n".join(
                    f"{who}: {said}"
                    for who, said in zip(("User", "Assistant", "User"), words, strict=True)
                ),
                **dict(zip(("prompt", "reply", "next_turn"), words, strict=True)),
                "user_id": f"user-{pair.user:03d}",
                "model": pair.model,
                "turn": str(pair.turn),
                "timestamp": _time(number, pair.hour),
                "local_hour": str(pair.hour),
                "judge_empathy": str(empathy),
                "judge_attachment": str(attachment),
                "planted_empathy": str(pair.empathy),
                "planted_attachment": str(pair.attachment),
            }
        )
    return rows


def effect_by_raters(
    rng: np.random.Generator, *, raters: int, sizes: tuple[float, float], pairs: int = 20_000
) -> float:
    """Return what EFFECT becomes where the mean of some raters gives both scores.

    Their errors put pairs into the wrong arm, so the effect of "at least 5 by these raters" is
    smaller than that of the planted score. It is the mean difference within pairs that are alike in
    everything that moves both scores, weighted as an overlap-weighted effect is. Of the outcome the
    expected value is taken, so that little is left to chance.

    Parameters
    ----------
    rng : numpy.random.Generator
    raters : int
        Of each score.
    sizes : tuple of float
        The standard deviation of one rater's errors about empathy and about attachment, in points.
    pairs : int
        So many new pairs are composed.
    """
    planted = _planted(rng, pairs)
    errors = sizes[0] * rng.normal(size=(pairs, raters))
    planted_empathy = np.array([one.empathy for one in planted])
    said = np.clip(np.floor(planted_empathy[:, None] + errors + 0.5), 1, 7).mean(axis=1)
    arms = (said >= TREATED) | (said <= CONTROL)
    alike = [(one.topic, min(one.turn, 8), _night(one.hour)) for one in planted]
    places = {key: place for place, key in enumerate(dict.fromkeys(alike))}
    group = np.array([places[key] for key in alike])[arms]
    counts = np.maximum(np.bincount(group, minlength=len(places)), 1)
    of_point = np.array([_expected_rating(point, sizes[1]) for point in range(1, 8)])
    outcome = np.array([_shares(one.share) @ of_point for one in planted])[arms]

    def within(values: Any) -> Any:
        return values - (np.bincount(group, values, len(places)) / counts)[group]

    residual = within((said[arms] >= TREATED).astype(float))
    return float(residual @ within(outcome) / (residual @ residual))


def _share(level: float) -> float:
    return min(max((level - 1) / 6, 0.01), 0.99)


def _night(hour: int) -> bool:
    return hour >= 22 or hour < 5


def _shares(share: float) -> Any:
    """Return the chances of the seven scores of attachment."""
    return np.array([math.comb(6, k) * share**k * (1 - share) ** (6 - k) for k in range(7)])


def _expected_rating(point: int, size: float) -> float:
    """Return the mean of a rating of a planted score: whole points, and none beyond the scale."""
    if size == 0:
        return float(point)
    below = NormalDist(point, size).cdf
    return 1 + sum(1 - below(edge + 0.5) for edge in range(1, 7))


def _planted(rng: np.random.Generator, pairs: int) -> list[Planted]:
    topics = _bank()["topics"]
    users = _users(rng, pairs)
    count = max(users) + 1
    leaning = [_normal(rng) for _ in range(count)]
    levels = [_normal(rng) for _ in range(count)]
    cuts = [NormalDist().inv_cdf(sum(_SHARES[: at + 1])) for at in range(len(_SHARES) - 1)]
    found = []
    for user in users:
        topic = _topic(leaning[user] + 0.8 * _normal(rng), topics)
        heavy = topics[topic]["heavy"]
        turn = 1 + int(-3 * math.log(1 - rng.random()))
        hour = int(24 * rng.random())
        night, deep = float(_night(hour)), min(turn, 8) / 4 - 1
        warm = 0.5 * heavy + 0.25 * deep + 0.15 * night + 0.8 * _normal(rng)
        empathy = 1 + sum(warm > cut for cut in cuts)
        own = 0.25 * levels[user]
        # summed in this order, so that every version draws the same pairs
        level = 2.5 + 0.4 * heavy + 0.2 * deep + 0.35 * night + own
        level += EFFECT * (1.0 if empathy >= TREATED else 0.0 if empathy <= CONTROL else 0.5)
        # a binomial's mean is exact, so the effect is EFFECT although scores are whole
        share = _share(level)
        attachment = 1 + sum(rng.random() < share for _ in range(6))
        model = MODELS[int(rng.random() < 0.5)]
        found.append(
            Planted(user, topic, turn, hour, model, empathy, attachment, _share(level - own))
        )
    return found


def _users(rng: np.random.Generator, pairs: int) -> list[int]:
    """Return the user of each pair: everybody has one, and a few have many."""
    count = min(USERS, max(pairs // 3, 2))
    busy = np.cumsum([math.exp(0.9 * _normal(rng)) for _ in range(count)])
    more = [
        int(np.searchsorted(busy, busy[-1] * rng.random(), side="right"))
        for _ in range(pairs - count)
    ]
    return shuffled(rng, [*range(count), *more])


def _topic(lean: float, topics: Sequence[Any]) -> int:
    """Return the topic whose weight is nearest to what a user leans to."""
    return min(range(len(topics)), key=lambda at: abs(topics[at]["heavy"] - lean))


def _judged(rng: np.random.Generator, planted: Sequence[Planted]) -> list[tuple[int, int]]:
    """Return the judge's scores of empathy and attachment."""
    scores = np.array([(pair.empathy, pair.attachment) for pair in planted], dtype=float)
    sizes = ERROR * scores.std(axis=0)
    found = []
    for score in scores:
        shared, own = _normal(rng), _normal(rng)
        errors = (shared, TOGETHER * shared + math.sqrt(1 - TOGETHER**2) * own)
        said = [
            min(max(round(value + size * error), 1), 7)
            for value, size, error in zip(score.tolist(), sizes.tolist(), errors, strict=True)
        ]
        found.append((said[0], said[1]))
    return found


def _words(book: Phrasebook, pair: Planted) -> tuple[str, str, str]:
    """Return the prompt, the reply and the next words of one pair."""
    bank, rng = _bank(), book.rng
    topic = bank["topics"][pair.topic]
    slots = {"about": choose(rng, topic["about"])}
    prompt = book.render(choose(rng, topic["opening"]), slots)
    for detail in shuffled(rng, topic["detail"])[: 1 + int(2 * rng.random())]:
        prompt += " " + book.render(detail, slots)
    reply = book.render(choose(rng, bank["replies"][pair.empathy]), slots)
    close = choose(rng, bank["attachment"][pair.attachment])
    following = choose(rng, topic["next"])
    return prompt, reply, f"{following} {close}".strip()


def _time(number: int, hour: int) -> str:
    """Return a time in 2023 at this hour."""
    day, minute = number % 28 + 1, (7 * number) % 60
    return f"2023-{number % 12 + 1:02d}-{day:02d}T{hour:02d}:{minute:02d}:00Z"


def _normal(rng: np.random.Generator) -> float:
    return NormalDist().inv_cdf(min(max(rng.random(), 1e-9), 1 - 1e-9))
