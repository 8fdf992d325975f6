"""The mixture of helpers.models against torch.distributions, EM's promise, the VAE."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    MixtureSameFamily,
)

from helpers.models import VAE, BernoulliMixture, em, em_step

D, K = 6, 3


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def mixture():
    log_weights = torch.tensor([0.5, 0.3, 0.2]).log()
    probs = torch.rand(K, D, generator=generator()) * 0.9 + 0.05
    return BernoulliMixture(log_weights, probs)


@pytest.fixture
def everything():
    """All 64 answers to six questions."""
    return torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * D)


@pytest.fixture
def data(mixture):
    return mixture.sample(500, generator(1))[1]


def reference(mixture):
    return MixtureSameFamily(
        Categorical(logits=mixture.log_weights),
        Independent(Bernoulli(probs=mixture.probs), 1),
    )


def test_log_prob_is_that_of_torch_distributions(mixture, everything):
    expected = reference(mixture).log_prob(everything)
    torch.testing.assert_close(mixture.log_prob(everything), expected)


def test_probabilities_of_everything_add_up_to_one(mixture, everything):
    assert mixture.log_prob(everything).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_log_joint_and_posterior_are_bayes_rule(mixture, everything):
    likelihood = reference(mixture).component_distribution.log_prob(everything[:, None])
    joint = mixture.log_weights + likelihood
    torch.testing.assert_close(mixture.log_joint(everything), joint)
    expected = (joint - reference(mixture).log_prob(everything)[:, None]).exp()
    torch.testing.assert_close(mixture.posterior(everything), expected)


def test_no_underflow_with_many_pixels():
    wide = BernoulliMixture(torch.tensor([0.5, 0.5]).log(), torch.full((2, 784), 0.01))
    expected = 784 * math.log(0.01)
    assert wide.log_prob(torch.ones(1, 784)).item() == pytest.approx(expected, rel=1e-5)
    # Sums of 784 logarithms, about -3600, keep three digits behind the point.
    posterior = wide.posterior(torch.ones(1, 784))
    torch.testing.assert_close(posterior, torch.full((1, 2), 0.5), atol=0.01, rtol=0)


def test_samples_have_the_weights_and_the_recipes(mixture):
    z, x = mixture.sample(20_000, generator(2))
    assert z.shape == (20_000,) and x.shape == (20_000, D)
    assert set(x.unique().tolist()) <= {0.0, 1.0}
    shares = torch.bincount(z, minlength=K) / len(z)
    torch.testing.assert_close(shares, mixture.log_weights.exp(), atol=0.02, rtol=0)
    for k in range(K):
        torch.testing.assert_close(
            x[z == k].mean(0), mixture.probs[k], atol=0.04, rtol=0
        )


def test_samples_depend_on_the_generator_alone(mixture):
    first, again = mixture.sample(50, generator(3)), mixture.sample(50, generator(3))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], mixture.sample(50, generator(4))[1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("floor", [1e-4, 0.1])
def test_em_never_lowers_the_likelihood(data, seed, floor):
    _, history = em(data, K, 40, generator(seed), floor)
    assert torch.tensor(history).diff().min() >= -1e-5
    assert history[-1] > history[0] + 0.01


def test_history_is_the_likelihood_before_each_step(data):
    mixture, history = em(data, K, 4, generator())
    assert len(history) == 4
    after, log_p = em_step(mixture, data, 1e-4)
    assert log_p == pytest.approx(mixture.log_prob(data).mean().item(), abs=1e-5)
    assert after.log_prob(data).mean() >= log_p - 1e-5


def test_a_step_counts_with_the_posterior_as_votes(mixture, data):
    after, _ = em_step(mixture, data, 1e-4)
    votes = mixture.posterior(data)
    torch.testing.assert_close(after.log_weights.exp(), votes.mean(0))
    torch.testing.assert_close(after.probs, votes.T @ data / votes.sum(0)[:, None])


def test_a_step_leaves_its_input_alone(mixture, data):
    before = mixture.probs.clone(), mixture.log_weights.clone(), data.clone()
    em_step(mixture, data, 1e-4)
    after = mixture.probs, mixture.log_weights, data
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_parts_of_5000_change_nothing(mixture):
    data = mixture.sample(12_001, generator(5))[1]
    after, log_p = em_step(mixture, data, 1e-4)
    votes = mixture.posterior(data)
    expected = votes.T @ data / votes.sum(0)[:, None]
    torch.testing.assert_close(after.probs, expected, atol=1e-4, rtol=0)
    assert log_p == pytest.approx(mixture.log_prob(data).mean().item(), abs=1e-5)


def test_any_type_of_answers(data):
    floats = em(data, K, 3, generator())
    for other in (data.bool(), data.to(torch.uint8)):
        mixture, history = em(other, K, 3, generator())
        assert history == floats[1] and torch.equal(mixture.probs, floats[0].probs)


def test_one_recipe_is_the_mean(data):
    mixture, _ = em(data, 1, 2, generator())
    torch.testing.assert_close(mixture.probs[0], data.mean(0))
    assert mixture.log_weights.item() == pytest.approx(0, abs=1e-6)


def test_no_coin_is_surer_than_the_floor():
    mixture, history = em(torch.eye(4), 2, 20, generator(), floor=0.03)
    assert mixture.probs.min().item() == pytest.approx(0.03)
    assert mixture.probs.max() <= 0.97
    assert all(map(math.isfinite, history))


def test_a_recipe_without_members_stays_finite(data):
    alone = BernoulliMixture(torch.tensor([0.0, -math.inf]), torch.full((2, D), 0.5))
    after, log_p = em_step(alone, data, 1e-4)
    assert math.isfinite(log_p) and after.probs.isfinite().all()
    assert after.log_prob(data).isfinite().all()


def test_em_finds_two_clear_groups():
    x = torch.tensor([[1.0] * D, [0.0] * D]).repeat(100, 1)
    mixtures = [em(x, 2, 20, generator(seed)) for seed in range(6)]
    best = max(mixtures, key=lambda pair: pair[1][-1])[0]
    torch.testing.assert_close(best.log_weights.exp(), torch.tensor([0.5, 0.5]))
    assert sorted(best.probs.mean(1).tolist()) == pytest.approx([1e-4, 1 - 1e-4])


@pytest.mark.parametrize("components", [0, -1, 501])
def test_more_recipes_than_rows_or_none(data, components):
    with pytest.raises(ValueError, match="components must be from 1 to 500"):
        em(data, components, 3, generator())


@pytest.mark.parametrize("method", ["log_joint", "log_prob", "posterior"])
def test_answers_to_another_number_of_questions(mixture, method):
    with pytest.raises(RuntimeError, match="shape"):
        getattr(mixture, method)(torch.ones(2, D + 1))


def test_vae_gives_logits_means_and_log_variances():
    vae = VAE(3, (8, 5))
    images = torch.bernoulli(torch.full((4, 1, 28, 28), 0.5), generator=generator())
    logits, mean, log_variance = vae(images)
    assert logits.shape == (4, 784)
    assert mean.shape == log_variance.shape == (4, 3)
    torch.testing.assert_close(torch.cat(vae.cloud(images), 1), vae.encoder(images))


def test_vae_draws_as_often_from_its_clouds_as_their_normal_distribution_says():
    """A decoder that repeats its input shows the draws themselves."""
    vae = VAE(2, (4,))
    vae.decoder = nn.Identity()
    with torch.no_grad():
        vae.encoder[-1].weight.zero_()
        vae.encoder[-1].bias.copy_(torch.tensor([1.0, -2.0, 0.0, -4.0]))
        torch.manual_seed(0)
        draws, _, _ = vae(torch.zeros(20_000, 1, 28, 28))
    expected = torch.tensor([1.0, math.exp(-2.0)])  # exp(log-variance / 2)
    means = torch.tensor([1.0, -2.0])
    torch.testing.assert_close(draws.mean(0), means, atol=0.03, rtol=0)
    torch.testing.assert_close(draws.std(0), expected, atol=0, rtol=0.03)
