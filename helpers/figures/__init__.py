"""A vocabulary of pictures: one call each, all in one style.

style     house style, `show` with its alternative text
grids     digits in rows, enlarged pixels, film strips of digits
charts    curves with their labels
maps      codes in a plane, with thumbnails and labels that do not collide
drawings  schematic drawings: the hourglass, signs between pictures
films     frames of something that moves
"""

from helpers.figures.charts import label_lines
from helpers.figures.grids import image_grid
from helpers.figures.style import (
    COLOURS,
    WIDTH,
    check_alt,
    display_png,
    show,
    to_png,
)

__all__ = [
    "COLOURS",
    "WIDTH",
    "check_alt",
    "display_png",
    "image_grid",
    "label_lines",
    "show",
    "to_png",
]
