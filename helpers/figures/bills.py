"""Pictures of lesson 05: codebooks and their bills, and how far two bells differ."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH

FILLS = ("sky", "green", "orange", "purple")
GREY = "0.35"


def bill(
    shares: Sequence[float],
    books: Mapping[str, Sequence[float]],
    names: Sequence[str],
    own: Sequence[float] | None = None,
) -> Figure:
    """What A's orders cost: width is how often, height the length of the word in bits.

    What is longer than in A's own book is hatched, and what is shorter is dotted.

    Args:
        shares: how often each thing is ordered (n,), n at most 4, with the sum 1.
        books: from the title of a panel to the lengths of the words (n,).
        names: of the things, one for each share.
        own: the lengths (n,) in A's own book; by default, those of the first panel.

    Raises:
        ValueError: there are more than four things, or the shares do not add up to 1.
    """
    if len(shares) > len(FILLS) or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(
            f"a bill holds at most {len(FILLS)} things whose shares add up to 1, "
            f"not {list(shares)}."
        )
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    panels = figure.subplots(1, len(books), sharey=True, squeeze=False)[0]
    own = list(own or next(iter(books.values())))
    highest = max(max(lengths) for lengths in books.values())
    for axes, (title, lengths) in zip(panels, books.items(), strict=True):
        left = 0.0
        for i, (share, length) in enumerate(zip(shares, lengths, strict=True)):
            low, high = sorted((own[i], length))
            _box(axes, left, 0, share, length, facecolor=COLOURS[FILLS[i]])
            if high - low > 1e-9:
                more = dict(hatch="////") if length > own[i] else dict(ls=":", lw=1.5)
                _box(axes, left, low, share, high - low, **more)
            middle, turned = left + share / 2, 90 if share < 0.2 else 0
            style = dict(ha="center", va="bottom", fontsize=11, rotation=turned)
            if low < 0.12 * highest < high:  # the name lies on the hatching
                style["bbox"] = dict(facecolor="white", edgecolor="none", pad=1)
            if length > highest * (0.3 if turned else 0.1):
                axes.text(middle, 0.02 * highest, names[i], **style)
            if length > own[i] and share > 0.4:
                white = dict(facecolor="white", edgecolor="none", pad=2)
                style = dict(ha="center", va="center", bbox=white)
                axes.text(middle, (low + high) / 2, "paid on top", **style)
            left += share
        total = sum(a * b for a, b in zip(shares, lengths, strict=True))
        total = f"{total:.3f}".rstrip("0")
        axes.set_title(f"{title}:\n{total} bits an order", fontsize=12)
        axes.set(xlim=(0, 1), ylim=(0, 1.06 * highest), xticks=[0, 0.5, 1])
        axes.set_xlabel("how often A orders it")
        axes.grid(False)
    panels[0].set_ylabel("length of its word, bits")
    return figure


def form_shares(form: Mapping[str, Mapping[str, Sequence[float]]], who) -> Figure:
    """A panel for each question: how often each answer is given by three groups.

    Args:
        form: question -> answer -> percentages, one for each group.
        who: names of the groups, at most three.
    """
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    panels = figure.subplots(2, (len(form) + 1) // 2).flat
    looks = [COLOURS["blue"], COLOURS["sky"], COLOURS["orange"]]
    for axes, (question, answers) in zip(panels, form.items(), strict=False):
        places = np.arange(len(answers))
        for i, name in enumerate(who):
            percent = [shares[i] for shares in answers.values()]
            axes.barh(places + 0.27 * (i - 1), percent, 0.25, color=looks[i])
            axes.containers[-1].set_label(name)
            for place, value in zip(places + 0.27 * (i - 1), percent, strict=True):
                says = dict(va="center", fontsize=9, color="0.25")
                axes.text(value + 2, place + 0.02, f"{value:g}", **says)
        axes.set_yticks(places, answers, fontsize=11)
        axes.invert_yaxis()
        axes.set(xlim=(0, 118), xticks=[0, 50, 100])
        axes.set_title(question, fontsize=12)
        axes.grid(False, axis="y")
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, fontsize=12)
    figure.supxlabel("how often, in percent", fontsize=12)
    return figure


def paid_bills(bits: Mapping[str, Mapping[str, float]]) -> Figure:
    """Bars of bits a form: what its own book takes, and hatched what comes on top.

    Args:
        bits: whose forms -> whose book -> bits a form. Each row has its own book.
    """
    count = sum(len(books) + 1.4 for books in bits.values())
    figure = Figure(figsize=(WIDTH, 0.27 * count + 0.6), layout="constrained")
    axes = figure.subplots()
    place, ticks = 0.0, []
    for crowd, books in bits.items():
        title = dict(weight="bold", va="center")
        axes.text(0, place, f"forms of {crowd}", **title)
        for book, paid in books.items():
            place += 1
            own = books[crowd]
            axes.barh(place, min(own, paid), 0.8, color=COLOURS["sky"])
            over = dict(facecolor="none", edgecolor="black", hatch="////", lw=0.8)
            axes.barh(place, max(paid - own, 0), 0.8, left=own, **over)
            says = f"{paid:.1f} bits"
            says += f", {paid - own:.2f} extra" if book != crowd else ""
            axes.text(paid + 0.4, place, says, va="center")
            owner = book + ("'" if book.endswith("s") else "'s")
            ticks.append((place, f"in {owner} words"))
        place += 1.4
    axes.set_yticks([p for p, _ in ticks], [text for _, text in ticks])
    axes.set_ylim(place - 0.9, -0.6)
    widest = max(max(books.values()) for books in bits.values())
    axes.set(xlim=(0, 1.6 * widest), xlabel="bits for a form")
    axes.grid(False, axis="y")
    return figure


def pairs_of_bars(
    panels: Mapping[str, Mapping[str, Sequence[float]]], labels: Sequence[str]
) -> Figure:
    """Pairs of horizontal bars; an infinite one runs out of the figure.

    Args:
        panels: title -> name of a bar (two a panel) -> one value for each label.
        labels: at the left, such as the questions.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    bars = [values for panel in panels.values() for values in panel.values()]
    edge = 1.25 * max(v for values in bars for v in values if np.isfinite(v))
    places = np.arange(len(labels))
    for axes, (title, pair) in zip(grid, panels.items(), strict=True):
        for (name, values), shift, colour in zip(
            pair.items(), (-0.2, 0.2), ("vermilion", "blue"), strict=True
        ):
            for place, value in zip(places + shift, values, strict=True):
                endless = np.isinf(value)
                length = edge if endless else value
                bar = axes.barh(place, length, 0.38, color=COLOURS[colour])
                bar.set_label(name if place == shift else "_")
                text = "endless →" if endless else f"{value:.1f}"
                where = (0.97 * edge, "right") if endless else (value + 0.1, "left")
                ink = "white" if endless else "black"
                style = dict(va="center", color=ink, fontsize=10)
                axes.text(where[0], place, text, ha=where[1], **style)
        axes.set(xlim=(0, edge), xlabel="extra bits")
        axes.set_title(title, fontsize=12)
        axes.grid(False, axis="y")
    grid[0].set_yticks(places, labels)
    grid[0].invert_yaxis()
    handles = grid[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=2)
    return figure


def tangent(p: Sequence[float], q: Sequence[float], names: Sequence[str]) -> Figure:
    """The logarithm to base 2, its tangent at 1, and the gap at each ratio q/p.

    Args:
        p, q: shares of the same things (n,), none of them zero.
        names: of the things.
    """
    slope = 1 / np.log(2)
    ratio = np.asarray(q, dtype=float) / np.asarray(p, dtype=float)
    x = np.linspace(0.12, 1.15 * ratio.max(), 300)
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(x, slope * (x - 1), color=COLOURS["black"], lw=1.5)
    axes.plot(x, np.log2(x), color=COLOURS["blue"])
    for r, name in zip(ratio, names, strict=True):
        low, high = np.log2(r), slope * (r - 1)
        axes.plot([r, r], [low, high], color=COLOURS["vermilion"], lw=4)
        axes.plot(r, low, "o", color=COLOURS["blue"])
        says = f"{name}: gap {high - low:.2f}"
        axes.text(r + 0.1, low - 0.15, says, va="top", color=COLOURS["vermilion"])
    end = 0.72 * x[-1]
    axes.text(end, slope * (end - 1) + 0.25, "tangent", ha="right")
    axes.text(x[-1], np.log2(x[-1]) + 0.2, "log₂", ha="right", color=COLOURS["blue"])
    axes.set(xlabel="ratio q / p", ylabel="bits", ylim=(-3.2, slope * (x[-1] - 1)))
    axes.set_xlim(0, 1.36 * ratio.max())
    return figure


def bins(tables: Mapping[str, tuple[Tensor, Tensor, Tensor]]) -> Figure:
    """Two bells as histograms with narrower and narrower bins, a panel each.

    Args:
        tables: title of a panel -> the edges of its bins (n + 1,) and the
            probabilities of p and of q between them (n,).
    """
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
    for axes, (title, (edges, p, q)) in zip(panels, tables.items(), strict=True):
        width = float(edges[1] - edges[0])
        axes.stairs(p / width, edges, fill=True, color=COLOURS["sky"], alpha=0.7)
        axes.stairs(q / width, edges, color=COLOURS["vermilion"], lw=2)
        axes.set_title(title, fontsize=12)
        axes.set(xlim=(-4, 5), xticks=[-3, 0, 3], xlabel="x")
    panels[0].set_ylabel("probability / width")
    panels[-1].text(-1.3, 0.25, "p", color=COLOURS["blue"], ha="right")
    panels[-1].text(2.2, 0.25, "q", color=COLOURS["vermilion"])
    return figure


def two_bells(x: Tensor, p: Tensor, q: Tensor, there: float, back: float) -> Figure:
    """Two tables on a fine grid, and below them what KL(p‖q) adds up.

    Args:
        x: the grid (n,), evenly spaced.
        p, q: probabilities in its bins (n,).
        there, back: KL(p‖q) and KL(q‖p) in nats, for the title.
    """
    width = float(x[1] - x[0])
    p, q = np.asarray(p) / width, np.asarray(q) / width
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(p > 0, p * np.log(p / q), 0)
    figure = Figure(figsize=(4.6, 4.4), layout="none")
    top, low = figure.subplots(2, 1)
    top.fill_between(x, p, color=COLOURS["sky"], alpha=0.6)
    top.plot(x, q, color=COLOURS["vermilion"])
    top.text(-1.2, 0.22, "p", color=COLOURS["blue"], ha="right")
    peak = int(q.argmax())
    top.text(float(x[peak]), q[peak] + 0.04, "q", color=COLOURS["vermilion"])
    low.fill_between(x, part.clip(min=0), color=COLOURS["black"])
    low.fill_between(x, part.clip(max=0), color=COLOURS["orange"])
    top.set_title(f"KL(p‖q) = {there:.2f}, KL(q‖p) = {back:.2f} nats")
    top.set(xticks=[], yticks=[0, 0.5, 1], ylim=(0, 1.5), ylabel="density")
    high = part[np.isfinite(part)].max()
    low.set(xticks=[-4, 0, 4], ylim=(-0.5, max(1, 1.1 * high)))
    low.set(xlabel="x", ylabel="p log p/q")
    for axes in (top, low):
        axes.set_xlim(-6, 6)
    figure.subplots_adjust(left=0.18, right=0.97, bottom=0.13, top=0.92)
    return figure


def fits_in_motion(
    x: Tensor, target: Tensor, rows: Mapping[str, Mapping[int, Tensor]]
) -> Figure:
    """A film strip for each row: a bell (line) that moves over a target (area).

    Args:
        x: a grid (n,), evenly spaced.
        target: probabilities in its bins (n,).
        rows: name of a row -> number of the step -> the bell's probabilities (n,).
    """
    width = float(x[1] - x[0])
    count = max(len(frames) for frames in rows.values())
    figure = Figure(figsize=(WIDTH, 1.25 * len(rows) + 0.3), layout="constrained")
    grid = figure.subplots(len(rows), count, sharex=True, sharey=True, squeeze=False)
    for line, (name, frames) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axes, (step, bell) in zip(line, frames.items(), strict=False):
            axes.fill_between(x, target / width, color=COLOURS["sky"], alpha=0.6)
            axes.plot(x, bell / width, color=COLOURS["vermilion"])
            axes.set(xlim=(-7, 7), ylim=(0, 0.55), xticks=[], yticks=[])
            if name == next(iter(rows)):
                axes.set_title(f"{step} steps" if step else "start", fontsize=11)
    return figure


def penalties(x: Tensor, target: Tensor, fits: Mapping[str, Tensor]) -> Figure:
    """Bells over a target, a column each, and below them what both KLs add up.

    Args:
        x: a grid (n,), evenly spaced.
        target: probabilities in its bins (n,), all above zero.
        fits: title of a column -> the bell's probabilities (n,), all above zero.
    """
    width = float(x[1] - x[0])
    figure = Figure(figsize=(WIDTH, 5.0), layout="constrained")
    grid = figure.subplots(3, len(fits), sharex=True, sharey="row", squeeze=False)
    for column, (title, bell) in zip(grid.T, fits.items(), strict=True):
        parts = [target * (target / bell).log(), bell * (bell / target).log()]
        column[0].fill_between(x, target / width, color=COLOURS["sky"], alpha=0.6)
        column[0].plot(x, bell / width, color=COLOURS["vermilion"])
        column[0].set_title(title, fontsize=12)
        for axes, part in zip(column[1:], parts, strict=True):
            density = np.asarray(part / width)
            axes.fill_between(x, density.clip(min=0), color=COLOURS["black"])
            axes.fill_between(x, density.clip(max=0), color=COLOURS["orange"])
            says = f"{float(part.sum()):.2f} nats"
            style = dict(ha="right", va="top", transform=axes.transAxes)
            axes.text(0.98, 0.96, says, **style)
        column[0].set(xlim=(-7, 7))
        column[2].set_xlabel("x")
    for axes in grid[1:, 0]:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.25 * (high - low))  # room for the sums
    grid[0, 0].set_ylabel("density")
    grid[1, 0].set_ylabel("p log p/q")
    grid[2, 0].set_ylabel("q log q/p")
    return figure


def settling(
    lines: Mapping[str, Sequence[float]],
    *,
    level: tuple[str, float],
    xlabel: str,
    ylabel: str,
    bottom: float = 0,
) -> Figure:
    """What holds after 1, 2, 3 ... things, over a logarithmic axis of their number.

    Args:
        lines: name -> a value after each thing (n,), at most four.
        level: a name and a height, drawn as a dashed line.
        xlabel, ylabel: what stands at the axes.
        bottom: where the upright axis begins.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    inks = [COLOURS[c] for c in ("vermilion", "green", "black", "blue")]
    name, height = level
    ends = [(height, name, "0.3")]
    for (name, values), ink in zip(lines.items(), inks, strict=False):
        count = len(values)
        axes.semilogx(range(1, count + 1), values, color=ink)
        ends.append((float(values[-1]), name, ink))
    axes.axhline(height, color="0.4", ls="--", lw=1.5)
    axes.set(xlim=(1, count), xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=bottom)
    step, lowest = 0.08 * (axes.get_ylim()[1] - bottom), -1.0
    for height, name, ink in sorted(ends):
        lowest = max(height, lowest + step)
        style = dict(textcoords="offset points", va="center", color=ink)
        axes.annotate(name, (count, lowest), (5, 0), annotation_clip=False, **style)
    decades = [10**k for k in range(5) if 10**k <= count]
    axes.set_xticks(decades, [f"{d:,}" for d in decades])
    return figure


def answers_and_bills(
    pictures: Tensor, answers: Tensor, labels: Sequence[int]
) -> Figure:
    """Digits, the probabilities that a classifier gives to 0 ... 9, and its bill.

    Args:
        pictures: (n, 1, 28, 28), values in [0, 1].
        answers: one row of probabilities for each picture (n, 10).
        labels: what the pictures show (n,); that bar is orange.
    """
    count = len(pictures)
    figure = Figure(figsize=(WIDTH, 3.5), layout="constrained")
    grid = figure.subplots(2, count, height_ratios=(1.15, 1), sharey="row")
    for (top, low), picture, row, label in zip(
        grid.T, as_pictures(pictures), np.asarray(answers), labels, strict=True
    ):
        label = int(label)
        top.imshow(picture, vmin=0, vmax=1)
        top.set_axis_off()
        inks = [COLOURS["orange" if k == label else "sky"] for k in range(10)]
        low.bar(range(10), row, color=inks)
        price = f"−log {row[label]:.3g} = {-np.log(row[label]):.2f}"
        low.set_title(f"right is {label}:\n{price}", fontsize=11)
        low.set(xticks=range(10), ylim=(0, 1), yticks=[0, 0.5, 1])
        low.tick_params(axis="x", labelsize=9)
        low.grid(False, axis="x")
    grid[1, 0].set_ylabel("probability")
    return figure


def _box(axes: Axes, left, bottom, width, height, **style) -> None:
    style = dict(facecolor="none", edgecolor="black", lw=1) | style
    if style["facecolor"] != "none":
        style["edgecolor"] = "white"
    axes.add_patch(Rectangle((left, bottom), width, height, **style))


def heat_table(
    values: Tensor, marked: Sequence[tuple[int, int]] = (), darkest: float | None = None
) -> Figure:
    """A table of KL values in greys: the row happens, the column is the codebook.

    Args:
        values: (n, n).
        marked: places (row, column) with an orange frame.
        darkest: the value that is black; by default the largest.
    """
    values = np.asarray(values)
    darkest = darkest or float(values.max())
    figure = Figure(figsize=(WIDTH, 0.42 * len(values) + 0.9), layout="constrained")
    axes = figure.subplots()
    axes.imshow(values, cmap="Greys", vmin=0, vmax=darkest, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        ink = "white" if value > 0.62 * darkest else "black"
        axes.text(j, i, f"{value:.0f}", ha="center", va="center", color=ink)
    for i, j in marked:
        frame = dict(edgecolor=COLOURS["vermilion"], lw=2.5)
        _box(axes, j - 0.47, i - 0.47, 0.94, 0.94, **frame)
    axes.set(xticks=range(len(values)), yticks=range(len(values)))
    axes.set(xlabel="in the words of", ylabel="images of")
    axes.grid(False)
    return figure
