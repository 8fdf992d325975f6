"""Schematic drawings: the mechanism in one picture, with real digits inside."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle
from torch import Tensor

from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

GREY = "0.35"


def hourglass(picture: Tensor, code: Tensor, restored: Tensor) -> Figure:
    """An autoencoder at work: picture, encoder, code, decoder, restored picture.

    Args:
        picture, restored: one digit each, (1, 28, 28), values in [0, 1].
        code: its code (k,); each number becomes a bar.

    Raises:
        ValueError: a picture has another shape or other values.
    """
    before, after = as_pictures(picture[None])[0], as_pictures(restored[None])[0]
    values = np.asarray(code.detach().cpu(), dtype=float)
    error = float(np.square(after - before).sum())
    axes = blank((0, 16.4), (-1.5, 4.6))
    vermilion = COLOURS["vermilion"]
    for image, left in ((before, 0.2), (after, 13.2)):
        place(axes, image, (left, left + 3), (0.8, 3.8))
        axes.text(left + 1.5, 4.1, "784 numbers", ha="center", color=GREY)
    _box(axes, [(3.9, 4.0), (6.6, 3.1), (6.6, 1.5), (3.9, 0.6)], "encoder")
    _box(axes, [(9.8, 3.1), (12.5, 4.0), (12.5, 0.6), (9.8, 1.5)], "decoder")
    step = 1.8 / len(values)
    for i, value in enumerate(values / np.abs(values).max()):
        corner = (7.3 + step * i, 2.3)
        axes.add_patch(Rectangle(corner, 0.75 * step, 0.75 * value, color=vermilion))
    axes.text(8.2, 3.4, "code", ha="center", color=vermilion)
    axes.text(8.2, 0.85, f"{len(values)} numbers", ha="center", color=vermilion)
    for start, end in ((3.25, 3.85), (6.65, 7.25), (9.15, 9.75), (12.55, 13.15)):
        arrow(axes, (start, 2.3), (end, 2.3))
    arrow(axes, (14.7, 0.6), (1.7, 0.6), vermilion, bend=-0.16, both=True)
    says = f"compare pixel by pixel: squared error {error:.1f}"
    axes.text(8.2, -1.3, says, ha="center", color=vermilion)
    return axes.figure


def squared_error_drawing(
    original: Tensor,
    restored: Tensor,
    names: tuple[str, str] = ("original", "restored"),
) -> Figure:
    """Original minus restored, squared: a picture of the error, and its sum.

    Args:
        original, restored: one digit each, (1, 28, 28), values in [0, 1].
        names: what stands above the two pictures.
    """
    before, after = as_pictures(original[None])[0], as_pictures(restored[None])[0]
    squares = np.square(before - after)
    axes = blank((0, 15.2), (-1.1, 4.6))
    for image, left, name, top in (
        (before, 0.2, names[0], 1),
        (after, 5.2, names[1], 1),
        (squares, 10.7, "difference, squared", max(float(squares.max()), 1e-6)),
    ):
        place(axes, image, (left, left + 3.4), (0.4, 3.8), top)
        axes.text(left + 1.7, 4.05, name, ha="center")
    axes.text(4.4, 2.1, "−", size=24, ha="center", va="center")
    axes.text(9.65, 2.1, "→", size=24, ha="center", va="center")
    total = f"all 784 of them together: {squares.sum():.1f}"
    axes.text(14.1, -0.45, total, ha="right", color=COLOURS["vermilion"])
    return axes.figure


def pixel_table(image: Tensor, rows: slice, columns: slice) -> Figure:
    """A digit, and a part of it enlarged with the numbers of its pixels.

    Args:
        image: one digit (1, 28, 28), values in [0, 1].
        rows, columns: the part, such as `slice(7, 14)` and `slice(6, 20)`.
    """
    whole = as_pictures(image[None])[0]
    part = whole[rows, columns]
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.1))
    left.imshow(whole, vmin=0, vmax=1)
    edges = (columns.start - 0.5, rows.start - 0.5)
    frame = dict(fill=False, color=COLOURS["orange"], lw=2)
    left.add_patch(Rectangle(edges, part.shape[1], part.shape[0], **frame))
    right.imshow(part, vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(part):
        text = f"{value:.1f}".lstrip("0") if 0.05 <= value < 0.95 else f"{value:.0f}"
        ink = "black" if value > 0.5 else "white"
        right.text(column, row, text, color=ink, size=9, ha="center", va="center")
    for spine in right.spines.values():
        spine.set(visible=True, color=COLOURS["orange"], lw=2)
    for axes in (left, right):
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
    return figure


def arrow(axes: Axes, start, end, colour=GREY, bend=0.0, both=False) -> None:
    """An arrow from one point to another; `bend` curves it, `both` gives two heads."""
    style = "<|-|>" if both else "-|>"
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle=style,
            mutation_scale=13,
            linewidth=1.6,
            color=colour,
            connectionstyle=f"arc3,rad={bend}",
            shrinkA=0,
            shrinkB=0,
        )
    )


def blank(across: tuple[float, float], up: tuple[float, float]) -> Axes:
    """Axes without frame, of equal units, as wide as a notebook."""
    height = WIDTH * (up[1] - up[0]) / (across[1] - across[0])
    figure = Figure(figsize=(WIDTH, height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.set_axis_off()
    return axes


def place(axes: Axes, image: np.ndarray, across, up, top: float = 1.0) -> None:
    axes.imshow(image, vmin=0, vmax=top, extent=(*across, *up), zorder=2, aspect="auto")


def _box(axes: Axes, corners, name: str) -> None:
    axes.add_patch(
        Polygon(
            corners, facecolor=COLOURS["sky"], alpha=0.35, edgecolor=COLOURS["blue"]
        )
    )
    middle = np.mean(corners, axis=0)
    axes.text(*middle, name, ha="center", va="center", color=COLOURS["blue"])
