"""Choose the pairs that say most about the order of the items, in batches."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from study.judges.adaptive.posterior import FloatArray, Replies, fit, prior, with_likelier_spread

# Scores are fitted again after every count / 8 replies. Then the matrix inverse costs, per pair,
# about as much as choosing the pair.
_BATCHES = 8
_SMALLEST_BATCH = 4

_OUT, _LOST, _WON, _TIED, _ABANDONED = -1, 0, 1, 2, -2


class InformativePairs:
    """Ask where the order of the items is least known, until scores are reliable enough.

    One item of a pair is the item whose score is least certain, weighted more where items are
    close together. The other is the item that tells most about it: p (1 - p) times the variance
    of the two scores' difference. Every pair handed out reduces the covariance by its expected
    information at once, before its reply comes, so that no batch asks the same thing twice.

    Parameters
    ----------
    count : int
        Number of items.
    at_most : int
        The most pairs to ask.
    reliability : float or None
        The reliability at which to stop; None asks all pairs.
    rng : numpy Generator
    """

    def __init__(
        self, count: int, at_most: int, reliability: float | None, *, rng: np.random.Generator
    ) -> None:
        self._count = count
        self._target = reliability
        self._rng = rng
        self._left_to_ask = at_most if count > 1 else 0
        self._left: list[int] = []
        self._right: list[int] = []
        self._reply: list[int] = []
        self._places: defaultdict[tuple[int, int], deque[int]] = defaultdict(deque)
        self._out = 0
        # how much more often an item was on the left than on the right
        self._lean = np.zeros(count, dtype=np.int64)
        self._gone = np.zeros(count, dtype=np.bool_)
        self._enough = False
        self._batch = max(_SMALLEST_BATCH, count // _BATCHES)
        self._fresh = 0  # replies since the scores were fitted
        self._unspread = 0  # replies since their spread was fitted
        self._posterior = prior(max(count, 1))
        self._outdated = False
        self._plan()

    @property
    def finished(self) -> bool:
        """Whether all pairs are handed out, or the scores are reliable enough."""
        return not self._left_to_ask or (self._enough and not self._out)

    @property
    def reliability(self) -> float:
        """The reliability of the scores when they were last fitted."""
        return self._posterior.reliability

    @property
    def scores(self) -> FloatArray:
        """The scores in log-odds when they were last fitted."""
        return self._posterior.score.copy()

    def next(self) -> tuple[int, int] | None:
        """Choose a pair; also None while the pairs that are out should be enough."""
        if self.finished:
            return None
        if self._outdated or self._fresh >= self._batch:
            self._fit()
        if self._enough:
            return None
        pair = self._sides(*self._choose())
        self._hand_out(*pair)
        return pair

    def given(self, left: int, right: int) -> None:
        """Count a pair of an earlier run as asked."""
        self._hand_out(left, right)
        self._outdated = True

    def record(self, left: int, right: int, left_won: float) -> None:
        """Note the reply, 1/2 if tied; the scores are fitted after each batch of replies."""
        reply = _TIED if 0 < left_won < 1 else _WON if left_won else _LOST
        self._reply[self._take_back(left, right)] = reply
        self._fresh += 1
        self._unspread += 1
        self._last_reply()

    def abandon(self, left: int, right: int) -> None:
        """Note that a pair will have no reply."""
        self._reply[self._take_back(left, right)] = _ABANDONED
        self._lean[left] -= 1
        self._lean[right] += 1
        self._outdated = True
        self._last_reply()

    def leave_out(self, items: Collection[int]) -> None:
        """Hand out no pair with one of these items any more."""
        self._gone[list(items)] = True
        if self._count - self._gone.sum() < 2:
            self._left_to_ask = 0

    def _hand_out(self, left: int, right: int) -> None:
        self._places[left, right].append(len(self._reply))
        self._left.append(left)
        self._right.append(right)
        self._reply.append(_OUT)
        self._lean[left] += 1
        self._lean[right] -= 1
        self._left_to_ask -= 1
        self._out += 1

    def _take_back(self, left: int, right: int) -> int:
        places = self._places.get((left, right))
        if not places:
            raise ValueError(f"the pair {left}, {right} is not out")
        self._out -= 1
        return places.popleft()

    def _last_reply(self) -> None:
        """Check that the replies really are enough, once no pair is out any more."""
        if self._enough and not self._out:
            self._fit()

    def _fit(self) -> None:
        reply = np.array(self._reply, dtype=np.int8)
        use = reply != _ABANDONED
        replies = Replies(
            self._count,
            np.array(self._left, dtype=np.intp)[use],
            np.array(self._right, dtype=np.intp)[use],
            np.where(reply[use] == _TIED, 0.5, reply[use] == _WON),
            reply[use] != _OUT,
        )
        start = self._posterior
        if self._unspread >= self._count:
            start = with_likelier_spread(replies, start)
            self._unspread = 0
        self._posterior = fit(replies, start)
        self._fresh, self._outdated = 0, False
        self._enough = self._target is not None and self.reliability >= self._target
        self._plan()

    def _plan(self) -> None:
        """Prepare what choosing needs until the next fit; single precision is enough."""
        self._open = np.asfortranarray(self._posterior.covariance, dtype=np.float32)
        self._score = self._posterior.score.astype(np.float32)
        self._weight = _crowding(self._posterior.score, self._posterior.covariance.diagonal())
        self._ties = 1 + 1e-5 * self._rng.random(self._count, dtype=np.float32)

    def _choose(self) -> tuple[int, int]:
        from scipy.linalg.blas import sger  # slow to import, and only needed here

        open_ = self._open
        var = open_.diagonal()
        one = int(np.argmax(np.where(self._gone, -1, self._weight * var * self._ties)))
        apart = np.maximum(var[one] + var - 2 * open_[one], 0)
        # a logistic averaged over a normal is nearly a flatter logistic (MacKay 1992)
        flat = 1 / np.sqrt(1 + np.float32(np.pi / 8) * apart)
        chance = 1 / (1 + np.exp(flat * (self._score - self._score[one])))
        information = flat * chance * (1 - chance)
        gain = information * apart * (self._weight + self._weight[one]) * self._ties
        gain[one] = -1
        gain[self._gone] = -1
        other = int(np.argmax(gain))
        learned = open_[one] - open_[other]
        share = information[other] / (1 + information[other] * apart[other])
        self._open = sger(-share, learned, learned, a=open_, overwrite_a=True)
        return one, other

    def _sides(self, one: int, other: int) -> tuple[int, int]:
        """Put on the left the item that was there less often, so that sides are balanced."""
        lean = int(self._lean[one] - self._lean[other])
        if lean < 0 or (lean == 0 and self._rng.random() < 0.5):
            return one, other
        return other, one


def _crowding(score: FloatArray, var: FloatArray) -> NDArray[np.float32]:
    """Return for every item the square root of the density of items at its score.

    Where items are close together, a small error in a score costs more ranks. The density itself
    would order them best, but it would leave the first and last items with four comparisons.
    """
    width = (var + 0.02).astype(np.float32)
    apart = np.subtract.outer(score, score).astype(np.float32)
    near = (np.exp(-(apart**2) / (2 * width)) / np.sqrt(width)).mean(axis=1)
    return np.asarray(np.sqrt(near / near.mean()), dtype=np.float32)
