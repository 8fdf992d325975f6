"""Damaged, cut and forged files: a ValueError or the right pixels, in 64 MB at most."""

import os
import struct
import tracemalloc

import numpy as np
import pytest
from test_bits_back import coder_for, pictures

from helpers.compression import bits_back, entropy, files, images
from helpers.compression.images import AVIF, JPEG, JPEG2000, WEBP, mosaic

MANY = 10_000 if os.environ.get("HARD_CONDITIONS") == "all" else 300
COUNTS = [0, 1, 2, 11, 13, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]


@pytest.fixture
def little_memory():
    tracemalloc.start()
    yield
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 64e6


def damaged(file: bytes, count: int, header: int = 0):
    """So many variants, and whether the checksum behind a header was made to fit."""
    rng = np.random.default_rng(0)
    for i in range(count):
        altered = bytearray(file)
        for place in rng.integers(len(file), size=rng.integers(1, 5)):
            altered[place] = rng.integers(256)
        if i % 3 == 1:
            altered = altered[: rng.integers(len(altered))]
        if i % 3 == 2:
            altered += rng.bytes(rng.integers(1, 20))
        mended = header and i % 2 and len(altered) >= header
        if mended:  # as somebody would who means it
            altered[:4] = file[:4]
            altered[4] = file[4]
            altered[header - 12 : header - 8] = struct.pack("<I", rng.choice(COUNTS))
            altered[header - 8 : header - 4] = struct.pack("<I", len(altered) - header)
            check = files._checksum(bytes(altered[: header - 4]), altered[header:])
            altered[header - 4 : header] = check
        yield bytes(altered), bool(mended)


def test_files_of_symbols(tmp_path, little_memory):
    rng, path = np.random.default_rng(1), tmp_path / "code"
    symbols = rng.integers(0, 7, (12, 5))
    tables = np.ones((5, 7))
    files.write_file(path, entropy.encode_symbols(symbols, tables), count=12, dims=5)
    for file, mended in damaged(path.read_bytes(), MANY, files._SYMBOLS.header_bytes):
        path.write_bytes(file)
        try:
            count, _, payload = files.read_file(path)
            found = entropy.decode_symbols(payload, tables, count)
        except ValueError:
            continue
        assert found.shape == (count, 5) and (mended or (found == symbols).all())


def test_files_of_bits_back(little_memory):
    coder, shown = coder_for("binary"), pictures("binary", 12)
    for file, mended in damaged(coder.compress(shown), MANY, bits_back.HEADER_BYTES):
        try:
            found = coder.decompress(file)
        except ValueError:
            continue
        assert (found.size == 0) if mended else (found == shown).all()


@pytest.mark.parametrize("codec", [JPEG, WEBP, AVIF, JPEG2000], ids=lambda c: c.format)
def test_files_of_pictures(little_memory, codec):
    """These formats have no checksum, so that other pixels may come out."""
    picture = mosaic(pictures("grey", 9))
    for file, _ in damaged(codec.encode(picture, 50), MANY):
        try:
            assert codec.decode(file).ndim == 2
        except ValueError:
            continue


def test_a_forged_number_of_symbols_is_noticed_before_it_asks_for_memory(
    tmp_path, little_memory
):
    payload, path = b"", tmp_path / "forged"
    path.write_bytes(files._SYMBOLS.pack(payload, 1_000_000, 128))
    with pytest.raises(ValueError, match="1,000,000 images of 128 symbols are more"):
        files.read_file(path)
    with pytest.raises(ValueError, match="are more than"):
        entropy.decode_symbols(payload, np.ones((128, 2)), 1_000_000)
    with pytest.raises(ValueError, match="are more than"):
        files.write_file(path, payload, count=1_000_000, dims=128)
    with pytest.raises(ValueError, match="are more than"):
        entropy.encode_symbols(np.zeros((entropy.MOST_SYMBOLS, 2), np.int8), [[1], [1]])


def test_a_large_file_of_another_kind_is_not_read(tmp_path, little_memory):
    with open(tmp_path / "film", "wb") as file:
        file.truncate(1 << 30)  # a gigabyte of nothing
    with pytest.raises(ValueError, match="not a file of these"):
        files.read_file(tmp_path / "film")


def test_pictures_with_too_many_pixels(little_memory):
    side = 1 + int(images.MOST_PIXELS**0.5)
    with pytest.raises(ValueError, match="at most"):
        JPEG.encode(np.zeros((side, side), np.uint8), 50)
    file = bytearray(JPEG.encode(np.zeros((28, 28), np.uint8), 50))
    start = max(file.find(b"\xff\xc0"), file.find(b"\xff\xc2")) + 5  # its frame header
    file[start : start + 4] = struct.pack(">HH", 5_000, 2_000)
    with pytest.raises(ValueError, match=r"announces \(2000, 5000\) pixels"):
        JPEG.decode(bytes(file))
