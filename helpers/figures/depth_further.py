"""Pictures of the second visit of 03: what else lets a deep network train."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers.figures.depth import BACK, FORWARD, GREY
from helpers.figures.drawings import arrow, blank
from helpers.figures.style import COLOURS, WIDTH

LOOKS = (("vermilion", "o-"), ("blue", "s-"), ("green", "^-"), ("black", "D-"))


def sigmoid_that_hands_on() -> Figure:
    """Inputs from 0 to 1 through sigmoid(x), and through sigmoid(4x - 2)."""
    x = np.linspace(0, 1, 101)
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    axes = figure.subplots()
    axes.plot(x, x, color=GREY, linestyle="--", linewidth=1.5)
    axes.plot(x, 1 / (1 + np.exp(-x)), color=BACK)
    axes.plot(x, 1 / (1 + np.exp(2 - 4 * x)), color=FORWARD)
    axes.text(0.03, 0.58, "sigmoid(x)", color=BACK)
    axes.text(0.3, 0.22, "sigmoid(4x − 2)", color=FORWARD)
    axes.text(0.83, 0.93, "x itself", color=GREY, ha="right")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="what comes in", ylabel="what goes out")
    return figure


def clouds_and_ratios(clouds: Mapping[float, Tensor]) -> Figure:
    """Clouds of points in the plane with the number of directions that each fills.

    Args:
        clouds: from the participation ratio to points (n, 2); at most four.
    """
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    panels = figure.subplots(1, len(clouds), sharex=True, sharey=True, squeeze=False)
    for axes, (ratio, points) in zip(panels[0], clouds.items(), strict=True):
        x = points.double().numpy()
        axes.plot(*x.T, "o", color=FORWARD, markersize=2.5, alpha=0.6)
        axes.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"{ratio:.2f} directions", fontsize=11, loc="center")
        for spine in axes.spines.values():
            spine.set(visible=True, color="0.6")
    return figure


def one_normalised_layer() -> Figure:
    """ReLU, weights and batch normalisation with the sizes on the way there and back.

    The numbers hold for many units whose sums are normally distributed: 1 / pi and
    (pi - 1) / pi come from the mean of ReLU (Yang and others, 2019).
    """
    variance = (np.pi - 1) / np.pi  # after He's weights
    axes = blank((0, 17.4), (-4.6, 2.7))
    names = ("ReLU", "He's weights", "normalise")
    there = (1, variance / 2, variance, 1)
    back = (1 / variance, 2 / variance, 1 / variance, 1)
    for k, name in enumerate(names):
        left = 2.6 + 4.6 * k
        box = Rectangle((left, -2.4), 2.8, 2.9, facecolor="white", edgecolor="0.4")
        axes.add_patch(box)
        style = dict(ha="center", va="center", color=GREY, fontsize=11)
        axes.text(left + 1.4, -0.95, name, **style)
    for k in range(4):
        middle = 1.7 + 4.6 * k
        left, right = middle - 0.8, middle + 0.8
        arrow(axes, (left, 0), (right, 0), FORWARD)
        arrow(axes, (right, -1.9), (left, -1.9), BACK)
        style = dict(ha="center", fontsize=12)
        axes.text(middle, 0.75, f"{there[k]:.2f}", color=FORWARD, **style)
        axes.text(middle, -3.0, f"{back[k]:.2f}", color=BACK, **style)
    says = "forwards: variance over the pictures"
    axes.text(0.9, 2.0, says, color=FORWARD)
    axes.text(0.9, -4.3, "back: mean square of the gradient", color=BACK)
    return axes.figure


def shares_by_rate(lines: Mapping[str, Mapping[float, float]]) -> Figure:
    """Shares of right answers against the learning rate, at most four networks.

    Args:
        lines: from the name of a network to its share, from 0 to 1, at each rate.
    """
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    axes = figure.subplots()
    for (name, shares), (colour, look) in zip(lines.items(), LOOKS, strict=False):
        percent = [100 * share for share in shares.values()]
        axes.plot(list(shares), percent, look, color=COLOURS[colour], label=name)
    rates = sorted({rate for shares in lines.values() for rate in shares})
    axes.set(xscale="log", ylim=(0, 100), xlabel="learning rate")
    axes.set_ylabel("right answers (validation), percent")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=11)
    return figure


def shares_by_work(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    levels: Sequence[float],
) -> Figure:
    """Shares of right answers against the work done, at most four recipes.

    A recipe that starts later waits on a thin line at one tenth: it pre-trains.

    Args:
        lines: from the name of a recipe to work (n,) and shares from 0 to 1 (n,).
        levels: shares at which a dashed line is drawn.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    for (name, (work, shares)), (colour, _) in zip(lines.items(), LOOKS, strict=False):
        percent = 100 * np.asarray(shares)
        axes.plot(work, percent, color=COLOURS[colour], label=name)
        look = dict(color=COLOURS[colour], linewidth=1.2, linestyle=":")
        axes.plot([0, work[0], work[0]], [10, 10, percent[0]], **look)
    for level in levels:
        axes.axhline(100 * level, color="0.5", linewidth=1, linestyle="--")
    axes.set(xlabel="work, in steps with labels", ylabel="right answers, percent")
    axes.set(ylim=(0, 100), xlim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=11)
    return figure


def sizes_along(lines: Mapping[str, Sequence[float]], ylabel: str) -> Figure:
    """One size a layer on a logarithmic axis, each network's name at its last layer.

    Args:
        lines: from the name of a network to its sizes, first layer first; at most four.
        ylabel: what the sizes are.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    for sizes, (colour, look) in zip(lines.values(), LOOKS, strict=False):
        layers = range(1, len(sizes) + 1)
        axes.plot(layers, sizes, look, color=COLOURS[colour], markersize=4)
    axes.set(yscale="log", xlabel="layer", ylabel=ylabel)
    low, high = np.log(axes.get_ylim())
    ends = [float(sizes[-1]) for sizes in lines.values()]
    heights = [(np.log(end) - low) / (high - low) for end in ends]
    order, lowest = np.argsort(heights), -1.0
    for k in order:
        lowest = max(heights[k], lowest + 0.09)
        place = dict(xycoords="axes fraction", textcoords="offset points", va="center")
        colour = COLOURS[LOOKS[k][0]]
        axes.annotate(list(lines)[k], (1, lowest), (5, 0), color=colour, **place)
    return figure
