"""A vocabulary of pictures: one call each, all in one style.

style     house style, `show` with its alternative text
grids     digits in rows with names, or as one block
charts    curves with their labels
coding    what bits cost: words, a narrowing bar, rounding, areas, bytes and errors
maps      points and codes in a plane, with curves or with thumbnails
drawings  schematic drawings: the hourglass, the squared error, enlarged pixels
"""

from helpers.figures.charts import curves, label_lines, loss_curves
from helpers.figures.coding import (
    block_of_waves,
    bytes_and_errors,
    code_words,
    narrowing,
    price_as_area,
    rounding_and_noise,
    water,
    way_into_a_file,
)
from helpers.figures.drawings import hourglass, pixel_table, squared_error_drawing
from helpers.figures.grids import image_grid
from helpers.figures.maps import (
    latent_map,
    pictures_on_a_curve,
    place_on_map,
    points_and_line,
    restored_points,
    two_clouds,
)
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
    "block_of_waves",
    "bytes_and_errors",
    "check_alt",
    "code_words",
    "curves",
    "display_png",
    "hourglass",
    "image_grid",
    "label_lines",
    "latent_map",
    "loss_curves",
    "narrowing",
    "pictures_on_a_curve",
    "pixel_table",
    "place_on_map",
    "points_and_line",
    "price_as_area",
    "restored_points",
    "rounding_and_noise",
    "show",
    "squared_error_drawing",
    "to_png",
    "two_clouds",
    "water",
    "way_into_a_file",
]
