"""One judge's labels on one dimension: the numbers that the rules of a verdict look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.agreement.alternative_annotator import Verdict as Tested
from analysis.agreement.confusion import Confusion
from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.label_classes import PERSON, ClassShare
from analysis.agreement.label_sentences import by_pooling, standing
from analysis.agreement.yardstick import SHORT
from analysis.audit.parts import triple
from prereg.plan.reporting import Large

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class LabelPart:
    """One judge on one dimension.

    Attributes
    ----------
    judge, dimension : str
    n : int
        Items that the judge and people labelled.
    coefficient : str
        'kappa', or 'alpha' where few pairs of people share enough items.
    people, own, difference : tuple of float
        People's own agreement, the judge's with a person, and how far apart they are.
    short : bool
        Whether the judge's agreement is clearly below people's own.
    uses : tuple of ClassShare
        The prevalence of every label, beside people's.
    finds : tuple of ClassShare
        The sensitivity for every label, beside a single person's.
    matrix : Confusion
        Against a person.
    tested : Verdict or None
        The alternative-annotator test, if anybody could be tested.
    always : str
        What the judge always says; empty if its labels vary.
    idle : str
        A label that would pass the test if every item got it; empty if none would.
    shared : int
        Items behind people's own agreement.
    """

    judge: str
    dimension: str
    n: int
    coefficient: str
    people: Triple
    own: Triple
    difference: Triple
    short: bool
    uses: tuple[ClassShare, ...]
    finds: tuple[ClassShare, ...]
    matrix: Confusion
    tested: Tested | None
    always: str
    idle: str
    shared: int


def label_part(judge: str, dimension: str, found: LabelAgreement) -> LabelPart:
    """Return the numbers of a judge on a dimension.

    Parameters
    ----------
    judge, dimension : str
    found : LabelAgreement
    """
    pooled = by_pooling(found)
    less, reading = standing(found, judge, dimension, pooled=pooled)
    row = found.crowd.of(judge, dimension)
    bar = next(s for s in found.bar.standings if (s.judge, s.dimension) == (judge, dimension))
    people = row.people["alpha_nominal"] if pooled else bar.humans
    shares = [
        one
        for one in found.shares
        if (one.annotator, one.dimension, one.reference) == (judge, dimension, PERSON)
    ]
    tested = None
    if found.alternative is not None:
        tested = next(
            (
                one
                for one in found.alternative.verdicts
                if (one.judge, one.dimension) == (judge, dimension) and one.passes is not None
            ),
            None,
        )
    idle = found.always_passes(dimension)
    return LabelPart(
        judge=judge,
        dimension=dimension,
        n=row.n,
        coefficient="alpha" if pooled else "kappa",
        people=triple(people),
        shared=people.n,
        own=triple(row.own["alpha_nominal"] if pooled else bar.single),
        difference=triple(less),
        short=reading == SHORT,
        uses=tuple(one for one in shares if one.measure == "prevalence"),
        finds=tuple(one for one in shares if one.measure == "sensitivity"),
        matrix=next(
            one
            for one in found.matrices
            if (one.annotator, one.dimension, one.reference) == (judge, dimension, PERSON)
        ),
        tested=tested,
        always=found.constants(judge).get(dimension, ""),
        idle=repr(found.frequent[dimension][0]) if idle else "",
    )


def overused(part: LabelPart, large: Large) -> ClassShare | None:
    """Return the label whose share differs most from people's, by the limit and not by chance."""
    clear = [
        one
        for one in part.uses
        if abs(one.difference) >= large.bias
        and (one.difference_low > 0 or one.difference_high < 0 or _flat(one))
    ]
    return max(clear, key=lambda one: abs(one.difference), default=None)


def _flat(one: ClassShare) -> bool:
    return one.difference_low == one.difference_high == one.difference


def swapped(part: LabelPart, large: Large) -> tuple[float, dict[str, str]]:
    """Return kappa after the best exchange of labels, and the exchange; empty if it is no better.

    It counts if kappa with a person rises by twice the limit of a reversed scale, to that limit or
    more, and the interval of the judge's own agreement is below the limit.
    """
    best, names = part.matrix.exchanged()
    own, _, high = part.own
    if not names or np.isnan(best) or np.isnan(own) or not high < large.reversed:
        return np.nan, {}
    if best < large.reversed or best - part.matrix.kappa < 2 * large.reversed:
        return np.nan, {}
    return best, names
