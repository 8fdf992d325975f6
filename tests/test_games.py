"""The figures of lesson 08: nothing is cut, and they say what they should."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import figures
from helpers.datasets import ISLANDS, eight_islands, islands_found

torch.manual_seed(0)
PICTURES = torch.rand(2, 1, 28, 28)
LINE = torch.linspace(-4, 8, 50)
FRAMES = {
    step: (torch.randn(200) + 4, torch.randn(200), LINE, LINE.sigmoid())
    for step in (0, 50, 300, 1000)
}
PENNIES = [[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]]
FIGHT = [[(-1, -1), (4, 0)], [(0, 4), (2, 2)]]
TABLES = {"a": (("hawk", "dove"), FIGHT), "b": (("heads", "tails"), PENNIES)}
ANGLES = torch.arange(100) / 10
RING = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)
ROWS = {"real": (0.9, 10, 0.7), "GAN": (0.5, 3, 80.0)}
FORMATS = ["{:.0%}", "{:.0f}", "{:.1f}"]
EACH = {
    "machines": lambda: figures.two_machines(
        PICTURES, PICTURES[0], PICTURES, (0.9, 0.1, 0.6)
    ),
    "film": lambda: figures.forger_film(FRAMES),
    "both": lambda: figures.what_both_pay(
        {"one": torch.rand(90, 2), "other": torch.rand(60, 2)}
    ),
    "answers": lambda: figures.best_answers(TABLES),
    "coins": lambda: figures.coin_walk(0.5 + RING / 4),
    "islands": lambda: figures.island_film(
        {"one\nline": {5: RING, 9: RING}, "other": {5: RING, 9: RING}}
    ),
    "crowds": lambda: figures.two_crowds_on_a_line({"a": (0, 1, 2, 3)}),
    "dots": lambda: figures.dots_in_panels(ROWS, ["a", "b", "c"], ["GAN"], FORMATS),
    "directions": lambda: figures.two_directions(
        dict.fromkeys("cd", torch.full((10,), 0.1))
    ),
    "walks": lambda: figures.three_walks({"a": RING / 2, "b": RING, "c": RING}),
    "shares": lambda: figures.class_shares(
        {"real": torch.full((10,), 0.1), "GAN": torch.rand(3, 10) / 5}
    ),
}


def words_of(figure):
    texts = [text for axes in figure.axes for text in axes.texts]
    titles = [axes.get_title("left") for axes in figure.axes]
    return [text.get_text() for text in texts] + [title for title in titles if title]


@pytest.mark.parametrize("draw", EACH.values(), ids=EACH)
def test_nothing_of_a_figure_is_cut(draw):
    image = np.asarray(Image.open(io.BytesIO(figures.to_png(draw()))).convert("L"))
    edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert image.std() > 5 and (edges == 255).all()


def test_both_best_answers_make_an_equilibrium():
    fight, pennies = figures.best_answers(TABLES).axes
    rings = [
        len([p for p in a.patches if hasattr(p, "radius")]) for a in (fight, pennies)
    ]
    assert rings == [4, 4]
    yellow = [
        sum(patch.get_facecolor()[2] < 0.5 for patch in axes.patches if axes)
        for axes in (fight, pennies)
    ]
    assert yellow[0] > yellow[1]


def test_bells_show_their_distance():
    (axes,) = figures.two_crowds_on_a_line({"a": (0, 1, 2, 3)}).axes
    assert axes.get_xlabel() == "(2 − 0)² + (3 − 1)² = 8"


def test_a_film_shows_as_many_frames_as_there_are():
    titles = words_of(figures.forger_film(FRAMES))
    assert [t for t in titles if t.startswith(("round", "start"))] == [
        "start",
        "round 50",
        "round 300",
        "round 1000",
    ]
    figures.forger_film({1000: FRAMES[1000]})  # a run that was cut short


def test_a_game_that_was_cut_short_is_drawn():
    lines = figures.what_both_pay({"": torch.ones(3, 2)}).axes[0].lines
    assert lines[1].get_ydata().tolist() == [1]


def test_only_a_verdict_with_a_slope_pushes():
    real, forged, _, _ = FRAMES[50]
    flat = figures.forger_film({0: (real, forged, LINE, torch.full_like(LINE, 0.5))})
    steep = figures.forger_film({0: (real, forged, LINE, LINE.sigmoid())})
    more = len(steep.axes[0].patches) - len(flat.axes[0].patches)
    assert more == 3


def test_dots_carry_their_numbers():
    words = words_of(figures.dots_in_panels(ROWS, ["a", "b", "c"], ["GAN"], FORMATS))
    assert {"90%", "10", "80.0"} <= set(words)


def test_points_lie_on_eight_islands():
    torch.manual_seed(0)
    points = eight_islands(4000)
    count, share = islands_found(points)
    assert points.shape == (4000, 2) and count == 8
    assert share == pytest.approx(1 - np.exp(-2), abs=0.02)  # two spreads of a bell
    assert islands_found(ISLANDS[:3]) == (3, 1.0)
    assert islands_found(torch.zeros(5, 2)) == (0, 0.0)
