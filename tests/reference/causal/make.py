"""Makes the units and the reference values of doubly robust estimates, by doubleml and econml.

Neither is a dependency. The values came from Python 3.11, doubleml 0.11.4, econml 0.17.0 and
scikit-learn 1.9.1, each in an environment of its own:

    python -m venv peers
    peers/bin/pip install doubleml==0.11.4 econml==0.17.0
    peers/bin/python tests/reference/causal/make.py

It writes units.csv (600 units of 200 users, their folds and the nuisance predictions that both
sides are given) and values.csv (name, value) beside itself. Names that begin with `own` are
estimates in which the peer fits nuisances of its own, on the same folds.
"""

from __future__ import annotations

from pathlib import Path

import doubleml
import numpy as np
import pandas as pd
from econml.dml import LinearDML
from econml.dr import LinearDRLearner
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV

HERE = Path(__file__).parent
NAMES = ["x0", "x1", "x2", "x3"]
FOLDS = 4


def make_units() -> pd.DataFrame:
    """Return units of users, with nuisances that did not see their fold."""
    rng = np.random.default_rng(20_261_130)
    n, users = 600, 200
    user = np.sort(np.concatenate([np.arange(users), rng.integers(users, size=n - users)]))
    x = 0.6 * rng.normal(size=(users, 4))[user] + 0.8 * rng.normal(size=(n, 4))
    arm = (rng.random(n) < 1 / (1 + np.exp(1.2 - 0.9 * x[:, 0] - 0.5 * x[:, 1]))).astype(float)
    level = 3 + 0.7 * x[:, 0] - 0.4 * x[:, 2] + 0.4 * rng.normal(size=users)[user]
    outcome = level + (0.6 + 0.5 * x[:, 1]) * arm + 0.8 * rng.normal(size=n)
    fold = user % FOLDS
    found = {name: np.zeros(n) for name in ("expected", "treated", "control", "chance")}
    for one in range(FOLDS):
        new, old = fold == one, fold != one
        found["expected"][new] = Ridge(5.0).fit(x[old], outcome[old]).predict(x[new])
        for word, value in (("treated", 1), ("control", 0)):
            rows = old & (arm == value)
            found[word][new] = Ridge(5.0).fit(x[rows], outcome[rows]).predict(x[new])
        model = LogisticRegression(C=0.5).fit(x[old], arm[old])
        found["chance"][new] = model.predict_proba(x[new])[:, 1]
    # econml's residual regression has no constant: residuals of mean 0 make both the same
    found["expected"] += (outcome - found["expected"]).mean()
    found["chance"] += (arm - found["chance"]).mean()
    table = pd.DataFrame({"user": user, "fold": fold, "arm": arm, "outcome": outcome})
    return table.assign(**dict(zip(NAMES, x.T, strict=True)), **found)


class Known(RegressorMixin, BaseEstimator):
    """A model that looks predictions up by the number of the unit, the last covariate."""

    def __init__(self, values: np.ndarray, by_arm: bool = False, last: int = -1) -> None:
        self.values, self.by_arm, self.last = values, by_arm, last

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: object = None) -> Known:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        rows = np.rint(X[:, self.last]).astype(int)
        if self.by_arm:  # econml appends the arm as the last column
            return self.values[rows, np.rint(X[:, -1]).astype(int)]
        return self.values[rows]


class KnownChance(ClassifierMixin, BaseEstimator):
    """The same for a chance."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: object = None) -> KnownChance:
        self.classes_ = np.array([0.0, 1.0])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        chance = self.values[np.rint(X[:, -1]).astype(int)]
        return np.column_stack([1 - chance, chance])

    def predict(self, X: np.ndarray) -> np.ndarray:
        return (self.predict_proba(X)[:, 1] > 0.5).astype(float)


def by_doubleml(units: pd.DataFrame) -> dict[str, float]:
    """Return partially linear and interactive estimates."""
    values: dict[str, float] = {}
    table = units[["outcome", "arm", "user", *NAMES]]
    fold = units["fold"].to_numpy()
    splits = [[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]]
    plain = doubleml.DoubleMLData(table.drop(columns="user"), "outcome", "arm", NAMES)
    column = {name: units[[name]].to_numpy() for name in units}

    def kept(name: str, model: doubleml.double_ml.DoubleML) -> None:
        values[name], values[f"{name} se"] = float(model.coef[0]), float(model.se[0])

    line = doubleml.DoubleMLPLR(plain, Ridge(), Ridge(), n_folds=FOLDS, draw_sample_splitting=False)
    line.set_sample_splitting(splits)
    line.fit(external_predictions={"arm": {"ml_l": column["expected"], "ml_m": column["chance"]}})
    kept("overlap", line)
    for score, name in (("ATE", "ATE"), ("ATTE", "ATT")):
        model = doubleml.DoubleMLIRM(
            plain,
            Ridge(),
            LogisticRegression(),
            n_folds=FOLDS,
            score=score,
            draw_sample_splitting=False,
        )
        model.set_sample_splitting(splits)
        model.fit(
            external_predictions={
                "arm": {
                    "ml_g0": column["control"],
                    "ml_g1": column["treated"],
                    "ml_m": column["chance"],
                }
            }
        )
        kept(name, model)
    outcome, chance = (
        RidgeCV(np.logspace(-2, 4, 25)),
        LogisticRegressionCV(
            Cs=10, l1_ratios=(0,), use_legacy_attributes=False, scoring="neg_log_loss"
        ),
    )
    line = doubleml.DoubleMLPLR(plain, outcome, chance, n_folds=FOLDS, draw_sample_splitting=False)
    line.set_sample_splitting(splits)
    kept("own overlap", line.fit())
    for score, name in (("ATE", "own ATE"), ("ATTE", "own ATT")):
        model = doubleml.DoubleMLIRM(
            plain, outcome, chance, n_folds=FOLDS, score=score, draw_sample_splitting=False
        )
        model.set_sample_splitting(splits)
        kept(name, model.fit())
    return values


def by_econml(units: pd.DataFrame) -> dict[str, float]:
    """Return a residual regression, and a DR-learner with a linear last stage."""
    fold = units["fold"].to_numpy()
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]
    number = np.arange(len(units), dtype=float)[:, None]
    outcome, arm = units["outcome"].to_numpy(), units["arm"].to_numpy()
    line = LinearDML(
        model_y=Known(units["expected"].to_numpy()),
        model_t=KnownChance(units["chance"].to_numpy()),
        discrete_treatment=True,
        cv=splits,
    )
    line.fit(outcome, arm, X=None, W=number)
    values = {"econml overlap": float(line.intercept_)}
    learner = LinearDRLearner(
        model_regression=Known(units[["control", "treated"]].to_numpy(), by_arm=True, last=-2),
        model_propensity=KnownChance(units["chance"].to_numpy()),
        min_propensity=0.01,
        cv=splits,
    )
    learner.fit(outcome, arm, X=units[["x0", "x1"]].to_numpy(), W=number)
    values["projection x0"], values["projection x1"] = map(float, learner.coef_(T=1))
    values["projection constant"] = float(learner.intercept_(T=1))
    errors = learner.coef__inference(T=1).stderr
    values["projection x0 se"], values["projection x1 se"] = map(float, np.ravel(errors))
    return values


def main() -> None:
    """Write both tables."""
    units = make_units()
    units.to_csv(HERE / "units.csv", index=False, float_format="%.12g")
    units = pd.read_csv(HERE / "units.csv")
    values = by_doubleml(units) | by_econml(units)
    table = pd.DataFrame({"name": list(values), "value": list(values.values())})
    table.to_csv(HERE / "values.csv", index=False, float_format="%.12g")


if __name__ == "__main__":
    main()
