"""Bias-reduced Bradley-Terry scores by R, with the code that made them.

R 4.2.2, BradleyTerry2 1.1-2 with `br = TRUE` (brglm 0.7.2) for scores and errors; the ends of the
profile penalised likelihood intervals are from R's own `optim` and `uniroot`, as in `CODE`. Item w
was never beaten and item l never won.
"""

from __future__ import annotations

CODE = r"""
suppressMessages({library(BradleyTerry2); library(brglm)})
d <- data.frame(a=c("a","a","a","b","b","c","d","d","d"), b=c("b","c","d","c","d","d","b","c","e"),
                wa=c(3,2,4,2,3,1,1,2,2), wb=c(1,2,0,3,1,2,0,1,1))
# e: only d; a never lost to d; add item w, never beaten, and l, never won
d <- rbind(d, data.frame(a=c("w","w","w","e","b"), b=c("a","b","d","l","l"),
                         wa=c(4,3,2,3,2), wb=c(0,0,0,0,0)))
lv <- sort(unique(c(d$a,d$b))); d$a <- factor(d$a,lv); d$b <- factor(d$b,lv)
m <- BTm(cbind(wa,wb), a, b, data=d, br=TRUE)
m <- update(m, br.control=NULL)
full <- c(0, coef(m)); k <- length(lv); C <- diag(k)-1/k
V <- matrix(0,k,k); V[-1,-1] <- vcov(m)
score <- as.vector(C %*% full); se <- sqrt(diag(C %*% V %*% t(C)))
X <- outer(as.integer(d$a),1:k,"==")-outer(as.integer(d$b),1:k,"==")
pl <- function(s){ o <- as.vector(X%*%s); p <- plogis(o); n <- d$wa+d$wb
  I <- t(X[,-1])%*%(n*p*(1-p)*X[,-1])
  sum(d$wa*plogis(o,log.p=TRUE)+d$wb*plogis(-o,log.p=TRUE))+0.5*as.numeric(determinant(I)$modulus)}
# scores: mean 0; item i at v, the others free with sum -v
prof <- function(i,v){
  f <- function(z){ s <- numeric(k); s[i] <- v; s[setdiff(1:k,i)] <- c(z,-v-sum(z)); -pl(s)}
  st <- score[setdiff(1:k,i)]; st <- (st - mean(st)) - v/(k-1)
  o <- optim(st[-length(st)], f, method="BFGS", control=list(reltol=1e-14,maxit=2000)); -o$value}
best <- pl(score); q <- qchisq(.95,1)
ends <- sapply(1:k,function(i){ g <- function(v) 2*(best-prof(i,v))-q
  c(uniroot(g,c(score[i]-3.6*se[i],score[i]),tol=1e-8)$root,
    uniroot(g,c(score[i],score[i]+3.6*se[i]),tol=1e-8)$root)})
cat(sprintf('"%s": [%.9f, %.9f, %.7f, %.7f]', lv, score, se, ends[1,], ends[2,]), sep=",\n")
"""

# first, second, wins of the first, wins of the second
COUNTS = [
    ("a", "b", 3, 1),
    ("a", "c", 2, 2),
    ("a", "d", 4, 0),
    ("b", "c", 2, 3),
    ("b", "d", 3, 1),
    ("c", "d", 1, 2),
    ("d", "b", 1, 0),
    ("d", "c", 2, 1),
    ("d", "e", 2, 1),
    ("w", "a", 4, 0),
    ("w", "b", 3, 0),
    ("w", "d", 2, 0),
    ("e", "l", 3, 0),
    ("b", "l", 2, 0),
]

# score (mean 0), standard error under the model, ends of the 95% interval
FOUND = {
    "a": (0.797175845, 0.639989546, -0.3903676, 2.1006949),
    "b": (-0.173272403, 0.586033007, -1.3052674, 1.0322405),
    "c": (-0.077919020, 0.614684870, -1.2491296, 1.1292989),
    "d": (-0.250444661, 0.531900386, -1.2912249, 0.7903997),
    "e": (-0.733468975, 0.946161410, -2.6247902, 1.0365215),
    "l": (-2.826221564, 1.455523525, -7.1199292, -0.7332435),
    "w": (3.264150780, 1.374874472, 1.2834757, 7.4940684),
}
