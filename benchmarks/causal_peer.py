"""Fits econml's LinearDRLearner to a file of units, in whatever environment has econml.

It imports nothing of ours: `python causal_peer.py units.npz` prints processor seconds and the
average effect.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
from econml.dr import LinearDRLearner


def main(path: str) -> None:
    """Print what the peer needs and finds, as JSON."""
    units = np.load(path)
    warnings.simplefilter("ignore")
    began = time.process_time()
    learner = LinearDRLearner(random_state=0)
    learner.fit(units["outcome"], units["arm"], X=units["covariates"])
    effect = float(learner.ate(units["covariates"]))
    print(json.dumps({"seconds": time.process_time() - began, "effect": effect}))


if __name__ == "__main__":
    main(sys.argv[1])
