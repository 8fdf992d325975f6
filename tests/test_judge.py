"""A judge tells digits from pictures that are none."""

import pytest
import torch

from helpers.datasets import mnist
from helpers.judge import Judge, frechet_distance, train_judge


def test_a_judge_accepts_digits_and_refuses_noise():
    torch.manual_seed(0)
    digits = mnist()
    judge = train_judge(digits.train[:20_000], digits.train_labels[:20_000], epochs=2)
    digits_and_noise = torch.cat([digits.test[:500], torch.rand(500, 1, 28, 28)])
    chances, accepts = judge.chances(digits_and_noise), judge.accepts(digits_and_noise)
    assert chances.shape == (1000, 11) and accepts.dtype == torch.bool
    torch.testing.assert_close(chances.sum(1), torch.ones(1000))
    assert judge.share(digits.test[:500]) == accepts[:500].float().mean().item() > 0.7
    assert accepts[500:].float().mean() < 0.05
    shares, features = judge.classes(digits_and_noise), judge.features(digits.test[:9])
    assert shares.shape == (10,) and shares.sum() == pytest.approx(1, abs=1e-5)
    assert features.shape == (9, 256)
    assert judge.classes(torch.zeros(3, 1, 28, 28)).sum() in (0, 1)
    named = judge.names(digits_and_noise)
    assert named.shape == (1000,) and named.max() <= 9  # never "no digit"
    assert (named[:500] == digits.test_labels[:500]).float().mean() > 0.85
    counts = torch.bincount(named[accepts], minlength=10)
    torch.testing.assert_close(shares, counts / counts.sum())


def test_the_frechet_distance_is_the_formula_in_one_dimension():
    bell = torch.linspace(0.0005, 0.9995, 2000).double()
    bell = torch.special.ndtri(bell)[:, None]
    bell = (bell - bell.mean()) / bell.std()
    assert frechet_distance(bell, 2 + 3 * bell) == pytest.approx(2**2 + 2**2)
    assert frechet_distance(bell, bell) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_does_not_depend_on_the_axes():
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(500, 4, generator=generator).double()
    other = 1 + one * torch.tensor([1.0, 2, 3, 0.5])
    turn, _ = torch.linalg.qr(torch.randn(4, 4, generator=generator).double())
    distance = frechet_distance(one, other)
    assert frechet_distance(one @ turn, other @ turn) == pytest.approx(distance)
    assert frechet_distance(other, one) == pytest.approx(distance)


@pytest.mark.parametrize("other", [torch.zeros(1, 4), torch.zeros(9, 3)])
def test_the_frechet_distance_needs_two_crowds(other):
    with pytest.raises(ValueError, match="two crowds of features"):
        frechet_distance(torch.zeros(9, 4), other)


def test_the_best_walk_is_sure_everywhere_and_the_worst_is_not_half_way():
    class Scale(torch.nn.Module):  # the brighter a picture, the surer
        def forward(self, images):
            scores = torch.zeros(len(images), 11)
            scores[:, 3] = 20 * images.mean((1, 2, 3))
            return scores

    def decode(codes):
        return codes.abs()[:, :, None, None].expand(-1, 1, 28, 28)

    start = torch.tensor([[1.0], [1.0], [0.0]])
    end = torch.tensor([[0.9], [-1.0], [1.0]])
    assert Judge(Scale()).best_and_worst_walk(decode, start, end) == (0, 1)
