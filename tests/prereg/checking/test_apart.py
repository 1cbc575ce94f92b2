"""If these failed, a lab would misread a halo, or count on twice the answers."""

from __future__ import annotations

from typing import Any

from prereg.checking.analyses import of_analyses
from prereg.checking.design import answers_per_item, of_design
from prereg.checking.foreign import foreign_texts
from prereg.checking.remark import NOTE, WARNING
from prereg.design.sequences import Trial, generate_sequences
from prereg.plan.model import Plan
from tests.prereg.design.test_apart import plan as small
from tests.prereg.design.test_design import pool
from tests.prereg.plan.test_collection import parsed, worked


def plan(**parts: Any) -> Plan:
    return parsed(worked("empathy_attachment") | parts)


def said(one: Plan, severity: str) -> str:
    return "\n".join(str(remark) for remark in of_analyses(one) if remark.severity == severity)


def test_an_analysis_of_two_scales_is_told_what_halo_is_compared_with() -> None:
    halo = "analysis 'agreement_with_people' measures a judge's halo against the means of different"
    assert halo in said(plan(), NOTE)
    assert "halo" not in said(plan(), WARNING)
    content = worked("empathy_attachment")
    content["design"]["apart"] = False
    for scale in content["scales"]:
        del scale["instructions"]
    assert "halo" not in said(parsed(content), NOTE)
    one = worked("empathy_attachment")
    for analysis in one["analyses"][:1]:
        analysis |= {"dimensions": ["empathy"]}
    one["analyses"][0]["cuts"] = []
    one["analyses"], one["gate"], one["hypotheses"] = one["analyses"][:1], [], one["hypotheses"][:1]
    assert "halo" not in said(parsed(one), NOTE)


def test_a_limit_for_halo_is_of_use() -> None:
    assert "large.halo" not in said(plan(large={"halo": 0.3}), WARNING)


def test_answers_are_counted_on_each_scale() -> None:
    of = small(2, 8, 4)
    sequences: dict[str, list[Trial]] = {}
    for trial in generate_sequences(of, pool(2, 4)):
        sequences.setdefault(trial.sequence_id, []).append(trial)
    assert answers_per_item(of, sequences) == (
        "8 raters give each of the 8 items that are shown 2 answers on each scale"
    )
    scenarios = {f"{s}-{i}": f"s{s}" for s in range(2) for i in range(4)}
    apart = "\n".join(map(str, of_design(of, scenarios, sequences)))
    together = "\n".join(map(str, of_design(small(2, 8, 4, apart=False), scenarios, sequences)))
    assert "an item gets about 1.89 ratings" in apart
    assert "an item gets about 3.78 ratings" in together
    few = small(2, 4, 4)
    half = {name: sequences[name] for name in list(sequences)[:4]}
    assert "8 of 8 items get fewer than 2 answers" in "\n".join(
        map(str, of_design(few, scenarios, half))
    )


def test_instructions_of_a_scale_are_in_the_language_of_the_pages() -> None:
    content = worked("empathy_attachment")
    assert [part for part in foreign_texts(parsed(content)) if "scales" in str(part.keys)] == []
    content["scales"][0]["instructions"] = (
        "Bitte lesen Sie nur die Antwort und nicht das, was die andere Person davor sagt."
    )
    keys = [key for part in foreign_texts(parsed(content)) for key in part.keys]
    assert "scales.0.instructions" in keys
