"""Pictures of lesson 09: boxes of cards, piles of bits, slots and what they cost."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from helpers.figures.drawings import GREY, arrow, blank
from helpers.figures.style import COLOURS, WIDTH

SLOTS = ("sky", "orange", "green", "purple", "yellow")
# Who put a bit on the pile, or takes it off.
BITS = {"old": "0.88", "pop": "orange", "card": "sky", "box": "green"}


# The pile while diamonds is sent, from its bottom to its top: a bit, and whose it is.
_EARLIER = [("1", "old"), ("0", "old"), ("1", "old")]
_CARD, _BOX = [("0", "card"), ("1", "card")], [("0", "box")]  # read from the top: 10
_FRAMES = {
    "before": [*_EARLIER, ("0", "pop")],
    "pop a bit:\n0 says left": _EARLIER,
    "push ♦\nof the left box": [*_EARLIER, *_CARD],
    "push the box:\nleft": [*_EARLIER, *_CARD, *_BOX],
}


def boxes_and_pile() -> Figure:
    """Two overlapping boxes of cards, and a pile of bits before and after diamonds."""
    before, _, _, after = _FRAMES.values()
    steps = "pop 0: it says left", "push ♦: there it is 10", "push left: it is 0"
    axes = blank((0, 17.4), (-2.0, 6.3))
    for left, colour, name in ((0.2, "blue", "left"), (3.0, "vermilion", "right")):
        place = dict(xy=(left + 2.3, 2.3), width=4.6, height=4.4)
        ink = COLOURS[colour]
        axes.add_patch(Ellipse(**place, facecolor=ink, alpha=0.18))
        axes.add_patch(Ellipse(**place, fill=False, edgecolor=ink, linewidth=1.8))
        x = left + (1.3 if name == "left" else 3.3)
        style = dict(ha="center", color=ink)
        axes.text(x, 5.0, f"{name} box", weight="bold", **style)
        axes.text(x, -0.8, "word 0" if name == "left" else "word 1", **style)
    for x, y, suit, word in (
        (1.15, 2.3, "♣", "0"),
        (6.3, 2.3, "♠", "0"),
        (3.65, 3.2, "♦", "10"),
        (3.65, 1.2, "♥", "11"),
    ):
        _card(axes, x, y, suit)
        axes.text(x + 0.6, y, word, ha="left", va="center", family="monospace")
    axes.text(3.9, -1.75, "♦ and ♥ lie in both boxes", ha="center", color=GREY)
    _piles(axes, {"before": before, "after ♦": after}, 9.4, 16.6)
    arrow(axes, (10.2, 0.95), (15.8, 0.95))
    for row, (who, text) in enumerate(zip(("pop", "card", "box"), steps, strict=True)):
        y = 3.15 - 0.7 * row
        look = dict(facecolor=COLOURS[BITS[who]], edgecolor="black", linewidth=1)
        axes.add_patch(Rectangle((10.35, y - 0.2), 0.4, 0.4, **look))
        axes.text(10.95, y, text, va="center", size=11)
    more = len(after) - len(before)
    axes.text(13.0, 0.45, f"{more} bits more", ha="center", va="top", weight="bold")
    axes.text(13.0, 5.4, "the pile of bits", ha="center", weight="bold")
    return axes.figure


def pile_film() -> Figure:
    """The pile after each step: the sender goes to the right, the receiver back."""
    highest = max(map(len, _FRAMES.values()))
    axes = blank((0, 17.4), (-3.1, 0.78 * highest + 1.5))
    places = _piles(axes, _FRAMES, 3.6, 15.6)
    y, ends = 0.78 * highest + 0.65, (places[0], places[-1])
    arrow(axes, (ends[0], y), (ends[1], y), COLOURS["blue"])
    axes.text(0.1, y, "sender", va="center", color=COLOURS["blue"])
    arrow(axes, (ends[1], -2.6), (ends[0], -2.6), COLOURS["vermilion"])
    axes.text(0.1, -2.6, "receiver", va="center", color=COLOURS["vermilion"])
    return axes.figure


def digits_of_symbols(
    sizes: Mapping[str, int], pile: int, symbol: str, after: int
) -> Figure:
    """How a pile of decimal digits takes up a symbol that owns some of ten digits.

    Args:
        sizes: how many of the ten digits each symbol owns.
        pile: the number before, and `after`: with the symbol on it.
        symbol: a key of `sizes`.

    Raises:
        ValueError: the digits are not ten, or `after` is another number.
    """
    starts = np.cumsum([0, *sizes.values()])
    own = dict(zip(sizes, starts, strict=False))
    size = sizes[symbol]
    whole, rest = divmod(pile, size)
    if starts[-1] != 10 or after != 10 * whole + own[symbol] + rest:
        raise ValueError("ten digits must be shared out, and `after` follow from them.")
    axes = blank((0, 17.4), (-0.6, 5.6))
    for digit in range(10):
        owner = int(np.searchsorted(starts, digit, side="right")) - 1
        chosen = digit == own[symbol] + rest
        style = dict(edgecolor="black", linewidth=2.6 if chosen else 0.8)
        colour = COLOURS[SLOTS[owner]]
        axes.add_patch(Rectangle((3.7 + digit, 3.5), 1, 1, facecolor=colour, alpha=0.6))
        axes.add_patch(Rectangle((3.7 + digit, 3.5), 1, 1, fill=False, **style))
        axes.text(4.2 + digit, 4.0, str(digit), ha="center", va="center", size=14)
    for i, name in enumerate(sizes):
        middle = 3.7 + (starts[i] + starts[i + 1]) / 2
        says = f"digits of {name}"
        axes.text(middle, 4.75, says, ha="center", color=GREY)
    middle = 3.7 + own[symbol] + size / 2
    axes.text(middle, 2.85, "its digits, numbered", ha="right", color=GREY, size=10)
    for k in range(size):
        x = 4.2 + own[symbol] + k
        weight = "bold" if k == rest else "normal"
        axes.text(x, 3.05, str(k), ha="center", va="center", color=GREY, weight=weight)
    axes.texts[-size - 1].set_x(3.6 + own[symbol])
    for x, text, name in (
        (1.3, f"{pile}", "the pile"),
        (7.3, f"{whole}, rest {rest}", f"divided by {size}"),
        (14.4, "", "the pile with " + symbol),
    ):
        axes.text(x, 0.75, text, ha="center", va="center", size=20)
        axes.text(x, -0.4, name, ha="center", color=GREY)
    axes.text(14.35, 0.75, f"{whole}", ha="right", va="center", size=20)
    axes.text(14.5, 0.75, f"{after % 10}", ha="left", va="center", size=20)
    axes.texts[-1].set_bbox(
        dict(facecolor=COLOURS[SLOTS[list(sizes).index(symbol)]], alpha=0.6, pad=3)
    )
    arrow(axes, (2.8, 0.75), (4.6, 0.75))
    arrow(axes, (10.2, 0.75), (12.0, 0.75))
    x = 4.2 + own[symbol] + rest
    arrow(axes, (8.9, 1.3), (x, 2.75), bend=-0.15)
    arrow(axes, (x + 0.25, 2.75), (14.8, 1.45), bend=-0.15)
    return axes.figure


def popped_cells(
    edges: Sequence[float], sizes: Sequence[int], drawn: Sequence[int]
) -> Figure:
    """How often each cell was popped, beside its share of the slots.

    Args:
        edges: of the cells (n + 1,), evenly spaced.
        sizes: the slots of each cell (n,).
        drawn: the numbers of the cells that were popped, from 0.
    """
    edges, sizes = np.asarray(edges, float), np.asarray(sizes, float)
    counts = np.bincount(drawn, minlength=len(sizes))
    expected = len(drawn) * sizes / sizes.sum()
    seen = np.flatnonzero((counts > 0) | (expected > 0.5))
    inside = slice(seen[0], seen[-1] + 1)
    width = edges[1] - edges[0]
    middles = edges[:-1][inside] + width / 2
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    axes = figure.subplots()
    look = dict(color=COLOURS["sky"], edgecolor="white")
    axes.bar(middles, counts[inside], width, **look)
    axes.plot(middles, expected[inside], "-", color=COLOURS["vermilion"])
    name = "line: what the slots lead us to expect"
    axes.set_title(name, fontsize=11, color=COLOURS["vermilion"])
    axes.set(xlabel="cell of the latent", ylabel="times popped")
    return figure


def three_prices(latents: float, pixels: float, popped: float) -> Figure:
    """The bill of a picture: two bars that are pushed, one that is popped, the rest.

    Args:
        latents, pixels: bits pushed for a picture on average.
        popped: bits taken off the pile before.
    """
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    axes = figure.subplots()
    both, net = latents + pixels, latents + pixels - popped
    bars = (
        (0, pixels, "sky"),
        (pixels, latents, "green"),
        (net, popped, "orange"),
        (0, net, "vermilion"),
    )
    for row, (left, width, colour) in enumerate(bars):
        axes.barh(row, width, 0.7, left=left, color=COLOURS[colour])
        sign = "−" if colour == "orange" else "" if row == 3 else "+"
        text = f"{sign}{width:.0f}"
        axes.text(left + width + 3, row, text, va="center")
    for x, low, high in ((pixels, -0.35, 1.35), (both, 0.65, 2.35), (net, 1.65, 3.35)):
        axes.plot([x, x], [low, high], color="0.4", linewidth=1, linestyle="--")
    names = ["push pixels", "push latents", "pop latents", "the pile grows by"]
    axes.set_yticks(range(4), names)
    axes.set(xlim=(0, 1.12 * both), xlabel="bits a picture")
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    return figure


def fineness(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], level: float
) -> Figure:
    """Bits a picture over the fineness of a grid, and the bill as a dashed line.

    Args:
        lines: from the name of a curve to cells in a unit and bits a picture; at most
            three, the highest first.
        level: the bill, minus the ELBO, in bits.
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    top = 1.75 * level
    styles = zip(("blue", "vermilion", "green"), "sov", strict=True)
    for (colour, mark), (name, (cells, bits)) in zip(
        styles, lines.items(), strict=False
    ):
        axes.plot(cells, bits, f"{mark}-", color=COLOURS[colour])
        last = max(i for i, value in enumerate(bits) if value < top or i == 0)
        ends = last == len(bits) - 1
        place = dict(textcoords="offset points", color=COLOURS[colour], ha="right")
        where = (0, 8) if ends else (-8, 2)
        axes.annotate(name, (cells[last], bits[last]), where, **place)
    axes.axhline(level, color="0.4", linestyle="--", linewidth=1.3)
    style = dict(va="top", ha="right", color="0.3", size=11)
    axes.set_xscale("log", base=2)
    ticks = [1, 2, 4, 8, 16, 32]
    axes.text(ticks[-1], level - 0.03 * level, "the bill", **style)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set(xlabel="cells in a unit of the latent", ylabel="bits a picture")
    axes.set_ylim(0.75 * level, top)
    axes.minorticks_off()
    return figure


def grey_line(line: Sequence[float]) -> Figure:
    """A logistic curve, cut into a slice for each of 256 grey levels.

    Args:
        line: the edges of the slices (257,), rising.
    """
    line = np.asarray(line, float)
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    axes = figure.subplots()
    x = np.linspace(-6, 7, 500)
    curve = np.exp(-x) / (1 + np.exp(-x)) ** 2
    axes.plot(x, curve, color="black", linewidth=1.5)
    for level, colour in ((0, "sky"), (253, "orange"), (255, "sky")):
        here = (x >= line[level]) & (x <= line[level + 1])
        axes.fill_between(x[here], curve[here], color=COLOURS[colour])
        if here.any():
            peak = curve[here].max() + 0.01
            axes.text(x[here].mean(), peak, f"level {level}", size=11)
    axes.vlines(line[1:-1:8], -0.02, 0, color=COLOURS["vermilion"], lw=0.8)
    axes.set(xlabel="the line, with every eighth cut", ylabel="density")
    axes.set_ylim(-0.02, 0.3)
    return figure


def _card(axes: Axes, x: float, y: float, suit: str) -> None:
    style = dict(facecolor="white", edgecolor="black", linewidth=1.2)
    axes.add_patch(Rectangle((x - 0.5, y - 0.7), 1, 1.4, **style, zorder=3))
    red = COLOURS["vermilion"] if suit in "♦♥" else "black"
    axes.text(x, y, suit, ha="center", va="center", size=20, color=red, zorder=4)


def _piles(axes: Axes, frames, first: float, last: float) -> list[float]:
    """Draws piles side by side, bottom at 0; returns where their middles are."""
    places = list(np.linspace(first, last, len(frames)))
    for x, (says, bits) in zip(places, frames.items(), strict=True):
        for level, (bit, who) in enumerate(bits):
            colour = COLOURS.get(BITS[who], BITS[who])
            look = dict(facecolor=colour, edgecolor="black", linewidth=1)
            axes.add_patch(Rectangle((x - 0.45, 0.78 * level), 0.9, 0.78, **look))
            middle = (x, 0.78 * level + 0.37)
            axes.text(*middle, bit, ha="center", va="center", family="monospace")
        axes.text(x, -0.3, says, ha="center", va="top", color=GREY, size=10)
    return places
