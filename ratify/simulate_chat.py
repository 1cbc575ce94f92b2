"""A chat with simulated supporters, judges and raters: from its pages to its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

import click

from prereg.derived import COMPARE, JUDGING
from ratify.command_line import own_stores
from ratify.filling import progress

if TYPE_CHECKING:
    from analysis.results.quantities import Quantity
    from study.chat.study import ChatStudy
    from study.folder import Study
    from study.simulation.chat_truth import Truth

MODE = "bot"


@own_stores()
def run_chat_simulation(study: ChatStudy, *, places: int) -> list[str]:
    """Fill the places of a copied chat, let judges and raters follow, and write the report.

    Parameters
    ----------
    study : ChatStudy
    places : int
        How many supporters are to finish; of the comparison's raters, as large a part comes.

    Returns
    -------
    list of str
        What was found, and what was planted.

    Raises
    ------
    RatifyError
        When a page, a judge or an analysis fails.
    """
    from ratify.stages import derive, export_chat_tables
    from study.simulation.supporters import simulate_supporters

    folder, plan = study.folder, study.plan
    # supporters mostly wait for the server, which is a process of its own
    with ThreadPoolExecutor(1) as aside:
        truth = aside.submit(truth_of, study)
        with progress(places, "simulated supporters") as ended:
            sent = simulate_supporters(study, places=places, ended=ended)
    click.echo(sent.sentence)
    export_chat_tables(folder)
    notes = [sent.sentence]
    if plan.judges:
        derive(folder, plan, mode=MODE)
        notes += _judge(folder, study, sent.skills)
    if plan.judges or plan.compare is not None:
        derive(folder, plan, mode=MODE)
    if plan.compare is not None:
        notes.append(_compare(folder, study, sent.skills, places))
    if not plan.judges and plan.compare is None:
        return []
    return _analysed(study, notes, truth.result())


def _judge(folder: Path, study: ChatStudy, skills: Mapping[tuple[str, int], float]) -> list[str]:
    """Let the judges score every conversation; return what the report says of simulated ones."""
    from study.opening import open_study
    from study.simulation.judges import SIMULATED, simulate_judges
    from study.store.database import open_store

    judging = open_study(folder / JUDGING, must_be_locked=True)
    with closing(open_store(judging.folder, None)) as store:
        lines = simulate_judges(store, judging, qualities(study, judging, skills))
    for line in lines:
        click.echo(line)
    return [f"{line[0].upper()}{line[1:]}" for line in lines if SIMULATED in line]


def _compare(
    folder: Path, study: ChatStudy, skills: Mapping[tuple[str, int], float], places: int
) -> str:
    """Let simulated raters compare conversations; return what became of them."""
    from study.opening import open_study
    from study.simulation.quality import known_of
    from study.simulation.raters import simulate_people
    from study.simulation.times import give_times
    from study.store.database import open_store

    compared = open_study(folder / COMPARE, must_be_locked=True)
    known = known_of(compared, qualities(study, compared, skills))
    share = places / study.plan.design.supporters
    raters = max(1, round(share * compared.plan.design.raters))
    with progress(raters, "simulated raters") as ended:
        sent = simulate_people(compared, known, places=raters, ended=ended)
    click.echo(sent.sentence)
    with closing(open_store(compared.folder, None)) as store:
        give_times(store, compared, sent.careless)
    return sent.sentence


def qualities(
    study: ChatStudy, derived: Study, skills: Mapping[tuple[str, int], float]
) -> dict[str, float]:
    """Return how good each item of a derived study is, in standard deviations.

    Parameters
    ----------
    study : ChatStudy
    derived : Study
    skills : mapping
        The skill that each conversation was written with, by the supporter's id and the round.
    """
    from sqlalchemy import select

    from prereg.chat.items import item_id
    from study.store.chat_tables import Conversation
    from study.store.database import open_store

    # exported tables hold pseudonyms instead of ids
    talks = select(Conversation.conversation_id, Conversation.rater_id, Conversation.round).where(
        Conversation.plan_hash == study.root_hash, Conversation.mode == MODE
    )
    with closing(open_store(study.folder, None)) as store, store.reading() as connection:
        by_item = {
            item_id(study.root_hash, talk): skills[rater, number]
            for talk, rater, number in connection.execute(talks)
            if (rater, number) in skills
        }
    found = {name: by_item[name] for name in derived.items}
    middle, spread = fmean(found.values()), pstdev(found.values()) or 1.0
    return {name: (skill - middle) / spread for name, skill in found.items()}


def _analysed(study: ChatStudy, notes: list[str], truth: Truth) -> list[str]:
    """Run the analyses of both stages, and write the report."""
    from analysis.gate import judge_results
    from analysis.report.page import write_report
    from analysis.run import analyze_study
    from prereg.simulated import mark_simulated
    from ratify.analyses_shown import analyses_shown
    from ratify.stages import bring_stages_up_to_date

    place = bring_stages_up_to_date(study.folder, study.plan, mode=MODE)
    for folder in (study.folder, place):
        mark_simulated(folder, notes, truth=truth.sentence())
    click.echo("The analyses run now. They can take minutes, those of agreement longest.")
    with analyses_shown() as began:
        results = analyze_study(place, mode=MODE, began=began)
    write_report(place / "results")
    return [
        "\nWhat the analysis found (simulated supporters and raters):",
        *(f"  {sentence}" for sentence in results.headline),
        *(f"  {line}" for line in judge_results(place).lines()),
        *planted_and_found(truth, results.quantities),
    ]


def planted_and_found(truth: Truth, quantities: Sequence[Quantity]) -> list[str]:
    """Return, for each planted effect that an analysis estimates, both numbers in a line.

    Parameters
    ----------
    truth : Truth
    quantities : sequence of Quantity
        Those of a contrast that is called like a condition, or like a difference of two
        (`coach - video`), are compared, by the outcome's name; each once.
    """
    from analysis.results.numbers import number

    once: dict[str, Quantity] = {}
    for one in quantities:
        once.setdefault(one.label, one)
    lines, within = [], 0
    for label, one in once.items():
        score, _, condition = label.partition(": ")
        planted = _planted(truth, score, condition)
        if planted is None or one.low is None or one.high is None or one.estimate is None:
            continue
        holds = one.low <= planted <= one.high
        within += holds
        lines.append(
            f"  {score}, {condition}: planted {number(planted, 2)}, found "
            f"{number(one.estimate, 2)} [{number(one.low, 2)}, {number(one.high, 2)}]"
            f"{'' if holds else ', which does not contain it'}"
        )
    if not lines:
        return []
    said = (
        f"{within} of {len(lines)} planted effects lie within their interval; of 95% intervals, "
        "one in twenty does not hold what it should"
    )
    return ["\nWhat was planted and what was found, in points:", *lines, f"  {said}"]


def _planted(truth: Truth, score: str, condition: str) -> float | None:
    """Return what is planted for a condition, or for the difference of two; None if nothing is."""
    first, _, second = condition.partition(" - ")
    found = [truth.points.get(name, {}).get(score) for name in (first, second) if name]
    if not found or any(points is None for points in found):
        return None
    return sum(sign * (points or 0.0) for sign, points in zip((1, -1), found, strict=False))


def truth_of(study: ChatStudy) -> Truth:
    """Return what is planted in a chat, in points of the lexical judge."""
    from study.chat.partner import Said
    from study.chat.scripted import scripted_reply
    from study.simulation.chat_truth import Answerer, planted
    from study.simulation.chats import offline

    here = offline(study)

    def partner(scenario: str) -> Answerer:
        said = [Said(0, "partner", here.plan.scenario(scenario).opening)]
        kept: list[str | None] = [None]

        def answer(words: str) -> str:
            said.append(Said(said[-1].turn + 1, "supporter", words))
            reply, kept[0] = scripted_reply(here, scenario, scenario, said, kept[0])
            said.append(Said(said[-1].turn, "partner", reply))
            return reply

        return answer

    return planted(study.plan, partner)
