"""helpers.likelihood against brute force, a closed form and torch.distributions."""

import ast
import itertools
import math
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from helpers import likelihood

PIXELS = 5


@pytest.fixture
def networks():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 4))
    decoder = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, PIXELS))
    return encoder, decoder


@pytest.fixture
def every_image():
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=PIXELS)))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_log_joint_agrees_with_torch_distributions(networks, every_image):
    decoder, z = networks[1], torch.randn(3, len(every_image), 2, generator=generator())
    expected = Bernoulli(logits=decoder(z)).log_prob(every_image).sum(-1)
    expected = expected + Normal(0.0, 1.0).log_prob(z).sum(-1)
    given = likelihood.log_joint(every_image, z, decoder)
    torch.testing.assert_close(given, expected)
    torch.testing.assert_close(
        likelihood.log_joint(every_image, z[0], decoder), expected[0]
    )


def test_the_bill_agrees_with_torch_distributions(every_image):
    logits = torch.randn(len(every_image), PIXELS, generator=generator())
    mean, log_variance = torch.randn(2, len(every_image), 3, generator=generator(1))
    distortion = -Bernoulli(logits=logits).log_prob(every_image).sum(-1)
    clouds = Normal(mean, (log_variance / 2).exp())
    rate = kl_divergence(clouds, Normal(0.0, 1.0)).sum(-1)
    bill = likelihood.negative_elbo((logits, mean, log_variance), every_image)
    torch.testing.assert_close(bill, (distortion + rate).mean())


def test_probabilities_on_the_grid_add_up_to_one(networks, every_image):
    log_p = likelihood.exact_on_grid(every_image, networks[1], side=100)
    assert log_p.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_grid_agrees_with_a_decoder_that_ignores_the_latent(every_image):
    logits = torch.linspace(-2, 2, PIXELS)
    log_p = likelihood.exact_on_grid(every_image, lambda z: logits.expand(len(z), -1))
    expected = Bernoulli(logits=logits).log_prob(every_image).sum(1)
    torch.testing.assert_close(log_p, expected, atol=1e-4, rtol=0)


def test_grid_agrees_with_a_step_that_can_be_counted():
    """A pixel is 1 with p = 0.9 where the first latent is positive, else with 0.2."""
    high, low = math.log(9), math.log(0.25)
    step = lambda z: torch.where(z[:, :1] > 0, high, low)  # noqa: E731
    log_p = likelihood.exact_on_grid(torch.tensor([[1.0], [0.0]]), step)
    torch.testing.assert_close(
        log_p.exp(), torch.tensor([0.55, 0.45]), atol=1e-4, rtol=0
    )


def test_grid_agrees_with_plain_sampling(networks, every_image):
    z = torch.randn(200_000, 2, generator=generator())
    likely = Bernoulli(logits=networks[1](z)).log_prob(every_image[7]).sum(1).exp()
    exact = likelihood.exact_on_grid(every_image[7:8], networks[1], side=100).exp()
    error = likely.std().item() / math.sqrt(len(z))
    assert abs(likely.mean().item() - exact.item()) < 5 * error


def test_grid_does_not_depend_on_the_chunk_or_the_images_shape(networks, every_image):
    decoder = networks[1]
    whole = likelihood.exact_on_grid(every_image, decoder, side=50, chunk=10_000)
    parts = likelihood.exact_on_grid(every_image, decoder, side=50, chunk=7)
    shaped = likelihood.exact_on_grid(
        every_image.view(-1, 1, 1, PIXELS),
        lambda z: decoder(z).view(-1, 1, 1, PIXELS),
        side=50,
    )
    torch.testing.assert_close(parts, whole)
    torch.testing.assert_close(shaped, whole)


@pytest.mark.parametrize("kind", [torch.uint8, torch.bool, torch.int64, torch.float64])
def test_zeros_and_ones_of_any_type(networks, every_image, kind):
    """As a data set or a comparison gives them, in each function of the module."""
    encoder, decoder = networks
    z = torch.randn(len(every_image), 2, generator=generator())

    def all_of(x, encoder):
        draw = dict(generator=generator())
        yield likelihood.log_joint(x, z, decoder)
        yield likelihood.exact_on_grid(x, decoder, side=20)
        yield likelihood.elbo(x, encoder, decoder, **draw)
        draw = dict(generator=generator())
        yield likelihood.importance_weighted(x, encoder, decoder, 3, **draw)

    found = all_of(every_image.to(kind), lambda x: encoder(x.float()))
    if kind != torch.float64:  # a network in float32 cannot take these
        found = all_of(every_image.to(kind), encoder)
    for given, expected in zip(found, all_of(every_image, encoder), strict=True):
        torch.testing.assert_close(given.float(), expected)


def test_elbo_and_its_gap(networks, every_image):
    """log p(x) - ELBO is KL(q || posterior), computed on the grid."""
    encoder, decoder = networks
    bound = likelihood.elbo(
        every_image, encoder, decoder, samples=20_000, generator=generator()
    )
    exact = likelihood.exact_on_grid(every_image, decoder, side=150)
    places, cell = likelihood.square_grid(150, 6.0)
    mean, log_variance = encoder(every_image).chunk(2, 1)
    for i in (0, 11, 31):
        q = Normal(mean[i], (0.5 * log_variance[i]).exp())
        log_q = q.log_prob(places).sum(1)
        x = every_image[i].expand(len(places), -1)
        log_posterior = likelihood.log_joint(x, places, decoder) - exact[i]
        divergence = (log_q.exp() * (log_q - log_posterior)).sum() * cell
        assert (exact[i] - bound[i]).item() == pytest.approx(
            divergence.item(), abs=0.02
        )


def test_elbo_uses_the_closed_form_of_the_divergence(networks, every_image):
    """A decoder that ignores z leaves only the divergence from the prior."""
    encoder, logits = networks[0], torch.zeros(PIXELS)
    bound = likelihood.elbo(every_image, encoder, lambda z: logits.expand(len(z), -1))
    mean, log_variance = encoder(every_image).chunk(2, 1)
    q = Normal(mean, (0.5 * log_variance).exp())
    expected = -PIXELS * math.log(2) - kl_divergence(q, Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(bound, expected)


def test_bounds_are_in_order(networks, every_image):
    encoder, decoder = networks
    exact = likelihood.exact_on_grid(every_image, decoder, side=100)
    with torch.no_grad():
        elbo = likelihood.elbo(
            every_image, encoder, decoder, samples=5000, generator=generator()
        )
        weighted = [
            torch.stack(
                [
                    likelihood.importance_weighted(
                        every_image, encoder, decoder, k, generator=generator(seed)
                    )
                    for seed in range(500)
                ]
            ).mean(0)
            for k in (1, 5, 50)
        ]
    torch.testing.assert_close(weighted[0], elbo, atol=0.2, rtol=0)
    means = [value.mean().item() for value in (*weighted, exact)]
    assert means == sorted(means)
    assert means[-1] - means[-2] < 0.05


def test_importance_weighted_is_exact_when_q_is_the_posterior():
    """Pixels that ignore z: the posterior is the prior, and every ratio is p(x)."""
    x, logits = torch.tensor([[1.0, 0.0]]), torch.tensor([0.3, -1.0])
    log_p = likelihood.importance_weighted(
        x, lambda x: torch.zeros(1, 4), lambda z: logits.expand(len(z), -1), 7, rows=3
    )
    torch.testing.assert_close(log_p, Bernoulli(logits=logits).log_prob(x).sum(1))


def test_an_encoder_that_gives_a_pair(networks, every_image):
    encoder, decoder = networks
    bounds = [
        likelihood.elbo(every_image, given, decoder, generator=generator())
        for given in (encoder, lambda x: encoder(x).chunk(2, 1))
    ]
    torch.testing.assert_close(*bounds)


def test_many_draws_of_large_images_stay_finite():
    """k = 5000 with 784 pixels: log p near -500, and rows do not change the value."""
    torch.manual_seed(0)
    # Eight images: torch draws the same noise in parts only in multiples of sixteen.
    x = torch.bernoulli(torch.full((8, 784), 0.5))
    encoder, decoder = nn.Linear(784, 4), nn.Linear(2, 784)
    with torch.no_grad():
        values = [
            likelihood.importance_weighted(
                x, encoder, decoder, 5000, rows=rows, generator=generator()
            )
            for rows in (1, 10_000)
        ]
    assert torch.isfinite(values[0]).all()
    assert (values[0] < -400).all()
    torch.testing.assert_close(values[0], values[1], atol=0.01, rtol=0)


@torch.no_grad()
def test_grid_is_exact_under_autocast(networks, every_image):
    decoder = networks[1]
    expected = likelihood.exact_on_grid(every_image, decoder, side=50)
    logits = lambda z: decoder(z.float())  # noqa: E731

    def plain(z):
        with torch.autocast("cpu", enabled=False):
            return logits(z)

    with torch.autocast("cpu", torch.bfloat16):
        given = likelihood.exact_on_grid(every_image, plain, side=50)
    torch.testing.assert_close(given, expected)


def functions_of_lesson_06(machine) -> dict:
    """What the cells of the lesson that define the same quantities define."""
    book = Path(__file__).parents[1] / "notebooks/06_variational_inference.ipynb"
    scope = {"machine": machine, "Bernoulli": Bernoulli, "Normal": Normal}
    for cell in nbformat.read(book, as_version=4).cells:
        if cell.cell_type == "code" and "exercise" not in cell.metadata.get("tags", []):
            for node in ast.parse(cell.source).body:
                if getattr(node, "name", None) in ("log_joint_of", "elbo"):
                    exec(ast.unparse(node), scope)
    return scope


@torch.no_grad()
def test_lesson_06_computes_the_same():
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 16), nn.GELU(), nn.Linear(16, 784))
    x = torch.bernoulli(torch.full((9, 784), 0.3))
    mean, log_variance = torch.randn(9, 2), torch.randn(9, 2) - 3
    lesson, z = functions_of_lesson_06(decoder), torch.randn(9, 2)
    log_joint = lesson["log_joint_of"](x)
    torch.testing.assert_close(log_joint(z), likelihood.log_joint(x, z, decoder))
    noise = torch.randn(20_000, 9, 2)
    given = lesson["elbo"](log_joint, mean, (0.5 * log_variance).exp(), noise)
    expected = likelihood.elbo(
        x, lambda _: (mean, log_variance), decoder, samples=20_000
    )
    torch.testing.assert_close(given, expected, atol=0.2, rtol=0)


def test_gradients_reach_both_networks(networks, every_image):
    encoder, decoder = networks
    for bound in (
        likelihood.elbo(every_image, encoder, decoder),
        likelihood.importance_weighted(every_image, encoder, decoder, 3),
    ):
        grads = torch.autograd.grad(bound.sum(), [encoder[1].weight, decoder[0].weight])
        assert all(grad.abs().sum() > 0 for grad in grads)


def test_gradient_agrees_with_finite_differences(networks, every_image):
    encoder, decoder = networks
    bias = encoder[1].bias

    def value(shift):
        with torch.no_grad():
            bias[0] += shift
            total = likelihood.elbo(
                every_image, encoder, decoder, samples=4, generator=generator()
            ).sum()
            bias[0] -= shift
        return total.item()

    bound = likelihood.elbo(
        every_image, encoder, decoder, samples=4, generator=generator()
    )
    (grad,) = torch.autograd.grad(bound.sum(), bias)
    assert (value(0.01) - value(-0.01)) / 0.02 == pytest.approx(
        grad[0].item(), rel=1e-2, abs=1e-2
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda e, d, x: likelihood.elbo(x + 0.5, e, d), "zeros and ones"),
        (lambda e, d, x: likelihood.elbo(x, e, d, samples=0), "samples"),
        (lambda e, d, x: likelihood.elbo(x, lambda x: x, d), "means"),
        (lambda e, d, x: likelihood.elbo(x, lambda x: (x, x[:, 1:]), d), "means"),
        (lambda e, d, x: likelihood.importance_weighted(x, e, d, 0), "k and rows"),
        (lambda e, d, x: likelihood.exact_on_grid(x, d, side=1), "side"),
        (lambda e, d, x: likelihood.exact_on_grid(x, d, chunk=0), "chunk"),
        (lambda e, d, x: likelihood.exact_on_grid(x, lambda z: z), "logits"),
        (lambda e, d, x: likelihood.log_joint(x[0], torch.zeros(1, 2), d), "images"),
        (lambda e, d, x: likelihood.log_joint(x, torch.zeros(1, 2), d), "latents"),
        (lambda e, d, x: likelihood.elbo(x, e, lambda z: z), "logits"),
    ],
)
def test_errors_say_what_was_wrong(networks, every_image, call, words):
    with pytest.raises(ValueError, match=words):
        call(*networks, every_image)
