"""Sliders come after a static twin, redraw one picture, and answer quickly."""

import gc
import io
import weakref

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from helpers import figures, widgets

ALT = "Three grey squares, each brighter than the one before it."
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """What was displayed, in order: dictionaries of data, and widgets."""
    calls = []

    def display(thing, metadata=None, raw=False):
        calls.append((thing, metadata))

    monkeypatch.setattr(figures.style, "display", display)
    monkeypatch.setattr(widgets, "display", display)
    monkeypatch.setattr(widgets, "_explorers", [])
    return calls


def grey(level):
    return np.full((28, 20), level / 10)


def explore(draw=grey, twin=({"level": 0}, {"level": 5}, {"level": 10}), **sliders):
    sliders = sliders or {"level": (0, 10, 1, 3)}
    return widgets.explore(draw, alt=ALT, twin=twin, **sliders)


def pixels(png):
    png = bytes(png)
    assert png.startswith(PNG) and png.count(PNG) == 1
    return np.asarray(Image.open(io.BytesIO(png)))


def test_twin_first_then_slider(shown):
    explorer = explore()
    (twin, metadata), (caption, _), (box, _) = shown
    assert metadata == {"image/png": {"alt": ALT}}
    assert caption["text/plain"] == ALT
    image = pixels(twin["image/png"])
    assert image.shape == (28, 3 * 20 + 2 * widgets.GAP, 3)
    assert [image[9, x, 0] for x in (10, 38, 66)] == [0, 128, 255]
    assert (image[:, 20:28] == 255).all()
    level = explorer.sliders["level"]
    assert box.children == (level, explorer.picture, explorer.message)
    assert (pixels(explorer.picture.value) == round(0.3 * 255)).all()
    assert explorer.milliseconds == []


def test_redraw_replaces_the_picture(shown):
    explorer = explore()
    for level in (4, 9, 2):
        explorer.sliders["level"].value = level
        assert (pixels(explorer.picture.value) == round(level / 10 * 255)).all()
    assert len(shown) == 3 and len(explorer.milliseconds) == 3


def test_sliders():
    explorer = explore(
        lambda first_size, second, third: grey(second),
        twin=[dict(first_size=1, second=0.5, third=2)],
        first_size=(1, 8, 1, 2),
        second=(0.0, 1.0, 0.1, 0.5),
        third=ipywidgets.IntSlider(min=2, max=4, description="my own"),
    )
    first, second, third = explorer.sliders.values()
    assert isinstance(first, ipywidgets.IntSlider)
    assert isinstance(second, ipywidgets.FloatSlider)
    assert [s.description for s in (first, second, third)] == [
        "first size",
        "second",
        "my own",
    ]
    assert (first.min, first.max, first.step, first.value) == (1, 8, 1, 2)
    assert all(slider.continuous_update for slider in (first, second, third))


@pytest.mark.parametrize(
    "twin",
    [[], [{}], [{"level": 1}, {}], [{"level": 1, "size": 2}], [{"size": 1}]],
)
def test_bad_twin(shown, twin):
    with pytest.raises(ValueError, match=r"each position .* \['level'\]"):
        explore(twin=twin)
    assert shown == [] and widgets._explorers == []


def test_bad_alt(shown):
    with pytest.raises(ValueError, match="at least 40 characters"):
        widgets.explore(grey, alt="Grey.", twin=[{"level": 1}], level=(0, 10, 1, 3))
    assert shown == []


@pytest.mark.parametrize(
    "spec",
    [
        *[5, None, (0, 10), (0, 10, 1, 11), (10, 0, 1, 5), (0, 10, 0, 5), (3, 3, 1, 3)],
        ipywidgets.Text(),
    ],
)
def test_bad_slider(shown, spec):
    with pytest.raises(ValueError, match=r"^level: "):
        explore(level=spec)
    assert shown == []


def test_a_drawing_that_raises_at_a_twin_position(shown):
    def draw(level):
        return grey(1 / (5 - level))

    with pytest.raises(ZeroDivisionError):
        explore(draw)
    assert shown == [] and widgets._explorers == []


def test_a_drawing_that_raises_under_a_slider_says_so():
    def draw(level):
        if level == 7:
            raise ValueError("more than <six>")
        return grey(level)

    explorer = explore(draw)
    level, message, before = (
        *(explorer.sliders["level"], explorer.message, explorer.picture.value),
    )
    level.value = 7
    assert message.value == "<pre>ValueError: more than &lt;six&gt;</pre>"
    assert message.layout.display == "" and explorer.picture.value == before
    level.value = 6
    assert message.layout.display == "none" and explorer.picture.value != before
    level.max = 7
    with pytest.raises(ValueError, match="six"):
        widgets.measure()


@pytest.mark.parametrize("which", [0, 1], ids=["box", "picture"])
def test_a_closed_explorer_keeps_nothing(shown, which):
    def draw(level):
        return grey(level)

    first, second = explore(draw), explore()
    captured, explorer, box = weakref.ref(draw), weakref.ref(first), shown[2][0]
    [box, first.picture][which].close()
    assert widgets._explorers == [second]
    assert [row["name"] for row in widgets.measure()] == ["1. level"]
    box.children[0].value = 7  # nothing is drawn, and nothing is raised
    del draw
    gc.collect()
    assert captured() is None
    for widget in (*box.children, box):
        widget.close()
    del first, widget, box
    shown.clear()
    gc.collect()
    assert explorer() is None


@pytest.mark.parametrize(
    "drawn",
    [
        None,
        "picture",
        np.zeros((1, 28, 28)),
        np.zeros(784),
        np.zeros((4, 4, 2)),
        [[None]],
    ],
)
def test_a_drawing_that_is_no_picture(shown, drawn):
    with pytest.raises(ValueError, match="draw must return a figure or an array"):
        explore(lambda level: drawn)
    assert shown == []


@pytest.mark.parametrize(
    ("drawn", "value"),
    [
        (np.full((4, 4), 0.5), 128),
        (np.full((4, 4), 7.0), 255),
        (np.full((4, 4), 7, dtype=np.uint8), 7),
        (np.ones((4, 4), dtype=bool), 255),
        (np.full((4, 4, 3), 9, dtype=np.uint8), 9),
        (torch.full((4, 4), 0.2), 51),
    ],
)
def test_arrays(drawn, value):
    explorer = explore(lambda level: drawn)
    assert (pixels(explorer.picture.value) == value).all()


def figure_of_pyplot(level):
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, level])
    return figure


def figure_alone(level):
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([0, level])
    return figure


@pytest.mark.parametrize("draw", [figure_of_pyplot, figure_alone])
def test_figures_do_not_pile_up(shown, draw):
    before = plt.get_fignums()
    explorer = explore(draw)
    first = explorer.picture.value
    for level in range(4, 8):
        explorer.sliders["level"].value = level
    assert plt.get_fignums() == before
    assert explorer.picture.value != first
    assert pixels(first).shape == (200, 200, 3)
    explorer.sliders["level"].value = 3
    assert explorer.picture.value == first  # the same bytes again
    assert len(shown) == 3


def test_measure_moves_every_slider_and_puts_it_back():
    seen = []

    def draw(level, kind):
        seen.append((level, kind))
        return widgets.scale_up(np.full((28, 28), level))

    explore()
    explorer = explore(
        draw,
        twin=[dict(level=0.0, kind="a")],
        level=(0.0, 1.0, 0.01, 0.3),
        kind=ipywidgets.Dropdown(options=["a", "b", "c"], value="b"),
    )
    picture = explorer.picture.value
    seen.clear()
    rows = widgets.measure()
    assert [row["name"] for row in rows] == ["1. level", "2. level", "2. kind"]
    for row in rows:
        assert 0 < row["milliseconds_median"] <= row["milliseconds_max"]
        assert row["milliseconds_median"] < 100
    assert {level for level, _ in seen} >= {0.0, 0.3, 0.5, 1.0}
    assert {kind for _, kind in seen} == {"a", "b", "c"}
    assert [slider.value for slider in explorer.sliders.values()] == [0.3, "b"]
    assert explorer.picture.value == picture
    assert widgets._explorers[0].sliders["level"].value == 3


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (ipywidgets.Dropdown(options=[("one", 1), ("two", 2)]), {1, 2}),
        (ipywidgets.Dropdown(options={"one": 1, "two": 2}), {1, 2}),
        (ipywidgets.SelectionSlider(options=[1, 4, 9], value=4), {1, 4, 9}),
        (ipywidgets.ToggleButtons(options=[1, 2]), {1, 2}),
        (ipywidgets.Checkbox(value=True), {True, False}),
        (ipywidgets.IntSlider(min=0, max=2, value=1), {0, 1, 2}),
        (ipywidgets.FloatLogSlider(min=0, max=1, value=2), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_measure_other_controls(control, values):
    seen = []

    def draw(level):
        seen.append(level)
        return grey(0)

    before = control.value
    explore(draw, twin=[{"level": before}], level=control)
    (row,) = widgets.measure()
    assert row["name"] == "1. level" and row["milliseconds_max"] > 0
    assert control.value == before
    if values is None:  # evenly spread over 1 to 10 on a logarithmic scale
        assert min(seen) == 1 and max(seen) == 10
        assert any(abs(level - 10**0.5) < 1e-9 for level in seen)
    else:
        assert set(seen) == values


def test_measure_nothing():
    assert widgets.measure() == []


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_scale_up(kind):
    small = np.array([[0, 1], [1, 0]], dtype=kind)
    large = widgets.scale_up(small, 3)
    assert large.dtype == kind and large.shape == (6, 6)
    assert np.array_equal(large, np.kron(small, np.ones((3, 3))))
    assert widgets.scale_up(torch.zeros(28, 28)).shape == (168, 168)
