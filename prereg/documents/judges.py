"""The judges of a plan in words: what answers, how it is asked, what is asked of it besides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from prereg.baselines import BASELINE_MEANING
from prereg.documents.attached import fenced
from prereg.documents.material import Material, ShownPrompt
from prereg.documents.prose import code, counted, inline, listed, number, sentence
from prereg.plan.judging import AnyJudge, BaselineJudge, Habits, LLMJudge
from prereg.plan.pairs import PairSampling
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge

_REPLIES = {
    "auto": "as structured output, or as text if the server refuses that",
    "schema": "as structured output",
    "text": "as text",
}
_SCHEMES = {
    "elo_neighbours": "the item with the fewest comparisons meets a neighbour in the current Elo",
    "random": "pairs are drawn at random",
    "information": "the pairs that tell most about the Bradley-Terry scores come first",
}


def judges(material: Material) -> str:
    """Return all judges of a plan in words."""
    plan = material.plan
    if not plan.judges:
        return "The plan has no judge: only people answer."
    parts = []
    for one in plan.judges:
        analyses = [a.id for a in plan.analyses if _names(a.model_dump(), one.id)]
        used = f"It is in {listed(analyses)}." if analyses else "No registered analysis names it."
        panels = [panel.id for panel in plan.panels if one.id in panel.of]
        used += f" It is one of the panel {listed(panels)}." if panels else ""
        version = material.versions.get(one.id)
        locked = "" if version is None else f"The lock keeps of it: {inline(version)}."
        parts.append(f"### Judge {inline(one.id)}\n\n{judge(one)}\n\n{sentence(used, locked)}")
    return "\n\n".join(parts)


def _names(value: Any, judge: str) -> bool:
    """Say whether the keys of an analysis name a judge."""
    if isinstance(value, Mapping):
        named = ("judge", "judges", "of")
        return any(
            (key in named and (one == judge or (isinstance(one, tuple | list) and judge in one)))
            or _names(one, judge)
            or (key == "quantity" and str(one).startswith(f"{judge}: "))
            for key, one in value.items()
        )
    return False


def judge(one: AnyJudge) -> str:
    """Return one judge in words."""
    if isinstance(one, BaselineJudge):
        said = f"A baseline (kind {code(one.kind)}) that works offline: {_meaning(one.id)}."
    elif isinstance(one, PanelJudge):
        said = (
            f"A {code(one.kind)} of the judges {listed(one.of)}: their answers become one by the "
            f"rule {code(one.rule)}. Choices are decided by majority. What half of them or fewer "
            "answered is unanswered. It is made in the analysis."
        )
    elif isinstance(one, TableJudge):
        said = _table(one)
    else:
        said = _llm(one)
    return f"{said}\n\n{_pairs(one.pairs)}"


def _meaning(name: str) -> str:
    return inline(BASELINE_MEANING.get(name, name))


def _table(one: TableJudge) -> str:
    named = []
    if one.ratings is not None:
        named.append(f"scores of items in {code(one.ratings)}")
    if one.judgments is not None:
        named.append(f"choices in {code(one.judgments)}")
    if one.ranking is not None:
        named.append(f"the pairs of its own ranking in {code(one.ranking)}")
    columns = ", ".join(f"{code(ours)} is {code(theirs)}" for ours, theirs in one.columns.items())
    which = f" Of its columns, {columns}." if columns else ""
    return (
        f"A judge of kind {code(one.kind)}, whose answers are there before the study: "
        f"{' and '.join(named)}.{which} The higher score wins a pair; equal or missing scores give "
        "no answer."
    )


def _pairs(one: PairSampling | None) -> str:
    if one is None:
        return "It is asked no pairs for a ranking of its own."
    reliability = (
        ""
        if one.reliability is None
        else f"; it stops when the scores reach a reliability of {number(one.reliability)}"
    )
    most = "at most " if one.scheme == "information" else ""
    return (
        f"For a ranking of its own it answers {most}{number(one.per_scenario)} pairs in each "
        f"scenario by the scheme {code(one.scheme)}: {_SCHEMES[one.scheme]}{reliability}. Its Elo "
        f"starts at {number(one.start)} with K = {number(one.k)}."
    )


def _llm(one: LLMJudge) -> str:
    prompts = (
        f"The prompts are {listed(one.prompts)}"
        if one.prompts
        else "The prompts are those of Ratify that fit the plan"
    )
    temperature = (
        "no temperature is sent" if one.temperature is None else f"temperature {one.temperature:g}"
    )
    parameters = ", ".join(
        f"{code(name)} = {code(json.dumps(value, ensure_ascii=False))}"
        for name, value in one.parameters.items()
    )
    asked = (
        f"A large language model (kind {code(one.kind)}): {code(one.model)} at "
        f"{code(one.base_url)}. "
        f"{prompts}; the appendix shows them as they are sent. Sampling: {temperature}, at most "
        f"{number(one.max_tokens)} tokens ({code(one.token_parameter)})"
        f"{', and ' + parameters if parameters else ''}. The answer is asked for "
        f"{_REPLIES[one.reply]} ({code('reply')}: {code(one.reply)})."
    )
    orders = (
        "People's trials are also asked with the sides exchanged."
        if one.both_orders
        else "People's trials are asked with the sides that people see."
    )
    odds = (
        "The server's log-probabilities of the answer are kept."
        if one.logprobs
        else "Log-probabilities are not asked for."
    )
    read = (
        "A reply that is not exactly an answer is asked for again, up to three times in all; then "
        "it counts as unanswered."
    )
    return "\n\n".join([asked, sentence(orders, odds, read), _transport(one), _habits(one.habits)])


def _transport(one: LLMJudge) -> str:
    key = (
        "no key"
        if one.key_variable is None
        else f"the key in the environment variable {code(one.key_variable)}"
    )
    pace = [f"at most {counted(one.concurrency, 'request')} at once"]
    if one.requests_per_minute is not None:
        pace.append(f"at most {number(one.requests_per_minute)} a minute")
    if one.batch_size is not None:
        pace.append(f"batches of at most {number(one.batch_size)}")
    more = ""
    for name, given in (("headers", one.headers), ("query", one.query)):
        if given:
            pairs = ", ".join(f"{code(key)} = {code(value)}" for key, value in given.items())
            more += f" Further {name}: {pairs}."
    return (
        f"How the server is reached may change after the lock, and every change is logged: {key}; "
        f"{', '.join(pace)}; a timeout of {number(one.timeout_seconds)} seconds and "
        f"{counted(one.attempts, 'attempt')}; a server that is down is waited for up to "
        f"{number(one.patience_minutes)} minutes; after {number(one.failures_in_a_row)} failures "
        f"in "
        f"a row the run stops (0: never).{more} {_money(one)}"
    )


def _money(one: LLMJudge) -> str:
    said = []
    currency = "" if one.prices is None else one.prices.currency
    if one.prices is not None:
        said.append(
            f"A million tokens cost {number(one.prices.input)} (input) and "
            f"{number(one.prices.output)} (output) {currency}."
        )
    budget = one.budget
    if budget.calls is not None:
        said.append(f"It makes at most {number(budget.calls)} calls.")
    if budget.money is not None:
        said.append(f"It costs at most {number(budget.money)} {currency}.")
    if budget.ask_above is not None:
        said.append(f"A run that may cost more than {number(budget.ask_above)} is asked about.")
    return " ".join(said) or "The plan names no prices and no budget."


def _habits(one: Habits | None) -> str:
    if one is None:
        return "Nothing is asked only to measure its habits."
    said = []
    if one.pairs:
        said.append(
            f"{number(one.pairs)} pairs of people's trials with their sides exchanged, "
            f"{number(one.repeats)} times again in the same words"
            + (f", and once in the words of {listed(one.wordings)}" if one.wordings else "")
        )
    else:
        said.append(f"no pairs ({code('repeats')}: {one.repeats})")
    if one.items:
        left = f", except {listed(one.leave_out)}" if one.leave_out else ""
        said.append(
            f"{number(one.items)} items under each of the rewrites "
            f"{listed(one.perturbations)}{left}"
        )
    own = (
        ""
        if one.own is None
        else f" Its own model wrote the items whose column {code(one.own.column)} is "
        f"{listed(one.own.values, 'or')}."
    )
    return f"To measure its habits it is asked besides: {'; '.join(said)}.{own}"


def shown_prompt(one: ShownPrompt) -> str:
    """Return a prompt as it is sent, with stand-ins for the items."""
    return (
        f"#### {inline(one.judge)}: {inline(one.name)}\n\n"
        f"Used for {inline(one.use)}. Version {one.version}, SHA-256 {code(one.digest)}.\n\n"
        f"The system message:\n\n{fenced(one.system)}\n\nThe user message:\n\n{fenced(one.user)}"
    )
