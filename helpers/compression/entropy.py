"""Whole numbers to bits and back, at about -log2 p bits each: the entropy coder.

`SymbolTables` counts how often each whole number comes, and packs others by these
counts. Only this module touches the library constriction, or, where it is missing, its
slow `twin`. Two kinds of coder stand here, for a queue (what went in first comes out
first: `encode_symbols`, `decode_symbols`) and for a `Stack` (what went in last comes
out first), which `bits_back` needs.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

try:
    from constriction import stream
except ImportError:  # Linux on ARM
    from helpers.compression import twin as stream

Tables = Sequence[np.ndarray] | np.ndarray
MOST_SYMBOLS = 1 << 22  # in a file; a forged count must not ask for all memory


# A queue


def encode_symbols(
    symbols: np.ndarray, tables: Tables, lowest: int | Sequence[int] = 0
) -> bytes:
    """Packs whole numbers into about -sum log2 p bits, with a range coder.

    All images go into one stream, dimension after dimension.

    Args:
        symbols: integers (n, d); n may be 0.
        tables: d tables, `tables[j][k]` the probability (or count) of the symbol
            `lowest[j] + k`. The receiver needs the very same floats: send them, or
            compute them from what was sent. A probability of 0 is taken as 2^-24.
        lowest: the first symbol of each table, or one number for all.

    Raises:
        TypeError: symbols are no integers.
        ValueError: a table that is no distribution, a symbol outside its table, or more
            than `MOST_SYMBOLS` symbols.
    """
    tables, lowest = _checked_tables(tables, lowest)
    symbols = _checked_symbols(symbols, tables)
    check_size(*symbols.shape)
    coder = stream.queue.RangeEncoder()
    for j, (table, first) in enumerate(zip(tables, lowest, strict=True)):
        index = symbols[:, j].astype(np.int64) - first
        bad = (index < 0) | (index >= len(table))
        if bad.any():
            raise ValueError(
                f"symbol {symbols[bad, j][0]} of dimension {j} is outside its table, "
                f"{first} to {first + len(table) - 1}; clip it or use a wider one"
            )
        if len(table) > 1:  # a table of one symbol costs nothing
            coder.encode(
                np.ascontiguousarray(index, np.int32),
                stream.model.Categorical(table, perfect=False),
            )
    return coder.get_compressed().astype("<u4").tobytes()


def decode_symbols(
    payload: bytes, tables: Tables, count: int, lowest: int | Sequence[int] = 0
) -> np.ndarray:
    """The int32 symbols (count, d) that `encode_symbols` packed with the same tables.

    Raises:
        ValueError: the payload does not fit the tables and the count. Not every wrong
            payload is noticed; `files.read_file` does notice.
    """
    tables, lowest = _checked_tables(tables, lowest)
    problem = f"these {len(payload)} bytes are not {count} images of these tables"
    if len(payload) % 4 or count < 0:
        raise ValueError(problem)
    check_size(count, len(tables))
    words = np.frombuffer(payload, "<u4").astype(np.uint32)
    coder = stream.queue.RangeDecoder(words)
    symbols = np.empty((count, len(tables)), np.int32)
    for j, (table, first) in enumerate(zip(tables, lowest, strict=True)):
        symbols[:, j] = first
        if count and len(table) > 1:
            try:
                symbols[:, j] += coder.decode(
                    stream.model.Categorical(table, perfect=False), count
                )
            except AssertionError as error:  # the coders' word for invalid data
                raise ValueError(problem) from error
    if not coder.maybe_exhausted():
        raise ValueError(problem)
    return symbols


class SymbolTables:
    """How often each whole number came in each place of a code, and a coder for them.

    Both sides need the same tables; counts are whole numbers, so they can agree on
    them exactly. Each count begins at 1, because a symbol of probability 0 could not be
    coded.

    Args:
        symbols: whole numbers (n, k) to count, a tensor or an array; 3.0 counts as a
            whole number.
        reach: the tables go from -reach to reach; what lies beyond moves to the edge.

    Attributes:
        counts: int64 array (k, 2 * reach + 1); column `reach + s` is for the symbol s.

    Raises:
        ValueError: the numbers are not whole, or not (n, k).
    """

    def __init__(self, symbols: Tensor | np.ndarray, reach: int = 60) -> None:
        self.reach = reach
        width = 2 * reach + 1
        places = self._whole(symbols) + reach
        rows = [np.bincount(column, minlength=width) for column in places.T]
        self.counts = np.stack(rows) + 1

    @property
    def chances(self) -> np.ndarray:
        """The probability of each symbol in each place, (k, 2 * reach + 1)."""
        return self.counts / self.counts.sum(1, keepdims=True)

    def bits(self, symbols: Tensor | np.ndarray) -> np.ndarray:
        """The information content -log2 p of each symbol: (n, k) to (n, k), in bits."""
        places = self._whole(symbols) + self.reach
        return -np.log2(self.chances[np.arange(len(self.counts)), places])

    def pack(self, symbols: Tensor | np.ndarray) -> bytes:
        """Whole numbers (n, k) as about `bits(symbols).sum()` bits, in whole words."""
        return encode_symbols(self._whole(symbols), self.counts, lowest=-self.reach)

    def unpack(self, payload: bytes, count: int) -> Tensor:
        """The numbers of `pack` as floats (count, k); beyond the reach: its edge.

        Raises:
            ValueError: the payload does not fit the tables and the count.
        """
        symbols = decode_symbols(payload, self.counts, count, lowest=-self.reach)
        return torch.from_numpy(symbols).float()

    def _whole(self, symbols: Tensor | np.ndarray) -> np.ndarray:
        if isinstance(symbols, Tensor):
            symbols = symbols.detach().cpu().numpy()
        symbols = np.asarray(symbols)
        if symbols.ndim != 2:
            raise ValueError(f"symbols must be (n, k), not {symbols.shape}")
        if not np.array_equal(symbols, np.round(symbols)):  # false for NaN, too
            raise ValueError("symbols must be whole numbers; round them first")
        return symbols.clip(-self.reach, self.reach).astype(np.int64)


def check_size(count: int, dims: int) -> None:
    """ValueError if so many images of so many symbols would ask for too much memory."""
    if count * dims > MOST_SYMBOLS:
        raise ValueError(
            f"{count:,} images of {dims:,} symbols are more than the {MOST_SYMBOLS:,} "
            "symbols of the largest file; write several, or the file was altered"
        )


def _checked_tables(
    tables: Tables, lowest: int | Sequence[int]
) -> tuple[list[np.ndarray], list[int]]:
    # constriction panics on a NaN, and `except Exception` does not catch a panic.
    checked = []
    for j, table in enumerate(tables):
        table = np.asarray(table, np.float64)
        if table.ndim != 1 or len(table) == 0:
            raise ValueError(f"table {j} must be a row of numbers, not {table.shape}")
        with np.errstate(over="ignore"):
            total = table.sum()
        if not (table >= 0).all() or not 0 < total < math.inf:
            raise ValueError(
                f"table {j} is no distribution: it needs numbers that are not negative "
                "and not all 0, without NaN or infinity"
            )
        checked.append(table / total)
    firsts = [int(first) for first in np.broadcast_to(lowest, len(checked))]
    return checked, firsts


def _checked_symbols(symbols: np.ndarray, tables: list[np.ndarray]) -> np.ndarray:
    symbols = np.asarray(symbols)
    if not np.issubdtype(symbols.dtype, np.integer):
        raise TypeError(f"symbols must be integers, not {symbols.dtype}; round them")
    if symbols.ndim != 2 or symbols.shape[1] != len(tables):
        raise ValueError(
            f"{len(tables)} tables want symbols (n, {len(tables)}), not {symbols.shape}"
        )
    return symbols


# A stack


class Stack:
    """A pile of bits: what was pushed last is popped first (ANS; Duda, 2009).

    A pop needs the distributions of the push, as the very same floats. From an empty
    pile one can pop, too: what comes out is chosen badly, and no more than that.

    Args:
        bottom: uint32 words to begin with.
    """

    def __init__(self, bottom: Sequence[int] | np.ndarray = ()) -> None:
        words = np.array(bottom, np.uint32)
        self._coder = stream.stack.AnsCoder(words, seal=True)

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Stack":
        """The stack that `to_bytes` turned into these bytes; ValueError if none."""
        if not payload or len(payload) % 4 or not any(payload[-4:]):
            raise ValueError(f"these {len(payload)} bytes are no stack")
        stack, words = cls(), np.frombuffer(payload, "<u4").astype(np.uint32)
        stack._coder = stream.stack.AnsCoder(words)
        return stack

    def to_bytes(self) -> bytes:
        """The whole stack, oldest word first, little-endian."""
        return self._coder.get_compressed().astype("<u4").tobytes()

    def bottom(self) -> np.ndarray | None:
        """The words that it began with; None while anything else lies on them."""
        try:
            return self._coder.get_compressed(unseal=True)
        except AssertionError:  # the coders' word for invalid data
            return None

    def push_coins(self, symbols: np.ndarray, chances: np.ndarray) -> None:
        """Pushes zeros and ones (n,), each 1 with its chance (n,), not 0 and not 1."""
        self._coder.encode_reverse(_int32(symbols), _coins(), chances)

    def pop_coins(self, chances: np.ndarray) -> np.ndarray:
        """The int32 symbols (n,) that were pushed with these chances."""
        return self._coder.decode(_coins(), chances)

    def push_places(self, symbols: np.ndarray, shares: np.ndarray) -> None:
        """Pushes places (n,) in rows of shares, float32 (n, k), each above 0.

        A row need not add up to 1.
        """
        self._coder.encode_reverse(_int32(symbols), _rows(), shares)

    def pop_places(self, shares: np.ndarray) -> np.ndarray:
        """The int32 places (n,) that were pushed with these shares."""
        return self._coder.decode(_rows(), shares)

    def push_cells(
        self, symbols: np.ndarray, means: np.ndarray, spreads: np.ndarray, reach: int
    ) -> None:
        """Pushes whole numbers (n,) from -reach to reach.

        Each has the area of its Gaussian (mean and standard deviation, (n,)) over the
        cell of width 1 around it.
        """
        self._coder.encode_reverse(_int32(symbols), _cells(reach), means, spreads)

    def pop_cells(
        self, means: np.ndarray, spreads: np.ndarray, reach: int
    ) -> np.ndarray:
        """The int32 symbols (n,) that were pushed with these Gaussians."""
        return self._coder.decode(_cells(reach), means, spreads)


def _coins() -> object:
    return stream.model.Bernoulli(perfect=False)


def _rows() -> object:
    return stream.model.Categorical(perfect=False)


def _cells(reach: int) -> object:
    return stream.model.QuantizedGaussian(-reach, reach)


def _int32(symbols: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(symbols, np.int32)
