"""Points in a plane: codes of two numbers, clouds with a line through them."""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor

from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

# Ten classes need two colours more than the palette has; yellow is pale on white.
CLASSES = [*list(COLOURS.values())[:6], "#000000", "#8C564B", "#7F7F7F", "#B8A800"]
INCHES = 0.34  # the side of a thumbnail


def latent_map(codes: Tensor, labels: Tensor, thumbnails: Tensor) -> Figure:
    """Codes of two numbers as a map; thumbnails show which picture lies where.

    Each code is a dot in the colour of its class. Thumbnails stand where there is room,
    so that no two of them overlap.

    Args:
        codes: (n, 2).
        labels: classes (n,), 0 to 9.
        thumbnails: the pictures of the codes (n, 1, 28, 28).

    Raises:
        ValueError: the lengths differ, or a code does not have two numbers.
    """
    codes, labels = codes.detach().cpu(), labels.cpu()
    if codes.ndim != 2 or codes.shape[1] != 2:
        raise ValueError(f"a map needs codes (n, 2), not {tuple(codes.shape)}.")
    if not len(codes) == len(labels) == len(thumbnails):
        counts = f"{len(codes)} codes, {len(labels)} labels, {len(thumbnails)} pictures"
        raise ValueError(f"each code needs a label and a picture: {counts}.")
    figure = Figure(figsize=(WIDTH, 6.2), layout="constrained")
    axes = figure.subplots()
    _frame(axes, codes)
    colours = np.array([to_rgb(CLASSES[label]) for label in labels.tolist()])
    axes.scatter(*codes.T, s=5, c=colours, alpha=0.4, linewidths=0)
    chosen = _apart(codes, axes, figure)
    pictures = as_pictures(thumbnails[chosen])
    for i, picture in zip(chosen, pictures, strict=True):
        _thumbnail(axes, codes[i], picture, colours[i])
    axes.set(xlabel="first number of the code", ylabel="second number of the code")
    return figure


def pictures_on_a_curve(pictures: Tensor) -> Figure:
    """Pictures as points in the plane in which they differ most, joined in their order.

    The straight line from the first to the last picture is drawn as well, and what lies
    half-way on it.

    Args:
        pictures: an odd number of them (n, 1, 28, 28), values in [0, 1].
    """
    images = as_pictures(pictures)
    pixels = torch.from_numpy(images).flatten(1)
    middle = (pixels[0] + pixels[-1]) / 2
    plane = torch.linalg.svd(pixels - pixels.mean(0), full_matrices=False)[2][:2]
    spots = (pixels - pixels.mean(0)) @ plane.T  # (n, 2)
    half_way = (middle - pixels.mean(0)) @ plane.T
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(*spots.T, "o-", color=COLOURS["vermilion"], markersize=4)
    axes.plot(*spots[[0, -1]].T, "--", color="0.5")
    centre = spots.mean(0)
    shown = [0, len(images) // 4, len(images) // 2, -1 - len(images) // 4, -1]
    for i in shown:
        away = (spots[i] - centre) / (spots[i] - centre).norm().clamp_min(1e-6)
        _framed(axes, spots[i], images[i], away)
    _framed(axes, half_way, middle.view(28, 28).numpy(), centre.new_tensor([0, 0]))
    axes.margins(0.25, 0.35)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _framed(axes: Axes, place: Tensor, picture: np.ndarray, away: Tensor) -> None:
    """A picture beside its place, on the side where it covers nothing."""
    image = OffsetImage(picture, zoom=1.4, cmap="gray", interpolation="nearest")
    image.get_children()[0].set_clim(0, 1)
    offset = tuple((34 * away).tolist())
    options = dict(boxcoords="offset points", frameon=False, pad=0)
    axes.add_artist(AnnotationBbox(image, tuple(place.tolist()), offset, **options))


def points_and_line(
    points: Tensor, on_the_line: Tensor, point: Tensor, back: Tensor
) -> Figure:
    """Points in a plane, their places on a line through (0, 0), and one as an example.

    Args:
        points, on_the_line: (n, 2); a thin line leads from each to its place.
        point, back: the example and its place on the line (2,), with their coordinates.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    for x, y in torch.stack([points, on_the_line], dim=1).transpose(1, 2):
        axes.plot(x, y, color="0.75", linewidth=1)
    axes.plot(*points.T, ".", color=COLOURS["sky"], markersize=5)
    axes.plot(*on_the_line.T, ".", color=COLOURS["vermilion"], markersize=4)
    axes.plot(*torch.stack([point, back]).T, "k:", linewidth=1.5)
    axes.annotate("", back.tolist(), (0, 0), arrowprops=dict(arrowstyle="->", lw=2))
    offset = dict(textcoords="offset points")
    for spot, name, colour, shift in (
        (point, "point", COLOURS["blue"], (7, -12)),
        (back, "back", COLOURS["vermilion"], (-100, 8)),
    ):
        axes.plot(*spot, "o", color=colour, markersize=7)
        text = f"{name} ({spot[0]:.3g}, {spot[1]:.3g})"
        axes.annotate(text, spot.tolist(), shift, color=colour, **offset)
    number = f"number {back.norm():.3g}"
    axes.annotate(number, (back / 2).tolist(), (-74, 4), **offset)
    axes.set(aspect="equal", xlabel="first pixel", ylabel="second pixel")
    figure.draw_without_rendering()
    for text in axes.texts:  # a name that would leave the figure stands to the left
        if text.get_window_extent().x1 > figure.bbox.x1:
            text.set(ha="right", position=(-7, -12))
    return figure


def two_clouds(clouds: dict[str, Tensor]) -> Figure:
    """Two or three clouds of points (n, 2) in one plane, each in its colour."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    colours = (COLOURS["sky"], COLOURS["vermilion"], COLOURS["green"])
    for (name, points), colour in zip(clouds.items(), colours, strict=False):
        points = points.detach().cpu()
        axes.plot(*points.T, ".", color=colour, markersize=6, label=name)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, handletextpad=0.1)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def place_on_map(codes: Tensor, place: Tensor, drawing: Tensor) -> Figure:
    """The map as grey dots with one marked place, and the drawing from there, large.

    Args:
        codes: (n, 2).
        place: the marked code (2,).
        drawing: what the decoder makes of it (1, 28, 28).
    """
    figure = Figure(figsize=(4.8, 2.4), layout="constrained")
    axes, right = figure.subplots(1, 2)
    _frame(axes, codes.cpu())
    axes.scatter(*codes.cpu().T, s=1, c="0.6", linewidths=0)
    axes.plot(*place.cpu(), "o", color=COLOURS["vermilion"], markersize=10)
    axes.set(xticks=[], yticks=[])
    right.imshow(as_pictures(drawing[None])[0], vmin=0, vmax=1)
    right.set_axis_off()
    return figure


def restored_points(points: Tensor, restored: dict[str, Tensor]) -> Figure:
    """Points in a plane, in each panel with what a method restores of them.

    Args:
        points: (n, 2).
        restored: from the title of a panel to the restored points (n, 2).
    """
    panels = len(restored)
    figure = Figure(figsize=(WIDTH, 2.4 if panels < 4 else 2.0))
    figure.set_layout_engine("constrained")
    points = points.detach().cpu()
    grid = figure.subplots(1, panels, sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, found) in zip(grid, restored.items(), strict=True):
        found = found.detach().cpu()
        axes.plot(*points.T, ".", color=COLOURS["sky"], markersize=4)
        axes.plot(*found.T, ".", color=COLOURS["vermilion"], markersize=4)
        axes.set_title(title, fontsize=10)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure


def _frame(axes: Axes, codes: Tensor) -> None:
    """Limits that hold nearly all codes; the few far out would shrink the rest."""
    low, high = codes.quantile(0.003, dim=0), codes.quantile(0.997, dim=0)
    margin = 0.05 * (high - low)
    axes.set_xlim(float(low[0] - margin[0]), float(high[0] + margin[0]))
    axes.set_ylim(float(low[1] - margin[1]), float(high[1] + margin[1]))


def _apart(codes: Tensor, axes: Axes, figure: Figure) -> list[int]:
    """Indices of codes that lie inside the axes, further apart than a thumbnail."""
    size = np.array([figure.get_figwidth() - 0.8, figure.get_figheight() - 0.6])
    corner = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
    span = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    spots = (codes.numpy() - corner) / span * size  # inches
    taken: list[int] = []
    for i, spot in enumerate(spots):
        inside = (spot > INCHES / 2).all() and (spot < size - INCHES / 2).all()
        if inside and all(np.abs(spot - spots[j]).max() > INCHES for j in taken):
            taken.append(i)
    return taken


def _thumbnail(axes: Axes, place: Tensor, picture: np.ndarray, colour) -> None:
    rgba = np.empty((*picture.shape, 4))
    rgba[..., :3], rgba[..., 3] = colour, picture
    image = OffsetImage(rgba, zoom=INCHES * 72 / 28, interpolation="nearest")
    box = AnnotationBbox(image, tuple(place.tolist()), frameon=False, pad=0)
    axes.add_artist(box)


# 07: codes that are clouds


def clouds_in_plane(
    panels: dict[str, tuple[Tensor, Tensor | None]],
    labels: Tensor,
    *,
    edge: float | None = None,
    columns: int = 4,
    clouds: int = 30,
) -> Figure:
    """Means in the colours of their classes, some clouds whole, and the standard cloud.

    The first `clouds` clouds are drawn as ellipses at two spreads, the standard cloud
    as dashed circles at one and at two. Digits stand where their class lies.

    Args:
        panels: from a title to means (n, 2) and spreads (n, 2), or None for points.
        labels: classes (n,), 0 to 9.
        edge: the panels reach from -edge to edge; by default each is as wide as its
            own means need, but at least 2.6.
        columns: panels side by side.

    Raises:
        ValueError: a mean does not have two numbers, or lengths differ.
    """
    rows = -(-len(panels) // columns)
    side = WIDTH / columns
    figure = Figure(figsize=(WIDTH, rows * (side + 0.05) + 0.2), layout="constrained")
    share = dict(sharex=edge is not None, sharey=edge is not None)
    grid = figure.subplots(rows, columns, squeeze=False, **share).flatten()
    circle = torch.linspace(0, 2 * torch.pi, 60)
    circle = torch.stack([circle.cos(), circle.sin()])  # (2, 60)
    colours = np.array([to_rgb(CLASSES[label]) for label in labels.tolist()])
    for axes, (title, (means, spreads)) in zip(grid, panels.items(), strict=False):
        means = means.detach().cpu()
        if means.shape != (len(labels), 2):
            need = (len(labels), 2)
            raise ValueError(
                f"{title}: means must be {need}, not {tuple(means.shape)}."
            )
        reach = edge or max(2.6, float(means.abs().flatten().quantile(0.99)))
        axes.scatter(*means.T, s=5, c=colours, alpha=0.6, linewidths=0)
        for i in range(0 if spreads is None else min(clouds, len(means))):
            ring = means[i, :, None] + 2 * spreads[i, :, None].detach().cpu() * circle
            axes.plot(*ring, color="black", linewidth=0.8)
        for radius in (1, 2):
            axes.plot(*(radius * circle), "--", color="0.35", linewidth=1)
        for digit, spot in _names(means, labels, reach).items():
            box = dict(boxstyle="round,pad=0.1", fc="white", ec="none", alpha=0.75)
            size = 8 if columns > 2 else 10
            style = dict(ha="center", va="center", fontsize=size, bbox=box)
            axes.text(*spot, str(digit), **style)
        axes.set_title(title, fontsize=10)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.locator_params(nbins=3)
        axes.tick_params(labelsize=9)
        axes.grid(False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def _names(means: Tensor, labels: Tensor, reach: float) -> dict[int, list[float]]:
    """A place for the name of each class: near its middle, and not on another name."""
    places: dict[int, list[float]] = {}
    if means.std() < 0.02 * reach:  # all lie in one place
        return places
    for digit in labels.unique().tolist():
        own = means[labels == digit]
        own = own[own.abs().amax(1) < 0.92 * reach]
        order = (own - own.median(0).values).norm(dim=1).argsort() if len(own) else []
        for spot in own[order].tolist():
            gaps = [np.hypot(spot[0] - x, spot[1] - y) for x, y in places.values()]
            if min(gaps, default=reach) > 0.2 * reach:
                places[digit] = spot
                break
    return places


def sheet_of_plane(draw: Callable[[Tensor], Tensor], side: int = 12) -> Figure:
    """Drawings from all over a plane of two latents, as one sheet.

    The places lie at equal steps of probability of the standard bell, so each drawing
    stands for an equal share of what random codes give.

    Args:
        draw: from codes (n, 2) to pictures (n, 1, 28, 28), values in [0, 1].
        side: drawings in each direction; the second number of the code points upwards.
    """
    steps = torch.distributions.Normal(0, 1).icdf((torch.arange(side) + 0.5) / side)
    up, across = torch.meshgrid(steps.flip(0), steps, indexing="ij")
    pictures = draw(torch.stack([across, up], dim=2).view(-1, 2))
    tiles = as_pictures(pictures).reshape(side, side, 28, 28)
    sheet = tiles.transpose(0, 2, 1, 3).reshape(28 * side, 28 * side)
    figure = Figure(figsize=(0.8 * WIDTH, 0.8 * WIDTH), layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=1)
    middles = 28 * np.arange(side) + 13.5
    names = [f"{step:.1f}".replace("-", "−") for step in steps.tolist()]
    axes.set_xticks(middles, names, fontsize=9)
    axes.set_yticks(middles, names[::-1], fontsize=9)
    axes.set(xlabel="first number", ylabel="second number")
    axes.grid(False)
    return figure
