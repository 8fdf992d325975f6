"""Sizes are those of real files, and every file gives back what it was made from."""

import gzip
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import codecs, containers
from helpers.codecs import Point

RAW = Path(codecs.__file__).parent / "datasets/MNIST/raw/t10k-images-idx3-ubyte.gz"
LOSSY = {
    "JPEG": (codecs.JPEG, 30),
    "JPEG_FLAT": (codecs.JPEG_FLAT, 60),
    "WEBP": (codecs.WEBP, 20),
    "AVIF": (codecs.AVIF, 10),
    "JPEG2000": (codecs.JPEG2000, 4),
    "JPEG2000_PIXELS": (codecs.JPEG2000_PIXELS, 4),
}
LOSSLESS = [codecs.PNG, codecs.WEBP_LOSSLESS, codecs.JPEG2000_LOSSLESS]


@pytest.fixture(scope="module")
def digits():
    with gzip.open(RAW) as file:
        return np.frombuffer(file.read(16 + 200 * 784), np.uint8, offset=16).reshape(
            200, 28, 28
        )


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


@pytest.mark.parametrize("pad", [28, 29, 32])
@pytest.mark.parametrize("columns", [None, 1, 3, 7, 20])
def test_mosaic_inverse_is_exact(noise, pad, columns):
    picture = codecs.mosaic(noise, columns, pad)
    assert picture.shape[0] % pad == 0 and picture.shape[1] % pad == 0
    assert picture.sum() == noise.sum()  # everything else is black
    np.testing.assert_array_equal(codecs.unmosaic(picture, 7, pad), noise)


def test_mosaic_refuses(noise):
    with pytest.raises(ValueError, match="mosaic needs"):
        codecs.mosaic(noise[:0])
    with pytest.raises(ValueError, match="mosaic needs"):
        codecs.mosaic(noise, pad=27)
    with pytest.raises(ValueError, match="cannot hold 10"):
        codecs.unmosaic(codecs.mosaic(noise), 10)
    with pytest.raises(ValueError, match="no cells"):
        codecs.unmosaic(codecs.mosaic(noise), 7, pad=30)


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
    assert point == codecs.measure(codec, codecs.from_bytes(images), setting, how)


@pytest.mark.parametrize("how", ["mosaic", "file"])
@pytest.mark.parametrize("codec", LOSSLESS, ids=lambda codec: codec.name)
def test_lossless_codecs_lose_nothing(digits, noise, codec, how):
    for images in (digits[:30], noise):
        point, decoded = codecs.round_trip(codec, images, how=how)
        np.testing.assert_array_equal(decoded, images)
        assert point.mse == 0 and point.psnr == math.inf


def test_bytes_are_those_of_the_files(digits):
    images = digits[:5]
    total = sum(len(codecs.WEBP.encode(image, 20)) for image in images)
    assert codecs.measure(codecs.WEBP, images, 20, "file").bytes_per_image == total / 5
    size = len(codecs.PNG.encode(codecs.mosaic(images)))
    assert codecs.measure(codecs.PNG, images).bytes_per_image == size / 5


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
        a, b, c = (codecs.measure(codec, digits[:60], s) for s in settings)
        assert a.bytes_per_image < b.bytes_per_image < c.bytes_per_image, codec.name
        assert a.mse > b.mse > c.mse, codec.name


def test_published_sizes_of_jpeg(digits):
    # First 2,000 test images, quality 1: 199 bytes a file, 29 bytes of scan.
    file = codecs.measure(codecs.JPEG, digits, 1, "file")
    scan = codecs.measure(codecs.JPEG, digits, 1, "scan")
    assert file.bytes_per_image == pytest.approx(199.3, abs=1.5)
    assert scan.bytes_per_image == pytest.approx(28.9, abs=1.0)
    assert file.mse == scan.mse == pytest.approx(0.0129, abs=0.0006)


def test_the_settings_are_the_best_known(digits):
    """A weak rival proves nothing, so each choice in the module must pay."""
    picture = codecs.mosaic(digits)
    assert len(codecs.mosaic(digits, pad=32)) > len(picture)
    padded = codecs.JPEG.encode(codecs.mosaic(digits, pad=32), 20)
    assert len(codecs.JPEG.encode(picture, 20)) < len(padded)
    usual = [codecs.measure(codecs.JPEG, digits, q) for q in (5, 10, 20, 50)]
    flat = [codecs.measure(codecs.JPEG_FLAT, digits, q) for q in (200, 110, 60, 45)]
    assert codecs.bd_rate(usual, flat) < -10
    plain = codecs.Codec(
        "", "AVIF", lambda q: [{"quality": q, "max_threads": 1}], (0, 9)
    )
    default = codecs.measure(plain, digits, 0)
    best = codecs.measure(codecs.AVIF, digits, 0)
    assert best.bytes_per_image < default.bytes_per_image and best.mse < default.mse


@pytest.mark.parametrize(
    ("codec", "setting", "words"),
    [
        (codecs.JPEG, 0, "from 1 to 100"),
        (codecs.JPEG, 30.5, "whole number"),
        (codecs.JPEG_FLAT, 256, "from 1 to 255"),
        (codecs.AVIF, None, "whole number"),
        (codecs.WEBP, 101, "from 0 to 100"),
        (codecs.PNG, 5, "lossless"),
    ],
)
def test_settings_are_checked(noise, codec, setting, words):
    with pytest.raises(ValueError, match=words):
        codec.encode(noise[0], setting)


def test_measuring_refuses(noise):
    with pytest.raises(ValueError, match="no images"):
        codecs.measure(codecs.PNG, noise[:0])
    with pytest.raises(ValueError, match="scan"):
        codecs.measure(codecs.WEBP, noise, 5, "scan")
    with pytest.raises(ValueError, match="folder"):
        codecs.measure(codecs.JPEG, noise, 5, "folder")
    with pytest.raises(ValueError, match="uint8 picture"):
        codecs.PNG.encode(noise[0] / 255)


# The scan of a JPEG file


def test_scan_and_headers_make_the_file(digits):
    """Counts headers by hand: every segment of a baseline file up to its only scan."""
    file = codecs.JPEG.encode(digits[0], 20)
    position = 2
    while True:
        marker, length = (
            file[position + 1],
            file[position + 2] * 256 + file[position + 3],
        )
        assert file[position] == 0xFF
        position += 2 + length
        if marker == 0xDA:
            break
    assert file[-2:] == b"\xff\xd9"
    assert codecs.jpeg_scan_bytes(file) == len(file) - position - 2


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
    with pytest.raises(ValueError, match="no PSNR in common"):
        codecs.bd_rate(good, curve([30, 40], [25, 26]))
    with pytest.raises(ValueError, match="two points"):
        codecs.bd_rate(good, good[:1])
    with pytest.raises(ValueError, match="finite mse"):
        codecs.bd_rate(good, [*good, Point("", None, 100, 0)])


# The entropy coder


def draw(count, dims, levels, seed=0):
    rng = np.random.default_rng(seed)
    tables = rng.dirichlet(np.full(levels, 0.5), size=dims)
    columns = [rng.choice(levels, count, p=table) for table in tables]
    return np.stack(columns, axis=1).astype(np.int32), tables


@pytest.mark.parametrize(
    ("count", "dims", "levels"), [(10_000, 64, 15), (3000, 5, 256), (50_000, 1, 2)]
)
def test_symbols_cost_what_theory_says(count, dims, levels):
    symbols, tables = draw(count, dims, levels)
    payload = containers.encode_symbols(symbols, tables)
    bits = -np.log2(np.take_along_axis(tables.T, symbols, axis=0)).sum()
    assert bits / 8 - 1 <= len(payload) <= 1.01 * bits / 8 + 8
    decoded = containers.decode_symbols(payload, tables, count)
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(decoded, symbols)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17])
def test_any_count_round_trips(count):
    symbols, tables = draw(20, 6, 5)
    payload = containers.encode_symbols(symbols[:count], tables)
    assert (payload == b"") == (count == 0)
    decoded = containers.decode_symbols(payload, tables, count)
    np.testing.assert_array_equal(decoded, symbols[:count])


def test_tables_of_any_length_and_offset():
    rng = np.random.default_rng(0)
    tables = [np.array([1, 0, 5]), np.array([9]), np.ones(40, np.float32)]
    lowest = [-3, 7, 100]
    symbols = np.stack(
        [rng.integers(-3, 0, 500), np.full(500, 7), rng.integers(100, 140, 500)], 1
    )
    payload = containers.encode_symbols(symbols, tables, lowest)
    decoded = containers.decode_symbols(payload, tables, 500, lowest)
    np.testing.assert_array_equal(decoded, symbols)


def test_a_table_of_one_symbol_costs_nothing():
    assert containers.encode_symbols(np.zeros((99, 2), int), [[1.0], [3]]) == b""


def test_symbols_outside_their_table():
    _, tables = draw(1, 3, 5)
    symbols = np.array([[0, 1, 2], [-2, 2, 0], [0, 3, 9]])
    with pytest.raises(ValueError, match=r"symbol -2 of dimension 0 .* -1 to 3"):
        containers.encode_symbols(symbols, tables, -1)
    clipped = containers.clip_symbols(symbols, tables, -1)
    assert clipped.tolist() == [[0, 1, 2], [-1, 2, 0], [0, 3, 3]]
    containers.encode_symbols(clipped, tables, -1)


@pytest.mark.parametrize(
    "table",
    [
        [0.5, math.nan],
        [0.5, -0.1],
        [0.0, 0.0],
        [1.0, math.inf],
        [1e308, 1e308],
        [],
        [[0.5, 0.5]],
    ],
)
def test_bad_tables(table):
    # BaseException, because constriction would panic on some of them.
    with pytest.raises(ValueError, match="table 1"):
        containers.encode_symbols(np.zeros((2, 2), int), [[1, 1], table])
    with pytest.raises(ValueError, match="table 1"):
        containers.decode_symbols(b"", [[1, 1], table], 0)


def test_bad_symbols():
    tables = [[0.5, 0.5]] * 2
    with pytest.raises(TypeError, match="integers"):
        containers.encode_symbols(np.zeros((3, 2)), tables)
    for shape in ((3,), (3, 1), (3, 2, 1)):
        with pytest.raises(ValueError, match="2 tables want"):
            containers.encode_symbols(np.zeros(shape, int), tables)


def test_a_payload_that_does_not_fit():
    symbols, tables = draw(1000, 4, 7)
    payload = containers.encode_symbols(symbols, tables)
    for wrong, count in ((payload[:-1], 1000), (payload, 500), (payload, -1)):
        with pytest.raises(ValueError, match="are not"):
            containers.decode_symbols(wrong, tables, count)
    with pytest.raises(ValueError, match="are not"):
        containers.decode_symbols(b"\xff" * 400, tables, 1000)


# Files


def test_file_decoded_in_a_fresh_process(tmp_path):
    symbols, tables = draw(300, 8, 9)
    np.save(tmp_path / "tables.npy", tables)
    payload = containers.encode_symbols(symbols, tables)
    size = containers.write_file(tmp_path / "code", payload, count=300, dims=8)
    assert size == (tmp_path / "code").stat().st_size == len(payload) + 20
    reader = (
        "import numpy as np; from helpers.containers import *\n"
        "count, dims, payload = read_file('code')\n"
        "symbols = decode_symbols(payload, np.load('tables.npy'), count)\n"
        "assert symbols.shape == (count, dims)\n"
        "np.save('symbols.npy', symbols)"
    )
    root = Path(codecs.__file__).parents[1]
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\n{reader}",
        ],
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "symbols.npy"), symbols)


def test_every_damage_to_a_file_is_noticed(tmp_path):
    path = tmp_path / "code"
    containers.write_file(path, b"payload", count=3, dims=2)
    assert containers.read_file(path) == (3, 2, b"payload")
    good = path.read_bytes()
    for end in range(len(good)):
        path.write_bytes(good[:end])
        with pytest.raises(ValueError, match="cut short"):
            containers.read_file(path)
    for bit in range(8 * len(good)):
        altered = bytearray(good)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=r"altered|version|not a file of these"):
            containers.read_file(path)
    for foreign in (b"\x89PNG" + good[4:], b"hello", good + b"!"):
        path.write_bytes(foreign)
        with pytest.raises(ValueError, match=r"not a file of these|altered"):
            containers.read_file(path)


def test_an_empty_payload_and_impossible_counts(tmp_path):
    containers.write_file(tmp_path / "none", b"", count=0, dims=0)
    assert containers.read_file(tmp_path / "none") == (0, 0, b"")
    for count, dims in ((-1, 1), (2**32, 1), (1, 2**16)):
        with pytest.raises(ValueError, match="does not fit"):
            containers.write_file(tmp_path / "no", b"", count=count, dims=dims)
    assert not (tmp_path / "no").exists()


# The ledger


def test_ledger():
    ledger = containers.Ledger(images=1000)
    ledger.add("header", 20)
    ledger.add("payload", b"x" * 8600, "range coder")
    assert ledger.total == 8620 and ledger.per_image == 8.62
    assert str(ledger).splitlines() == [
        "               bytes  per image",
        "header            20       0.02",
        "payload        8,600       8.60  range coder",
        "total          8,620       8.62  1,000 images",
    ]


def test_ledger_refuses():
    with pytest.raises(ValueError, match="at least one image"):
        containers.Ledger(images=0)
    for size in (-1, 2.5, None):
        with pytest.raises(ValueError, match="whole number of bytes"):
            containers.Ledger(images=1).add("model", size)
