"""The things of lesson 04 and its figures: beliefs, shares, components and plans."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from helpers import figures
from helpers.datasets import forty_things, two_groups_of_points
from helpers.datasets.things import CHANCE

WORLD = forty_things()
PRIOR = torch.full((40,), 1 / 40)
SURE = torch.eye(40)[3]
torch.manual_seed(0)
RECIPES = torch.rand(10, 28, 28)
ROWS = torch.tensor([[1.0, 1], [1, 1], [1, 1], [1, 0], [0, 0], [0, 0]])
SHARES = torch.tensor([[0.9, 0.1]] * 3 + [[0.5, 0.5]] + [[0.1, 0.9]] * 2)
POINTS = torch.randn(50, 2)
LINES = {name: ([1, 2, 5], [9, 8, 7 + i / 100]) for i, name in enumerate("abcd")}
WORDS = {"dog": "0", "cat": "10", "oak": "110", "talc": "111"}


def texts_of(figure):
    texts = [text for axes in figure.axes for text in axes.texts]
    titles = [axes.title for axes in figure.axes]
    return [text for text in [*texts, *titles] if text.get_text()]


def test_the_table_has_the_right_size_and_knows_a_few_answers():
    names, groups, group, questions, chance = WORLD
    assert chance.shape == (40, 20) and len(set(names)) == 40
    assert group.bincount().tolist() == [18, 8, 6, 8] and len(groups) == 4
    assert set(chance.unique().tolist()) == set(
        torch.tensor([*CHANCE.values()]).tolist()
    )
    for name, question, letter in (
        ("dog", "swims", "o"),
        ("polar bear", "white", "y"),
        ("platypus", "lays eggs", "y"),
        ("water lily", "leaves", "y"),
        ("table", "four legs", "o"),
        ("table", "found in a house", "y"),
    ):
        there = chance[names.index(name), questions.index(question)]
        assert there.item() == pytest.approx(CHANCE[letter])


def test_no_two_things_are_described_alike():
    assert len(WORLD.chance.unique(dim=0)) == 40


def test_two_thirds_of_the_points_lie_in_the_lower_group():
    points = two_groups_of_points(3000, torch.Generator().manual_seed(1))
    same = two_groups_of_points(3000, torch.Generator().manual_seed(1))
    assert points.shape == (3000, 2) and torch.equal(points, same)
    expected = torch.tensor([-1.6 * 2 / 3 + 1.4 / 3, -0.6 * 2 / 3 + 1 / 3])
    torch.testing.assert_close(points.mean(0), expected, atol=0.1, rtol=0)


@pytest.mark.parametrize(
    "figure",
    [
        figures.belief_film({"no clue": PRIOR}, WORLD, ["dog", "ship"]),
        figures.belief_film(
            {f"heavier than a person: no {i}": SURE for i in range(7)},
            WORLD,
            ["dog", "apple tree"],
        ),
        figures.answers_table(
            WORLD.chance[:9, :10], WORLD.names[:9], WORLD.questions[:10]
        ),
        figures.counted_rounds({"dog": 98, "eagle": 2, "oak": 2, "table": 80}),
        figures.bars(torch.rand(20), WORLD.questions, "bits"),
        figures.one_round(ROWS, SHARES, torch.tensor([[0.75, 0.75], [0.25, 0.25]])),
        figures.shared_points(
            POINTS, {f"rounds: {i}": (POINTS.softmax(1), POINTS[:2]) for i in range(5)}
        ),
        figures.falling(LINES, xlabel="rounds", ylabel="nats"),
        figures.falling(LINES, xlabel="components", ylabel="nats", doubling=True),
        figures.die_and_cards(
            torch.full((10,), 0.1), RECIPES, 3, RECIPES[3].round()[None]
        ),
        figures.yes_no_tree(dict(dog=0.5, cat=0.25, oak=0.125, talc=0.125), WORDS),
        figures.sheet(RECIPES[:9]),
        figures.guessed_picture(
            {"9 rows": (RECIPES[0], torch.rand(18, 18), RECIPES[1])}
        ),
    ],
)
def test_nothing_of_a_figure_is_cut(figure):
    pixels = np.asarray(Image.open(io.BytesIO(figures.to_png(figure))).convert("L"))
    assert pixels.min() < 120 and plt.get_fignums() == []
    assert figure.get_figwidth() <= figures.WIDTH + 1e-9
    for text in texts_of(figure):
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, text.get_text()


def test_a_film_shows_the_belief_in_groups_and_things():
    (axes,) = figures.belief_film({"x": PRIOR}, WORLD, ["dog"]).axes
    said = [text.get_text() for text in axes.texts]
    assert said == ["45%", "20%", "15%", "20%", "2.5%"]


def test_the_round_by_hand_counts_with_the_shares():
    before = torch.tensor([[0.75, 0.75], [0.25, 0.25]])
    (axes,) = figures.one_round(ROWS, SHARES, before).axes
    said = {text.get_text() for text in axes.texts}
    assert {"0.94", "0.79", "0.31", "0.12", "weight 0.57", "weight 0.43"} <= said


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: figures.belief_film({}, WORLD, ["dog"]), "1 to 7 frames"),
        (lambda: figures.belief_film({"x": torch.ones(3)}, WORLD, ["dog"]), "needs 40"),
        (lambda: figures.falling({}, xlabel="x", ylabel="y"), "1 to 4 curves"),
        (lambda: figures.sheet(RECIPES), "do not fill a square"),
    ],
)
def test_a_figure_says_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()
