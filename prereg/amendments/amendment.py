"""One amendment of a locked plan: what changed, why, and what was known at that moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Literal, get_args

from prereg import files

AMENDMENTS_FILE = "plan.amendments.jsonl"
State = Literal["no_data", "not_looked", "seen"]
# A change of a text is shown by its length; the amendment keeps the whole text.
_LONGEST = 80
_LONGEST_VALUE = 400  # an analysis that was added has to be readable


@dataclass(frozen=True)
class Known:
    """What was known when a plan was amended, counted in the store and in the log of looks.

    Attributes
    ----------
    state : {'no_data', 'not_looked', 'seen'}
        No live answer yet; live answers, but no result of them; results.
    visits, answers, judged : int
        Live visits of people, their answers, and the answers of judges.
    first_look : str or None
        When results were first produced, ISO 8601 in UTC.
    """

    state: State
    visits: int = 0
    answers: int = 0
    judged: int = 0
    first_look: str | None = None

    def __post_init__(self) -> None:
        if self.state not in get_args(State):
            raise ValueError(self.state)

    @property
    def sentence(self) -> str:
        """What was known, in words."""
        if self.state == "no_data":
            return "no data: nobody had answered"
        had = f"{self.visits:,} visits with {self.answers:,} answers of people"
        had += f" and {self.judged:,} answers of judges" if self.judged else ""
        if self.state == "not_looked":
            return f"data, but no results: {had}, and no results had been made of them"
        return f"results: {had}; results were first made at {self.first_look}"


@dataclass(frozen=True)
class Change:
    """One change of an amendment.

    Attributes
    ----------
    part : str
        A part of the lock: plan, judges, consent, instructions, prompts, items, sequences, images,
        frame.
    key : str
        The key within the part; empty if the part is one text.
    before, after : object
        As JSON holds them; None if the key was or is absent.
    """

    part: str
    key: str
    before: Any
    after: Any

    @property
    def place(self) -> str:
        """The part and the key."""
        return f"{self.part}: {self.key}" if self.key else self.part

    @property
    def sentence(self) -> str:
        """The change in one line."""
        if isinstance(self.before, str) and isinstance(self.after, str) and "\n" in self.before:
            return f"{self.place}: {_words_changed(self.before, self.after)}"
        if self.before is None:
            return f"{self.place}: added {_short(self.after)}"
        if self.after is None:
            return f"{self.place}: removed {_short(self.before)}"
        return f"{self.place}: {_short(self.before)} became {_short(self.after)}"


def _words_changed(before: str, after: str) -> str:
    """Return the first words of a text that differ, and how many more do."""
    old, new = before.split(), after.split()
    edits = [
        e for e in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if e[0] != "equal"
    ]
    if not edits:
        return "only its spaces and lines differ"
    _, a, b, c, d = edits[0]
    gone, come = (" ".join(words) for words in (old[a:b], new[c:d]))
    said = f"{_short(gone)} became {_short(come)}" if gone and come else ""
    said = said or (f"removed {_short(gone)}" if gone else f"added {_short(come)}")
    more = len(edits) - 1
    return f"{said}; {more} more {'change' if more == 1 else 'changes'}" if more else said


def _short(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return f"a text of {len(value.split()):,} words"
    text = json.dumps(value, ensure_ascii=False)
    longest = _LONGEST if isinstance(value, str) else _LONGEST_VALUE
    return text if len(text) <= longest else f"{text[:longest]}..."


@dataclass(frozen=True)
class Amendment:
    """One amendment, as one line of `plan.amendments.jsonl` holds it.

    Attributes
    ----------
    number : int
        1, 2, ...
    at : str
        ISO 8601, UTC.
    reason : str
        In the researcher's words.
    known : Known
    changes : tuple of Change
    parts : mapping
        SHA-256 by part of the amended study; see `prereg.lock.Lock`.
    locked : mapping
        What the parts plan, judges, consent, instructions and prompts hold from now on.
    rows : int
        Rows of the sequences table from now on; earlier rows are the same, unless there was no
        data.
    transport : mapping
        How the servers of judges that are new were to be reached.
    of_lock : mapping
        The time, tool and code of the lock, which the hash of the plan does not cover.
    previous : str
        Plan hash of the version before.
    tool, code : str
        Program that wrote it, and the hash of its analysis code.
    plan_hash : str
        SHA-256 over all of the above; rows of data that are made from now on carry it.
    """

    number: int
    at: str
    reason: str
    known: Known
    changes: tuple[Change, ...]
    parts: Mapping[str, str]
    locked: Mapping[str, Any] = field(repr=False)
    rows: int
    transport: Mapping[str, Mapping[str, Any]] = field(repr=False)
    of_lock: Mapping[str, str]
    previous: str
    tool: str
    code: str
    plan_hash: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the amendment as its line holds it."""
        content = asdict(self)
        return {**content, "changes": [asdict(change) for change in self.changes]}

    def seal(self) -> str:
        """Return the hash that follows from everything else."""
        content = self.to_json()
        del content["plan_hash"]
        return files.sha256(files.canonical_json(content))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Amendment:
        """Return the amendment that a line holds.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is not an amendment.
        """
        made = cls(
            **{
                **content,
                "number": int(content["number"]),
                "rows": int(content["rows"]),
                "known": Known(**content["known"]),
                "changes": tuple(Change(**change) for change in content["changes"]),
                "parts": {str(k): str(v) for k, v in content["parts"].items()},
            }
        )
        made.refuse_other_types()
        return made

    def refuse_other_types(self) -> None:
        """Raise ValueError if a value is not of its type: whoever edits a line can hash it anew."""
        known = self.known
        texts = [self.at, self.reason, self.previous, self.tool, self.code, self.plan_hash]
        texts += [text for one in self.changes for text in (one.part, one.key)]
        held = {"plan": dict, "judges": list, "consent": str, "instructions": str, "prompts": dict}
        right = (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(n, int) for n in (known.visits, known.answers, known.judged))
            and isinstance(known.first_look, str | None)
            and all(isinstance(one, dict) for one in (self.locked, self.of_lock, self.transport))
            and all(isinstance(how, dict) for how in self.transport.values())
            and all(isinstance(self.locked.get(k, kind()), kind) for k, kind in held.items())
            and self.at.endswith("Z")
        )
        if not right:
            raise ValueError(self.number)
        datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class Version:
    """One version of a plan: as it was locked, or as an amendment left it.

    Attributes
    ----------
    number : int
        0 for the lock, then the number of the amendment.
    plan_hash, at : str
    parts, locked : mapping
        As in `Amendment`; `locked` may lack texts in a lock of an earlier release.
    rows : int or None
        Rows of the sequences table; None if not known.
    reason : str
        Empty for the lock.
    known : Known or None
        None for the lock.
    changes : tuple of Change
    """

    number: int
    plan_hash: str
    at: str
    parts: Mapping[str, str]
    locked: Mapping[str, Any] = field(repr=False)
    rows: int | None = None
    reason: str = ""
    known: Known | None = None
    changes: tuple[Change, ...] = ()
