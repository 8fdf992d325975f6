"""A vocabulary of pictures: one call each, all in one style.

style     house style, `show` with its alternative text
grids     digits in rows with names, or as one block
charts    curves with their labels
coding    what bits cost: words, a narrowing bar, rounding, areas, bytes and errors
maps      points and codes in a plane, with curves or with thumbnails
landscapes walks over a posterior, and bells fitted to it
beliefs   beliefs, shares of rows, recipes and plans of questions
drawings  schematic drawings: the hourglass, the squared error, enlarged pixels
bills     codebooks and their bills, and how far two bells differ
"""

from helpers.figures.beliefs import (
    answers_table,
    bars,
    belief_film,
    counted_rounds,
    die_and_cards,
    falling,
    guessed_picture,
    one_round,
    shared_points,
    sheet,
    yes_no_tree,
)
from helpers.figures.bills import (
    answers_and_bills,
    bill,
    bins,
    extra_of_single_forms,
    fits_in_motion,
    form_shares,
    heat_table,
    paid_bills,
    pairs_of_bars,
    penalties,
    settling,
    tangent,
    two_bells,
)
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
from helpers.figures.landscapes import (
    answers_of_encoder,
    bell_film,
    hidden_half_drawing,
    histogram_film,
    islands_film,
    pushed_draws,
    rolls,
    steps_on_a_hill,
    total_variation_drawing,
    traces,
    walks_and_bells,
    with_hidden_half,
)
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
    "answers_and_bills",
    "answers_of_encoder",
    "answers_table",
    "bars",
    "belief_film",
    "bell_film",
    "bill",
    "bins",
    "block_of_waves",
    "bytes_and_errors",
    "check_alt",
    "code_words",
    "counted_rounds",
    "curves",
    "die_and_cards",
    "display_png",
    "extra_of_single_forms",
    "falling",
    "fits_in_motion",
    "form_shares",
    "guessed_picture",
    "heat_table",
    "hidden_half_drawing",
    "histogram_film",
    "hourglass",
    "image_grid",
    "islands_film",
    "label_lines",
    "latent_map",
    "loss_curves",
    "narrowing",
    "one_round",
    "paid_bills",
    "pairs_of_bars",
    "penalties",
    "pictures_on_a_curve",
    "pixel_table",
    "place_on_map",
    "points_and_line",
    "price_as_area",
    "pushed_draws",
    "restored_points",
    "rolls",
    "rounding_and_noise",
    "settling",
    "shared_points",
    "sheet",
    "show",
    "squared_error_drawing",
    "steps_on_a_hill",
    "tangent",
    "to_png",
    "total_variation_drawing",
    "traces",
    "two_bells",
    "two_clouds",
    "walks_and_bells",
    "water",
    "way_into_a_file",
    "with_hidden_half",
    "yes_no_tree",
]
