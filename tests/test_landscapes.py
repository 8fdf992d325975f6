"""Posteriors over two numbers: a mixture of two bells, of which everything is known."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from helpers import figures, landscapes
from helpers.landscapes import Cells, Field, Landscape

MEANS = torch.tensor([[-1.5, 0.5], [1.5, -0.5]])
SDS = torch.tensor([[0.2, 0.3], [0.3, 0.15]])
SHARES = torch.tensor([0.7, 0.3])
FACTORS = torch.diag_embed(SDS)
BELLS = MultivariateNormal(MEANS, scale_tril=FACTORS)
EVIDENCE = -3.0


def log_q(z):
    return (BELLS.log_prob(z[..., None, :]) + SHARES.log()).logsumexp(-1)


def log_joint(z, picture=None):
    return log_q(z) + EVIDENCE


def first_bell(z):
    return MultivariateNormal(MEANS[0], scale_tril=FACTORS[0]).log_prob(z)


@pytest.fixture(scope="module")
def two():
    return Landscape(log_joint)


@pytest.fixture(scope="module")
def one():
    return Landscape(lambda z: first_bell(z) + EVIDENCE)


def test_a_landscape_is_exact(two, one):
    assert two.log_evidence.item() == pytest.approx(EVIDENCE, abs=1e-3)
    torch.testing.assert_close(two.shares, SHARES, atol=2e-3, rtol=0)
    torch.testing.assert_close(two.peaks, MEANS, atol=0.05, rtol=0)
    torch.testing.assert_close(one.mean, MEANS[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(one.sd, SDS[0], atol=1e-3, rtol=0)
    assert one.correlation == pytest.approx(0, abs=1e-3)


def test_distances_of_bells(two):
    assert two.kl(log_q).item() == pytest.approx(0, abs=1e-3)
    assert two.kl(first_bell).item() == pytest.approx(math.log(1 / 0.7), abs=1e-2)
    assert two.total_variation(log_q).item() == pytest.approx(0, abs=1e-3)
    assert two.total_variation(first_bell).item() == pytest.approx(0.3, abs=1e-2)


def test_places_know_their_island(two):
    places = torch.stack([MEANS[1], MEANS[0], MEANS[0], torch.zeros(2)])
    assert two.island_of(places).tolist() == [1, 0, 0, -1]
    assert two.island_of(torch.tensor([50.0, 50.0])) == -1
    assert two.one_on_each(places) == [1, 0]
    walks = torch.stack([places[:3], MEANS[[0, 0, 0]]], 1)  # (3, 2, 2)
    expected = torch.tensor([[2 / 3, 1 / 3], [1, 0]])
    torch.testing.assert_close(two.spent(walks), expected)


def test_small_islands_are_sea():
    weights = torch.tensor([0.98, 0.02])

    def lopsided(z):
        return (BELLS.log_prob(z[:, None]) + weights.log()).logsumexp(1)

    scene = Landscape(lopsided)
    assert len(scene.shares) == 1 and scene.island_of(MEANS).tolist() == [0, -1]


def test_a_ruler_of_cells(one):
    torch.manual_seed(0)
    cells = Cells(one)
    draws = MEANS[0] + SDS[0] * torch.randn(20_000, 1, 2)
    assert cells.tv_of_places(draws) < 0.03
    assert cells.tv_of_places(draws + 20) > 0.99
    assert cells.tv_of_bells(MEANS[:1], FACTORS[:1]) < 0.01
    assert cells.tv_of_bells(MEANS[:1] + 20, FACTORS[:1]) > 0.99


def test_a_field_has_runs_for_each_picture():
    torch.manual_seed(0)
    field = Field(log_joint, torch.zeros(2, 784), runs=3, looks=50)
    assert field.start.shape == (6, 2) and field.pictures.shape == (6, 784)
    assert field.target(field.start).shape == (6,)
    bells = MEANS[:1].expand(6, 2), FACTORS[:1].expand(6, 2, 2)
    assert field.error_of_bells(*bells) == pytest.approx(0.3, abs=0.05)
    walk = MEANS[0].expand(100, 6, 2)
    assert 0.5 < field.error_of_walks(walk) <= 1


def test_good_starts_are_better_than_draws():
    torch.manual_seed(0)
    starts = landscapes.good_starts(log_joint, torch.zeros(784), 200, looks=100)
    assert log_q(starts).mean() > log_q(torch.randn(200, 2)).mean() + 2


def test_where_errors_stay_below():
    stays = partial(landscapes.stays_below, [100, 200, 400, 800])
    assert stays([0.4, 0.2, 0.1, 0.05], goal=0.1) == pytest.approx(400)
    assert stays([0.4, 0.05, 0.2, 0.05], goal=0.1) == pytest.approx(400 * 2**0.5)
    assert stays([0.05, 0.05, 0.05, 0.05], goal=0.1) == 100
    assert stays([0.4, 0.05, 0.2, 0.2], goal=0.1) == math.inf


def test_pictures_are_chosen_among_those_allowed():
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 784)).requires_grad_(False)
    images, labels = torch.bernoulli(torch.full((20, 784), 0.3)), torch.arange(20) % 10
    assert labels[landscapes.half_hidden_four(decoder, images, labels)] == 4
    index, depth = landscapes.deepest_pair(decoder, images, labels)
    assert labels[index] in (4, 9) and depth >= 0
    assert landscapes.tilted_picture(decoder, images) in range(20)
    assert set(landscapes.typical_pictures(decoder, images)) <= set(range(20))


def test_hidden_pixels_do_not_count():
    decoder = nn.Linear(2, 784).requires_grad_(False)
    image, z = torch.ones(1, 784), torch.randn(5, 2)
    seen = landscapes.log_table(decoder, image, z, landscapes.UPPER)
    other = landscapes.log_table(decoder, image * landscapes.UPPER, z, landscapes.UPPER)
    torch.testing.assert_close(seen, other)
    assert not torch.allclose(seen, landscapes.log_table(decoder, image, z))


DECODER = nn.Linear(2, 784).requires_grad_(False)
TICKS = torch.linspace(-3, 4, 200)
CURVE = torch.distributions.Normal(1.0, 0.5).log_prob(TICKS)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def inside(figure):
    """Whether everything that is drawn lies on the figure's face."""
    figure.canvas.draw()
    box = figure.get_tightbbox()
    return box.x0 > -0.1 and box.x1 < figure.get_figwidth() + 0.1


def test_pictures_of_walks_and_bells(two):
    walks = MEANS + 0.1 * torch.randn(50, 2, 2)
    both = figures.walks_and_bells(two, walks, (MEANS, SDS))
    titles = [axes.get_title("left") for axes in both.axes]
    assert titles == ["walks", "bells"] and texts(both) == ["A", "B", "A", "B"]
    alone = figures.walks_and_bells(two, bells=(MEANS[:1], FACTORS[:1]))
    assert [axes.get_title("left") for axes in alone.axes] == ["the bell"]
    assert inside(both)


def test_picture_of_half_a_digit(two):
    drawing = figures.hidden_half_drawing(torch.ones(784), two, DECODER)
    written = [text.get_text() for text in drawing.texts]
    assert {"A", "B", "70%", "30%"} <= set(written) and inside(drawing)
    half = drawing.axes[0].images[0].get_array()
    assert half[:14].min() == 1 and half[14:].max() < 0.5


def test_picture_of_answers(two):
    pictures = torch.zeros(3, 784)
    bells = {"one": (MEANS[[0, 0, 1]], SDS[[0, 0, 1]]), "two": (MEANS[[0] * 3],) * 2}
    drawing = figures.answers_of_encoder(pictures, {0: two, 2: two}, bells)
    assert len(drawing.axes) == 4 and inside(drawing)


def test_film_of_a_bell_shows_three_bars():
    path = [(torch.tensor([[float(i)]]), torch.tensor([[0.5]])) for i in range(3)]
    film = figures.bell_film(TICKS, CURVE.exp(), path, (0, 2), -1.0, [-3, -2], [2, 1])
    assert [axes.get_title("left") for axes in film.axes[:2]] == ["step 0", "step 2"]
    assert texts(film)[:3] == ["−1.00", "−3.00", "2.00"] and inside(film)


def test_slopes_at_draws():
    noise = torch.tensor([-1.0, 0.0, 1.0])
    drawing = figures.pushed_draws(TICKS, CURVE, noise, 0.5 + noise)
    slopes = [text for text in texts(drawing) if text.startswith("slope")]
    assert slopes == ["slope 6.0", "slope 2.0", "slope −2.0"] and inside(drawing)


def test_films_of_walks():
    visits = torch.arange(200) % 10
    assert inside(figures.towns_film(torch.full((10,), 0.1), visits, (20, 200)))
    places = 1 + 0.5 * torch.randn(100)
    film = figures.histogram_film(TICKS, CURVE.exp(), places, (10, 100))
    assert len(film.axes) == 2 and inside(film)
    proposals = places + (torch.arange(100) % 3 == 0)
    hill = figures.steps_on_a_hill(TICKS, CURVE.exp(), places[:40], proposals[:40])
    crosses = [line for line in hill.axes[1].lines if line.get_marker() == "x"]
    assert len(crosses[0].get_xdata()) == 14 and inside(hill)


def test_pictures_of_the_second_visit(one):
    cells = Cells(one)
    other = cells.of_places(MEANS[0].expand(9, 1, 2))[0]
    drawing = figures.total_variation_drawing(cells.exact[0], {"stuck": other})
    half = 0.5 * (other - cells.exact[0]).abs().sum()
    labels = [axes.get_xlabel() for axes in drawing.axes]
    assert f"half of all differences: {half:.2f}" in labels and inside(drawing)
    assert inside(figures.traces({"a": torch.randn(50)}, level=(0.0, 1.0)))
    ways = [MEANS[0] + 0.1 * torch.randn(5, 2) for _ in range(3)]
    assert inside(figures.rolls(one, {"marble": ways, "walker": ways[0]}))
