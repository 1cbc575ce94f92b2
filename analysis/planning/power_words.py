"""The power of a plan in sentences, and as a short page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.inference.proportions import two_proportions
from analysis.planning.one_study import STUDY
from analysis.planning.points import MORE_RATERS, Curve
from analysis.planning.power import AtPoint, Power, Share, Width, assumptions_of, sizes_assumed
from analysis.results.numbers import number, percent
from analysis.results.words import counted, listed
from prereg.kinds.registry import kind_of

_TOLD = 6  # intervals that the page lists; the table has all
_UNIT = {"raters": "rater", "trials": "trial", "items": "item"}


def sentences(found: Power) -> list[str]:
    """Return what a preregistration says about power, the most important first."""
    own = found.own
    return [
        _power(found),
        *_gate(found),
        *_failed(own),
        *(line for curve in ("raters", "trials", "items") for line in _curve(found, curve)),
        assumed(found),
    ]


def share_words(share: Share) -> str:
    """Return a share with the interval of its simulation error."""
    return f"{number(share.value, 2)} [{number(share.low, 2)}, {number(share.high, 2)}]"


def _size(found: Power) -> str:
    point = found.own.point
    noun = kind_of(found.plan).noun(found.plan)
    trials = f"{point.trials:,} {noun}" if point.trials != 1 else f"one of the {noun}"
    return f"{counted(point.raters, 'rater')}, {trials} each, and {counted(point.items, 'item')}"


def _power(found: Power) -> str:
    own = found.own
    if not own.power:
        return (
            f"The plan has no hypotheses, so there is no power to report; {own.studies:,} studies "
            f"with {_size(found)} were simulated."
        )
    told = [
        f"{share_words(share)} for {name}"
        + (f" ({percent(own.undecided[name].value)} undecided)" if own.undecided[name].hits else "")
        for name, share in own.power.items()
    ]
    return (
        f"With {_size(found)}, the power is {listed(told)}: the share of {own.studies:,} simulated "
        "studies in which the registered analyses support the hypothesis, with the 95% interval of "
        "the simulation."
    )


def _gate(found: Power) -> Iterator[str]:
    own, judges = found.own, found.plan.assumptions.judges
    if own.gate is None:
        return
    if own.gate_bad is None:
        yield f"The gate passes in {_share_of(own.gate)}."
        return
    expected = f"as assumed ({judges.good:g}"
    expected += (
        "; " + ", ".join(f"{k} {v:g}" for k, v in judges.each.items()) if judges.each else ""
    )
    yield (
        f"The gate passes in {_share_of(own.gate)} if the judges' scores correlate with quality "
        f"{expected}), and in {_share_of(own.gate_bad)} if they correlate {judges.bad:g}."
    )


def _share_of(share: Share) -> str:
    return f"{percent(share.value)} [{percent(share.low)}, {percent(share.high)}] of studies"


def _failed(own: AtPoint) -> Iterator[str]:
    for failure in own.failures:
        then = "the verdicts there rest on the other analyses, as in a real study"
        if failure.analysis == STUDY:
            then = "such a study supports nothing and passes no gate"
        yield (
            f"In {failure.studies:,} of {own.studies:,} studies {failure.analysis} could not be "
            f"computed ({failure.why.rstrip('.')}); {then}."
        )


def _curve(found: Power, curve: Curve) -> Iterator[str]:
    """Yield what the next larger size of a curve buys."""
    points = found.curve(curve)
    own = getattr(found.own.point, curve)
    larger = [one for one in points if getattr(one.point, curve) > own]
    if not larger:
        return
    wanted = [one for one in larger if curve == "raters" and one.point.raters == own + MORE_RATERS]
    after = [*wanted, *larger][0]
    more = getattr(after.point, curve) - getattr(found.own.point, curve)
    told = list(_changes(found.own, after))
    if not told:
        return
    what = f"{counted(more, _UNIT[curve])} more"
    if curve == "trials":
        what += " for each rater"
    each = ""
    if curve == "items" and found.own.power:
        each = f" ({_per_item(found.own, after, more)})"
    yield f"What {what} buy ({after.studies:,} studies): {'; '.join(told)}{each}."


def _changes(before: AtPoint, after: AtPoint) -> Iterator[str]:
    pairs = [
        (f"power for {name}", share, after.power[name]) for name, share in before.power.items()
    ]
    if before.gate is not None and after.gate is not None:
        pairs.append(("the gate's chance with the assumed judges", before.gate, after.gate))
    if before.gate_bad is not None and after.gate_bad is not None:
        pairs.append(("its chance with bad ones", before.gate_bad, after.gate_bad))
    for what, first, then in pairs:
        difference = two_proportions(then.hits, then.studies, first.hits, first.studies)
        line = f"{what} {number(first.value, 2)} to {number(then.value, 2)}"
        if difference.low <= 0 <= difference.high:
            line += " (no more than the simulation's error)"
        yield line


def _per_item(before: AtPoint, after: AtPoint, more: int) -> str:
    gains = [
        f"{name} {(after.power[name].value - share.value) / more:+.4f}".replace("-", "−")
        for name, share in before.power.items()
    ]
    return f"on average for each further item: {', '.join(gains)}"


def assumed(found: Power) -> str:
    """Return the assumptions in one sentence."""
    raters, judges = found.plan.assumptions.raters, found.plan.assumptions.judges
    kind = kind_of(found.plan)
    if kind.compares:
        said = (
            f"a median sensitivity of {raters.sensitivity:g} log-odds per standard deviation of "
            f"quality (sd of its log {raters.spread:g}), tastes of {raters.taste:g} and a side "
            f"preference of {raters.side:g} log-odds (sd)"
        )
        if found.plan.design.offers_ties:
            said += f", ties up to {raters.tie:g} log-odds"
    else:
        said = f"a reliability of one rating of {raters.reliability:g}"
    leaving = [
        f"{percent(share)} {what}"
        for share, what in (
            (raters.careless, "careless raters"),
            (raters.drop_out, "raters who leave"),
            (raters.no_shows, "raters who never begin"),
        )
        if share
    ]
    said += f", {listed(leaving)}" if leaving else ", nobody careless and nobody who leaves"
    if found.plan.judges:
        own = "".join(f", {name} {value:g}" for name, value in judges.each.items())
        said += f"; judges' scores correlate with quality {judges.good:g}{own}"
    sizes = [f"{name}: {how}" for name, how in sizes_assumed(found.plan).items()]
    said += f"; effects: {'; '.join(sizes)}" if sizes else ""
    return f"This assumes {said}."


def page(found: Power, figures: Sequence[tuple[str, str]]) -> str:
    """Return the page on power as Markdown.

    Parameters
    ----------
    found : Power
    figures : sequence of (file, caption)
    """
    own = found.own
    lines = [f"# Power: {found.plan.title}", "", *_paragraphs(sentences(found))]
    for file, caption in figures:
        lines += [f"![{caption}]({file})", ""]
    lines += ["## Power and gate by size", "", *_table_of_points(found), ""]
    if own.conditions:
        lines += ["## Thresholds of the gate", "", *_table_of_conditions(own), ""]
    if own.widths:
        lines += ["## Expected width of the intervals", "", *_table_of_widths(found), ""]
    lines += ["## Assumptions", "", *_assumptions(found), ""]
    skipped = [f"- {point.key}: {why}" for point, why in found.skipped.items()]
    if skipped:
        lines += ["## Sizes that cannot be", "", *skipped, ""]
    return "\n".join(lines)


def _paragraphs(said: Sequence[str]) -> Iterator[str]:
    for line in said:
        yield line
        yield ""


def _table_of_points(found: Power) -> Iterator[str]:
    names = list(found.own.power)
    gates = [
        title
        for title, share in (("gate", found.own.gate), ("gate, bad judges", found.own.gate_bad))
        if share is not None
    ]
    yield "| raters | trials | items | studies | " + " | ".join([*names, *gates]) + " |"
    yield "|" + "--:|" * (4 + len(names) + len(gates))
    for one in found.points:
        shares = [*one.power.values(), *(s for s in (one.gate, one.gate_bad) if s is not None)]
        size = (one.point.raters, one.point.trials, one.point.items, one.studies)
        cells = [*(f"{n:,}" for n in size), *map(share_words, shares)]
        yield "| " + " | ".join(cells) + " |"


def _table_of_conditions(own: AtPoint) -> Iterator[str]:
    yield "| threshold | holds | holds with bad judges |"
    yield "|---|--:|--:|"
    for one in own.conditions:
        bad = "" if one.bad is None else share_words(one.bad)
        yield f"| {one.name} | {share_words(one.expected)} | {bad} |"


def _table_of_widths(found: Power) -> Iterator[str]:
    """Yield the widths of the hypotheses' and the gate's quantities first."""
    serving = {one.id for one in found.plan.analyses if one.hypothesis is not None}
    serving |= {threshold.analysis for threshold in found.plan.gate}
    ordered = sorted(found.own.widths, key=lambda one: one.name.partition(": ")[0] not in serving)
    yield "| interval of | mean width | sd | studies without |"
    yield "|---|--:|--:|--:|"
    for one in ordered:
        yield f"| {one.name} | {number(one.mean)} | {_sd(one)} | {one.without:,} |"


def _sd(width: Width) -> str:
    return "" if width.sd != width.sd else number(width.sd)


def _assumptions(found: Power) -> Iterator[str]:
    yield "| key of the plan | value |"
    yield "|---|--:|"
    for name, value in _flat(assumptions_of(found.plan), "assumptions"):
        yield f"| {name} | {value} |"


def _flat(content: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from _flat(value, f"{name}.{key}")
    elif content not in ({}, None, []):
        yield name, content
