"""`ratify new`: makes a study folder from a worked plan."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ratify.chats import make_chat
from ratify.command_line import STUDY, main, on_terminal
from ratify.reading_options import reading_options

if TYPE_CHECKING:
    from prereg.tables.reading import Reading
    from prereg.worked_plans import Choices


@main.command()
@STUDY
@click.option(
    "--items",
    type=click.Path(path_type=Path),
    help="Your items: CSV, Excel (FILE.xlsx#SHEET for one sheet), JSON, JSONL, Parquet.",
)
@click.option("--id", "id_column", default="item_id", show_default=True, help="Its id column.")
@click.option("--text", "text_column", default="text", show_default=True, help="Its text column.")
@click.option("--scenario", "scenario_column", help="Its scenario column. Default: one scenario.")
@click.option(
    "--frame",
    type=click.Path(path_type=Path),
    help="All units of a causal study, as `ratify turns --sample` writes them: Parquet or CSV. "
    "Then `ratify judge --frame` scores them, and `ratify sample` draws those for people.",
)
@click.option(
    "--plan",
    "worked",
    help="The worked plan: pairwise_preference (default), best_response, best_worst_sources, "
    "coaching_ratings, empathy_attachment, empathy_rating, judge_reliability or source_ratings; or "
    "a chat: coaching_trial.",
)
@click.option("--language", help="Of the texts and the pages: en (default), de, ar.")
@click.option(
    "--title",
    help="The title of the study. Its id follows from it, or from the name of DIR if it has no "
    "Latin letters.",
)
@click.option(
    "--question",
    help="What raters are asked on every page; of a chat, those who compare its conversations.",
)
@click.option(
    "--raters",
    type=int,
    help="How many people take part: raters; of a chat, those who talk with the partner.",
)
@click.option("--trials", type=int, help="How many trials each of them answers.")
@click.option(
    "--platform", type=click.Choice(["generic", "prolific"]), help="Where raters come from."
)
@click.option("--code", help="The completion code that raters take back.")
@click.option("--yes", is_flag=True, help="Ask nothing on a terminal.")
@reading_options
def new(
    folder: Path,
    items: Path | None,
    id_column: str,
    text_column: str,
    scenario_column: str | None,
    frame: Path | None,
    worked: str | None,
    reading: Reading,
    *,
    yes: bool,
    **choices: Any,
) -> None:
    """Make a study folder DIR from a worked plan, with your items or the demo's.

    On a terminal it asks for what no option gives; Enter keeps what is in brackets. Elsewhere, and
    with --yes, what is not given stays as the worked plan has it.
    """
    from prereg.chat.worked import worked_chats
    from prereg.kinds.registry import kind_of
    from prereg.worked_plans import id_of
    from study.scaffold import new_study, refuse_taken

    refuse_taken(folder)
    called = folder.resolve().name
    if frame is not None and worked is None:
        worked = "empathy_attachment"
    asked = Asked(items, id_column, text_column, scenario_column, worked, choices, called, frame)
    if not yes and on_terminal():
        asked.ask()
    if asked.plan in worked_chats():
        given = {"--items": asked.items, "--frame": frame, "--scenario": scenario_column}
        make_chat(folder, asked.plan, asked.chosen(), given)
        return
    study = new_study(
        folder,
        items=asked.items,
        id_column=asked.id_column,
        text_column=asked.text_column,
        scenario_column=asked.scenario_column,
        worked=asked.plan,
        frame=frame,
        reading=reading,
        choices=asked.chosen(),
    )
    design = study.plan.design
    click.echo(
        f"{folder}: {len(study.items)} items, {design.sequences} sequences of "
        f"{design.trials} {kind_of(study.plan).noun(study.plan)}"
    )
    title = asked.choices["title"]
    if title is not None:
        click.echo(f"its id is {study.plan.id}, from {id_of(title, called)[1]}")
    name = shlex.quote(str(folder))
    if frame is None:
        then = f"`ratify check {name}`"
    else:
        then = (
            f"`ratify judge {name} --frame` if a judge is to score it, then `ratify sample {name}`"
        )
    click.echo(
        f"Next: read and edit plan.yaml, consent.md and instructions.md in {folder} "
        f"(`ratify lock` stops at texts that nobody edited), then {then}"
    )


@dataclass
class Asked:
    """What the options say of a new study, and what is asked for the rest."""

    items: Path | None
    id_column: str
    text_column: str
    scenario_column: str | None
    worked: str | None
    choices: dict[str, Any]
    folder: str
    frame: Path | None = None

    @property
    def plan(self) -> str:
        """The name of the worked plan."""
        from prereg.worked_plans import WORKED

        return self.worked or WORKED

    def chosen(self) -> Choices:
        """Return the choices; what nobody made stays as the worked plan has it."""
        from prereg.worked_plans import Choices

        made = {name: value for name, value in self.choices.items() if value is not None}
        return Choices(**made, folder=self.folder)

    def ask(self) -> None:
        """Ask for what no option gave, with what the worked plan has as the default."""
        from prereg.chat.worked import worked_chats
        from prereg.plan.file import parse_plan
        from prereg.worked_plans import WORKED, chosen_plan, languages_of, worked_plans

        if self.worked is None:
            every = [*worked_plans(), *worked_chats()]
            self.worked = click.prompt("Worked plan", type=click.Choice(every), default=WORKED)
        if self.worked in worked_chats():
            self._ask_of_chat(self.worked)
            return
        if self.items is None and self.frame is None:
            self._ask_items()
        if self.choices["language"] is None:
            known = click.Choice(languages_of(self.plan))
            self.choices["language"] = click.prompt("Language", type=known, default="en")
        plan = parse_plan(chosen_plan(self.plan, self.chosen()), file="plan.yaml")
        recruitment = plan.recruitment
        platforms = click.Choice(["generic", "prolific"])
        self._ask("title", "Title", plan.title, str)
        self._ask("question", "Question", plan.design.question, str)
        self._ask("raters", "Number of raters", plan.design.raters, int)
        self._ask("trials", "Trials per rater", plan.design.trials, int)
        self._ask("platform", "Platform", recruitment.platform, platforms)
        self._ask("code", "Completion code", recruitment.codes.completed, str)

    def _ask_of_chat(self, worked: str) -> None:
        """Ask for what no option gave of a plan of kind chat."""
        from prereg.chat.file import parse_chat_plan
        from prereg.chat.worked import chosen_chat

        plan = parse_chat_plan(chosen_chat(worked, self.chosen()), file="plan.yaml")
        platforms = click.Choice(["generic", "prolific"])
        self._ask("title", "Title", plan.title, str)
        self._ask("raters", "Number of participants", plan.design.supporters, int)
        self._ask("platform", "Platform", plan.recruitment.platform, platforms)
        self._ask("code", "Completion code", plan.recruitment.codes.completed, str)

    def _ask(self, name: str, text: str, default: Any, kind: Any) -> None:
        """Ask for one choice; the default leaves the worked plan as it is."""
        if self.choices[name] is None:
            said = click.prompt(text, default=default, type=kind)
            self.choices[name] = None if said == default else said

    def _ask_items(self) -> None:
        """Ask for a table of items and its columns; none means the demo's."""
        path = click.prompt(
            "Your items (a file; Enter: the demo's)", default="", show_default=False
        )
        if not path:
            return
        self.items = Path(path).expanduser()
        self.id_column = click.prompt("Its id column", default=self.id_column)
        self.text_column = click.prompt("Its text column", default=self.text_column)
        if self.scenario_column is None:
            said = click.prompt(
                "Its scenario column (Enter: one scenario)", default="", show_default=False
            )
            self.scenario_column = said or None
