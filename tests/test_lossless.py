"""Rivals give every picture back, and a table pays for what it counted."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from helpers.compression import lossless
from helpers.compression.lossless import GreyTable, NeighbourTable, file_of, rivals


def strokes(count, seed=0):
    """Grey pictures, uint8 (n, 28, 28): a soft upright stroke at a random place."""
    rng = np.random.default_rng(seed)
    x = np.arange(28) - rng.integers(5, 23, (count, 1))
    rows = (255 * np.exp(-0.2 * x**2)).astype(np.uint8)
    return np.repeat(rows[:, None], 28, axis=1)


def as_images(pictures):
    return torch.from_numpy(pictures).float().view(-1, 1, 28, 28) / 255


@pytest.fixture(scope="module")
def binary():
    return (strokes(40, seed=1) > 127).astype(np.uint8)


@pytest.fixture(scope="module")
def neighbours():
    return NeighbourTable(as_images(255 * (strokes(300) > 127).astype(np.uint8)), 1)


@pytest.fixture(scope="module")
def grey():
    return GreyTable(strokes(300))


def test_a_file_is_the_picture():
    picture = strokes(1)[0]
    for name in lossless.formats():
        file = file_of(picture, name)
        opened = np.array(Image.open(io.BytesIO(file)).convert("L"))
        np.testing.assert_array_equal(opened, picture)


def test_a_file_that_is_not_the_picture_is_refused(monkeypatch):
    lossy = {"PNG": dict(format="JPEG")}
    monkeypatch.setattr(lossless, "_FORMATS", lossy)
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    with pytest.raises(RuntimeError, match="did not return"):
        file_of(noise, "PNG")


@pytest.mark.parametrize("grey", [True, False])
def test_rivals_are_sorted(binary, grey):
    sizes = rivals(strokes(30) if grey else binary)
    assert {"PNG", "WebP", "gzip -9", "bz2 -9", "xz -9e"} <= set(sizes)
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_black_and_white_come_back(neighbours, binary, count):
    file = neighbours.compress(binary[:count])
    np.testing.assert_array_equal(neighbours.decompress(file, count), binary[:count])
    assert neighbours.size(binary[:count]) == len(file)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_grey_comes_back(grey, count):
    pictures = strokes(count, seed=1)
    pictures[0, 3] = np.arange(28)  # levels that were never counted
    file = grey.compress(pictures)
    np.testing.assert_array_equal(grey.decompress(file, count), pictures)
    assert grey.size(pictures) == len(file)


def test_pictures_without_ink(grey):
    black = np.zeros((3, 28, 28), np.uint8)
    assert grey.size(black) > 0


def test_what_was_counted_is_cheap(neighbours, grey, binary):
    noise = np.random.default_rng(0).integers(0, 2, binary.shape, dtype=np.uint8)
    assert neighbours.size(binary) < neighbours.size(noise) / 20
    assert grey.size(strokes(40, seed=1)) < grey.size(255 * noise) / 20


def test_the_file_is_as_long_as_the_chances_say(neighbours, binary):
    padded, bits = neighbours._padded(binary), 0.0
    for row, column in np.ndindex(28, 28):
        white = neighbours._white(padded, row, column)
        chance = np.where(padded[row + 2, column + 2], white, 1 - white)
        bits -= np.log2(chance).sum()
    size = 8 * len(neighbours.compress(binary))
    assert size == pytest.approx(bits, abs=64 + 0.01 * bits)
    assert math.isfinite(bits) and neighbours.own_bytes > 0


def test_a_wrong_file_is_noticed(neighbours, grey, binary, monkeypatch):
    for table in (neighbours, grey):
        monkeypatch.setattr(type(table), "decompress", lambda *_: binary + 1)
        with pytest.raises(RuntimeError, match="did not return"):
            table.size(binary)
