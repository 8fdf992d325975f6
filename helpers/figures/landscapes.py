"""Pictures of lesson 06: walks over a landscape of probability, and fitted bells."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers.figures.drawings import GREY, arrow
from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

WALK, FIT, REFUSED = COLOURS["blue"], COLOURS["vermilion"], COLOURS["vermilion"]
HIDDEN = 0.45  # the grey of a hidden pixel
LEVELS = (-9, -6, -4, -2, -0.5)  # nats below the peak


def towns_film(deserved: Tensor, visits: Tensor, days: Sequence[int]) -> Figure:
    """A film strip: in which town a trader spent his days, beside what it deserves.

    Args:
        deserved: the share of its people (n,), the sum is 1.
        visits: the number of the town on each day (d,).
        days: a frame for each of these counts, at most d.
    """
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    panels = figure.subplots(1, len(days), sharey=True)
    deserved = deserved.numpy()
    places = np.arange(1, len(deserved) + 1)
    for axes, count in zip(panels, days, strict=True):
        spent = torch.bincount(visits[:count], minlength=len(deserved)) / count
        axes.bar(places, spent.numpy(), 0.8, color=COLOURS["sky"])
        axes.plot(places, deserved, "_", color="black", markersize=9, mew=2)
        axes.set_title(f"{count:,} days", fontsize=11)
        axes.set(xticks=[1, 5, 10], ylim=(0, 2.2 * deserved.max()), xlabel="town")
        axes.grid(False, axis="x")
    panels[0].set_ylabel("share of days")
    return figure


def steps_on_a_hill(
    ticks: Tensor, density: Tensor, places: Tensor, proposals: Tensor
) -> Figure:
    """A walk over one number, step by step, under the curve that it explores.

    A dot is where the walker is; a cross is a proposal that he refused.

    Args:
        ticks, density: the curve (n,).
        places, proposals: of each step (s,).
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    top.fill_between(ticks, density, color="0.85", linewidth=0)
    top.plot(ticks, density, color="0.3")
    top.set_ylabel("density")
    top.set(yticks=[])
    steps = np.arange(1, len(places) + 1)
    refused = (places != proposals).numpy()
    below.plot(places, steps, "-", color=WALK, linewidth=1)
    before = torch.cat([places[:1], places[:-1]])
    for i in np.flatnonzero(refused):
        line = [before[i], proposals[i]]
        below.plot(line, [steps[i]] * 2, ":", color=REFUSED, linewidth=1)
    style = dict(markersize=6, markeredgewidth=1.8)
    below.plot(proposals[refused], steps[refused], "x", color=REFUSED, **style)
    below.plot(places, steps, "o", color=WALK, markersize=4)
    low = min(places.min(), proposals.min()).item()
    high = max(places.max(), proposals.max()).item()
    below.set(xlabel="$z$", ylabel="step", ylim=(len(places) + 1, 0))
    below.set(xlim=(min(low, -1) - 0.15, max(high, 3) + 0.15))
    return figure


def histogram_film(
    ticks: Tensor, density: Tensor, places: Tensor, counts: Sequence[int]
) -> Figure:
    """A film strip: the places of a walk as a histogram that fills, and the curve.

    Args:
        ticks, density: the curve (n,), its area is 1.
        places: of each step (s,).
        counts: a frame for each of these numbers of steps, at most s.
    """
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    panels = figure.subplots(1, len(counts), sharey=True)
    edges = np.linspace(-0.5, 3.5, 33)
    for axes, count in zip(panels, counts, strict=True):
        seen = places[:count].numpy()
        style = dict(color=COLOURS["sky"], density=True)
        axes.hist(seen, edges, **style)
        axes.plot(ticks, density, color="black", linewidth=1.5)
        axes.set_title(f"{count:,} steps", fontsize=11)
        axes.set(xlim=(-0.5, 3.5), xlabel="$z$", ylim=(0, 1.8 * float(density.max())))
        axes.set(yticks=[])
    panels[0].set_ylabel("density")
    return figure


def bell_film(
    ticks: Tensor,
    density: Tensor,
    path: Sequence[tuple[Tensor, Tensor]],
    steps: Sequence[int],
    log_evidence: float,
    elbos: Sequence[float],
    gaps: Sequence[float],
) -> Figure:
    """A film strip: a bell is pulled over a curve; below it three bars in nats.

    The bars hang from zero: log p(x), the ELBO, and from the height of log p(x)
    downwards the KL divergence.

    Args:
        ticks, density: the curve (n,).
        path: mean and standard deviation of the bell after each step.
        steps: a frame for each of these numbers of steps.
        log_evidence: log p(x).
        elbos, gaps: ELBO and KL of each frame.
    """
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    grid = figure.subplots(2, len(steps), sharey="row", height_ratios=(1, 1.2))
    lowest, log_evidence = min(elbos), float(log_evidence)
    for i, step in enumerate(steps):
        mean, sd = (float(part) for part in path[step])
        top, below = grid[0, i], grid[1, i]
        bell = (-0.5 * ((ticks - mean) / sd) ** 2).exp() / (sd * (2 * np.pi) ** 0.5)
        top.fill_between(ticks, density, color="0.85", linewidth=0)
        top.plot(ticks, density, color="0.35", linewidth=1.5)
        top.plot(ticks, bell, color=FIT)
        top.set_title(f"step {step}", fontsize=11)
        top.set(xlim=(-3, 4), yticks=[], xlabel="$z$", xticks=[-2, 0, 2])
        top.grid(False)
        below.bar(0, log_evidence, 0.8, color="0.6")
        below.bar(1, elbos[i], 0.8, color=FIT)
        hatched = dict(facecolor="white", edgecolor="black", hatch="////")
        below.bar(2, -gaps[i], 0.8, bottom=log_evidence, **hatched)
        below.axhline(log_evidence, color="0.4", linestyle="--", linewidth=1)
        heights = (log_evidence, elbos[i], log_evidence - gaps[i])
        shown = (log_evidence, elbos[i], gaps[i])
        for x, (y, value) in enumerate(zip(heights, shown, strict=True)):
            text = f"{value:.2f}".replace("-", "−")
            style = dict(ha="center", va="top", fontsize=9)
            below.text(x, y + 0.02 * lowest, text, **style)
        below.set_xticks(range(3), ["log\np(x)", "ELBO", "KL"], fontsize=9)
        below.tick_params(axis="x", length=0)
        below.set_ylim(1.12 * lowest, 0)
        below.xaxis.tick_top()
        below.spines["bottom"].set_visible(False)
        below.grid(False, axis="x")
    grid[0, 0].set_ylabel("density")
    grid[1, 0].set_ylabel("nats")
    return figure


def pushed_draws(ticks: Tensor, height: Tensor, noise: Tensor, z: Tensor) -> Figure:
    """Draws as noise that is stretched and shifted; the slope at each of their places.

    Args:
        ticks, height: the curve log p(x, z) (n,).
        noise, z: of each draw (k,).
    """
    figure = Figure(figsize=(WIDTH, 3.9), layout="none")
    top = figure.add_axes((0.13, 0.44, 0.85, 0.53))
    below = figure.add_axes((0.13, 0.02, 0.85, 0.42))
    at = np.interp(z, ticks, height)
    slopes = np.interp(z, ticks, np.gradient(height.numpy(), ticks.numpy()))
    top.plot(ticks, height, color="0.35")
    for x, y, slope in zip(z.tolist(), at, slopes, strict=True):
        reach = 0.55 / (1 + (slope / 6) ** 2) ** 0.5
        top.plot(
            [x - reach, x + reach], [y - reach * slope, y + reach * slope], color=FIT
        )
        top.plot(x, y, "o", color=FIT)
        style = dict(ha="left", va="top", color=FIT)
        text = f"slope {slope:.1f}".replace("-", "−")
        top.text(x + 0.05, y - (0.9 if slope > 0 else 1.6), text, **style)
    limits = (-1.9, 3.2)
    top.set(xlim=limits, ylim=(min(at) - 3.5, max(height) + 1.5), xticks=[])
    top.set_ylabel("log p(x, z)")
    top.spines["bottom"].set_visible(False)
    below.set(xlim=limits, ylim=(-0.25, 1))
    below.set_axis_off()
    for start, end in zip(noise.tolist(), z.tolist(), strict=True):
        arrow(below, (start, 0.16), (end, 0.9), GREY)
        below.plot(start, 0.12, "o", color=WALK)
        text = f"{start:g}".replace("-", "−")
        below.text(start, -0.02, text, ha="center", va="top", color=WALK)
    below.text(limits[0], 0.12, "noise ε", va="center", color=WALK)
    below.text(limits[0], 0.86, "draw z", va="center", color=FIT)
    below.text(1.6, 0.5, "z = m + s · ε", va="center", color=GREY)
    return figure


def hidden_half_drawing(picture: Tensor, scene, decoder) -> Figure:
    """Half of a picture, its posterior, and what the machine draws on each island.

    Args:
        picture: the whole digit, 784 zeros and ones.
        scene: its `Landscape` (`helpers.landscapes`) when the lower half is hidden.
        decoder: from places (k, 2) to the log-odds of pixels (k, 784).
    """
    places, shares = scene.peaks, scene.shares
    drawings = decoder(places).sigmoid().view(-1, 1, 28, 28)
    figure = Figure(figsize=(WIDTH, 3.3), layout="none")
    left = figure.add_axes((0.0, 0.28, 0.2, 0.5))
    left.imshow(_with_hidden_half(picture), vmin=0, vmax=1)
    left.set_axis_off()
    left.set_title("what we see", fontsize=12, loc="center")
    middle = figure.add_axes((0.325, 0.17, 0.35, 0.71))
    contours(middle, scene)
    middle.set_title("which z can it have?", fontsize=12, loc="center")
    for i, (place, share) in enumerate(zip(places.tolist(), shares, strict=True)):
        name = "ABCDE"[i]
        mark(middle, place, name)
        height = 0.86 / len(places)
        bottom = 0.02 + (len(places) - 1 - i) * height
        side = min(0.15, 0.9 * height * figure.get_figheight() / WIDTH)
        axes = figure.add_axes(
            (0.755, bottom, side, side * WIDTH / figure.get_figheight())
        )
        axes.imshow(as_pictures(drawings[i][None])[0], vmin=0, vmax=1)
        axes.set_axis_off()
        y = bottom + side * WIDTH / figure.get_figheight() / 2
        figure.text(0.74, y, name, ha="right", va="center", weight="bold")
        figure.text(0.765 + side, y, f"{100 * share:.0f}%", va="center")
    figure.text(0.84, 0.905, "what it draws", ha="center", va="bottom", fontsize=12)
    return figure


def _with_hidden_half(picture: Tensor) -> Tensor:
    """The picture (28, 28) with grey in place of its lower half."""
    seen = picture.clone().view(28, 28)
    seen[14:] = HIDDEN
    return seen


def contours(axes: Axes, scene, filled: bool = True) -> None:
    """Lines of equal probability, 0.5, 2, 4, 6 and 9 nats below the peak."""
    height = scene.log_density - scene.log_density.max()
    seen = scene.z[height > -10]
    low, high = seen.min(0).values, seen.max(0).values
    table = height.view(len(scene.x), -1).T.numpy()
    if filled:
        levels = (*LEVELS, 0.01)
        axes.contourf(scene.x, scene.y, table, levels, cmap="Greys", alpha=0.45)
    lines = dict(levels=LEVELS, colors="0.45", linewidths=0.8, linestyles="-")
    axes.contour(scene.x, scene.y, table, **lines)
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.grid(False)


def mark(axes: Axes, place, name: str) -> None:
    """A letter in a white circle beside a place."""
    circle = dict(boxstyle="circle,pad=0.15", facecolor="white", edgecolor="black")
    axes.plot(*place, ".", color="black", markersize=4)
    offset = dict(textcoords="offset points", fontsize=10, weight="bold")
    axes.annotate(name, place, (9, 9), bbox=circle, ha="center", va="center", **offset)


def draw_bell(axes: Axes, mean, factor, colour=FIT) -> None:
    """A bell as two ellipses, as far below its peak as the innermost and the outermost
    line of `contours` are below theirs.

    `factor` is triangular (2, 2), or the standard deviations (2,) of an upright bell.
    """
    factor = torch.diag(factor) if factor.ndim == 1 else factor
    turn = torch.linspace(0, 2 * np.pi, 80)
    circle = torch.stack([turn.cos(), turn.sin()])
    for level in (LEVELS[-1], LEVELS[0]):
        ring = mean[:, None] + (-2 * level) ** 0.5 * factor @ circle
        axes.plot(*ring, color=colour, linewidth=1.6)


def walks_and_bells(
    scene,
    walks: Tensor | None = None,
    bells: tuple[Tensor, Tensor] | None = None,
    reach: bool = False,
) -> Figure:
    """The same landscape with the dots of walks, and with the ellipses of bells.

    For each island the walk that spent most of its steps there is drawn, and the first
    bell whose mean lies there. A grey cross is the last place of a walk that spent most
    of its steps at sea, or the mean of a bell that ended there.

    Args:
        scene: a `Landscape` (`helpers.landscapes`).
        walks: places (steps, walks, 2).
        bells: means (n, 2), and standard deviations (n, 2) or triangular factors
            (n, 2, 2).
        reach: adds two vertical lines: how far the landscape reaches, down to its
            outermost line, where the first number is that of the highest peak (black),
            and for all values of the first number together (grey).
    """
    titles = [("walks", walks), ("bells", bells)]
    titles = [title for title, given in titles if given is not None]
    width = WIDTH if len(titles) > 1 else 0.65 * WIDTH
    figure = Figure(figsize=(width, 3.3), layout="constrained")
    grid = figure.subplots(1, len(titles), sharex=True, sharey=True, squeeze=False)[0]
    colours = [COLOURS[name] for name in ("blue", "green", "purple", "black")]
    for axes, title in zip(grid, titles, strict=True):
        contours(axes, scene)
        if title == "walks":
            spent = scene.spent(walks)
            lost = walks[-1][spent.sum(1) < 0.5]
            most, longest = spent.max(0)
            for n, i in enumerate(longest[most > 0]):
                style = dict(markersize=2.5, mew=0, alpha=0.6, color=colours[n % 4])
                axes.plot(*walks[:, i].T, "os^D"[n % 4], linestyle="", **style)
        else:
            lost = bells[0][scene.island_of(bells[0]) < 0]
            for i in scene.one_on_each(bells[0]):
                draw_bell(axes, bells[0][i], bells[1][i])
        axes.plot(*lost.T, "x", color="0.3", markersize=5, markeredgewidth=1.2)
        for i, place in enumerate(scene.peaks.tolist()):
            if len(scene.peaks) > 1:
                mark(axes, place, "ABCDE"[i])
        alone = title == "bells" and len(bells[0]) == 1
        axes.set_title("the bell" if alone else title, fontsize=11)
        axes.label_outer()
        if reach:
            axes.set_title("")
            _draw_reach(axes, scene)
    return figure


def _draw_reach(axes: Axes, scene) -> None:
    side = len(scene.x)
    high = scene.log_density.view(side, side)  # rows: the first number
    inside = high > high.max() + LEVELS[0]
    middle = int(high.max(1).values.argmax())
    step = 0.06 * float(scene.x[-1] - scene.x[0])
    across = float(scene.x[0]) - step
    axes.set_xlim(left=across - step)
    lines = [(scene.x[middle], inside[middle], "black", "slice")]
    lines.append((across, inside.any(0), "0.5", "whole"))
    for x, holds, colour, name in lines:
        ends = scene.y[holds]
        axes.plot([x, x], [ends[0], ends[-1]], color=colour, linewidth=3)
        label = dict(ha="left", va="top", color=colour, fontsize=10)
        place = (float(x), float(ends[-1]))
        axes.annotate(name, place, (4, 0), textcoords="offset points", **label)


def answers_of_encoder(
    pictures: Tensor, scenes: Mapping, bells: Mapping[str, tuple[Tensor, Tensor]]
) -> Figure:
    """Pictures; under each its posterior with two bells.

    Args:
        pictures: (n, 784).
        scenes: from the numbers of those that are shown, at most 5, to a `Landscape`.
        bells: from two names to means (n, 2) and standard deviations (n, 2).
    """
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    grid = figure.subplots(2, len(scenes), height_ratios=(1, 1.5))
    colours = dict(zip(bells, (COLOURS["green"], FIT), strict=True))
    for column, (i, scene) in enumerate(scenes.items()):
        top, axes = grid[:, column]
        top.imshow(pictures[i].view(28, 28), vmin=0, vmax=1)
        top.set_axis_off()
        contours(axes, scene)
        corners = [torch.tensor([axes.get_xlim(), axes.get_ylim()]).T]
        for name, (mean, sd) in bells.items():
            draw_bell(axes, mean[i], sd[i], colours[name])
            corners.append(mean[i] + 2.2 * sd[i] * torch.tensor([[-1.0], [1.0]]))
        low, high = torch.cat(corners).min(0).values, torch.cat(corners).max(0).values
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
    handles = [
        Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour, linewidth=2, label=name)
        for name, colour in colours.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=11)
    return figure


def total_variation_drawing(exact: Tensor, seen: Mapping[str, Tensor]) -> Figure:
    """Exact shares of cells, the shares of walks, and the differences with their sum.

    Args:
        exact: (144,), the cells of `helpers.landscapes.Cells`.
        seen: from a name to the shares of a walk (144,).
    """
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    columns = 1 + len(seen)
    grid = figure.subplots(2, columns)
    side = round(len(exact) ** 0.5)
    top = 1.3 * float(exact.max())
    tables = {"exact": exact, **seen}
    for i, (name, shares) in enumerate(tables.items()):
        table = shares.view(side, side).T
        look = dict(origin="lower", vmin=0, vmax=top, cmap="Blues")
        grid[0, i].imshow(table, **look)
        grid[0, i].set_title(name, fontsize=11, loc="center")
        if i:
            difference = (shares - exact).abs()
            table = difference.view(side, side).T
            grid[1, i].imshow(table, **look | dict(cmap="Oranges"))
            half = f"half of all differences: {0.5 * difference.sum():.2f}"
            grid[1, i].set_xlabel(half, fontsize=11, color=FIT)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set(visible=True, color="0.7")
    grid[1, 0].set_axis_off()
    grid[1, 0].text(0.5, 0.5, "differences", ha="center", va="center", size=12)
    return figure


def traces(walks: Mapping[str, Tensor], level: tuple[float, float]) -> Figure:
    """One number of a walk against the step, over the band of mean and two deviations.

    Args:
        walks: from a title to the values of one number (steps,).
        level: exact mean and standard deviation.
    """
    figure = Figure(figsize=(WIDTH, 1.5 * len(walks) + 0.3), layout="constrained")
    panels = figure.subplots(len(walks), 1, sharex=True, sharey=True, squeeze=False)
    mean, sd = level
    for axes, (title, walk) in zip(panels[:, 0], walks.items(), strict=True):
        axes.axhspan(mean - 2 * sd, mean + 2 * sd, color="0.9")
        axes.plot(walk, color=WALK, linewidth=0.8)
        axes.set_title(title, fontsize=11)
        axes.set_ylabel("$z_1$")
        axes.grid(False)
    panels[-1, 0].set_xlabel("step")
    return figure


def rolls(scene, panels: Mapping[str, Sequence[Tensor] | Tensor]) -> Figure:
    """Ways over a landscape: a list of ways (n, 2), or the places of a walk (n, 2)."""
    figure = Figure(figsize=(WIDTH, 3.5), layout="constrained")
    grid = figure.subplots(1, len(panels), sharex=True, sharey=True)
    for axes, (title, ways) in zip(grid, panels.items(), strict=True):
        contours(axes, scene)
        for way in [ways] if isinstance(ways, Tensor) else ways:
            axes.plot(*way.T, "-", color=WALK, linewidth=1.4)
            axes.plot(*way.T, ".", color=WALK, markersize=4)
            axes.plot(*way[-1], "o", color=FIT, markersize=6)
        axes.set_title(title, fontsize=11)
        axes.label_outer()
    return figure
