"""Sizes are those of real files, and every file gives back what it was made from."""

import gzip
import math

import numpy as np
import pytest
import torch

from helpers.compression import images as codecs
from helpers.compression.images import Point
from helpers.datasets.mnist import RAW

LOSSY = {
    "JPEG": (codecs.JPEG, 30),
    "JPEG_FLAT": (codecs.JPEG_FLAT, 60),
    "WEBP": (codecs.WEBP, 20),
    "AVIF": (codecs.AVIF, 10),
    "JPEG2000": (codecs.JPEG2000, 4),
    "JPEG2000_PIXELS": (codecs.JPEG2000_PIXELS, 4),
}


@pytest.fixture(scope="module")
def digits():
    with gzip.open(RAW / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 200 * 784), np.uint8, offset=16)
    return pixels.reshape(200, 28, 28)


def measure(*args):
    return codecs.round_trip(*args)[0]


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (7, 28, 28), dtype=np.uint8)


# Images as bytes


@pytest.mark.parametrize("shape", [(7, 1, 28, 28), (7, 28, 28), (7, 784)])
def test_bytes_round_trip(noise, shape):
    images = codecs.from_bytes(noise)
    assert images.dtype == torch.float32 and images.shape == (7, 1, 28, 28)
    assert images.min() >= 0 and images.max() <= 1
    np.testing.assert_array_equal(codecs.to_bytes(images.reshape(shape)), noise)


def test_to_bytes_rounds_to_the_nearest_level():
    values = torch.tensor([0.0, 0.49 / 255, 0.51 / 255, 1.0])
    images = values[:, None].expand(4, 784)
    assert codecs.to_bytes(images)[:, 0, 0].tolist() == [0, 0, 1, 255]


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (torch.zeros(3, 32, 32), ValueError, "shape"),
        (torch.zeros(28, 28), ValueError, "shape"),
        (torch.full((1, 784), 1.01), ValueError, r"\[0, 1\]"),
        (torch.full((1, 784), -0.01), ValueError, r"\[0, 1\]"),
        (torch.full((1, 784), math.nan), ValueError, r"\[0, 1\]"),
        (torch.zeros(1, 784, dtype=torch.uint8), TypeError, "floats"),
    ],
)
def test_to_bytes_refuses(images, error, words):
    with pytest.raises(error, match=words):
        codecs.to_bytes(images)


def test_from_bytes_refuses_floats_and_wrong_shapes(noise):
    for wrong in (noise / 255, noise[:, :14], noise[0], [1, 2]):
        with pytest.raises(ValueError, match="uint8 array"):
            codecs.from_bytes(wrong)


def test_mosaic(noise):
    picture = codecs.mosaic(noise)
    assert picture.shape == (3 * 28, 3 * 28)
    np.testing.assert_array_equal(picture[28:56, 56:], noise[5])
    assert picture.sum() == noise.sum()  # everything else is black
    with pytest.raises(ValueError, match="mosaic needs"):
        codecs.mosaic(noise[:0])


# Codecs


@pytest.mark.parametrize("how", ["mosaic", "file"])
@pytest.mark.parametrize("name", LOSSY)
def test_lossy_round_trip(digits, name, how):
    codec, setting = LOSSY[name]
    images = digits[:30]
    point, decoded = codecs.round_trip(codec, images, setting, how)
    assert decoded.shape == images.shape and decoded.dtype == np.uint8
    mse = np.mean((decoded / 255.0 - images / 255.0) ** 2)
    assert point.mse == pytest.approx(mse, rel=1e-9)
    assert 0 < point.mse < 0.011  # all-black images: 0.1
    assert point == measure(codec, codecs.from_bytes(images), setting, how)


def test_bytes_are_those_of_the_files(digits):
    images = digits[:5]
    total = sum(len(codecs.WEBP.encode(image, 20)) for image in images)
    assert measure(codecs.WEBP, images, 20, "file").bytes_per_image == total / 5
    size = len(codecs.WEBP.encode(codecs.mosaic(images), 20))
    assert measure(codecs.WEBP, images, 20).bytes_per_image == size / 5


def test_more_quality_costs_more_and_errs_less(digits):
    ladders = [
        (codecs.JPEG, (5, 20, 60)),
        (codecs.JPEG_FLAT, (200, 80, 20)),
        (codecs.WEBP, (0, 20, 60)),
        (codecs.AVIF, (0, 10, 40)),
        (codecs.JPEG2000, (40, 15, 6)),
        (codecs.JPEG2000_PIXELS, (25, 15, 8)),
    ]
    for codec, settings in ladders:
        a, b, c = (measure(codec, digits[:60], s) for s in settings)
        assert a.bytes_per_image < b.bytes_per_image < c.bytes_per_image, codec.name
        assert a.mse > b.mse > c.mse, codec.name


def test_published_sizes_of_jpeg(digits):
    # First 2,000 test images, quality 1: 199 bytes a file, 29 bytes of scan.
    file = measure(codecs.JPEG, digits, 1, "file")
    scan = measure(codecs.JPEG, digits, 1, "scan")
    assert file.bytes_per_image == pytest.approx(199.3, abs=1.5)
    assert scan.bytes_per_image == pytest.approx(28.9, abs=1.0)
    assert file.mse == scan.mse == pytest.approx(0.0129, abs=0.0006)


def test_the_settings_are_the_best_known(digits):
    """A weak rival proves nothing, so each choice in the module must pay."""
    usual = [measure(codecs.JPEG, digits, q) for q in (5, 10, 20, 50)]
    flat = [measure(codecs.JPEG_FLAT, digits, q) for q in (200, 110, 60, 45)]
    assert codecs.bd_rate(usual, flat) < -10
    plain = codecs.Codec(
        "", "AVIF", lambda q: [{"quality": q, "max_threads": 1}], (0, 9)
    )
    default = measure(plain, digits, 0)
    best = measure(codecs.AVIF, digits, 0)
    assert best.bytes_per_image < default.bytes_per_image and best.mse < default.mse


@pytest.mark.parametrize(
    ("codec", "setting", "words"),
    [
        (codecs.JPEG, 0, "from 1 to 100"),
        (codecs.JPEG, 30.5, "whole number"),
        (codecs.JPEG_FLAT, 256, "from 1 to 255"),
        (codecs.AVIF, None, "whole number"),
        (codecs.WEBP, 101, "from 0 to 100"),
    ],
)
def test_settings_are_checked(noise, codec, setting, words):
    with pytest.raises(ValueError, match=words):
        codec.encode(noise[0], setting)


def test_measuring_refuses(noise):
    with pytest.raises(ValueError, match="no images"):
        measure(codecs.WEBP, noise[:0], 5)
    with pytest.raises(ValueError, match="scan"):
        measure(codecs.WEBP, noise, 5, "scan")
    with pytest.raises(ValueError, match="folder"):
        measure(codecs.JPEG, noise, 5, "folder")
    with pytest.raises(ValueError, match="uint8 picture"):
        codecs.WEBP.encode(noise[0] / 255, 5)


# The scan of a JPEG file


def test_scan_of_a_file_made_by_hand():
    segment = b"\xff\xe0\x00\x06\xff\xda\xff\xd9"  # marks inside a segment mean nothing
    first = b"\xff\xda\x00\x04\x01\x02" + b"\x11\xff\x00\x22\xff\xd3\x33"  # 7 bytes
    second = b"\xff\xff\xc4\x00\x03\x09" + b"\xff\xda\x00\x03\x01" + b"\x44\x55"  # 2
    file = b"\xff\xd8" + segment + first + second + b"\xff\xd9"
    assert codecs.jpeg_scan_bytes(file) == 9
    for end in range(2, len(file)):
        with pytest.raises(ValueError, match="damaged"):
            codecs.jpeg_scan_bytes(file[:end])
    with pytest.raises(ValueError, match="not a JPEG"):
        codecs.jpeg_scan_bytes(b"\x89PNG")


def test_scans_of_a_progressive_file(digits):
    file = codecs.JPEG.encode(codecs.mosaic(digits), 50)  # progressive is shorter here
    assert b"\xff\xc2" in file
    assert len(file) - 1000 < codecs.jpeg_scan_bytes(file) < len(file) - 200


# Streams, PSNR, Bjontegaard


def test_streams(digits):
    sizes = codecs.stream_sizes(digits)
    assert sizes == codecs.stream_sizes(codecs.from_bytes(digits))
    assert 120 < sizes["xz -9e"] / 200 < sizes["gzip -9"] / 200 < 170


def test_psnr():
    assert codecs.psnr(0.01) == pytest.approx(20)
    assert codecs.psnr(0) == math.inf
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueError, match="at least 0"):
            codecs.psnr(wrong)


def curve(rates, qualities, factor=1.0):
    return [
        Point("", 0, factor * r, 10 ** (-q / 10))
        for r, q in zip(rates, qualities, strict=True)
    ]


def test_bd_rate_of_half_the_bytes():
    rates, qualities = [10, 22, 37, 80], [18.0, 22, 23, 30]
    whole, half = curve(rates, qualities), curve(rates, qualities, 0.5)
    assert codecs.bd_rate(whole, whole) == pytest.approx(0, abs=1e-9)
    assert codecs.bd_rate(whole, half) == pytest.approx(-50, abs=1e-9)
    assert codecs.bd_rate(half, whole) == pytest.approx(100, abs=1e-9)
    assert codecs.bd_rate(whole, half[1:]) == pytest.approx(-50, abs=1e-9)


def test_bd_rate_agrees_with_the_integral():
    # log rate = PSNR / 10 + 1 and PSNR / 20 + 2, on 20 to 30 dB: the mean gap is -1/4.
    a = curve([math.exp(q / 10 + 1) for q in (15, 24, 30)], (15, 24, 30))
    b = curve([math.exp(q / 20 + 2) for q in (20, 27, 33)], (20, 27, 33))
    assert codecs.bd_rate(a, b) == pytest.approx(100 * math.expm1(-0.25), abs=1e-9)


def test_bd_rate_leaves_out_points_that_are_beaten():
    good = curve([10, 20, 40], [20, 24, 28])
    assert codecs.bd_rate(good, [*good, *curve([30, 20], [22, 23])]) == pytest.approx(0)


def test_bd_rate_refuses():
    good = curve([10, 20], [20, 24])
    assert math.isnan(codecs.bd_rate(good, curve([30, 40], [25, 26])))
    assert math.isnan(codecs.bd_rate(good, good[:1]))
    with pytest.raises(ValueError, match="finite mse"):
        codecs.bd_rate(good, [*good, Point("", None, 100, 0)])


def test_bytes_at_reads_between_the_points_of_a_curve():
    curve = [(10, 4.0), (40, 1.0), (50, 2.0)]  # the last one is beaten
    assert codecs.bytes_at(curve, 2.0) == pytest.approx(20)
    assert codecs.bytes_at(curve, 4.0) == pytest.approx(10)
    assert math.isnan(codecs.bytes_at(curve, 5.0))
    assert math.isnan(codecs.bytes_at(curve[:1], 4.0))
    with pytest.raises(ValueError, match="above 0"):
        codecs.bytes_at([(0, 1.0), (1, 0.5)], 1.0)
