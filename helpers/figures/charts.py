"""Curves, bars and tables of numbers as pictures."""


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
