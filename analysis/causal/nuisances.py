"""What models expect of each unit that they did not see: its outcome, and its chance of treatment.

By default these models are ridge regressions and logits; random forests are available: see the note
of `forest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.arrays import BoolArray, FloatArray
from analysis.causal.arms import Arms
from analysis.causal.logit import chances
from prereg.errors import RatifyError

# A chance that a number is divided by is moved into this distance from 0 and 1.
CLIP = 0.01


@dataclass(frozen=True)
class Predictions:
    """What is expected of each unit of both arms, by models that saw none of its user's units.

    Attributes
    ----------
    outcome : array of shape (n,)
        Given the covariates.
    treated, control : array of shape (n,)
        The outcome if it were treated, and if it were a control.
    chance : array of shape (n,)
        Of being treated.
    """

    outcome: FloatArray = field(repr=False)
    treated: FloatArray = field(repr=False)
    control: FloatArray = field(repr=False)
    chance: FloatArray = field(repr=False)

    @property
    def clipped_chance(self) -> FloatArray:
        """The chance, moved into .01 to .99."""
        return np.clip(self.chance, CLIP, 1 - CLIP)

    @property
    def clipped(self) -> BoolArray:
        """The units whose chance is outside .01 to .99."""
        return np.asarray((self.chance < CLIP) | (self.chance > 1 - CLIP))


def ridge(arms: Arms, rng: np.random.Generator) -> Predictions:
    """Return predictions of ridge regressions, and of logits with a ridge penalty.

    Notes
    -----
    The bias of an effect is the product of what the outcome's and the treatment's models leave of
    the confounders. Only the outcome's are undersmoothed, and not the one of the treated:
    undersmoothed logits give chances so near to 0 and 1 that few units decide an effect, and few
    treated units with little smoothing make the test of heterogeneity reject too often.
    """
    design = arms.design
    return Predictions(
        outcome=arms.everyone.undersmoothed(arms.outcome).predict(design),
        treated=arms.treated.fit(arms.outcome).predict(design),
        control=arms.controls.undersmoothed(arms.outcome).predict(design),
        chance=chances(arms.everyone, arms.arm),
    )


def forest(arms: Arms, rng: np.random.Generator) -> Predictions:
    """Return predictions of random forests: scikit-learn's, with its default settings.

    Notes
    -----
    With many weak confounders, such as components of an embedding, forests at their defaults leave
    much of the confounding in the estimate, and more data do not help fast. They are offered
    because published studies use them.
    """
    from sklearn import ensemble as models  # slow to load

    design = arms.design
    both = np.ones(len(arms), dtype=bool)

    def fitted(model: Any, target: FloatArray, within: BoolArray) -> FloatArray:
        found = np.empty(len(arms))
        for fold in range(design.folds):
            inside = design.fold == fold
            seed = int(rng.integers(2**31))
            one = model(random_state=seed).fit(design.z[within & ~inside], target[within & ~inside])
            if hasattr(one, "predict_proba"):
                found[inside] = one.predict_proba(design.z[inside])[:, 1]
            else:
                found[inside] = one.predict(design.z[inside])
        return found

    regressor, classifier = models.RandomForestRegressor, models.RandomForestClassifier
    return Predictions(
        outcome=fitted(regressor, arms.outcome, both),
        treated=fitted(regressor, arms.outcome, arms.arm == 1),
        control=fitted(regressor, arms.outcome, arms.arm == 0),
        chance=fitted(classifier, arms.arm, both),
    )


NUISANCES: dict[str, Callable[[Arms, np.random.Generator], Predictions]] = {
    "ridge": ridge,
    "forest": forest,
}


def predictions(arms: Arms, nuisances: str, rng: np.random.Generator) -> Predictions:
    """Return the predictions of the models with this name.

    Raises
    ------
    RatifyError
        If there are none with this name.
    """
    if nuisances not in NUISANCES:
        raise RatifyError(
            "there are no such nuisance models",
            column="causal.estimators.nuisances",
            value=nuisances,
            allowed=", ".join(NUISANCES),
        )
    return NUISANCES[nuisances](arms, rng)
