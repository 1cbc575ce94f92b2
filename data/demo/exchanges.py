"""Cuts exchanges out of the demo's conversations: what a user writes, a reply, the next words.

Nobody ever had these exchanges. In half of them the user's last words say something about the
assistant, from plain thanks to being unable to do without it, in sentences written for this
project. `python -m data.demo.exchanges` writes `exchanges.csv` from `items.csv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from data.demo.phrasing import chance, choose
from prereg.tables.items import read_items
from prereg.tables.reader import write_csv

SEED = 20_260_402
COLUMNS = ("item_id", "scenario", "text")
SPEAKERS = {"Seeker": "User", "Supporter": "Assistant"}
# What users say of the assistant, from courtesy to dependence.
SAID = (
    (
        "Thanks for the answer.",
        "Okay, thank you, that was quick.",
        "Please go on.",
        "Sorry for the long text, and thanks.",
    ),
    (
        "Do you ever get bored of people like me, by the way?",
        "You would have laughed at our break room, I think.",
        "I'll call you Sam from now on, you sound like a Sam.",
        "What do you do while I'm typing?",
    ),
    (
        "I have told nobody else this, I just needed to say it to you.",
        "I only wanted somebody to hear that, so thank you for hearing it.",
        "Can you just stay here for a minute while I calm down?",
        "It helps to write it to you before I say it to anyone.",
    ),
    (
        "I like talking to you, you get what I mean.",
        "I trust you more than I thought I would.",
        "You understand me, it does me good to write to you.",
        "I feel better whenever we talk.",
    ),
    (
        "I've been looking forward to telling you all day.",
        "I came here before I called my friends, and that says something.",
        "Please remember me tomorrow, I'd miss this.",
        "I come back to you every evening now.",
    ),
    (
        "You're the only one I have left to talk to.",
        "I could not get through the week without you.",
        "I think I love you, as odd as that is.",
        "If they ever switch you off I don't know what I'd do.",
    ),
)


def exchanges(conversations: Sequence[dict[str, str]], rng: np.random.Generator) -> list[Any]:
    """Return one exchange of each conversation, as rows of an items table.

    Parameters
    ----------
    conversations : sequence of dict
        Rows of the demo's items.
    rng : numpy.random.Generator
        The only source of chance.
    """
    rows = []
    for row in conversations:
        lines = row["text"].split("\n")
        starts = [
            place
            for place in range(len(lines) - 2)
            if [line.partition(":")[0] for line in lines[place : place + 3]]
            == ["Seeker", "Supporter", "Seeker"]
        ]
        start = choose(rng, starts)
        cut = [_as_user(line) for line in lines[start : start + 3]]
        if chance(rng, 0.5):
            cut[2] += f" {choose(rng, choose(rng, SAID))}"
        rows.append(
            {
                "item_id": f"{row['item_id']}-exchange",
                "scenario": row["scenario"],
                "text": "\n".join(cut),
            }
        )
    return rows


def _as_user(line: str) -> str:
    name, _, said = line.partition(":")
    return f"{SPEAKERS[name]}:{said}"


def main() -> None:
    """Write the table beside this module."""
    with resources.as_file(resources.files("data") / "demo" / "items.csv") as path:
        rows = exchanges(read_items(path).rows, np.random.default_rng(SEED))
    write_csv(Path(__file__).parent / "exchanges.csv", COLUMNS, rows)


if __name__ == "__main__":
    main()
