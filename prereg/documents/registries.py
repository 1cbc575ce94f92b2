"""The questions of AsPredicted and of OSF's preregistration form, answered from the plan."""

from __future__ import annotations

from dataclasses import dataclass

from prereg.analyses.change import Change
from prereg.documents.analyses.registry import in_words
from prereg.documents.analysis_plan import inference, own_tables
from prereg.documents.causal import in_words as causal_in_words
from prereg.documents.design import (
    design,
    exclusion,
    exclusions,
    gate,
    hypotheses,
    items,
    measures,
    sample_size,
    stopping,
    verdict_of_hypotheses,
)
from prereg.documents.full import status
from prereg.documents.judges import judge
from prereg.documents.material import Material
from prereg.documents.power import power
from prereg.documents.procedure import recruitment
from prereg.documents.prose import bullets, code, counted, inline, listed, numbered
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan


@dataclass(frozen=True)
class Asked:
    """A question of a registry's form and the plan's answer.

    Attributes
    ----------
    id : str
        A name for machines.
    section : str
        The section of the form; empty if it has none.
    question : str
        The question in our own short words.
    answer : str
        Markdown.
    """

    id: str
    section: str
    question: str
    answer: str


def _collected(material: Material) -> str:
    if material.lock is None:
        return (
            "The plan is not locked yet, and no live data can be collected before it is. Say here "
            "whether data exist elsewhere."
        )
    return (
        f"The plan was locked at {material.lock.locked_at}. The program takes live answers only "
        "after the lock, does not lock a study that has some, and every row of data carries the "
        "plan hash and its time. Items and a judge's own table of scores, if there is one, existed "
        "before. Say here whether answers from elsewhere exist."
    )


def _conditions(plan: Plan) -> str:
    noun = kind_of(plan).noun(plan)
    return (
        "No conditions between raters: all raters have the same task. Within raters, the items "
        "vary: "
        f"each rater is given one of {counted(plan.design.sequences, 'sequence')} of "
        f"{counted(plan.design.trials, 'trial')} ({noun}), generated beforehand from a seed and "
        f"balanced over items and places (side: {code(plan.design.side)}).{_of_tables(plan)}"
    )


def _of_tables(plan: Plan) -> str:
    """Return the conditions in the researchers' own tables, as far as the plan names them."""
    return "".join(
        f" In the table {code(one.table)}, the column {code(one.condition)} has the conditions "
        f"{listed(one.conditions)}."
        for one in plan.analyses
        if isinstance(one, Change)
    )


def _dependent(plan: Plan) -> str:
    said = kind_of(plan).words.measured
    return f"{said}, to the question “{inline(plan.design.question)}”.\n\n{measures(plan)}"


def _analyses(plan: Plan) -> str:
    if not plan.analyses and plan.causal is None:
        return "The plan registers no analysis."
    said = [
        f"**{inline(one.id)}** ({inline(one.kind.replace('_', ' '))}"
        + (f", for {inline(one.hypothesis)}" if one.hypothesis else "")
        + "). "
        + " ".join(in_words(one, plan))
        for one in plan.analyses
    ]
    whole = [numbered(said)] if said else []
    if plan.causal is not None:
        whole += ["**The causal estimate.**", *causal_in_words(plan.causal)]
    return "\n\n".join(whole)


def _other(material: Material) -> str:
    plan = material.plan
    parts = [status(material)]
    if plan.judges:
        judged = bullets(
            f"**{inline(one.id)}.** {' '.join(judge(one).split())}" for one in plan.judges
        )
        parts.append(f"Judges that are compared with people:\n\n{judged}")
    parts.append(gate(plan))
    parts.append(
        "The full document (study.md) holds every text, prompt, item and sequence; "
        "`ratify import-preregr` rebuilds the study from it."
    )
    return "\n\n".join(parts)


def _outliers(plan: Plan) -> str:
    return exclusions(plan)


def aspredicted(material: Material) -> list[Asked]:
    """Return AsPredicted's questions with the plan's answers."""
    plan = material.plan
    return [
        Asked(name, "", question, answer)
        for name, question, answer in (
            ("data_collection", "Are there data already?", _collected(material)),
            ("hypothesis", "Main question or hypothesis", hypotheses(plan)),
            (
                "dependent_variable",
                "Dependent variables and how they are measured",
                _dependent(plan),
            ),
            ("conditions", "Conditions and assignment to them", _conditions(plan)),
            ("analyses", "Analyses of the main question", _analyses(plan)),
            ("outliers", "Outliers and exclusions", _outliers(plan)),
            (
                "sample_size",
                "Sample size, and how it is determined",
                f"{sample_size(plan)} {stopping(plan)} {' '.join(map(inline, material.power[:1]))}",
            ),
            ("other", "Anything else", _other(material)),
            ("name", "Name of the preregistration", inline(plan.title)),
            (
                "type_of_study",
                "Type of study (for the registry's records)",
                "Experiment: items, their pairs and their places are assigned to raters at random.",
            ),
            ("data_source", "Source of the data (for the registry's records)", _source(plan)),
        )
    ]


def _source(plan: Plan) -> str:
    if plan.recruitment.platform == "prolific":
        return "Prolific."
    return "The plan names no platform (`generic`): raters come by a link. Say here where from."


def osf(material: Material) -> list[Asked]:
    """Return the sections of OSF's preregistration form with the plan's answers."""
    plan = material.plan
    info, how, whom = "Study Information", "Design Plan", "Sampling Plan"
    what, then, rest = "Variables", "Analysis Plan", "Other"
    return [
        Asked(name, section, question, answer)
        for name, section, question, answer in (
            ("title", info, "Title", inline(plan.title)),
            ("description", info, "Description", _description(material)),
            ("hypotheses", info, "Hypotheses", hypotheses(plan)),
            (
                "study_type",
                how,
                "Study type",
                "Experiment: items and their places are assigned to raters at random.",
            ),
            ("blinding", how, "Blinding", _blinding()),
            ("additional_blinding", how, "Additional blinding", _more_blinding(plan)),
            ("study_design", how, "Study design", design(material)),
            ("randomization", how, "Randomization", _randomization(plan)),
            ("existing_data", whom, "Existing data", _collected(material)),
            (
                "existing_data_explanation",
                whom,
                "Explanation of existing data",
                "The items exist; answers of people to them in this study do not.",
            ),
            (
                "data_collection",
                whom,
                "Data collection procedures",
                recruitment(plan, codes_shown=False),
            ),
            ("sample_size", whom, "Sample size", sample_size(plan)),
            ("sample_size_rationale", whom, "Sample size rationale", power(material.power)),
            ("stopping_rule", whom, "Stopping rule", stopping(plan)),
            ("manipulated_variables", what, "Manipulated variables", _conditions(plan)),
            ("measured_variables", what, "Measured variables", _dependent(plan)),
            ("indices", what, "Indices", _indices(plan)),
            ("statistical_models", then, "Statistical models", _analyses(plan)),
            (
                "transformations",
                then,
                "Transformations",
                "None but those in the formulas and models above. " + own_tables(plan),
            ),
            (
                "inference_criteria",
                then,
                "Inference criteria",
                f"{inference(plan)} {verdict_of_hypotheses(plan)}\n\n{gate(plan)}",
            ),
            ("data_exclusion", then, "Data exclusion", exclusions(plan)),
            ("missing_data", then, "Missing data", _missing(plan)),
            (
                "exploratory_analysis",
                then,
                "Exploratory analysis",
                "Whatever the lock does not hold is labelled exploratory wherever it is reported.",
            ),
            ("other", rest, "Other", _other(material)),
        )
    ]


def _description(material: Material) -> str:
    plan = material.plan
    judged = f" Judges that are compared with people: {listed(j.id for j in plan.judges)}."
    return (
        f"{sample_size(plan)} The question of every trial is “{inline(plan.design.question)}”."
        f"{judged if plan.judges else ''}\n\n{items(material)}"
    )


def _blinding() -> str:
    return (
        "Raters see texts without their sources, scores or ids, and do not know the hypotheses "
        "from "
        "the pages. Nobody meets raters while they answer."
    )


def _more_blinding(plan: Plan) -> str:
    return (
        "Judges get the same texts without sources. The analyses are fixed in the plan, so whoever "
        "runs them makes no choice that could depend on the results."
    )


def _randomization(plan: Plan) -> str:
    return (
        f"Sequences are generated by a seeded generator (seed {code(plan.seed)}) before anybody "
        "takes part, and are part of the lock. They are balanced: items are shown equally often "
        "and "
        "rotate through the places. A rater who consents gets a free place."
    )


def _indices(plan: Plan) -> str:
    if plan.measures is None:
        return "None besides those that the analyses name."
    return measures(plan)


def _missing(plan: Plan) -> str:
    names = [exclusion(one) for one in plan.exclusions if one.rule == "incomplete_session"]
    left = f" {names[0]} are excluded." if names else " Visits that were not finished count too."
    return (
        "An answer that is missing is left out of the analyses that need it, and counted in the "
        f"report; nothing is imputed.{left} What a judge did not answer counts in its coverage, "
        f"which "
        "stands beside each of its numbers."
    )


def form_document(title: str, about: str, asked: list[Asked], material: Material) -> str:
    """Return a registry's form as Markdown."""
    parts = [f"# {title}: {inline(material.plan.title)}", about, status(material)]
    section = ""
    for place, one in enumerate(asked, start=1):
        if one.section and one.section != section:
            section = one.section
            parts.append(f"## {section}")
        number = f"{place}. " if not one.section else ""
        parts.append(f"{'###' if one.section else '##'} {number}{one.question}")
        parts.append(one.answer)
    return "\n\n".join(part for part in parts if part) + "\n"
