"""The filters of 01's second visit do what their names say."""

import pytest
import torch

from helpers.filters import blur, grey_curve, median


def dot():
    """One white pixel in the middle of black, (1, 1, 11, 11)."""
    image = torch.zeros(1, 1, 11, 11)
    image[..., 5, 5] = 1
    return image


def test_blur_spreads_the_ink_and_keeps_its_amount():
    blurred = blur(dot(), 1.0)
    assert blurred.sum().item() == pytest.approx(1, abs=1e-3)
    assert blurred[0, 0, 5, 5] > blurred[0, 0, 5, 6] > blurred[0, 0, 6, 6] > 0
    assert blur(dot(), 2.0).max() < blurred.max()


def test_median_removes_a_dot_and_keeps_an_edge():
    assert median(dot(), 3).max() == 0
    edge = torch.zeros(1, 1, 9, 9)
    edge[..., 4:] = 1
    assert torch.equal(median(edge, 3)[..., 1:-1, :], edge[..., 1:-1, :])


@pytest.mark.parametrize("side", [0, 2])
def test_median_needs_a_middle(side):
    with pytest.raises(ValueError, match="odd"):
        median(dot(), side)


def test_grey_curve_undoes_a_veil_and_averages_what_it_cannot_tell_apart():
    torch.manual_seed(0)
    originals = torch.rand(20, 1, 28, 28)
    veiled = 0.2 + 0.5 * originals
    assert (grey_curve(veiled, originals)(veiled) - originals).abs().max() < 0.03
    grey = torch.full_like(originals, 0.5)
    assert grey_curve(grey, originals)(grey)[0, 0, 0, 0] == pytest.approx(
        originals.mean().item(), abs=1e-3
    )
