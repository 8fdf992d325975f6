"""Every notebook draws with this module, so that all figures share one style, can be
read in a light and a dark theme and on a narrow screen, and say in words what they
show."""

import io
import math
import re

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.figure import Figure
from torch import Tensor

# Okabe and Ito's palette: eight colours that colour-blind readers can tell apart
# (https://jfly.uni-koeln.de/color/). Their grey values differ as well.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "black": "#000000",
    "yellow": "#F0E442",
}
SHORTEST_ALT = 40
WIDTH = 6.8  # inches: 680 pixels, the width of a notebook on a small laptop

plt.rcParams.update(
    {
        "figure.figsize": (WIDTH, 3.4),
        "figure.dpi": 100,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        "axes.prop_cycle": cycler(color=list(COLOURS.values())),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.labelsize": 12,
        "font.size": 12,
        "grid.color": "#DDDDDD",
        "lines.linewidth": 2,
        "lines.markersize": 6,
        "image.cmap": "gray",
        "image.interpolation": "nearest",
        "legend.frameon": False,
    }
)


def show(figure: Figure, alt: str) -> None:
    """Shows a figure with a text alternative, which is also its caption, and closes it.

    Args:
        figure: a matplotlib figure.
        alt: says in one or two sentences what is to be seen, for readers who cannot see
            the picture and as a caption for those who can.

    Raises:
        ValueError: the text is missing or too short to say what is to be seen.
    """
    alt = check_alt(alt)
    display_png(to_png(figure), alt)
    plt.close(figure)


def display_png(png: bytes, alt: str) -> None:
    """Puts a PNG with its text alternative and its caption into the notebook."""
    picture = {"image/png": png, "text/plain": f"[Picture: {alt}]"}
    display(picture, metadata={"image/png": {"alt": alt}}, raw=True)
    caption = re.sub(r"([*_$`<\\\[\]])", r"\\\1", alt)  # no mark-up in the text
    display({"text/markdown": f"*{caption}*", "text/plain": alt}, raw=True)


def check_alt(alt: str) -> str:
    """Returns `alt` without double spaces; raises ValueError if it says too little."""
    alt = " ".join(str(alt).split())
    if len(alt) < SHORTEST_ALT:
        raise ValueError(
            f"A figure needs a text of at least {SHORTEST_ALT} characters that says "
            f"what is to be seen; this one has {len(alt)}: {alt!r}."
        )
    return alt


def to_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG file, without the date or the program's name."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


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
        images = _as_pictures(rows)
        columns = columns or min(10, max(1, len(images)))
        starts = range(0, len(images), columns)
        rows = {f"block {i}": images[i : i + columns] for i in starts}
        names = None
    else:
        rows = {name: _as_pictures(images) for name, images in rows.items()}
        names = list(rows)
    if not any(len(images) for images in rows.values()):
        raise ValueError("there is no image to draw.")
    columns = columns or min(10, max(len(images) for images in rows.values()))
    label = 0.0 if names is None else _text_width(names) + 0.15
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
            for j, title in enumerate(titles[:columns]):
                axes.text(30 * j + 15, -2, title, ha="center", va="bottom", fontsize=10)
    return figure


def _text_width(texts: list[str]) -> float:
    """Inches that the widest of the texts takes in the font of the figures."""
    figure = Figure(layout="none")
    extents = [figure.text(0, 0, text).get_window_extent() for text in texts]
    return max(extent.width for extent in extents) / figure.dpi


def label_lines(axes, *, at: str = "right", pad: float = 0.02) -> None:
    """Writes each line's name beside its end, in its colour, in place of a legend."""
    for line in axes.get_lines():
        name = line.get_label()
        if name.startswith("_") or not len(line.get_xdata()):
            continue
        end = -1 if at == "right" else 0
        x, y = line.get_xdata()[end], line.get_ydata()[end]
        axes.annotate(
            name,
            (x, y),
            xytext=(100 * pad * (1 if at == "right" else -1), 0),
            textcoords="offset points",
            color=line.get_color(),
            ha="left" if at == "right" else "right",
            va="center",
        )


def _as_pictures(images) -> np.ndarray:
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
