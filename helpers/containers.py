"""The notebooks on compression make a real file of whole numbers with this module: an
entropy coder, a file format that notices damage, and a ledger that says where bytes go.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import constriction
import numpy as np

# The entropy coder

Tables = Sequence[np.ndarray] | np.ndarray


def encode_symbols(
    symbols: np.ndarray, tables: Tables, lowest: int | Sequence[int] = 0
) -> bytes:
    """Packs whole numbers into about -sum log2 p bits, with constriction's range coder.

    All images go into one stream, dimension after dimension.

    Args:
        symbols: integers (n, d); n may be 0.
        tables: d tables, `tables[j][k]` the probability (or count) of the symbol
            `lowest[j] + k`. The receiver needs the very same floats: send them, or
            compute them from what was sent. A probability of 0 is taken as 2^-24.
        lowest: the first symbol of each table, or one number for all.

    Raises:
        TypeError: symbols are no integers.
        ValueError: a table that is no distribution, or a symbol outside its table
            (`clip_symbols` moves it to the edge).
    """
    tables, lowest = _checked_tables(tables, lowest)
    symbols = _checked_symbols(symbols, tables)
    coder = constriction.stream.queue.RangeEncoder()
    for j, (table, first) in enumerate(zip(tables, lowest, strict=True)):
        index = symbols[:, j].astype(np.int64) - first
        bad = (index < 0) | (index >= len(table))
        if bad.any():
            raise ValueError(
                f"symbol {symbols[bad, j][0]} of dimension {j} is outside its table, "
                f"{first} to {first + len(table) - 1}; use clip_symbols or a wider one"
            )
        if len(table) > 1:  # a table of one symbol costs nothing
            coder.encode(np.ascontiguousarray(index, np.int32), _model(table))
    return coder.get_compressed().astype("<u4").tobytes()


def decode_symbols(
    payload: bytes, tables: Tables, count: int, lowest: int | Sequence[int] = 0
) -> np.ndarray:
    """The int32 symbols (count, d) that `encode_symbols` packed with the same tables.

    Raises:
        ValueError: the payload does not fit the tables and the count. Not every wrong
            payload is noticed; `read_file` does notice.
    """
    tables, lowest = _checked_tables(tables, lowest)
    problem = f"these {len(payload)} bytes are not {count} images of these tables"
    if len(payload) % 4 or count < 0:
        raise ValueError(problem)
    words = np.frombuffer(payload, "<u4").astype(np.uint32)
    coder = constriction.stream.queue.RangeDecoder(words)
    symbols = np.empty((count, len(tables)), np.int32)
    for j, (table, first) in enumerate(zip(tables, lowest, strict=True)):
        index: int | np.ndarray = 0
        if count and len(table) > 1:
            try:
                index = coder.decode(_model(table), count)
            except AssertionError as error:  # constriction's word for invalid data
                raise ValueError(problem) from error
        symbols[:, j] = index + first
    if not coder.maybe_exhausted():
        raise ValueError(problem)
    return symbols


def clip_symbols(
    symbols: np.ndarray, tables: Tables, lowest: int | Sequence[int] = 0
) -> np.ndarray:
    """Moves each symbol outside its table to the table's nearest edge."""
    tables, lowest = _checked_tables(tables, lowest)
    highest = np.array(lowest) + [len(table) - 1 for table in tables]
    return np.clip(_checked_symbols(symbols, tables), lowest, highest)


def _model(table: np.ndarray) -> constriction.stream.model.Categorical:
    return constriction.stream.model.Categorical(table, perfect=False)


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


# A file of one's own, and the ledger

_MAGIC, _VERSION = b"AENB", 1
_HEADER = struct.Struct("<4sBxHIII")


def write_file(path: str | Path, payload: bytes, *, count: int, dims: int) -> int:
    """Writes a payload behind a header of 20 bytes and returns the size of the file.

    Layout, little-endian: "AENB", version 1 (1 byte), 0 (1 byte), dims (2 bytes),
    count (4), length of the payload (4), CRC-32 of all other bytes (4), payload.

    Args:
        path: where to write.
        payload: any bytes, such as those of `encode_symbols`.
        count: number of images, below 2^32.
        dims: symbols of an image, below 2^16.
    """
    if not 0 <= count < 2**32 or not 0 <= dims < 2**16:
        raise ValueError(f"count={count} or dims={dims} does not fit into the header")
    fields = (_MAGIC, _VERSION, dims, count, len(payload))
    check = zlib.crc32(_HEADER.pack(*fields, 0)[:-4] + payload)
    return Path(path).write_bytes(_HEADER.pack(*fields, check) + payload)


def read_file(path: str | Path) -> tuple[int, int, bytes]:
    """Reads (count, dims, payload) from a file of `write_file`.

    Raises:
        ValueError: the file is of another kind, cut short, too long, or altered.
    """
    file = Path(path).read_bytes()
    if not _MAGIC.startswith(file[:4]):
        raise ValueError(f"{path} is not a file of these notebooks")
    if len(file) < _HEADER.size:
        raise ValueError(f"{path} is cut short: it ends within its header")
    _, version, dims, count, length, check = _HEADER.unpack(file[: _HEADER.size])
    payload = file[_HEADER.size :]
    if version != _VERSION:
        raise ValueError(f"{path} has version {version}; this code reads {_VERSION}")
    if len(payload) != length:
        raise ValueError(
            f"{path} is cut short or altered: its header announces {length} bytes, "
            f"{len(payload)} follow"
        )
    if zlib.crc32(file[: _HEADER.size - 4] + payload) != check:
        raise ValueError(f"{path} was altered: its checksum is wrong")
    return count, dims, payload


@dataclass
class Ledger:
    """Who pays for which bytes: a table with a total and bytes per image.

    >>> ledger = Ledger(images=10_000)
    >>> ledger.add("header", 20)
    >>> ledger.add("payload", payload, "range coder")
    >>> print(ledger)
    """

    images: int
    entries: list[tuple[str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(f"a ledger needs at least one image, not {self.images}")

    def add(self, name: str, size: int | bytes, remark: str = "") -> None:
        """Adds an entry: a number of bytes, or the bytes themselves."""
        size = len(size) if isinstance(size, bytes) else size
        if not isinstance(size, int | np.integer) or size < 0:
            raise ValueError(f"{name} must be a whole number of bytes, not {size!r}")
        self.entries.append((name, int(size), remark))

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(size for _, size, _ in self.entries)

    @property
    def per_image(self) -> float:
        """All bytes, over the number of images."""
        return self.total / self.images

    def __str__(self) -> str:
        rows = [*self.entries, ("total", self.total, f"{self.images:,} images")]
        width = max(len(name) for name, _, _ in rows)
        lines = [f"{'':{width}} {'bytes':>12} {'per image':>10}"]
        for name, size, remark in rows:
            line = f"{name:{width}} {size:>12,} {size / self.images:>10.2f}  {remark}"
            lines.append(line.rstrip())
        return "\n".join(lines)
