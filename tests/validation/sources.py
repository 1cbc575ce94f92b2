"""Checks coverage and size for sources that people rate or pick, and for counts of themes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.sources.ratings import source_ratings
from analysis.sources.rows import ALL
from analysis.sources.shares import best_worst_shares
from analysis.texts.themes import theme_change
from tests.validation.check import Check

SOURCES = ("a", "b", "c", "d", "e")
# Slope of the style feature, and how much the first source differs in it.
PER_WORD, MORE_WORDS = 0.3, 0.8


def _items(per_source: int) -> pd.DataFrame:
    n = len(SOURCES) * per_source
    return pd.DataFrame(
        {"item_id": [f"i{k}" for k in range(n)], "source": [SOURCES[k % 5] for k in range(n)]}
    )


def _study(
    rng: np.random.Generator,
    *,
    raters: int,
    trials: int,
    per_source: int,
    item_sd: float = 0.5,
    taste_sd: float = 0.3,
    points: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ratings and items: raters have levels and tastes, and responses have qualities."""
    items = _items(per_source)
    n = len(items)
    rater = np.repeat(np.arange(raters), trials)
    item = np.concatenate([rng.choice(n, trials, replace=False) for _ in range(raters)])
    level, taste = rng.normal(size=raters), rng.normal(size=(raters, 5)) * taste_sd
    words = MORE_WORDS * (np.arange(n) % 5 == 0) + rng.normal(size=n)
    quality = item_sd * rng.normal(size=n) + PER_WORD * words
    value = 4 + 0.6 * level[rater] + taste[rater, item % 5] + quality[item]
    value = value + 0.9 * rng.normal(size=len(item))
    ratings = pd.DataFrame(
        {
            "rater_id": rater.astype(str),
            "item_id": items["item_id"].to_numpy()[item],
            "dimension": "warmth",
            "value": np.round(2 * value) / 2 if points else value,
        }
    )
    return ratings, items.assign(words=words)


# Means of the five sources: the first one has more words.
TRUTH = 4 + PER_WORD * MORE_WORDS * np.array([1.0, 0, 0, 0, 0])


def _means(rng: np.random.Generator, **size: Any) -> Iterable[bool]:
    ratings, items = _study(rng, **size)
    found = source_ratings(ratings, items, correction="none").means
    return list((found["low"] <= TRUTH) & (found["high"] >= TRUTH))


def _contrasts(rng: np.random.Generator, **size: Any) -> Iterable[bool]:
    ratings, items = _study(rng, **size)
    found = source_ratings(ratings, items, reference="a", correction="none").contrasts
    truth = TRUTH[1:] - TRUTH[0]
    return list((found["low"] <= truth) & (found["high"] >= truth))


def _no_difference(rng: np.random.Generator, **size: Any) -> Iterable[bool]:
    ratings, items = _study(rng, **size)
    items = items[items["source"] != "a"]
    ratings = ratings[ratings["item_id"].isin(items["item_id"])].reset_index(drop=True)
    return list(source_ratings(ratings, items, correction="none").contrasts["p"] <= 0.05)


def _family(rng: np.random.Generator, **size: Any) -> Iterable[bool]:
    ratings, items = _study(rng, **size)
    items = items[items["source"] != "a"]
    ratings = ratings[ratings["item_id"].isin(items["item_id"])].reset_index(drop=True)
    found = source_ratings(ratings, items, correction="holm").contrasts
    return [bool((found["p_adjusted"] <= 0.05).any())]


def _adjusted(rng: np.random.Generator, model: str, **size: Any) -> Iterable[bool]:
    ratings, items = _study(rng, points=False, **size)
    found = source_ratings(
        ratings, items, reference="a", correction="none", style=items[["item_id", "words"]]
    ).contrasts
    found = found[(found["model"] == model) & (found["domain"] == ALL)]
    truth = 0.0 if model == "adjusted" else PER_WORD * MORE_WORDS
    return list((found["low"] <= truth) & (found["high"] >= truth))


def _picks(
    rng: np.random.Generator, raters: int, trials: int, pull: float, scenes: int = 30
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return best-worst trials, each of every source's response to one of the scenes."""
    items = _items(scenes)
    quality = 0.5 * rng.normal(size=(scenes, 5)) + pull * np.arange(5)
    rater = np.repeat(np.arange(raters), trials)
    scene = np.concatenate([rng.choice(scenes, trials, replace=False) for _ in range(raters)])
    taste = 0.5 * rng.normal(size=(raters, 5))
    liking = quality[scene] + taste[rater] + rng.gumbel(size=(len(rater), 5))
    picked = np.full(liking.shape, "", dtype=object)
    row = np.arange(len(rater))
    picked[row, liking.argmax(axis=1)] = "most"
    picked[row, liking.argmin(axis=1)] = "least"
    trials_table = pd.DataFrame(
        {
            "trial_id": np.repeat(row, 5).astype(str),
            "rater_id": np.repeat(rater, 5).astype(str),
            "item_id": [f"i{5 * s + k}" for s in scene for k in range(5)],
            "picked": picked.ravel(),
        }
    )
    return trials_table, items


@functools.cache
def _true_shares(pull: float) -> dict[str, Any]:
    """Return the shares in very many trials."""
    rng = np.random.default_rng(1)
    n = 1_000_000
    liking = np.sqrt(0.5) * rng.normal(size=(n, 5)) + pull * np.arange(5) + rng.gumbel(size=(n, 5))
    return {
        "most": np.bincount(liking.argmax(axis=1), minlength=5) / n,
        "least": np.bincount(liking.argmin(axis=1), minlength=5) / n,
    }


def _shares(rng: np.random.Generator, pull: float) -> Iterable[bool]:
    found = best_worst_shares(*_picks(rng, 150, 10, pull), correction="none").shares
    held = []
    for picked, truth in _true_shares(pull).items():
        mine = found[found["picked"] == picked]
        held += list((mine["low"] <= truth) & (mine["high"] >= truth))
    return held


def _chance(rng: np.random.Generator) -> Iterable[bool]:
    found = best_worst_shares(*_picks(rng, 60, 6, 0.0), correction="none").shares
    return list(found.loc[found["picked"] != "net", "p"] <= 0.05)


def _themes(
    rng: np.random.Generator,
    test: str,
    *,
    people: int,
    paired: bool,
    texts: int = 1,
    change: float = 0.0,
) -> pd.DataFrame:
    """Return the changes of six themes; people differ in how likely they are to name each."""
    shape = (people, 2, texts, 6)
    habit = rng.beta(1.5, 3.5, size=(people, 1 if paired else 2, 1, 6))
    chance = habit + change * np.array([0.0, 1.0])[None, :, None, None] * (1 - habit)
    has = rng.random(shape) < chance
    who = np.arange(people)[:, None, None] + (0 if paired else people) * np.arange(2)[:, None]
    person = np.broadcast_to(who, shape[:3])
    time = np.broadcast_to(np.array(["before", "after"])[:, None], shape[:3])
    table = pd.DataFrame(
        {
            "text_id": np.arange(person.size).astype(str),
            "person_id": person.ravel().astype(str),
            "time": time.ravel(),
        }
    )
    text, theme = np.nonzero(has.reshape(-1, 6))
    labels = pd.DataFrame({"text_id": text.astype(str), "theme": theme.astype(str)})
    names = [str(k) for k in range(6)]
    found = theme_change(table, labels, themes=names, correction="none").changes
    return found[found["test"] == test]


def _theme_size(rng: np.random.Generator, test: str, **design: Any) -> Iterable[bool]:
    return list(_themes(rng, test, **design)["p"] <= 0.05)


def _theme_coverage(rng: np.random.Generator, test: str, **design: Any) -> Iterable[bool]:
    found = _themes(rng, test, change=0.2, **design)
    truth = 0.2 * (1 - 0.3)
    return list((found["low"] <= truth) & (found["high"] >= truth))


def _check(
    function: str,
    what: str,
    design: str,
    once: Callable[..., Iterable[bool]],
    *,
    kind: Literal["coverage", "size"] = "coverage",
    runs: int = 1000,
    note: str = "",
    **given: Any,
) -> Check:
    return Check(
        area="rating studies",
        function=function,
        what=what,
        design=design,
        kind=kind,
        promised=0.95 if kind == "coverage" else 0.05,
        once=functools.partial(once, **given),
        runs=runs,
        note=note,
    )


FULL = {"raters": 150, "trials": 10, "per_source": 30}
SMALL = {"raters": 30, "trials": 8, "per_source": 6}
CROSSED = "raters with levels and tastes, responses with qualities"
BIG = f"150 raters x 10, 5 sources x 30 responses; {CROSSED}"
LITTLE = f"30 raters x 8, 5 sources x 6 responses; {CROSSED}"


def checks() -> list[Check]:
    """Return the checks of sources and themes."""
    ratings, shares = "analysis.sources.ratings.source_ratings", "analysis.sources.shares."
    shares += "best_worst_shares"
    change = "analysis.texts.themes.theme_change"
    return [
        _check(ratings, "interval of a source's mean", BIG, _means, **FULL),
        _check(ratings, "interval of a source's mean", LITTLE, _means, **SMALL),
        _check(ratings, "interval of a contrast", BIG, _contrasts, **FULL),
        _check(ratings, "interval of a contrast", LITTLE, _contrasts, **SMALL),
        _check(ratings, "test of a contrast", BIG, _no_difference, kind="size", **FULL),
        _check(ratings, "test of a contrast", LITTLE, _no_difference, kind="size", **SMALL),
        _check(
            ratings,
            "any of 6 contrasts, Holm",
            BIG,
            _family,
            kind="size",
            runs=2000,
            **FULL,
            note="Holm keeps the chance of any false rejection at or below the level.",
        ),
        _check(
            ratings,
            "contrast at equal style",
            f"{BIG}; one source has more words",
            _adjusted,
            model="adjusted",
            runs=500,
            **FULL,
        ),
        _check(
            ratings,
            "what adjusting changed",
            f"{BIG}; one source has more words",
            _adjusted,
            model="change",
            runs=500,
            **FULL,
        ),
        _check(
            shares,
            "share picked as best, as worst",
            f"150 raters x 10 trials of 5, 30 scenes, unequal sources; {CROSSED}",
            _shares,
            pull=0.4,
            runs=500,
        ),
        _check(
            shares,
            "test of chance",
            f"60 raters x 6 trials of 5, 30 scenes; {CROSSED}",
            _chance,
            kind="size",
            runs=1000,
        ),
        _check(
            change,
            "two-proportion z",
            "120 people before, 120 others after, a text each, 6 themes",
            _theme_size,
            kind="size",
            test="two_proportions",
            people=120,
            paired=False,
        ),
        _check(
            change,
            "two-proportion z, same people",
            "120 people, a text before and after, who differ in how often they name a theme",
            _theme_size,
            kind="size",
            test="two_proportions",
            people=120,
            paired=True,
            note="It ignores that the people are the same, so it rejects too seldom; the paired "
            "and the clustered test are reported too.",
        ),
        _check(
            change,
            "paired (McNemar, exact)",
            "120 people, a text before and after, who differ in how often they name a theme",
            _theme_size,
            kind="size",
            test="paired",
            people=120,
            paired=True,
            note="An exact test rejects at most as often as its level allows.",
        ),
        _check(
            change,
            "clustered test",
            "60 people, 3 texts before and 3 after, 6 themes",
            _theme_size,
            kind="size",
            test="clustered",
            people=60,
            paired=True,
            texts=3,
        ),
        _check(
            change,
            "two-proportion interval",
            "120 people before, 120 others after, a text each, 6 themes",
            _theme_coverage,
            test="two_proportions",
            people=120,
            paired=False,
        ),
        _check(
            change,
            "paired interval (Tango)",
            "120 people, a text before and after, 6 themes",
            _theme_coverage,
            test="paired",
            people=120,
            paired=True,
        ),
        _check(
            change,
            "clustered interval",
            "60 people, 3 texts before and 3 after, 6 themes",
            _theme_coverage,
            test="clustered",
            people=60,
            paired=True,
            texts=3,
        ),
    ]
