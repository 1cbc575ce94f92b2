"""One check and its answer, with the reason in one line.

The answer is yes, the same digits but not the same bytes, no, or that it cannot be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prereg.errors import RatifyError

Answer = Literal["yes", "same digits", "no", "cannot check"]
# Differences that one line shows.
SHOWN = 3


@dataclass(frozen=True)
class Check:
    """One line of the verification.

    Attributes
    ----------
    name : str
        What was asked.
    answer : {'yes', 'same digits', 'no', 'cannot check'}
    says : str
        What was found, or what differs; one line, or empty.
    """

    name: str
    answer: Answer
    says: str

    def line(self) -> str:
        """Return the check as a line of the command."""
        return f"{self.answer:<12}  {self.name}" + (f": {self.says}" if self.says else "")

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON."""
        return {"check": self.name, "answer": self.answer, "says": self.says}


def yes(name: str, says: str) -> Check:
    """Return a check that holds."""
    return Check(name, "yes", says)


def nearly(name: str, says: str) -> Check:
    """Return a check that holds for numbers, to the digits that it says, and not for bytes."""
    return Check(name, "same digits", says)


def no(name: str, says: str) -> Check:
    """Return a check that does not hold."""
    return Check(name, "no", says)


def cannot(name: str, says: str) -> Check:
    """Return a check that nothing in the folder can answer."""
    return Check(name, "cannot check", says)


def checked(name: str, check: Callable[[], Check]) -> Check:
    """Return what a check finds; an input that is wrong is a no, with its one line."""
    try:
        return check()
    except RatifyError as error:
        return no(name, str(error))
    except OSError as error:  # a folder in place of a file, or a file that may not be read
        where = f"{error.filename}: " if error.filename else ""
        return no(name, f"{where}cannot be read: {error.strerror or 'some files'}")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # a file whose parts were edited into something else than their kind
        return no(name, f"a file is not what Ratify wrote: {' '.join(str(error).split())}")


def listed_differences(differences: Sequence[str]) -> str:
    """Return the first differences and the number of the others, in one line."""
    more = len(differences) - SHOWN
    shown = "; ".join(differences[:SHOWN])
    return f"{shown}; {more} more" if more > 0 else shown
