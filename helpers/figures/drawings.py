"""Schematic drawings: the mechanism in one picture, with real digits inside."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, Polygon, Rectangle
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
        text = f"{value:.1f}" if 0.05 <= value < 0.95 else f"{value:.0f}"
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


def _box(axes: Axes, corners, name: str, size: float | None = None) -> None:
    axes.add_patch(
        Polygon(
            corners, facecolor=COLOURS["sky"], alpha=0.35, edgecolor=COLOURS["blue"]
        )
    )
    middle = np.mean(corners, axis=0)
    axes.text(
        *middle, name, ha="center", va="center", color=COLOURS["blue"], fontsize=size
    )


# 07: the machine that can imagine, and the bill of one picture


def imagining_machine(
    picture: Tensor, mean: Tensor, spread: Tensor, point: Tensor, drawing: Tensor
) -> Figure:
    """A variational autoencoder with two latents at work, and both prices it pays.

    Args:
        picture: a black and white digit (1, 28, 28), zeros and ones.
        mean, spread: the encoder's answer (2,) each; the cloud is drawn at two spreads.
        point: a draw from the cloud (2,).
        drawing: the chances of white at this point (1, 28, 28), in [0, 1].

    Raises:
        ValueError: a picture has another shape or other values.
    """
    before, after = as_pictures(picture[None])[0], as_pictures(drawing[None])[0]
    mean, spread, point = (
        part.detach().cpu().numpy() for part in (mean, spread, point)
    )
    chance = np.where(before > 0.5, after, 1 - after)
    distortion = float(-np.log(np.clip(chance, 1e-7, 1)).sum())
    rate = float(_bell_price(mean, spread).sum())
    axes = blank((0, 17.4), (-2.6, 5.3))
    vermilion, green = COLOURS["vermilion"], COLOURS["green"]
    for image, left, name in ((before, 0.2, "picture"), (after, 14.2, "drawing")):
        place(axes, image, (left, left + 3), (0.8, 3.8))
        axes.text(left + 1.5, 4.1, name, ha="center", color=GREY)
    _box(axes, [(3.6, 3.8), (5.5, 3.1), (5.5, 1.5), (3.6, 0.8)], "encoder", 9)
    _box(axes, [(11.9, 3.1), (13.8, 3.8), (13.8, 0.8), (11.9, 1.5)], "decoder", 9)
    for name, values, base, scale in (
        ("mean", mean, 3.15, 0.75 / max(1.0, float(np.abs(mean).max()))),
        ("spread", spread, 0.75, 0.75 / max(0.1, float(spread.max()))),
    ):
        axes.plot([5.95, 7.05], [base, base], color="0.6", linewidth=1)
        for left, value in zip((6.05, 6.6), values, strict=True):
            axes.add_patch(
                Rectangle((left, base), 0.38, scale * value, color=vermilion)
            )
        top = base + scale * max(0.0, float(values.max()))
        axes.text(6.5, top + 0.15, name, ha="center", color=vermilion)
    middle, unit = np.array([9.5, 2.35]), 0.92  # the plane: where 0 lies, and its scale
    for radius in (1, 2):
        ring = Ellipse(middle, 2 * radius * unit, 2 * radius * unit, fill=False)
        ring.set(linestyle="--", edgecolor=GREY, linewidth=1.2)
        axes.add_patch(ring)
    spot = middle + unit * mean
    cloud = Ellipse(spot, *(4 * unit * spread), facecolor=vermilion, alpha=0.35)
    axes.add_patch(cloud)
    axes.plot(*(middle + unit * point), "o", color="black", markersize=3.5)
    axes.plot(*middle, "+", color=GREY)
    axes.text(9.5, 4.7, "a cloud, and one point in it", ha="center", color=vermilion)
    axes.text(
        9.5, -0.02, "dashed: the standard cloud", ha="center", color=GREY, size=10
    )
    for start, end in ((3.25, 3.55), (5.55, 5.9), (7.1, 7.5), (11.5, 11.85)):
        arrow(axes, (start, 2.3), (end, 2.3))
    arrow(axes, (13.83, 2.3), (14.15, 2.3))
    arrow(axes, (15.7, 0.6), (1.7, 0.6), vermilion, bend=-0.29, both=True)
    says = f"distortion {distortion:.1f} nats: the price of the drawing"
    axes.text(8.7, -2.15, says, ha="center", color=vermilion)
    says = f"rate {rate:.1f} nats: the price of the cloud"
    axes.text(9.5, -0.68, says, ha="center", color=green, fontsize=11)
    return axes.figure


def bill_by_hand(mean: Tensor, spread: Tensor, pixels: Tensor, chances: Tensor):
    """A small bill: each latent's bell beside the standard one, then each pixel.

    Args:
        mean, spread: of the latents (d,), d at most 3.
        pixels: zeros and ones (n,), n at most 6.
        chances: what the decoder says for white (n,), between 0 and 1.
    """
    mean, spread, pixels, chances = (
        part.detach().cpu().double().numpy() for part in (mean, spread, pixels, chances)
    )
    prices = _bell_price(mean, spread)
    costs = -np.log(np.where(pixels > 0.5, chances, 1 - chances))
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    panels = figure.subplots(1, len(mean) + 1, width_ratios=[1] * len(mean) + [1.6])
    z = np.linspace(-3, 3, 301)
    standard = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    for i, axes in enumerate(panels[:-1]):
        bell = np.exp(-0.5 * ((z - mean[i]) / spread[i]) ** 2)
        bell /= spread[i] * np.sqrt(2 * np.pi)
        axes.fill_between(z, bell, color=COLOURS["vermilion"], alpha=0.35, lw=0)
        axes.plot(z, bell, color=COLOURS["vermilion"])
        axes.plot(z, standard, "--", color="0.3", linewidth=1.5)
        title = f"latent {i + 1}\nmean {mean[i]:g}, spread {spread[i]:g}"
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(f"{prices[i]:.3g} nats", color=COLOURS["green"])
        axes.set(yticks=[], ylim=(0, 2.1), xticks=[-2, 0, 2])
        axes.grid(False)
        axes.spines["left"].set_visible(False)
    axes = panels[-1]
    for i, (pixel, chance, cost) in enumerate(zip(pixels, chances, costs, strict=True)):
        frame = dict(edgecolor="0.4", linewidth=1.2)
        axes.add_patch(Rectangle((i, 0), 0.9, 0.9, facecolor=f"{pixel:g}", **frame))
        axes.text(i + 0.45, 1.15, f"{chance:.1f}", ha="center", va="bottom")
        said = dict(ha="center", va="top", color=COLOURS["vermilion"])
        axes.text(i + 0.45, -0.2, f"{cost:.2f}", **said)
    axes.set_title("four pixels, and above them\nthe chances of white", fontsize=10)
    axes.set(xlim=(-0.1, len(pixels)), ylim=(-1.2, 2), aspect="equal")
    axes.set_axis_off()
    total = f"together {costs.sum():.2f} nats"
    axes.text(len(pixels) / 2, -0.75, total, ha="center", va="top")
    axes.texts[-1].set_color(COLOURS["vermilion"])
    return figure


def _bell_price(mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """KL divergence of bells from the standard bell, in nats, one for each (d,)."""
    return 0.5 * (mean**2 + spread**2 - 1 - np.log(spread**2))
