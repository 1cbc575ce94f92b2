"""The registered analyses, what counts as large, and what the plan assumes, in words."""

from __future__ import annotations

from prereg.documents.analyses.registry import in_words, numbers_of
from prereg.documents.prose import code, inline, listed, number, percent, sentence, table
from prereg.documents.settings import keys_of, shown
from prereg.plan.model import Plan

_LARGE = {
    "bias": "a judge is biased from a mean difference of this share of the scale's width, if the "
    "interval excludes zero",
    "severe_bias": "from this share, bias is critical",
    "reversed": "a judge is reversed from a rank correlation this far below zero",
    "shortfall": "a judge agrees if its kappa is shown to be lower than people's own by at most "
    "this",
    "choices": "a judge agrees with choices if its share of people's choices is shown to be lower "
    "than people's own by at most this",
    "halo": "halo is large from errors on two dimensions correlated by this much more than a "
    "person's",
    "cut": "at a cut, a judge differs if sensitivity or specificity is lower by this much",
    "unanswered": "this share of unanswered items is a warning, twice as much critical",
    "side": "a share of left choices this far from one half is a preference for a side",
    "one_side": "a person's choices of one side are noted below this probability under fair choice",
    "fast": "a person is fast below this share of the median time of all",
    "same": "a person rates in a straight line from this share of items with one rating throughout",
    "shown": "this many disagreements of each judge are shown with their texts",
}
_ASSUMED = {
    "sensitivity": "log-odds of a choice per standard deviation of quality, for the median rater",
    "spread": "standard deviation of the log of that sensitivity between raters",
    "taste": "standard deviation of a rater's own liking for an item, in log-odds",
    "side": "standard deviation of a preference for the left side between raters, in log-odds",
    "tie": "log-odds up to which a rater sees no difference, where ties are offered",
    "reliability": "share of the variance of one person's ratings that is the item's quality",
    "careless": "share of raters who answer at random",
    "drop_out": "share of raters who leave before their last trial",
    "no_shows": "share of raters who consent and answer nothing",
    "good": "correlation with quality of a judge that the gate should pass",
    "bad": "correlation with quality of a judge that the gate should not pass",
    "each": "correlation with quality that is expected of single judges",
    "people": "people in the analysis's own table",
    "rows": "rows of each person in the analysis's own table",
    "between": "variance between people",
    "within": "variance within a person",
    "repeated": "columns that vary within a person",
    "effects": "sizes of effects by analysis; those that are not named have a medium size",
    "studies": "studies that are simulated",
    "causal": "how wrong the judge is, and the effect; none: the defaults",
}
_ASSUMED_CAUSAL = {
    "effect": "points between treated and control, by scores on which everybody agrees",
    "reliability": "variance of people's scores over variance of the judge's, before it rounds",
    "error_correlation": "correlation of the judge's two errors about one unit, before it rounds",
    "units": "units of the frame; none: as many as it has",
    "users": "users of these units; none: as many as the frame has",
    "studies": "studies that are simulated for each number of labels",
    "width": "width of the interval that is wanted, in points; none: twice the gate's margin",
}
_EFFECT, _LEVELS, _CAUSAL = "effect", "levels", "causal"


def analyses(plan: Plan) -> str:
    """Return every registered analysis in words."""
    if not plan.analyses:
        return "The plan registers no analysis."
    return "\n\n".join(
        [
            "Every analysis below is confirmatory: it was registered before the lock. Anything "
            "else "
            "is exploratory. An analysis that the data cannot answer is reported with the reason.",
            *(_analysis(plan, place) for place in range(len(plan.analyses))),
        ]
    )


def _analysis(plan: Plan, place: int) -> str:
    one = plan.analyses[place]
    served = next((h for h in plan.hypotheses if h.id == one.hypothesis), None)
    serves = (
        "It serves no hypothesis."
        if served is None
        else f"It serves hypothesis {inline(served.id)}: {inline(served.text)}"
    )
    words = "\n\n".join(in_words(one, plan))
    return (
        f"### {place + 1}. {inline(one.id)} ({inline(one.kind.replace('_', ' '))})\n\n"
        f"Kind {code(one.kind)}. {serves}\n\n{words}\n\n{numbers_of(one, plan)}"
    )


def own_tables(plan: Plan) -> str:
    """Return the researcher's own tables, and how tables are read."""
    data = plan.data
    named = (
        f"The analyses read these tables of the researchers' own: {listed(plan.tables)}. They are "
        "data, so they are not part of this document."
        if plan.tables
        else "The analyses read no tables but those that the study itself collects."
    )
    words = listed(data.missing) if data.missing else "none but an empty cell"
    columns = "; ".join(
        f"in {code(name)}, " + ", ".join(f"{code(a)} is {code(b)}" for a, b in renamed.items())
        for name, renamed in data.columns.items()
    )
    mapped = f"Columns have other names: {columns}." if columns else ""
    return sentence(
        named,
        f"Of a table that is brought along, these words mean a missing value: {words}. The decimal "
        f"mark is a {'point' if data.decimal == '.' else 'comma'} ({code(data.decimal)}).",
        mapped,
    )


def large(plan: Plan) -> str:
    """Return the limits behind the report's verdict and findings."""
    rows = [
        (code(name), number(getattr(plan.large, name)), _LARGE.get(name, ""))
        for name in type(plan.large).model_fields
    ]
    return (
        "These limits decide what the report's verdict and findings call large. They change no "
        f"registered number.\n\n{table(('limit', 'value', 'meaning'), rows)}"
    )


def assumptions(plan: Plan) -> str:
    """Return what a simulation of the plan takes for granted."""
    rows = [
        (code(path), _said(value), _meaning(path)) for path, value, _ in keys_of(plan.assumptions)
    ]
    return (
        "Power and simulated raters rest on these assumptions; no analysis of real data uses "
        f"them.\n\n{table(('assumption', 'value', 'meaning'), rows)}"
    )


def _meaning(path: str) -> str:
    """Return what an assumption means, by its place in the plan."""
    *before, last = path.split(".")
    if before == [_CAUSAL]:
        return _ASSUMED_CAUSAL[last]
    if _EFFECT in before:
        return "size of the effect"
    if _LEVELS in before:
        return "values that the column takes"
    if "each" in before:
        return _ASSUMED["each"]
    return _ASSUMED.get(last, "")


def _said(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return shown(value)


def inference(plan: Plan) -> str:
    """Return by which criteria conclusions are drawn."""
    levels: set[float] = {one.level for one in plan.analyses if hasattr(one, "level")}
    shown = listed(map(percent, sorted(levels)), as_code=False)
    cover = f"Intervals cover {shown} as each analysis says. " if levels else ""
    return f"{cover}Tests are on both sides unless an analysis says otherwise."
