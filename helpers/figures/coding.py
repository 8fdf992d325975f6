"""What bits cost, drawn: a digit on its way into a file, words, rounding, areas."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers.figures.drawings import GREY, arrow, blank, place
from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

STEPS = ("sky", "orange", "green", "purple", "yellow", "blue", "vermilion", "black")


def way_into_a_file(
    picture: Tensor, code: Tensor, symbols: Sequence[int], file: bytes, restored: Tensor
) -> Figure:
    """A digit on its way: picture, code, whole numbers, bits, bytes, picture again.

    Args:
        picture, restored: one digit each, (1, 28, 28), values in [0, 1].
        code: its code (k,).
        symbols: the same k numbers, divided by their steps and rounded.
        file: the bytes into which an entropy coder packed them.
    """
    before, after = as_pictures(picture[None])[0], as_pictures(restored[None])[0]
    values = np.asarray(code.detach().cpu(), dtype=float)
    error = float(np.square(after - before).sum())
    axes = blank((0, 16.4), (-5.3, 4.5))
    red, mono = COLOURS["vermilion"], dict(family="monospace")

    def caption(x: float, y: float, what: str, size: str) -> None:
        axes.text(x, y, what, ha="center", color=GREY)
        axes.text(x, y - 0.75, size, ha="center", color=red, weight="bold")

    place(axes, before, (0.3, 3.3), (1.2, 4.2))
    caption(1.8, 0.55, "the picture", "784 bytes")
    heights = 1.4 * values / np.abs(values).max()
    _bars(axes, heights, (5.5, 9.5), 2.7, red)
    caption(7.5, 0.55, f"{len(values)} numbers", f"{4 * len(values)} bytes")
    for line, numbers in enumerate(_lines(list(symbols), 6)):
        text = " ".join(f"{number:2d}" for number in numbers).replace("-", "−")
        axes.text(13.9, 3.85 - 0.6 * line, text, ha="center", va="center", size=10)
    caption(13.9, 0.55, "whole numbers", "how many bits?")
    bits = "".join(f"{byte:08b}" for byte in file)
    for line, row in enumerate(_lines(bits, 16)):
        y = -1.0 - 0.45 * line
        axes.text(2.4, y, row, ha="center", va="center", size=9, **mono)
    caption(2.4, -4.25, "bits", f"{len(bits)} bits")
    for line, row in enumerate(_lines(file, 4)):
        text = " ".join(f"{byte:02x}" for byte in row)
        axes.text(8.3, -1.45 - 0.6 * line, text, ha="center", va="center", **mono)
    caption(8.3, -4.25, "the file, in hexadecimal", f"{len(file)} bytes")
    place(axes, after, (12.4, 15.4), (-3.6, -0.6))
    caption(13.9, -4.25, "the picture again", f"squared error {error:.1f}")
    for start, end, name in (
        ((3.6, 2.7), (5.2, 2.7), "encoder"),
        ((9.8, 2.7), (11.4, 2.7), "round"),
        ((5.0, -2.1), (6.3, -2.1), ""),
        ((10.4, -2.1), (12.1, -2.1), "decoder"),
    ):
        arrow(axes, start, end)
        middle = (start[0] + end[0]) / 2
        axes.text(middle, start[1] + 0.25, name, ha="center", size=10, color=GREY)
    return axes.figure


def code_words(words: dict[str, str]) -> Figure:
    """A bar that is halved again and again: each word is the way to its piece.

    Args:
        words: from the name of a symbol to its word of zeros and ones. A word of n bits
            owns 1 / 2^n of the bar; the words fill it.

    Raises:
        ValueError: the words do not fill the bar, or one begins another.
    """
    if sum(0.5 ** len(word) for word in words.values()) != 1:
        raise ValueError(f"these words do not fill the bar: {list(words.values())}.")
    deepest = max(map(len, words.values()))
    axes = blank((-2.3, 16.2), (-0.9, deepest + 1.2))
    left = 0.0
    for colour, (name, word) in zip(
        STEPS, sorted(words.items(), key=_word), strict=False
    ):
        start, width = 16 * _binary(word), 16 * 0.5 ** len(word)
        if start != left:
            raise ValueError(f"the word {word} of {name} begins another one.")
        left = start + width
        style = dict(facecolor=COLOURS[colour], alpha=0.55, edgecolor="black")
        axes.add_patch(Rectangle((start, 0), width, 0.9, **style))
        middle = start + width / 2
        axes.text(middle, 0.45, name, ha="center", va="center")
        axes.text(middle, -0.5, word, ha="center", va="center", family="monospace")
    for level in range(deepest):  # the cuts: one more bit each
        y = deepest - level
        for piece in range(2**level):
            path = format(piece, f"0{level}b") if level else ""
            if any(path.startswith(word) for word in words.values()):
                continue
            width = 16 / 2**level
            for bit in (0, 1):
                corner = (piece * width + bit * width / 2, y + 0.1)
                style = dict(facecolor="white" if bit else "0.9", edgecolor="0.4")
                axes.add_patch(Rectangle(corner, width / 2, 0.8, **style))
                centre = corner[0] + width / 4, y + 0.5
                axes.text(*centre, str(bit), ha="center", va="center")
    for level in range(deepest):
        name = f"bit {level + 1}"
        axes.text(
            -0.3, deepest - level + 0.5, name, ha="right", va="center", color=GREY
        )
    axes.text(-0.3, -0.5, "word", ha="right", va="center", color=GREY)
    return axes.figure


def narrowing(message: str, chances: dict[str, float]) -> Figure:
    """A message as a piece of a bar that becomes narrower with each symbol.

    Args:
        message: its symbols, such as "aba", each a key of `chances`.
        chances: how probable each symbol is; they add up to 1.
    """
    rows = len(message)
    axes = blank((-4.6, 16.2), (-1.4 * rows + 0.35, 1.1))
    low, width = 0.0, 1.0
    for row, chosen in enumerate(message):
        y = -1.4 * row
        start = low
        for colour, (symbol, chance) in zip(STEPS, chances.items(), strict=False):
            size = width * chance
            strong = symbol == chosen
            style = dict(facecolor=COLOURS[colour], alpha=0.7 if strong else 0.25)
            corner = (16 * (start - low) / width, y)
            length = 16 * size / width
            axes.add_patch(Rectangle(corner, length, 0.8, edgecolor="black", **style))
            middle = corner[0] + length / 2
            axes.text(middle, y + 0.4, symbol, ha="center", va="center")
            if strong:
                chosen_start, chosen_size, ends = start, size, (corner[0], length)
            start += size
        low, width = chosen_start, chosen_size
        text = f"{message[: row + 1]}: {width:.3g}"
        axes.text(-0.4, y + 0.4, text, ha="right", va="center")
        if row + 1 < rows:
            for x, target in ((ends[0], 0), (sum(ends), 16)):
                axes.plot([x, target], [y, y - 0.6], "--", color="0.5", lw=1)
    return axes.figure


def halvings(low: float, high: float) -> Figure:
    """A bar that is halved until what is kept lies inside a given piece of it.

    Args:
        low, high: the ends of the piece, between 0 and 1.

    Raises:
        ValueError: the piece is empty, or not on the bar.
    """
    if not 0 <= low < high <= 1:
        raise ValueError(f"a piece from {low} to {high} is empty or not on the bar.")
    start, size, bits = 0.0, 1.0, ""
    rows = []
    while not (low <= start and start + size <= high):
        size /= 2
        upper = (low + high) / 2 >= start + size
        start, bits = start + upper * size, bits + str(int(upper))
        rows.append((bits, start, size))
    axes = blank((-8.6, 16.2), (-1.15 * len(rows) - 0.3, 1.9))
    for row, (bits, start, size) in enumerate([("", 0.0, 1.0), *rows]):
        y = -1.15 * row
        name = f"{bits}: {start:g} to {start + size:g}" if bits else "the whole bar"
        axes.text(-0.4, y + 0.4, name, ha="right", va="center")
        axes.add_patch(Rectangle((0, y), 16, 0.8, facecolor="0.93", edgecolor="0.6"))
        kept = dict(facecolor=COLOURS["sky"], alpha=0.8, edgecolor="black")
        axes.add_patch(Rectangle((16 * start, y), 16 * size, 0.8, **kept))
        if bits:
            middle = 16 * (start + size / 2), y + 0.4
            axes.text(*middle, bits[-1], ha="center", va="center")
    for x in (16 * low, 16 * high):
        axes.plot([x, x], [y - 0.15, 0.95], "--", color=COLOURS["vermilion"], lw=1.5)
    label = dict(ha="center", va="bottom", color=COLOURS["vermilion"])
    axes.text(8 * (low + high), 1.0, "the piece of the message", **label)
    return axes.figure


def rounding_and_noise(seed: int = 0) -> Figure:
    """Rounding as a staircase without slope, and noise as a band along a straight line.

    Args:
        seed: of the random numbers in the right half.
    """
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    x = np.linspace(-2.5, 2.5, 1001)
    for level in range(-2, 3):
        left.plot([level - 0.5, level + 0.5], [level, level], color=COLOURS["blue"])
    left.set_title("rounded: flat, with jumps")
    draws = np.random.default_rng(seed)
    spots = draws.uniform(-2.5, 2.5, 500)
    noisy = spots + draws.uniform(-0.5, 0.5, 500)
    right.fill_between(x, x - 0.5, x + 0.5, color=COLOURS["orange"], alpha=0.25, lw=0)
    right.plot(spots, noisy, ".", color=COLOURS["vermilion"], markersize=3)
    right.set_title("with noise: slope 1 everywhere")
    for axes in (left, right):
        axes.plot(x, x, "--", color="0.5", linewidth=1)
        axes.set(xlabel="number of the code", xticks=range(-2, 3), yticks=range(-2, 3))
        axes.set_aspect("equal")
    left.set_ylabel("what the decoder gets")
    return figure


def price_as_area(centre: float, width: float, symbol: int) -> Figure:
    """A logistic curve, the area over the cell of one whole number, and its bits.

    Args:
        centre, width: of the curve; its cumulative function is
            sigmoid((x - centre) / width).
        symbol: the whole number whose cell is coloured.
    """

    def below(x):
        return 1 / (1 + np.exp(-(x - centre) / width))

    def curve(x):
        return below(x) * (1 - below(x)) / width

    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    reach = max(abs(symbol - centre) + 1.5, 5 * width)
    x = np.linspace(centre - reach, centre + reach, 601)
    axes.plot(x, curve(x), color=COLOURS["blue"])
    cell = np.linspace(symbol - 0.5, symbol + 0.5, 101)
    axes.fill_between(cell, curve(cell), color=COLOURS["orange"], alpha=0.7)
    area = float(below(symbol + 0.5) - below(symbol - 0.5))
    says = f"the cell of {symbol}\narea {area:.3f}\n{-np.log2(area):.1f} bits"
    top = float(curve(centre))
    axes.annotate(
        says,
        (symbol, float(curve(symbol)) / 2),
        (symbol + 0.35 * reach, 0.75 * top),
        ha="center",
        va="center",
        arrowprops=dict(arrowstyle="-", color=GREY),
    )
    wholes = range(int(np.ceil(x[0])), int(np.floor(x[-1])) + 1)
    for whole in wholes:
        axes.axvline(whole - 0.5, color="0.8", linewidth=0.8)
    axes.grid(False)
    axes.set(xticks=list(wholes), xlabel="a number of the code", ylabel="density")
    axes.set_ylim(0, 1.15 * top)
    return figure


def bytes_and_errors(
    lines: dict[str, Sequence[tuple[float, float]]],
    *,
    highest: float = 12.0,
    level: tuple[str, float] | None = None,
    loose: str | None = None,
) -> Figure:
    """Squared error over bytes an image, a curve for each codec: left and low is good.

    Args:
        lines: from the name of a codec to its pairs (bytes an image, squared error); at
            most four. A name stands at the smallest file that is drawn.
        highest: the largest error that is drawn.
        level: a name and a squared error to compare at, drawn as a dashed line.
        loose: the name of one whose points are not joined by a line.

    Raises:
        ValueError: there is no curve, or there are more than four.
    """
    if not 1 <= len(lines) <= 4:
        raise ValueError(f"a figure holds 1 to 4 curves, not {len(lines)}.")
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    drawn = {
        name: [point for point in sorted(points) if point[1] <= highest]
        for name, points in lines.items()
    }
    left = min(drawn, key=lambda name: drawn[name][:1] or [(np.inf, 0)])
    styles = zip(("vermilion", "blue", "green", "black"), "osv^", strict=True)
    for (colour, mark), (name, points) in zip(styles, drawn.items(), strict=False):
        if points:
            style = mark if name == loose else f"{mark}-"
            axes.plot(*zip(*points, strict=True), style, color=COLOURS[colour])
            side = "right" if name == left else "left"
            offset = dict(xytext=(-8 if side == "right" else 4, 6), ha=side)
            place = dict(color=COLOURS[colour], textcoords="offset points")
            axes.annotate(name, points[0], **offset, **place)
    if level is not None:
        axes.axhline(level[1], color="0.4", linestyle="--", linewidth=1.2)
        side = dict(xycoords=axes.get_yaxis_transform(), ha="right", va="bottom")
        axes.annotate(level[0], (0.995, level[1]), color="0.3", **side)
    ticks = [2, 5, 10, 20, 50, 100]
    axes.set(xscale="log", xlabel="bytes an image", ylabel="squared error")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set(xlim=(1.2, 150), ylim=(0, highest))
    return figure


def _bars(axes: Axes, heights, across, y: float, colour: str) -> None:
    step = (across[1] - across[0]) / len(heights)
    for i, height in enumerate(heights):
        corner = (across[0] + step * i, y)
        axes.add_patch(Rectangle(corner, 0.75 * step, height, color=colour))


def _lines(items, length: int) -> list:
    return [items[i : i + length] for i in range(0, len(items), length)]


def _binary(word: str) -> float:
    return int(word, 2) / 2 ** len(word)


def _word(item: tuple[str, str]) -> float:
    return _binary(item[1])


def water(variances: Sequence[float], levels: Sequence[float]) -> Figure:
    """Variances and a water level: blue is the error that remains, orange what is sent.

    Args:
        variances: of the directions, above 0, in falling order.
        levels: one picture each, at most three.
    """
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    places = np.arange(1, len(variances) + 1)
    heights = np.asarray(variances, dtype=float)
    for axes, level in zip(
        figure.subplots(1, len(levels), sharey=True, squeeze=False)[0],
        levels,
        strict=True,
    ):
        floor = heights.min() / 2
        axes.fill_between(
            places, np.minimum(heights, level), floor, color=COLOURS["sky"], alpha=0.6
        )
        above = np.maximum(heights, level)
        axes.fill_between(places, above, level, color=COLOURS["orange"], alpha=0.8)
        axes.plot(places, heights, color="black", linewidth=1)
        axes.axhline(level, color=COLOURS["blue"], linewidth=1.5)
        sent = int((heights > level).sum())
        axes.set_title(f"level {level:g}: {sent} sent", fontsize=11)
        axes.set(yscale="log", xlabel="direction", ylim=(floor, 2 * heights.max()))
    figure.axes[0].set_ylabel("variance")
    return figure


def block_of_waves(block: np.ndarray, step: float) -> Figure:
    """What JPEG does with 8 x 8 pixels: strengths of 64 waves, rounded, and back.

    Args:
        block: pixels (8, 8), 0 to 255.
        step: to which all strengths are rounded.
    """
    k, x = np.arange(8)[:, None], np.arange(8)[None]
    waves = np.cos((2 * x + 1) * k * np.pi / 16) * np.where(k == 0, 0.125, 0.25) ** 0.5
    strengths = waves @ (np.asarray(block, float) - 128) @ waves.T
    rounded = np.round(strengths / step)
    back = (waves.T @ (rounded * step) @ waves + 128).clip(0, 255)
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    parts = figure.subplots(1, 4)
    for axes, values, title in zip(
        parts,
        (block, strengths, rounded, back),
        ("pixels", "waves", f"rounded, step {step:g}", "pixels again"),
        strict=True,
    ):
        is_picture = title.startswith("pixels")
        axes.imshow(values if is_picture else np.zeros((8, 8)), vmin=0, vmax=255)
        if not is_picture:
            axes.imshow(np.abs(values) > 0.5, cmap="Blues", vmin=0, vmax=4)
            for (row, column), value in np.ndenumerate(values):
                style = dict(ha="center", va="center", size=5.5)
                axes.text(column, row, f"{value:.0f}".replace("-0", "0"), **style)
        axes.set_title(title, fontsize=10)
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
    return figure
