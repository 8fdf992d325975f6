"""`entropy` calls this where the library constriction cannot be had: Linux on ARM.

It is a twin, in plain Python, of what `entropy` uses of that library: the same names,
and the same bits, so that a file written with one opens with the other. Only the areas
under Gaussians come from the C library, whose last digits may differ: one symbol in
about 10^9 then becomes another one, and the checksum of the file notices.

A symbol's probability is a whole number of 2^24 parts, at least one. A stack is one
large number (ANS; Duda, 2009, arXiv:0902.0271), a queue an interval that gets narrower
(range coding; Martin, 1979). Both hold 64 bits and exchange words of 32 with a list.
R. Bamler (2022, arXiv:2201.01741) derives these coders and their models.
"""

import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat

import numpy as np

PARTS = 1 << 24
WORD, STATE = (1 << 32) - 1, (1 << 64) - 1  # the largest word, the largest state
AT_ONCE = 1 << 16  # borders computed at a time, so that memory stays small


# Models: for each symbol the borders of all symbols in 2^24 parts, from 0 to 2^24


class Categorical:
    """Tables of probabilities or counts, of any sum above 0: one, or one a symbol."""

    low = 0

    def __init__(self, table: np.ndarray | None = None, perfect: bool = False) -> None:
        self.row = None if table is None else _borders(table[None])[0].tolist()

    def rows(self, shares: np.ndarray | None = None) -> Iterator[Sequence[int]]:
        """The borders for each symbol; shares (n, k) where there is no one table."""
        if shares is None:
            return repeat(self.row)
        size = max(1, AT_ONCE // shares.shape[1])
        parts = (shares[i : i + size] for i in range(0, len(shares), size))
        return (row for part in parts for row in _borders(part).tolist())


class Bernoulli(Categorical):
    """Coins: 1 with a chance of its own for each symbol, else 0."""

    def rows(self, chances: np.ndarray) -> Iterator[Sequence[int]]:
        chances = np.asarray(chances, np.float64)
        return super().rows(np.stack([1 - chances, chances], axis=1))


class QuantizedGaussian:
    """Whole numbers from `low` to `high`, by the areas of cells around them."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def rows(self, means: np.ndarray, spreads: np.ndarray) -> Iterator[Sequence[int]]:
        means, spreads = (np.asarray(x, np.float64).tolist() for x in (means, spreads))
        for mean, spread in zip(means, spreads, strict=True):
            yield _Cells(self.low, self.high, mean, spread)


class _Cells(Sequence):
    """The borders of a Gaussian's cells, each computed when it is asked for."""

    def __init__(self, low: int, high: int, mean: float, spread: float) -> None:
        self._low, self._cells = low, high - low + 1
        self._mean, self._width = mean, spread * math.sqrt(2)

    def __len__(self) -> int:
        return self._cells + 1

    def __getitem__(self, cell: int) -> int:
        if not 0 <= cell <= self._cells:
            raise IndexError(cell)
        if cell in (0, self._cells):
            return PARTS if cell else 0
        x = (self._low + cell - 0.5 - self._mean) / self._width
        return int((PARTS - self._cells) * ((1 + math.erf(x)) / 2)) + cell


def _borders(shares: np.ndarray) -> np.ndarray:
    """Shares (n, k) of any sum to borders (n, k + 1); no symbol is without a part."""
    n, k = shares.shape
    sums = np.cumsum(shares, axis=1)
    scale = shares.dtype.type(PARTS - k) / sums[:, -1:]
    inner = (sums[:, :-1] * scale).astype(np.int64) + np.arange(1, k)
    return np.hstack([np.zeros((n, 1), np.int64), inner, np.full((n, 1), PARTS)])


# A stack


class AnsCoder:
    """A stack of words and a state; words from the stack keep the state above 2^32.

    Args:
        words: what lies in it, oldest first.
        seal: the words are any bits, and not the end of another stack.

    Raises:
        ValueError: not sealed, and the last word is 0.
    """

    def __init__(self, words: Iterable[int] = (), seal: bool = False) -> None:
        self._words = array("I", np.asarray(words, np.uint32).tolist())
        if not seal and self._words and not self._words[-1]:
            raise ValueError("the last word of a stack is not 0")
        self._state = int(seal)
        while self._words and self._state <= WORD:
            self._state = self._state << 32 | self._words.pop()

    def encode_reverse(self, symbols: np.ndarray, model, *parameters) -> None:
        """Pushes symbols (n,), the last one first."""
        state, words = self._state, self._words
        rows = model.rows(*(parameter[::-1] for parameter in parameters))
        for place, row in zip(_places(symbols[::-1], model), rows, strict=False):
            left = row[place]
            parts = row[place + 1] - left
            if state >> 40 >= parts:
                words.append(state & WORD)
                state >>= 32
            whole, rest = divmod(state, parts)
            state = whole << 24 | left + rest
        self._state = state

    def decode(self, model, *parameters) -> np.ndarray:
        """Pops one symbol for each row of the parameters, int32 (n,)."""
        state, words, places = self._state, self._words, []
        for row in model.rows(*parameters):
            quantile = state & PARTS - 1
            place = bisect_right(row, quantile) - 1
            left = row[place]
            state = (state >> 24) * (row[place + 1] - left) + quantile - left
            if state <= WORD and words:
                state = state << 32 | words.pop()
            places.append(place)
        self._state = state
        return np.array(places, np.int32) + np.int32(model.low)

    def get_compressed(self, unseal: bool = False) -> np.ndarray:
        """All words, uint32; unsealed, those that a sealed coder began with.

        Raises:
            AssertionError: anything else lies on those words.
        """
        high, low = divmod(self._state, 1 << 32)
        if unseal and self._state != 1 and high != 1:
            raise AssertionError("something lies on the words that were sealed")
        last = [low, high] if high else [low] if low else []
        return np.array([*self._words, *(last[:-1] if unseal else last)], np.uint32)


# A queue


class RangeEncoder:
    """An interval that gets narrower; its lower end, in words, is the code."""

    def __init__(self) -> None:
        self._words, self._lower, self._range = array("I"), 0, STATE

    def encode(self, symbols: np.ndarray, model: Categorical) -> None:
        """Adds symbols (n,) by one table for all."""
        lower, width, words = self._lower, self._range, self._words
        for place, row in zip(_places(symbols, model), model.rows(), strict=False):
            scale, left = width >> 24, row[place]
            lower, width = lower + scale * left, scale * (row[place + 1] - left)
            if lower > STATE:
                _carry(words)
                lower &= STATE
            if width <= WORD:
                words.append(lower >> 32)
                lower, width = lower << 32 & STATE, width << 32
        self._lower, self._range = lower, width

    def get_compressed(self) -> np.ndarray:
        """The shortest words, uint32, after which any others may follow."""
        words = self._words[:]
        if self._range != STATE:  # else nothing was encoded
            point = self._lower + WORD
            if point > STATE:
                _carry(words)
            words.append(point >> 32 & WORD)
            if (self._lower + self._range) >> 32 & WORD == words[-1]:
                words.append(0)
        return np.array(words, np.uint32)


class RangeDecoder:
    """Finds the symbols again, from the words of a `RangeEncoder`."""

    def __init__(self, words: np.ndarray) -> None:
        self._words, self._range = iter(words.tolist()), STATE
        self._left = len(words)  # words that were not read yet
        self._above = self._next() << 32 | self._next()  # of the interval's lower end

    def _next(self) -> int:
        self._left -= 1
        return next(self._words, 0)

    def decode(self, model: Categorical, count: int) -> np.ndarray:
        """The next symbols, int32 (count,), by one table for all.

        Raises:
            AssertionError: no symbols lead to these words.
        """
        above, width, places = self._above, self._range, []
        for row in islice(model.rows(), count):
            scale = width >> 24
            quantile = above // scale
            if quantile >= PARTS:
                raise AssertionError("the words are no code of these tables")
            place = bisect_right(row, quantile) - 1
            left = row[place]
            above, width = above - scale * left, scale * (row[place + 1] - left)
            if width <= WORD:
                above, width = above << 32 | self._next(), width << 32
            places.append(place)
        self._above, self._range = above, width
        return np.array(places, np.int32)

    def maybe_exhausted(self) -> bool:
        """Whether all words were read, and nothing is left of them."""
        whole = self._range == STATE or self._above < 2 * WORD + 1
        return self._left <= 0 and whole


def _places(symbols: np.ndarray, model) -> list[int]:
    places = symbols.astype(np.int64) - model.low
    if places.size and places.min() < 0:
        raise ValueError(f"the symbol {symbols.min()} is outside its table")
    return places.tolist()


def _carry(words: array) -> None:
    """Adds one to the large number that the words are, the last one being lowest."""
    place = len(words) - 1
    while words[place] == WORD:
        words[place] = 0
        place -= 1
    words[place] += 1


model = queue = stack = sys.modules[__name__]  # the modules of constriction.stream
