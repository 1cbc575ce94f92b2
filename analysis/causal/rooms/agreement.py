"""The second room: whether the judge's scores may be used as scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.arrays import FloatArray
from analysis.causal.rooms.asking import Asking
from analysis.causal.rooms.at_cut import Beside, against_people, beside_a_person
from analysis.causal.rooms.closeness import Distances, bias, distances, excess_error, person_leads
from analysis.causal.rooms.condition import Condition, shown
from analysis.causal.rooms.halo import error_correlation
from analysis.causal.rooms.quantity import Interval
from analysis.causal.rooms.sampled import Aggregate

ROOM = "agreement"
_WEIGHTED = "inclusion-weighted, errors clustered by user"


@dataclass(frozen=True)
class Score:
    """One score of the units of a sample.

    Attributes
    ----------
    name : str
    ratings : array of shape (n, raters)
    people, judge : array of shape (n,)
        People's aggregate, and the judge's score.
    """

    name: str
    ratings: FloatArray = field(repr=False)
    people: FloatArray = field(repr=False)
    judge: FloatArray = field(repr=False)

    @cached_property
    def distances(self) -> Distances:
        """Squared distances of the judge and of each person from the other people."""
        return distances(self.ratings, self.judge)

    @property
    def errors(self) -> FloatArray:
        """The judge's score minus the mean of people's ratings."""
        return np.asarray(self.judge - np.nanmean(self.ratings, axis=1))


def agreement(
    asking: Asking,
    treatment: Score,
    outcome: Score,
    *,
    treated: float,
    aggregate: Aggregate,
    same_people: bool,
) -> tuple[Condition, ...]:
    """Return the conditions on the judge's agreement with people.

    Parameters
    ----------
    asking : Asking
    treatment, outcome : Score
    treated : float
        A treatment's score of at least this is treated.
    aggregate : {'mean', 'median'}
        Of people's ratings.
    same_people : bool
        Whether a column of the ratings is one person throughout.
    """
    scores = (treatment, outcome)
    return (
        *_leads(asking, scores, same_people),
        *(_excess(asking, one) for one in scores),
        *(_bias(asking, one) for one in scores),
        *_cut(asking, treatment, treated, aggregate),
        _halo(asking, treatment, outcome),
    )


def _leads(asking: Asking, scores: Sequence[Score], same_people: bool) -> tuple[Condition, ...]:
    """Return the alternative-annotator test of both scores.

    The judge must beat at least half of the people, so the number is the lead of the person on
    whom that turns: the one in the middle, or below it. Its ends are those that rank there.
    """
    leads = [person_leads(one.distances, asking.sample, same_people=same_people) for one in scores]
    level = asking.level(sum(map(len, leads)), sum(math.ceil(len(one) / 2) for one in leads))
    found = []
    for score, each in zip(scores, leads, strict=True):
        half, who = math.ceil(len(each) / 2), "any single rater of a unit"
        if same_people:
            who = f"the person at rank {half} of {len(each)}, as the judge must beat half of them"
        intervals = np.array([asking.interval(one, level) for one in each])
        at_rank = Interval(*(float(x) for x in np.sort(intervals, axis=0)[half - 1]))
        found.append(
            asking.condition(
                ROOM,
                "alternative annotator",
                score.name,
                at_rank,
                f"On {score.name} a single person's lead over the judge is {{}} of the units",
                level=level,
                most=asking.thresholds.epsilon,
                unit="difference of shares",
                method="alternative-annotator test, Benjamini-Yekutieli over people and scores, "
                + _WEIGHTED,
                beside="The lead is the share of units where the person is at least as close to "
                "the other people as the judge, minus the share where the judge is at least as "
                f"close as the person; below 0 the judge leads. The person is {who}.",
                barriers=asking.few + asking.untreated,
            )
        )
    return tuple(found)


def _excess(asking: Asking, score: Score) -> Condition:
    level = asking.level(2, 2)
    found = excess_error(score.distances, score.ratings, asking.sample)
    judge, person = (
        math.sqrt(asking.sample.mean(np.nanmean(one, axis=1)))
        for one in (score.distances.judge_mean, score.distances.person_mean)
    )
    return asking.condition(
        ROOM,
        "not worse than a person",
        score.name,
        asking.interval(found, level),
        f"On {score.name} the judge's squared error minus a single person's is {{}} of the "
        "variance of people's ratings",
        level=level,
        most=asking.thresholds.non_inferiority,
        unit="share of variance",
        method="difference of squared distances from the other people's mean, " + _WEIGHTED,
        beside=f"Typical distances from the other people's mean: the judge {judge:.2f}, "
        f"a person {person:.2f} points.",
        barriers=asking.few + asking.untreated,
    )


def _bias(asking: Asking, score: Score) -> Condition:
    level, margin = asking.level(2, 2), asking.thresholds.bias_margin
    people = np.nanmean(score.ratings, axis=1)
    return asking.condition(
        ROOM,
        "bias",
        score.name,
        asking.interval(bias(people, score.judge, asking.sample), level),
        f"On {score.name} the judge's mean minus people's is {{}} points",
        level=level,
        least=-margin,
        most=margin,
        unit="points",
        method="mean difference, " + _WEIGHTED,
        barriers=asking.few + asking.untreated,
    )


def _cut(
    asking: Asking, score: Score, treated: float, aggregate: Aggregate
) -> tuple[Condition, ...]:
    level = asking.level()
    found = against_people(score.people, score.judge, treated, asking.sample)
    others = beside_a_person(score.ratings, score.judge, treated, aggregate, asking.sample)
    cut = f"{score.name} at least {treated:g}"
    says = {
        "sensitivity": "The judge calls {} of the units treated that people call treated "
        f"({cut})",
        "predictive_value": "People call {} of the units treated that the judge calls treated "
        f"({cut})",
    }
    return tuple(
        asking.condition(
            ROOM,
            name.replace("_", " "),
            score.name,
            asking.interval(getattr(found, name), level),
            sentence,
            level=level,
            least=getattr(asking.thresholds, name),
            unit="share",
            method=f"ratio of units at the cut, {_WEIGHTED}, through log-odds",
            beside=_beside(asking, others, name, level),
            barriers=asking.few + asking.untreated,
        )
        for name, sentence in says.items()
    )


def _beside(asking: Asking, found: Beside, name: str, level: float) -> str:
    judge, person = (
        shown(asking.interval(getattr(one, name), level)) for one in (found.judge, found.person)
    )
    return f"Against the other people who rated the unit: the judge {judge}, a person {person}."


def _halo(asking: Asking, treatment: Score, outcome: Score) -> Condition:
    level = asking.level()
    found = error_correlation(treatment.errors, outcome.errors, asking.sample)
    return asking.condition(
        ROOM,
        "halo",
        f"{treatment.name} and {outcome.name}",
        asking.interval(found, level),
        f"The correlation of the judge's errors on {treatment.name} and {outcome.name} is {{}}",
        level=level,
        most=asking.thresholds.halo,
        unit="correlation",
        method=f"distances from people's means, {_WEIGHTED}, through Fisher's z",
        beside="People's own halo is 0 by design, because nobody rates both scores of a unit, so "
        "the judge's is compared with the margin alone.",
        barriers=asking.few + asking.untreated,
    )
