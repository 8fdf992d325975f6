"""What a guesser believes, and whose a row is: beliefs, shares, components, plans."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle
from torch import Tensor

from helpers.figures.drawings import GREY, arrow, blank, place
from helpers.figures.grids import as_pictures
from helpers.figures.style import COLOURS, WIDTH, text_width

OF_GROUPS = [COLOURS[name] for name in ("vermilion", "green", "black", "blue")]
OF_COMPONENTS = [COLOURS["blue"], COLOURS["vermilion"]]


def belief_film(beliefs: dict[str, Tensor], things, shown: Sequence[str]) -> Figure:
    """A film strip: the belief in groups and in single things, as bars, clue by clue.

    Args:
        beliefs: from the title of a frame to a belief (n,) that adds up to 1; one to
            seven frames.
        things: names, groups and group, as `helpers.datasets.forty_things` gives them.
        shown: names of the single things that get a bar.

    Raises:
        ValueError: there is no frame or more than seven, or a belief another length.
    """
    if not 1 <= len(beliefs) <= 7:
        raise ValueError(f"a film strip has 1 to 7 frames, not {len(beliefs)}.")
    if any(len(belief) != len(things.names) for belief in beliefs.values()):
        raise ValueError(f"each belief needs {len(things.names)} probabilities.")
    numbers = [things.names.index(name) for name in shown]
    count = len(things.groups)
    heights = [*range(count), *(count + 0.7 + i for i in range(len(shown)))]
    colours = OF_GROUPS[:count] + [OF_GROUPS[things.group[i]] for i in numbers]
    figure = Figure(figsize=(WIDTH, 0.55 + 0.235 * (heights[-1] + 1)), layout="none")
    label = text_width([*things.groups, *shown]) + 0.12
    left, bottom = label / WIDTH, 0.08 / figure.get_figheight()
    top = 1 - 0.36 / figure.get_figheight()
    step = (1 - left) / len(beliefs)
    for i, (title, belief) in enumerate(beliefs.items()):
        axes = figure.add_axes((left + i * step, bottom, 0.93 * step, top - bottom))
        of_groups = torch.zeros(count).index_add(0, things.group, belief.float())
        values = (100 * torch.cat([of_groups, belief[numbers].float()])).tolist()
        axes.barh(heights, values, color=colours, height=0.75)
        for height, value in zip(heights, values, strict=True):
            inside = value > 55
            style = dict(va="center", size=9, color="white" if inside else "0.25")
            place = (value - 3, height) if inside else (value + 3, height)
            text = _percent(value)
            axes.text(*place, text, ha="right" if inside else "left", **style)
        fits = min(11, 11 * 0.93 * step * WIDTH / text_width([title]))
        axes.set_title(title, fontsize=fits, loc="left")
        axes.set(xlim=(0, 100), ylim=(heights[-1] + 0.6, -0.6), xticks=[])
        axes.set_yticks(heights, [*things.groups, *shown] if i == 0 else [])
        axes.tick_params(length=0)
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
    return figure


def answers_table(
    chance: Tensor, names: Sequence[str], questions: Sequence[str]
) -> Figure:
    """A table with heads: the probability of yes, in percent, darker where larger.

    Args:
        chance: probabilities (n, q); names and questions have these lengths.
    """
    cell, head = 0.235, text_width(list(questions)) * 0.72 + 0.1
    label = text_width(list(names)) + 0.12
    figure = Figure(figsize=(WIDTH, head + cell * len(names)), layout="none")
    height = figure.get_figheight()
    right = 0.8 * text_width([questions[-1]])  # the last head leans over the edge
    size = (1 - (label + right) / WIDTH, cell * len(names) / height)
    axes = figure.add_axes((label / WIDTH, 0.005, *size))
    chance = np.asarray(chance)
    axes.imshow(chance, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), value in np.ndenumerate(chance):
        ink = "white" if value > 0.7 else "black"
        style = dict(ha="center", va="center", size=10, color=ink)
        axes.text(column, row, f"{100 * value:.0f}", **style)
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(questions)), questions, rotation=40, ha="left")
    axes.tick_params(length=0, labeltop=True, labelbottom=False, pad=1)
    for text in axes.get_xticklabels():
        text.set_rotation_mode("anchor")
    axes.grid(False)
    return figure


def counted_rounds(kept: dict[str, int], rounds: int = 100) -> Figure:
    """Rounds as dots in boxes, a box for each thing; the rounds that are kept are full.

    Args:
        kept: from the name of a thing to how many of its rounds fit the clue.
        rounds: of each thing, a square number.
    """
    side, total = int(rounds**0.5), sum(kept.values())
    figure = Figure(figsize=(WIDTH, 2.35), layout="none")
    step = 1 / len(kept)
    for i, (name, count) in enumerate(kept.items()):
        axes = figure.add_axes((i * step + 0.02, 0.13, step - 0.04, 0.74))
        y, x = np.divmod(np.arange(rounds), side)
        axes.scatter(x, y, s=14, facecolors="none", edgecolors="0.7", linewidths=0.8)
        axes.scatter(x[:count], y[:count], s=16, color=COLOURS["vermilion"])
        axes.set(xlim=(-0.8, side - 0.2), ylim=(side - 0.2, -0.8), aspect="equal")
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set(visible=True, color="0.7")
        axes.set_title(f"{name}: {count}", loc="center", fontsize=11)
        share = f"{100 * count / total:.0f}% of the {total}"
        axes.set_xlabel(share, fontsize=10, labelpad=3)
    return figure


def bars(values: Tensor, names: Sequence[str], xlabel: str) -> Figure:
    """Horizontal bars with their names, the longest at the top."""
    values = np.asarray(values)
    order = values.argsort()
    height = 0.75 + 0.19 * len(names)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.barh([names[i] for i in order], values[order], color=COLOURS["sky"])
    axes.set(xlabel=xlabel, ylim=(-0.7, len(names) - 0.3))
    axes.tick_params(axis="y", labelsize=10, length=0)
    axes.grid(False, axis="y")
    return figure


def one_round(answers: Tensor, shares: Tensor, before: Tensor) -> Figure:
    """One round of EM by hand: rows, how they are shared, and what the shares count.

    Args:
        answers: rows of 0 and 1 (n, q).
        shares: (n, 2), each row adds up to 1.
        before: the two components (2, q) that shared them.
    """
    count = shares.sum(0)
    weights, after = count / len(shares), shares.T @ answers / count[:, None]
    rows, questions = answers.shape
    axes = blank((0, 17.6), (-0.7, rows + 1.3))
    for column in range(questions):
        axes.text(0.75 + 1.1 * column, rows + 0.35, f"{column + 1}.", **_mid(GREY))
    axes.text(0.75 + 0.55 * (questions - 1), rows + 0.95, "answers", **_mid())
    axes.text(6.8, rows + 0.6, "E: to whom does the row belong?", **_mid())
    for row in range(rows):
        y = rows - row - 0.5
        for column, answer in enumerate(answers[row].tolist()):
            _card(axes, 0.75 + 1.1 * column, y, "yes" if answer else "no", bool(answer))
        start = 3.6
        for share, colour in zip(shares[row].tolist(), OF_COMPONENTS, strict=True):
            bar = Rectangle((start, y - 0.33), 6.4 * share, 0.66, color=colour)
            axes.add_patch(bar)
            text = f"{share:.1f}"
            axes.text(start + 3.2 * share, y, text, **_mid("white", size=10))
            start += 6.4 * share
    axes.text(14.1, rows + 0.6, "M: count with the shares", **_mid())
    arrow(axes, (10.15, rows / 2), (10.95, rows / 2))
    for k, (name, colour) in enumerate(zip("AB", OF_COMPONENTS, strict=True)):
        top = rows - 0.4 - k * (rows / 2)
        axes.text(11.3, top, f"component {name}", color=colour, va="center")
        for line, (text, values) in enumerate(
            (("before", before[k]), ("after", after[k]))
        ):
            y = top - 0.75 * (line + 1)
            axes.text(11.3, y, text, color=GREY, va="center", size=10)
            for column, value in enumerate(values.tolist()):
                number = f"{value:.2f}"
                style = _mid(colour if line else GREY, size=11)
                axes.text(13.7 + 1.5 * column, y, number, **style)
        share = f"weight {weights[k]:.2f}"
        axes.text(14.6, top, share, color=GREY, va="center", size=10)
    return axes.figure


def shared_points(points: Tensor, frames: dict[str, tuple[Tensor, Tensor]]) -> Figure:
    """A film strip of points in a plane, coloured by their shares in two components.

    Args:
        points: (n, 2).
        frames: from a title to the shares (n, 2) and the centres (2, 2) of a round.
    """
    columns = 3
    lines = -(-(len(frames) + 1) // columns)
    figure = Figure(figsize=(WIDTH, 2.2 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True).flat
    points = points.detach().cpu().numpy()
    ends = np.array([to_rgb(colour) for colour in OF_COMPONENTS])
    panels = [("what we see", None), *frames.items()]
    for axes, (title, frame) in zip(grid, panels, strict=False):
        if frame is None:
            axes.scatter(*points.T, s=7, c="0.55", linewidths=0)
        else:
            share = frame[0].detach().cpu().numpy()[:, :1]
            doubt = 1 - np.abs(2 * share - 1)  # 0 where the share is 0 or 1
            colours = share * ends[0] + (1 - share) * ends[1]
            colours = (1 - 0.75 * doubt) * colours + 0.75 * doubt * 0.85
            first = share[:, 0] >= 0.5  # the marks differ as well, for a grey print
            for which, mark in ((first, "o"), (~first, "^")):
                style = dict(s=9, c=colours[which], marker=mark, linewidths=0)
                axes.scatter(*points[which].T, **style)
        for name, colour, centre in zip(
            "AB",
            OF_COMPONENTS,
            [] if frame is None else frame[1].tolist(),
            strict=False,
        ):
            circle = dict(fill=False, edgecolor=colour, linewidth=1.8)
            axes.add_patch(Circle(centre, 1.0, **circle))
            box = dict(boxstyle="circle,pad=0.12", facecolor="white", edgecolor=colour)
            axes.text(*centre, name, **_mid(colour, size=10), bbox=box)
        axes.set_title(title, fontsize=11)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.grid(False)
    for axes in list(figure.axes)[len(panels) :]:
        axes.set_axis_off()
    return figure


def falling(
    lines: dict[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    doubling: bool = False,
) -> Figure:
    """At most four curves in a window around them, each with its name at its end.

    Args:
        lines: from the name of a curve to its x and y values.
        xlabel, ylabel: what stands at the axes, with units.
        doubling: equal steps to the right multiply x, and the x values are the ticks.

    Raises:
        ValueError: there is no curve, or there are more than four.
    """
    colours = [COLOURS[name] for name in ("vermilion", "blue", "green", "black")]
    if not 1 <= len(lines) <= len(colours):
        raise ValueError(f"a figure holds 1 to 4 curves, not {len(lines)}.")
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    styles = ("-", "--", "-.", ":")
    for colour, style, (x, y) in zip(colours, styles, lines.values(), strict=False):
        axes.plot(x, y, style, marker="o" if doubling else "", color=colour)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if doubling:
        axes.set_xscale("log")
        axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.minorticks_off()
    low, high = axes.get_ylim()
    lowest = low - high
    place = dict(xycoords=axes.get_yaxis_transform(), textcoords="offset points")
    ends = [(y[-1], i, name) for i, (name, (_, y)) in enumerate(lines.items())]
    for height, i, name in sorted(ends):
        lowest = max(float(height), lowest + 0.09 * (high - low))
        style = dict(va="center", color=colours[i])
        axes.annotate(name, (1, lowest), (5, 0), **place, **style)
    return figure


def die_and_cards(
    weights: Tensor, components: Tensor, chosen: int, drawn: Tensor
) -> Figure:
    """A mixture as a story: a die draws a card, and coins draw the picture.

    Args:
        weights: probabilities of ten cards (10,).
        components: probabilities of ink (10, 28, 28).
        chosen: the card that the die has drawn, 0 to 9.
        drawn: the picture of 0 and 1 (1, 28, 28).
    """
    cards, picture = as_pictures(components), as_pictures(drawn[None])[0]
    axes = blank((-0.7, 17.6), (-0.9, 5.6))
    die = dict(boxstyle="round,pad=0,rounding_size=0.3", facecolor="white")
    axes.add_patch(FancyBboxPatch((0.3, 1.5), 1.8, 1.8, edgecolor="black", lw=2, **die))
    for x, y in ((0.75, 1.95), (1.65, 2.85), (0.75, 2.85), (1.65, 1.95), (1.2, 2.4)):
        axes.add_patch(Circle((x, y), 0.16, color="black"))
    axes.text(1.2, 0.6, "first the die:\nwhich card?", **_mid(size=11))
    axes.text(7.9, 5.0, "ten cards with chances of ink, and their weights", **_mid())
    for k, (card, weight) in enumerate(zip(cards, weights.tolist(), strict=True)):
        x, y = 3.6 + 1.76 * (k % 5), 2.65 - 2.5 * (k // 5)
        place(axes, card, (x, x + 1.6), (y, y + 1.6))
        is_it = k == chosen
        style = _mid(COLOURS["vermilion"] if is_it else GREY, size=10)
        axes.text(x + 0.8, y - 0.35, f"{100 * weight:.0f}%", **style)
        if is_it:
            edge = dict(fill=False, edgecolor=COLOURS["vermilion"], lw=3, zorder=3)
            axes.add_patch(Rectangle((x, y), 1.6, 1.6, **edge))
    arrow(axes, (2.35, 2.4), (3.3, 2.4))
    arrow(axes, (12.55, 2.4), (13.5, 2.4))
    place(axes, picture, (13.8, 17.2), (0.7, 4.1))
    axes.text(15.5, -0.1, "then 784 coins:\nink or no ink?", **_mid(size=11))
    return axes.figure


def yes_no_tree(expected: dict[str, float], words: dict[str, str]) -> Figure:
    """A plan of yes/no questions as a tree; each thing hangs at the end of its answers.

    Args:
        expected: from the name of a thing to its probability.
        words: from the same names to the answers that lead there, "0" no and "1" yes.
    """
    depth = max(map(len, words.values()))
    leaves = sorted(words, key=words.get)
    across = {words[name]: i for i, name in enumerate(leaves)}
    for length in range(depth - 1, -1, -1):
        for path in {word[:length] for word in words.values() if len(word) > length}:
            across[path] = (across[path + "0"] + across[path + "1"]) / 2
    figure = Figure(figsize=(WIDTH, 0.75 + 0.55 * depth), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    for path, x in across.items():
        inside = path not in words.values()
        if path:
            above = across[path[:-1]]
            axes.plot([above, x], [1 - len(path), -len(path)], color="0.6", lw=1.5)
            middle = (0.45 * above + 0.55 * x, 0.45 - len(path))
            box = dict(facecolor="white", edgecolor="none", pad=1)
            text = "yes" if path[-1] == "1" else "no"
            axes.text(*middle, text, **_mid(GREY, size=9), bbox=box)
        if inside:
            axes.plot(x, -len(path), "o", color=COLOURS["blue"], zorder=3)
    for name in leaves:
        text = f"{name}\n{expected[name]:.3g}"
        style = dict(ha="center", va="top", size=10, color=COLOURS["vermilion"])
        axes.text(across[words[name]], -len(words[name]) - 0.08, text, **style)
    axes.set(xlim=(-0.6, len(leaves) - 0.4), ylim=(-depth - 0.85, 0.25))
    axes.set_axis_off()
    return figure


def sheet(pictures: Tensor) -> Figure:
    """A square number of pictures as one sheet, row by row, without gaps.

    Args:
        pictures: (side * side, 28, 28), values in [0, 1].
    """
    images = as_pictures(pictures)
    side = round(len(images) ** 0.5)
    if side * side != len(images):
        raise ValueError(f"{len(images)} pictures do not fill a square.")
    whole = images.reshape(side, side, 28, 28).swapaxes(1, 2).reshape(28 * side, -1)
    figure = Figure(figsize=(5.04, 5.04), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow((15 * whole).round() / 15)  # 16 shades keep the file small
    axes.set_axis_off()
    return figure


def guessed_picture(frames: dict[str, tuple[Tensor, Tensor, Tensor]]) -> Figure:
    """A film strip: what is seen of a digit, the belief about its place, the guess.

    Args:
        frames: from a title to three pictures: the seen pixels (28, 28), the belief
            (side, side), the expected picture (28, 28).
    """
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    grid = figure.subplots(3, len(frames), squeeze=False)
    for column, (title, (seen, belief, guess)) in enumerate(frames.items()):
        grid[0, column].imshow(np.asarray(seen), vmin=0, vmax=1)
        grid[1, column].imshow(np.asarray(belief.sqrt()), cmap="gray_r", vmin=0)
        grid[2, column].imshow(np.asarray(guess), vmin=0, vmax=1)
        grid[0, column].set_title(title, fontsize=11)
    for axes, name in zip(grid[:, 0], ("seen", "belief", "expected"), strict=True):
        axes.set_ylabel(name)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
    return figure


def _percent(value: float) -> str:
    if value >= 10:
        return f"{value:.0f}%"
    return f"{value:.2g}%" if value >= 0.95 else "<1%" if value >= 0.1 else "0"


def _mid(colour: str = "black", size: float = 12) -> dict:
    return dict(ha="center", va="center", color=colour, size=size)


def _card(axes: Axes, x: float, y: float, text: str, full: bool) -> None:
    face = "0.35" if full else "white"
    box = dict(boxstyle="round,pad=0,rounding_size=0.1", facecolor=face)
    axes.add_patch(
        FancyBboxPatch((x - 0.45, y - 0.33), 0.9, 0.66, edgecolor=GREY, **box)
    )
    axes.text(x, y, text, **_mid("white" if full else GREY, size=10))
