"""Ratings of 12 items by 3 raters, and what R 4.2 (lme4, psych) makes of them.

The R code, which printed the values below:

    library(lme4)
    y <- matrix(c(3,4,2, 5,5,4, 1,2,1, 2,4,3, 4,4,2, 5,4,5, 3,3,1, 2,1,1, 4,5,4, 3,4,3, 1,3,1,
                  5,5,3), 12, 3, byrow=TRUE)
    d <- data.frame(item=rep(1:12, times=3), rater=rep(1:3, each=12), value=as.vector(y))
    as.data.frame(VarCorr(lmer(value ~ 1 + (1|item) + (1|rater), d)))$vcov   # item, rater, residual
    psych::ICC(y, lmer=FALSE)$results[c(2, 3, 5, 6), c("type", "ICC")]

    m <- d[-c(2, 5, 13, 17, 22, 29, 30, 36),]
    ss <- function(v) sum((v - mean(v))^2)
    A <- sum(tapply(m$value, m$item, ss)) / sum(tapply(m$value, m$item, length) - 1)
    B <- sum(tapply(m$value, m$rater, ss)) / sum(tapply(m$value, m$rater, length) - 1)
    C <- 0; n <- 0
    for (a in 2:nrow(m)) for (b in 1:(a - 1))
        if (m$item[a] != m$item[b] && m$rater[a] != m$rater[b]) {
            C <- C + (m$value[a] - m$value[b])^2 / 2; n <- n + 1 }
    C <- C / n
    print(c(C - A, C - B, A + B - C), digits=10)
"""

from __future__ import annotations

import numpy as np
import pandas as pd

RATINGS = np.array(
    [
        *([3, 4, 2], [5, 5, 4], [1, 2, 1], [2, 4, 3], [4, 4, 2], [5, 4, 5]),
        *([3, 3, 1], [2, 1, 1], [4, 5, 4], [3, 4, 3], [1, 3, 1], [5, 5, 3]),
    ],
    dtype=float,
)
# rows of R's data frame that are taken out, counted from 1, rater by rater
GONE = (2, 5, 13, 17, 22, 29, 30, 36)

LME4 = (1.383838358, 0.303029313, 0.474747596)
PSYCH = {"ICC2": 0.64018692, "ICC3": 0.74456522, "ICC2k": 0.84221311, "ICC3k": 0.89737991}
PAIRS = (1.6715686275, 0.3617124183, 0.2755424837)


def long(values: np.ndarray = RATINGS, *, gone: tuple[int, ...] = ()) -> pd.DataFrame:
    """Return the ratings as a tidy table, without the rows that are gone."""
    items, raters = values.shape
    table = pd.DataFrame(
        {
            "item_id": np.tile([f"i{n:02d}" for n in range(items)], raters),
            "rater_id": np.repeat([f"r{n}" for n in range(raters)], items),
            "rater_kind": "human",
            "dimension": "warmth",
            "value": values.T.ravel(),
        }
    )
    return table.drop([row - 1 for row in gone]).dropna().reset_index(drop=True)
