"""Refuse a run that ends with nothing answered: then the judge is at fault, not the requests."""

from __future__ import annotations

from prereg.plan.judging import LLMJudge
from study.judges.ledger.ledger import Ledger
from study.judges.ledger.reading import Unanswered
from study.judges.runs.breaker import Failure, broken
from study.llm.reply import LASTING

# So many requests of one prompt without any answer are no accident.
FEWEST = 3


def refuse_hopeless(ledger: Ledger, judge: LLMJudge) -> None:
    """Raise `RatifyError` if nothing was answered: at all, or of what one prompt asks.

    The requests are left open, so that the next run asks them again.

    Parameters
    ----------
    ledger : Ledger
    judge : LLMJudge

    Raises
    ------
    RatifyError
        With the server's words.
    """
    left = ledger.unanswered()
    worked = ledger.prompts_answered()
    if not worked:
        _refuse(ledger, judge, left, "")
    for prompt in dict.fromkeys(one.prompt for one in left):
        mine = [one for one in left if one.prompt == prompt and one.reason in LASTING]
        odd = prompt not in worked and sum(one.count for one in mine) >= FEWEST
        if odd and judge.failures_in_a_row:
            _refuse(ledger, judge, mine, f" of prompt '{prompt}'")


def _refuse(ledger: Ledger, judge: LLMJudge, left: list[Unanswered], asked: str) -> None:
    if not left:
        return
    ledger.leave_open(ledger.failed({one.prompt for one in left}))
    failures = [Failure(0, "", one.reason, one.example) for one in left for _ in range(one.count)]
    said = f"none of {len(failures):,} requests{asked} was answered"
    raise broken(judge, failures, said=said)
