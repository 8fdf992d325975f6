"""Lesson 09 and its second visit call this for rivals that lose nothing: programs that
pack any file, image formats, and a table that counts neighbours.

Every file is decoded and compared with the pictures before its size is given.
"""

import io
import lzma

import numpy as np
import torch
from PIL import Image, features

from helpers.compression.entropy import Stack
from helpers.compression.images import mosaic, stream_sizes

# Options that make small files of digits in a short time.
_FORMATS = {
    "PNG": dict(format="PNG", optimize=True),
    "WebP": dict(format="WEBP", lossless=True, quality=100, method=4),
    "JPEG 2000": dict(format="JPEG2000", no_jp2=True, num_resolutions=1),
    "AVIF": dict(
        format="AVIF", quality=100, subsampling="4:0:0", speed=8, max_threads=1
    ),
}
_FEATURES = {"JPEG 2000": "jpg_2000", "AVIF": "avif"}
# Neighbours that are known before a pixel: so many rows up, so many columns left.
_TEN = ((2, 1), (2, 0), (2, -1), (1, 2), (1, 1), (1, 0), (1, -1), (1, -2))
_TEN += ((0, 2), (0, 1))
_XZ = 9 | lzma.PRESET_EXTREME


def formats() -> list[str]:
    """The image formats that this Pillow can write and read without loss."""
    return [n for n in _FORMATS if n not in _FEATURES or features.check(_FEATURES[n])]


def file_of(picture: np.ndarray, name: str) -> bytes:
    """The file of a picture in a format of `formats`, after it was read again.

    Args:
        picture: uint8 (height, width). If it has no levels but 0 and 255, PNG stores a
            bit a pixel.
        name: of the format.

    Raises:
        RuntimeError: the file does not give the picture back.
    """
    options, file, image = dict(_FORMATS[name]), io.BytesIO(), Image.fromarray(picture)
    if name == "PNG" and not (picture % 255).any():
        image = image.convert("1")
    image.save(file, **options)
    with Image.open(file, formats=[options["format"]]) as opened:
        if not np.array_equal(np.array(opened.convert("L")), picture):
            raise RuntimeError(f"{name} did not return the picture")
    return file.getvalue()


def rivals(pictures: np.ndarray) -> dict[str, int]:
    """Bytes of one file with all pictures, for each program and format, longest first.

    Image formats get one large picture. Packing programs get the pixels as one stream;
    of black and white pictures also eight pixels in a byte, and each row in four bytes
    of its own, and the shortest of the three counts.

    Args:
        pictures: uint8 (n, 28, 28): grey levels, or zeros and ones alone.
    """
    streams, shown = [pictures], pictures
    if not (pictures > 1).any():
        shown = 255 * pictures
        for packed in (np.packbits(pictures), np.packbits(pictures, axis=-1).ravel()):
            padded = np.pad(packed, (0, -len(packed) % 784))
            streams.append(padded.reshape(-1, 28, 28))
    sizes = {name: len(file_of(mosaic(shown), name)) for name in formats()}
    for packed in map(stream_sizes, streams):
        for name, size in packed.items():
            sizes[name] = min(size, sizes.get(name, size))
    return dict(sorted(sizes.items(), key=lambda pair: -pair[1]))


class NeighbourTable:
    """How often a pixel was white, for its position and ten known neighbours.

    The table of situations of lesson 07's second visit, as a coder. Counts are stored
    as log-odds in a byte each. Every situation begins with half a white and half a
    black pixel, so that nothing is impossible.

    Args:
        images: grey pictures (n, 1, 28, 28) in [0, 1], from which black and white ones
            are thrown.
        throws: how often the coins of each picture are thrown.
    """

    def __init__(self, images: torch.Tensor, throws: int = 2) -> None:
        counts = np.full((28, 28, 2048), 0.5)
        for part in [*images.split(10_000)] * throws:
            thrown = torch.bernoulli(part[:, 0]).numpy().astype(np.uint8)
            padded = self._padded(thrown)
            for row, column in np.ndindex(28, 28):
                seen = 2 * self._situation(padded, row, column)
                seen += padded[row + 2, column + 2]
                counts[row, column] += np.bincount(seen, minlength=2048)
        log_odds = np.log(counts[..., 1::2] / counts[..., ::2])
        self.log_odds = np.rint(10 * log_odds).clip(-127, 127).astype(np.int8)

    @property
    def own_bytes(self) -> int:
        """The table itself, packed by xz, in bytes."""
        return len(lzma.compress(self.log_odds.tobytes(), preset=_XZ))

    def compress(self, pictures: np.ndarray) -> bytes:
        """The file of pictures of zeros and ones, uint8 (n, 28, 28).

        The stack gives back last what was pushed first, so the last pixel goes first.
        """
        stack, padded = Stack(), self._padded(pictures)
        for row, column in reversed([*np.ndindex(28, 28)]):
            pixels = padded[row + 2, column + 2]
            stack.push_coins(pixels, self._white(padded, row, column))
        return stack.to_bytes()

    def decompress(self, file: bytes, count: int) -> np.ndarray:
        """The pictures (count, 28, 28) from a file of `compress`."""
        stack = Stack.from_bytes(file)
        padded = np.zeros((30, 32, count), np.uint8)
        for row, column in np.ndindex(28, 28):
            chances = self._white(padded, row, column)
            padded[row + 2, column + 2] = stack.pop_coins(chances)
        return np.moveaxis(padded[2:, 2:30], 2, 0)

    def size(self, pictures: np.ndarray) -> int:
        """Bytes of the file of `compress`, after it was read again.

        Raises:
            RuntimeError: the file does not give the pictures back.
        """
        file = self.compress(pictures)
        if not np.array_equal(self.decompress(file, len(pictures)), pictures):
            raise RuntimeError("the table did not return the pictures")
        return len(file)

    def _white(self, padded: np.ndarray, row: int, column: int) -> np.ndarray:
        log_odds = self.log_odds[row, column][self._situation(padded, row, column)]
        return 1 / (1 + np.exp(-log_odds / 10.0))

    def _situation(self, padded: np.ndarray, row: int, column: int) -> np.ndarray:
        """The neighbours of a pixel, in all pictures, as a number below 1,024 (n,)."""
        found = np.zeros(padded.shape[2], np.int16)
        for up, left in _TEN:
            found = 2 * found + padded[row + 2 - up, column + 2 - left]
        return found

    @staticmethod
    def _padded(pictures: np.ndarray) -> np.ndarray:
        """(n, 28, 28) -> (30, 32, n), with a black margin for the neighbours."""
        return np.pad(np.moveaxis(pictures, 0, 2), ((2, 0), (2, 2), (0, 0)))


class GreyTable:
    """How often each grey level came, for a pixel's known neighbours.

    First whether the pixel is black: for its position and five neighbours in four
    groups of levels. Then which of the levels 1 to 255: for four neighbours in eight
    groups. Both are stored in a byte each, as log-odds and as -log2 of a share, and
    the coder computes with what is stored.

    Args:
        pictures: uint8 (n, 28, 28), to count in.
    """

    def __init__(self, pictures: np.ndarray) -> None:
        ink = np.full((28, 28, 2 * 4**5), 0.4)  # nothing is impossible
        levels = np.zeros(256 * 8**4)
        for start in range(0, len(pictures), 10_000):
            padded = NeighbourTable._padded(pictures[start : start + 10_000])
            for row, column in np.ndindex(28, 28):
                pixels = padded[row + 2, column + 2].astype(np.int64)
                seen = 2 * self._place(padded, row, column, _FIVE, _FOUR_GROUPS)
                seen += pixels > 0
                ink[row, column] += np.bincount(seen, minlength=ink.shape[2])
                inked = np.flatnonzero(pixels)
                place = self._place(padded, row, column, _FIVE[:4], _EIGHT_GROUPS)
                seen = 256 * place[inked] + pixels[inked]
                np.add.at(levels, seen, 1)
        log_odds = np.log(ink[..., 1::2] / ink[..., ::2])
        self.log_odds = np.rint(10 * log_odds).clip(-127, 127).astype(np.int8)
        levels = levels.reshape(-1, 256)[:, 1:]
        overall = (levels.sum(0) + 1) / (levels.sum() + 255)
        levels += 20 * overall  # a situation that never came takes the shares of all
        self.bits = np.rint(-8 * np.log2(levels / levels.sum(1, keepdims=True)))
        self.bits = self.bits.clip(0, 255).astype(np.uint8)  # in eighths

    @property
    def own_bytes(self) -> int:
        """The table itself, packed by xz, in bytes."""
        both = self.log_odds.tobytes() + self.bits.tobytes()
        return len(lzma.compress(both, preset=_XZ))

    def compress(self, pictures: np.ndarray) -> bytes:
        """The file of grey pictures, uint8 (n, 28, 28); the last pixel goes first."""
        stack, padded = Stack(), NeighbourTable._padded(pictures)
        for row, column in reversed([*np.ndindex(28, 28)]):
            pixels = padded[row + 2, column + 2]
            inked = np.flatnonzero(pixels)
            shares = self._shares(padded, row, column, inked)
            if len(inked):
                stack.push_places(pixels[inked].astype(np.int32) - 1, shares)
            stack.push_coins(pixels > 0, self._ink(padded, row, column))
        return stack.to_bytes()

    def decompress(self, file: bytes, count: int) -> np.ndarray:
        """The pictures (count, 28, 28) from a file of `compress`."""
        stack = Stack.from_bytes(file)
        padded = np.zeros((30, 32, count), np.uint8)
        for row, column in np.ndindex(28, 28):
            inked = np.flatnonzero(stack.pop_coins(self._ink(padded, row, column)))
            shares = self._shares(padded, row, column, inked)
            if len(inked):
                padded[row + 2, column + 2, inked] = 1 + stack.pop_places(shares)
        return np.moveaxis(padded[2:, 2:30], 2, 0)

    size = NeighbourTable.size

    def _ink(self, padded: np.ndarray, row: int, column: int) -> np.ndarray:
        place = self._place(padded, row, column, _FIVE, _FOUR_GROUPS)
        return 1 / (1 + np.exp(-self.log_odds[row, column][place] / 10.0))

    def _shares(self, padded, row: int, column: int, inked: np.ndarray) -> np.ndarray:
        """Shares of the levels 1 to 255 for the pixels with ink, float32 (m, 255)."""
        place = self._place(padded, row, column, _FIVE[:4], _EIGHT_GROUPS)
        return np.exp2(self.bits[place[inked]] / np.float32(-8))

    @staticmethod
    def _place(padded, row: int, column: int, around, groups) -> np.ndarray:
        """The neighbours of a pixel, in all pictures, as a place in a table (n,)."""
        found = np.zeros(padded.shape[2], np.int64)
        for up, left in around:
            group = groups[padded[row + 2 - up, column + 2 - left]]
            found = (groups[-1] + 1) * found + group
        return found


_FIVE = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2))
_FOUR_GROUPS, _EIGHT_GROUPS = (
    np.searchsorted(cuts, np.arange(256), side="right")
    for cuts in ([1, 100, 200], [1, 32, 80, 128, 176, 224, 253])
)
