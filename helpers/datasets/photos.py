"""Notebooks call `photo_patches()` for pictures that are nothing like MNIST.

They are cut from the one photograph that comes with matplotlib, the US Navy's portrait
of Grace Hopper, a pioneer of compilers (public domain): no download.
"""

from functools import cache

import numpy as np
import torch
from matplotlib import cbook
from PIL import Image

from helpers.datasets._shared import as_images, check_count, matplotlib_error

PHOTO = "grace_hopper.jpg"

FLAT = 20  # grey levels of 255: patches with a smaller standard deviation are left out


def photo_patches(count: int, seed: int = 0) -> torch.Tensor:
    """Return `count` grey patches of a photograph, float32 (count, 1, 28, 28).

    Pixels are 0 (black) to 1 (white) in steps of 1/255. A patch covers a random square
    of the photograph (512x600 pixels), 28 to 224 pixels wide, scaled to 28x28. Patches
    with almost nothing on them (standard deviation below 20/255) are left out.
    `photo_patches(10, seed)` are the first of `photo_patches(99, seed)`. The squares
    overlap: they serve to test a model on another kind of picture, not to train one.

    Raises TypeError or ValueError for a count or a seed that is not 0, 1, 2, ...;
    DatasetError if the photograph is missing.
    """
    pixels = np.zeros((check_count("count", count), 28, 28), np.uint8)
    random = np.random.default_rng(check_count("seed", seed))
    photo = _photo()
    for row in pixels:
        while row.std() < FLAT:
            row[:] = _patch(photo, *random.random(3))
    return as_images(torch.from_numpy(pixels))


@cache
def _photo() -> Image.Image:
    try:
        with cbook.get_sample_data(PHOTO) as file, Image.open(file) as photo:
            return photo.convert("L")
    except OSError as error:
        raise matplotlib_error(f"photograph {PHOTO}", error) from error


def _patch(photo: Image.Image, size: float, x: float, y: float) -> np.ndarray:
    # The three numbers are uniform in [0, 1); every scale is as likely as every other.
    side = 28 * 8**size
    left, top = x * (photo.width - side), y * (photo.height - side)
    box = (left, top, left + side, top + side)
    return np.asarray(photo.resize((28, 28), Image.Resampling.BICUBIC, box))
