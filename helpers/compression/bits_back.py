"""Notebook 09 calls this to turn pictures into a file, and the file into the same
pictures, with a variational autoencoder as the model: bits-back coding.

All bits lie on one stack. To add pictures: pop their latents under q(z | x), push the
pixels under p(x | z), push the latents under p(z). To get them back: the same steps in
the opposite order, pop for push and push for pop. So the latents of a picture are
chosen by bits of earlier pictures, which the receiver gets back.

The receiver has to find the very same distributions as the sender. So both compute the
networks in float64, on batches of one shape and with one thread, and round what comes
out to a coarse grid, and once more the areas under curves that follow from it. Last
digits that differ are then lost in the rounding, unless a number lies within them of a
border between two steps: for one in 10^9 to 10^12 numbers. Where it happens, the
checksum of the pixels notices.

A file has the header of `files.Format`. Its own fields are: kind of pixels (1 byte; 0
black or white, 1 grey levels), cells of the latent grid in a unit, as a power of two
(1), 0 (1), fingerprint of the model (8), CRC-32 of the pixels (4). The stack follows.

The stack starts with words that anybody can compute: the *initial bits*, needed because
the very first latents have no earlier pictures to be chosen by. They stay in the file,
below everything else, and are part of its size. The first batch is one picture, and
the batches grow slowly, so that a few dozen bytes are enough. A stack that runs dry all
the same costs bits (its latents are chosen badly), and never pixels.
"""

import copy
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from helpers.compression import files
from helpers.compression.entropy import Stack

SIDE = 28
PIXELS = SIDE * SIDE
BATCH = 100
INITIAL_WORDS = 16
# Latents live between -6 and 6. The coder gives each cell at least 2^-24, so many cells
# far from the curve would add up, and a latent be popped from nowhere now and then.
REACH = 6
FINE = 64  # steps in a unit to which the networks' outputs are rounded
AREA = 2**20  # steps to which areas under curves are rounded
MOST = 60_000  # pictures in a file; a forged count must not ask for all memory
_FILE = files.Format(b"AEBB", 2, "BBx8sI", MOST)
HEADER_BYTES = _FILE.header_bytes


# What the pixels are


class Coins:
    """Pixels 0 or 1, from one logit each."""

    kind, highest, numbers = 0, 1, 1

    def push(self, stack: Stack, outputs: np.ndarray, pixels: np.ndarray) -> None:
        stack.push_coins(pixels.ravel(), _chance(outputs))

    def pop(self, stack: Stack, outputs: np.ndarray) -> np.ndarray:
        return stack.pop_coins(_chance(outputs)).reshape(len(outputs), -1)


class Levels:
    """Pixels 0 to 255, from a mixture of two logistic curves each.

    The decoder gives five numbers a pixel, (n, 5, 784): two centres, the logarithms of
    two widths, the logit of the first curve's share. The curves lie over a line that
    `edges` cut into 256 pieces; a level's probability is the area over its piece. Zero,
    the level of most pixels, is settled first. Of the others, first the block of 16
    levels and then the place in it: two tables of 16 cost less time than one of 255.

    Args:
        edges: the 255 inner edges of the pieces, rising.
    """

    kind, highest, numbers = 1, 255, 5

    def __init__(self, edges) -> None:
        self.edges = np.asarray(edges, np.float32)
        if self.edges.shape != (255,) or not (np.diff(self.edges) >= 0).all():
            raise ValueError("edges must be 255 rising numbers")
        borders = np.append(self.edges, [np.inf, np.inf])  # and a 256th, empty level
        self._first = borders[::16]
        self._inside = np.stack([borders[k : k + 17] for k in range(0, 256, 16)])

    def push(self, stack: Stack, outputs: np.ndarray, pixels: np.ndarray) -> None:
        numbers, pixels = self._rows(outputs), pixels.ravel()
        for part in reversed(_parts(np.flatnonzero(pixels))):
            block, place = np.divmod(pixels[part] - 1, 16)
            stack.push_places(place, self.places(numbers[part], block))
            stack.push_places(block, self.blocks(numbers[part]))
        stack.push_coins(pixels > 0, self.ink(numbers))

    def pop(self, stack: Stack, outputs: np.ndarray) -> np.ndarray:
        numbers = self._rows(outputs)
        pixels = stack.pop_coins(self.ink(numbers))
        for part in _parts(np.flatnonzero(pixels)):
            block = stack.pop_places(self.blocks(numbers[part]))
            place = stack.pop_places(self.places(numbers[part], block))
            pixels[part] = 1 + 16 * block + place
        return pixels.reshape(-1, PIXELS)

    def ink(self, numbers: np.ndarray) -> np.ndarray:
        """The probability that a pixel is not 0 (n,)."""
        black = self._below(self.edges[:1], numbers)[:, 0].astype(np.float64)
        return np.clip(1 - black, 1e-6, 1 - 1e-6)

    def blocks(self, numbers: np.ndarray) -> np.ndarray:
        """Shares of the levels 1 to 16, 17 to 32, ... (n, 16). Their sum is not 1."""
        # Nothing is impossible, whatever the curves say.
        return np.diff(self._below(self._first, numbers)) + np.float32(16e-6)

    def places(self, numbers: np.ndarray, block: np.ndarray) -> np.ndarray:
        """Shares of the 16 levels in a block (n, 16), on the same scale."""
        return np.diff(self._below(self._inside[block], numbers)) + np.float32(1e-6)

    def _below(self, edges: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The area of the mixture below each edge (n, edges)."""
        edges = np.broadcast_to(edges, (len(numbers), edges.shape[-1]))
        below = np.empty(edges.shape, np.float32)
        for part in _parts(np.arange(len(numbers)), 1 << 12):  # float64 is large
            line = torch.from_numpy(edges[part]).double()
            one, two, log_one, log_two, share = torch.from_numpy(numbers[part]).T[
                ..., None
            ]
            first = torch.sigmoid((line - one) * torch.exp(-log_one))
            second = torch.sigmoid((line - two) * torch.exp(-log_two))
            area = second + torch.sigmoid(share) * (first - second)
            below[part] = (area * AREA).round().div(AREA).float().numpy()
        return below

    def _rows(self, outputs: np.ndarray) -> np.ndarray:
        rows = outputs.reshape(-1, 5, PIXELS).swapaxes(1, 2).reshape(-1, 5)
        return np.clip(rows, -40, 40).astype(np.float64)


def _chance(logits: np.ndarray) -> np.ndarray:
    """P(1), never so close to 0 or 1 that the other side would be impossible."""
    return 1 / (1 + np.exp(-np.clip(logits.ravel(), -14, 14)))


def _parts(index: np.ndarray, size: int = 1 << 16) -> list[np.ndarray]:
    return [index[start : start + size] for start in range(0, len(index), size)]


# The coder


class Coder:
    """Turns pictures into a file and back, with an autoencoder as the model.

    Args:
        encoder: pictures (n, 1, 28, 28) in [0, 1] -> means and log-variances of
            q(z | x), side by side (n, 2 * latents).
        decoder: latents (n, latents) -> outputs (n, 784 * numbers) for `pixels`.
        pixels: `Coins()` or `Levels(edges)`.
        cells: cells of the latent grid in a unit, as a power of two: 4 means 1/16.
        precision, rows, threads, fine: how the networks are computed: the type of
            their numbers, the pictures in a call, the threads, and the steps in a unit
            to which outputs are rounded (None: not at all). They are here for
            experiments: the receiver needs those of the sender, and the file does not
            say them.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        pixels: Coins | Levels,
        *,
        cells: int = 4,
        precision: torch.dtype = torch.float64,
        rows: int = BATCH,
        threads: int = 1,
        fine: int | None = FINE,
    ) -> None:
        if not 0 <= cells <= 12 or rows < 1 or threads < 1:
            raise ValueError("cells is 0 to 12; rows and threads are at least 1")
        self.fingerprint = fingerprint(encoder, decoder, pixels)
        self.pixels, self.cells = pixels, cells
        self.rows, self.threads, self.fine = rows, threads, fine
        self.encoder, self.decoder = (
            copy.deepcopy(part).cpu().to(precision).eval()
            for part in (encoder, decoder)
        )
        self.reach = REACH << cells

    def compress(self, images: np.ndarray) -> bytes:
        """The file of pictures, uint8 (n, 28, 28); n may be 0.

        Raises:
            TypeError: the pictures are no uint8 array.
            ValueError: they have another shape, a pixel is above the highest level, or
                there are more than `MOST` pictures.
        """
        pixels = self._checked(images)
        stack = Stack(initial_words())
        for start, stop in groups(len(pixels)):
            self.push(stack, pixels[start:stop])
        check = zlib.crc32(pixels.tobytes())
        own = self.pixels.kind, self.cells, self.fingerprint, check
        return _FILE.pack(stack.to_bytes(), len(pixels), *own)

    def decompress(self, file: bytes) -> np.ndarray:
        """The pictures of a file of `compress`, uint8 (n, 28, 28).

        Raises:
            ValueError: the file is of another kind, cut short, altered or made with
                another model, or the networks give other numbers on this machine.
        """
        payload, count, *model, check = _FILE.unpack(file)
        if model != [self.pixels.kind, self.cells, self.fingerprint]:
            raise ValueError("the file was made with another model than this one")
        stack = Stack.from_bytes(payload)
        pixels = np.empty((count, PIXELS), np.uint8)
        for start, stop in reversed(groups(count)):
            pixels[start:stop] = self.pop(stack, stop - start)
        whole = np.array_equal(stack.bottom(), initial_words())
        if not whole or zlib.crc32(pixels.tobytes()) != check:
            raise ValueError(
                "the pictures that came out are not those that went in: the file is "
                "whole and the model is the right one, but its networks give other "
                "numbers here than they gave to the sender"
            )
        return pixels.reshape(count, SIDE, SIDE)

    def push(self, stack: Stack, pixels: np.ndarray) -> None:
        """Puts pictures (n, 784) on the stack; see also the notebook."""
        latents = stack.pop_cells(*self.cloud(pixels), self.reach)
        self.pixels.push(stack, self.outputs(latents, len(pixels)), pixels)
        stack.push_cells(latents, *self._prior(len(latents)), self.reach)

    def pop(self, stack: Stack, count: int) -> np.ndarray:
        """Takes as many pictures (count, 784) from the stack: `push` backwards."""
        latents = stack.pop_cells(*self._prior(count * self.latents), self.reach)
        pixels = self.pixels.pop(stack, self.outputs(latents, count))
        stack.push_cells(latents, *self.cloud(pixels), self.reach)
        return pixels

    @property
    def latents(self) -> int:
        return next(self.decoder.parameters()).shape[1]

    def _prior(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(size), np.full(size, float(1 << self.cells))

    def cloud(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and spreads of q(z | x) in cells of the grid, one after the other."""
        images = torch.from_numpy(pixels).view(-1, 1, SIDE, SIDE)
        both = self._run(self.encoder, images, self.pixels.highest)
        means, logs = np.split(both, 2, 1)
        means = np.clip(means, 1 - REACH, REACH - 1)
        spreads = np.exp(np.clip(logs, -12.0, 4.0) / 2)
        return means.ravel() * (1 << self.cells), spreads.ravel() * (1 << self.cells)

    def outputs(self, latents: np.ndarray, count: int) -> np.ndarray:
        """What the decoder says about the pixels (count, 784 * numbers)."""
        z = torch.from_numpy(latents).view(count, -1)
        return self._run(self.decoder, z, 1 << self.cells)

    @torch.no_grad()
    def _run(self, network: nn.Module, inputs: torch.Tensor, scale: int) -> np.ndarray:
        kind, parts = next(network.parameters()).dtype, []
        for part in inputs.split(self.rows):
            batch = torch.zeros(self.rows, *part.shape[1:], dtype=kind)
            batch[: len(part)] = part.to(kind) / scale
            with _threads(self.threads):
                parts.append(network(batch)[: len(part)].double().numpy())
        outputs = np.concatenate(parts)
        if not np.isfinite(outputs).all():
            raise ValueError("a network gives numbers that are infinite or no numbers")
        if self.fine is None:
            return outputs
        return np.rint(outputs * self.fine) / self.fine

    def _checked(self, images: np.ndarray) -> np.ndarray:
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
            raise TypeError("pictures must be a uint8 array; images.to_bytes makes one")
        if images.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"pictures must be (n, 28, 28), not {images.shape}")
        if len(images) > MOST:
            raise ValueError(f"at most {MOST:,} pictures go into a file")
        if images.size and images.max() > self.pixels.highest:
            raise ValueError(
                f"this coder knows the levels 0 to {self.pixels.highest}, "
                f"and there is a pixel {images.max()}"
            )
        return np.ascontiguousarray(images).reshape(-1, PIXELS)


def groups(count: int, largest: int = BATCH) -> list[tuple[int, int]]:
    """Pictures coded together, as (start, stop).

    A batch takes from the stack what its latents need, up to four times as many bits as
    a picture leaves there for good. So it has a quarter of the pictures before it.
    """
    found, start = [], 0
    while start < count:
        size = min(largest, start // 4 + 1, count - start)
        found.append((start, start + size))
        start += size
    return found


def initial_words() -> np.ndarray:
    """The bits that the stack starts with: the same for all files."""
    digest = hashlib.shake_128(b"initial bits").digest(4 * INITIAL_WORDS)
    return np.frombuffer(digest, "<u4").astype(np.uint32)


def ledger_of(file: bytes, images: int) -> files.Ledger:
    """Where the bytes of a file of `Coder.compress` lie.

    Args:
        file: the whole file.
        images: how many pictures it holds.
    """
    ledger, initial = files.Ledger(images), initial_words().nbytes
    ledger.add("header", HEADER_BYTES, "counts, fingerprint, checksums")
    ledger.add("initial bits", initial, "given back, but sent")
    ledger.add("pictures", len(file) - HEADER_BYTES - initial)
    return ledger


def fingerprint(
    encoder: nn.Module, decoder: nn.Module, pixels: Coins | Levels
) -> bytes:
    """Eight bytes that differ for other weights, shapes or levels."""
    found = hashlib.blake2b(digest_size=8)
    for part in (encoder, decoder):
        for name, value in part.state_dict().items():
            found.update(f"{name} {tuple(value.shape)}".encode())
            found.update(value.detach().cpu().double().numpy().astype("<f8").tobytes())
    found.update(np.asarray(getattr(pixels, "edges", ()), "<f8").tobytes())
    return found.digest()


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
