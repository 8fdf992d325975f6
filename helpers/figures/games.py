"""Pictures of lesson 08: two machines that imagine, a forger against a detective."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse, Polygon, Rectangle
from torch import Tensor

from helpers.datasets.toys import ISLANDS, SPREAD
from helpers.figures.drawings import arrow, blank, place
from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH
from helpers.training import moving_mean

GREY = "0.35"
FORGED, REAL = COLOURS["vermilion"], COLOURS["blue"]
WEAKEST_PUSH = 0.05  # slopes of log D below this are noise, and get no arrow


def two_machines(
    real: Tensor, restored: Tensor, forgeries: Tensor, verdicts: Sequence[float]
) -> Figure:
    """A VAE above a GAN; black arrows compute, vermilion ones carry what is learned.

    Args:
        real: two real digits (2, 1, 28, 28), values in [0, 1]; the VAE gets the first.
        restored: what the VAE draws for the first (1, 28, 28).
        forgeries: an early and a late one (2, 1, 28, 28).
        verdicts: the probabilities "real" that the detective gives to the second real
            digit, to the early forgery and to the late one.
    """
    real, forgeries = as_pictures(real), as_pictures(forgeries)
    restored = as_pictures(restored[None])[0]
    axes = blank((0, 17.4), (-9.0, 5.0))
    axes.text(0.1, 4.45, "VAE", weight="bold")
    _picture(axes, real[0], 0.2, 0.9, 2.6, "real picture")
    _shape(axes, (3.5, 1.0), (5.5, 3.4), "encoder", narrow="right")
    for radius in (1.15, 0.6):
        ring = Ellipse((7.5, 2.2), 2 * radius, 2 * radius, fill=False)
        ring.set(linestyle="--", edgecolor=GREY)
        axes.add_patch(ring)
    axes.add_patch(Ellipse((7.75, 2.45), 0.75, 0.45, facecolor=FORGED, alpha=0.35))
    axes.plot(7.85, 2.4, "o", color="black", markersize=3)
    axes.text(7.5, 3.75, "cloud", ha="center", color=GREY)
    _shape(axes, (9.5, 1.0), (11.5, 3.4), "decoder", narrow="left")
    _picture(axes, restored, 12.4, 0.9, 2.6, "its drawing")
    for start, end in ((2.9, 3.4), (5.6, 6.2), (8.8, 9.4), (11.6, 12.3)):
        arrow(axes, (start, 2.2), (end, 2.2), "black")
    arrow(axes, (13.7, 0.8), (1.5, 0.8), FORGED, bend=-0.13, both=True)
    says = "compared pixel by pixel: encoder and decoder learn from the difference"
    axes.text(8.7, -1.05, says, ha="center", color=FORGED, fontsize=11)
    axes.plot([0.1, 17.3], [-1.6, -1.6], color="0.8", linewidth=1)
    axes.text(0.1, -2.5, "GAN", weight="bold")
    for i, value in enumerate((0.5, -0.8, 1.1, -0.3, 0.7, -1.0, 0.2)):
        corner = (0.4 + 0.22 * i, -5.7)
        axes.add_patch(Rectangle(corner, 0.16, 0.7 * value, color=GREY))
    axes.text(1.15, -4.6, "noise", ha="center", color=GREY)
    _shape(axes, (2.8, -6.9), (5.0, -4.5), "forger", narrow="left")
    _picture(axes, real[1], 7.8, -4.0, 1.75)
    axes.text(7.6, -3.3, "real picture", ha="right", color=GREY)
    _picture(axes, forgeries[0], 5.8, -6.6, 1.75)
    _picture(axes, forgeries[1], 7.8, -6.6, 1.75)
    for left, name in ((6.67, "early"), (8.67, "late")):
        axes.text(left, -4.75, name, ha="center", color=GREY, fontsize=11)
    _shape(axes, (11.1, -6.2), (13.3, -3.8), "detective", narrow="right")
    for start, end in (
        ((2.1, -5.7), (2.7, -5.7)),
        ((5.1, -5.7), (5.7, -5.7)),
        ((9.7, -5.7), (11.0, -5.4)),
        ((9.7, -3.4), (11.0, -4.4)),
        ((13.4, -5.0), (14.0, -5.0)),
    ):
        arrow(axes, start, end, "black")
    axes.text(14.1, -3.4, 'says "real" with', color=GREY, fontsize=11)
    names = ("real", "early", "late")
    for i, (name, verdict) in enumerate(zip(names, verdicts, strict=True)):
        text = f"{name} {100 * verdict:.0f}%"
        axes.text(14.1, -4.3 - 0.85 * i, text, fontsize=11)
    arrow(axes, (15.0, -6.3), (12.5, -6.3), FORGED, bend=-0.4)
    arrow(axes, (12.0, -6.4), (3.9, -7.0), FORGED, bend=-0.2)
    says = "the detective learns\nto tell them apart"
    axes.text(14.8, -8.75, says, ha="center", color=FORGED, fontsize=11)
    says = "the forger learns from the detective's slope"
    axes.text(7.0, -8.75, says, ha="center", color=FORGED, fontsize=11)
    return axes.figure


def forger_film(frames: Mapping[int, tuple[Tensor, Tensor, Tensor, Tensor]]) -> Figure:
    """Four frames of a game on a line: both crowds, the verdict, and three pushes.

    An arrow is the slope of log D at a place of the forged crowd, marked by a dot,
    which is what moves the forger. Within a frame the arrows are as long as the slopes,
    and the longest has the length 1.

    Args:
        frames: number of the round -> real numbers (n,), forged ones (n,), a grid (m,),
            and the detective's probability of "real" on the grid (m,).
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
    for axes, (step, (real, forged, x, verdict)) in zip(
        panels, frames.items(), strict=False
    ):
        bins = dict(bins=np.linspace(float(x[0]), float(x[-1]), 45), density=True)
        axes.hist(real.numpy(), color=COLOURS["sky"], alpha=0.8, **bins)
        look = dict(histtype="step", color=FORGED, linewidth=1.8)
        axes.hist(forged.numpy(), **bins, **look)
        axes.plot(x, verdict, color="black")
        axes.axhline(0.5, color="0.4", linestyle="--", linewidth=1)
        spots = np.quantile(forged.numpy(), (0.15, 0.5, 0.85))
        log_verdict = np.log(verdict.double().clamp_min(1e-12).numpy())
        pushes = np.interp(spots, x, np.gradient(log_verdict, x.numpy()))
        for spot, push, height in zip(spots, pushes, (1.27, 1.19, 1.11), strict=True):
            axes.plot(spot, height, "o", color=FORGED, markersize=3)
            if abs(push) > WEAKEST_PUSH:
                tip = spot + push / np.abs(pushes).max()
                arrow(axes, (spot, height), (tip, height), FORGED)
        axes.set_title(f"round {step}" if step else "start", fontsize=11)
        axes.set(ylim=(0, 1.35), yticks=(0, 0.5, 1), xticks=(-4, -2, 0, 2, 4, 6, 8))
    axes = figure.axes[0]
    axes.text(0.9, 0.8, "D", transform=axes.transAxes)
    axes.text(0.03, 0.44, "forged", color=FORGED, transform=axes.transAxes)
    axes.text(0.76, 0.62, "real", color=REAL, transform=axes.transAxes)
    for axes in figure.axes[2:]:
        axes.set_xlabel("a number")
    return figure


def what_both_pay(games: Mapping[str, Tensor], rounds_in_a_mean: int = 20) -> Figure:
    """What detective and forger pay in each round of a game, and means of some rounds.

    Args:
        games: title -> the payments (rounds, 2) in nats, the detective's and the
            forger's. Dashed lines show what both pay for a detective that always says
            1/2: 2 log 2 and log 2.
        rounds_in_a_mean: how many rounds make one value of the strong lines.
    """
    figure = Figure(figsize=(WIDTH, 0.8 + 1.8 * len(games)), layout="constrained")
    panels = figure.subplots(len(games), sharex=True, squeeze=False)[:, 0]
    players = ("detective", "black"), ("forger", FORGED)
    for axes, (title, losses) in zip(panels, games.items(), strict=True):
        means = moving_mean(losses, rounds_in_a_mean)
        middles = np.arange(len(means)) + min(rounds_in_a_mean, len(losses)) / 2
        for player, (name, colour) in enumerate(players):
            axes.plot(losses[:, player].numpy(), color=colour, alpha=0.25, linewidth=1)
            axes.plot(middles, means[:, player].numpy(), color=colour)
            height = (2 - player) * np.log(2)
            axes.axhline(height, color="0.4", linestyle="--", linewidth=1)
            ends = dict(xycoords=axes.get_yaxis_transform(), va="center", color=colour)
            text = f"{name} ({height:.3f})"
            axes.annotate(text, (1, height), (5, 0), textcoords="offset points", **ends)
        axes.set_title(title, fontsize=11)
        axes.set(ylabel="nats", xlim=(0, len(losses)))
        axes.set_ylim(bottom=0)
    panels[-1].set_xlabel("round")
    return figure


def best_answers(tables: Mapping[str, tuple[Sequence[str], Sequence]]) -> Figure:
    """Games of two players; each one's best answer is circled.

    Args:
        tables: title -> the names of both choices, and the payoffs [2][2] of pairs
            (row player, column player).
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, len(tables), squeeze=False)[0]
    for axes, (title, (names, payoffs)) in zip(panels, tables.items(), strict=True):
        for i, row in enumerate(payoffs):
            axes.text(-0.1, 0.5 - i, names[i], ha="right", va="center", color=REAL)
            top = axes.text(i + 0.5, 1.1, names[i], ha="center", color=FORGED)
            top.set_va("bottom")
            for j, (mine, yours) in enumerate(row):
                best = (
                    mine >= payoffs[1 - i][j][0],
                    yours >= payoffs[i][1 - j][1],
                )
                ground = COLOURS["yellow"] if all(best) else "white"
                frame = dict(facecolor=ground, edgecolor="0.5", alpha=0.6)
                axes.add_patch(Rectangle((j, -i), 1, 1, **frame))
                for value, left, colour, is_best in (
                    (mine, 0.27, REAL, best[0]),
                    (yours, 0.73, FORGED, best[1]),
                ):
                    spot = (j + left, 0.5 - i)
                    text = f"{value:+g}".replace("-", "−") if value else "0"
                    style = dict(ha="center", va="center", color=colour, size=13)
                    axes.text(*spot, text, **style)
                    if is_best:
                        ring = Circle(spot, 0.2, fill=False, edgecolor=colour, lw=2)
                        axes.add_patch(ring)
        axes.set(xlim=(-0.75, 2.1), ylim=(-1.1, 1.5), aspect="equal")
        axes.set_title(title, fontsize=12)
        axes.set_axis_off()
    return figure


def coin_walk(path: Tensor) -> Figure:
    """Two players' chances of heads: the way in the square, and both over the rounds.

    Args:
        path: the rounds (n, 2), each number a chance from 0 to 1.
    """
    x, y = path.numpy().T
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    left.plot(x, y, color="0.45", linewidth=1.5)
    for i in range(0, min(len(x) - 4, 63), 8):
        arrow(left, (x[i], y[i]), (x[i + 3], y[i + 3]), "black")
    left.plot(x[0], y[0], "s", color=COLOURS["orange"])
    left.annotate("start", (x[0], y[0]), (6, 4), textcoords="offset points")
    left.plot(0.5, 0.5, "+", color="black", markersize=12)
    left.annotate("equilibrium", (0.5, 0.5), (0, -14), textcoords="offset points")
    left.texts[-1].set(ha="center", fontsize=10)
    left.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(0, 0.5, 1))
    left.set(yticks=(0, 0.5, 1))
    left.set_xlabel("first: chance of heads", color=REAL, fontsize=11)
    left.set_ylabel("second: chance of heads", color=FORGED, fontsize=11)
    for spine in left.spines.values():
        spine.set(visible=True, color="0.3")
    for values, colour, name in ((x, REAL, "first"), (y, FORGED, "second")):
        right.plot(values, color=colour)
        right.annotate(name, (len(x), values[-1]), (3, 0), textcoords="offset points")
        right.texts[-1].set(color=colour, va="center")
    right.axhline(0.5, color="0.4", linestyle="--", linewidth=1)
    right.set(ylim=(0, 1), yticks=(0, 0.5, 1), xlabel="round")
    return figure


def island_film(rows: Mapping[str, Mapping[int, Tensor]]) -> Figure:
    """A film strip for each game: forged points (dots) and the real islands (rings).

    Args:
        rows: name of a game -> number of the round -> forged points (n, 2).
    """
    count = max(len(frames) for frames in rows.values())
    figure = Figure(figsize=(WIDTH, 1.75 * len(rows) + 0.3), layout="constrained")
    grid = figure.subplots(len(rows), count, sharex=True, sharey=True, squeeze=False)
    for line, (name, frames) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(name, fontsize=11)
        for axes, (step, points) in zip(line, frames.items(), strict=False):
            axes.plot(*points.T.numpy(), ".", color=FORGED, markersize=1.5)
            for island in ISLANDS.tolist():
                ring = Circle(island, 2 * SPREAD, fill=False, edgecolor=REAL, lw=1.5)
                axes.add_patch(ring)
            axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[])
            axes.set_aspect("equal")
            axes.grid(False)
            axes.set_title(f"round {step}", fontsize=11)
    return figure


def two_crowds_on_a_line(panels: Mapping[str, Sequence[float]] | None = None):
    """Pairs of bells, with the distance of their middles and of their widths.

    Args:
        panels: title -> mean and spread of the real bell, and of the drawn one; by
            default a bell that is moved, one that is wider, and one that is both.
    """
    panels = panels or {
        "moved by 2": (0, 1, 2, 1),
        "three times as wide": (0, 1, 0, 3),
        "both": (0, 1, 2, 3),
    }
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    grid = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    x = np.linspace(-7, 9, 801)
    for axes, (title, (m1, s1, m2, s2)) in zip(grid, panels.items(), strict=True):
        for mean, spread, colour in ((m1, s1, REAL), (m2, s2, FORGED)):
            bell = np.exp(-0.5 * ((x - mean) / spread) ** 2) / spread / 2.5066
            axes.plot(x, bell, color=colour)
            axes.plot([mean - spread, mean + spread], [0.606 / spread / 2.5066] * 2)
            axes.lines[-1].set(color=colour, linewidth=1.2, linestyle=":")
            axes.plot([mean, mean], [0, 1 / spread / 2.5066], color=colour, lw=1)
        if m1 != m2:
            arrow(axes, (m1, 0.43), (m2, 0.43), "black", both=True)
            axes.text((m1 + m2) / 2, 0.445, f"{abs(m2 - m1):g}", ha="center")
        distance = (m1 - m2) ** 2 + (s1 - s2) ** 2
        says = f"({m2:g} − {m1:g})² + ({s2:g} − {s1:g})² = {distance:g}"
        axes.set_title(title, fontsize=11)
        axes.set_xlabel(says, fontsize=10)
        axes.set(ylim=(0, 0.52), yticks=[], xticks=(-4, 0, 4, 8), xlim=(-7, 9))
        axes.grid(False)
        axes.spines["left"].set_visible(False)
    return figure


def dots_in_panels(
    rows: Mapping[str, Sequence[float]],
    panels: Sequence[str],
    marked: Sequence[str],
    formats: Sequence[str],
) -> Figure:
    """One panel for each measure, one line for each crowd, a dot with its number.

    Args:
        rows: name of a crowd -> its measures, one for each panel.
        panels: the names of the measures.
        marked: crowds whose dots are vermilion.
        formats: how the numbers of each panel are written, such as "{:.0%}".
    """
    figure = Figure(figsize=(WIDTH, 0.85 + 0.36 * len(rows)), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    names = list(rows)
    for k, (axes, title, form) in enumerate(zip(grid, panels, formats, strict=True)):
        top = max(max(values[k] for values in rows.values()), 1e-6)
        for i, name in enumerate(names):
            value = rows[name][k]
            colour = FORGED if name in marked else "0.35"
            axes.plot([0, value], [i, i], color="0.8", linewidth=2)
            axes.plot(value, i, "o", color=colour, markersize=8)
            place_ = dict(textcoords="offset points", va="center", color=colour)
            axes.annotate(form.format(value), (value, i), (8, 0), fontsize=11, **place_)
        axes.set_title(title, fontsize=11)
        axes.set(xlim=(0, 1.5 * top), xticks=[], ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), names)
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
    return figure


def two_directions(shares: Mapping[str, Tensor]) -> Figure:
    """The fits of lesson 05, forward and reverse, above the digits of two machines.

    The forward fit is the bell with the mean and the width of the two humps; the
    reverse fit is the one that 05 reaches from the left, a bell on the left hump.

    Args:
        shares: name of a machine -> which shares of its drawings are accepted as each
            of the ten digits (10,); the first stands below the forward fit, the second
            below the reverse fit. The dashed line is one tenth.
    """
    x = np.linspace(-7, 7, 601)

    def bell(mean: float, width: float) -> np.ndarray:
        return np.exp(-0.5 * ((x - mean) / width) ** 2) / width

    target = 0.6 * bell(-2.5, 0.8) + 0.4 * bell(2.5, 0.8)
    fits = {
        "forward KL: covers": bell(-0.5, np.sqrt(0.8**2 + 0.6 * 2**2 + 0.4 * 3**2)),
        "reverse KL: chooses": bell(-2.5, 0.8),
    }
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    grid = figure.subplots(2, 2, sharey="row")
    for axes, (title, fit) in zip(grid[0], fits.items(), strict=True):
        axes.fill_between(x, target, color=COLOURS["sky"], alpha=0.6)
        axes.plot(x, fit, color=FORGED)
        axes.set_title(title, fontsize=11)
        axes.set(xticks=[], yticks=[], ylim=(0, 1.4))
        axes.grid(False)
    for axes, (name, values) in zip(grid[1], shares.items(), strict=True):
        axes.bar(range(10), 100 * values.numpy(), color=FORGED)
        axes.axhline(10, color=REAL, linestyle="--", linewidth=1.5)
        axes.set_xticks(range(10))
        axes.set_xlabel(f"{name}: accepted as")
        axes.grid(False, axis="x")
    grid[1, 0].set_ylabel("of 100 drawings")
    return figure


def _picture(axes: Axes, image, left, bottom, side, name: str = "") -> None:
    place(axes, image, (left, left + side), (bottom, bottom + side))
    if name:
        middle = left + side / 2
        axes.text(middle, bottom + side + 0.25, name, ha="center", color=GREY)


def _shape(axes: Axes, low, high, name: str, narrow: str) -> None:
    """A trapezoid between two corners, narrower on one side, with its name."""
    (left, bottom), (right, top) = low, high
    cut = 0.22 * (top - bottom)
    a, b = (cut, 0) if narrow == "left" else (0, cut)
    corners = [
        (left, bottom + a),
        (left, top - a),
        (right, top - b),
        (right, bottom + b),
    ]
    look = dict(facecolor=COLOURS["sky"], alpha=0.35, edgecolor=REAL)
    axes.add_patch(Polygon(corners, **look))
    style = dict(ha="center", va="center", color=REAL, fontsize=11)
    axes.text((left + right) / 2, (bottom + top) / 2, name, **style)


def three_walks(walks: Mapping[str, Tensor]) -> Figure:
    """Ways around an equilibrium at (0, 0), a panel each, inside their square.

    Args:
        walks: name of a rule -> the points of its way (n, 2), from -1 to 1.
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, len(walks), sharey=True, squeeze=False)[0]
    for axes, (name, path) in zip(panels, walks.items(), strict=True):
        axes.plot(*path.T.numpy(), color=REAL, linewidth=1.2)
        axes.plot(*path[0].numpy(), "s", color=COLOURS["orange"])
        axes.plot(0, 0, "+", color="black", markersize=12)
        axes.set_title(name, fontsize=11)
        axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x")
        axes.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        for spine in axes.spines.values():
            spine.set(visible=True, color="0.3")
    panels[0].set_ylabel("y")
    return figure


def class_shares(shares: Mapping[str, Tensor]) -> Figure:
    """Shares of ten classes: bars for real digits, dots for each training of a machine.

    Args:
        shares: first the name and the shares of real digits (10,), then of each machine
            the name and the shares (trainings, 10).
    """
    (_, real), *machines = shares.items()
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    panels = figure.subplots(1, len(machines), sharey=True, squeeze=False)[0]
    for axes, (name, trainings) in zip(panels, machines, strict=True):
        axes.bar(range(10), 100 * real.numpy(), color="0.85", width=0.9)
        for i, values in enumerate(trainings):
            across = [k + 0.22 * (i - (len(trainings) - 1) / 2) for k in range(10)]
            axes.plot(across, 100 * values.numpy(), "o", color=FORGED, markersize=4)
        axes.set_title(name, fontsize=11)
        axes.set(xticks=range(10), xlabel="class")
        axes.grid(False, axis="x")
    panels[0].set_ylabel("percent")
    return figure
