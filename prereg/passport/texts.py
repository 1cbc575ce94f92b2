"""The words of a passport: its page, a paragraph on methods, and how to cite it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from prereg.documents.design import exclusion
from prereg.documents.prose import bullets, code, counted, inline, listed, number, table
from prereg.kinds.registry import kind_of
from prereg.passport.content import SEAL
from prereg.passport.sources import Sources
from prereg.passport.verdict import NOT_PASSED, PASSED, State, state_of
from prereg.plan.judging import LLMJudge

# So many numbers of one judge are on the page, to fit on a sheet; the JSON has them all.
MOST = 8
_VERSION = "1.2.0"


def page_text(content: Mapping[str, Any]) -> str:
    """Return the page of a passport as Markdown."""
    simulated = bool(content["population"]["simulated"])
    parts = [
        f"# {inline(content['name'])}",
        bullets(map(inline, content["abstract"])),
        "## Gate",
        _gate(content["gate"]),
        "## Construct",
        _construct(content["construct"]),
        "## Population",
        _population(content["population"]),
        "## How far people agree",
        _readings(content["peoplesAgreement"], simulated) or "The results have no such number.",
        *(_judge(judge, simulated) for judge in content["judges"]),
        "## Hypotheses",
        _hypotheses(content["hypothesis"]),
        "## Limits",
        bullets(map(inline, content["limits"])) or "The results name none.",
        "## Preregistration and hashes",
        _hashes(content),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _construct(one: Mapping[str, Any]) -> str:
    said = f"The question of every trial was: “{inline(one['name'])}”"
    dimensions = "; ".join(
        f"{inline(d['name'])} ({inline(d['description'])}, {inline(d['scale'])})"
        if d["description"] != d["name"].replace("_", " ")
        else f"{inline(d['name'])} ({inline(d['scale'])})"
        for d in one["dimensions"]
    )
    return f"{said} Dimensions: {dimensions}." if dimensions else said


def _population(one: Mapping[str, Any]) -> str:
    who = "**simulated raters**" if one["simulated"] else "people"
    way = "by Prolific" if one["audienceType"] == "prolific" else "by a link"
    analysed = (
        ""
        if one["analysedIn"] is None
        else f" The answers of {number(one['analysedIn'])} visits were analysed"
        + (f" ({number(one['answers'])} in all)." if one["answers"] is not None else ".")
    )
    return (
        f"The raters are {who}, recruited {way}; pages in the language "
        f"{code(one['inLanguage'])}; kind of data: {inline(one['mode'])}. "
        f"{inline(one['description'])}{analysed}"
    )


def _judge(one: Mapping[str, Any], simulated: bool) -> str:
    name = inline(one["identifier"])
    said = f" ({code(one['name'])})" if one["name"] != one["identifier"] else ""
    cells = table(
        ("dimension", "verdict", "why"),
        [(inline(c["dimension"]), inline(c["verdict"]), inline(c["why"])) for c in one["verdict"]],
    )
    parts = [
        f"## Judge {name}",
        f"Kind {code(one['kind'])}{said}.",
        cells if one["verdict"] else "The results give no verdict on it.",
        _readings(one["readings"], simulated),
        f"### Habits of {name}\n\n{_readings(one['habits'], simulated)}" if one["habits"] else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _status(status: str, simulated: bool) -> str:
    """Return the status of a number; one of simulated raters confirms nothing."""
    return "registered" if simulated and status == "confirmatory" else status


def _readings(readings: Sequence[Mapping[str, Any]], simulated: bool) -> str:
    # coverage stands in the gate's table where it counts, and all of it in the JSON
    given = [one for one in readings if one.get("value") is not None]
    readings = [one for one in given if "coverage" not in one["propertyID"]]
    if not readings:
        return ""
    rows = [
        (
            inline(one["name"]),
            _value(one.get("value")),
            f"{_value(one['minValue'])}\u00a0to\u00a0{_value(one['maxValue'])}"
            if "minValue" in one and "maxValue" in one
            else "–",
            inline(_status(one.get("status", ""), simulated)),
        )
        for one in readings[:MOST]
    ]
    more = len(given) - len(rows)
    rest = f"\n\nThe passport's JSON has {counted(more, 'further number')}." if more > 0 else ""
    return table(("number", "estimate", "interval", "status"), rows) + rest


def _value(value: Any) -> str:
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def _gate(gate: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{code(one['analysis'])} {inline(one['quantity'])} ({inline(one['field'])})",
            f"at least {_value(one['at_least'])}",
            _value(one.get("found")),
            "holds" if one.get("holds") is True else "does not hold",
        )
        for one in gate["conditions"]
    ]
    shown = table(("number", "needed", "found", ""), rows) if rows else "It has no condition."
    return f"{shown}\n\n{inline(gate['note'])}".strip()


def _hypotheses(given: Sequence[Mapping[str, Any]]) -> str:
    if not given:
        return "The plan states none."
    return bullets(
        f"**{inline(one['identifier'])}.** {inline(one['text'])} *{inline(one['verdict'])}*"
        + (f" ({inline(one['why'])})" if one["why"] else "")
        for one in given
    )


def _hashes(content: Mapping[str, Any]) -> str:
    hashes = content["hashes"]
    rows = []
    if hashes.get("newest"):
        rows.append(("plan", code(hashes["newest"])))
        if hashes["root"] != hashes["newest"]:
            rows.append(("plan, when it was first locked", code(hashes["root"])))
        rows.append(("locked at", code(hashes["locked"])))
    rows.append(("analysis code", code(hashes["code"] or "not recorded")))
    rows += [
        (inline(one["name"]), code(one["sha256"])) for one in content["isBasedOn"]["distribution"]
    ]
    rows.append(("this passport", code(content[SEAL])))
    registry = hashes.get("registry") or []
    where = f"Registered at {listed(registry)}." if registry else "The lock names no registration."
    changed = "".join(
        f"\n\nAmendment {one['position']} ({inline(one['dateCreated'])}): {inline(one['text'])} "
        f"Known then: {inline(one['state'])}."
        for one in content["amendments"]
    )
    looks = f" Results were produced {counted(len(content['looks']), 'time')} so far, by the log."
    return (
        f"{where}{looks if content['looks'] else ''}\n\n{table(('what', 'SHA-256'), rows)}{changed}"
    )


def methods_text(sources: Sources) -> str:
    """Return a paragraph on methods in plain words, for a paper."""
    plan, lock, results = sources.plan, sources.lock, sources.results
    noun = kind_of(plan).noun(plan)
    who = "Simulated raters" if results.get("simulated") else "Raters"
    said = [
        f"{who} answered one question about each of {number(plan.design.trials)} {noun}: "
        f"“{inline(plan.design.question)}”. The plan asked for "
        f"{counted(plan.design.raters, 'rater')}"
        f" and {counted(plan.design.sequences, 'sequence')} of trials, generated beforehand from a "
        "seed and balanced over items and places.",
        "The scales were asked apart: each rater answered on one of "
        f"{listed((scale.id for scale in plan.scales), as_code=False)}."
        if plan.design.apart
        else "",
        _excluded(sources),
    ]
    if plan.judges:
        names = listed(
            (j.model if isinstance(j, LLMJudge) else j.id for j in plan.judges), as_code=False
        )
        said.append(f"The same items were judged by {names}.")
    if lock is None:
        said.append("The plan was not locked, so every analysis is exploratory.")
    else:
        urls = [stamp["url"] for stamp in lock.stamps if stamp.get("url")]
        where = f" and registered at {', '.join(urls)}" if urls else ""
        registered = listed((one.id for one in plan.analyses), as_code=False)
        said.append(
            f"The plan was locked on {lock.locked_at[:10]}{where} (SHA-256 {lock.root_hash})."
        )
        if lock.amendments:
            said.append(
                f"It was amended {counted(len(lock.amendments), 'time')} (SHA-256 of the newest "
                f"version {lock.plan_hash}): "
                + " ".join(inline(one.reason) for one in lock.amendments)
            )
        if plan.analyses:
            newest = "newest version" if lock.amendments else "plan"
            said.append(f"The {newest} registers the analyses {registered}.")
        late = sources.meta.get("exploratory") or {}
        if late:
            said.append(f"Exploratory: {listed(sorted(late), as_code=False)}.")
    state = state_of(sources)
    if plan.gate:
        said.append(
            f"A gate of {counted(len(plan.gate), 'condition')} was set beforehand{_found(state)}."
        )
    version = (sources.meta.get("versions") or {}).get("ratify-eval", "")
    said.append(f"Analyses were run by Ratify {version}.".replace(" .", "."))
    warning = f"{state.why}\n\n" if state.word not in {PASSED, NOT_PASSED} else ""
    return f"# Methods\n\n{warning}{' '.join(part for part in said if part)}\n"


def _found(state: State) -> str:
    """Return what came of the gate, if anything can be said of it."""
    if state.word in {PASSED, NOT_PASSED}:
        return f", and was {state.word}"
    return "; it says nothing here"


def _excluded(sources: Sources) -> str:
    visits = [s for s in sources.results["flow"] if s.get("unit") == "sessions"]
    if not visits:
        return ""
    rules = {one.rule: exclusion(one).partition(": ")[2] for one in sources.plan.exclusions}
    gone = [
        f"{number(step['excluded'])} as {rules.get(step['rule'], step['rule'])}"
        for step in visits
        if step["excluded"]
    ]
    left = f"{number(visits[-1]['after'])} of {number(visits[0]['before'])} visits were analysed"
    return f"{left}; excluded were {', '.join(gone)}." if gone else f"{left}; nobody was excluded."


def citation_text(sources: Sources, state: State) -> str:
    """Return a CITATION.cff of the study's data and passport."""
    plan, lock = sources.plan, sources.lock
    who = plan.data_management.responsible
    content: dict[str, Any] = {
        "cff-version": _VERSION,
        "message": "Please cite this study if you use its data or its passport.",
        "type": "dataset",
        "title": plan.title,
        "authors": [{"name": who or "The authors of this study (name them here)"}],
        "abstract": f"Gate: {state.word}. {state.why}",
        "keywords": ["preregistration", "human evaluation", "LLM judge"],
    }
    created = str(sources.meta.get("created_at") or "")
    if created:
        content["date-released"] = created[:10]
    if lock is not None:
        urls = [stamp["url"] for stamp in lock.stamps if stamp.get("url")]
        content["identifiers"] = [
            {
                "type": "other",
                "value": f"sha256:{lock.plan_hash}",
                "description": "hash of the locked plan",
            },
            *({"type": "url", "value": url, "description": "registration"} for url in urls),
        ]
    software: dict[str, Any] = {
        "type": "software",
        "title": "Ratify",
        "authors": [{"name": "The authors of Ratify"}],
    }
    version = (sources.meta.get("versions") or {}).get("ratify-eval")
    if version:
        software["version"] = str(version)
    content["references"] = [software]
    head = "" if who else "# The plan names no authors: write them in, with their ORCID.\n"
    return head + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=95))
