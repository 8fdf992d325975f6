"""Pictures of lesson 03: what travels back through many layers, and what keeps it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from helpers.figures.drawings import arrow, blank, place
from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

GREY = "0.35"
FORWARD, BACK = COLOURS["blue"], COLOURS["vermilion"]
SIDE = 8  # a code of 64 numbers is drawn as eight rows of eight


def layer_chain(picture: Tensor, rows: Mapping[str, Sequence[float]]) -> Figure:
    """Chains of layers; the arrows back are as thick as the gradient that was measured.

    Args:
        picture: one digit (1, 28, 28), values in [0, 1].
        rows: from the title of a chain to the gradients of its layers, first layer
            first, divided by that of the last; at most ten, of about the same number.
    """
    image = as_pictures(picture[None])[0]
    axes = blank((0, 17.4), (-4.6 * len(rows) + 0.4, 0.75))
    for i, (title, gradients) in enumerate(rows.items()):
        top = -4.6 * i
        axes.text(0.1, top, title, weight="bold")
        place(axes, image, (0.1, 1.9), (top - 2.4, top - 0.6))
        step = 13.6 / len(gradients)
        arrow(axes, (2.0, top - 1.1), (2.55, top - 1.1), "black")
        for k, gradient in enumerate(gradients):
            left = 2.6 + step * k
            look = dict(facecolor=COLOURS["sky"], alpha=0.35, edgecolor=FORWARD)
            corner = (left, top - 1.7)
            axes.add_patch(Rectangle(corner, 0.62 * step, 1.1, **look))
            middle = left + 0.31 * step
            style = dict(ha="center", va="center", color=FORWARD)
            axes.text(middle, top - 1.15, str(k + 1), **style)
            ends = (left + 0.64 * step, top - 1.1), (left + 0.98 * step, top - 1.1)
            arrow(axes, *ends, "black")
            _thick_arrow(axes, left + step, left, top - 2.4, 0.16 * gradient)
            style = dict(ha="center", va="center", color=BACK, fontsize=10)
            axes.text(middle, top - 3.35, _share(gradient), **style)
        axes.text(2.65 + 13.6, top - 1.1, "loss", va="center", color=GREY)
        axes.text(2.3, top - 3.35, "gradient:", ha="right", va="center", color=BACK)
    return axes.figure


def _thick_arrow(axes: Axes, start: float, end: float, y: float, width: float) -> None:
    """An arrow to the left, `width` high; one too thin to be seen is left out."""
    if width < 0.004:
        return
    right, neck = start - 0.05, end + 0.05 + min(0.55, 0.3 + width / 2)
    wing = max(1.6, 1 + 0.12 / width) if width > 0.05 else 1
    axes.fill(
        [right, neck, neck, end + 0.05, neck, neck, right],
        y + np.array([1, 1, wing, 0, -wing, -1, -1]) * width / 2,
        color=BACK,
        linewidth=0,
    )


def _share(value: float) -> str:
    """A share as a short text: 4.3, 1, 0.13, 0.02, or with a power of ten."""
    if value >= 0.995:
        return f"{value:.2g}"
    if value >= 0.00095:
        return f"{value:.1g}" if value < 0.1 else f"{value:.2f}"
    digit, power = f"{value:.0e}".split("e")
    return f"${digit}{{\\cdot}}10^{{{int(power)}}}$"


def named_digits(
    images: Tensor, right: Tensor, answers: Mapping[str, Sequence[int]]
) -> Figure:
    """Digits, and below them what each network calls them; errors in vermilion.

    Args:
        images: (n, 1, 28, 28), values in [0, 1], n about ten.
        right: the labels (n,).
        answers: from the name of a network to its answers (n,).
    """
    pictures = as_pictures(images)
    axes = blank((-2.6, 1.1 * len(pictures)), (-0.85 * len(answers) - 0.25, 1.1))
    for k, picture in enumerate(pictures):
        place(axes, picture, (1.1 * k, 1.1 * k + 1), (0, 1))
    for row, (name, given) in enumerate(answers.items()):
        y = -0.85 * row - 0.55
        axes.text(-0.3, y, name, ha="right", va="center")
        for k, answer in enumerate(given):
            colour = "black" if int(answer) == int(right[k]) else BACK
            style = dict(ha="center", va="center", color=colour, weight="bold")
            axes.text(1.1 * k + 0.5, y, str(int(answer)), **style)
    return axes.figure


def sigmoid_and_slope() -> Figure:
    """The sigmoid, its derivative, and the straight line of slope one beside them."""
    x = np.linspace(-6, 6, 241)
    y = 1 / (1 + np.exp(-x))
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    axes = figure.subplots()
    axes.plot(x, y, color=FORWARD)
    axes.plot(x, y * (1 - y), color=BACK)
    axes.plot(0, 0.25, "o", color=BACK)
    axes.annotate("1/4", (0, 0.25), (0, 6), textcoords="offset points", ha="center")
    axes.texts[-1].set_color(BACK)
    axes.text(1.2, 0.66, "sigmoid", color=FORWARD, va="top")
    axes.text(1.6, 0.2, "its derivative", color=BACK)
    axes.set(xlabel="x", ylim=(0, 1.02), xlim=(-6, 6), yticks=(0, 0.25, 0.5, 0.75, 1))
    return figure


def sizes_by_layer(lines: Mapping[str, Sequence[float]], ylabel: str) -> Figure:
    """One size a layer on a logarithmic axis, at most four networks.

    Args:
        lines: from the name of a network to its sizes, first layer first.
        ylabel: what the sizes are.
    """
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.subplots()
    looks = (("vermilion", "o-"), ("blue", "s-"), ("green", "^-"), ("black", "D-"))
    for (name, sizes), (colour, look) in zip(lines.items(), looks, strict=False):
        layers = range(1, len(sizes) + 1)
        axes.plot(layers, sizes, look, color=COLOURS[colour], markersize=4)
        place = dict(textcoords="offset points", va="center", color=COLOURS[colour])
        rises = len(sizes) > 1 and sizes[1] > 1.5 * sizes[0]
        # Not on its own line: below the middle of one that rises, else above its start.
        at, shift = (len(sizes) // 2, (8, -14)) if rises else (0, (2, 11))
        axes.annotate(name, (at + 1, sizes[at]), shift, **place)
    axes.set(yscale="log", xlabel="layer", ylabel=ylabel)
    axes.margins(y=0.12)  # a name may stand below its line, or above the highest
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.06)
    depth = max(len(sizes) for sizes in lines.values())
    step = 1 if depth <= 10 else 5 if depth <= 50 else 20
    axes.set_xticks(sorted({1, *range(step, depth + 1, step)}))
    return figure


def stacking_film(picture: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> Figure:
    """Four frames: three layers learn one after the other, then labels are added.

    Args:
        picture: one digit (1, 28, 28), values in [0, 1].
        layers: of the first three layers the code (64,) of this digit, and what the
            layer's decoder restores from it: (784,) for the first, else (64,).
    """
    images = [as_pictures(picture[None])[0], *(_square(code) for code, _ in layers)]
    restored = [_square(back) for _, back in layers]
    axes = blank((0, 17.4), (-11.6, 1.3))
    for frame, title in enumerate(
        (
            "1  The first layer learns to restore the picture.",
            "2  Its decoder is cut off. The second layer learns to restore code 1.",
            "3  The next decoder is cut off. The third layer restores code 2.",
            "4  The stack gets a last layer, and labels train all of it.",
        )
    ):
        top = -3.2 * frame
        axes.text(0.1, top + 0.55, title)
        shown = images[: min(frame + 2, len(images))]
        for k, image in enumerate(shown):
            left = 0.1 + 3.1 * k
            lit = image / max(float(image.max()), 1e-6)
            _framed(axes, lit, left, top)
            if k:
                new = k == frame + 1 or frame == 3
                colour = BACK if new else GREY
                arrow(axes, (left - 1.5, top - 0.65), (left - 0.1, top - 0.65), colour)
                says = f"layer {k}"
                middle = dict(ha="center", va="bottom", fontsize=9, color=colour)
                axes.text(left - 0.8, top - 0.5, says, **middle)
        right = 0.1 + 3.1 * (len(shown) - 1) + 1.6
        long = 2.0 if frame == 3 else 1.4
        ends = (right, top - 0.65), (right + long, top - 0.65)
        arrow(axes, *ends, BACK)
        middle = dict(ha="center", va="bottom", fontsize=9, color=BACK)
        if frame == 3:
            axes.text(right + 1, top - 0.5, "last layer", **middle)
            axes.text(right + 2.2, top - 0.65, "ten answers", va="center")
            continue
        axes.text(right + 0.7, top - 0.5, "decoder", **middle)
        image = restored[frame] / max(float(images[frame].max()), 1e-6)
        _framed(axes, image, right + 1.5, top)
        what = "the picture" if frame == 0 else f"code {frame}"
        text = f"should be\n{what}"
        axes.text(right + 3.2, top - 0.65, text, va="center", fontsize=10, color=GREY)
    return axes.figure


def _framed(axes: Axes, image: np.ndarray, left: float, top: float) -> None:
    """A picture in a thin frame, so that white fields are seen on a white page."""
    place(axes, image, (left, left + 1.5), (top - 1.4, top + 0.1))
    frame = Rectangle((left, top - 1.4), 1.5, 1.5, fill=False, edgecolor=GREY)
    axes.add_patch(frame)


def _square(values: Tensor) -> np.ndarray:
    """Numbers (k,) as a square picture; k must be a square number."""
    numbers = values.detach().cpu().double().numpy().ravel()
    side = round(len(numbers) ** 0.5)
    return numbers.reshape(side, side)


def histograms_of_sums(sums: Mapping[int, Tensor]) -> Figure:
    """Histograms of sums of n throws, with their standard deviation as an arrow.

    Args:
        sums: from n, the number of throws of +1 or -1, to sums (m,); at most three.
    """
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    panels = figure.subplots(1, len(sums), sharex=True)
    for axes, (count, throws) in zip(panels, sums.items(), strict=True):
        numbers = throws.double().numpy()
        values, counts = np.unique(numbers, return_counts=True)
        axes.bar(values, counts / len(numbers), width=1.3, color=COLOURS["sky"])
        spread = float(numbers.std())
        height = 1.12 * axes.get_ylim()[1]
        arrow(axes, (0, height), (spread, height), BACK)
        axes.text(spread + 1.5, height, f"{spread:.1f}", color=BACK, va="center")
        axes.set_title(f"{count} throws" if count > 1 else "1 throw", fontsize=11)
        axes.set(ylim=(0, 1.3 * height), yticks=[], xlim=(-27, 27), xlabel="sum")
        axes.spines["left"].set_visible(False)
        axes.grid(False)
    return figure


def numbers_of_pictures(layers: Mapping[str, Tensor], names: Sequence) -> Figure:
    """The numbers that a layer gives for a few pictures: a row for each picture.

    If all rows of a panel are equal, the next layer cannot tell the pictures apart.

    Args:
        layers: title of a panel -> the numbers of its units (pictures, units). Each
            panel has its own scale, from its smallest number, black, to its largest.
        names: what stands before the rows, one name for each picture.

    Raises:
        ValueError: there is no name for each picture.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    panels = figure.subplots(-(-len(layers) // 2), 2, squeeze=False).flat
    for axes, (title, values) in zip(panels, layers.items(), strict=False):
        if len(names) != len(values):
            raise ValueError(f"{len(names)} names for {len(values)} pictures.")
        axes.imshow(values.detach().cpu(), aspect="auto", interpolation="nearest")
        axes.set_title(title, fontsize=11)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set(xticks=[], xlabel=f"{values.shape[1]} units", ylabel="picture of a")
        axes.grid(False)
    return figure


def cloud_film(rows: Mapping[str, Mapping[int, Tensor]]) -> Figure:
    """What happens to a circle of points in the plane, layer after layer.

    Below each panel stands how many times longer than wide the cloud is: the ratio of
    its two singular values.

    Args:
        rows: from the name of a row to its frames: the number of layers, and the points
            (n, 2) after them, which keep their order. Each panel has its own scale.
    """
    frames = max(len(row) for row in rows.values())
    figure = Figure(figsize=(WIDTH, 1.85 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), frames, squeeze=False)
    colours = [COLOURS[name] for name in ("blue", "orange", "green", "vermilion")]
    for panels, (name, row) in zip(grid, rows.items(), strict=True):
        for axes, (count, points) in zip(panels, row.items(), strict=True):
            x = points.double().numpy()
            reach = 1.25 * max(float(np.abs(x).max()), 1e-300)
            for quarter, colour in zip(
                np.array_split(x, len(colours)), colours, strict=True
            ):
                axes.plot(*quarter.T / reach, "o", color=colour, markersize=2.5)
            axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(visible=True, color="0.6")
            layers = "the points" if count == 0 else f"{count} layers"
            axes.set_title(layers, fontsize=10, loc="center")
            long, wide = np.linalg.svd(x, compute_uv=False)
            ratio = float(f"{long / max(wide, 1e-300):.2g}")
            text = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:g}"
            axes.set_xlabel(f"{text} : 1", fontsize=9)
        panels[0].set_ylabel(name, fontsize=11)
    return figure


def before_and_after(before: Tensor, after: Tensor) -> Figure:
    """Histograms of a few units over many images, before and after normalising.

    Args:
        before, after: values (images, units), at most three units.
    """
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True)
    colours = [COLOURS[name] for name in ("blue", "green", "vermilion")]
    titles = "before", "after"
    for axes, title, values in zip(panels, titles, (before, after), strict=True):
        numbers = values.detach().double().numpy()
        low, high = numbers.min(), numbers.max()
        bins = np.linspace(low, high, 60)
        for colour, unit in zip(colours, numbers.T, strict=False):
            look = dict(histtype="step", color=colour, linewidth=1.8, density=True)
            axes.hist(unit, bins, **look)
        axes.set_title(title, fontsize=11)
        axes.set(xlabel="value of a unit", yticks=[])
        axes.spines["left"].set_visible(False)
        axes.grid(False)
    return figure


def residual_block() -> Figure:
    """A layer and a residual block, forwards and back, with numbers to follow."""
    axes = blank((0, 17.4), (-8.2, 1.0))
    for left, title in ((0.1, "a layer"), (8.9, "a residual block")):
        axes.text(left, 0.3, title, weight="bold")
    for left, around in ((0.2, False), (9.0, True)):
        _block(axes, left, -2.2, around, back=False)
        _block(axes, left, -6.4, around, back=True)
    axes.plot([8.3, 8.3], [-8, 0.8], color="0.85", linewidth=1)
    return axes.figure


def _block(axes: Axes, left: float, y: float, around: bool, back: bool) -> None:
    """One of the four drawings of `residual_block`, about 8 units wide."""
    colour = BACK if back else FORWARD
    box = Rectangle((left + 2.7, y - 0.65), 2.4, 1.3, facecolor="white")
    box.set(edgecolor="0.4", linewidth=1.5)
    axes.add_patch(box)
    inside = "slope 0.1" if back else "f"
    style = dict(ha="center", va="center")
    axes.text(left + 3.9, y, inside, color=GREY, **style)
    start, end, plus = left + 0.7, left + 7.3, left + 6.2
    ways = [((start, y), (left + 2.6, y)), ((left + 5.2, y), (end, y))]
    if around:
        ways[1] = ((left + 5.2, y), (plus - 0.32, y))
        ways.append(((plus + 0.32, y), (end, y)))
        joint = left + 1.7 if back else plus
        if back:
            ways = [
                ((start, y), (joint - 0.32, y)),
                ((joint + 0.32, y), (left + 2.6, y)),
                ((left + 5.2, y), (end, y)),
            ]
        axes.add_patch(Circle((joint, y), 0.3, facecolor="white", edgecolor=colour))
        axes.text(joint, y - 0.02, "+", color=colour, **style)
        fork = left + 1.7 if not back else plus
        corners = [(fork, y), (fork, y + 1.35), (joint, y + 1.35), (joint, y + 0.33)]
        axes.plot(*zip(*corners[:3], strict=True), color=colour, linewidth=1.6)
        arrow(axes, corners[2], corners[3], colour)
    for a, b in ways:
        arrow(axes, *((b, a) if back else (a, b)), colour)
    numbers = ("0.1", "1") if back else ("2", "0.3")
    if around:
        numbers = ("1.1", "1") if back else ("2", "2.3")
        inner = "0.1" if back else "0.3"
        across = left + (2.3 if back else 5.55)
        axes.text(across, y - 0.55, inner, color=colour, fontsize=10, ha="center")
        says = "times 1" if back else "as it is"
        axes.text(left + 3.9, y + 1.5, says, color=colour, fontsize=10, ha="center")
    for x, number, side in ((start, numbers[0], "right"), (end, numbers[1], "left")):
        shift = -0.1 if side == "right" else 0.1
        axes.text(x + shift, y, number, ha=side, va="center", color=colour)
    says = "back: the gradient" if back else "forwards: the values"
    axes.text(left, y - 1.35, says, color=GREY, fontsize=10)


def depth_table(results: Mapping[tuple[str, int], float]) -> Figure:
    """Percent of right answers: a row for each method, a column for each depth.

    Args:
        results: from method and number of layers to a share from 0 to 1. A place that
            is missing stays empty.
    """
    names = list(dict.fromkeys(name for name, _ in results))
    depths = sorted({depth for _, depth in results})
    figure = Figure(figsize=(WIDTH, 0.5 * len(names) + 0.8), layout="constrained")
    axes = figure.subplots()
    for (name, depth), share in results.items():
        x, y = depths.index(depth), names.index(name)
        filled = max(0.0, min(1.0, (share - 0.1) / 0.9))  # one tenth is guessing
        look = dict(facecolor=FORWARD, alpha=0.08 + 0.8 * filled**2, edgecolor="white")
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, linewidth=2, **look))
        ink = "white" if filled > 0.75 else "black"
        axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=ink)
    axes.set(xlim=(-0.5, len(depths) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.set(xlabel="layers")
    axes.spines[:].set_visible(False)
    axes.grid(False)
    return figure
