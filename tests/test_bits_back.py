"""Any pictures come back from their file, and no damaged file gives wrong ones."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from helpers.compression import bits_back, files
from helpers.compression.bits_back import Coder, Coins, Levels
from helpers.compression.entropy import Stack
from helpers.models import VAE, dense

EDGES = np.linspace(1, 6, 255)
COUNTS = [0, 1, 2, 3, 7, 50, 130]


def networks(numbers, latents=6, seed=0):
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), *dense(784, 24, 2 * latents))
    return encoder, nn.Sequential(*dense(latents, 24, numbers * 784))


def coder_for(kind, **settings):
    pixels = Coins() if kind == "binary" else Levels(EDGES)
    return Coder(*networks(pixels.numbers), pixels, **settings)


def pictures(kind, count, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "binary":
        return rng.integers(0, 2, (count, 28, 28), dtype=np.uint8)
    grey = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return np.where(rng.random(grey.shape) < 0.8, 0, grey).astype(np.uint8)


@pytest.fixture(scope="module", params=["binary", "grey"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def coder(kind):
    return coder_for(kind)


# Every picture comes back


@pytest.mark.parametrize("count", COUNTS)
def test_any_count(coder, kind, count):
    images = pictures(kind, count)
    decoded = coder.decompress(coder.compress(images))
    assert decoded.dtype == np.uint8 and decoded.shape == (count, 28, 28)
    np.testing.assert_array_equal(decoded, images)


@pytest.mark.parametrize("level", [0, 1, 2, 254, 255])
def test_one_level_everywhere(level):
    coder = coder_for("grey")
    images = np.full((3, 28, 28), level, np.uint8)
    np.testing.assert_array_equal(coder.decompress(coder.compress(images)), images)


def test_pictures_that_are_not_contiguous(coder, kind):
    images = pictures(kind, 10)[::-2].swapaxes(1, 2)
    np.testing.assert_array_equal(coder.decompress(coder.compress(images)), images)


def test_the_same_file_each_time(coder, kind):
    images = pictures(kind, 9)
    assert coder.compress(images) == coder_for(kind).compress(images)


def test_outputs_far_from_anything_sensible(kind):
    coder = coder_for(kind)
    with torch.no_grad():
        for weights in (*coder.encoder.parameters(), *coder.decoder.parameters()):
            weights.mul_(40)
    images = pictures(kind, 5)
    np.testing.assert_array_equal(coder.decompress(coder.compress(images)), images)


def test_the_networks_of_07_fit():
    torch.manual_seed(0)
    vae = VAE(4, (16,))
    coder = Coder(vae.encoder, vae.decoder, Coins())
    images = pictures("binary", 5)
    np.testing.assert_array_equal(coder.decompress(coder.compress(images)), images)


def test_push_then_pop_leaves_the_stack_as_it_was(coder, kind):
    words = np.random.default_rng(5).integers(2**32, size=500, dtype=np.uint32)
    stack, images = Stack(words), pictures(kind, 4).reshape(4, 784)
    coder.push(stack, images)
    np.testing.assert_array_equal(coder.pop(stack, 4), images)
    np.testing.assert_array_equal(stack.bottom(), words)


def test_an_empty_stack_costs_bits_and_no_pixels(coder, kind):
    stack, images = Stack(), pictures(kind, 2).reshape(2, 784)
    coder.push(stack, images)
    np.testing.assert_array_equal(coder.pop(stack, 2), images)


# Sizes


def test_a_file_is_as_long_as_minus_the_elbo():
    """Pushed and popped bits against the formula, for z drawn by the stack itself."""
    coder, images = coder_for("binary", cells=8), pictures("binary", 100)
    file = coder.compress(images)
    encoder, decoder = coder.encoder, coder.decoder
    x = torch.from_numpy(images).double().view(100, 1, 28, 28)
    with torch.no_grad():
        mean, log = encoder(x).chunk(2, 1)
        kl = 0.5 * (mean.square() + log.exp() - 1 - log).sum()
        costs = []
        for _ in range(20):
            logits = decoder(mean + (log / 2).exp() * torch.randn_like(mean))
            costs.append(
                nn.functional.binary_cross_entropy_with_logits(
                    logits, x.flatten(1), reduction="sum"
                )
            )
    nats = (sum(costs) / len(costs) + kl).item()
    overhead = bits_back.HEADER_BYTES + 4 * bits_back.INITIAL_WORDS
    assert 8 * (len(file) - overhead) == pytest.approx(nats / math.log(2), rel=0.002)


def test_levels_are_areas_of_the_mixture():
    levels, rng = Levels(EDGES), np.random.default_rng(0)
    numbers = rng.normal(0, 2, (40, 5)).astype(np.float32)
    one, two, log_one, log_two, share = torch.from_numpy(numbers).double().T[..., None]
    edges, share = torch.from_numpy(EDGES), share.sigmoid()
    below = share * torch.sigmoid((edges - one) / log_one.exp())
    below += (1 - share) * torch.sigmoid((edges - two) / log_two.exp())
    ends = torch.zeros(40, 1), below, torch.ones(40, 1)
    expected = torch.cat(ends, 1).diff(dim=1).numpy()
    np.testing.assert_allclose(1 - levels.ink(numbers), expected[:, 0], atol=1e-5)
    others = np.pad(expected[:, 1:], ((0, 0), (0, 1))).reshape(40, 16, 16)
    np.testing.assert_allclose(levels.blocks(numbers), others.sum(-1), atol=2e-5)
    for block in range(16):
        found = levels.places(numbers, np.full(40, block))
        np.testing.assert_allclose(found, others[:, block], atol=3e-6)


def test_groups_cover_all_pictures_and_grow_from_one():
    for count in range(400):
        found = bits_back.groups(count)
        assert [n for a, b in found for n in range(a, b)] == list(range(count))
        sizes = [stop - start for start, stop in found]
        assert all(1 <= size <= bits_back.BATCH for size in sizes)
    assert [stop - start for start, stop in found][:9] == [1, 1, 1, 1, 2, 2, 3, 3, 4]


# Errors


@pytest.fixture(scope="module")
def file(coder, kind):
    return coder.compress(pictures(kind, 12))


@pytest.mark.parametrize("place", [4, 30, 40, -1])
def test_a_damaged_file(coder, file, place):
    """A few places: test_compression_files.py tries them all, with the same header."""
    damaged = bytearray(file)
    damaged[place] ^= 1
    with pytest.raises(ValueError, match=r"altered|version"):
        coder.decompress(bytes(damaged))
    with pytest.raises(ValueError, match="cut short"):
        coder.decompress(file[:place])


def test_a_file_of_another_kind(coder, tmp_path):
    files.write_file(tmp_path / "symbols", b"payload", count=3, dims=2)
    with pytest.raises(ValueError, match="not a file"):
        coder.decompress((tmp_path / "symbols").read_bytes())


def test_another_model(kind, file):
    pixels = Coins() if kind == "binary" else Levels(EDGES)
    others = [
        Coder(*networks(pixels.numbers, seed=1), pixels),
        Coder(*networks(5), Levels(EDGES + 0.5)),
        coder_for(kind, cells=6),
        coder_for("grey" if kind == "binary" else "binary"),
    ]
    for other in others:
        with pytest.raises(ValueError, match="another model"):
            other.decompress(file)


def test_other_floats_are_noticed(kind, file):
    with pytest.raises(ValueError, match="other numbers here"):
        coder_for(kind, precision=torch.bfloat16).decompress(file)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [(-8, b"\5\5\5\5", "other numbers here"), (-4, bytes(4), "no stack")],
)
def test_a_forged_stack(coder, file, place, value, words):
    """Words altered by someone who mends the checksum of the file afterwards."""
    payload, *fields = bits_back._FILE.unpack(file)
    payload = bytearray(payload)
    payload[place : place + 4 or None] = value
    with pytest.raises(ValueError, match=words):
        coder.decompress(bits_back._FILE.pack(bytes(payload), *fields))


def test_too_many_pictures(coder, monkeypatch):
    monkeypatch.setattr(bits_back, "MOST", 3)
    with pytest.raises(ValueError, match="at most 3"):
        coder.compress(np.zeros((4, 28, 28), np.uint8))


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((2, 28, 28)), TypeError, "uint8"),
        (torch.zeros(2, 28, 28), TypeError, "uint8"),
        (np.zeros((2, 784), np.uint8), ValueError, "28, 28"),
        (np.zeros((28, 28), np.uint8), ValueError, "28, 28"),
        (np.full((1, 28, 28), 2, np.uint8), ValueError, "levels 0 to 1"),
    ],
)
def test_wrong_pictures(images, error, words):
    with pytest.raises(error, match=words):
        coder_for("binary").compress(images)


def test_networks_that_give_no_numbers():
    coder = coder_for("binary")
    with torch.no_grad():
        next(coder.decoder.parameters()).fill_(math.nan)
    with pytest.raises(ValueError, match="no numbers"):
        coder.compress(pictures("binary", 1))


@pytest.mark.parametrize("edges", [np.zeros(254), np.linspace(1, 0, 255), ["a"] * 255])
def test_wrong_edges(edges):
    with pytest.raises(ValueError):
        Levels(edges)


@pytest.mark.parametrize("settings", [{"cells": -1}, {"rows": 0}, {"threads": 0}])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match="at least 1"):
        coder_for("binary", **settings)


# The same floats


def test_the_number_of_threads_is_restored_also_after_an_error(coder, kind):
    before = torch.get_num_threads()
    coder.compress(pictures(kind, 2))
    assert torch.get_num_threads() == before
    with torch.no_grad():
        broken = coder_for(kind)
        next(broken.encoder.parameters()).fill_(math.nan)
    with pytest.raises(ValueError):
        broken.compress(pictures(kind, 2))
    assert torch.get_num_threads() == before


def test_the_networks_given_are_left_as_they_are(kind):
    encoder, decoder = networks(1 if kind == "binary" else 5)
    encoder.train()
    Coder(encoder, decoder, Coins() if kind == "binary" else Levels(EDGES))
    assert encoder.training and next(decoder.parameters()).dtype == torch.float32


def test_pictures_in_a_call_make_no_difference(kind, file, coder):
    for rows in (1, 7, 128):
        other = coder_for(kind, rows=rows)
        np.testing.assert_array_equal(other.decompress(file), coder.decompress(file))


PROGRAM = """
import sys, numpy as np, torch
sys.path[:0] = sys.argv[1:3]
from test_bits_back import EDGES, Coder, Coins, Levels, networks
for kind, pixels in {"binary": Coins(), "grey": Levels(EDGES)}.items():
    both = networks(pixels.numbers)
    for name, network in zip(("encoder", "decoder"), both):
        network.load_state_dict(torch.load(f"{kind}-{name}.pt", weights_only=True))
    np.save(f"{kind}.npy", Coder(*both, pixels).decompress(open(kind, "rb").read()))
"""


def test_a_process_as_on_an_older_processor_gets_the_same_pixels(tmp_path):
    """Torch, and MKL under it, compute otherwise there. Notebook 09 tries the rest."""
    for kind in ("binary", "grey"):
        coder = coder_for(kind)
        (tmp_path / kind).write_bytes(coder.compress(pictures(kind, 12)))
        encoder, decoder = networks(coder.pixels.numbers)
        torch.save(encoder.state_dict(), tmp_path / f"{kind}-encoder.pt")
        torch.save(decoder.state_dict(), tmp_path / f"{kind}-decoder.pt")
    here, older = Path(__file__).parent, {"ATEN_CPU_CAPABILITY": "default"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(here.parent), str(here)],
        cwd=tmp_path,
        env=os.environ | older | {"MKL_CBWR": "COMPATIBLE"},
        check=True,
    )
    for kind in ("binary", "grey"):
        decoded = np.load(tmp_path / f"{kind}.npy")
        np.testing.assert_array_equal(decoded, pictures(kind, 12))
