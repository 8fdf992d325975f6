"""Every notebook draws with this module, so that all figures share one style, can be
read in a light and a dark theme and on a narrow screen, and say in words what they
show."""

import io
import re
import tomllib

import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.figure import Figure

from helpers import runtime

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


def show(figure: Figure, caption: str | int) -> None:
    """Shows a figure with its caption, which is also its text alternative; closes it.

    Args:
        figure: a matplotlib figure.
        caption: says in one or two sentences what is to be seen, for readers who cannot
            see the picture and for those who can. A number stands for the caption with
            this number in `captions.toml`, in the table of the running notebook: there
            it does not tell what a cell will show before the cell has run.

    Raises:
        ValueError: there is no caption with this number, or the text is too short to
            say what is to be seen.
    """
    number = None if isinstance(caption, str) else caption
    alt = check_alt(caption if number is None else numbered_caption(number))
    display_png(to_png(figure), alt, number)
    plt.close(figure)


def numbered_caption(number: int) -> str:
    """The caption with this number in the running notebook's table.

    Raises:
        ValueError: the table has no such number.
    """
    notebook = runtime.current().notebook
    path = runtime.course_file("captions.toml")
    if path is None:
        return f"Figure {number} of {notebook}; captions.toml with its text is missing."
    captions = tomllib.loads(path.read_text(encoding="utf-8")).get(notebook, {})
    if str(number) not in captions:
        raise ValueError(
            f"{path} has no caption {number!r} for {notebook}. Write one there, or "
            "give the caption itself in place of the number."
        )
    return captions[str(number)]


def display_png(png: bytes, alt: str, number: int | None = None) -> None:
    """Puts a PNG with its text alternative and its caption into the notebook."""
    picture = {"image/png": png, "text/plain": f"[Picture: {alt}]"}
    display(picture, metadata={"image/png": {"alt": alt}}, raw=True)
    caption = re.sub(r"([*_$`<\\\[\]])", r"\\\1", alt)  # no mark-up in the text
    if number is not None:
        caption = f"Figure {number}. {caption}"
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
