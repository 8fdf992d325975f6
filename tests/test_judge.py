"""A judge tells digits from pictures that are none."""

import torch

from helpers.datasets import mnist
from helpers.judge import train_judge


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
