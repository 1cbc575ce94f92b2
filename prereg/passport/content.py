"""Makes a passport: JSON-LD in schema.org's terms, with a context of its own for the others."""

from __future__ import annotations

from typing import Any

from prereg import files
from prereg.kinds.registry import kind_of
from prereg.passport.readings import answered_of, cells_of, habits_of, of_judge, of_people
from prereg.passport.sources import REPORT, RESULTS, Sources
from prereg.passport.verdict import gate_of, state_of
from prereg.plan.judging import AnyJudge, LLMJudge
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge

FORMAT = 1
SEAL = "sha256"
_OURS = "urn:ratify:passport:1#"
# Our own terms; all other keys are schema.org's.
_TERMS = (
    "after amendments analysedIn analysis answered answers asked at at_least before code "
    "conditions construct coverage_at_least dimension dimensions excluded exclusions field format "
    "found gate habits hash hashes holds hypothesis judges kind level limits locked looks "
    "max_tokens mode n newest note of parameters passed peoplesAgreement planned population "
    "prompts quantity readings registry root rule scale settings simulated stamps state status "
    "tables temperature unit unitOfN verdict why"
)
CONTEXT = {"@vocab": "https://schema.org/", **{term: _OURS + term for term in _TERMS.split()}}


def passport(sources: Sources) -> dict[str, Any]:
    """Return the passport of a study, sealed by a SHA-256 over all of it."""
    plan, meta, state = sources.plan, sources.meta, state_of(sources)
    content: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "Report",
        "format": FORMAT,
        "name": f"Passport: {plan.title}",
        "identifier": plan.id,
        "inLanguage": "en",
        "dateCreated": meta.get("created_at"),
        "state": {"name": state.word, "why": state.why},
        "abstract": list(sources.results["verdict"].get("sentences") or ()),
        "construct": _construct(sources),
        "population": _population(sources),
        "peoplesAgreement": of_people(sources),
        "judges": [_judge(sources, judge) for judge in plan.judges],
        "gate": gate_of(sources),
        "hypothesis": _hypotheses(sources),
        "amendments": _amendments(sources),
        "looks": meta.get("looks") or [],
        "limits": list(sources.results.get("limits") or ()),
        "hashes": _hashes(sources),
        "isBasedOn": _data(sources),
    }
    return sealed(content)


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """Return a passport with the SHA-256 over the canonical JSON of everything else in it."""
    bare = {name: value for name, value in content.items() if name != SEAL}
    return {**bare, SEAL: files.sha256(files.canonical_json(bare))}


def _construct(sources: Sources) -> dict[str, Any]:
    plan = sources.plan
    scales = {scale.id: scale.question for scale in plan.scales}
    return {
        "@type": "DefinedTerm",
        "name": plan.design.question,
        "kind": plan.kind,
        "dimensions": [
            {
                "@type": "DefinedTerm",
                "name": rated.id,
                "description": scales.get(rated.id, rated.id.replace("_", " ")),
                "scale": ", ".join(rated.names) or f"{rated.min} to {rated.max}",
            }
            for rated in plan.rated
        ],
    }


def _population(sources: Sources) -> dict[str, Any]:
    plan, results = sources.plan, sources.results
    flow = results["flow"]
    visits = [step for step in flow if step.get("unit") == "sessions"]
    answers = [step for step in flow if step.get("unit") != "sessions"]
    return {
        "@type": "Audience",
        "simulated": bool(results.get("simulated")),
        "mode": sources.meta["mode"],
        "planned": plan.design.raters,
        "answers": answers[-1]["after"] if answers else None,
        "analysedIn": visits[-1]["after"] if visits else None,
        "audienceType": plan.recruitment.platform,
        "inLanguage": plan.language,
        "description": f"{plan.design.raters:,} raters were planned, each with "
        f"{plan.design.trials:,} {kind_of(plan).noun(plan)}.",
        "exclusions": flow,
    }


def _judge(sources: Sources, judge: AnyJudge) -> dict[str, Any]:
    found: dict[str, Any] = {
        "@type": "SoftwareApplication",
        "identifier": judge.id,
        "name": judge.model if isinstance(judge, LLMJudge) else judge.id,
        "kind": judge.kind,
        "verdict": cells_of(sources, judge.id),
        "readings": of_judge(sources, judge.id),
        "answered": answered_of(sources, judge.id),
        "habits": habits_of(sources, judge.id),
    }
    if isinstance(judge, LLMJudge):
        found["url"] = judge.base_url
        found["prompts"] = list(judge.prompts) or "those of Ratify that fit the plan"
        found["settings"] = {
            "temperature": judge.temperature,
            "max_tokens": judge.max_tokens,
            "parameters": dict(judge.parameters),
        }
    elif isinstance(judge, PanelJudge):
        found["settings"] = {"of": list(judge.of), "rule": judge.rule}
    elif isinstance(judge, TableJudge):
        found["settings"] = {"tables": list(judge.files)}
    return found


def _hypotheses(sources: Sources) -> list[dict[str, Any]]:
    decided = {
        one.get("id"): one for one in sources.results["verdict"].get("hypotheses") or () if one
    }
    return [
        {
            "identifier": one.id,
            "text": one.text,
            "verdict": decided.get(one.id, {}).get("verdict", "not decided"),
            "why": decided.get(one.id, {}).get("how", ""),
        }
        for one in sources.plan.hypotheses
    ]


def _amendments(sources: Sources) -> list[dict[str, Any]]:
    if sources.lock is None:
        return []
    return [
        {
            "position": one.number,
            "dateCreated": one.at,
            "text": one.reason,
            "state": one.known.sentence,
            "hash": one.plan_hash,
        }
        for one in sources.lock.amendments
    ]


def _hashes(sources: Sources) -> dict[str, Any]:
    lock, meta = sources.lock, sources.meta
    found: dict[str, Any] = {
        "code": meta.get("code"),
        "note": "SHA-256. The plan hash covers plan, items, sequences, texts and prompts.",
    }
    if lock is None:
        return {**found, "locked": None}
    stamps = [dict(stamp) for stamp in lock.stamps]
    return {
        **found,
        "root": lock.root_hash,
        "newest": lock.plan_hash,
        "analysedIn": meta.get("plan_hash"),
        "locked": lock.locked_at,
        "registry": [stamp["url"] for stamp in stamps if stamp.get("url")],
        "stamps": stamps,
    }


def _data(sources: Sources) -> dict[str, Any]:
    inputs = dict(sources.meta.get("inputs") or {})
    made = {RESULTS.name: sources.results_hash}
    if sources.report_hash:
        made[REPORT.name] = sources.report_hash
    return {
        "@type": "Dataset",
        "name": sources.plan.title,
        "description": "The tidy tables that were analysed, and what was made of them.",
        "distribution": [
            {"@type": "DataDownload", "name": name, "sha256": digest}
            for name, digest in {**dict(sorted(inputs.items())), **made}.items()
        ],
    }
