"""Notebooks with something to play with call `explore`: sliders that redraw one picture,
with a static picture of the same for readers who look without running anything."""

import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ipywidgets
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from helpers import figures

GAP = 8  # pixels between the pictures of a static twin
_explorers: list["Explorer"] = []


@dataclass
class Explorer:
    """One picture and the sliders that redraw it."""

    draw: Callable
    sliders: dict[str, ipywidgets.Widget]
    picture: ipywidgets.Image
    milliseconds: list[float] = field(default_factory=list)

    def redraw(self, _change=None) -> None:
        """Draws for the present positions, in place of the picture before."""
        begin = time.perf_counter()
        values = {name: slider.value for name, slider in self.sliders.items()}
        self.picture.value = _to_png(_as_image(self.draw(**values)))
        self.milliseconds.append(1000 * (time.perf_counter() - begin))


def explore(draw: Callable, *, alt: str, twin: Sequence[dict], **sliders) -> Explorer:
    """Shows `draw` at the positions of `twin` side by side, then live under sliders.

    Args:
        draw: takes the sliders' values as keyword arguments and returns a matplotlib
            figure, or a picture as an array (h, w) with values in [0, 1] or (h, w, 3)
            with bytes.
        alt: says what the static picture shows; it is its caption as well.
        twin: the positions, each a dictionary with a value for every slider.
        sliders: name = an ipywidgets slider, or a tuple (low, high, step, start). The
            name, with spaces for underscores, is the slider's label.

    Raises:
        ValueError: `alt` says too little, or `twin` has no or incomplete positions.
    """
    alt = figures.check_alt(alt)
    if not twin or any(set(position) != set(sliders) for position in twin):
        raise ValueError(f"each position of `twin` must name {sorted(sliders)}.")
    images = [_as_image(draw(**position)) for position in twin]
    figures.display_png(_to_png(_side_by_side(images)), alt)
    controls = {name: _slider(name, spec) for name, spec in sliders.items()}
    picture = ipywidgets.Image(format="png")
    picture.add_class("explorer-picture")
    explorer = Explorer(draw, controls, picture)
    explorer.redraw()
    explorer.milliseconds.clear()
    for control in controls.values():
        control.observe(explorer.redraw, names="value")
    _explorers.append(explorer)
    display(ipywidgets.VBox([*controls.values(), picture]))
    return explorer


def measure() -> list[dict]:
    """Moves every slider of this process over its range and times the pictures.

    Returns:
        One dictionary for each slider: name, milliseconds_median, milliseconds_max.
    """
    rows = []
    for number, explorer in enumerate(_explorers, start=1):
        for name, slider in explorer.sliders.items():
            before = slider.value
            explorer.milliseconds.clear()
            for value in _positions(slider):
                slider.value = value
            times = explorer.milliseconds or [0.0]
            rows.append(
                {
                    "name": f"{number}. {name}",
                    "milliseconds_median": statistics.median(times),
                    "milliseconds_max": max(times),
                }
            )
            slider.value = before
    return rows


def scale_up(image: np.ndarray, factor: int = 6) -> np.ndarray:
    """Enlarges a small picture (h, w) by whole pixels, without smoothing."""
    return np.kron(np.asarray(image), np.ones((factor, factor), dtype=np.float32))


def _slider(name: str, spec) -> ipywidgets.Widget:
    if isinstance(spec, ipywidgets.Widget):
        slider = spec
    else:
        low, high, step, start = spec
        whole = all(isinstance(number, int) for number in spec)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        slider = kind(min=low, max=high, step=step, value=start)
    slider.description = slider.description or name.replace("_", " ")
    slider.style.description_width = "10em"
    slider.layout.width = "min(32em, 95%)"
    slider.continuous_update = True
    return slider


def _positions(slider, count: int = 9) -> list:
    if hasattr(slider, "options"):
        return list(slider.options)
    values = np.linspace(slider.min, slider.max, count)
    return [type(slider.value)(value) for value in values]


def _as_image(drawn) -> Image.Image:
    if isinstance(drawn, Figure):
        return Image.open(io.BytesIO(figures.to_png(drawn))).convert("RGB")
    array = np.asarray(drawn)
    if array.dtype != np.uint8:
        array = (np.clip(array, 0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(array)


def _side_by_side(images: list[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    canvas = Image.new("RGB", (width, max(image.height for image in images)), "white")
    left = 0
    for image in images:
        canvas.paste(image, (left, 0))
        left += image.width + GAP
    return canvas


def _to_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="png")
    return buffer.getvalue()
