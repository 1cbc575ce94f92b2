"""Estimate what a judge costs before anything is sent, and never exceed its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.judges.ledger.reading import LedgerReading
from study.judges.prompts.chosen import Question
from study.judges.runs.ranking import RankingRun
from study.judges.wanted.asked import Asked
from study.judges.wanted.probes import everything
from study.judges.wanted.wanted import Wanted
from study.llm.prices import MESSAGE_TOKENS, most_tokens, price
from study.llm.reply import Reply
from study.llm.tokens import about_tokens

# Tokens of an answer, if none has been seen yet: a letter, or a short object of scores.
ANSWER_TOKENS = {"pairwise": 8, "best_worst": 16, "rating": 10}
# How many requests an estimate looks at.
LOOKED_AT = 200


def some_tokens(question: Question) -> float:
    """Return about how many tokens a question has, rather more than fewer."""
    return sum(about_tokens(message["content"]) + MESSAGE_TOKENS for message in question.messages)


class Purse:
    """The budget of a judge: what a call may cost at most is set aside before it is sent.

    "At most" is a token for every byte of the question, and `max_tokens` of answer. Only a server
    that counts more than that can exceed the budget, and only by the calls that are under way: the
    next call is not sent.

    Parameters
    ----------
    judge : LLMJudge
    calls : int
        Calls sent so far, in all runs.
    money : float
        Money spent so far.
    """

    def __init__(self, judge: LLMJudge, *, calls: int, money: float) -> None:
        self.judge = judge
        self.calls = calls
        self.money = money
        self._aside: list[float] = []

    @property
    def may_grow(self) -> bool:
        """Whether calls under way may turn out cheaper, so that more of the budget is left."""
        budget = self.judge.budget
        return bool(self._aside) and (budget.calls is None or self.calls < budget.calls)

    def set_aside(self, question: Question, *, anyway: bool = False) -> float | None:
        """Set aside what a call may cost at most; return None if the budget does not allow it.

        Parameters
        ----------
        question : Question
        anyway : bool
            Whether to exceed the budget, because the call has been sent already.
        """
        budget = self.judge.budget
        if budget.calls is not None and self.calls >= budget.calls and not anyway:
            return None
        most = 0.0
        if budget.money is not None:
            most = self._most(question)
            if self.money + sum(self._aside) + most > budget.money and not anyway:
                return None
        self.calls += 1
        self._aside.append(most)
        return most

    def put_back(self, aside: float) -> None:
        """Put back what was set aside for a call that is not made after all."""
        self._aside.remove(aside)
        self.calls -= 1

    def pay(self, aside: float | None, reply: Reply | None, *, lost: bool = False) -> float | None:
        """Put back what was set aside and pay what a call has cost; return the cost, if known.

        A call whose reply was lost may still have cost something, and no server says how much. A
        budget in money counts the most that it may have cost.
        """
        if aside is not None:
            self._aside.remove(aside)
        at_most = aside if self.judge.budget.money is not None else None
        if reply is None:
            cost = at_most if lost else None
        elif reply.input_tokens is None or reply.output_tokens is None:
            cost = at_most
        else:
            cost = price(self.judge, reply.input_tokens, reply.output_tokens)
        self.money += cost or 0.0
        return cost

    def _most(self, question: Question) -> float:
        return price(self.judge, most_tokens(question.messages), self.judge.max_tokens) or 0.0


@dataclass(frozen=True)
class Estimate:
    """What a run would send.

    Attributes
    ----------
    judge_id : str
    calls : int
        Requests that are not answered yet; the most, if a ranking may stop early.
    tokens_in, tokens_out : float
        Estimated numbers.
    cost, most : float or None
        Estimated, and at most without repeats, in the plan's currency; None without prices.
    currency : str
    measured : bool
        Whether the tokens are estimated from answers so far, not from the length of the text.
    """

    judge_id: str
    calls: int
    tokens_in: float
    tokens_out: float
    cost: float | None
    most: float | None
    currency: str
    measured: bool

    def sentence(self) -> str:
        """Return the estimate as one line."""
        basis = "as measured so far" if self.measured else "estimated by script, rather too high"
        line = (
            f"judge {self.judge_id}: {self.calls:,} calls, about {self.tokens_in:,.0f} tokens in "
            f"and {self.tokens_out:,.0f} out ({basis})"
        )
        if self.cost is None:
            return f"{line}; no prices in the plan"
        assert self.most is not None
        return f"{line}; about {self.cost:,.2f} {self.currency}, at most {self.most:,.2f}"


def estimate(asked: Asked, ledger: LedgerReading, *, again: bool = False) -> Estimate:
    """Estimate what is still to be sent, and what it may cost; nothing is sent.

    Parameters
    ----------
    asked : Asked
    ledger : LedgerReading
    again : bool
        Whether refusals and unreadable replies are asked again.
    """
    judge = asked.judge
    known, seen = ledger.known(again=again), set()
    kinds: dict[str, _Kind] = {}
    for wanted in everything(asked):
        key = wanted.request_id
        if key not in known and key not in seen:
            kinds.setdefault(wanted.prompt.name, _Kind()).add(wanted)
        seen.add(key)
    ranking = _Kind()
    for pair in _some_pairs(asked):
        ranking.add(pair)
    ranking.calls = _ranking_calls(asked, ledger)
    measured = ledger.mean_tokens()
    tokens_in = tokens_out = most = 0.0
    calls = 0
    for kind in (*kinds.values(), ranking):
        if not kind.calls:
            continue
        given, made, given_most = kind.tokens(judge, measured)
        calls += kind.calls
        tokens_in += kind.calls * given
        tokens_out += kind.calls * made
        most += kind.calls * given_most
    return Estimate(
        judge.id,
        calls,
        tokens_in,
        tokens_out,
        price(judge, tokens_in, tokens_out),
        price(judge, most, calls * judge.max_tokens),
        judge.prices.currency if judge.prices else "",
        bool(measured),
    )


def check_affordable(judge: LLMJudge, found: Estimate) -> None:
    """Raise `RatifyError` if the estimate is more than the plan allows without asking."""
    limit = judge.budget.ask_above
    if limit is None or found.cost is None or found.most is None or found.cost <= limit:
        return
    raise RatifyError(
        f"judge '{judge.id}' is estimated to cost {found.cost:,.2f} {found.currency} (at most "
        f"{found.most:,.2f}), more than its ask_above of {limit:,.2f}",
        allowed="--yes, after a look at `ratify judge --dry-run`",
    )


class _Kind:
    """The requests of one prompt: their number, and an even sample of them."""

    def __init__(self) -> None:
        self.calls = 0
        self._every = 1
        self._some: list[Wanted] = []

    def add(self, wanted: Wanted) -> None:
        """Count a request, and keep some of them for the sample."""
        if self.calls % self._every == 0:
            self._some.append(wanted)
        self.calls += 1
        if len(self._some) > 2 * LOOKED_AT:
            self._some = self._some[::2]
            self._every *= 2

    def tokens(
        self, judge: LLMJudge, measured: Mapping[str, tuple[float, float]]
    ) -> tuple[float, float, float]:
        """Return the mean tokens in and out of a request, and the mean of the most tokens in."""
        asked = [(one, one.ask()) for one in self._some]
        most = fmean(most_tokens(question.messages) for _, question in asked)
        known = measured.get(asked[0][0].prompt.name)
        if known is not None:
            return *known, most
        given = fmean(some_tokens(question) for _, question in asked)
        answers = fmean(
            ANSWER_TOKENS[one.prompt.task] * max(1, len(one.scales)) for one, _ in asked
        )
        return given, min(answers, float(judge.max_tokens)), most


def _some_pairs(asked: Asked) -> list[Wanted]:
    """Return pairs of items that stand for those of a ranking: neighbours in the items table."""
    if asked.judge.pairs is None:
        return []
    groups = asked.study.by_scenario().values()
    pairs = [pair for items in groups for pair in pairwise(items)]
    step = max(1, len(pairs) // LOOKED_AT)
    return [asked.comparison(pair, purpose="ranking") for pair in pairs[::step]]


def _ranking_calls(asked: Asked, ledger: LedgerReading) -> int:
    """Return how many calls rankings still take, at most."""
    sampling = asked.judge.pairs
    if sampling is None:
        return 0
    left = 0
    for scenario, items in asked.study.by_scenario().items():
        if len(items) < 2:
            continue
        ranking = RankingRun(asked, scenario, items, sampling)
        done = ranking.resume(ledger)
        # a ranking that is reliable enough may end before its number of pairs; only a fit tells
        over = ranking.finished or (sampling.reliability is not None and ranking.next() is None)
        left += 0 if over else max(0, sampling.per_scenario - done)
    return left
