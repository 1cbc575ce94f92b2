"""What a researcher should know before a study is locked: allowed, but probably not meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from prereg.analyses.choices import Logit
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.design.sequences import Trial
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan

# A comparison of items needs a few answers for each; fewer are worth a word.
FEW_ANSWERS = 5
NAMED = 3
Shown = tuple[str, ...]


def cautions(
    plan: Plan, scenarios: Mapping[str, str], sequences: Mapping[str, Sequence[Trial]]
) -> list[str]:
    """Return warnings about a study that may be locked all the same, one sentence or two each.

    Parameters
    ----------
    plan : Plan
    scenarios : mapping
        The scenario of each item.
    sequences : mapping
        The trials of each sequence.
    """
    shown = {
        name: [trial.item_ids for trial in trials if not trial.is_attention_check]
        for name, trials in sequences.items()
    }
    return [
        *_of_judges(plan),
        *_of_elo(plan),
        *_of_regressions(plan),
        *_of_checks(plan),
        *_of_sameness(plan, shown),
        *_of_links(plan, scenarios, shown),
        *_of_counts(plan, scenarios, shown),
    ]


def left_from_worked_plan(plan: Plan, texts: Mapping[str, str]) -> list[str]:
    """Return warnings about texts and names that are still those of a worked plan.

    Parameters
    ----------
    plan : Plan
        Of a study with the researcher's own items.
    texts : mapping
        Its consent and instructions.
    """
    found = []
    for worked in (resources.files("prereg") / "worked").iterdir():
        theirs = parse_plan((worked / PLAN_FILE).read_text(encoding="utf-8"), file=PLAN_FILE)
        for name, text in texts.items():
            if text.split() == (worked / f"{name}.md").read_text(encoding="utf-8").split():
                found.append(
                    f"{getattr(plan.materials, name)} is still the text of a worked plan. Raters "
                    "would read about another study: write your own."
                )
        same = [name for name in ("id", "title") if getattr(plan, name) == getattr(theirs, name)]
        if plan.hypotheses and plan.hypotheses == theirs.hypotheses:
            same.append("hypotheses")
        if plan.recruitment.codes.completed == theirs.recruitment.codes.completed:
            same.append("recruitment.codes.completed")
        if same:
            found.append(
                f"plan.yaml still has the worked plan's {_words(same)}. Write your own before the "
                "lock, because they cannot be changed afterwards."
            )
    return list(dict.fromkeys(found))


def _words(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def answers_per_item(plan: Plan, sequences: Mapping[str, Sequence[Trial]]) -> str:
    """Return how many of people's answers each item gets if every place is filled."""
    trials = (t.item_ids for s in sequences.values() for t in s if not t.is_attention_check)
    counts = _counts(plan, trials)
    low, high = min(counts.values()), max(counts.values())
    often = f"{low}" if low == high else f"{low} to {high}"
    return (
        f"{plan.design.raters} raters give each of the {len(counts)} items that are shown "
        f"{often} {'answer' if high == 1 else 'answers'}"
    )


def _counts(plan: Plan, trials: Iterable[Shown]) -> Counter[str]:
    counts = Counter(item for items in trials for item in items)
    return Counter({k: n * plan.design.raters_per_sequence for k, n in counts.items()})


def _of_judges(plan: Plan) -> list[str]:
    """Warn of a judge that is paid for and then not looked at."""
    named: set[str] = set()
    for analysis in plan.analyses:
        named |= {*getattr(analysis, "judges", ())}
        named |= {getattr(analysis, key, None) or "" for key in ("judge", "of")}
        if getattr(analysis, "data", None) == JUDGE_RATINGS and not getattr(analysis, "judge"):  # noqa: B009
            named |= {judge.id for judge in plan.judges}  # it reads every judge's ratings
    in_gate = {threshold.analysis for threshold in plan.gate}
    gated = {
        name
        for analysis in plan.analyses
        if analysis.id in in_gate
        for name in (*getattr(analysis, "judges", ()), getattr(analysis, "judge", None) or "")
    }
    found = []
    for judge in plan.judges:
        if not isinstance(judge, LLMJudge):
            continue
        if judge.id not in named:
            found.append(
                f"judge '{judge.id}' is asked, and perhaps paid for, but no analysis names it, so "
                "nothing is tested about it. Name it in an analysis, or leave it out."
            )
        elif plan.gate and judge.id not in gated:
            found.append(
                f"the gate has no threshold about judge '{judge.id}', so a passed gate says "
                "nothing about it."
            )
    return found


def _of_elo(plan: Plan) -> list[str]:
    """Warn of an analysis of Elo where pairs are chosen by information: Elo wastes them."""
    informed = {
        judge.id
        for judge in plan.judges
        if judge.pairs is not None and judge.pairs.scheme == "information"
    }
    found = []
    for analysis in plan.analyses:
        judge = getattr(analysis, "judge", None)
        if judge not in informed:
            continue
        where = (
            f"analysis '{analysis.id}' uses the Elo of judge '{judge}', whose pairs are chosen for "
            "a Bradley-Terry ranking (pairs.scheme: information), so that Elo is less reliable. "
        )
        if isinstance(analysis, RankCorrelation) and analysis.score == "elo":
            found.append(f"{where}Write score: bradley_terry, or scheme: elo_neighbours.")
        elif "select_match" in _outcomes(analysis):
            found.append(
                f"{where}Write select_higher, which compares scores, or scheme: elo_neighbours."
            )
    return found


def _outcomes(analysis: object) -> tuple[str, ...]:
    """Return what an analysis of people's trials explains."""
    if isinstance(analysis, Logit):
        return (analysis.outcome,)
    if isinstance(analysis, Regression) and analysis.data == TRIALS:
        return analysis.outcomes
    return ()


def _of_regressions(plan: Plan) -> list[str]:
    """Return warnings about regressions of trials or ratings that are likely to be misread."""
    said = []
    for one in plan.analyses:
        if not isinstance(one, Regression):
            continue
        agrees = [name for name in one.outcomes if name in {"select_higher", "select_match"}]
        if one.differences == "left_minus_right" and agrees:
            said.append(
                f"{one.id} explains {agrees[0]} by differences of left minus right: sides are "
                "random, so its coefficients say nothing about agreement. Use differences: "
                "higher_minus_lower, or the outcome chose_left."
            )
        if one.errors == "HC3" and one.data in {TRIALS, RATINGS}:
            said.append(
                f"{one.id} has errors: HC3, which take the answers of one rater as independent. "
                "Use errors: cluster."
            )
    return said


def _of_checks(plan: Plan) -> list[str]:
    """Warn of attention checks that exclude nobody."""
    if not plan.attention_checks or any(x.rule == "failed_attention" for x in plan.exclusions):
        return []
    one = len(plan.attention_checks) == 1
    return [
        f"The plan has {'an attention check' if one else 'attention checks'}, but no exclusion of "
        "rule failed_attention: nobody is left out for a wrong answer. Add one, for example "
        "{rule: failed_attention, max_failed: 0}, or take the checks out."
    ]


def _of_sameness(plan: Plan, shown: Mapping[str, list[Shown]]) -> list[str]:
    """Warn if raters see few different trials, so that many people answer one question."""
    kind = kind_of(plan)
    different = {frozenset(trial) for trials in shown.values() for trial in trials}
    noun = kind.noun(plan)
    if len(shown) > 1 and len(different) == 1:
        items = " and ".join(f"'{name}'" for name in sorted(next(iter(different))))
        return [
            f"all {len(shown)} sequences show one and the same trial, {items}, so the study says "
            "nothing about other items. Add items."
        ]
    alike = {frozenset(map(frozenset, trials)) for trials in shown.values()}
    if len(shown) > 1 and len(alike) == 1:
        return [
            f"all {len(shown)} sequences show the same {len(different)} {noun}. That is right if "
            "everybody is to answer the same; otherwise add items."
        ]
    total = sum(map(len, shown.values()))
    if kind.compares and total >= 10 * len(different):
        return [
            f"there are only {len(different)} different {noun} for {total} trials: each is "
            f"answered about {total * plan.design.raters_per_sequence // len(different)} times."
        ]
    return []


def _of_links(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, list[Shown]]
) -> list[str]:
    """Warn if the comparisons of a scenario fall into groups that nothing compares."""
    if not kind_of(plan).compares:
        return []
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for trials in shown.values():
        for first, *others in trials:
            for other in others:
                leader[find(other)] = find(first)
    groups: dict[str, set[str]] = defaultdict(set)
    for name in list(leader):
        groups[scenarios.get(name, "")].add(find(name))
    return [
        f"scenario '{scenario}': its comparisons fall into {len(found)} groups of items that "
        "nothing compares with each other, so one ranking of them cannot be made. Plan more "
        "trials or raters."
        for scenario, found in sorted(groups.items())
        if len(found) > 1
    ]


def _of_counts(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, list[Shown]]
) -> list[str]:
    """Warn of items that nobody sees, or that few people answer about."""
    counts = _counts(plan, (trial for trials in shown.values() for trial in trials))
    found = []
    unseen = [name for name in scenarios if name not in counts]
    if unseen and plan.design.sample is None:
        found.append(
            f"{len(unseen)} of {len(scenarios)} items are in no trial: {_list(unseen)}. Plan more "
            "trials or raters, or leave these items out."
        )
    least = FEW_ANSWERS if kind_of(plan).compares else 2
    few = [name for name, n in counts.items() if n < least]
    if few:
        what = "too few to rank them" if kind_of(plan).compares else "so people cannot agree"
        found.append(
            f"{len(few)} of {len(counts)} items get fewer than {least} answers, {what}: "
            f"{_list(few)}. Plan more raters, or fewer items."
        )
    return found


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:NAMED]) + more
