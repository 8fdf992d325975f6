"""A vocabulary of pictures: one call each, all in one style.

style     house style, `show` with its alternative text
grids     digits in rows with names, or as one block
charts    curves with their labels
coding    what bits cost: words, a narrowing bar, rounding, areas, bytes and errors
maps      points and codes in a plane, with curves or with thumbnails
beliefs   beliefs, shares of rows, recipes and plans of questions
drawings  schematic drawings: the hourglass, the squared error, enlarged pixels
bills     codebooks and their bills, and how far two bells differ
piles     boxes of cards, piles of bits, and what they cost
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
from helpers.figures.charts import (
    curves,
    label_lines,
    ladder_of_bars,
    latent_rates,
    loss_curves,
    share_bars,
    tradeoff,
)
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
from helpers.figures.piles import (
    boxes_and_pile,
    digits_of_symbols,
    fineness,
    grey_line,
    pile_film,
    popped_cells,
    three_prices,
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
    "answers_table",
    "bars",
    "belief_film",
    "bill",
    "bill_by_hand",
    "bins",
    "block_of_waves",
    "boxes_and_pile",
    "bytes_and_errors",
    "check_alt",
    "clouds_in_plane",
    "code_words",
    "counted_rounds",
    "curves",
    "die_and_cards",
    "digits_of_symbols",
    "display_png",
    "extra_of_single_forms",
    "falling",
    "fineness",
    "fits_in_motion",
    "form_shares",
    "grey_line",
    "guessed_picture",
    "heat_table",
    "hourglass",
    "image_grid",
    "imagining_machine",
    "label_lines",
    "ladder_of_bars",
    "latent_map",
    "latent_rates",
    "loss_curves",
    "narrowing",
    "one_round",
    "paid_bills",
    "pairs_of_bars",
    "penalties",
    "pictures_on_a_curve",
    "pile_film",
    "pixel_table",
    "place_on_map",
    "points_and_line",
    "popped_cells",
    "price_as_area",
    "restored_points",
    "rounding_and_noise",
    "settling",
    "share_bars",
    "shared_points",
    "sheet",
    "sheet_of_plane",
    "show",
    "squared_error_drawing",
    "tangent",
    "three_prices",
    "to_png",
    "tradeoff",
    "two_bells",
    "two_clouds",
    "water",
    "way_into_a_file",
    "yes_no_tree",
]
