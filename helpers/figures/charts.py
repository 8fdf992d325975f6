"""Curves with their labels."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from helpers.figures.style import COLOURS, WIDTH

ORDER = ("vermilion", "blue", "green", "black")


def curves(
    lines: dict[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    marks: bool = False,
    level: tuple[str, float] | None = None,
) -> Figure:
    """At most four curves over one pair of axes, each with its name at its end.

    Args:
        lines: from the name of a curve to its x and y values.
        xlabel, ylabel: what stands at the axes, with units.
        marks: a dot at each value, and the x values themselves as ticks.
        level: a name and a height, drawn as a dashed line to compare with.

    Raises:
        ValueError: there is no curve, or there are more than four.
    """
    if not 1 <= len(lines) <= len(ORDER):
        raise ValueError(f"a figure holds 1 to {len(ORDER)} curves, not {len(lines)}.")
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    for colour, (name, (x, y)) in zip(ORDER, lines.items(), strict=False):
        axes.plot(x, y, "o-" if marks else "-", color=COLOURS[colour], label=name)
        if marks:
            axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=0)
    ends = [
        (line.get_ydata()[-1], line.get_label(), line.get_color())
        for line in axes.lines
    ]
    if level is not None:
        axes.axhline(level[1], color="0.4", linestyle="--", linewidth=1.5)
        ends.append((level[1], level[0], "0.4"))
    # Names stand at the right edge, at the height of their curve or just above it.
    step, lowest = 0.08 * axes.get_ylim()[1], -1.0
    for height, name, colour in sorted(ends):
        lowest = max(float(height), lowest + step)
        place = dict(xycoords=axes.get_yaxis_transform(), textcoords="offset points")
        axes.annotate(name, (1, lowest), (5, 0), va="center", color=colour, **place)
    return figure


def loss_curves(
    training: Sequence[float],
    validation: Sequence[float] = (),
    level: tuple[str, float] | None = None,
) -> Figure:
    """The loss after each epoch, on training and, where given, on validation images.

    Args:
        training, validation: one number an epoch.
        level: a name and a height to compare with, as in `curves`.
    """
    losses = {"training": training, "validation": validation}
    lines = {n: (range(1, len(y) + 1), y) for n, y in losses.items() if len(y)}
    return curves(lines, xlabel="epoch", ylabel="loss", level=level)


def label_lines(axes, *, at: str = "right", pad: float = 0.02) -> None:
    """Writes each line's name beside its end, in its colour, in place of a legend."""
    for line in axes.get_lines():
        name = line.get_label()
        if name.startswith("_") or not len(line.get_xdata()):
            continue
        end = -1 if at == "right" else 0
        x, y = line.get_xdata()[end], line.get_ydata()[end]
        axes.annotate(
            name,
            (x, y),
            xytext=(100 * pad * (1 if at == "right" else -1), 0),
            textcoords="offset points",
            color=line.get_color(),
            ha="left" if at == "right" else "right",
            va="center",
        )


# 07: shares as bars, a ladder of bills, and the price of a nat


def share_bars(panels: dict[str, dict[str, float]]) -> Figure:
    """Panels of bars side by side, with the same names and the same scale.

    Args:
        panels: from the title of a panel to its bars, each from a name to a share from
            0 to 1, which is written as a percentage.
    """
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    grid = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    top = max(max(bars.values()) for bars in panels.values())
    for axes, (title, bars) in zip(grid, panels.items(), strict=True):
        colours = [COLOURS["sky"]] * (len(bars) - 1) + [COLOURS["vermilion"]]
        drawn = axes.barh(list(bars), [100 * x for x in bars.values()], color=colours)
        axes.bar_label(drawn, fmt="%.0f%%", padding=3)
        axes.set_title(title, fontsize=11)
        axes.set(xlim=(0, max(125 * top, 1)), xlabel="accepted, percent")
        axes.grid(False, axis="y")
    grid[0].invert_yaxis()
    return figure


def ladder_of_bars(
    values: dict[str, float], *, marked: str, xlabel: str, digits: int = 1
) -> Figure:
    """Bars with their numbers, the first at the top; some stand out by their colour.

    Args:
        values: from the name of a bar to its length.
        marked: bars whose name begins with this text are drawn in vermilion.
        xlabel: what stands at the axis, with the unit.
        digits: decimals of the numbers.
    """
    figure = Figure(figsize=(WIDTH, 0.6 + 0.37 * len(values)), layout="constrained")
    axes = figure.subplots()
    colours = ["vermilion" if name.startswith(marked) else "sky" for name in values]
    bars = axes.barh(
        list(values), list(values.values()), color=[COLOURS[name] for name in colours]
    )
    axes.bar_label(bars, fmt=f"%.{digits}f", padding=3)
    axes.set(xlabel=xlabel, xlim=(0, 1.14 * max(values.values())))
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    return figure


def tradeoff(points: dict[float, Sequence[float]], *, best: float) -> Figure:
    """Distortion against rate, and the line on which their sum is that of one point.

    Args:
        points: from beta to distortion and rate in nats.
        best: the beta whose line of equal sums is drawn, dashed.
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    distortions, rates = zip(*points.values(), strict=True)
    axes.plot(rates, distortions, "o-", color=COLOURS["blue"])
    total, right = sum(points[best]), 1.25 * max(rates)
    style = dict(linestyle="--", color="0.4", linewidth=1.5)
    axes.plot([0, right], [total, total - right], **style)
    for beta, (distortion, rate) in points.items():
        text = f"beta {beta:g}"
        axes.annotate(text, (rate, distortion), (8, 6), textcoords="offset points")
    axes.set(xlabel="rate, nats", ylabel="distortion, nats", xlim=(0, right))
    return figure


def latent_rates(spectra: dict[float, Sequence[float]]) -> Figure:
    """The rates of all latents, the largest first, one curve for each of four betas.

    Args:
        spectra: from beta to the rates in nats (latents,).

    Raises:
        ValueError: there are more than four curves.
    """
    if len(spectra) > len(ORDER):
        raise ValueError(f"a figure holds at most {len(ORDER)} curves.")
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    styles = (".-", ".--", ".-.", ".:")
    for colour, style, (beta, y) in zip(ORDER, styles, spectra.items(), strict=False):
        axes.plot(range(1, len(y) + 1), y, style, color=COLOURS[colour])
        place = dict(xytext=(-8, 0), textcoords="offset points", va="center")
        text = f"beta {beta:g}"
        axes.annotate(text, (1, y[0]), ha="right", color=COLOURS[colour], **place)
    width = max(len(y) for y in spectra.values())
    axes.set(xlabel="latent, by rank", ylabel="its rate, nats")
    axes.set_xlim(1 - 0.16 * width, width + 0.5)
    return figure
