"""The notebooks on compression take their rivals from here: images to bytes and back by
Pillow's codecs and by packers without loss, and the measures of both.

Only `len(file)` counts as a size here, and only pixels decoded from that file count as
its picture: every function that measures also decodes. What a codec of one's own needs
to become a file stands in `helpers.compression.files`.
"""

import bz2
import gzip
import io
import lzma
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

SIDE = 28  # pixels of an image, in both directions
MOST_PIXELS = 1 << 23  # of a picture: 10,000 images, and not all memory


# Images as bytes


def to_bytes(images: torch.Tensor | np.ndarray) -> np.ndarray:
    """Rounds grey values in [0, 1] to the 256 levels of a file.

    Args:
        images: floats of shape (n, 1, 28, 28), (n, 28, 28) or (n, 784); 0 is black.

    Returns:
        uint8 array (n, 28, 28).

    Raises:
        TypeError: the values are no floats.
        ValueError: wrong shape, a value outside [0, 1], or not a number.
    """
    images = torch.as_tensor(images).detach().cpu()
    if not images.is_floating_point():
        raise TypeError(f"to_bytes wants floats in [0, 1], not {images.dtype}")
    if tuple(images.shape[1:]) not in ((1, SIDE, SIDE), (SIDE, SIDE), (SIDE * SIDE,)):
        raise ValueError(
            "to_bytes wants the shape (n, 1, 28, 28), (n, 28, 28) or (n, 784), "
            f"not {tuple(images.shape)}"
        )
    if not bool(((images >= 0) & (images <= 1)).all()):  # false for NaN, too
        raise ValueError("pixels must lie in [0, 1] and be numbers; clamp(0, 1) first?")
    # Part by part, because a float copy of a test set has 31 MB.
    parts = images.split(1000) if len(images) else (images,)
    levels = torch.cat([(part * 255).round().to(torch.uint8) for part in parts])
    return levels.numpy().reshape(-1, SIDE, SIDE)


def from_bytes(pixels: np.ndarray) -> torch.Tensor:
    """The float32 tensor (n, 1, 28, 28) in [0, 1] of a uint8 array (n, 28, 28)."""
    return torch.from_numpy(_checked_pixels(pixels) / np.float32(255)).unsqueeze(1)


def _checked_pixels(pixels: np.ndarray) -> np.ndarray:
    shape, dtype = getattr(pixels, "shape", ()), getattr(pixels, "dtype", type(pixels))
    if dtype != np.uint8 or len(shape) != 3 or shape[1:] != (SIDE, SIDE):
        raise ValueError(
            f"expected a uint8 array (n, 28, 28), not {dtype} {tuple(shape)}; "
            "to_bytes(images) makes one"
        )
    return pixels


def mosaic(pixels: np.ndarray) -> np.ndarray:
    """Puts all images into one picture, so that they share one file header.

    Cells of 32 x 32 would keep JPEG's 8 x 8 blocks from holding two images, and yet the
    files grow: 28 has fewer blocks, and MNIST brings black margins of its own.

    Args:
        pixels: uint8 array (n, 28, 28) with n > 0.

    Returns:
        uint8 array (rows * 28, columns * 28), about a square; cells left over are
        black.
    """
    count = len(_checked_pixels(pixels))
    if count == 0:
        raise ValueError("a mosaic needs an image")
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = np.pad(pixels, ((0, rows * columns - count), (0, 0), (0, 0)))
    cells = cells.reshape(rows, columns, SIDE, SIDE).swapaxes(1, 2)
    return cells.reshape(rows * SIDE, columns * SIDE)


def _unmosaic(picture: np.ndarray, count: int) -> np.ndarray:
    rows, columns = np.array(picture.shape) // SIDE
    cells = picture.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2)
    return cells.reshape(-1, SIDE, SIDE)[:count]


# Pillow's codecs, each with the settings that were best for MNIST in squared error


@dataclass(frozen=True)
class Codec:
    """A file format of Pillow with one number to turn.

    Attributes:
        name: as in figures and tables.
        format: Pillow's name of the file format.
        options: setting -> keyword arguments to try; the shortest file wins.
        settings: smallest and largest setting.
    """

    name: str
    format: str
    options: Callable[[int], list[dict]]
    settings: tuple[int, int]

    def encode(self, picture: np.ndarray, setting: int) -> bytes:
        """The file of a grey picture, uint8 (height, width)."""
        if picture.dtype != np.uint8 or picture.ndim != 2:
            raise ValueError(
                f"{self.name} wants a uint8 picture (height, width), "
                f"not {picture.dtype} {picture.shape}"
            )
        if picture.size > MOST_PIXELS:
            raise ValueError(f"a picture has at most {MOST_PIXELS:,} pixels")
        low, high = self.settings
        if not isinstance(setting, int | np.integer) or not low <= setting <= high:
            raise ValueError(
                f"{self.name} takes a whole number from {low} to {high}, "
                f"not {setting!r}"
            )
        files = []
        for options in self.options(int(setting)):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, self.format, **options)
            files.append(file.getvalue())
        return min(files, key=len)

    def decode(self, file: bytes) -> np.ndarray:
        """The grey picture in a file, uint8 (height, width).

        Raises:
            ValueError: the file is of another kind, cut short or damaged, as far as its
                format can notice that, or announces more pixels than `MOST_PIXELS`.
        """
        try:
            with Image.open(io.BytesIO(file), formats=[self.format]) as picture:
                if math.prod(picture.size) > MOST_PIXELS:
                    raise ValueError(f"it announces {picture.size} pixels")
                return np.array(picture.convert("L"))
        except Exception as error:  # each format has its own kinds
            raise ValueError(f"this is no whole {self.name} file: {error}") from error


def _jpeg(**options: object) -> list[dict]:
    return [{"optimize": True, "progressive": p, **options} for p in (False, True)]


# What any program writes: the tables that JPEG's authors chose for photographs.
JPEG = Codec("JPEG", "JPEG", lambda quality: _jpeg(quality=quality), (1, 100))
# One step for all frequencies, set directly: a large step makes a small file. On MNIST
# this saves about a seventh of the bytes at equal squared error, up to 33 dB.
JPEG_FLAT = Codec(
    "JPEG, flat table",
    "JPEG",
    lambda step: _jpeg(qtables=[[step] * 64]),
    (1, 255),  # larger ones are no baseline JPEG, and libjpeg warns
)
WEBP = Codec("WebP", "WEBP", lambda q: [{"quality": q, "method": 6}], (0, 100))


def avif(speed: int) -> Codec:
    """AVIF by the encoder aom, at a speed from 0 (searches longest) to 10.

    The default tune of libavif is for the eye. Allowing blocks to be copied from
    elsewhere in the picture switches off filters that are worth more here. A second
    thread changes the bytes.
    """
    options = {
        "codec": "aom",
        "subsampling": "4:0:0",
        "speed": speed,
        "max_threads": 1,
        "autotiling": False,
        "advanced": {"tune": "psnr", "enable-intrabc": "0"},
    }
    name = "AVIF" if speed == 4 else f"AVIF, speed {speed}"
    return Codec(name, "AVIF", lambda q: [{"quality": q, **options}], (0, 100))


AVIF = avif(speed=4)


def _jpeg2000(name: str, **options: object) -> Codec:
    def with_ratio(ratio: int) -> list[dict]:
        return [{"no_jp2": True, "quality_layers": [ratio], **options}]

    return Codec(name, "JPEG2000", with_ratio, (2, 1000))


# The setting is the ratio of pixels in the picture to bytes in the file.
JPEG2000 = _jpeg2000("JPEG 2000", irreversible=True, num_resolutions=3)
# Without a wavelet, JPEG 2000 codes the bit planes of the pixels: good for ink.
JPEG2000_PIXELS = _jpeg2000("JPEG 2000, no wavelet", num_resolutions=1)


# Measuring


@dataclass(frozen=True)
class Point:
    """One point of a rate-distortion curve; `mse` is for pixels in [0, 1]."""

    name: str
    setting: int | None
    bytes_per_image: float
    mse: float

    @property
    def psnr(self) -> float:
        return psnr(self.mse)


def psnr(mse: float) -> float:
    """10 log10(1 / mse), in dB, for pixels in [0, 1]; infinite where mse is 0."""
    if not mse >= 0:
        raise ValueError(f"a mean squared error is at least 0, not {mse}")
    return 10 * math.log10(1 / mse) if mse else math.inf


def round_trip(
    codec: Codec,
    images: torch.Tensor | np.ndarray,
    setting: int,
    how: str = "mosaic",
) -> tuple[Point, np.ndarray]:
    """Encodes images, decodes the files, and compares.

    Args:
        codec: one of this module.
        images: floats as for `to_bytes`, or uint8 (n, 28, 28).
        setting: the codec's quality, step or ratio.
        how: "mosaic": one file for all images; "file": a file for each; "scan": a JPEG
            file for each, of which only the scan's bytes count, as if the receiver had
            all headers and tables for nothing.

    Returns:
        The point, with bytes per image and the error of the decoded 8-bit pixels
        against the original 8-bit pixels; the decoded images, uint8 (n, 28, 28).
    """
    is_pixels = isinstance(images, np.ndarray) and images.dtype == np.uint8
    pixels = _checked_pixels(images) if is_pixels else to_bytes(images)
    if len(pixels) == 0:
        raise ValueError("nothing to measure: there are no images")
    if how == "mosaic":
        files = [codec.encode(mosaic(pixels), setting)]
        decoded = _unmosaic(codec.decode(files[0]), len(pixels))
    elif how == "file" or (how == "scan" and codec.format == "JPEG"):
        files = [codec.encode(image, setting) for image in pixels]
        decoded = np.stack([codec.decode(file) for file in files])
    else:
        raise ValueError(f'{codec.name} has no {how!r}; use "mosaic", "file" or "scan"')
    size = sum(jpeg_scan_bytes(file) if how == "scan" else len(file) for file in files)
    error = (decoded.astype(np.float64) - pixels) / 255
    mse = float(np.mean(error**2))
    return Point(f"{codec.name}, {how}", setting, size / len(pixels), mse), decoded


def round_trips(
    codec: Codec,
    images: torch.Tensor | np.ndarray,
    settings: Iterable[int],
    how: str = "mosaic",
) -> list[tuple[Point, np.ndarray]]:
    """`round_trip` for several settings, in parallel, as Pillow allows."""
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(round_trip, codec, images, s, how) for s in settings]
        return [job.result() for job in jobs]


def bytes_at(curve: Iterable[tuple[float, float]], error: float) -> float:
    """Bytes that a codec needs for this error, between the points of its curve.

    Between two points the logarithm of the bytes is a straight line over the logarithm
    of the error. Points that another one beats in both are left out.

    Args:
        curve: pairs (bytes, error), both above 0, the error in any unit.
        error: in the same unit.

    Returns:
        The bytes; nan where the curve does not reach this error.

    Raises:
        ValueError: bytes or an error are not above 0.
    """
    kept: list[tuple[float, float]] = []
    for size, reached in sorted(curve):
        if not size > 0 or not reached > 0:
            raise ValueError(f"a curve needs bytes and errors above 0: {size, reached}")
        if not kept or reached < kept[-1][1]:
            kept.append((size, reached))
    if len(kept) < 2 or not kept[-1][1] <= error <= kept[0][1]:
        return math.nan
    sizes, errors = np.log(kept).T[:, ::-1]  # errors must rise for np.interp
    return float(np.exp(np.interp(math.log(error), errors, sizes)))


def jpeg_scan_bytes(file: bytes) -> int:
    """Bytes of a JPEG file that are coded image, not header or table.

    A file is a row of segments: a marker 0xFF m, a length, and the rest of that length.
    The coded image follows the segment SOS (m = 0xDA) up to the next marker. In it,
    0xFF 0x00 is a coded byte 0xFF, and 0xFF 0xD0 to 0xD7 are restart marks; both count
    as coded image. See ITU-T T.81, annex B.
    """
    if file[:2] != b"\xff\xd8":
        raise ValueError("this is not a JPEG file")
    position, total = 2, 0
    while position + 2 <= len(file) and file[position] == 0xFF:
        marker = file[position + 1]
        if marker == 0xD9:  # end of image
            return total
        if marker == 0xFF:  # a fill byte before a marker
            position += 1
            continue
        if position + 4 > len(file):
            break
        position += 2 + int.from_bytes(file[position + 2 : position + 4], "big")
        if marker == 0xDA:
            start = position
            while position + 1 < len(file) and (
                file[position] != 0xFF or file[position + 1] in (0, *range(0xD0, 0xD8))
            ):
                position += 1
            total += position - start
    raise ValueError("this JPEG file is damaged: it stops before its end-of-image mark")


def stream_sizes(images: torch.Tensor | np.ndarray) -> dict[str, int]:
    """Bytes of all images as one raw stream, packed without loss and checked."""
    is_pixels = isinstance(images, np.ndarray) and images.dtype == np.uint8
    raw = (_checked_pixels(images) if is_pixels else to_bytes(images)).tobytes()
    preset = 9 | lzma.PRESET_EXTREME
    packers = {
        "gzip -9": (lambda data: gzip.compress(data, 9, mtime=0), gzip.decompress),
        "bz2 -9": (lambda data: bz2.compress(data, 9), bz2.decompress),
        "xz -9e": (lambda data: lzma.compress(data, preset=preset), lzma.decompress),
    }
    sizes = {}
    for name, (pack, unpack) in packers.items():
        packed = pack(raw)
        if unpack(packed) != raw:
            raise RuntimeError(f"{name} did not return the images")
        sizes[name] = len(packed)
    return sizes


def bd_rate(reference: Iterable[Point], other: Iterable[Point]) -> float:
    """Bytes that `other` needs more than `reference` at equal PSNR, mean, in percent.

    Minus 50 means half the bytes. The mean is that of the logarithm of the rate over
    the PSNR range which both curves share (Bjontegaard, "Calculation of average PSNR
    differences between RD-curves", VCEG-M33, 2001). He fits cubics; straight lines
    between the points cannot overshoot. Points that another point of the same curve
    beats in both bytes and PSNR are left out.

    Returns:
        Percent; nan where the two curves have no range of PSNR in common.

    Raises:
        ValueError: bytes are not above 0, or an error is 0 or infinite.
    """
    curves = [_envelope(reference), _envelope(other)]
    low = max(quality[0] for quality, _ in curves)
    high = min(quality[-1] for quality, _ in curves)
    if low >= high:
        return math.nan
    # The integral of straight lines is exact when every corner is a grid point.
    corners = np.concatenate([quality for quality, _ in curves])
    grid = np.unique(np.clip(corners, low, high))
    a, b = (np.interp(grid, *curve) for curve in curves)
    return 100 * math.expm1(np.trapezoid(b - a, grid) / (high - low))


def _envelope(points: Iterable[Point]) -> tuple[np.ndarray, np.ndarray]:
    """PSNR, rising, and log bytes, rising, of the points that no other one beats."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.bytes_per_image, p.mse)):
        if not point.bytes_per_image > 0 or not 0 < point.mse < math.inf:
            raise ValueError(f"a curve needs bytes > 0 and a finite mse > 0: {point}")
        if not kept or point.mse < kept[-1].mse:
            kept.append(point)
    rates = np.log([point.bytes_per_image for point in kept])
    return np.array([point.psnr for point in kept]), rates
