"""The full document: everything that a stranger needs to run the study, and to rebuild it."""

from __future__ import annotations

import json

from prereg.documents.analysis_plan import analyses, assumptions, inference, large, own_tables
from prereg.documents.attached import FULL_DOCUMENT, Attached, block, fenced, sealed
from prereg.documents.causal import causal
from prereg.documents.data_management import missing_keys
from prereg.documents.design import (
    design,
    exclusions,
    gate,
    hypotheses,
    items,
    measures,
    sample_size,
    stopping,
    unused_settings,
    verdict_of_hypotheses,
)
from prereg.documents.judges import judges, shown_prompt
from prereg.documents.material import Material
from prereg.documents.power import power
from prereg.documents.procedure import procedure, recruitment
from prereg.documents.prose import bullets, code, counted, inline, listed, table
from prereg.documents.settings import settings_table
from prereg.plan.file import PLAN_FILE

APPENDICES = "Appendices"
_ORDER = ("yaml", "md", "csv")


def status(material: Material) -> str:
    """Return whether the study is locked, by what, and with which hash."""
    lock = material.lock
    if lock is None:
        return (
            "**Not locked.** The plan can still change. Locked as it is now, it would have the "
            "plan "
            f"hash {code(material.plan_hash)}."
        )
    if not lock.amendments:
        return (
            f"**Locked** at {code(lock.locked_at)} by {inline(lock.tool)}. The plan hash is "
            f"{code(lock.plan_hash)}. Every row of data carries it."
        )
    return (
        f"**Locked** at {code(lock.locked_at)} by {inline(lock.tool)} with the plan hash "
        f"{code(lock.root_hash)}, and **amended** {_times(len(lock.amendments))}, last at "
        f"{code(lock.amendments[-1].at)}. The plan hash is now {code(lock.plan_hash)}. Every row "
        f"of "
        "data carries the hash of the version under which it was made."
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def amendments(material: Material) -> str:
    """Return every amendment: when, why, what was known, and what changed."""
    if material.lock is None:
        return ""
    parts = ["## 17. Amendments" if material.lock.amendments else ""]
    for one in material.lock.amendments:
        changes = bullets(inline(change.sentence) for change in one.changes)
        parts.append(
            f"### Amendment {one.number}, {inline(one.at)}\n\n{inline(one.reason)}\n\nWhat was "
            f"known: {inline(one.known.sentence)}. The plan hash became {code(one.plan_hash)}."
            f"\n\n{changes}"
        )
    return "\n\n".join(part for part in parts if part)


def full_document(material: Material) -> str:
    """Return the full document as Markdown, with a last line that seals it."""
    plan = material.plan
    parts = [
        f"# {inline(plan.title)}",
        f"{FULL_DOCUMENT} {code(plan.id)} (schema {plan.schema_version}), made from "
        f"its plan by {inline(material.tool)}. {status(material)}",
        "> It holds the completion codes and the right answers to attention checks. While people "
        "take part, keep it where raters cannot read it: under embargo, or in a private "
        "registration.",
        "## 1. Hypotheses",
        hypotheses(plan),
        verdict_of_hypotheses(plan) if plan.hypotheses else "",
        "## 2. Items",
        items(material),
        "## 3. Design",
        design(material),
        "## 4. Raters",
        f"{sample_size(plan)} {stopping(plan)}",
        f"### Power\n\n{power(material.power)}",
        f"### Recruitment\n\n{recruitment(plan)}",
        "## 5. What a rater meets",
        procedure(material),
        "## 6. Exclusions",
        exclusions(plan),
        "## 7. Measures",
        measures(plan),
        unused_settings(plan),
        "## 8. Judges",
        judges(material),
        "## 9. Analyses",
        inference(plan),
        analyses(plan),
        causal(plan),
        "## 10. The gate",
        gate(plan),
        "## 11. What the report calls large",
        large(plan),
        "## 12. Tables that are brought along",
        own_tables(plan),
        "## 13. Assumptions behind power and simulated raters",
        assumptions(plan),
        "## 14. Random numbers",
        f"Every random draw follows from the seed {code(plan.seed)}: the sequences, the practice "
        "trials, resampling. Each purpose has a stream of its own.",
        "## 15. Data management",
        _data(material),
        "## 16. What the hash covers",
        _hashed(material),
        amendments(material),
        f"## {APPENDICES}",
        _appendices(material),
    ]
    return sealed("\n\n".join(part for part in parts if part))


def _data(material: Material) -> str:
    gone = missing_keys(material.plan)
    told = material.plan.data_management
    rows = [
        (code(name), inline(value))
        for name in type(told).model_fields
        if (value := getattr(told, name)) is not None
    ]
    said = "The page on data management says what is stored, where, how long and for whom."
    if rows:
        said += "\n\n" + table(("question", "answer"), rows)
    if gone:
        said += f"\n\nThe plan does not say: {listed(gone)}."
    return said


def _hashed(material: Material) -> str:
    rows = [(code(name), code(digest)) for name, digest in sorted(material.parts.items())]
    named = ", ".join(f"{code(name)} ({inline(text)})" for name, text in material.versions.items())
    said = (
        "SHA-256 of each part over its canonical JSON; the plan hash is the SHA-256 of these "
        f"hashes.\n\n{table(('part', 'SHA-256'), rows)}"
    )
    if material.lock is not None and material.lock.code:
        said += f"\n\nThe analysis code of the program that locked it: {code(material.lock.code)}."
    if material.lock is not None and material.lock.stamps:
        stamps = bullets(
            ", ".join(f"{inline(name)}: {inline(value)}" for name, value in stamp.items())
            for stamp in material.lock.stamps
        )
        said += f"\n\nWhat else shows when it was there:\n\n{stamps}"
    return f"{said}\n\nOf the judges it covers: {named}." if named else said


def _appendices(material: Material) -> str:
    plan = material.plan
    others = [file for file in material.files if file.name != PLAN_FILE]
    chosen = [file for file in material.files if file.name == PLAN_FILE]
    manifest = json.dumps(material.manifest(), indent=1, ensure_ascii=False)
    parts = [
        "### A. Every key of the plan, defaults written out",
        settings_table(plan),
        "### B. Prompts as they are sent",
        _prompts(material),
        "### C. The files of the study",
        "`ratify import-preregr` rebuilds the study from these blocks. A file that is not text is "
        "in base64.",
        bullets(
            f"{code(file.name)}: {counted(len(file.content), 'byte')}, SHA-256 {code(file.sha256)}"
            for file in material.files
        ),
        *(_file(file) for file in [*chosen, *sorted(others, key=_place)]),
        "### D. This document in short",
        fenced(manifest, "json ratify=document"),
    ]
    return "\n\n".join(parts)


def _place(file: Attached) -> tuple[bool, int, str]:
    known = _ORDER.index(file.kind) if file.kind in _ORDER else len(_ORDER)
    return file.text is None, known, file.name


def _file(file: Attached) -> str:
    return f"#### {inline(file.name)}\n\n{block(file)}"


def _prompts(material: Material) -> str:
    if not material.prompts:
        return "The plan has no judge that is asked by a prompt."
    return (
        "The places of the items hold stand-ins; the code of the marker lines is another one for "
        "each pair of texts.\n\n" + "\n\n".join(map(shown_prompt, material.prompts))
    )
