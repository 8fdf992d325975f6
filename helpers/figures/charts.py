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
