"""Analyses of people's ratings and picks in words."""

from __future__ import annotations

from prereg.analyses.agreement import Agreement, Cut
from prereg.analyses.facets import Generalizability, ManyFacet
from prereg.analyses.sources import BestWorstShares, SourceRatings
from prereg.documents.prose import CORRECTIONS, code, listed, number, percent
from prereg.plan.model import Plan

_WEIGHTS = {
    "none": "unweighted kappa",
    "linear": "linearly weighted kappa",
    "quadratic": "quadratically weighted kappa",
}
_METRICS = {
    "rmse": "the root mean squared error",
    "absolute": "the mean absolute error",
    "accuracy": "the share of the same rating",
}
_SOURCE_CLUSTERS = {
    "rater_and_item": "by rater and by {item} at once",
    "rater": "by rater only, so that these responses are the only ones of interest ({item} is not "
    "used)",
    "item": "by {item} only",
}


def dimensions_of(names: tuple[str, ...] | None, every: str = "all scales of the plan") -> str:
    """Return the dimensions of an analysis in words."""
    return every if names is None else f"the dimensions {listed(names)}"


def agreement(one: Agreement, plan: Plan) -> list[str]:
    """Return an analysis of agreement in words."""
    rated = dimensions_of(one.dimensions, "all dimensions that people and the judges rated")
    where = (
        "over people and dimensions together"
        if one.correction == "people_and_dimensions"
        else "over people, within each dimension"
    )
    draws = (
        f"from {number(one.draws)} bootstrap resamples of items"
        if one.interval == "bootstrap"
        else "from draws in which every item has a random weight, or the bias-corrected "
        f"jackknife over items where there are many (plan: {code(one.interval)})"
    )
    said = [
        f"How far {listed(one.judges)} agree with people on {rated}, beside how far people agree "
        f"with each other. The yardstick is {_WEIGHTS[one.weights]}: of each pair of people, of "
        "the judge with one person, and of the judge with people's median. Pairs with fewer than "
        f"{number(one.fewest_common)} items in common are left out. Krippendorff's alpha, bias "
        "and further coefficients are reported beside it.",
        f"Intervals cover {percent(one.level)} and come {draws}. What is said of a judge on "
        "single dimensions is corrected after Holm over its dimensions.",
        "The alternative-annotator test (Calderon, Reichart and Dror 2025) decides whether the "
        f"judge may replace a person: by {_METRICS[one.metric]}, with an allowance of epsilon = "
        f"{number(one.epsilon)}; a person who is left out needs at least "
        f"{number(one.fewest_others)} other people per item and {number(one.fewest_items)} items. "
        "Its tests are corrected after Benjamini and Yekutieli, at a false discovery rate of "
        f"{number(one.false_discovery)}, {where}.",
    ]
    if one.cuts:
        said.append("Ratings are also read as yes or no: " + "; ".join(map(_cut, one.cuts)) + ".")
    return said


def _cut(cut: Cut) -> str:
    side = "at least" if cut.side == "at_least" else "at most"
    where = "" if cut.dimensions is None else f" on {listed(cut.dimensions)}"
    return f"{side} {number(cut.at)} points count as yes{where}"


def generalizability(one: Generalizability, plan: Plan) -> list[str]:
    """Return an analysis of generalizability in words."""
    items = (
        f"means over {listed(map(number, one.items), as_code=False)} items"
        if one.items
        else "means over half, all, twice and four times the items that people rated"
    )
    return [
        f"The variance of people's ratings on {dimensions_of(one.dimensions)} is split into items, "
        "raters' severity and the rest; each dimension by itself. Relative and absolute "
        "reliability follow for one rater and for as many raters as an item has.",
        "A decision study says how many raters per item reach an absolute reliability of "
        f"{number(one.target)}, up to {number(one.most_raters)} raters, and the error of {items}. "
        f"Intervals leave each item out in turn and cover {percent(one.level)}.",
    ]


def many_facet(one: ManyFacet, plan: Plan) -> list[str]:
    """Return a many-facet model in words."""
    return [
        f"A many-facet Rasch model of people's ratings on {dimensions_of(one.dimensions)}, one for "
        "each dimension: the log-odds of a step are the item minus the rater's severity minus the "
        "step's threshold. It is fitted to people by marginal maximum likelihood; "
        f"{listed(one.judges)} are placed on people's scale afterwards.",
        "Severity, infit, outfit and discrimination of every rater and judge are reported, fair "
        "scores of the items, and each judge's correlation with them. Intervals cover "
        f"{percent(one.level)}.",
    ]


def _compared(one: SourceRatings | BestWorstShares) -> str:
    sources = "all sources that people were shown" if one.sources is None else listed(one.sources)
    pairs = (
        "every pair of them is compared"
        if one.reference is None
        else f"each is compared with {code(one.reference)}"
    )
    return (
        f"The sources are those in the column {code(one.source)} of the items: {sources}; {pairs}"
    )


def _source_errors(one: SourceRatings | BestWorstShares) -> str:
    how = _SOURCE_CLUSTERS[one.cluster].format(item=code(one.item_cluster))
    return f"Standard errors are {how}. Intervals cover {percent(one.level)}."


def source_ratings(one: SourceRatings, plan: Plan) -> list[str]:
    """Return a comparison of sources by ratings in words."""
    family = "over all dimensions" if one.family == "all" else "within each dimension"
    domain = (
        ""
        if one.domain is None
        else f" Means and differences are also given for each value of {code(one.domain)}."
    )
    said = [
        f"Mean ratings of each source on {dimensions_of(one.dimensions)}, and their differences. "
        f"{_compared(one)}.{domain}",
        f"{_source_errors(one)} The differences are {CORRECTIONS[one.correction]}, {family}.",
    ]
    if one.style:
        unit = "per 100 words" if one.style_unit == "per_100_words" else "as counts"
        language = plan.language if one.language is None else one.language
        said.append(
            f"Differences are also adjusted for style ({code(one.style_unit)}): "
            f"{listed(one.style)}, "
            f"{unit}, in the column {code(one.text)} of the items, in the language "
            f"{code(language)}."
        )
    else:
        text = f"the responses are in the column {code(one.text)} of the items"
        spoken = "" if one.language is None else f", in the language {code(one.language)}"
        unit = f"; the unit would be {code(one.style_unit)}"
        said.append(f"Nothing is adjusted for style ({text}{spoken}{unit}).")
    return said


def best_worst_shares(one: BestWorstShares, plan: Plan) -> list[str]:
    """Return shares of picks by source in words."""
    options = plan.design.options
    chance = f"1 of {options}" if options else "1 of the options"
    return [
        "The share of each source's shown responses that were picked as best, the share picked as "
        f"worst, and the difference. {_compared(one)}. Each share is compared with chance, "
        f"{chance}.",
        f"{_source_errors(one)} They are Wilson's for the effective number of picks. The "
        f"differences are {CORRECTIONS[one.correction]}.",
    ]
