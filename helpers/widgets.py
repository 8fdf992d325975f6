"""Notebooks with something to play with call `explore`: sliders that redraw one
picture, with a static picture of the same for readers who run nothing."""

import html
import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from helpers import figures
from helpers.training import predict

GAP = 8  # pixels between the pictures of a static twin
WIDEST = 1000  # pixels; a wider picture would be shrunk too much on a page
_explorers: list["Explorer"] = []  # those whose widgets nobody has closed


@dataclass
class Explorer:
    """One picture and the sliders that redraw it."""

    draw: Callable | None  # None once the widgets were closed
    sliders: dict[str, ipywidgets.Widget]
    picture: ipywidgets.Image
    message: ipywidgets.HTML
    error: Exception | None = None
    milliseconds: list[float] = field(default_factory=list)

    def _ipython_display_(self) -> None:
        """`explore` as the last line of a cell shows its sliders once, and no text."""

    def moved(self, _change=None) -> None:
        """Redraws, and shows the reader an error that only the log would have."""
        try:
            self.redraw()
            self.error = None
        except Exception as error:
            self.error = error
            text = f"{type(error).__name__}: {error}"
            self.message.value = f"<pre>{html.escape(text)}</pre>"
        self.message.layout.display = "" if self.error else "none"

    def end(self, _change=None) -> None:
        """Lets go of what `draw` captured, once the widgets were closed.

        Whoever still holds the explorer, such as IPython's `Out`, holds no pictures.
        """
        _explorers[:] = [each for each in _explorers if each is not self]
        for slider in self.sliders.values():
            slider.unobserve(self.moved, names="value")
        self.draw, self.sliders = None, {}

    def redraw(self) -> None:
        """Draws for the present positions, in place of the picture before."""
        begin = time.perf_counter()
        values = {name: slider.value for name, slider in self.sliders.items()}
        self.picture.value = _to_png(_as_image(self.draw(**values)))
        self.milliseconds.append(1000 * (time.perf_counter() - begin))


def explore(draw: Callable, *, alt: str, twin: Sequence[dict], **sliders) -> Explorer:
    """Shows `draw` at the positions of `twin`, then live under sliders.

    Args:
        draw: takes the sliders' values as keyword arguments and returns a matplotlib
            figure, or a picture as an array (h, w) with values in [0, 1] or (h, w, 3)
            with bytes.
        alt: says what the static picture shows; it is its caption as well.
        twin: the positions, each a dictionary with a value for every slider.
        sliders: name = an ipywidgets slider, selection or check box, or a tuple
            (low, high, step, start). The name, with spaces for underscores, is the
            slider's label.

    Raises:
        ValueError: `alt` says too little, `twin` has no or incomplete positions, a
            slider cannot be made, or `draw` returns no picture.
    """
    alt = figures.check_alt(alt)
    if not twin or any(set(position) != set(sliders) for position in twin):
        raise ValueError(f"each position of `twin` must name {sorted(sliders)}.")
    controls = {name: _slider(name, spec) for name, spec in sliders.items()}
    images = [_as_image(draw(**position)) for position in twin]
    figures.display_png(_to_png(_arrange(images)), alt)
    picture = ipywidgets.Image(format="png")
    picture.add_class("explorer-picture")
    message = ipywidgets.HTML(layout={"display": "none"})
    explorer = Explorer(draw, controls, picture, message)
    explorer.redraw()
    explorer.milliseconds.clear()
    for control in controls.values():
        control.observe(explorer.moved, names="value")
    box = ipywidgets.VBox([*controls.values(), picture, message])
    for widget in (box, picture):  # a closed widget has no connection
        widget.observe(explorer.end, names="comm")
    _explorers.append(explorer)
    display(box)
    return explorer


def explore_map(decoder, codes) -> Explorer:
    """A map of codes with two sliders that choose a place, and the drawing from there.

    Args:
        decoder: a network from codes (n, 2) to pictures (n, 1, 28, 28).
        codes: of real pictures (n, 2); the sliders reach from their 2nd to their 98th
            percentile.
    """
    low, high = codes.quantile(0.02, dim=0), codes.quantile(0.98, dim=0)

    def draw(across, up):
        place = low + (high - low) * torch.tensor([across, up]) / 100
        return figures.place_on_map(codes, place, predict(decoder, place[None])[0])

    return explore(
        draw,
        alt="Two places on the map, marked in orange, and the drawings from there.",
        twin=[dict(across=20, up=30), dict(across=80, up=70)],
        across=(0, 100, 5, 50),
        up=(0, 100, 5, 50),
    )


def measure() -> list[dict]:
    """Moves every slider of this process over its range and times the pictures.

    Returns:
        One dictionary for each slider: name, milliseconds_median, milliseconds_max.

    Raises:
        Exception: what `draw` raised at one of the positions.
    """
    rows = []
    for number, explorer in enumerate(_explorers, start=1):
        for name, slider in explorer.sliders.items():
            trait = "index" if hasattr(slider, "options") else "value"
            before = getattr(slider, trait)
            explorer.milliseconds.clear()
            for position in _positions(slider):
                setattr(slider, trait, position)
                if explorer.error:
                    raise explorer.error
            times = explorer.milliseconds or [0.0]
            rows.append(
                {
                    "name": f"{number}. {name}",
                    "milliseconds_median": statistics.median(times),
                    "milliseconds_max": max(times),
                }
            )
            setattr(slider, trait, before)
    return rows


def scale_up(image: np.ndarray, factor: int = 6) -> np.ndarray:
    """Enlarges a small picture (h, w) by whole pixels, without smoothing."""
    return np.asarray(image).repeat(factor, axis=0).repeat(factor, axis=1)


def _slider(name: str, spec) -> ipywidgets.Widget:
    if isinstance(spec, ipywidgets.Widget):
        slider = spec
        if not any(hasattr(slider, trait) for trait in ("options", "min", "indent")):
            raise ValueError(f"{name}: a {type(slider).__name__} is no slider.")
    else:
        try:
            low, high, step, start = spec
        except (TypeError, ValueError):
            raise ValueError(
                f"{name}: a slider is (low, high, step, start) or an ipywidgets "
                f"slider, not {spec!r}."
            ) from None
        if not (low <= start <= high and low < high and step > 0):
            raise ValueError(f"{name}: {spec} is not (low, high, step, start).")
        whole = all(isinstance(number, int) for number in spec)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        slider = kind(min=low, max=high, step=step, value=start)
    slider.description = slider.description or name.replace("_", " ")
    slider.style.description_width = "10em"
    slider.layout.width = "min(32em, 95%)"
    slider.continuous_update = True
    return slider


def _positions(slider, count: int = 9) -> list:
    if hasattr(slider, "options"):  # they may be pairs (label, value): count them
        return list(range(len(slider.options)))
    if isinstance(slider.value, bool):
        return [False, True]
    if hasattr(slider, "base"):  # FloatLogSlider: its ends are exponents
        return np.logspace(slider.min, slider.max, count, base=slider.base).tolist()
    values = np.linspace(slider.min, slider.max, count)
    return [type(slider.value)(value) for value in values]


def _as_image(drawn) -> Image.Image:
    if isinstance(drawn, Figure):
        png = figures.to_png(drawn)
        plt.close(drawn)  # or pyplot would keep every figure it has ever made
        return Image.open(io.BytesIO(png)).convert("RGB")
    array = np.asarray(drawn)
    colour = array.ndim == 3 and array.shape[2] == 3
    if array.dtype.kind not in "buif" or not (colour or array.ndim == 2):
        raise ValueError(
            "draw must return a figure or an array (h, w) or (h, w, 3), not "
            f"{type(drawn).__name__} {array.shape}."
        )
    if array.dtype != np.uint8:
        array = (np.clip(array, 0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(array)


def _arrange(images: list[Image.Image]) -> Image.Image:
    """All pictures in one: side by side, or below each other where that is too wide."""
    beside = sum(image.width for image in images) <= WIDEST
    lengths = [image.width if beside else image.height for image in images]
    across = max(image.height if beside else image.width for image in images)
    along = sum(lengths) + GAP * (len(images) - 1)
    canvas = Image.new("RGB", (along, across) if beside else (across, along), "white")
    start = 0
    for image, length in zip(images, lengths, strict=True):
        canvas.paste(image, (start, 0) if beside else (0, start))
        start += length + GAP
    return canvas


def _to_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="png")
    return buffer.getvalue()
