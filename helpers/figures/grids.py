"""Pictures of digits, in rows with names or as one block."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from helpers.figures.style import WIDTH, text_width


def image_grid(
    rows: dict[str, Tensor] | Tensor,
    *,
    columns: int | None = None,
    titles: list[str] | None = None,
) -> Figure:
    """Draws images in rows with a name each, or one tensor of images as a block.

    Args:
        rows: a dictionary from the name of a row to its images (n, 1, 28, 28) or
            (n, 28, 28) with values in [0, 1]; or one such tensor, wrapped into lines.
            A long name can hold line breaks.
        columns: images in a line; by default as many as the longest row has, at most
            ten. A longer row is cut.
        titles: one short text above each column.

    Raises:
        ValueError: there is no image, a shape is wrong, a value lies outside [0, 1] by
            more than 0.001, or a name takes more than half of the width.
    """
    if columns is not None and columns < 1:
        raise ValueError(f"columns must be at least 1, not {columns}.")
    if not isinstance(rows, dict):
        images = as_pictures(rows)
        columns = columns or min(10, max(1, len(images)))
        starts = range(0, len(images), columns)
        rows = {f"block {i}": images[i : i + columns] for i in starts}
        names = None
    else:
        rows = {name: as_pictures(images) for name, images in rows.items()}
        names = list(rows)
    if not any(len(images) for images in rows.values()):
        raise ValueError("there is no image to draw.")
    columns = columns or min(10, max(len(images) for images in rows.values()))
    label = 0.0 if names is None else text_width(names) + 0.15
    if label > WIDTH / 2:
        raise ValueError(
            f"the names of the rows take {label:.1f} of {WIDTH} inches; shorten the "
            f"longest, or break it into lines: {max(names, key=len)!r}."
        )
    side = min(0.8, (WIDTH - label) / columns)
    height = side * len(rows) + (0.25 if titles else 0.0)
    figure = Figure(figsize=(label + side * columns, height), layout="none")
    left, top = label / (label + side * columns), side * len(rows) / height
    for i, (name, images) in enumerate(rows.items()):
        strip = np.zeros((28, 30 * columns))
        for j, image in enumerate(images[:columns]):
            strip[:, 30 * j + 1 : 30 * j + 29] = image
        strip[:, 30 * len(images) :] = 1  # white: no image, rather than a black one
        bottom = top * (1 - (i + 1) / len(rows))
        axes = figure.add_axes((left, bottom, 1 - left, top / len(rows) * 0.95))
        axes.imshow(strip, vmin=0, vmax=1, aspect="auto")
        axes.set_axis_off()
        if names is not None:
            # A point in the figure, so that the gap does not grow with the columns.
            middle = bottom + top / len(rows) * 0.95 / 2
            x = left - 0.08 / figure.get_figwidth()
            figure.text(x, middle, name, ha="right", va="center")
        if titles and i == 0:
            # A title wider than its column would run into the next, or off the figure.
            fits = 0.95 * side / text_width(titles) * plt.rcParams["font.size"]
            style = dict(ha="center", va="bottom", fontsize=min(10, fits))
            for j, title in enumerate(titles[:columns]):
                axes.text(30 * j + 15, -2, title, **style)
    return figure


def as_pictures(images) -> np.ndarray:
    array = np.asarray(images.detach().cpu() if isinstance(images, Tensor) else images)
    array = array.astype(np.float32)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3 or array.shape[1:] != (28, 28):
        raise ValueError(
            f"images must be (n, 1, 28, 28) or (n, 28, 28), not {array.shape}."
        )
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    if not (math.isfinite(low) and low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"pixels must lie in [0, 1]; these reach from {low:.3g} to {high:.3g}. "
            "Divide bytes by 255, or clamp what an unbounded network gives."
        )
    return array.clip(0, 1)
