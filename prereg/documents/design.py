"""Hypotheses, items, design and rules of a study in words."""

from __future__ import annotations

from collections import Counter

from prereg.documents.material import Material
from prereg.documents.prose import (
    bullets,
    code,
    counted,
    inline,
    listed,
    number,
    numbered,
    percent,
    points,
    quoted,
    sentence,
    table,
)
from prereg.kinds.registry import kind_of
from prereg.plan.label_scale import AnyScale, LabelScale
from prereg.plan.model import Exclusion, Plan

_RULES = {
    "incomplete_session": "visits in which not every trial was answered",
    "failed_attention": "raters who failed more than {max_failed} of the attention checks",
    "duplicate_sequence": "of the visits that share a place in a sequence, all but one: a finished "
    "visit is kept before another one, and chance decides among equals",
    "too_fast": "raters whose median time for an answer is below {min_median_ms} milliseconds",
}
_ONE_SCALE = "A trial shows one item and asks for a rating on one scale"
# So many scenarios are listed by name.
MOST_SCENARIOS = 60


def hypotheses(plan: Plan) -> str:
    """Return the hypotheses, each with the analyses that serve it."""
    if not plan.hypotheses:
        return "The plan states no hypothesis: every result is descriptive."
    said = []
    for one in plan.hypotheses:
        serving = [analysis.id for analysis in plan.analyses if analysis.hypothesis == one.id]
        by = f"Tested by {listed(serving)}." if serving else "No registered analysis serves it."
        sign = "" if one.direction is None else f" Expected sign: {one.direction}."
        said.append(f"**{inline(one.id)}.** {inline(one.text)}{sign} {by}")
    free = [analysis.id for analysis in plan.analyses if analysis.hypothesis is None]
    if free:
        said.append(f"Registered without a hypothesis: {listed(free)}.")
    return "\n\n".join(said)


def verdict_of_hypotheses(plan: Plan) -> str:
    """Return when a hypothesis counts as supported."""
    return (
        "A hypothesis is *supported* if every registered number of it that has a p value is below "
        "1 minus the level of its analysis, after the correction that this analysis registers, "
        "with the expected sign; *not supported* if none is; otherwise *not decided*. In an "
        "agreement analysis the alternative-annotator test decides. A question of equivalence "
        "supports its hypothesis if equivalence is shown."
    )


def items(material: Material) -> str:
    """Return what the items are, how many there are, and which of them are shown."""
    plan, rows = material.plan, material.items.rows
    scenarios = Counter(row["scenario"] for row in rows)
    shown = {
        str(row[column])
        for row in material.sequences
        for column in kind_of(plan).columns(plan)
        if row["is_attention_check"] != "true"
    }
    words = (
        "The items have a prompt, the message to which they respond; it stands above them."
        if "prompt" in material.items.columns
        else ""
    )
    others = [
        c for c in material.items.columns if c not in ("item_id", "scenario", "text", "prompt")
    ]
    further = f"Further columns, which no rater sees: {listed(others)}." if others else ""
    said = sentence(
        f"The items are in {code(plan.materials.items)}: {counted(len(rows), 'item')} in "
        f"{counted(len(scenarios), 'scenario')}. The sequences show "
        f"{counted(len(shown), 'of them', 'of them')}.",
        words,
        further,
    )
    if len(scenarios) <= MOST_SCENARIOS:
        cells = [(inline(name), f"{count:,}") for name, count in scenarios.items()]
        said += "\n\n" + table(("scenario", "items"), cells)
    sample = plan.design.sample
    if sample is not None:
        said += (
            f"\n\nOf these a stratified sample is drawn: within each scenario the items are sorted "
            f"by {code(sample.by)} and cut into {number(sample.bins)} bins of equal size, and "
            f"{number(sample.per_bin)} of each bin are drawn at random."
        )
    else:
        said += "\n\nAll items are used; no sample is drawn from them."
    return said


def design(material: Material) -> str:
    """Return the design: trials, sequences, sides, places."""
    plan = material.plan
    one, kind = plan.design, kind_of(plan)
    noun, words = kind.noun(plan), kind.words
    trial = _ONE_SCALE if one.apart else words.trial
    said = [
        f"{trial} (kind {code(kind.name)}). The question of every trial "
        f"is:\n\n{quoted(one.question)}",
        _of_kind(material),
        f"{counted(one.raters, 'rater')} take part. There are {counted(one.sequences, 'sequence')} "
        f"of {number(one.trials)} {noun}, in an order of their own; each sequence is answered by "
        f"{counted(one.raters_per_sequence, 'rater')} "
        f"({code('raters_per_sequence')}: {one.raters_per_sequence}).{_with_checks(plan)}",
        _apart(plan),
        f"A trial's items are of one {code(one.pairs_within)}. Every item of a scenario is "
        "shown equally often, give or take one or two, and no rater sees an item twice unless its "
        f"scenario has too few items. {words.places} (Sides: {code(one.side)}.) The "
        "first sequences alone are balanced too, because recruitment may stop early.",
        f"A rater who consents gets a free place; nobody chooses a sequence. A "
        f"place is kept for {number(one.lease_minutes)} minutes after a rater's last sign of life, "
        f"and before the first answer for {number(one.first_lease_minutes)} minutes, if that is "
        "less; then it goes to the next rater.",
        "An answer is accepted at any time."
        if one.min_reading_seconds is None
        else f"An answer that comes sooner than {number(one.min_reading_seconds)} seconds after "
        f"the "
        "page is not accepted: the page asks for it again.",
    ]
    return "\n\n".join(part for part in said if part)


def _apart(plan: Plan) -> str:
    """Return how raters are split between scales that are asked apart; nothing for other plans."""
    if not plan.design.apart:
        return ""
    names = [scale.id for scale in plan.scales]
    each = plan.design.raters // len(names)
    return (
        f"The scales are asked apart: each sequence asks for one of {listed(names)}, in turn, "
        f"{counted(each, 'rater')} for each scale. A rater has one sequence, so nobody rates two "
        "scales, and nobody gives two scores of one item. Sequences that follow each other ask "
        "for different scales about the same items, so every item is rated equally often on each."
    )


def _with_checks(plan: Plan) -> str:
    checks = len(plan.attention_checks)
    if not checks:
        return ""
    pages = number(plan.design.trials + checks)
    return f" With {counted(checks, 'attention check')} that makes {pages} pages for each rater."


def _of_kind(material: Material) -> str:
    plan = material.plan
    if plan.design.options is not None:
        why = (
            "The page has a field for an explanation, which may stay empty."
            if plan.design.ask_why
            else "The page has no field for an explanation."
        )
        return f"A page shows {number(plan.design.options)} items. {why}"
    if not kind_of(plan).asks_pairs:
        return ""
    if not plan.design.offers_ties:
        return f"One of the two has to be chosen: ties are {code(plan.design.ties)}."
    return (
        f"Ties are {code(plan.design.ties)}: a third answer is called "
        f"“{inline(material.tie_answer)}”."
    )


def scales(plan: Plan) -> str:
    """Return the scales that people rate on."""
    return "\n\n".join(map(_scale, plan.scales))


def _scale(scale: AnyScale) -> str:
    told = ""
    if scale.instructions is not None:
        told = f"\n\nIts raters are also told:\n\n{quoted(scale.instructions)}"
    return _question_of(scale) + told


def _question_of(scale: AnyScale) -> str:
    if isinstance(scale, LabelScale):
        labels = bullets(
            f"**{inline(label.name)}**" + (f": {inline(label.text)}" if label.text else "")
            for label in scale.labels
        )
        return f"{code(scale.id)}: {inline(scale.question)}\n\n{labels}"
    return (
        f"{code(scale.id)}: {inline(scale.question)}\n\n"
        f"{points(scale.labels, scale.min, scale.max)}"
    )


def measures(plan: Plan) -> str:
    """Return what is measured by people and by judges."""
    said = []
    if plan.scales:
        said.append(
            f"People rate each item on {'one of ' * plan.design.apart}these scales; the rating is "
            f"the point, or the name of the label.\n\n{scales(plan)}"
        )
    if plan.measures is not None:
        one = plan.measures
        subtracts = f", minus the sum of {listed(one.subtracts)}" if one.subtracts else ""
        said.append(
            f"Judges score each item from {one.scale.min} to {one.scale.max} on "
            f"{counted(len(one.dimensions), 'dimension')}. The overall score is the sum of "
            f"{listed(one.adds)}{subtracts}. A judge's gap between two items is the difference of "
            "their overall scores. Raters never see these dimensions."
        )
    if kind_of(plan).compares:
        ridge, elo = plan.ranking.ridge, plan.ranking.elo
        said.append(
            "People's choices become a ranking by the Bradley-Terry model with a ridge of "
            f"{number(ridge)}. Elo is computed beside it: it starts at {number(elo.start)} points, "
            f"K is {number(elo.k)}, and the answers are also taken in {number(elo.reorderings)} "
            "other random orders to show how far their order matters."
        )
    return "\n\n".join(said)


def unused_settings(plan: Plan) -> str:
    """Return the plan's settings of rankings if a plan of its kind makes none; or nothing."""
    if kind_of(plan).compares:
        return ""
    ridge, elo = plan.ranking.ridge, plan.ranking.elo
    return (
        "Settings of rankings, which a plan of this kind does not make: ridge "
        f"{number(ridge)}; Elo from {number(elo.start)} with K = {number(elo.k)} and "
        f"{number(elo.reorderings)} reorderings."
    )


def exclusions(plan: Plan) -> str:
    """Return the exclusions in their order, and the runs without them."""
    if plan.exclusions:
        said = (
            "The rules apply in this order; the report counts whom each of them excludes.\n\n"
            + numbered(map(exclusion, plan.exclusions))
        )
    else:
        said = "Nobody is excluded."
    if plan.sensitivity is None:
        return said + "\n\nThe analyses are not run a second time without exclusions."
    cluster = plan.sensitivity.cluster
    errors = "with the same errors" if cluster is None else f"with errors by {code(cluster)}"
    return (
        f"{said}\n\nAs a check, every analysis runs again on {code(plan.sensitivity.on)}: all who "
        f"answered anything, without exclusions, {errors}."
    )


def exclusion(one: Exclusion) -> str:
    """Return one exclusion in words."""
    words = _RULES[one.rule].format(max_failed=one.max_failed, min_median_ms=one.min_median_ms)
    return f"{code(one.rule)}: {words}"


def gate(plan: Plan) -> str:
    """Return the conditions of the gate."""
    if not plan.gate:
        return "The plan has no gate: no result lets a judge pass or fail."
    ends = {"low": "the lower end of the interval of", "estimate": "the estimate of"}
    conditions = [
        f"{ends[one.field]} {code(one.quantity)} ({code(one.field)}) in the analysis "
        f"{code(one.analysis)} is at least {number(one.at_least)}; if the number is about a judge, "
        f"it answered at least {percent(one.coverage)} of what it was asked"
        for one in plan.gate
    ]
    return f"The gate passes if all of these hold, otherwise it fails.\n\n{numbered(conditions)}"


def sample_size(plan: Plan) -> str:
    """Return the number of raters and of answers, in one sentence."""
    one = plan.design
    return (
        f"{counted(one.raters, 'rater')}, each with {number(one.trials)} "
        f"{kind_of(plan).noun(plan)}: {one.raters * one.trials:,} answers, besides attention "
        f"checks."
    )


def stopping(plan: Plan) -> str:
    """Return when collection ends."""
    return (
        f"Collection ends when all {counted(plan.design.raters, 'place')} have a finished visit. A "
        "place that a rater leaves goes to the next one. The number does not depend on any result."
    )
