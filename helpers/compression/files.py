"""Files of one's own that notice damage, and a ledger that says where their bytes go.

The notebooks on compression write theirs with `write_file`; `bits_back` has a `Format`
of its own with the same header.
"""

import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers.compression.entropy import check_size

MOST = 1_000_000  # images in a file; a forged count must not ask for all memory


@dataclass(frozen=True)
class Format:
    """A kind of file: a header, then a payload.

    Layout, little-endian: four bytes that name the kind, its version (1 byte), fields
    of its own, number of images (4), length of the payload (4), CRC-32 of all other
    bytes (4), payload. CRC-32 finds accidents, not intent.

    Attributes:
        magic: the four bytes.
        version: 0 to 255.
        own: the fields of its own, in the letters of the module `struct`.
        most: images in a file.
    """

    magic: bytes
    version: int
    own: str
    most: int = MOST

    @property
    def header_bytes(self) -> int:
        """The size of a header."""
        return self._header.size

    @property
    def _header(self) -> struct.Struct:
        return struct.Struct(f"<4sB{self.own}III")

    def pack(self, payload: bytes, count: int, *own: int | bytes) -> bytes:
        """The whole file; ValueError if the header cannot hold one of the numbers."""
        try:
            if not 0 <= count <= self.most:
                raise struct.error(f"the number of images must be 0 to {self.most:,}")
            fields = self.magic, self.version, *own, count, len(payload)
            head = self._header.pack(*fields, 0)[:-4]
        except struct.error as error:
            problem = f"count={count} or another number does not fit into the header"
            raise ValueError(f"{problem}: {error}") from None
        return head + _checksum(head, payload) + payload

    def unpack(self, file: bytes, name: str = "the file") -> tuple:
        """The payload, the count and the fields of its own, from a file of `pack`.

        Raises:
            ValueError: the file is of another kind, cut short, too long, or altered.
        """
        size = self.header_bytes
        count, *own = self.checked(file[:size], len(file) - size, name)
        payload = file[size:]
        if _checksum(file[: size - 4], payload) != file[size - 4 : size]:
            raise ValueError(f"{name} was altered: its checksum is wrong")
        return payload, count, *own

    def checked(self, head: bytes, follow: int, name: str) -> tuple:
        """The count and the fields of its own, from the first bytes of a file.

        Args:
            head: as many bytes as a header has, if there are so many.
            follow: how many bytes follow; they are not needed yet.

        Raises:
            ValueError: the header is not of this kind, or announces other bytes.
        """
        if not self.magic.startswith(head[:4]):
            raise ValueError(f"{name} is not a file of these notebooks")
        if len(head) < self.header_bytes:
            raise ValueError(f"{name} is cut short: it ends within its header")
        _, version, *own, count, length, _ = self._header.unpack(head)
        if version != self.version:
            raise ValueError(
                f"{name} has version {version}; this code reads {self.version}"
            )
        if follow != length:
            raise ValueError(
                f"{name} is cut short or altered: its header announces {length} bytes, "
                f"{follow} follow"
            )
        if count > self.most:
            raise ValueError(f"{name} was altered: nobody writes {count:,} images")
        return count, *own


def _checksum(*parts: bytes) -> bytes:
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    return check.to_bytes(4, "little")


_SYMBOLS = Format(b"AENB", 1, "xH")  # a byte that is 0, and the symbols of an image


def write_file(path: str | Path, payload: bytes, *, count: int, dims: int) -> int:
    """Writes a payload behind a header of 20 bytes and returns the size of the file.

    Args:
        path: where to write.
        payload: any bytes, such as those of `entropy.encode_symbols`.
        count: number of images, at most a million.
        dims: symbols of an image, below 2^16.

    Raises:
        ValueError: the header cannot hold a number, or there are more symbols than
            `entropy.MOST_SYMBOLS`.
    """
    check_size(count, dims)
    return Path(path).write_bytes(_SYMBOLS.pack(payload, count, dims))


def read_file(path: str | Path) -> tuple[int, int, bytes]:
    """Reads (count, dims, payload) from a file of `write_file`.

    Raises:
        ValueError: the file is of another kind, cut short, too long, or altered.
    """
    with open(path, "rb") as file:  # a large file of another kind is not read whole
        head = file.read(_SYMBOLS.header_bytes)
        follow = os.fstat(file.fileno()).st_size - len(head)
        check_size(*_SYMBOLS.checked(head, follow, str(path)))
        payload, count, dims = _SYMBOLS.unpack(head + file.read(), str(path))
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
