"""Simulates one causal study: a world, a judge, people's labels as the plan draws them, the gate.

The worlds are those of `analysis.causal.worlds`, with the plan's assumptions about the judge and
about single raters. The sample is drawn by the code that draws the real one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.correction.checks import check_labels
from analysis.causal.correction.decomposition import decomposition
from analysis.causal.correction.estimates import corrected_estimate, judge_side, people_alone
from analysis.causal.rooms.asking import Names
from analysis.causal.rooms.gate import three_rooms
from analysis.causal.rooms.quantity import IntervalMaker
from analysis.causal.rooms.sampled import Ratings
from analysis.causal.rooms.thresholds import Thresholds
from analysis.causal.sequential import at_every_look
from analysis.causal.units import CONTROL, TREATED, Cuts, Labels
from analysis.causal.worlds import Judge, World, make_world, person_ratings
from analysis.planning.one_study import STUDY, Record
from prereg.design.label_strata import strata_of
from prereg.design.labels import allocation, draw_labels
from prereg.errors import RatifyError
from prereg.frame.reading import causal_of
from prereg.plan.assumptions import CausalAssumptions
from prereg.plan.causal import Causal
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.streams import Stream, stream


@dataclass(frozen=True)
class Assumed:
    """The plan with the units that are simulated for it.

    Attributes
    ----------
    plan : Plan
        With a `causal` section.
    units, users : int
    """

    plan: Plan
    units: int
    users: int

    @property
    def causal(self) -> Causal:
        """The plan's section."""
        return causal_of(self.plan, PLAN_FILE)

    @property
    def causes(self) -> CausalAssumptions:
        """What the plan assumes, or the defaults."""
        return self.plan.assumptions.causal or CausalAssumptions()

    @property
    def cuts(self) -> Cuts:
        """The cuts of the treatment."""
        return Cuts(self.causal.treatment.treated, self.causal.treatment.control)

    def rng(self, key: str, number: int) -> np.random.Generator:
        """Return the random numbers of one simulated study, which are its own."""
        return stream(self.plan.seed, Stream.POWER, f"causal: {key}", number)

    def world(self, rng: np.random.Generator, units: int, users: int) -> World:
        """Return a world of so many units and users."""
        judge = Judge(self.causes.reliability, self.causes.error_correlation)
        return make_world(
            rng, effect=self.causes.effect, judge=judge, units=units, users=users, cuts=self.cuts
        )

    def people(
        self, rng: np.random.Generator, world: World
    ) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
        """Return the ratings of every unit on both scores, and the aggregates of these."""
        ratings = person_ratings(
            rng,
            world,
            self.causal.labels.raters,
            reliability=self.plan.assumptions.raters.reliability,
        )
        median = self.causal.labels.aggregate == "median"
        said = [np.median(one, axis=1) if median else one.mean(axis=1) for one in ratings]
        return ratings, (said[0], said[1])


@dataclass(frozen=True)
class AtSize:
    """Studies with one number of labels.

    Attributes
    ----------
    assumed : Assumed
    stratified, random : int
        Units drawn by strata, and units drawn from all.
    """

    assumed: Assumed
    stratified: int
    random: int

    @property
    def key(self) -> str:
        """Its name in the file of finished studies and for its random numbers."""
        return f"labels {self.stratified}+{self.random}"

    def once(self, number: int) -> Record:
        """Return what the study with this number finds.

        Returns
        -------
        dict
            `low` and `high` of the corrected interval, `labelled` units and those of them that
            people call `treated`, and whether the `gate` passes.

        Raises
        ------
        RatifyError
            If the labels are too few for the strata, or people leave an arm empty.
        """
        assumed, causal = self.assumed, self.assumed.causal
        rng = assumed.rng(self.key, number)
        world = assumed.world(rng, assumed.units, assumed.users)
        ratings, said = assumed.people(rng, world)
        labels = self._labels(rng, world, said)
        check_labels(world.frame, labels, assumed.cuts)
        folds = causal.estimators.folds
        side = judge_side(world.frame, assumed.cuts, rng, folds=folds, labels=labels)
        known = labels.labelled
        count = int(known.sum())

        def at_looks(
            value: float, influence: FloatArray, user: IntArray, *, level: float = 0.95
        ) -> Estimate:
            plain = from_influence(value, influence, user, level=level)
            return at_every_look(plain, labels=count, planned=self.stratified + self.random)

        maker: IntervalMaker = at_looks if causal.sequential else from_influence
        corrected = corrected_estimate(side, labels)[0]
        corrected = maker(corrected.value, corrected.influence, world.frame.user, level=0.95)
        of_labels = [np.where(known[:, None], one, np.nan) for one in ratings]
        gate = three_rooms(
            world.frame,
            labels,
            Ratings(of_labels[0], of_labels[1], aggregate=causal.labels.aggregate),
            decomposition(side, labels).error_part,
            cuts=assumed.cuts,
            thresholds=Thresholds(**causal.gate.model_dump()),
            names=Names(causal.treatment.scale, causal.outcome.scale),
            maker=maker,
        )
        if not math.isfinite(corrected.width):
            raise RatifyError("the corrected estimate has no interval")
        return {
            "labelled": count,
            "treated": int((assumed.cuts.arms(labels.treatment[known]) == TREATED).sum()),
            "low": float(f"{corrected.low:.6g}"),
            "high": float(f"{corrected.high:.6g}"),
            "gate": gate.passed,
        }

    def _labels(
        self, rng: np.random.Generator, world: World, said: tuple[FloatArray, FloatArray]
    ) -> Labels:
        """Draw the sample as `ratify sample` does without a pilot."""
        causal, frame = self.assumed.causal, world.frame
        plan = causal.labels.model_copy(update={"stratified": self.stratified})
        strata = strata_of(
            frame.treatment,
            frame.outcome,
            causal.treatment,
            labels=self.stratified,
            floor=plan.floor,
        )
        sample = draw_labels(
            frame.unit.tolist(),
            strata,
            allocation(strata, plan),
            random=self.random,
            seed=int(rng.integers(2**32)),
        )
        asked = sample.labelled
        return Labels(
            np.where(asked, said[0], np.nan),
            np.where(asked, said[1], np.nan),
            sample.probability,
            strata.of_unit,
        )


@dataclass(frozen=True)
class Truth:
    """Large worlds that people label whole: the effect that the studies of a plan estimate.

    Attributes
    ----------
    assumed : Assumed
    units : int
        Of each world, with the plan's units per user.
    """

    assumed: Assumed
    units: int

    @property
    def key(self) -> str:
        """Its name in the file of finished studies and for its random numbers."""
        return f"truth {self.units}"

    def once(self, number: int) -> Record:
        """Return the effect among all units of one world, and the share of the `treated`.

        Every unit has the aggregate of the plan's number of raters. The effect is people's own,
        with every unit labelled, so nothing is left to sampling within the world.
        """
        assumed = self.assumed
        rng = assumed.rng(self.key, number)
        users = max(1, round(self.units * assumed.users / assumed.units))
        world = assumed.world(rng, self.units, users)
        _, (treatment, outcome) = assumed.people(rng, world)
        all_of_them = np.ones(self.units)
        labels = Labels(treatment, outcome, all_of_them, np.zeros(self.units, dtype=np.int64))
        check_labels(world.frame, labels, assumed.cuts)
        folds = assumed.causal.estimators.folds
        side = judge_side(world.frame, assumed.cuts, rng, folds=folds, labels=labels)
        arm = assumed.cuts.arms(treatment)
        return {
            "effect": float(f"{people_alone(side, labels).value:.6g}"),
            "treated": float(f"{(arm == TREATED).mean():.6g}"),
            "control": float(f"{(arm == CONTROL).mean():.6g}"),
        }


def label_study(setup: AtSize | Truth, number: int) -> Record:
    """Return the record of a simulated causal study, or of a large world.

    What cannot be estimated is kept as `failed`, with the reason.
    """
    try:
        return setup.once(number)
    except RatifyError as error:
        return {"failed": {STUDY: error.problem}}
