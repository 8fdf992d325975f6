"""Every notebook draws with this module, so that all figures share one style, can be
read in a light and a dark theme and on a narrow screen, and say in words what they
show."""

import io
import re

import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.figure import Figure

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


def text_width(texts: list[str]) -> float:
    """Inches that the widest of the texts takes in the font of the figures."""
    figure = Figure(layout="none")
    extents = [figure.text(0, 0, text).get_window_extent() for text in texts]
    return max(extent.width for extent in extents) / figure.dpi
