"""Explains the words of the field where a reader meets them first."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

MEANINGS = {
    "quadratic kappa": "agreement beyond chance, where a large distance counts more: 0 is chance, "
    "1 is perfect",
    "kappa": "agreement beyond chance: 0 is chance, 1 is perfect",
    "alpha": "Krippendorff's agreement of all raters beyond chance: 0 is chance, 1 is perfect",
    "AC2": "Gwet's agreement beyond chance, which stays high where nearly all ratings are alike",
    "ICC": "share of the variance of ratings that is between items",
    "Spearman": "correlation of ranks: 1 is the same order, −1 the opposite order",
    "rank correlation": "1 is the same order, −1 the opposite order",
    "epsilon": "how much worse than a person a judge may be and still pass, because it costs less",
    "alternative-annotator test": "whether the judge is as close to the other people as a person",
    "halo": "one impression of a text that colours every rating of it",
    "jackknife": "an interval from leaving out one item at a time",
    "Wilson": "an interval for a share",
    "bias": "mean difference from people",
    "ridge": "a small pull of scores towards zero that keeps them finite",
    "Bradley-Terry": "scores of items from who beats whom",
    "Elo": "scores of items, updated after each comparison as in chess",
    "sensitivity": "share of the cases that are found",
    "specificity": "share of the others that are not called cases",
    "log-odds": "logarithm of the odds: 0 is one half",
    "logit": "a regression for yes-or-no outcomes",
    "cumulative logit": "a regression for ratings on a few ordered categories",
    "proportional odds": "the odds of a higher rating are multiplied by the same factor at every "
    "threshold",
    "one-sided p": "the p value of a test that looks at one side only",
    "Holm": "a correction for testing several things",
    "confirmatory": "registered before the data were seen",
}
_WORDS = re.compile(
    r"(?<![\w-])("
    + "|".join(re.escape(word) for word in sorted(MEANINGS, key=len, reverse=True))
    + r")(?![\w-])",
    re.IGNORECASE,
)
_KNOWN = {word.lower(): (word, meaning) for word, meaning in MEANINGS.items()}


class Glossary:
    """The words of one page; each is explained once, in brackets after the word."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def explained(self, text: str) -> Markup:
        """Return a sentence, escaped, in which each new word is followed by what it means."""
        parts: list[Markup] = []
        end = 0
        for found in _WORDS.finditer(text):
            key = found[1].lower()
            if key in self._seen:
                continue
            self._seen.add(key)
            parts += [
                escape(text[end : found.start()]),
                Markup('<dfn>{}</dfn> <span class="gloss">({})</span>').format(
                    found[1], _KNOWN[key][1]
                ),
            ]
            end = found.end()
        return Markup("").join([*parts, escape(text[end:])])
