"""Ratings of 12 items by 3 raters, and what R 4.2 (lme4, psych, optim) makes of them.

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

The many-facet model has no package in R 4.2 of Debian (`ordinal::clmm` has cumulative logits, not
adjacent categories), so its likelihood is written out and maximised by `optim`:

    y <- y - 1; z <- seq(-8, 8, length.out=801); w <- dnorm(z) * (z[2] - z[1])
    prob <- function(theta, b, tau) {
        s <- sapply(0:4, function(k) k * (theta - b) - sum(tau[seq_len(k)]))
        s <- s - apply(s, 1, max); exp(s) / rowSums(exp(s)) }
    nll <- function(x) {
        b <- c(x[3], x[4], -x[3] - x[4]); tau <- c(x[5:7], -sum(x[5:7]))
        p <- lapply(b, function(one) prob(x[1] + exp(x[2]) * z, one, tau))
        -sum(log(apply(y, 1, function(row)
            sum(w * p[[1]][, row[1] + 1] * p[[2]][, row[2] + 1] * p[[3]][, row[3] + 1])))) }
    f <- optim(c(0, .4, 0, 0, -1, 0, 0), nll, method="BFGS", control=list(reltol=1e-15, maxit=1000))
    f <- optim(f$par, nll, method="BFGS", hessian=TRUE,
               control=list(reltol=1e-15, maxit=1000, ndeps=rep(1e-4, 7)))
    V <- solve(f$hessian)[3:4, 3:4]; C <- rbind(diag(2), c(-1, -1))
    f$par; -f$value; sqrt(diag(C %*% V %*% t(C)))
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


# the rating-scale model with normal items, by brute force on a fine grid
MANY_FACET = {
    "mean": 0.20517072,
    "spread": 2.47333099,
    "severity": (-0.11558088, -1.30667295, 1.42225382),
    "thresholds": (-2.09167468, -1.34599666, 0.61061064, 2.82706070),
    "log_likelihood": -44.81086138,
    "errors": (0.3641201, 0.5448677, 0.5714090),
}
