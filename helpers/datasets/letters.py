"""Notebooks call `letters()` for pictures that look like MNIST but are not digits.

The letters are drawn here, in fonts that matplotlib brings along, and scaled and
centred as the makers of MNIST did it: no download, and the same pictures everywhere.
"""

import string
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from helpers.datasets._shared import as_images, check_count, matplotlib_error

LETTERS = string.ascii_uppercase + string.ascii_lowercase

# The rest of matplotlib's fonts hold symbols, or not all of the letters.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
    *("cmr10", "cmb10", "cmss10", "cmtt10", "cmti10", "cmmi10"),
)

GLYPH = 48  # pixels: height of the type that is drawn, before scaling
CANVAS = 128  # pixels: holds any letter at that height, slanted and thickened


def letters(count: int, seed: int = 0) -> torch.Tensor:
    """Return `count` printed letters, float32 (count, 1, 28, 28) in [0, 1].

    Capitals and small letters, A to Z and a to z, in 18 fonts, white ink on black, in
    steps of 1/255. Slant, thickness and size vary at random. As in MNIST, each is
    scaled to fit a box of 20x20 pixels (here 17x17 to 20x20), its proportions kept,
    and its centre of mass is moved to the centre of the picture. Some letters (O, o, I,
    l, S, Z, z) look like digits. `letters(10, seed)` are the first of
    `letters(99, seed)`.

    Raises TypeError or ValueError for a count or a seed that is not 0, 1, 2, ...;
    DatasetError if a font is missing.
    """
    pixels = np.zeros((check_count("count", count), 28, 28), np.uint8)
    for row, choice in zip(pixels, _choices(count, seed), strict=True):
        letter, font, size, slant, weight = choice
        glyph = _draw(
            LETTERS[int(letter * len(LETTERS))],
            FONTS[int(font * len(FONTS))],
            slant=-0.2 + 0.5 * slant,  # MNIST's digits lean to the right, too
            stroke=1.5 * weight,
        )
        _place(glyph, box=17 + 3 * size, canvas=row)
    return as_images(torch.from_numpy(pixels))


def _choices(count: int, seed: int) -> np.ndarray:
    # One row a picture: letter, font, size, slant, thickness, each uniform in [0, 1).
    return np.random.default_rng(check_count("seed", seed)).random((count, 5))


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    basic = ImageFont.Layout.BASIC  # the other one needs a library that not all have
    try:
        # An open file: given a path, Pillow would take a namesake among the system's
        # fonts where the file is missing.
        with path.open("rb") as file:
            return ImageFont.truetype(file, GLYPH, layout_engine=basic)
    except OSError as error:
        raise matplotlib_error(f"font {path}", error) from error


def _draw(letter: str, font: str, slant: float, stroke: float) -> Image.Image:
    image = Image.new("L", (CANVAS, CANVAS))
    middle = CANVAS / 2
    ImageDraw.Draw(image).text(
        (middle, middle), letter, 255, _font(font), anchor="mm", stroke_width=stroke
    )
    shear = (1, slant, -slant * middle, 0, 1, 0)
    image = image.transform(
        image.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR
    )
    return image.crop(image.getbbox())


def _place(glyph: Image.Image, box: float, canvas: np.ndarray) -> None:
    # Write the glyph onto the black (28, 28) canvas, shrunk to `box` and centred.
    scale = box / max(glyph.size)
    width, height = (max(1, round(side * scale)) for side in glyph.size)
    ink = np.asarray(glyph.resize((width, height), Image.Resampling.BILINEAR))
    total = ink.sum()
    column = (ink.sum(axis=0) @ (np.arange(width) + 0.5)) / total
    row = (ink.sum(axis=1) @ (np.arange(height) + 0.5)) / total
    left = min(max(round(14 - column), 0), 28 - width)
    top = min(max(round(14 - row), 0), 28 - height)
    canvas[top : top + height, left : left + width] = ink
