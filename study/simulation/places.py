"""What simulated raters and simulated supporters have in common: the places that they fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prereg.errors import RatifyError
from study.chat.study import ChatStudy
from study.folder import Study
from study.visits.links import signature, signing_key

# So many are sent for a place, until it counts as one that cannot be filled.
MOST_PER_PLACE = 20
# So many arrive one after the other, and then answer or talk together.
TOGETHER = 100


@dataclass(frozen=True)
class Crowd:
    """Those who are simulated.

    Attributes
    ----------
    noun : str
        What the plan calls them.
    name : str
        With what the ids begin that the study gives.
    prolific : str
        With what the ids begin that Prolific would give: hexadecimal digits.
    """

    noun: str
    name: str
    prolific: str

    def link_of(self, study: Study | ChatStudy, number: int) -> tuple[str, Mapping[str, str]]:
        """Return the id of one of them and the parameters of a link that the plan accepts."""
        recruitment = study.plan.recruitment
        if recruitment.platform == "prolific":
            rater_id = f"{self.prolific}{number:021x}"  # 24 hexadecimal digits, as Prolific's ids
            more = {"STUDY_ID": "simulated", "SESSION_ID": f"simulated-{number:04d}"}
            return rater_id, {"PROLIFIC_PID": rater_id, **more}
        rater_id = f"{self.name}-{number:04d}"
        if recruitment.links == "signed":
            key = signing_key(study.folder)
            return rater_id, {"rater": rater_id, "sig": signature(key, rater_id)}
        return rater_id, {"rater": rater_id}

    def refuse(self, places: int, *, most: int) -> None:
        """Raise `RatifyError` if a study has fewer places than are to be filled."""
        if not 1 <= places <= most:
            raise RatifyError(
                f"is not a number of simulated {self.noun} for this plan",
                file="--raters",
                value=places,
                allowed=f"1 to {most}, the plan's {self.noun}",
            )


RATERS = Crowd("raters", "bot", "b07")
SUPPORTERS = Crowd("supporters", "talker", "c07")


def next_together(number: int, wanted: int) -> range:
    """Return the numbers of the next who come together, after the last who came."""
    return range(number + 1, number + min(wanted, TOGETHER) + 1)


def said_of_empty(places: int, finished: int) -> str:
    """Return the end of a sentence: how many places stayed empty, if any did."""
    if finished >= places:
        return ""
    return f"; {places - finished:,} of {places:,} places stayed empty"
