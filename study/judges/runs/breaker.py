"""Stop a run whose requests fail one after the other for a reason that does not pass by itself.

Failures are counted in the order in which their calls were sent. An answer ends the row of failures
only if its call was sent after theirs. If a server turns bad, the answers that are still on their
way hide nothing. There is one row for all requests, and one for each prompt: a server may answer
one kind of question and reject every question of another kind.

Some requests fail although the server works: an item that it declines to read, say. They must not
end a run. A request that failed before a call that was answered is such an odd one: its further
failures do not count. Refusals of one and the same item count only if there are many of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.llm.errors import advice
from study.llm.reply import PASSING, short

# So many times more failures end a run if one item is in all of them, and it alone may be refused.
ONE_ITEM = 5
# Characters of a reply that are shown.
SHOWN = 120


@dataclass(frozen=True)
class Failure:
    """A call that failed for a reason that lasts.

    Attributes
    ----------
    number : int
        Its place in the order of calls.
    request_id, reason, words : str
        The words are the server's, or say what is wrong with the reply.
    reply : str
        The reply, if there was one.
    items : frozenset of str
        The items that the request shows.
    """

    number: int
    request_id: str
    reason: str
    words: str
    reply: str = ""
    items: frozenset[str] = frozenset()


@dataclass
class _Row:
    """Failures in a row, of all requests or of one prompt."""

    has_worked: bool = False  # in an earlier run
    answers: int = 0
    answered: int = 0  # the last call that was answered
    failures: list[Failure] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    odd: set[str] = field(default_factory=set)  # requests that failed while others were answered
    # their failures among calls that may have been under way together with the last answered one
    beside: list[Failure] = field(default_factory=list)
    together: int = 1

    def has_room(self, most: int) -> bool:
        """Say whether one more call may be sent before others are back."""
        if not self.open:
            return True  # otherwise nothing would ever change
        if not self.answers and not self.failures:
            return False  # the first call goes alone
        if self.failures or not self.answers:
            after = sum(number > self.answered for number in self.open)
            return len(self.failures) + after < most
        return self.answers >= 2 * most or len(self.open) < most

    def answer(self, number: int) -> None:
        """Note an answer: it ends the row of the failures that were sent before it."""
        self.answers += 1
        self.answered = max(self.answered, number)
        before = [one for one in self.failures if one.number < self.answered]
        self.failures = [one for one in self.failures if one.number > self.answered]
        self._set_aside(before)

    def fail(self, failure: Failure) -> None:
        """Note a failure, unless a later call was answered or the request has shown to be odd."""
        if failure.number < self.answered:
            self._set_aside([failure])
        elif failure.request_id not in self.odd:
            self.failures.append(failure)
            self.failures.sort(key=lambda one: one.number)

    def _set_aside(self, failures: list[Failure]) -> None:
        self.odd |= {one.request_id for one in failures}
        near = self.answered - self.together
        self.beside = [one for one in [*self.beside, *failures] if one.number > near]

    def is_long(self, most: int) -> bool:
        """Say whether the failures in a row are too many."""
        requests = len({one.request_id for one in self.failures})
        if self._is_of_one_item() and (self.answers or self.has_worked):
            return requests >= ONE_ITEM * most
        if requests >= most:
            return True
        if len(self.failures) < most:
            return False
        # few requests, each asked several times: they may be the last ones, and odd ones
        if self.answers:
            return requests >= max(2, -(-most // 3))
        rejected = all(one.reason == "rejected" for one in self.failures)
        return not self.has_worked or (rejected and requests >= max(2, most // 2))

    def _is_of_one_item(self) -> bool:
        """Say whether every failure is a refusal, and one item is in all of them."""
        if not self.failures or any(one.reason != "refused" for one in self.failures):
            return False
        return bool(frozenset.intersection(*(one.items for one in self.failures)))


class Breaker:
    """Counts failures in a row, and says when they are too many.

    Parameters
    ----------
    judge : LLMJudge
    worked : iterable of str
        The prompts that have been answered in earlier runs.
    """

    def __init__(self, judge: LLMJudge, worked: Iterable[str] = ()) -> None:
        self.judge = judge
        self.most = judge.failures_in_a_row
        self._worked = frozenset(worked)
        self._rows = {"": _Row(has_worked=bool(self._worked), together=judge.concurrency)}
        self._number = 0
        self._long: _Row | None = None
        self._changed = asyncio.Event()

    def has_room(self, prompt: str) -> bool:
        """Say whether a call may be sent now: few, while failures mount up or at the start."""
        return not self.most or all(row.has_room(self.most) for row in self._of(prompt))

    async def change(self) -> None:
        """Wait until a call has come back, or the run ends."""
        self._changed.clear()
        await self._changed.wait()

    def sent(self, prompt: str) -> int:
        """Note that a call is being sent; return its number."""
        self._number += 1
        for row in self._of(prompt):
            row.open.add(self._number)
        return self._number

    def back(self, number: int, prompt: str) -> None:
        """Note that a call is over; without an answer or a lasting failure, it shows nothing."""
        for row in self._of(prompt):
            row.open.discard(number)
        self._changed.set()

    def answered(self, number: int, prompt: str) -> None:
        """Note an answer that could be read."""
        for row in self._of(prompt):
            row.answer(number)
        self.back(number, prompt)

    def failed(self, prompt: str, failure: Failure) -> None:
        """Note a failure that does not pass by itself."""
        for row in self._of(prompt):
            if self.most:
                row.fail(failure)
            if self.most and row.is_long(self.most):
                self._long = self._long or row
        self.back(failure.number, prompt)

    @property
    def calls(self) -> int:
        """How many calls have been sent."""
        return self._number

    def is_calm(self, prompt: str, since: int = 0) -> bool:
        """Say whether the last calls were answered, so that a failed request may be repeated.

        Parameters
        ----------
        prompt : str
        since : int
            How many calls had been sent when the request failed. A later call must have been
            answered: one that was under way at that time may have reached the server before.
        """
        rows = self._of(prompt) if self.most else ()
        return not any(row.failures or row.answered <= since for row in rows)

    def wake(self) -> None:
        """Let everybody look again, because the run ends."""
        self._changed.set()

    @property
    def is_open(self) -> bool:
        """Whether the failures in a row are too many."""
        return self._long is not None

    def blamed(self) -> set[str]:
        """Return the requests that failed in the row; they are not to blame.

        Calls that were under way together reach a server in any order, so those that failed
        beside the last answered one may already have met the server that turned bad.
        """
        if self._long is None:
            return set()
        return {one.request_id for one in [*self._long.failures, *self._long.beside]}

    def error(self) -> RatifyError:
        """Return why the run stops, in the server's own words."""
        assert self._long is not None
        failures = self._long.failures
        return broken(self.judge, failures, said=f"the last {len(failures)} calls failed")

    def _of(self, prompt: str) -> tuple[_Row, _Row]:
        if prompt not in self._rows:
            self._rows[prompt] = _Row(
                has_worked=prompt in self._worked, together=self.judge.concurrency
            )
        return self._rows[""], self._rows[prompt]


def broken(judge: LLMJudge, failures: list[Failure], *, said: str) -> RatifyError:
    """Return the error that ends a run in which too much fails.

    Parameters
    ----------
    judge : LLMJudge
    failures : list of Failure
        At least one.
    said : str
        What has happened.
    """
    reason = Counter(one.reason for one in failures).most_common(1)[0][0]
    last = next(one for one in reversed(failures) if one.reason == reason)
    all_alike = all(one.reason == reason for one in failures)
    column, value, allowed = _key(judge, reason, last.words)
    return RatifyError(
        f"judge '{judge.id}': {said}{'' if all_alike else ', mostly'}: {_sentence(last)}. The run "
        "has stopped; everything that is not answered is asked again by the next `ratify judge`",
        column=column,
        value=value,
        allowed=allowed,
    )


def _sentence(last: Failure) -> str:
    """Return what the last failure says, with the beginning of the reply if there is one."""
    reply = short(last.reply)
    shown = f"; the last reply begins '{reply[:SHOWN]}'" if reply else ""
    if last.reason == "rejected":
        return f"the server rejects every request: {last.words}"
    if last.reason == "refused":
        return f"the judge or its server refuses: {last.words or 'no reason given'}{shown}"
    if last.reason == "cut_off" or last.reason in PASSING:
        return f"{last.words}{shown}"
    return f"the reply cannot be read: {last.words}{shown}"


def _key(judge: LLMJudge, reason: str, words: str) -> tuple[str, object, str]:
    """Return the key of the plan to look at, its value, and what could help."""
    if reason == "cut_off":
        return (
            "max_tokens",
            judge.max_tokens,
            "more, above all for a model that thinks before it answers",
        )
    if reason == "rejected":
        key, allowed = advice(words)
        return key, getattr(judge, key), allowed
    if reason in PASSING:
        return "base_url", judge.base_url, "a server that answers"
    patient = "or `failures_in_a_row: 0` if this is right"
    if reason == "refused":
        return "model", judge.model, f"a model that answers such questions, {patient}"
    return "model", judge.model, f"a model that answers in the form asked for, {patient}"
