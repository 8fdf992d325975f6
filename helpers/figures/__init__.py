"""A vocabulary of pictures: one call each, all in one style.

style     house style, `show` with its alternative text
grids     digits in rows with names, or as one block
charts    curves with their labels
maps      points and codes in a plane, with curves or with thumbnails
drawings  schematic drawings: the hourglass, the squared error, enlarged pixels
"""

from helpers.figures.charts import (
    curves,
    label_lines,
    ladder_of_bars,
    latent_rates,
    loss_curves,
    share_bars,
    tradeoff,
)
from helpers.figures.drawings import (
    bill_by_hand,
    hourglass,
    imagining_machine,
    pixel_table,
    squared_error_drawing,
)
from helpers.figures.grids import image_grid
from helpers.figures.maps import (
    clouds_in_plane,
    latent_map,
    pictures_on_a_curve,
    place_on_map,
    points_and_line,
    restored_points,
    sheet_of_plane,
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
    "bill_by_hand",
    "check_alt",
    "clouds_in_plane",
    "curves",
    "display_png",
    "hourglass",
    "image_grid",
    "imagining_machine",
    "label_lines",
    "ladder_of_bars",
    "latent_map",
    "latent_rates",
    "loss_curves",
    "pictures_on_a_curve",
    "pixel_table",
    "place_on_map",
    "points_and_line",
    "restored_points",
    "share_bars",
    "sheet_of_plane",
    "show",
    "squared_error_drawing",
    "to_png",
    "tradeoff",
    "two_clouds",
]
